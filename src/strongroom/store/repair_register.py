"""What a repair writes into the register: compared and set, or inserted where there is nothing."""

from __future__ import annotations

from typing import Any

from strongroom.records.wallets import Wallet, credential_type_of
from strongroom.store.connection.session import Session
from strongroom.store.context import LostRaceError
from strongroom.store.repair_changes import Recording, RelatedRows, WalletChangeSet
from strongroom.store.statements import Statements
from strongroom.store.statements.register_rows import record_parameters
from strongroom.store.statements.repair import RepairStatements


def write_record(session: Session, sql: Statements, recording: Recording) -> None:
    """The wallet's record, inserted, or compared and set on the one that was read. Raises LostRaceError."""
    old, new = recording.old, recording.new
    if new is None or new == old:
        return
    statement = sql.register.insert_record if old is None else sql.register.change_record
    if session.change(statement, record_parameters(new, old)) != 1:
        raise LostRaceError


def settle_slot(
    session: Session, sql: Statements, repair: RepairStatements, retired: Wallet, changes: WalletChangeSet
) -> None:
    """The slot names the wallet that stays: taken for it, or moved from the retired one. Raises LostRaceError."""
    tags = None if changes.recording is None else changes.recording.slot
    if tags is None or changes.slot is None:
        raise LostRaceError
    network, label, keeper = changes.slot
    names = {"project_id": retired.project_id, "network": network, "label": label, "version": 1, "id": keeper}
    session.change(sql.slots.name_slot, {**names, "tag_kid": tags.taken.kid, "slot_tag": tags.taken.value})
    if tags.version is not None:
        moved = {
            "old_id": retired.id,
            "old_slot_version": tags.version,
            "new_slot_version": tags.version + 1,
            "tag_kid": tags.moved.kid,
            "moved_slot_tag": tags.moved.value,
        }
        session.change(sql.slots.move_slot, {**names, **moved})
    found = session.fetch(repair.slot, names)
    if not found or str(found[0][0]) != str(keeper):
        raise LostRaceError


def settle_rows(
    session: Session,
    repair: RepairStatements,
    changes: WalletChangeSet,
    parameters: dict[str, Any],
    related: RelatedRows,
) -> None:
    """Rows of ours, in the words of the register: else a wallet would be refused for what the legacy application called
    it."""
    recording = changes.recording
    if repair.foreign or recording is None:
        return
    if recording.old is None and recording.new is not None:
        record = recording.new.record
        kind = credential_type_of(record.network, record.label)
        session.write(repair.settle, {**parameters, "kind": kind, "status": record.status})
    if changes.slot is not None:
        network, label, keeper = changes.slot
        stays = related.wallets[str(keeper)].credential
        project = None if stays is None else stays.project_id
        named = {**parameters, "id": keeper, "stored_project": project}
        session.change(repair.settle_kind, {**named, "kind": credential_type_of(network, label)})
