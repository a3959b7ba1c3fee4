"""The store on SQLite and PostgreSQL: the verbs of ``ports.Store`` over the statements.

What makes each write safe under concurrent callers:

- A wallet: the primary key of ``strongroom_slot`` (and of ``strongroom_idempotency``, always taken first). Of many
  transactions one inserts the row; the others wait for its outcome, insert nothing, and read again.
- The keyring: the single row of ``strongroom_keyring_head``.
- A log row: nothing to arbitrate; it is an insert under an id of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from strongroom.errors import (
    AmbiguousWalletError,
    KeyMissingError,
    StoreRefusedError,
    TriggerConflictError,
)
from strongroom.model import (
    PLACEHOLDERS,
    SEALED_PREFIX,
    IdempotentRecord,
    LogEntry,
    NewWallet,
    StoredWallet,
    StoreStatus,
)
from strongroom.register import IdempotencyRecord, SlotRecord, TaggedSlot
from strongroom.store import schema
from strongroom.store.catalog.foreign_schema import CREDENTIALS, VAULT
from strongroom.store.catalog.standbys import read_standbys
from strongroom.store.connection.session import Session
from strongroom.store.connection.transport import transport_remark
from strongroom.store.connection.urls import shown_url
from strongroom.store.erase_store import EraseStore
from strongroom.store.ground import LostRaceError, retry_after_schema_change
from strongroom.store.keyring_store import KeyringStore
from strongroom.store.lifecycle_store import LifecycleStore, key_missing
from strongroom.store.log_store import LogStore
from strongroom.store.owner_store import OwnerStore
from strongroom.store.page_store import PageStore
from strongroom.store.rescue_store import RescueStore
from strongroom.store.signing_store import SigningStore
from strongroom.store.statements import rows
from strongroom.store.statements.register_rows import record_parameters, tag_of, uuid_of, whole_number
from strongroom.store.tag_store import TagStore
from strongroom.store_ports import Adopts, Belongs
from strongroom.tags import Tag

_STREAM_PAGE = 500
_FIRST_ID = UUID(int=0)
_SEALED_PATTERN = SEALED_PREFIX + "%"


class SqlStore(KeyringStore, LifecycleStore, SigningStore, TagStore, LogStore, PageStore, EraseStore, OwnerStore):
    """Wallets, keyring and logs in a SQL database whose profile was found usable."""

    # --- wallets --------------------------------------------------------------------------------------------

    @retry_after_schema_change
    def find_live(self, project_id: UUID, network: str, label: str) -> StoredWallet | None:
        """The wallet that the slot names: one SELECT by the slot's primary key."""
        found = self._database.read(self._sql.find_live, {"project_id": project_id, "network": network, "label": label})
        if not found:
            return None
        slot_credential, version, kid, tag, *wallet = found[0]
        if wallet[0] is None:
            raise KeyMissingError(
                f"The slot names the credential {slot_credential}, which is not there.",
                hint="`strongroom doctor` names the command that gets its key out, where a text of it is kept.",
            )
        record = SlotRecord(project_id, network, label, uuid_of(slot_credential), whole_number(version))
        slot = TaggedSlot(record, tag_of(kid, tag))
        return rows.stored_wallet(wallet, durable=self._database.durable, slot=slot)

    @retry_after_schema_change
    def find_idempotent(self, project_id: UUID, key: str) -> IdempotentRecord | None:
        """What an idempotency key was used for: one SELECT by its primary key."""
        found = self._database.read(self._sql.find_idempotent, {"project_id": project_id, "idempotency_key": key})
        if not found:
            return None
        request, credential_id, kid, tag, *wallet = found[0]
        stored = None if wallet[0] is None else rows.stored_wallet(wallet, durable=self._database.durable)
        return IdempotentRecord(str(request), stored, uuid_of(credential_id), tag_of(kid, tag))

    @retry_after_schema_change
    def insert_wallet(self, new: NewWallet, belongs: Belongs, adopt: Adopts) -> bool:
        """Write a whole wallet or nothing.

        PostgreSQL: one statement; with an idempotency key it stands in a transaction, because a key that was
        taken without its slot must be undone. SQLite: inserts in one IMMEDIATE transaction. In tables of other
        code: see ``_insert_beside``.
        """
        parameters = rows.wallet_parameters(new)
        if self._foreign is None and self._sql.writes_in_one and new.idempotency_key is None:
            taken = self._database.write_statement(self._sql.insert_wallet, parameters)
            return self._is_whole(taken[0])
        insert = self._insert if self._foreign is None else partial(self._insert_beside, belongs, adopt)
        work = partial(self._database.transact, lambda session: insert(session, new, parameters))
        try:
            return work() if self._foreign is None else self._again_where_taken(work)
        except LostRaceError:
            return False
        except TriggerConflictError as error:
            raise self._named(error) from error

    @staticmethod
    def _again_where_taken(work: Callable[[], bool]) -> bool:
        """Once more where other code committed a live row meanwhile that a unique index allows no second one of."""
        try:
            return work()
        except StoreRefusedError as error:
            if error.taken == VAULT:  # our ids are new: nobody else can have taken them
                raise TriggerConflictError("A trigger wrote the vault record first; nothing was written.") from error
            if error.taken != CREDENTIALS:
                raise
        return work()  # it is a candidate by now

    def _insert(self, session: Session, new: NewWallet, parameters: dict[str, Any]) -> bool:
        if self._sql.writes_in_one:
            if not self._is_whole(session.fetch(self._sql.insert_wallet_with_key, parameters)[0]):
                raise LostRaceError
            return True
        self._take(session, new, parameters)
        self._insert_halves(session, new, parameters)
        return True

    def _take(self, session: Session, new: NewWallet, parameters: dict[str, Any]) -> None:
        """Take key and slot, in this order, or raise LostRaceError."""
        if new.idempotency_key is not None and not session.change(self._sql.take_idempotency, parameters):
            raise LostRaceError
        if not session.change(self._sql.take_slot, parameters):
            raise LostRaceError

    def _insert_beside(
        self, belongs: Belongs, adopt: Adopts, session: Session, new: NewWallet, parameters: dict[str, Any]
    ) -> bool:
        """Write a wallet into tables that other code writes, too; True: written, False: one was adopted.

        Under the slot's row lock, so that only one of our callers looks and writes. What a CHECK or a length would
        refuse is refused before it is written, and what was written is read back before the commit: a trigger may
        have changed it.
        """
        self._take(session, new, parameters)
        candidates = self._candidates(session, parameters, belongs)
        if candidates:
            self._adopt(session, new, parameters, candidates, adopt)
            return False
        self._refuse_values(session, parameters)
        self._insert_halves(session, new, parameters)
        return True

    def _adopt(
        self,
        session: Session,
        new: NewWallet,
        parameters: dict[str, Any],
        candidates: list[StoredWallet],
        adopt: Adopts,
    ) -> None:
        """Let the slot name the one wallet that was there, if ``adopt`` finds that nothing speaks against it."""
        if len(candidates) > 1:
            ids = ", ".join(str(stored.wallet.id) for stored in candidates)
            raise AmbiguousWalletError(
                f"The project has several live wallets on {new.wallet.network}: {ids}.",
                hint="Retire all but one of them; nothing was written.",
            )
        (only,) = candidates
        if only.sealed_text is None or only.sealed_text in PLACEHOLDERS:
            kept = session.fetch(self._sql.count_history, {"id": only.wallet.id})[0][0]
            raise key_missing(only, kept, new.created_at)
        adoption = adopt(only)
        adopted = {**parameters, "candidate": only.wallet.id, "slot_tag": adoption.slot_tag.value}
        session.write(self._sql.adopt_slot, {**adopted, "tag_kid": adoption.slot_tag.kid})
        if new.idempotency_key is not None and adoption.idempotency_tag is not None:
            tag = adoption.idempotency_tag
            session.write(self._sql.adopt_idempotency, {**adopted, "key_tag": tag.value, "tag_kid": tag.kid})
        if adoption.registered is not None and not session.change(
            self._sql.insert_record, record_parameters(adoption.registered)
        ):
            raise LostRaceError  # another writer registered it meanwhile

    @staticmethod
    def _is_whole(taken: tuple[Any, ...]) -> bool:
        keys, slots, vault_records, _ = taken
        if not all(type(each) is int for each in taken[:3]):  # '0' would count as something
            raise StoreRefusedError("The database driver returned no numbers where rows were counted.")
        if slots and not vault_records:
            raise StoreRefusedError("The database took the credential and not its vault record.")
        return bool(keys and vault_records)

    def bind_idempotency(self, record: IdempotencyRecord, tag: Tag, now: datetime) -> None:
        """Remember that a key's request is answered by an existing wallet; the key's primary key arbitrates."""
        parameters = {
            "project_id": record.project_id,
            "idempotency_key": record.key,
            "request": record.request,
            "id": record.credential_id,
            "now": now,
            "tag_kid": tag.kid,
            "key_tag": tag.value,
        }
        self._database.transact(lambda session: session.change(self._sql.take_idempotency, parameters))

    @retry_after_schema_change
    def get(self, wallet_id: UUID, project_id: UUID | None = None) -> StoredWallet | None:
        """One wallet by its id."""
        sql = self._sql.get if project_id is None else self._sql.get_in_project
        found = self._database.read(sql, {"id": wallet_id, "project_id": project_id})
        return rows.stored_wallet(found[0], durable=self._database.durable) if found else None

    @retry_after_schema_change
    def find_by_address(self, addresses: Sequence[str], project_id: UUID | None = None) -> list[StoredWallet]:
        """Wallets with one of these canonical addresses."""
        sql = self._sql.find_by_address if project_id is None else self._sql.find_by_address_in_project
        return [
            rows.stored_wallet(row, durable=self._database.durable)
            for address in addresses
            for row in self._database.read(sql, {"address": address, "project_id": project_id})
        ]

    def count(self, project_id: UUID | None = None) -> int:
        """How many credentials there are."""
        sql = self._sql.count if project_id is None else self._sql.count_of_project
        return int(self._database.read(sql, {"project_id": project_id})[0][0])

    def stream(self, project_id: UUID | None = None) -> Iterator[StoredWallet]:
        """Every wallet in the order of ids; each page is a transaction of its own."""
        sql = self._sql.page if project_id is None else self._sql.page_of_project
        after = _FIRST_ID
        while True:
            found = self._database.read(sql, {"project_id": project_id, "after": after, "limit": _STREAM_PAGE})
            for row in found:
                yield rows.stored_wallet(row)
            if len(found) < _STREAM_PAGE:
                return
            after = found[-1][0]  # as it stands: SQLite takes any text for an id

    @retry_after_schema_change
    def write_log(self, stored: StoredWallet, entry: LogEntry, now: datetime) -> None:
        """Commit one usage-log row."""
        parameters = {
            "project_id": stored.wallet.project_id,
            "id": stored.wallet.id,
            **rows.log_parameters(entry, now),
        }
        self._database.transact(lambda session: session.write(self._sql.insert_log, parameters))

    @property
    def rescue(self) -> RescueStore:
        """What gets kept keys out."""
        return RescueStore(self._database, self._profile)

    # --- the database ---------------------------------------------------------------------------------------

    def status(self) -> StoreStatus:
        """Facts about the database."""
        remarks = (
            transport_remark(self._database.engine),
            self._database.pooling.remark,
            read_standbys(self._database).remark,
        )
        return StoreStatus(
            database=shown_url(self._database.engine.url),
            engine=self._profile.engine,
            schema_version=self._profile.version or schema.HEAD,
            generation=self._profile.generation,
            wallets={str(status): int(n) for status, n in self._database.read(self._sql.count_by_status, {})},
            custody={
                str(custody): int(n)
                for custody, n in self._database.read(self._sql.count_by_custody, {"sealed_pattern": _SEALED_PATTERN})
            },
            durability=self._profile.durability,
            warnings=(*self._profile.warnings(), *(remark for remark in remarks if remark)),
        )

    def close(self) -> None:
        """Close the pool."""
        self._database.close()
