"""A repair revives no key: a row that states the address of a retired wallet is no reason to let it sign again."""

from __future__ import annotations

from strongroom.errors import ConflictError
from strongroom.records.key_material import KeyMaterial
from strongroom.records.register import UNPROVED
from strongroom.records.wallets import STATUS, Wallet
from strongroom.takeover.doctor.notes import Examination
from strongroom.usecases.context import VaultContext
from strongroom.usecases.register import recorded, retired_with_key


def require_not_retired(
    vault_context: VaultContext, examined: Examination, wallet: Wallet, material: KeyMaterial, *, taken: bool
) -> None:
    """Raise ConflictError where a key that is to be sealed for a live wallet is that of a wallet that was retired.

    ``taken``: the key was stored for another wallet; then also of one that was never live since strongroom knows it.
    A wallet that the register has as live, with a key that was proved, may have its own back.
    """
    credential = examined.credential
    if credential is None or not credential.live:
        return
    network = vault_context.networks.get(wallet.network)
    keys = {network.public_half(material.private_key, scheme).public_key for scheme in network.schemes}
    retired = retired_with_key(vault_context, wallet.project_id, sorted(keys), as_found=taken)
    if retired is None or retired.credential_id == wallet.id:
        return
    own = recorded(vault_context, wallet.id)
    if own is not None and own.record.status == STATUS and own.record.variant != UNPROVED:
        return
    raise ConflictError(
        f"Its key is that of {retired.credential_id}, a wallet of this project that is {retired.status}.",
        hint=f"Retire {wallet.id}, whose row states that address. If the key is to sign again, "
        f"`strongroom wallet export {retired.credential_id}` shows it, and `strongroom wallet import` takes it.",
    )
