"""Moving tags to another sealing key, and giving tags to what older versions wrote.

What makes each write safe under two concurrent callers: a tag is compared and set on the one that was read, and a
record is inserted only where there is none, so that a concurrent change wins. A row that is as it was read and was not
written was kept as it was by a trigger or rule: an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from strongroom.errors import StoreRefusedError
from strongroom.records.register import IdempotencyRecord, NonceRecord, SlotRecord, TaggedHead, TaggedRow, UntaggedNonce
from strongroom.records.tag import Tag, TagKind
from strongroom.records.usage_log import Event
from strongroom.store.connection.session import Session
from strongroom.store.context import LostRaceError, StoreContext
from strongroom.store.statements import TAGGED, rows
from strongroom.store.statements.phrase_rows import account_record, branch_record, phrase_record
from strongroom.store.statements.register_rows import (
    head_parameters,
    registered,
    tag_of,
    text_of,
    uuid_of,
    whole_number,
)

_PAGE = 500
_FIRST_ID = UUID(int=0)
_KINDS: dict[str, TagKind] = {
    "strongroom_wallet": "wallet",
    "strongroom_slot": "slot",
    "strongroom_idempotency": "idempotency",
    "strongroom_nonce": "nonce",
    "strongroom_phrase": "phrase",
    "strongroom_phrase_account": "account",
    "strongroom_phrase_branch": "branch",
}


class SqlTagStore:
    """Rows that carry tags, and rows that do not yet."""

    def __init__(self, context: StoreContext) -> None:
        self.context = context

    def stream_tagged_otherwise(self, kid: str, project_id: UUID | None = None) -> Iterator[list[TaggedRow]]:
        """Pages of rows that another sealing key tagged, or none; no transaction stays open between pages.

        Of rows with keys that are longer than any of ours some are among them, their keys cut: no page ends with one.
        Raises StoreRefusedError where the database goes back to a page that was read.
        """
        register, asked = self.context.sql.register, {"kid": kid, "project_id": project_id, "limit": _PAGE}
        pages, beyond = register.tagged_otherwise, register.tagged_beyond
        if project_id is not None:
            pages, beyond = register.tagged_otherwise_in_project, register.tagged_beyond_in_project
        for table, sql in pages.items():
            keys = [column.name for column in TAGGED[table].primary_key]
            after = {f"after_{key}": _FIRST_ID if key.endswith("_id") and key != "chain_id" else "" for key in keys}
            ends: set[int] = set()
            while True:
                found = self.context.read(sql, {**asked, **after})
                if found:
                    yield [_tagged_row(table, keys, rows.readable(row)) for row in found]
                if len(found) < _PAGE:
                    break
                last = _tagged_row(table, keys, found[-1])
                after = {f"after_{key}": last.keys[key] for key in keys}
                _require_progress(ends, after, table)
            found = self.context.read(beyond[table], asked) if table in beyond else []
            if found:
                yield [_tagged_row(table, keys, rows.readable(row)) for row in found]

    def retag(self, changes: Sequence[tuple[TaggedRow, Tag]]) -> int:
        """Give rows another tag, each if it still has the one that was read; how many were written."""
        groups: dict[tuple[str, Any], list[tuple[TaggedRow, Tag]]] = {}
        for row, tag in sorted(changes, key=lambda each: repr(each[0].keys)):  # in one order: no deadlocks
            groups.setdefault((_table_of(row.kind), row.keys["project_id"]), []).append((row, tag))

        def unit(session: Session) -> int:
            return sum(self._retag(session, table, project, own) for (table, project), own in groups.items())

        return self.context.transact(unit)

    def _retag(self, session: Session, table: str, project_id: Any, own: Sequence[tuple[TaggedRow, Tag]]) -> int:
        """Rows of one table and project: on PostgreSQL by one statement, where there are several."""
        one, as_read = self.context.sql.register.retag[table], self.context.sql.unwritten.as_read[table]
        each = [
            {**row.keys, "tag_kid": tag.kid, "new_tag": tag.value, "old_tag": row.tag and row.tag.value}
            for row, tag in own
        ]
        if len(each) == 1 or not self.context.sql.writes_in_one:
            return sum(session.change_as_read(one, parameters, as_read) for parameters in each)
        every: dict[str, Any] = {f"every_{key}": [parameters[key] for parameters in each] for key in own[0][0].keys}
        tags = {"old_tags": "old_tag", "new_kids": "tag_kid", "new_tags": "new_tag"}
        every |= {name: [parameters[key] for parameters in each] for name, key in tags.items()}
        found = session.fetch(self.context.sql.rewraps.retag_in_project[table], {**every, "project_id": project_id})
        written = {place for (place,) in found}
        for place, parameters in enumerate(each, 1):
            if place not in written:  # changed meanwhile, or kept as it was
                session.require_none(as_read, parameters)
        return len(written)

    def untagged_nonces(self, skipped: int) -> list[UntaggedNonce]:
        """A page of nonces that an older version wrote down, each with its wallet's record; after some of them."""
        if not self.context.sql.untagged_nonces:
            return []
        found = self.context.read(self.context.sql.register.untagged_nonce_page, {"limit": _PAGE, "skipped": skipped})
        return [_untagged_nonce(rows.readable(row)) for row in found]

    def find_nonce(self, project_id: UUID, chain_id: str, address: str, nonce: str) -> tuple[NonceRecord, Tag] | None:
        """What was signed under a nonce, with its tag."""
        keys = {"project_id": project_id, "chain_id": chain_id, "address": address, "nonce": nonce}
        found = self.context.read(self.context.sql.signing.find_nonce, keys)
        if not found:
            return None
        digest, fee, credential_id, kid, tag = found[0]
        record = NonceRecord(project_id, chain_id, address, nonce, uuid_of(credential_id), str(digest), str(fee))
        return record, Tag(str(kid), str(tag))

    def move_nonce(
        self, old: UntaggedNonce, new: tuple[NonceRecord, Tag] | None, event: Event | None, now: datetime
    ) -> bool:
        """Take an untagged nonce away; ``new`` is written in its place, over what is there. False: it changed."""

        def unit(session: Session) -> None:
            keys = {"project_id": old.project_id, "id": old.credential_id, "chain_id": old.chain_id, "nonce": old.nonce}
            if not session.change(self.context.sql.register.delete_untagged_nonce, {**keys, "digest": old.digest}):
                raise LostRaceError
            if event is not None:
                session.write(self.context.sql.keyring.insert_event, rows.event_parameters(event, now))
            if new is None:
                return
            record, tag = new
            parameters = {
                **record._asdict(),
                "id": record.credential_id,
                "now": now,
                "tag_kid": tag.kid,
                "nonce_tag": tag.value,
            }
            session.change(self.context.sql.register.delete_nonce, parameters)
            session.write(self.context.sql.signing.use_nonce, parameters)

        try:
            self.context.transact(unit)
        except LostRaceError:
            return False
        return True

    def forget(self, changes: Sequence[TaggedRow], event: Event, now: datetime) -> int:
        """Remove rows, each if it still has the tag that was read; how many were removed."""

        def unit(session: Session) -> int:
            session.write(self.context.sql.keyring.insert_event, rows.event_parameters(event, now))
            return sum(
                session.change_as_read(
                    self.context.sql.register.forget[_table_of(row.kind)],
                    {**row.keys, "old_tag": None if row.tag is None else row.tag.value},
                    self.context.sql.unwritten.as_read[_table_of(row.kind)],
                )
                for row in sorted(changes, key=lambda each: repr(each.keys))  # in one order: no deadlocks
            )

        return self.context.transact(unit)

    def finish_upgrade(self, head: TaggedHead, event: Event, now: datetime) -> bool:
        """Say in the head that every record carries a tag.

        On SQLite the empty table of untagged nonces goes with it. On PostgreSQL it stays: processes that were opened
        during the upgrade go on reading that name, which nobody else may get.
        """

        def unit(session: Session) -> bool:
            sql = self.context.sql
            if not session.change_as_read(
                sql.keyring.change_keyring_head, head_parameters(head), sql.unwritten.head_as_read
            ):
                return False
            empty = self.context.sql.untagged_nonces and not session.fetch(
                self.context.sql.register.any_untagged_nonce, {}
            )
            if empty and not self.context.sql.writes_in_one:
                session.change(self.context.sql.register.drop_untagged_nonces, {})
            for statement in self.context.sql.register.complete_head:
                session.change(statement, {})
            session.write(self.context.sql.keyring.insert_event, rows.event_parameters(event, now))
            return True

        return self.context.transact(unit)


