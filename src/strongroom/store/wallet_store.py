"""Finding and making wallets.

What makes each write safe under concurrent callers: the primary key of ``strongroom_slot`` (and of
``strongroom_idempotency``, always taken first) arbitrates. Of many transactions one inserts the row; the others wait
for its outcome, insert nothing, and read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from strongroom.errors import (
    InvalidProjectError,
    KeyMissingError,
    StoreRefusedError,
    TriggerConflictError,
)
from strongroom.ports.wallet_stores import Adopts, WalletMatcher
from strongroom.records.history import HistoryEntry
from strongroom.records.register import IdempotencyRecord, SlotRecord, TaggedSlot
from strongroom.records.stored_wallets import IdempotentRecord, NewWallet, StoredWallet
from strongroom.records.tag import Tag
from strongroom.store.adoption import adopt_candidate
from strongroom.store.catalog.foreign_schema import CREDENTIALS, VAULT
from strongroom.store.connection.session import Session
from strongroom.store.context import LostRaceError, StoreContext, retry_after_schema_change
from strongroom.store.function_calls import insert_by_function
from strongroom.store.statements import rows
from strongroom.store.statements.register_rows import tag_of, uuid_of, whole_number
from strongroom.store.statements.wallet_parameters import idempotency_parameters, wallet_parameters
from strongroom.store.statements.wallet_row import FIRST_WALLET, behind, names_project, stored_wallet
from strongroom.store.wallet_writes import find_candidates, insert_halves, refuse_values, take_slot

_STREAM_PAGE = 500


class SqlWalletStore:
    """Wallets: found, made, adopted, and the texts that were kept of them."""

    def __init__(self, context: StoreContext) -> None:
        self.context = context

    @retry_after_schema_change
    def find_live(self, project_id: UUID, network: str, label: str) -> StoredWallet | None:
        """The wallet that the slot names: one SELECT by the slot's primary key."""
        sql = self.context.sql
        found = self.context.read(sql.wallets.find_live, {"project_id": project_id, "network": network, "label": label})
        if not found:
            return None
        (slot_credential, version, kid, tag), wallet = found[0][:4], found[0][4:]
        if wallet[0] is None and self.context.foreign_schema is None:
            elsewhere = self.context.read(sql.wallets.get, {"id": slot_credential})  # of another project: changed
            wallet = elsewhere[0] if elsewhere else wallet
        if wallet[0] is None:
            raise KeyMissingError(
                f"The slot names the credential {slot_credential}, which is not there.",
                hint="`strongroom doctor` says whether anything of it is kept, and names the command that gets its key "
                "out; `strongroom docs rows-gone` has every way back.",
            )
        record = SlotRecord(project_id, network, label, uuid_of(slot_credential), whole_number(version))
        slot = TaggedSlot(record, tag_of(kid, tag))
        return self.context.stored(wallet, slot=slot)

    @retry_after_schema_change
    def find_idempotent(self, project_id: UUID, key: str) -> IdempotentRecord | None:
        """What an idempotency key was used for: one SELECT by its primary key."""
        found = self.context.read(
            self.context.sql.wallets.find_idempotent, {"project_id": project_id, "idempotency_key": key}
        )
        if not found:
            return None
        (request, credential_id, kid, tag), wallet = found[0][:4], found[0][4:]
        if wallet[0] is None and self.context.foreign_schema is None:
            elsewhere = self.context.read(self.context.sql.wallets.get, {"id": credential_id})
            wallet = elsewhere[0] if elsewhere else wallet
        stored = None if wallet[0] is None else self.context.stored(wallet)
        return IdempotentRecord(str(request), stored, uuid_of(credential_id), tag_of(kid, tag))

    @retry_after_schema_change
    def insert_wallet(self, new: NewWallet, belongs: WalletMatcher, adopt: Adopts) -> bool:
        """Write a whole wallet or nothing.

        PostgreSQL: one statement; with an idempotency key it is in a transaction, because a key that was
        taken without its slot must be undone. SQLite: inserts in one IMMEDIATE transaction. On legacy
        tables: see ``_insert_legacy``. On Citus: one function, else inserts in one transaction.
        """
        parameters = wallet_parameters(new)
        made = insert_by_function(self.context, new, parameters)
        if made is not None:
            return made
        if self.context.foreign_schema is None and self.context.writes_in_one and new.idempotency_key is None:
            taken = self.context.write_statement(self.context.sql.wallets.insert_wallet, parameters)
            return self._is_whole(taken[0])
        insert = self._insert if self.context.foreign_schema is None else partial(self._insert_legacy, belongs, adopt)
        work = partial(self.context.database.transact, lambda session: insert(session, new, parameters))
        try:
            return work() if self.context.foreign_schema is None else self._again_where_taken(work)
        except LostRaceError:
            return False
        except TriggerConflictError as error:
            raise self.context.named(error) from error

    @staticmethod
    def _again_where_taken(work: Callable[[], bool]) -> bool:
        """Once more where the legacy application committed a live row meanwhile that a unique index allows no second
        one of."""
        try:
            return work()
        except StoreRefusedError as error:
            if error.taken == VAULT:  # our ids are new: nobody else can have taken them
                raise TriggerConflictError("A trigger wrote the vault record first; nothing was written.") from error
            if error.taken != CREDENTIALS:
                raise
        return work()  # it is a candidate by now

    def _insert(self, session: Session, new: NewWallet, parameters: dict[str, Any]) -> bool:
        if self.context.writes_in_one:
            if not self._is_whole(session.fetch(self.context.sql.wallets.insert_wallet_with_key, parameters)[0]):
                raise LostRaceError
            return True
        self._take(session, new, parameters)
        insert_halves(self.context, session, new, parameters)
        return True

    def _take(self, session: Session, new: NewWallet, parameters: dict[str, Any]) -> None:
        """Take key and slot, in this order, or raise LostRaceError."""
        if new.idempotency_key is not None and not session.change(
            self.context.sql.wallets.take_idempotency, parameters
        ):
            raise LostRaceError
        if not take_slot(self.context, session, parameters):
            raise LostRaceError

    def _insert_legacy(
        self, belongs: WalletMatcher, adopt: Adopts, session: Session, new: NewWallet, parameters: dict[str, Any]
    ) -> bool:
        """Write a wallet into tables that the legacy application writes, too; True: written, False: one was adopted.

        Under the slot's row lock, so that only one of our callers looks and writes. What a CHECK or a length would
        refuse is refused before it is written, and what was written is read back before the commit: a trigger may
        have changed it.
        """
        self._take(session, new, parameters)
        candidates = find_candidates(self.context, session, parameters, belongs)
        if candidates:
            keyed = new.idempotency_key is not None
            adopt_candidate(self.context, session, parameters, candidates, adopt, keyed=keyed)
            return False
        refuse_values(self.context, session, parameters)
        insert_halves(self.context, session, new, parameters)
        return True

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
        parameters = idempotency_parameters(record, tag, now)

        def unit(session: Session) -> None:
            if session.change(self.context.sql.wallets.take_idempotency, parameters):
                return
            key = {"project_id": record.project_id, "new_key": record.key}
            if session.fetch(self.context.sql.erase.count_key, key) == [(0,)]:
                raise TriggerConflictError("A trigger or rule kept the idempotency key out; nothing was written.")

        self.context.transact(unit)

    @retry_after_schema_change
    def get(self, wallet_id: UUID, project_id: UUID | None = None) -> StoredWallet | None:
        """One wallet by its id."""
        sql = self.context.sql.wallets.get if project_id is None else self.context.sql.wallets.get_in_project
        found = self.context.read(sql, {"id": wallet_id, "project_id": project_id})
        if found and self.context.foreign and not names_project(found[0]):
            raise InvalidProjectError(
                f"The project id in the row of {wallet_id} is no UUID in lower case; nothing was changed.",
                hint="`strongroom doctor` names the column, and the command that prints the wallet's text.",
            )
        return self.context.stored(found[0]) if found else None

    @retry_after_schema_change
    def find_by_address(self, addresses: Sequence[str], project_id: UUID | None = None) -> list[StoredWallet]:
        """Wallets with one of these canonical addresses."""
        sql = (
            self.context.sql.wallets.find_by_address
            if project_id is None
            else self.context.sql.wallets.find_by_address_in_project
        )
        return [
            self.context.stored(row)
            for address in addresses
            for row in self.context.read(sql, {"address": address, "project_id": project_id})
            if not self.context.foreign or names_project(row)
        ]

    def count(self, project_id: UUID | None = None) -> int:
        """How many credentials there are."""
        sql = self.context.sql.wallets.count if project_id is None else self.context.sql.wallets.count_of_project
        return int(self.context.read(sql, {"project_id": project_id})[0][0])

    def stream(self, project_id: UUID | None = None) -> Iterator[StoredWallet]:
        """Every wallet in the order of ids; each page is a transaction of its own."""
        sql = self.context.sql.wallets.page if project_id is None else self.context.sql.wallets.page_of_project
        place: dict[str, Any] = FIRST_WALLET
        while True:
            found = self.context.read(sql, {"project_id": project_id, **place, "limit": _STREAM_PAGE})
            for row in found:
                yield stored_wallet(row)
            if len(found) < _STREAM_PAGE:
                return
            place = behind(found[-1])

    def history(
        self,
        wallet_id: UUID,
        limit: int,
        skipped: int = 0,
        *,
        newest_first: bool = False,
        project_id: UUID | None = None,
        part_of: UUID | None = None,
    ) -> list[HistoryEntry]:
        """A page of the texts that were kept of a wallet, by the time of each, after ``skipped`` of them."""
        project_id = project_id or self.context.part(part_of)
        name = ("newest_" if newest_first else "") + "history" + ("" if project_id is None else "_in_project")
        parameters = {"id": wallet_id, "limit": limit, "skipped": skipped, "project_id": project_id}
        found = self.context.read(getattr(self.context.sql.lifecycle, name), parameters)
        return [rows.history_entry(row) for row in found]

    def keeps_sealed_otherwise(self, wallet_id: UUID, network: str, label: str) -> bool:
        """Whether a sealed text is kept of a wallet under another network or label; no text is read."""
        names = {"id": wallet_id, "network": network, "label": label}
        return bool(self.context.read(self.context.sql.lifecycle.kept_otherwise, names))
