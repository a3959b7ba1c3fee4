"""A repair revives no key: a row that states the address of a retired wallet is no reason to let it sign again."""

from __future__ import annotations

from dataclasses import replace

from strongroom.records.key_material import KeyMaterial
from strongroom.records.wallets import Wallet
from strongroom.takeover.doctor.notes import Examination, ExaminationContext
from strongroom.takeover.repair.asked_again import Question
from strongroom.takeover.repair.standing import state_of
from strongroom.usecases import retired
from strongroom.usecases.context import VaultContext


def require_not_retired(
    vault_context: VaultContext,
    examination_context: ExaminationContext,
    examined: Examination,
    wallet: Wallet,
    material: KeyMaterial,
    *,
    taken: bool,
    gives_way: bool,
) -> None:
    """Raise ConflictError where a key that is to be sealed is that of a wallet that may do less than this one could.

    ``taken``: the key was stored for another wallet. ``gives_way``: the wallet is replaced in the same transaction.
    """
    keys = examination_context.keys_of_others
    if examined.credential is None:
        return
    assert keys is not None  # noqa: S101 - there is one wherever a vault is open
    retired.require_not_retired(
        replace(vault_context, keys_of_others=keys),
        wallet.project_id,
        material,
        wallet_id=wallet.id,
        state=state_of(examined.credential),
        taken=taken,
        gives_way=gives_way,
    )


def not_retired(
    examined: Examination, wallet: Wallet, material: KeyMaterial, *, taken: bool, gives_way: bool
) -> Question:
    """The same as a question, which is asked again under the locks."""
    return lambda vault_context, examination_context: require_not_retired(
        vault_context, examination_context, examined, wallet, material, taken=taken, gives_way=gives_way
    )
