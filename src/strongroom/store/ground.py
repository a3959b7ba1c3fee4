"""What every part of the store stands on: the database, its profile, the statements, and what a schema refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from strongroom.errors import NotInitializedError, StoreRefusedError, TriggerConflictError
from strongroom.model import HistoryEntry, NewWallet
from strongroom.store import rows
from strongroom.store.database import Database
from strongroom.store.foreign import ForeignSchema, read_foreign_schema
from strongroom.store.profile import Profile
from strongroom.store.session import Session
from strongroom.store.statements import WALLET_ROWS, Statements

P = ParamSpec("P")
T = TypeVar("T")
G = TypeVar("G", bound="Ground")


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
    def database(self) -> Database:
        """Where the rows are."""
        return self._database

    @property
    def profile(self) -> Profile:
        """What the catalogue says."""
        return self._profile

    @property
    def foreign(self) -> bool:
        """Whether other code made, and may still write, the wallet tables."""
        return self._foreign is not None

    def _is_as_read(self, known: ForeignSchema | None) -> bool:
        """Read other code's tables again; where they changed, the statements are built anew."""
        if known is None or self._foreign is not known:
            return known is None
        found = read_foreign_schema(self._database)
        if found == known:
            return True
        found.require_wallets()
        self._profile = replace(self._profile, foreign=found)
        self._sql = Statements(self._database.engine.dialect, found)
        self._foreign = found
        return False

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

    def _insert_halves(self, session: Session, new: NewWallet, parameters: dict[str, Any]) -> None:
        """Write both halves and their log row; beside other code's triggers, read back what a text is bound to."""
        if not self.foreign:
            session.change(self._sql.insert_credential, parameters)
            session.change(self._sql.insert_vault_record, parameters)
            session.change(self._sql.insert_log, parameters)
            return
        if session.fetch(self._sql.insert_halves, parameters) != [(1, 1, 1)]:
            raise TriggerConflictError("A trigger kept a part of the wallet out; nothing was written.")
        wallet = new.wallet
        whole = (new.sealed_text, wallet.vault_id, wallet.project_id, wallet.address, wallet.public_key)
        if session.fetch(self._sql.written, parameters) != [(*whole, wallet.vault_id, True)]:
            raise TriggerConflictError(
                "A trigger changed the credential or its vault record, or added another; nothing was written."
            )

    def _named(self, error: TriggerConflictError) -> TriggerConflictError:
        """The same error with the names of the triggers that may have raised it."""
        if self._foreign is None:
            return error
        every = ", ".join(trigger.name for trigger in self._foreign.triggers)
        names = self._foreign.triggers_of(error.function) or every
        return TriggerConflictError(f"{error.message} Triggers: {names}.", function=error.function)


def follows_schema(verb: Callable[Concatenate[G, P], T]) -> Callable[Concatenate[G, P], T]:
    """Run a verb once more where it was refused and other code's tables are not what they were when they were read.

    Whoever widens a constraint, as an error told him to, need not open the vault again.
    """

    @wraps(verb)
    def run(self: G, /, *args: P.args, **kwargs: P.kwargs) -> T:
        known = self._foreign
        try:
            return verb(self, *args, **kwargs)
        except (NotInitializedError, StoreRefusedError):
            if self._is_as_read(known):
                raise
        return verb(self, *args, **kwargs)

    return run
