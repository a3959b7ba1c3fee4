"""The register: a record of each wallet, with its tag.

What makes each write safe under two concurrent callers: a record is inserted only where there is none, so that a
concurrent change wins; one that is accepted by a person takes the place of what is there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from strongroom.errors import StoreRefusedError, TriggerConflictError
from strongroom.records.register import KeyHolder, Registered, SlotRecord, TaggedSlot
from strongroom.records.spellings import spellings
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.tag import Tag
from strongroom.records.usage_log import Event
from strongroom.records.vault_texts import SEALED_PATTERN, SEALED_PREFIX
from strongroom.store.connection.session import Session
from strongroom.store.context import StoreContext
from strongroom.store.inspection.inspection_rows import texts_in
from strongroom.store.statements import rows
from strongroom.store.statements.register_rows import (
    NO_UUID,
    project_of,
    record_parameters,
    registered,
    tagged_slot,
    uuid_of,
)
from strongroom.store.statements.wallet_row import FIRST_WALLET, behind, names_project, stored_wallet

_PAGE = 500
_PAGE_OF_TEXTS = 64
"""Texts that are read at once of which each may be as long as a quarter of a million characters."""


class SqlRegisterStore:
    """Reads and writes the records of the register, with their tags."""

    def __init__(self, context: StoreContext) -> None:
        self.context = context

    def find_record(self, wallet_id: UUID, part_of: UUID | None = None) -> Registered | None:
        """The whole record of a wallet, or None."""
        part, sql = self.context.part(part_of), self.context.sql
        statement = sql.register.find_record if part is None else sql.lifecycle.find_record_in_project
        found = self.context.read(statement, {"id": wallet_id, "project_id": part})
        return registered(rows.readable(found[0])) if found else None

    def shared_keys(self, public_key: str | None = None) -> dict[str, bool]:
        """Public keys that the register has under several wallets, and whether of several projects."""
        sql = self.context.sql.register.shared_keys if public_key is None else self.context.sql.register.shared_key
        return {str(key): int(projects) > 1 for key, projects in self.context.read(sql, {"public_key": public_key})}

    def is_of_another_project(self, project_id: UUID, public_keys: Sequence[str], addresses: Sequence[str]) -> bool:
        """Whether a record or a row has one of the keys or addresses for another project than this, however spelled."""
        named, sql = self._spelled(project_id, public_keys, addresses), self.context.sql
        asked = (sql.register.key_of_another_project, sql.register.row_of_another_project)
        return any(self.context.read(each, named)[0][0] for each in asked)

    def wallets_of_project(
        self, project_id: UUID, public_keys: Sequence[str], addresses: Sequence[str], limit: int
    ) -> list[UUID]:
        """Wallets whose rows say a project and have one of the keys or addresses, however spelled; so many at most."""
        named = {**self._spelled(project_id, public_keys, addresses), "limit": limit}
        return [uuid_of(row[0]) for row in self.context.read(self.context.sql.register.rows_of_project, named)]

    def _spelled(self, project_id: UUID, public_keys: Sequence[str], addresses: Sequence[str]) -> dict[str, Any]:
        forms = sorted({form for each in (*public_keys, *addresses) for form in spellings(each)})
        return {
            "spellings": forms if self.context.sql.writes_in_one else json.dumps(forms),
            "spaces": " \t\r\n\v\f\u00a0\u200b\ufeff",
            "project_id": project_id,
        }

    def records_of(self, wallet_ids: Collection[UUID]) -> list[Registered]:
        """The whole records of some wallets, tags unchecked."""
        if not wallet_ids:
            return []
        found = self.context.read(self.context.sql.pages.records_of_wallets, {"ids": self._ids(wallet_ids)})
        records = (registered(rows.readable(row)) for row in found)
        return [record for record in records if record is not None]

    def stream_key_holders(self) -> Iterator[list[KeyHolder]]:
        """Pages of the keys and addresses that rows state, of sealed texts, then of what records state, with any tag.

        Raises StoreRefusedError where the database goes back to a page that was read.
        """
        yield from self._key_holders(self.context.sql.pages.keys_of_rows, recorded=False)
        if self.context.foreign:  # in tables of ours a wallet has one vault record
            yield from self._sealed_texts()
        yield from self._key_holders(self.context.sql.pages.keys_of_records, recorded=True)

    def _key_holders(self, sql: str, *, recorded: bool) -> Iterator[list[KeyHolder]]:
        for page in self._pages(sql, place=(0, 1)):
            yield [_key_holder(rows.readable(row), recorded=recorded) for row in page]

    def _sealed_texts(self) -> Iterator[list[KeyHolder]]:
        """Pages of the sealed texts of vault records, in the order of the records' ids."""
        sql = self.context.sql.pages.sealed_texts
        uuids = self.context.sql.writes_in_one and self.context.repair_sql.reading.record_ids_are_uuids
        after: Any = NO_UUID if uuids else ""
        read = set[str]()
        while found := self.context.read(sql, {"after": after, "limit": _PAGE, "sealed_pattern": SEALED_PATTERN}):
            yield [KeyHolder(uuid_of(wallet_id), NO_UUID, "", "", text, False) for wallet_id, _, text in found]
            after = found[-1][1]
            if len(found) < _PAGE:
                return
            if str(after) in read:
                raise StoreRefusedError("The database returned vault records out of order.")
            read.add(str(after))

    def stream_texts_with_sealed(self) -> Iterator[list[tuple[str, tuple[str, ...]]]]:
        """Pages of the texts in vault records, the history and metadata that have a sealed one, or are long enough for
        one that is wrapped in something, with the texts that are read of them.

        Raises StoreRefusedError as ``stream_key_holders``.
        """
        pages = self.context.sql.pages
        statements = {
            "record": pages.records_with_sealed,
            "entry": pages.entries_with_sealed,
            "metadata": pages.metadata_with_sealed,
        }
        for table, sql in statements.items():
            place, read = pages.first_place(table), set[tuple[str, str]]()
            named = {"beginning": SEALED_PREFIX, "limit": _PAGE_OF_TEXTS + 1}
            while found := self.context.read(sql, {**place, **named}):
                is_last = len(found) <= _PAGE_OF_TEXTS
                if read and (found[0][0], found[0][1]) == (place["after"], place["after_project_id"]):
                    del found[0]  # which was on the page before
                texts = [str(text or "") for _, _, text in map(rows.readable, found)]
                yield [(text, texts_in(text) if table == "metadata" else (text,)) for text in texts]
                if is_last:
                    break
                place = {"after": found[-1][0], "after_project_id": found[-1][1]}
                last = (str(found[-1][0]), str(found[-1][1]))
                if last in read:
                    raise StoreRefusedError("The database returned texts out of order.")
                read.add(last)

    def stream_with_paths(self) -> Iterator[list[Registered]]:
        """Pages of the records that say a path, tags unchecked. Raises StoreRefusedError as ``stream_key_holders``."""
        for page in self._pages(self.context.sql.pages.records_with_paths, place=(1, 0)):
            yield [each for row in page if (each := registered(rows.readable(row))) is not None]

    def _pages(self, sql: str, place: tuple[int, int]) -> Iterator[list[Any]]:
        """Pages of all wallets; ``place``: which columns are a wallet's id and its project's."""
        wallet, project = place
        named: dict[str, Any] = FIRST_WALLET
        read: set[tuple[str, str]] = set()
        while True:
            found = self.context.read(sql, {**named, "limit": _PAGE, "sealed_pattern": SEALED_PATTERN})
            if found:
                yield found
            if len(found) < _PAGE:
                return
            named = {"after": found[-1][wallet], "after_project_id": found[-1][project]}
            last = (str(named["after"]), str(named["after_project_id"]))
            if last in read:
                raise StoreRefusedError("The database returned wallets out of order.")
            read.add(last)

    def retired_of_project(self, project_id: UUID, public_key: str, limit: int) -> list[Registered]:
        """The records of a project's wallets that have a public key and are not live, tags unchecked; the first."""
        named = {"project_id": project_id, "public_key": public_key, "limit": limit}
        found = self.context.read(self.context.sql.register.retired_of_project, named)
        records = (registered(rows.readable(row)) for row in found)
        return [record for record in records if record is not None]

    def wallets_of_other_projects(self, project_id: UUID, public_key: str) -> list[UUID]:
        """The ids of wallets of other projects that have a public key, by the register; 16 at most."""
        named = {"public_key": public_key, "project_id": project_id}
        return [
            uuid_of(row[0]) for row in self.context.read(self.context.sql.register.wallets_of_other_projects, named)
        ]

    def slots_of(self, wallet_ids: Collection[UUID], limit: int) -> list[TaggedSlot]:
        """Slots of any project that name one of these wallets, tags unchecked; so many of each wallet at most."""
        if not wallet_ids:
            return []
        named = {"ids": self._ids(wallet_ids), "limit": limit}
        found = self.context.read(self.context.sql.slots.of_wallets, named)
        return [tagged_slot(row) for row in map(rows.readable, found)]

    def _ids(self, wallet_ids: Collection[UUID]) -> Any:
        return list(wallet_ids) if self.context.sql.writes_in_one else json.dumps([str(each) for each in wallet_ids])

    def count_unregistered(self) -> int:
        """How many credentials the register does not have."""
        return int(self.context.read(self.context.sql.register.count_unregistered, {})[0][0])

    def stream_unregistered(self) -> Iterator[list[StoredWallet]]:
        """Pages of wallets that the register does not have, in the order of ids."""
        place: dict[str, Any] = FIRST_WALLET
        while True:
            found = self.context.read(self.context.sql.register.unregistered, {**place, "limit": _PAGE})
            if found:
                yield [stored_wallet(row) for row in found if not self.context.foreign or names_project(row)]
            if len(found) < _PAGE:
                return
            place = behind(found[-1])

    def stream_without_rows(self) -> Iterator[list[Registered]]:
        """Pages of records whose wallets have no credential, tags unchecked, in the order of ids.

        Raises StoreRefusedError as ``stream_key_holders``.
        """
        for page in self._pages(self.context.sql.pages.records_without_rows, place=(1, 0)):
            yield [each for row in page if (each := registered(rows.readable(row))) is not None]

    def register(self, records: Sequence[Registered]) -> int:
        """Insert records of wallets that the register does not have; how many were written."""

        def unit(session: Session) -> int:
            return sum(self._insert(session, record_parameters(each)) for each in records)

        return self.context.transact(unit)

    def _insert(self, session: Session, record: dict[str, Any]) -> bool:
        """Insert a record; False where one is there. Raises TriggerConflictError where none is, all the same."""
        if session.change(self.context.sql.register.insert_record, record):
            return True
        sql = self.context.sql
        if session.fetch(
            sql.lifecycle.find_record_in_project if sql.wallets.sharded else sql.register.find_record, record
        ):
            return False
        raise TriggerConflictError("A trigger or rule kept a row of the register out; nothing was written.")

    def accept(
        self, registered: Registered, slot: SlotRecord | None, slot_tag: Tag | None, event: Event, now: datetime
    ) -> None:
        """Write a wallet's record over what is there, and its slot, in one transaction."""
        record = record_parameters(registered)

        def unit(session: Session) -> None:
            session.change(self.context.sql.register.delete_record, record)
            session.write(self.context.sql.register.insert_record, record)
            if slot is not None and slot_tag is not None:
                taken = {**slot._asdict(), "id": slot.credential_id}
                session.change(self.context.sql.register.delete_slot, taken)
                session.write(
                    self.context.sql.slots.name_slot, {**taken, "tag_kid": slot_tag.kid, "slot_tag": slot_tag.value}
                )
            session.write(self.context.sql.keyring.insert_event, rows.event_parameters(event, now))

        self.context.transact(unit)


def _key_holder(row: Sequence[Any], *, recorded: bool) -> KeyHolder:
    wallet_id, project_id, public_key, address, sealed_text = row
    stated = (str(public_key or ""), str(address or ""))
    return KeyHolder(uuid_of(wallet_id), project_of(project_id), *stated, sealed_text, recorded)
