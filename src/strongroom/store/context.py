"""What every store is given: the database, its profile, the statements for it, and what a schema refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypeVar
from uuid import UUID

from sqlalchemy import Dialect

from strongroom.errors import (
    CheckRefusesError,
    ForeignSchemaError,
    NotInitializedError,
    StoreError,
    StoreRefusedError,
    TriggerConflictError,
)
from strongroom.records.register import TaggedSlot
from strongroom.records.stored_wallets import StoredWallet
from strongroom.store.catalog.foreign_schema import ForeignSchema, add_words, read_foreign_schema
from strongroom.store.catalog.profile import Profile, follow_tables
from strongroom.store.catalog.referenced_rows import missing_row
from strongroom.store.connection.caller_connection import CallersDatabase
from strongroom.store.connection.database import Database
from strongroom.store.connection.driver_errors import violated_reference
from strongroom.store.connection.session import Row, Session
from strongroom.store.connection.session_database import SessionDatabase
from strongroom.store.decoded_wallets import DecodedWallets
from strongroom.store.statements import Statements
from strongroom.store.statements.repair import RepairStatements
from strongroom.store.statements.wallet_function import WalletFunction, wallet_function

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound="ContextHolder")
_NO_SUCH_WORD = "22P02"
"""The SQLSTATE of a text that is none of an enum's values."""


class LostRaceError(Exception):
    """Another transaction was first: undo, and read what is there."""