def _require_progress(ends: set[int], after: dict[str, Any], table: str) -> None:
    """Raise where a page ended before: whatever the database does with its keys, reading it comes to an end."""
    end = hash(tuple(after.values()))
    if end in ends:
        raise StoreRefusedError(f"The rows of {table} cannot be read in the order of their keys.")
    ends.add(end)


def _untagged_nonce(row: Sequence[Any]) -> UntaggedNonce:
    project_id, credential_id, chain_id, nonce, digest, fee, *record = row
    return UntaggedNonce(
        uuid_of(project_id),
        uuid_of(credential_id),
        str(chain_id),
        str(nonce),
        str(digest),
        str(fee),
        registered(record),
    )


def _table_of(kind: TagKind) -> str:
    return next(table for table, each in _KINDS.items() if each == kind)


_READERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "strongroom_slot": lambda row: SlotRecord(
        uuid_of(row["project_id"]),
        str(row["network"]),
        str(row["label"]),
        uuid_of(row["credential_id"]),
        whole_number(row["version"]),
    ),
    "strongroom_idempotency": lambda row: IdempotencyRecord(
        uuid_of(row["project_id"]), str(row["key"]), str(row["request"]), uuid_of(row["credential_id"])
    ),
    "strongroom_nonce": lambda row: NonceRecord(
        uuid_of(row["project_id"]),
        str(row["chain_id"]),
        str(row["address"]),
        str(row["nonce"]),
        uuid_of(row["credential_id"]),
        str(row["digest"]),
        str(row["fee"]),
    ),
    "strongroom_phrase": phrase_record,
    "strongroom_phrase_account": account_record,
    "strongroom_phrase_branch": branch_record,
}


def _tagged_row(table: str, keys: Sequence[str], values: Sequence[Any]) -> TaggedRow:
    names = [column.name for column in TAGGED[table].c if column.name not in ("created_at", "updated_at")]
    row = dict(zip(names, values, strict=True))
    named = {key: row[key] for key in keys}
    if table == "strongroom_wallet":
        found = registered(values)
        assert found is not None  # noqa: S101 - its tag is NOT NULL
        return TaggedRow("wallet", named, found.record, found.tag)
    return TaggedRow(_KINDS[table], named, _READERS[table](row), tag_of(text_of(row["kid"]), text_of(row["tag"])))
