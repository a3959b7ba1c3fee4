"""Phrases of projects, and wallets that take the next index of one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from strongroom.errors import StoreRefusedError, TriggerConflictError
from strongroom.ports.phrase_store import AccountStep, BatchSlot, DerivedWallets, PhraseBatch
from strongroom.records.phrases import AccountChange, AccountRecord, PhraseRecord, StoredPhrase, TaggedAccount
from strongroom.records.register import IdempotencyRecord
from strongroom.records.stored_wallets import NewWallet
from strongroom.records.tag import Tag
from strongroom.records.usage_log import Event
from strongroom.store.account_writes import change_account, lock_account, lock_current, met_in_path, refuse_held
from strongroom.store.adoption import adopt_candidate
from strongroom.store.connection.session import Session
from strongroom.store.context import LostRaceError
from strongroom.store.free_indices import CheckTaken, PathOf, free_indices
from strongroom.store.phrase_pages import rows_of_phrase
from strongroom.store.phrase_texts import SqlPhraseTexts
from strongroom.store.statements import rows
from strongroom.store.statements.phrase_rows import stored_phrase, tagged_account
from strongroom.store.statements.tables import ACCOUNT_ROW
from strongroom.store.statements.wallet_parameters import batch_parameters, idempotency_parameters, wallet_parameters
from strongroom.store.wallet_writes import find_candidates, insert_halves, refuse_values, take_slot

_FIRST_ID = UUID(int=0)


class SqlPhraseStore(SqlPhraseTexts):
    """Phrases of projects; see ports.phrase_store.PhraseStore."""

    def find(self, project_id: UUID, label: str) -> StoredPhrase | None:
        return self._one(self.context.sql.phrases.find_phrase, {"project_id": project_id, "label": label})

    def get(self, project_id: UUID, phrase_id: UUID) -> StoredPhrase | None:
        return self._one(self.context.sql.phrases.get_phrase, {"project_id": project_id, "phrase_id": phrase_id})

    def identified(self, project_id: UUID, identifier: str) -> StoredPhrase | None:
        parameters = {"project_id": project_id, "identifier": identifier}
        return self._one(self.context.sql.phrases.identified_phrase, parameters)

    def page(self, project_id: UUID, after: UUID | None, limit: int) -> list[StoredPhrase]:
        parameters = {"project_id": project_id, "after": after or _FIRST_ID, "limit": limit}
        return [stored_phrase(row) for row in self.context.read(self.context.sql.phrases.page_of_phrases, parameters)]

    def _one(self, sql: str, parameters: Mapping[str, Any]) -> StoredPhrase | None:
        found = self.context.read(sql, parameters)
        return stored_phrase(found[0]) if found else None

    def insert(
        self, new: StoredPhrase, key: tuple[IdempotencyRecord, Tag] | None, event: Event, kid: str, now: datetime
    ) -> bool:
        """The idempotency key first, as every writer takes it; then the phrase, which two unique indexes arbitrate."""

        def unit(session: Session) -> None:
            self._take_key(session, key, now)
            self._insert(session, new, event, kid, now)

        return self._unless_lost(unit)

    def replace(
        self,
        old: StoredPhrase,
        retired: tuple[PhraseRecord, Tag],
        new: StoredPhrase,
        key: tuple[IdempotencyRecord, Tag] | None,
        event: Event,
        now: datetime,
    ) -> bool:
        """The idempotency key first; then the old row: its lock lets one of two callers retire it."""

        def unit(session: Session) -> None:
            self._take_key(session, key, now)
            if not self._change(session, old, retired):
                raise LostRaceError
            self._insert(session, new, event, new.tag.kid, now)

        return self._unless_lost(unit)

    def change(
        self, old: StoredPhrase, new: tuple[PhraseRecord, Tag], event: Event | None = None, now: datetime | None = None
    ) -> bool:
        def unit(session: Session) -> bool:
            if not self._change(session, old, new):
                return False
            if event is not None and now is not None:
                session.write(self.context.sql.keyring.insert_event, rows.event_parameters(event, now))
            return True

        return self.context.transact(unit)

    def move(self, old: StoredPhrase, new: tuple[PhraseRecord, Tag], event: Event, now: datetime) -> bool:
        record = new[0]
        parameters = {
            **_phrase_parameters(*new),
            "new_project_id": record.project_id,
            "new_phrase_id": record.phrase_id,
            "project_id": old.record.project_id,
            "phrase_id": old.record.phrase_id,
            "old_version": old.record.version,
            "old_tag": old.tag.value,
            "old_text": old.sealed_text,
        }
        as_read = self.context.sql.unwritten.as_read["strongroom_phrase"]
        made = StoredPhrase(*new, old.sealed_text, old.created_at or now)

        def unit(session: Session) -> None:
            if self.context.profile.sharded and record.project_id != old.record.project_id:
                if not session.change(self.context.sql.phrases.delete_phrase, parameters):
                    raise LostRaceError
                self._insert(session, made, event, made.tag.kid, now)
                return
            if not session.change_as_read(self.context.sql.phrases.move_phrase, parameters, as_read):
                raise LostRaceError
            session.write(self.context.sql.keyring.insert_event, rows.event_parameters(event, now))

        return self._unless_lost(unit)

    def labelled(self, project_id: UUID, label: str) -> list[StoredPhrase]:
        parameters = {"project_id": project_id, "label": label}
        return [stored_phrase(row) for row in self.context.read(self.context.sql.phrases.find_phrase, parameters)]

    def _change(self, session: Session, old: StoredPhrase, new: tuple[PhraseRecord, Tag]) -> bool:
        parameters = {**_phrase_parameters(*new), "old_version": old.record.version, "old_tag": old.tag.value}
        as_read = self.context.sql.unwritten.as_read["strongroom_phrase"]
        return session.change_as_read(self.context.sql.phrases.change_phrase, parameters, as_read)

    def _insert(self, session: Session, new: StoredPhrase, event: Event, kid: str, now: datetime) -> None:
        if not session.fetch(self.context.sql.keyring.find_sealing_key, {"kid": kid}):
            raise LostRaceError
        parameters = {**_phrase_parameters(new.record, new.tag), "sealed_text": new.sealed_text, "now": new.created_at}
        if not session.change(self.context.sql.phrases.insert_phrase, parameters):
            raise LostRaceError
        session.write(self.context.sql.keyring.insert_event, rows.event_parameters(event, now))

    def _take_key(self, session: Session, key: tuple[IdempotencyRecord, Tag] | None, now: datetime) -> None:
        if key is None:
            return
        if not session.change(self.context.sql.wallets.take_idempotency, idempotency_parameters(*key, now)):
            raise LostRaceError

    def account(self, record: AccountRecord) -> TaggedAccount | None:
        found = self.context.read(self.context.sql.phrases.account, record._asdict())
        return tagged_account(found[0]) if found else None

    def accounts(self, project_id: UUID, phrase_id: UUID) -> Iterator[TaggedAccount]:
        sql, phrase = self.context.sql.phrases.accounts_of_phrase, (project_id, phrase_id)
        return map(tagged_account, rows_of_phrase(self.context, sql, tuple(ACCOUNT_ROW), phrase))

    def advance(self, first: TaggedAccount, kid: str, step: AccountStep, now: datetime) -> bool:
        def unit(session: Session) -> None:
            if not session.fetch(self.context.sql.keyring.find_sealing_key, {"kid": kid}):
                raise LostRaceError
            account = lock_account(self.context, session, first)
            stepped = self.context.database.run_key_work(lambda: step(account))
            if stepped is None:
                return
            after, event = stepped
            if not change_account(self.context, session, AccountChange(account, after)):
                raise LostRaceError
            session.write(self.context.sql.keyring.insert_event, rows.event_parameters(event, now))

        return self._unless_lost(unit)

    def count_anew(self, change: AccountChange, event: Event, now: datetime) -> bool:
        def unit(session: Session) -> None:
            if not change_account(self.context, session, change):
                raise LostRaceError
            session.write(self.context.sql.keyring.insert_event, rows.event_parameters(event, now))

        return self._unless_lost(unit)

    def labels_there(self, project_id: UUID, network: str, labels: Sequence[str]) -> frozenset[str]:
        asked: Any = list(labels) if self.context.sql.writes_in_one else json.dumps(list(labels))
        parameters = {"project_id": project_id, "network": network, "labels": asked}
        return frozenset(str(label) for (label,) in self.context.read(self.context.sql.phrases.slots_there, parameters))

    def derive(self, batch: PhraseBatch) -> frozenset[str]:
        """Locks in a fixed order: idempotency key, account, slots by their labels.

        A key is for one wallet: where its slot is not taken, the key is not either, but for a wallet that is adopted.
        """

        def unit(session: Session) -> frozenset[str]:
            self._take_key(session, batch.key, batch.now)
            account = lock_current(self.context, session, batch.first, batch.check_phrase)
            taken = self._take_slots(session, batch)
            if not taken:
                return frozenset()
            indices = free_indices(self.context, session.fetch, account, batch.path, len(taken), batch.check_taken)
            made = self.context.database.run_key_work(lambda: batch.make(account, indices, taken))
            refuse_held(self.context, session, account, made.wallets, batch.check_held)
            self._insert_wallets(session, made)
            if not change_account(self.context, session, AccountChange(account, made.account)):
                raise LostRaceError
            return frozenset(place.label for place in taken)

        try:
            return self.context.transact(unit) if batch.places else frozenset()
        except LostRaceError:
            return frozenset()
        except StoreRefusedError as error:
            if not met_in_path(error):
                raise
            return frozenset()

    def free_indices(self, account: TaggedAccount, path: PathOf, count: int, check_taken: CheckTaken) -> list[int]:
        return free_indices(self.context, self.context.read, account, path, count, check_taken)

    def _take_slots(self, session: Session, batch: PhraseBatch) -> list[BatchSlot]:
        """The places whose slots were free, in their order."""
        record = batch.first.record
        common = {"project_id": record.project_id, "network": record.network, "kid": batch.kid}
        if self.context.foreign_schema is None and self.context.sql.writes_in_one:
            if not session.fetch(self.context.sql.keyring.find_sealing_key, common):
                raise LostRaceError
            places = batch.places
            arrays = {
                "ids": [place.wallet_id for place in places],
                "labels": [place.label for place in places],
                "slot_tags": [place.slot_tag.value for place in places],
                "tag_kid": batch.kid,
            }
            phrases = self.context.sql.phrases
            sql = phrases.take_slots if self.context.writes_in_one else phrases.take_slots_of_account
            taken = {label for (label,) in session.fetch(sql, {**record._asdict(), **common, **arrays})}
            if batch.key is not None and not taken:
                raise LostRaceError
            return [place for place in places if place.label in taken]
        in_order = sorted(batch.places, key=lambda place: place.label)  # as others take them: no deadlocks
        taken = {place.label for place in in_order if self._take_slot(session, batch, place, common)}
        return [place for place in batch.places if place.label in taken]

    def _take_slot(self, session: Session, batch: PhraseBatch, place: BatchSlot, common: Mapping[str, Any]) -> bool:
        """Whether a wallet is to be derived for a slot: it was free, and the legacy application has none there."""
        parameters = {
            **common,
            "label": place.label,
            "id": place.wallet_id,
            "version": 1,
            "tag_kid": place.slot_tag.kid,
            "slot_tag": place.slot_tag.value,
            "now": batch.now,
        }
        if not take_slot(self.context, session, parameters):
            if batch.key is not None:
                raise LostRaceError
            return False
        if self.context.foreign_schema is None:
            return True
        candidates = find_candidates(self.context, session, parameters, batch.belongs(place.label))
        if candidates:
            keyed = {} if batch.key is None else {"idempotency_key": batch.key[0].key}
            adopt = batch.adopt(place.label)
            adopt_candidate(self.context, session, {**parameters, **keyed}, candidates, adopt, keyed=bool(keyed))
        return not candidates

    def _insert_wallets(self, session: Session, made: DerivedWallets) -> None:
        wallets = made.wallets
        if self.context.foreign_schema is None and self.context.sql.writes_in_one:
            parameters = batch_parameters(wallets)
            if self.context.writes_in_one:
                counts = list(session.fetch(self.context.sql.phrases.insert_batch, parameters)[0])
            else:
                parameters = {**made.account.record._asdict(), **parameters}
                statements = self.context.sql.phrases.insert_of_account.values()
                counts = [session.change(statement, parameters) for statement in statements]
            if counts != [len(wallets)] * 4:
                raise TriggerConflictError("A trigger or rule kept a part of a wallet out; nothing was written.")
            return
        if self.context.foreign_schema is None:
            self._insert_rows(session, wallets)
            return
        for new in wallets:
            parameters = wallet_parameters(new)
            refuse_values(self.context, session, parameters)
            insert_halves(self.context, session, new, parameters)

    def _insert_rows(self, session: Session, wallets: Sequence[NewWallet]) -> None:
        """The halves, record and log of each, table by table."""
        sql, each = self.context.sql, [wallet_parameters(new) for new in wallets]
        halves = (sql.wallets.insert_credential, sql.wallets.insert_vault_record)
        session.write_many((*halves, sql.register.insert_record, sql.log.insert_log), each)

    def _unless_lost(self, unit: Any) -> bool:
        try:
            self.context.transact(unit)
        except LostRaceError:
            return False
        return True


def _phrase_parameters(record: PhraseRecord, tag: Tag) -> dict[str, Any]:
    return {**record._asdict(), "tag_kid": tag.kid, "phrase_tag": tag.value}
