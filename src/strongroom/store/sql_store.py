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

from sqlalchemy.engine import URL

from strongroom.errors import (
    AmbiguousWalletError,
    KeyMissingError,
    StoreRefusedError,
    TriggerConflictError,
)
from strongroom.model import (
    PLACEHOLDERS,
    IdempotentRecord,
    LogEntry,
    NewWallet,
    StoredWallet,
    StoreStatus,
)
from strongroom.ports import Belongs
from strongroom.store import rows, schema
from strongroom.store.foreign import CREDENTIALS, VAULT
from strongroom.store.ground import LostRaceError, follows_schema
from strongroom.store.keyring_store import KeyringStore
from strongroom.store.lifecycle_store import LifecycleStore, key_missing
from strongroom.store.session import Session
from strongroom.store.signing_store import SigningStore
from strongroom.store.standbys import read_standbys

_STREAM_PAGE = 500
_FIRST_ID = UUID(int=0)
_SEALED_PATTERN = rows.SEALED_PREFIX + "%"


class SqlStore(KeyringStore, LifecycleStore, SigningStore):
    """Wallets, keyring and logs in a SQL database whose profile was found usable."""

    # --- wallets --------------------------------------------------------------------------------------------

    @follows_schema
    def find_live(
        self, project_id: UUID, network: str, label: str, connection: Any | None = None
    ) -> StoredWallet | None:
        """The wallet that the slot names: one SELECT by the slot's primary key."""
        found = self._database.read(
            self._sql.find_live, {"project_id": project_id, "network": network, "label": label}, connection
        )
        if not found:
            return None
        slot_credential, *wallet = found[0]
        if wallet[0] is None:
            raise KeyMissingError(f"The slot names the credential {slot_credential}, which is not there.")
        return rows.stored_wallet(wallet, durable=connection is None)

    @follows_schema
    def find_idempotent(self, project_id: UUID, key: str, connection: Any | None = None) -> IdempotentRecord | None:
        """What an idempotency key was used for: one SELECT by its primary key."""
        found = self._database.read(
            self._sql.find_idempotent, {"project_id": project_id, "idempotency_key": key}, connection
        )
        if not found:
            return None
        request, credential_id, *wallet = found[0]
        stored = None if wallet[0] is None else rows.stored_wallet(wallet, durable=connection is None)
        return IdempotentRecord(request, stored, rows.uuid_of(credential_id))

    @follows_schema
    def insert_wallet(self, new: NewWallet, belongs: Belongs, connection: Any | None = None) -> bool:
        """Write a whole wallet or nothing.

        PostgreSQL: one statement; with an idempotency key it stands in a transaction, because a key that was
        taken without its slot must be undone. SQLite: inserts in one IMMEDIATE transaction. In tables of other
        code: see ``_insert_beside``.
        """
        parameters = rows.wallet_parameters(new)
        if self._foreign is None and self._sql.writes_in_one and new.idempotency_key is None:
            taken = self._database.write_statement(self._sql.insert_wallet, parameters, connection)
            return self._is_whole(taken[0])
        insert = self._insert if self._foreign is None else partial(self._insert_beside, belongs)
        work = partial(self._database.transact, lambda session: insert(session, new, parameters), connection)
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

    def _insert_beside(self, belongs: Belongs, session: Session, new: NewWallet, parameters: dict[str, Any]) -> bool:
        """Write a wallet into tables that other code writes, too; True: written, False: one was adopted.

        Under the slot's row lock, so that only one of our callers looks and writes. What a CHECK or a length would
        refuse is refused before it is written, and what was written is read back before the commit: a trigger may
        have changed it.
        """
        self._take(session, new, parameters)
        found = [rows.stored_wallet(row) for row in session.fetch(self._sql.candidates, parameters)]
        candidates = [stored for stored in found if belongs(stored.wallet)]
        if candidates:
            self._adopt(session, new, parameters, candidates)
            return False
        self._refuse_values(session, parameters)
        self._insert_halves(session, new, parameters)
        return True

    def _adopt(
        self, session: Session, new: NewWallet, parameters: dict[str, Any], candidates: list[StoredWallet]
    ) -> None:
        """Let the slot name the one wallet that was there."""
        if len(candidates) > 1:
            ids = ", ".join(str(stored.wallet.id) for stored in candidates)
            raise AmbiguousWalletError(
                f"The project has several live wallets on {new.wallet.network}: {ids}.",
                hint="Retire all but one of them; nothing was written.",
            )
        (only,) = candidates
        if only.sealed_text is None or only.sealed_text in PLACEHOLDERS:
            kept = len(session.fetch(self._sql.history, {"id": only.wallet.id}))
            raise key_missing(only, kept, new.created_at)
        adopted = {**parameters, "candidate": only.wallet.id}
        session.change(self._sql.adopt_slot, adopted)
        if new.idempotency_key is not None:
            session.change(self._sql.adopt_idempotency, adopted)

    @staticmethod
    def _is_whole(taken: tuple[Any, ...]) -> bool:
        keys, slots, vault_records, _ = taken
        if slots and not vault_records:
            raise StoreRefusedError("The database took the credential and not its vault record.")
        return bool(keys and vault_records)

    def bind_idempotency(
        self, project_id: UUID, key: str, request: str, wallet_id: UUID, now: datetime, connection: Any | None
    ) -> None:
        """Remember that a key's request is answered by an existing wallet; the key's primary key arbitrates."""
        parameters = {
            "project_id": project_id,
            "idempotency_key": key,
            "request": request,
            "id": wallet_id,
            "now": now,
        }
        self._database.transact(lambda session: session.change(self._sql.take_idempotency, parameters), connection)

    @follows_schema
    def get(self, wallet_id: UUID, project_id: UUID | None = None) -> StoredWallet | None:
        """One wallet by its id."""
        sql = self._sql.get if project_id is None else self._sql.get_in_project
        found = self._database.read(sql, {"id": wallet_id, "project_id": project_id})
        return rows.stored_wallet(found[0]) if found else None

    @follows_schema
    def find_by_address(self, addresses: Sequence[str], project_id: UUID | None = None) -> list[StoredWallet]:
        """Wallets with one of these canonical addresses."""
        sql = self._sql.find_by_address if project_id is None else self._sql.find_by_address_in_project
        return [
            rows.stored_wallet(row)
            for address in addresses
            for row in self._database.read(sql, {"address": address, "project_id": project_id})
        ]

    @follows_schema
    def page(self, project_id: UUID, network: str | None, after: UUID | None, limit: int) -> list[StoredWallet]:
        """One page of a project's wallets, in the order of their ids, which is that of their creation."""
        sql = self._sql.page_of_project if network is None else self._sql.page_of_network
        parameters = {
            "project_id": project_id,
            "network": network,
            "after": after or _FIRST_ID,
            "limit": limit,
        }
        return [rows.stored_wallet(row) for row in self._database.read(sql, parameters)]

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

    @follows_schema
    def write_log(self, stored: StoredWallet, entry: LogEntry, now: datetime) -> None:
        """Commit one usage-log row."""
        parameters = {
            "project_id": stored.wallet.project_id,
            "id": stored.wallet.id,
            **rows.log_parameters(entry, now),
        }
        self._database.transact(lambda session: session.change(self._sql.insert_log, parameters))

    # --- the database ---------------------------------------------------------------------------------------

    def status(self) -> StoreStatus:
        """Facts about the database."""
        remark = read_standbys(self._database).remark
        return StoreStatus(
            database=_shown(self._database.engine.url),
            engine=self._profile.engine,
            schema_version=self._profile.version or schema.HEAD,
            generation=self._profile.generation,
            wallets={str(status): int(n) for status, n in self._database.read(self._sql.count_by_status, {})},
            custody={
                str(custody): int(n)
                for custody, n in self._database.read(self._sql.count_by_custody, {"sealed_pattern": _SEALED_PATTERN})
            },
            durability=self._profile.durability,
            warnings=(*self._profile.warnings(), *([remark] if remark else [])),
        )

    def close(self) -> None:
        """Close the pool."""
        self._database.close()


def _shown(url: URL) -> str:
    """A database URL without its passwords, wherever they stand in it."""
    if url.drivername == "sqlite":
        return f"sqlite:///{url.database}"
    secret = [name for name in url.query if "password" in name.lower()]
    return url.difference_update_query(secret).render_as_string(hide_password=True)
