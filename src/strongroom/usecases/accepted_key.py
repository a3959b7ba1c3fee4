"""Whether a wallet that a person accepts still has its key: no command makes another key its own."""

from __future__ import annotations

from uuid import UUID

from strongroom.crypto import sealing, tags
from strongroom.errors import IdentityMismatchError, StrongroomError, UnknownNetworkError
from strongroom.records.key_material import Identity
from strongroom.records.register import UNPROVED, Registration
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.wallets import Wallet
from strongroom.usecases.addresses import canonical
from strongroom.usecases.context import VaultContext
from strongroom.usecases.rescue import newest_first

_HINT = (
    "No command gives a wallet another key. Put address and public key back in its row, then `strongroom history "
    "restore {id} --archive-current` puts its own key back. Where the key in its vault record is wanted, "
    "`strongroom history reveal` prints a kept one, and `strongroom wallet import` makes a wallet of its own of it."
)


def believed(context: VaultContext, wallet_id: UUID) -> Registration | None:
    """The record of a wallet that has a tag that fits, be it one of a key that is retired meanwhile."""
    found = context.store.register.find_record(wallet_id)
    keys = context.keyring.counting_retired()
    if found is None or not tags.fits("wallet", found.record.fields(), found.tag, keys):
        return None
    return found.record


def require_own_key(context: VaultContext, stored: StoredWallet) -> str:
    """Compare what a wallet's row says with its record and with every sealed text that was kept of it.

    Returns the address that was known of it before, or ``none``. Texts that were kept aside say nothing.

    Raises IdentityMismatchError where a record whose tag fits, or a kept text that opens as this wallet's own, has
    another project, network, address or, the record, another public key.
    """
    wallet = stored.wallet
    record = believed(context, wallet.id)
    if record is not None:
        there = Identity(record.project_id, record.credential_id, record.network, record.address)
        _require(context, wallet, there, "The register says")
    known = None if record is None else record.address
    for entry in newest_first(context, wallet.id, sealed=True):
        own = _own_identity(context, wallet.id, entry.text)
        if own is not None:
            _require(context, wallet, own, "A sealed text that was kept of it says")
            known = known or own.address
    return known or "none"


def require_recorded_public_key(context: VaultContext, stored: StoredWallet, public_key: str) -> None:
    """Raise IdentityMismatchError where a wallet's record, if it is one of a proved key, has another public key."""
    record = believed(context, stored.wallet.id)
    if record is not None and record.variant != UNPROVED and record.public_key and record.public_key != public_key:
        raise _mismatch(stored.wallet, "The register says", ("public_key",), record.address)


def _own_identity(context: VaultContext, wallet_id: UUID, text: str) -> Identity | None:
    """The identity under which a kept text opens as this wallet's own."""
    identity = None if sealing.is_aside(text) else sealing.identity_in(text)
    if identity is None or identity.credential_id != wallet_id:
        return None
    try:
        sealing.open_sealed(text, identity, context.keyring)
    except StrongroomError:
        return None
    return identity


def _require(context: VaultContext, wallet: Wallet, known: Identity, who: str) -> None:
    pairs = {
        "project_id": wallet.project_id == known.project_id,
        "network": wallet.network == known.network,
        "wallet_address": _same(context, known, wallet.address),
    }
    columns = tuple(name for name, same in pairs.items() if not same)
    if columns:
        raise _mismatch(wallet, who, columns, known.address)


def _same(context: VaultContext, known: Identity, address: str) -> bool:
    if known.address == address:
        return True
    try:
        network = context.networks.get(known.network)
    except UnknownNetworkError:
        return False
    read = canonical(network, address)
    return read is not None and read == canonical(network, known.address)


def _mismatch(wallet: Wallet, who: str, columns: tuple[str, ...], address: str) -> IdentityMismatchError:
    return IdentityMismatchError(
        f"{who} that {wallet.id} has the address {address}; its row says another {', '.join(columns)}. "
        "Nothing was changed.",
        hint=_HINT.format(id=wallet.id),
        columns=columns,
    )