class StoreContext:
    """A SQL database whose profile was found usable, and the statements for it; the stores of one vault share it."""

    def __init__(self, database: Database, profile: Profile) -> None:
        self.database = database
        if isinstance(database, Database):  # doctor's reads one snapshot
            database.follow = partial(follow_tables, database)
        self._decoded = DecodedWallets()
        self._use(profile)

    def _use(self, profile: Profile) -> None:
        dialect = self.database.engine.dialect
        self.profile = profile
        self.sql = _statements(dialect, profile)
        self.repair_sql = RepairStatements(profile, sqlite=dialect.name == "sqlite")
        self._function = _function(self.sql, profile)
        self.foreign_schema = profile.foreign  # last: other threads take it for what the statements were built from

    def within(self, connection: Any) -> Self:
        """The same in the transaction of a caller's connection."""
        bound = copy(self)
        bound.database = CallersDatabase(self.database, connection)
        return bound

    def inside(self, session: Session) -> Self:
        """The same in a transaction of our own that is running."""
        bound = copy(self)
        bound.database = SessionDatabase(self.database, session)
        return bound

    def read(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run one SELECT; see ``Database.read``."""
        return self.database.read(sql, parameters)

    def stored(self, row: Row, *, slot: TaggedSlot | None = None) -> StoredWallet:
        """The wallet that a row becomes."""
        return self._decoded.stored(row, durable=self.database.durable, slot=slot)

    def forget_rows(self) -> None:
        """Keep no rows of wallets that were decoded any longer."""
        self._decoded.forget()

    def write_statement(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run one writing statement that is a transaction by itself; see ``Database.write_statement``."""
        return self.database.write_statement(sql, parameters)

    def transact(self, unit: Callable[[Session], T]) -> T:
        """Run ``unit`` in a transaction, perhaps several times; see ``Database.transact``."""
        return self.database.transact(unit)

    @property
    def durable(self) -> bool:
        """Whether what is read and written here has been committed."""
        return self.database.durable

    @property
    def foreign(self) -> bool:
        """Whether the legacy application made, and may still write, the wallet tables."""
        return self.foreign_schema is not None

    @property
    def writes_in_one(self) -> bool:
        """Whether one statement writes a whole wallet, or grants many signatures.

        Not where Citus distributes tables: such a statement commits on every node in two phases, and single ones of
        one project on its own node (docs/adr/0036).
        """
        return self.sql.writes_in_one and not self.profile.distributed

    @property
    def wallet_function(self) -> WalletFunction | None:
        """The function that writes a whole wallet on its node; None where there is none of this version's.

        Nor in a transaction that is running: there Citus would run it here, and its statements on the node.
        """
        return self._function if self.database.own is self.database else None

    def part(self, project_id: UUID | None) -> UUID | None:
        """The project whose part of divided tables alone is read; None where all is, or they are not divided."""
        return project_id if self.sql.wallets.sharded else None

    @property
    def plain_vault_ids(self) -> bool:
        """Whether a vault id is the wallet's id alone, because a column for it is a uuid."""
        return self.foreign_schema is not None and self.foreign_schema.plain_vault_ids

    @property
    def time_step_microseconds(self) -> int:
        """How exactly a wallet's time of creation is kept: 1, unless the column is a number of larger units."""
        return 1 if self.foreign_schema is None else self.foreign_schema.time_step_microseconds

    def is_as_read(self, known: ForeignSchema | None) -> bool:
        """Read legacy tables again; where they changed, the statements are built anew."""
        if known is None or self.foreign_schema is not known:
            return known is None
        found = read_foreign_schema(self.database.own)
        if found == known:
            return True
        found.require_wallets()
        self._use(replace(self.profile, foreign=found))
        return False

    def explained(self, error: StoreError) -> StoreError:
        """The same error; where an enum lacks a word that was written, one with the SQL that adds it; where a row of
        the application is missing, one that names its table."""
        if self.foreign and (constraint := violated_reference(error)):
            return missing_row(self.database.own, constraint) or error
        missing = {} if self.foreign_schema is None else self.foreign_schema.missing_words()
        if not missing or getattr(error.__cause__, "sqlstate", None) != _NO_SUCH_WORD:
            return error
        lacking = "; ".join(f"{name} lacks: {', '.join(words)}" for name, words in missing.items())
        added = " ".join(add_words(name, words) for name, words in missing.items())
        return CheckRefusesError(
            f"An enum type does not have a value that strongroom writes: {lacking}. Nothing was written.",
            hint=f"This SQL adds what is missing: {added}",
        )

    def named(self, error: TriggerConflictError) -> TriggerConflictError:
        """The same error with the names of the triggers that may have raised it."""
        if self.foreign_schema is None:
            return error
        every = ", ".join(trigger.name for trigger in self.foreign_schema.triggers)
        names = self.foreign_schema.triggers_of(error.function) or every
        return TriggerConflictError(f"{error.message} Triggers: {names}.", function=error.function)


_MOST_KEPT = 8
_kept: tuple[tuple[tuple[object, ...], Statements], ...] = ()


def _statements(dialect: Dialect, profile: Profile) -> Statements:
    """The statements for a schema: another vault of this process that has one like it has compiled them already."""
    global _kept  # replaced as a whole: two threads at once build one set too many, and keep either
    key = (dialect.name, dialect.paramstyle, profile.foreign, profile.untagged_nonces, profile.sharded)
    for known, statements in _kept:
        if known == key:
            return statements
    made = Statements(dialect, profile.foreign, untagged_nonces=profile.untagged_nonces, sharded=profile.sharded)
    _kept = ((key, made), *_kept[: _MOST_KEPT - 1])
    return made


def _function(sql: Statements, profile: Profile) -> WalletFunction | None:
    """The function of this version that writes a wallet, if it is there, unchanged, and the role may call it."""
    if not any(each.callable for each in profile.functions):
        return None
    ours = wallet_function(sql, profile.schemas)
    there = any(ours.is_made_as(found) and found.callable for found in profile.functions)
    return ours if there else None


class ContextHolder(Protocol):
    """A store, as the retries of this module see it."""

    @property
    def context(self) -> StoreContext:
        """The database, its statements, and the profile of its schema."""


def retry_after_schema_change(verb: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Run a verb once more where it was refused and legacy tables are not what they were when they were read.

    After a constraint was widened, as an error said, the caller need not open the vault again.
    """

    @wraps(verb)
    def run(store: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        context = store.context
        known = context.foreign_schema
        try:
            return verb(store, *args, **kwargs)
        except (ForeignSchemaError, NotInitializedError, StoreRefusedError) as error:
            if context.is_as_read(known):
                raise context.explained(error) from error.__cause__
        return verb(store, *args, **kwargs)

    return run
