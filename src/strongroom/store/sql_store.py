"""The store on SQLite and PostgreSQL: the verbs of ``ports.Store`` over the statements.

What makes each write safe under concurrent callers:

- A wallet: the primary key of ``strongroom_slot`` (and of ``strongroom_idempotency``, always taken first). Of many
  transactions one inserts the row; the others wait for its outcome, insert nothing, and read again.
- The keyring: the single row of ``strongroom_keyring_head``.
- A log row: nothing to arbitrate; it is an insert under an id of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from strongroom.errors import KeyMissingError, KeyringMissingError, StoreRefusedError
from strongroom.identifiers import new_id
from strongroom.model import (
    IdempotentRecord,
    KeyringRows,
    LogEntry,
    NewWallet,
    StoredWallet,
    StoreStatus,
    Wallet,
    WrappedKey,
)
from strongroom.store import rows, schema
from strongroom.store.database import Database, Session
from strongroom.store.profile import Profile
from strongroom.store.statements import Statements

_STREAM_PAGE = 500
_FIRST_ID = UUID(int=0)
_SEALED_PATTERN = rows.SEALED_PREFIX + "%"


class SqlStore:
    """Wallets, keyring and logs in a SQL database whose profile was found usable."""

    def __init__(self, database: Database, profile: Profile) -> None:
        self._database = database
        self._profile = profile
        self._sql = Statements(database.engine.dialect)

    # --- keyring --------------------------------------------------------------------------------------------

    def read_keyring(self) -> KeyringRows | None:
        """The keyring with every wrap; None before the first init; without rows if they were removed."""
        found = self._database.read(self._sql.read_keyring, {})
        if not found and not self._database.read(self._sql.read_keyring_head, {}):
            return None
        active = [row[0] for row in found if row[1] == "active"]
        return KeyringRows(
            active_kid=active[0] if active else "",
            wraps=tuple(WrappedKey(*(row[0], *row[2:])) for row in found if row[3] is not None),
            kids=tuple(dict.fromkeys(row[0] for row in found)),
        )

    def create_keyring(self, wrap: WrappedKey, now: datetime, actor: str | None) -> bool:
        """Write the first keyring in one transaction; the row of strongroom_keyring_head arbitrates."""

        def unit(session: Session) -> bool:
            if session.change(self._sql.take_keyring_head, {"id": 1, "version": 1}) == 0:
                return False
            if session.fetch(self._sql.any_sealed, {"sealed_pattern": _SEALED_PATTERN})[0][0]:
                raise KeyringMissingError(
                    "There are sealed rows, but no keyring that could open them. Nothing was changed."
                )
            session.change(self._sql.insert_sealing_key, {"kid": wrap.kid, "state": "active", "now": now})
            session.change(
                self._sql.insert_wrap,
                {
                    "kid": wrap.kid,
                    "root_key": wrap.root_key_uri,
                    "wrapped": wrap.wrapped,
                    "check_value": wrap.check_value,
                    "now": now,
                },
            )
            details = {"kid": wrap.kid, "root_key": wrap.root_key_uri, **({"actor": actor} if actor else {})}
            session.change(
                self._sql.insert_event,
                {"event_id": new_id(now), "event": "init", "details": json.dumps(details), "now": now},
            )
            return True

        return self._database.transact(unit)

    def has_sealed_rows(self) -> bool:
        """Whether any vault record holds a sealed text."""
        return bool(self._database.read(self._sql.any_sealed, {"sealed_pattern": _SEALED_PATTERN})[0][0])

    def sealed_kids_at_the_ends(self) -> frozenset[str]:
        """The kids of the sixteen oldest and newest vault records."""
        ends = [
            row[0] for sql in (self._sql.first_sealed, self._sql.last_sealed) for row in self._database.read(sql, {})
        ]
        return frozenset(kid for head in ends if (kid := rows.kid_of(head)) is not None)

    # --- wallets --------------------------------------------------------------------------------------------

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

    def insert_wallet(self, new: NewWallet, connection: Any | None = None) -> bool:
        """Write a whole wallet or nothing.

        PostgreSQL: one statement; with an idempotency key it stands in a transaction, because a key that was
        taken without its slot must be undone. SQLite: inserts in one IMMEDIATE transaction.
        """
        parameters = rows.wallet_parameters(new)
        if self._sql.writes_in_one and new.idempotency_key is None:
            taken = self._database.write_statement(self._sql.insert_wallet, parameters, connection)
            return self._is_whole(taken[0])
        try:
            return self._database.transact(lambda session: self._insert(session, new, parameters), connection)
        except _LostRaceError:
            return False

    def _insert(self, session: Session, new: NewWallet, parameters: dict[str, Any]) -> bool:
        if self._sql.writes_in_one and new.idempotency_key is not None:
            if not self._is_whole(session.fetch(self._sql.insert_wallet_with_key, parameters)[0]):
                raise _LostRaceError
            return True
        if new.idempotency_key is not None and not session.change(self._sql.take_idempotency, parameters):
            raise _LostRaceError
        if not session.change(self._sql.take_slot, parameters):
            raise _LostRaceError
        session.change(self._sql.insert_credential, parameters)
        session.change(self._sql.insert_vault_record, parameters)
        session.change(self._sql.insert_log, parameters)
        return True

    @staticmethod
    def _is_whole(taken: tuple[Any, ...]) -> bool:
        keys, slots, vault_records = taken
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

    def get(self, wallet_id: UUID, project_id: UUID | None = None) -> StoredWallet | None:
        """One wallet by its id."""
        sql = self._sql.get if project_id is None else self._sql.get_in_project
        found = self._database.read(sql, {"id": wallet_id, "project_id": project_id})
        return rows.stored_wallet(found[0]) if found else None

    def find_by_address(self, addresses: Sequence[str], project_id: UUID | None = None) -> list[StoredWallet]:
        """Wallets with one of these canonical addresses."""
        found = [
            rows.stored_wallet(row)
            for address in addresses
            for row in self._database.read(self._sql.find_by_address, {"address": address})
        ]
        return [stored for stored in found if project_id in (None, stored.wallet.project_id)]

    def page(self, project_id: UUID, network: str | None, after: UUID | None, limit: int) -> list[Wallet]:
        """One page of a project's wallets, in the order of their ids, which is that of their creation."""
        sql = self._sql.page_of_project if network is None else self._sql.page_of_network
        parameters = {
            "project_id": project_id,
            "network": network,
            "after": after or _FIRST_ID,
            "limit": limit,
        }
        return [rows.stored_wallet(row).wallet for row in self._database.read(sql, parameters)]

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
            after = rows.uuid_of(found[-1][0])

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
        return StoreStatus(
            database=self._database.engine.url.render_as_string(hide_password=True),
            engine=self._profile.engine,
            schema_version=self._profile.version or schema.HEAD,
            wallets={str(status): int(n) for status, n in self._database.read(self._sql.count_by_status, {})},
            durability=self._profile.durability,
            warnings=self._profile.warnings(),
        )

    def close(self) -> None:
        """Close the pool."""
        self._database.close()


class _LostRaceError(Exception):
    """Another transaction took the slot or the key: undo, and read what is there."""
