"""What every part of the store stands on: the database, its profile, the statements, and what a schema refuses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from strongroom.errors import TriggerConflictError
from strongroom.model import HistoryEntry
from strongroom.store import rows
from strongroom.store.database import Database, Session
from strongroom.store.profile import Profile
from strongroom.store.statements import WALLET_ROWS, Statements


class LostRaceError(Exception):
    """Another transaction was first: undo, and read what is there."""


class Ground:
    """A SQL database whose profile was found usable."""

    def __init__(self, database: Database, profile: Profile) -> None:
        self._database = database
        self._profile = profile
        self._sql = Statements(database.engine.dialect, profile.foreign)
        self._foreign = profile.foreign

    @property
    def foreign(self) -> bool:
        """Whether other code made, and may still write, the wallet tables."""
        return self._foreign is not None

    def history(self, wallet_id: UUID) -> list[HistoryEntry]:
        """Every text that was kept of a wallet, oldest first."""
        return [rows.history_entry(row) for row in self._database.read(self._sql.history, {"id": wallet_id})]

    def _refuse_values(self, session: Session, parameters: dict[str, Any], tables: Iterable[str] = WALLET_ROWS) -> None:
        """Raise for what a length or a CHECK of the schema would refuse; PostgreSQL evaluates the CHECKs."""
        if self._foreign is None:
            return
        for table in tables:
            row = WALLET_ROWS[table]
            names = {column: name for column, name in row.items() if self._foreign.has(table, column)}
            values = {column: parameters[name] for column, name in names.items() if name in parameters}
            self._foreign.require_lengths(table, values)
            query = self._foreign.checks_query(table, names)
            violated = session.fetch(query, parameters)[0][0] if query else []
            self._foreign.refuse(table, violated, values)

    def _named(self, error: TriggerConflictError) -> TriggerConflictError:
        """The same error with the names of the triggers that may have raised it."""
        if self._foreign is None:
            return error
        every = ", ".join(trigger.name for trigger in self._foreign.triggers)
        names = self._foreign.triggers_of(error.function) or every
        return TriggerConflictError(f"{error.message} Triggers: {names}.", function=error.function)
