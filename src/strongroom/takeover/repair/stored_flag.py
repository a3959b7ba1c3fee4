"""Whether a key is stored, as a column of the credential says it."""

from __future__ import annotations

from collections.abc import Sequence

from strongroom.store.repair_changes import WalletChangeSet
from strongroom.takeover.doctor.notes import Examination
from strongroom.takeover.repair.actions import Action


def stored_flag(examined: Examination, changes: WalletChangeSet, actions: Sequence[Action]) -> dict[str, bool]:
    """``vault_stored``, where changes or an action make it another one."""
    credential = examined.credential
    if credential is None or credential.vault_stored is None:
        return {}
    written = any("encrypted_private_key" in columns for columns in changes.records.values())
    stored = (
        written or changes.inserted is not None or any(held.holds_text and held.explained for held in examined.records)
    )
    asked = any(action.code == "stored-flag-wrong" for action in actions)
    if stored != credential.vault_stored and (asked or written or changes.inserted is not None):
        return {"vault_stored": stored}
    return {}
