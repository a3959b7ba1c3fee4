"""The keyring's rows. The row of strongroom_keyring_head arbitrates: a change is a compare-and-set on its version."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from strongroom.errors import KeyringMissingError, StoreRefusedError
from strongroom.model import Event, KeyringRows, StoredWallet, WrappedKey
from strongroom.store import rows
from strongroom.store.database import Reader
from strongroom.store.ground import Ground
from strongroom.store.session import Session
from strongroom.store.statements import Statements

_FIRST_ID = UUID(int=0)
_PAGE = 500
_SEALED_PATTERN = rows.SEALED_PREFIX + "%"


def read_keyring(database: Reader, sql: Statements) -> KeyringRows | None:
    """The keyring with every wrap; None before the first init; without rows if they were removed."""
    # The version first: a change between the two statements makes the version too old, never the rows.
    head = database.read(sql.read_keyring_head, {})
    found = [rows.readable(row) for row in database.read(sql.read_keyring, {})]
    if not found and not head:
        return None
    active = [row[0] for row in found if row[1] == "active"]
    return KeyringRows(
        active_kid=active[0] if active else "",
        wraps=tuple(WrappedKey(*(row[0], *row[2:])) for row in found if row[3] is not None),
        kids=tuple(dict.fromkeys(row[0] for row in found)),
        states={row[0]: row[1] for row in found},
        version=_number(head[0][0]) if head else 0,
    )


def _number(version: Any) -> int:
    """The keyring's version; 0, which no change fits, where SQLite's row holds no number."""
    return version if isinstance(version, int) else 0


class KeyringStore(Ground):
    """Sealing keys, their wraps, and the texts that each of them sealed."""

    def read_keyring(self) -> KeyringRows | None:
        """The keyring with every wrap; None before the first init; without rows if they were removed."""
        return read_keyring(self._database, self._sql)

    def create_keyring(self, wrap: WrappedKey, event: Event, now: datetime) -> bool:
        """Write the first keyring in one transaction; the row of strongroom_keyring_head arbitrates."""

        def unit(session: Session) -> bool:
            if session.change(self._sql.take_keyring_head, {"id": 1, "version": 1}) == 0:
                return False
            if session.fetch(self._sql.any_sealed, {"sealed_pattern": _SEALED_PATTERN})[0][0]:
                raise KeyringMissingError(
                    "There are sealed rows, but no keyring that could open them. Nothing was changed."
                )
            session.change(self._sql.insert_sealing_key, {"kid": wrap.kid, "state": "active", "now": now})
            self._insert_wraps(session, [wrap], now)
            session.change(self._sql.insert_event, rows.event_parameters(event, now))
            return True

        return self._database.transact(unit)

    def knows_sealing_key(self, kid: str, connection: Any | None = None) -> bool:
        """Whether the keyring of the database has a sealing key."""
        return bool(self._database.read(self._sql.find_sealing_key, {"kid": kid}, connection))

    def has_sealed_rows(self) -> bool:
        """Whether any vault record holds a sealed text."""
        return bool(self._database.read(self._sql.any_sealed, {"sealed_pattern": _SEALED_PATTERN})[0][0])

    def sealed_kids_at_the_ends(self) -> frozenset[str]:
        """The kids of the sixteen oldest and newest vault records."""
        ends = [
            rows.readable(row)[0]
            for sql in (self._sql.first_sealed, self._sql.last_sealed)
            for row in self._database.read(sql, {})
        ]  # other code's may be NULL
        return frozenset(kid for head in ends if (kid := rows.kid_of(head or "")) is not None)

    def add_sealing_key(self, wraps: Sequence[WrappedKey], version: int, event: Event, now: datetime) -> bool:
        """Make a sealing key the active one, and let the one that was only open."""

        def unit(session: Session) -> None:
            session.change(self._sql.end_active_sealing_key, {})
            session.change(self._sql.insert_sealing_key, {"kid": wraps[0].kid, "state": "active", "now": now})
            self._insert_wraps(session, wraps, now)

        return self._change(unit, version, event, now)

    def add_wraps(self, wraps: Sequence[WrappedKey], version: int, event: Event, now: datetime) -> bool:
        """Add wraps of another root key."""
        return self._change(lambda session: self._insert_wraps(session, wraps, now), version, event, now)

    def remove_wraps(self, uri: str, version: int, event: Event, now: datetime) -> bool:
        """Remove the wraps of a root key."""

        def unit(session: Session) -> None:
            session.change(self._sql.delete_wraps, {"root_key": uri})

        return self._change(unit, version, event, now)

    def retire_sealing_key(self, kid: str) -> bool:
        """Mark a sealing key retired if it only opens and no vault record names it, in one statement."""
        parameters = {"kid": kid, "beginning": rows.beginning_of(kid)}
        return bool(self._database.transact(lambda session: session.change(self._sql.retire_sealing_key, parameters)))

    def count_sealed(self, kid: str) -> int:
        """How many vault records begin with what a sealing key's texts begin with."""
        return int(self._database.read(self._sql.count_sealed, {"beginning": rows.beginning_of(kid)})[0][0])

    def stream_sealed_otherwise(self, kid: str, project_id: UUID | None = None) -> Iterator[list[StoredWallet]]:
        """Pages of wallets whose text another sealing key sealed; no transaction stays open between pages."""
        sql = self._sql.sealed_otherwise if project_id is None else self._sql.sealed_otherwise_in_project
        after = _FIRST_ID
        while True:
            parameters = {
                "project_id": project_id,
                "after": after,
                "limit": _PAGE,
                "sealed_pattern": _SEALED_PATTERN,
                "beginning": rows.beginning_of(kid),
            }
            found = self._database.read(sql, parameters)
            if found:
                yield [rows.stored_wallet(row) for row in found]
            if len(found) < _PAGE:
                return
            after = found[-1][0]  # as it stands: SQLite takes any text for an id

    def rewrap(self, pairs: Sequence[tuple[StoredWallet, str]], now: datetime) -> frozenset[UUID]:
        """Compare-and-set texts; each row is its own: one that changed meanwhile is left alone."""
        if self._sql.writes_in_one:
            # Arrays in binary form: as text the driver looks at every character, which took a third of a rewrap.
            statement = self._sql.rewrap_many.replace(")s ::", ")b ::")
            written = self._database.write_statement(statement, rows.rewrap_parameters(pairs, now))
            return frozenset(rows.uuid_of(row[0]) for row in written)

        def unit(session: Session) -> frozenset[UUID]:
            return frozenset(stored.wallet.id for stored, text in pairs if self._rewrap_one(session, stored, text, now))

        return self._database.transact(unit)

    def _rewrap_one(self, session: Session, stored: StoredWallet, text: str, now: datetime) -> bool:
        """On SQLite, where the transaction holds the lock. The history first: the guard lets pass what is kept."""
        parameters = rows.rewrap_row(stored, text, now)
        if session.fetch(self._sql.vault_texts, parameters) != [(stored.sealed_text,)]:
            return False
        session.change(self._sql.insert_history, {**parameters, "sealed_text": stored.sealed_text})
        if session.change(self._sql.rewrap_text, parameters) != 1:
            raise StoreRefusedError("The vault record that was read is not the one that was written.")
        session.change(self._sql.insert_log, parameters)
        return True

    def _change(self, unit: Callable[[Session], object], version: int, event: Event, now: datetime) -> bool:
        def whole(session: Session) -> bool:
            if not session.change(self._sql.change_keyring_head, {"version": version}):
                return False
            unit(session)
            session.change(self._sql.insert_event, rows.event_parameters(event, now))
            return True

        return self._database.transact(whole)

    def _insert_wraps(self, session: Session, wraps: Sequence[WrappedKey], now: datetime) -> None:
        for wrap in wraps:
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
