"""Which keys a repair may take for a wallet's own: those that it has by its record, or gets in the same transaction.

Who writes rows and entries chooses their address, and so the key that they ask for.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from strongroom.crypto import sealing
from strongroom.errors import DerivationMismatchError
from strongroom.records.key_material import Identity, KeyMaterial
from strongroom.records.register import UNPROVED
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.wallets import Wallet
from strongroom.takeover.doctor.derivation import Target
from strongroom.takeover.doctor.notes import ExaminedRecord
from strongroom.usecases.context import VaultContext
from strongroom.usecases.register import forgotten, recorded


def sealed_entry(
    vault_context: VaultContext, identity: Identity, target: Target, material: KeyMaterial, *, own: bool
) -> str:
    """The text of an entry of the history, sealed for the identity that it has, opened again and proved.

    Unless the key is the wallet's ``own``, it is kept aside, and opens as no wallet's. Raises DerivationMismatchError.
    """
    keys = vault_context.keyring
    text = sealing.seal(material, identity, keys.active_kid, keys, aside=not own)
    opened = sealing.open_sealed(text, identity, keys, aside=not own)
    if target.network.public_half(opened.private_key, opened.scheme).address != target.address:
        raise DerivationMismatchError("What was sealed does not derive the address of its entry.")
    return text


def aside_entry(vault_context: VaultContext, wallet: Wallet, target: Target | None, material: KeyMaterial) -> str:
    """The same for a wallet that has no key yet: kept aside, under its id."""
    assert target is not None  # noqa: S101 - the key derives its address
    identity = Identity(wallet.project_id, wallet.id, target.network.name, target.address)
    return sealed_entry(vault_context, identity, target, material, own=False)


def is_proved(vault_context: VaultContext, wallet_id: UUID) -> bool:
    """Whether the register has a record of a wallet's key that was proved."""
    known = recorded(vault_context, wallet_id)
    return known is not None and known.record.variant != UNPROVED


def require_recorded(vault_context: VaultContext, stored: StoredWallet) -> None:
    """Raise IdentityMismatchError where the register lost its record of a wallet that strongroom sealed a text for."""
    if not vault_context.keyring.accepts_untagged and recorded(vault_context, stored.wallet.id) is None:
        raise forgotten(stored)


def other_columns(before: Wallet, wallet: Wallet) -> dict[str, str]:
    """The columns of a credential that a proved key changes."""
    facts = {
        "network": (before.network, wallet.network),
        "wallet_address": (before.address, wallet.address),
        "public_key": (before.public_key, wallet.public_key),
    }
    return {name: now for name, (was, now) in facts.items() if was != now}


def proved_identity(
    held: ExaminedRecord, project_id: str | None, *, with_public_key: bool
) -> tuple[dict[str, Any], tuple[str, str | None] | None]:
    """The columns of a credential, and scheme and path, as a sealed text in its record proves them; else nothing.

    The project is among them where its row says another one, ``project_id``: where tables are divided by it, no row is
    set to any.
    """
    header, opened = held.header, held.opened
    if header is None or opened is None or opened.material is None or not opened.derives:
        return {}, None
    columns: dict[str, Any] = {"network": header.network, "wallet_address": header.address}
    if header.project_id != project_id:
        columns["project_id"] = UUID(header.project_id)
    if not with_public_key:
        return columns, None
    return {**columns, "public_key": opened.public_key}, (opened.material.scheme, opened.material.path)
