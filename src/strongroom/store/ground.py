"""What every part of the store stands on: the database, its profile, the statements, and what a schema refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import replace
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar
from uuid import UUID

from strongroom.errors import (
    CheckRefusesError,
    ForeignSchemaError,
    NotInitializedError,
    StoreError,
    StoreRefusedError,
    StrongroomError,
    TriggerConflictError,
)
from strongroom.model import HistoryEntry, NewWallet, StoredWallet
from strongroom.store.catalog.foreign_schema import ForeignSchema, add_words, read_foreign_schema
from strongroom.store.catalog.profile import Profile, follow_tables
from strongroom.store.connection.async_calls import run_awaited
from strongroom.store.connection.caller_connection import CallersDatabase
from strongroom.store.connection.database import Database
from strongroom.store.connection.session import Session
from strongroom.store.statements import WALLET_ROWS, Statements, rows

P = ParamSpec("P")
T = TypeVar("T")
G = TypeVar("G", bound="Ground")
_FIRST_ID = UUID(int=0)
_PAGE = 200
_MOST_CANDIDATES = 100
_NO_SUCH_WORD = "22P02"
"""The SQLSTATE of a text that is none of an enum's values."""


class LostRaceError(Exception):
    """Another transaction was first: undo, and read what is there."""


