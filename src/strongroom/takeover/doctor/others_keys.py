"""A repair gives a project no key of another one's wallet: a text names no project, and the row next to it was written.

Who copied an envelope into a row of theirs could not read it; the password that opens it is the operator's. A key in
plaintext is known to anyone who can copy it: it is sealed as the row says that it is stored in.
"""

from __future__ import annotations

from uuid import UUID

from strongroom.errors import ConflictError
from strongroom.records.key_material import KeyMaterial
from strongroom.records.register import UNPROVED
from strongroom.store.inspection.inspection import Inspection
from strongroom.store.statements.register_rows import uuid_or_none
from strongroom.takeover.doctor.findings import Finding
from strongroom.takeover.doctor.notes import ExaminationContext
from strongroom.usecases.context import VaultContext
from strongroom.usecases.elsewhere import is_proved_by
from strongroom.usecases.keys_of_others import KeysOfOthers
from strongroom.usecases.register import recorded


def is_of_others(
    vault_context: VaultContext,
    examination_context: ExaminationContext,
    wallet_id: UUID | None,
    project_id: UUID,
    material: KeyMaterial,
) -> bool:
    """Whether a key that was read for a wallet, or any key of its phrase, is another project's: its wallet's, or one
    that it keeps aside or that its phrase has.

    Not where it is no phrase, and the wallet's own record has it: then it was proved to be this wallet's. Raises
    KeyConflictError where that cannot be told, and StoreError.
    """
    others = examination_context.keys_of_others
    assert others is not None  # noqa: S101 - there is one wherever a vault is open
    if (
        wallet_id is not None
        and material.mnemonic is None
        and _is_recorded(vault_context, wallet_id, project_id, material)
    ):
        return False
    return others.is_elsewhere(material, project_id, takes=True)


def require_own(
    vault_context: VaultContext,
    examination_context: ExaminationContext,
    wallet_id: UUID,
    project_id: UUID,
    material: KeyMaterial,
) -> None:
    """Raise ConflictError where that is so."""
    if is_of_others(vault_context, examination_context, wallet_id, project_id, material):
        raise ConflictError(
            f"The key that was read for {wallet_id}, or another of its phrase, is that of another project's wallet or "
            "phrase.",
            hint="Where both projects are to have the key, who holds it takes it in: `strongroom wallet import`.",
        )


def _is_recorded(vault_context: VaultContext, wallet_id: UUID, project_id: UUID, material: KeyMaterial) -> bool:
    """Whether the wallet's record, with a tag that fits, says that the key was proved for it in this project."""
    known = recorded(vault_context, wallet_id)
    return known is not None and known.record.project_id == project_id and is_proved_by(vault_context, known, material)


class KeysAcross:
    """Asks whether a command would lead the key of one project's wallet to another project."""

    def __init__(self, inspection: Inspection, vault_context: VaultContext, keys_of_others: KeysOfOthers) -> None:
        self._inspection, self._vault_context, self._keys_of_others = inspection, vault_context, keys_of_others

    def leads(self, finding: Finding, owner: str | None) -> bool:
        """Whether the wallet of a finding has no proved record, and its address is another project's as well.

        ``owner``: the project of the sealed text or of the phrase that has the key. `store-key` refuses such a key.
        Raises StoreError.
        """
        wallet_id = uuid_or_none(finding.credential_id)
        if wallet_id is None:
            return False
        known = recorded(self._vault_context, wallet_id)
        if known is not None and known.record.variant != UNPROVED:
            return False
        said, _, address = self._inspection.places({str(wallet_id)}).get(str(wallet_id), (None, "", ""))
        project_id = uuid_or_none(said)
        if project_id is None and known is not None:  # its rows are gone; its record says what they said
            project_id, address = known.record.project_id, known.record.address
        if project_id is None:
            return False
        return owner not in (None, str(project_id)) or self._keys_of_others.states(address, project_id)
