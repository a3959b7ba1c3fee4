"""Erasing what may name a person from a project's rows.

What makes each write safe under two concurrent callers: a record, a slot and an idempotency key are compared and set
on version or tag as they were read, and the record comes first; rows of log and history only ever lose something.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from strongroom.errors import ConflictError, StoreRefusedError, TriggerConflictError
from strongroom.records.erasure import KEPT_DETAILS, KeyChange, SlotChange, WalletErasure
from strongroom.records.register import MOST_SLOTS, IdempotencyRecord, Registered, TaggedSlot
from strongroom.records.tag import Tag
from strongroom.records.usage_log import Attribution, LogEntry
from strongroom.store import schema
from strongroom.store.catalog.foreign_schema import CREDENTIALS, VAULT
from strongroom.store.connection.session import Row, Session
from strongroom.store.context import LostRaceError, StoreContext, retry_after_schema_change
from strongroom.store.statements import rows
from strongroom.store.statements.register_rows import record_parameters, registered, tag_of, tagged_slot, uuid_of
from strongroom.store.statements.usage_log import log_values
from strongroom.store.wallet_writes import require_row_revoked, revoke_vault_records
from strongroom.store.write_conditions import SCHEMA_VERSION

_FIRST_ID = UUID(int=0)
_PAGE = 500
_LONGEST_OTHER = 24
"""Characters that metadata may say besides scheme and path: a key is longer in every notation."""


class SqlEraseStore:
    """Rows of a project that may name a person."""

    def __init__(self, context: StoreContext) -> None:
        self.context = context

    def slots_naming(self, project_id: UUID, wallet_id: UUID) -> list[TaggedSlot]:
        """The slots of a project that name a wallet."""
        parameters = {"project_id": project_id, "id": wallet_id, "limit": MOST_SLOTS + 1}
        found = self.context.read(self.context.sql.erase.slots_naming, parameters)
        if len(found) > MOST_SLOTS:
            raise ConflictError(
                f"More than {MOST_SLOTS} slots name the wallet {wallet_id}.",
                hint="The legacy application wrote them: remove those of strongroom_slot that are not its own; "
                "erase again.",
            )
        return [tagged_slot((project_id, *rows.readable(row))) for row in found]

    def other_slots(self, project_id: UUID) -> Iterator[TaggedSlot]:
        """Slots of a project whose labels were not erased."""
        for row in self._pages(self.context.sql.erase.other_slots, project_id, 2):
            yield tagged_slot((project_id, *rows.readable(row)))

    def records_of_project(self, project_id: UUID) -> Iterator[Registered]:
        """Every record that the register has of a project, also where the wallet's rows are gone."""
        for row in self._pages(self.context.sql.erase.records_of_project, project_id, 1):
            found = registered(rows.readable(row))
            if found is not None:
                yield found

    def _pages(self, sql: str, project_id: UUID, key: int) -> Iterator[Row]:
        """Rows in the order of ids; no transaction stays open between pages. ``key``: the column of the id."""
        after: Any = _FIRST_ID
        while True:
            page = self.context.read(sql, {"project_id": project_id, "after": after, "limit": _PAGE})
            yield from page
            if len(page) < _PAGE:
                return
            after = _advanced(after, page[-1][key])

    def speaking_keys(self, project_id: UUID) -> Iterator[tuple[IdempotencyRecord, Tag | None]]:
        """Idempotency keys of a project that were not erased."""
        after = ""
        while True:
            parameters = {"project_id": project_id, "after_key": after, "limit": _PAGE}
            page = self.context.read(self.context.sql.erase.speaking_keys, parameters)
            for key, *others in page:
                request, credential_id, kid, tag = rows.readable(others)
                yield IdempotencyRecord(project_id, key, str(request), uuid_of(credential_id)), tag_of(kid, tag)
            if len(page) < _PAGE:
                return
            after = _advanced(after, page[-1][0])

    def has_key(self, project_id: UUID, key: str) -> bool:
        """Whether an idempotency key is there."""
        return bool(
            self.context.read(self.context.sql.erase.count_key, {"project_id": project_id, "new_key": key})[0][0]
        )

    def erase_key(self, change: KeyChange) -> bool:
        """Write an idempotency key as it was erased, with its tag; False if it is not the one that was read."""
        tag = change.tag or change.old_tag
        parameters = {
            "project_id": change.old.project_id,
            "idempotency_key": change.old.key,
            "new_key": change.new.key,
            "request": change.new.request,
            "old_tag": None if change.old_tag is None else change.old_tag.value,
            "tag_kid": None if tag is None else tag.kid,
            "key_tag": None if tag is None else tag.value,
        }
        parameters["key"] = change.old.key
        as_read = self.context.sql.unwritten.as_read[schema.strongroom_idempotency.name]
        return self.context.transact(
            lambda session: session.change_as_read(self.context.sql.erase.rename_key, parameters, as_read)
        )

    def erase_slot(self, change: SlotChange) -> bool:
        """Write a slot under another label; False if it is not the one that was read."""
        return self.context.transact(lambda session: self._rename_slot(session, change))

    @retry_after_schema_change
    def erase_wallet(self, erasure: WalletErasure, now: datetime) -> bool:
        """Retire a wallet and erase its label and its creators, in one transaction; False: its record changed."""
        record = erasure.new.record
        parameters = {
            **record_parameters(erasure.new, erasure.old),
            **log_values(LogEntry("revoke", Attribution(), {"erased": "true"}), now),
            "old_id": record.credential_id,
            "new_label": record.label,
            "credential_type": erasure.credential_type,
            "metadata": json.dumps({"scheme": record.scheme, "path": record.path}),
        }

        def unit(session: Session) -> None:
            for slot in erasure.slots:
                if not self._rename_slot(session, slot):
                    raise LostRaceError
            sql = (
                self.context.sql.register.insert_record
                if erasure.old is None
                else self.context.sql.register.change_record
            )
            if not session.change(sql, parameters):
                raise LostRaceError
            self._erase_halves(session, erasure, parameters)
            self._erase_history(session, parameters)

        try:
            self.context.transact(unit)
        except LostRaceError:
            return False
        self.context.forget_rows()  # they have its label
        return True

    def _erase_halves(self, session: Session, erasure: WalletErasure, parameters: dict[str, Any]) -> None:
        there = session.fetch(self.context.sql.wallets.get_in_project, parameters)
        if not there:
            return
        if session.change(self.context.sql.lifecycle.revoke_credential, parameters):
            revoke_vault_records(self.context, session, parameters)
            session.write(self.context.sql.log.insert_log, parameters)
        else:
            require_row_revoked(self.context, session, parameters)
        if erasure.credential_type is not None and self.context.foreign_schema is None:
            kept = json.loads(parameters["metadata"])
            for (metadata,) in session.fetch(self.context.sql.erase.locked_metadata, parameters):
                _refuse_key_in(metadata, kept, erasure.new.record.credential_id)
        if erasure.credential_type is not None and session.change(self.context.sql.erase.erase_names, parameters) != 1:
            raise TriggerConflictError("A trigger or rule kept the credential from being changed; nothing was written.")
        erase, left = self.context.sql.erase, self.context.sql.unwritten
        for table, column, sql, named in (
            (CREDENTIALS, "created_by", erase.erase_creator, left.named_creator),
            (VAULT, "revoked_by", erase.erase_revoker, left.named_revoker),
        ):
            if self.context.foreign_schema is None or self.context.foreign_schema.has(table, column):
                session.change_all(sql, parameters, named)

    def _erase_history(self, session: Session, parameters: Mapping[str, Any]) -> None:
        session.change_all(
            self.context.sql.erase.erase_history, parameters, self.context.sql.unwritten.labelled_history
        )

    def _rename_slot(self, session: Session, change: SlotChange) -> bool:
        old, new = change.old, change.new
        tag = change.tag or old.tag
        parameters = {
            **old.record._asdict(),
            "new_label": new.label,
            "old_slot_version": old.record.version,
            "new_slot_version": new.version,
            "old_tag": None if old.tag is None else old.tag.value,
            "tag_kid": None if tag is None else tag.kid,
            "slot_tag": None if tag is None else tag.value,
        }
        as_read = self.context.sql.unwritten.as_read[schema.strongroom_slot.name]
        return session.change_as_read(self.context.sql.slots.rename_slot, parameters, as_read)

    def erase_log(self, project_id: UUID, wallet_id: UUID) -> int:
        """Take from a wallet's usage log what may name a person, a page a transaction; how many rows changed."""
        changed, after = 0, _FIRST_ID
        while True:
            parameters = {"id": wallet_id, "project_id": project_id, "after": after, "limit": _PAGE}

            def unit(session: Session, parameters: dict[str, Any] = parameters) -> tuple[int, list[Row]]:
                page = session.fetch(self.context.sql.erase.log_of_wallet, parameters)
                return sum(self._erase_row(session, parameters, row) for row in page), page

            number, page = self.context.transact(unit)
            changed += number
            if len(page) < _PAGE:
                return changed
            after = _advanced(after, page[-1][0])

    def _erase_row(self, session: Session, of_wallet: Mapping[str, Any], row: Row) -> int:
        log_id, small, names_somebody, details = row
        said = rows.facts(details) if small else {}
        kept = {name: said[name] for name in KEPT_DETAILS if name in said}
        if not names_somebody and small and kept == said:
            return 0
        parameters = {"log_id": log_id, "details": json.dumps(kept), "schema_version": SCHEMA_VERSION}
        changed = {**of_wallet, **parameters}
        return session.change_as_read(self.context.sql.erase.erase_log, changed, self.context.sql.unwritten.log_there)

    def erase_kept(self, project_id: UUID, wallet_id: UUID, label: str) -> None:
        """Write another label of what was kept of a wallet."""
        parameters = {"project_id": project_id, "id": wallet_id, "new_label": label, "schema_version": SCHEMA_VERSION}
        self.context.transact(lambda session: self._erase_history(session, parameters))

    def speaking_history(self, project_id: UUID) -> Iterator[UUID]:
        """Wallets of a project of which something was kept under a label that was not erased."""
        for row in self._pages(self.context.sql.erase.speaking_history, project_id, 0):
            yield uuid_of(row[0])

    def wallet_events(self) -> Iterator[tuple[UUID, dict[str, Any]]]:
        """Events that name a wallet: their ids, and what they say."""
        after: Any = _FIRST_ID
        while True:
            page = self.context.read(self.context.sql.erase.events_page, {"after": after, "limit": _PAGE})
            yield from ((uuid_of(key), rows.facts(details)) for key, details in page)
            if len(page) < _PAGE:
                return
            after = _advanced(after, page[-1][0])

    def erase_event(self, event_id: UUID, details: dict[str, Any]) -> None:
        """Write what an event says from now on."""
        parameters = {"event_id": event_id, "details": json.dumps(details)}
        self.context.transact(lambda session: session.write(self.context.sql.erase.erase_event, parameters))


def _advanced(before: Any, after: Any) -> Any:
    """The cursor of the next page; StoreRefusedError where it is the one before: no page would ever be the last."""
    if after == before:
        raise StoreRefusedError("Rows that are not ours keep the pages from advancing; what came before is done.")
    return after


def _refuse_key_in(metadata: Any, kept: dict[str, Any], wallet_id: UUID) -> None:
    """Refuse metadata that say more than what stays of them, and enough more for a key: they would be its only copy."""
    said = rows.facts(metadata)
    same = {name: value for name, value in said.items() if name in kept and value == kept[name]}
    text = metadata if isinstance(metadata, str) else json.dumps(metadata)
    if metadata is None or rows.names_key(said) or len(text) - len(json.dumps(same)) >= _LONGEST_OTHER:
        raise ConflictError(
            f"The metadata of the wallet {wallet_id} may hold a key that the legacy application wrote; they were "
            f"left as they are.",
            hint="Take the key over (`strongroom doctor` names it) and take the members from the metadata, or only the "
            "latter where there is no key; then erase again.",
        )