class Ground:
    """A SQL database whose profile was found usable."""

    def __init__(self, database: Database, profile: Profile) -> None:
        self._database = database
        if isinstance(database, Database):  # doctor's reads one snapshot
            database.follow = partial(follow_tables, database)
        self._profile = profile
        self._sql = self._statements()
        self._foreign = profile.foreign

    def _statements(self) -> Statements:
        profile = self._profile
        return Statements(self._database.engine.dialect, profile.foreign, untagged_nonces=profile.untagged_nonces)

    def within(self, connection: Any | None) -> Self:
        """The same store in the transaction of a caller's connection; None: this one, on connections of our own."""
        if connection is None:
            return self
        bound = copy(self)
        bound._database = CallersDatabase(self._database, connection)
        return bound

    async def run_awaited(self, connection: Any, verb: Callable[[Any], T]) -> T:
        """Run a verb that takes a connection on an asynchronous one, on the caller's loop."""
        return await run_awaited(connection, verb)

    @property
    def durable(self) -> bool:
        """Whether what is read and written here has been committed."""
        return self._database.durable

    def run_key_work(self, work: Callable[[], T]) -> T:
        """Run work that needs no database: in a thread where the caller's loop runs the statements, else here."""
        return self._database.run_key_work(work)

    @property
    def database(self) -> Database:
        """Where the rows are."""
        return self._database

    @property
    def profile(self) -> Profile:
        """What the catalogue says."""
        return self._profile

    @property
    def plain_vault_ids(self) -> bool:
        """Whether a vault id is the wallet's id alone, because a column for it is a uuid."""
        return self._foreign is not None and self._foreign.plain_vault_ids

    @property
    def time_step_microseconds(self) -> int:
        """How exactly a wallet's time of creation is kept: 1, unless the column is a number of larger units."""
        return 1 if self._foreign is None else self._foreign.time_step_microseconds

    @property
    def foreign(self) -> bool:
        """Whether other code made, and may still write, the wallet tables."""
        return self._foreign is not None

    def _is_as_read(self, known: ForeignSchema | None) -> bool:
        """Read other code's tables again; where they changed, the statements are built anew."""
        if known is None or self._foreign is not known:
            return known is None
        found = read_foreign_schema(self._database.own)
        if found == known:
            return True
        found.require_wallets()
        self._profile = replace(self._profile, foreign=found)
        self._sql = self._statements()
        self._foreign = found
        return False

    def history(
        self, wallet_id: UUID, limit: int, skipped: int = 0, *, newest_first: bool = False
    ) -> list[HistoryEntry]:
        """A page of the texts that were kept of a wallet, by the time of each, after ``skipped`` of them."""
        sql = self._sql.newest_history if newest_first else self._sql.history
        found = self._database.read(sql, {"id": wallet_id, "limit": limit, "skipped": skipped})
        return [rows.history_entry(row) for row in found]

    def keeps_sealed(self, wallet_id: UUID, other_than: tuple[str, str] | None = None) -> bool:
        """Whether a sealed text is kept of a wallet, or one of another (network, label); no text is read."""
        if other_than is None:
            return bool(self._database.read(self._sql.kept_sealed, {"id": wallet_id}))
        network, label = other_than
        names = {"id": wallet_id, "network": network, "label": label}
        return bool(self._database.read(self._sql.kept_otherwise, names))

    def _refuse_values(self, session: Session, parameters: dict[str, Any], tables: Iterable[str] = WALLET_ROWS) -> None:
        """Raise for what a length or a CHECK of the schema would refuse; PostgreSQL evaluates the CHECKs."""
        if self._foreign is None:
            return
        tables = tuple(tables)
        self._foreign.require_columns(all_of=True, tables=tables)
        for table in tables:
            row = WALLET_ROWS[table]
            names = {column: name for column, name in row.items() if self._foreign.written(table, column)}
            values = {column: parameters[name] for column, name in names.items() if name in parameters}
            self._foreign.require_words(table, values)
            self._foreign.require_lengths(table, values)
            query = self._foreign.checks_query(table, names)
            violated = session.fetch(query, parameters)[0][0] if query else []
            self._foreign.refuse(table, violated, values)

    def _candidates(
        self, session: Session, parameters: Mapping[str, Any], belongs: Callable[[StoredWallet], bool]
    ) -> list[StoredWallet]:
        """A project's rows that no slot names and that belong where a wallet is asked for; a hundred at most.

        Read page by page: a project may have any number of rows, and of those that belong two are too many already.
        """
        candidates: list[StoredWallet] = []
        after: Any = _FIRST_ID
        while True:
            found = session.fetch(self._sql.candidates, {**parameters, "after": after, "limit": _PAGE})
            try:
                candidates += filter(belongs, map(rows.stored_wallet, found))
            except StrongroomError:
                found.clear()  # an error's frames keep no text of other code: it may hold a key
                raise
            if len(found) < _PAGE or len(candidates) >= _MOST_CANDIDATES:
                return candidates[:_MOST_CANDIDATES]
            after = found[-1][0]

    def _insert_halves(self, session: Session, new: NewWallet, parameters: dict[str, Any]) -> None:
        """Write both halves and their log row; beside other code's triggers, read back what a text is bound to."""
        if not self.foreign:
            session.write(self._sql.insert_credential, parameters)
            session.write(self._sql.insert_vault_record, parameters)
            session.write(self._sql.insert_record, parameters)
            session.write(self._sql.insert_log, parameters)
            return
        if session.fetch(self._sql.insert_halves, parameters) != [(1, 1, 1, 1)]:
            raise TriggerConflictError("A trigger kept a part of the wallet out; nothing was written.")
        wallet = new.wallet
        whole = (new.sealed_text, wallet.vault_id, wallet.project_id, wallet.address, wallet.public_key)
        if session.fetch(self._sql.written, parameters) != [(*whole, wallet.vault_id, True)]:
            raise TriggerConflictError(
                "A trigger changed the credential or its vault record, or added another; nothing was written."
            )

    def _explained(self, error: StoreError) -> StoreError:
        """The same error; where an enum lacks a word that was written, one with the SQL that adds it."""
        missing = {} if self._foreign is None else self._foreign.missing_words()
        if not missing or getattr(error.__cause__, "sqlstate", None) != _NO_SUCH_WORD:
            return error
        lacking = "; ".join(f"{name} lacks: {', '.join(words)}" for name, words in missing.items())
        added = " ".join(add_words(name, words) for name, words in missing.items())
        return CheckRefusesError(
            f"An enum type does not have a value that strongroom writes: {lacking}. Nothing was written.",
            hint=f"This SQL adds what is missing: {added}",
        )

    def _named(self, error: TriggerConflictError) -> TriggerConflictError:
        """The same error with the names of the triggers that may have raised it."""
        if self._foreign is None:
            return error
        every = ", ".join(trigger.name for trigger in self._foreign.triggers)
        names = self._foreign.triggers_of(error.function) or every
        return TriggerConflictError(f"{error.message} Triggers: {names}.", function=error.function)


def retry_after_schema_change(verb: Callable[Concatenate[G, P], T]) -> Callable[Concatenate[G, P], T]:
    """Run a verb once more where it was refused and other code's tables are not what they were when they were read.

    Whoever widens a constraint, as an error told him to, need not open the vault again.
    """

    @wraps(verb)
    def run(self: G, /, *args: P.args, **kwargs: P.kwargs) -> T:
        known = self._foreign
        try:
            return verb(self, *args, **kwargs)
        except (ForeignSchemaError, NotInitializedError, StoreRefusedError) as error:
            if self._is_as_read(known):
                raise self._explained(error) from error.__cause__
        return verb(self, *args, **kwargs)

    return run
