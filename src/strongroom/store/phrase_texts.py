"""Sealed texts of phrases: moved to another sealing key or put back, with what was there kept; and what was derived.

What makes the write safe under two concurrent callers: the text is compared and set on exactly the one that was read,
and what the history keeps of it is written in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from strongroom.records.erasure import erased_label
from strongroom.records.identifiers import new_id
from strongroom.records.phrases import HISTORY_NETWORK, KeptElsewhere, KeptPhraseText, StoredPhrase
from strongroom.records.register import Registered
from strongroom.records.usage_log import Event
from strongroom.records.vault_texts import SEALED_PREFIX
from strongroom.store.connection.session import Session
from strongroom.store.context import LostRaceError, StoreContext
from strongroom.store.statements import rows
from strongroom.store.statements.phrase_rows import stored_phrase
from strongroom.store.statements.register_rows import registered, text_of, uuid_of
from strongroom.store.write_conditions import SCHEMA_VERSION

_FIRST_ID, _LAST_ID = UUID(int=0), UUID(int=(1 << 128) - 1)
_PAGE = 100
_ENTRIES = 5_000
"""Of which ids alone are read."""


class SqlPhraseTexts:
    """The part of a store of phrases that a rewrap, doctor and a repair use."""

    def __init__(self, context: StoreContext) -> None:
        self.context = context

    def stream_sealed_otherwise(self, kid: str, project_id: UUID | None = None) -> Iterator[list[StoredPhrase]]:
        texts = self.context.sql.phrase_texts
        sql = texts.phrases_sealed_otherwise if project_id is None else texts.phrases_sealed_otherwise_in_project
        for page in self._pages(sql, project_id, beginning=rows.beginning_of(kid)):
            yield [stored_phrase(row) for row in page]

    def stream(self, project_id: UUID | None = None) -> Iterator[list[StoredPhrase]]:
        return self.stream_sealed_otherwise("", project_id)  # no key is named so: every row

    def stream_lost(self, project_id: UUID | None = None) -> Iterator[list[tuple[UUID, UUID]]]:
        texts = self.context.sql.phrase_texts
        sql = texts.lost_phrases if project_id is None else texts.lost_phrases_in_project
        for page in self._pages(sql, project_id):
            yield [(uuid_of(project), uuid_of(phrase)) for project, phrase in page]

    def _pages(self, sql: str, project_id: UUID | None, **parameters: Any) -> Iterator[list[Any]]:
        after_project, after = _FIRST_ID, _FIRST_ID
        while True:
            place = {"project_id": project_id, "after_project": after_project, "after": after, "limit": _PAGE}
            found = list(self.context.read(sql, {**parameters, **place}))
            if found:
                yield found
            if len(found) < _PAGE:
                return
            after_project, after = found[-1][:2]  # as they stand: SQLite takes any text for an id

    def stream_records(self, project_id: UUID, phrase_id: UUID) -> Iterator[list[Registered]]:
        after: Any = _FIRST_ID
        while True:
            parameters = {"project_id": project_id, "phrase_id": phrase_id, "after": after, "limit": _PAGE}
            found = self.context.read(self.context.sql.phrase_texts.records_of_phrase, parameters)
            if found:
                yield [each for row in found if (each := registered(rows.readable(row))) is not None]
            if len(found) < _PAGE:
                return
            after = found[-1][1]

    def stream_kept_lost(self) -> Iterator[list[tuple[UUID, UUID]]]:
        after: Any = self._first_entry
        while True:
            parameters = {"after": after, "limit": _ENTRIES}
            found = self.context.read(self.context.sql.phrase_texts.kept_phrases, parameters)
            if found:
                yield [(uuid_of(project), uuid_of(phrase)) for _, project, phrase in found]
            if len(found) < _ENTRIES:
                return
            after = found[-1][0]

    def kept(self, project_id: UUID, phrase_id: UUID) -> Iterator[KeptPhraseText]:
        before: Any = _LAST_ID
        while True:
            parameters = {"project_id": project_id, "phrase_id": phrase_id, "before": before, "limit": _PAGE}
            found = self.context.read(self.context.sql.phrase_texts.kept_phrase_texts, parameters)
            yield from (KeptPhraseText(uuid_of(entry), text_of(text) or "") for entry, text in found)
            if len(found) < _PAGE:
                return
            before = found[-1][0]

    @property
    def _first_entry(self) -> Any:
        """What is before every id of the history: SQLite takes any text for one."""
        return _FIRST_ID if self.context.sql.phrase_texts.writes_in_one else ""

    def stream_kept(self, beginning: str) -> Iterator[list[KeptElsewhere]]:
        after: Any = self._first_entry
        while True:
            parameters = {"beginning": beginning, "after": after, "limit": _PAGE}
            found = self.context.read(self.context.sql.phrase_texts.kept_texts_holding, parameters)
            if found:
                yield [KeptElsewhere(uuid_of(row[1]), uuid_of(row[2]), text_of(row[3]) or "") for row in found]
            if len(found) < _PAGE:
                return
            after = found[-1][0]

    def count_sealed(self, kid: str) -> int:
        parameters = {"beginning": rows.beginning_of(kid)}
        return int(self.context.read(self.context.sql.phrase_texts.count_phrases_sealed, parameters)[0][0])

    def change_text(self, old: StoredPhrase, text: str, reason: str, event: Event | None, now: datetime) -> bool:
        """The history first, as of wallets."""

        def unit(session: Session) -> None:
            keys = {"project_id": old.record.project_id, "phrase_id": old.record.phrase_id}
            if old.sealed_text.startswith(SEALED_PREFIX):
                session.write(self.context.sql.wallets.insert_history, _kept(old, reason, now))
            texts = {"old_text": old.sealed_text, "sealed_text": text}
            if not session.change(self.context.sql.phrase_texts.rewrap_phrase, {**keys, **texts}):
                raise LostRaceError
            if event is not None:
                session.write(self.context.sql.keyring.insert_event, rows.event_parameters(event, now))

        try:
            self.context.transact(unit)
        except LostRaceError:
            return False
        return True


def _kept(old: StoredPhrase, reason: str, now: datetime) -> dict[str, Any]:
    """The parameters of a sealed text that is kept of a phrase. Its label, which may name somebody, is not."""
    record = old.record
    return {
        "history_id": new_id(now),
        "id": record.phrase_id,
        "project_id": record.project_id,
        "network": HISTORY_NETWORK,
        "label": erased_label(record.phrase_id),
        "address": record.identifier,
        "public_key": "",
        "vault_id": "",
        "sealed_text": old.sealed_text.strip(),
        "form": "sealed",
        "action": reason,
        "now": now,
        "schema_version": SCHEMA_VERSION,
    }
