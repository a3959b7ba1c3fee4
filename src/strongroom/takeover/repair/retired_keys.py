"""A repair revives no key: a row that states the address of a retired wallet is no reason to let it sign again."""

from __future__ import annotations

from uuid import UUID

from strongroom.errors import ConflictError
from strongroom.records.key_material import KeyMaterial
from strongroom.records.register import UNPROVED, Registration
from strongroom.records.wallets import REPLACED, REVOKED, STATUS, Wallet
from strongroom.takeover.doctor.notes import Examination
from strongroom.usecases.context import VaultContext
from strongroom.usecases.register import recorded, retired_with_key

_STRICTNESS = (STATUS, REPLACED, REVOKED)
"""What a wallet may do, from all to nothing: one that was replaced still signs where a caller asks for it."""


def require_not_retired(
    vault_context: VaultContext,
    examined: Examination,
    wallet: Wallet,
    material: KeyMaterial,
    *,
    taken: bool,
    gives_way: bool,
) -> None:
    """Raise ConflictError where a key that is to be sealed is that of a wallet that may do less than this one could.

    ``taken``: the key was stored for another wallet; then also of one that was never live since strongroom knows it.
    ``gives_way``: the wallet is replaced in the same transaction. A wallet that the register has as live, with a key
    that was proved, may have its own back.
    """
    credential = examined.credential
    if credential is None:
        return
    state = STATUS if credential.live else REPLACED if credential.status == REPLACED else REVOKED
    state = REPLACED if state == STATUS and gives_way else state
    if state == REVOKED:
        return
    network = vault_context.networks.get(wallet.network)
    keys = {network.public_half(material.private_key, scheme).public_key for scheme in network.schemes}
    retired = retired_with_key(vault_context, wallet.project_id, sorted(keys), as_found=taken)
    if retired is None or retired.credential_id == wallet.id or _strictness(retired) <= _STRICTNESS.index(state):
        return
    own = recorded(vault_context, wallet.id)
    if own is not None and own.record.status == STATUS and own.record.variant != UNPROVED:
        return
    raise _refused(wallet, retired.credential_id, retired.status)


def require_live_source(vault_context: VaultContext, wallet: Wallet, source: UUID) -> None:
    """Raise ConflictError where the wallet that a text was sealed for is not live by its own record.

    Its id is the text's own, so that no column hides that record.
    """
    known = recorded(vault_context, source)
    if known is None:
        raise ConflictError(
            f"Its key was sealed for {source}, of which the register has no record that fits.",
            hint=f"`strongroom doctor` says what became of {source}. Put its record back, from a backup, or "
            f"`strongroom upgrade --accept {source}` writes it anew.",
        )
    if known.record.status != STATUS:
        raise _refused(wallet, source, known.record.status)


def _strictness(record: Registration) -> int:
    return _STRICTNESS.index(record.status) if record.status in _STRICTNESS else len(_STRICTNESS)


def _refused(wallet: Wallet, retired: UUID, status: str) -> ConflictError:
    return ConflictError(
        f"Its key is that of {retired}, a wallet of this project that is {status}.",
        hint=f"Retire {wallet.id}, whose row states that address. If the key is to sign again, "
        f"`strongroom wallet export {retired}` shows it, and `strongroom wallet import` takes it.",
    )
