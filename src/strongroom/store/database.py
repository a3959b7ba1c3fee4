"""Connections and transactions: borrow, run, retry, give back. The one place that executes SQL.

Statements run on the driver's connection (sqlite3 or psycopg), which SQLAlchemy's pool lends. Our own connections
are in autocommit: a single statement is a transaction, several stand between BEGIN and COMMIT.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.pool import PoolProxiedConnection

from strongroom.errors import (
    ConnectionNotSupportedError,
    ContentionError,
    OutcomeUnknownError,
    RetryTransactionError,
    StoreError,
    StoreRefusedError,
    StoreUnavailableError,
)
from strongroom.store.engine import MARK
from strongroom.store.fork_gate import ForkGate
from strongroom.store.translate import Fault, is_driver_error, translate

T = TypeVar("T")
Row = tuple[Any, ...]

ATTEMPTS = 5
_CURSOR = "strongroom cursor"
_GENERATION = "strongroom generation"
_BACKOFF_SECONDS = 0.02
_DEADLINE_SECONDS = 20


class Reader(Protocol):
    """What a catalogue can be read with."""

    @property
    def engine(self) -> Engine:
        """The engine, whose dialect says what is spoken."""

    def read(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run one SELECT and return its rows."""


@dataclass(frozen=True, slots=True)
class Session:
    """A driver's cursor that runs statements: on our own connection, or on a caller's."""

    cursor: Any
    sqlite: bool
    prepare: bool

    def fetch(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run a statement and return its rows."""
        self._execute(sql, parameters)
        return self.cursor.fetchall()  # type: ignore[no-any-return]

    def change(self, sql: str, parameters: Mapping[str, Any]) -> int:
        """Run a statement and return how many rows it wrote."""
        self._execute(sql, parameters)
        return self.cursor.rowcount  # type: ignore[no-any-return]

    def control(self, sql: str) -> None:
        """Run BEGIN, COMMIT or ROLLBACK."""
        if self.sqlite:
            self.cursor.execute(sql)
        else:
            self.cursor.execute(sql, prepare=False)

    def _execute(self, sql: str, parameters: Mapping[str, Any]) -> None:
        if self.sqlite:
            self.cursor.execute(sql, {name: _for_sqlite(value) for name, value in parameters.items()})
        else:
            self.cursor.execute(sql, parameters, prepare=self.prepare)


class Database:
    """Lends sessions, retries what is safe to retry, and says of a failed write whether it may have happened."""

    def __init__(self, engine: Engine, *, prepared_statements: bool = True) -> None:
        self.engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._prepare = prepared_statements
        self._begin = "BEGIN IMMEDIATE" if self._sqlite else "BEGIN"
        self._gate = ForkGate() if self._sqlite else None
        self._generation = 0
        self._closed = False

    def read(self, sql: str, parameters: Mapping[str, Any], connection: sa.Connection | None = None) -> list[Row]:
        """Run one SELECT. On our own connection a lost one is replaced and the SELECT runs again."""
        if connection is not None:
            with self._callers(connection) as session:
                return session.fetch(sql, parameters)
        return self._attempt(lambda session: session.fetch(sql, parameters), reading=True)

    def write_statement(
        self, sql: str, parameters: Mapping[str, Any], connection: sa.Connection | None = None
    ) -> list[Row]:
        """Run one writing statement that is a transaction by itself. Raises OutcomeUnknownError where lost."""
        if connection is not None:
            with self._callers(connection) as session:
                return session.fetch(sql, parameters)
        return self._attempt(lambda session: session.fetch(sql, parameters))

    def transact(self, unit: Callable[[Session], T], connection: sa.Connection | None = None) -> T:
        """Run ``unit`` in a transaction; it may run several times. Raising inside it rolls back.

        Raises OutcomeUnknownError where the connection was lost: the transaction may have committed.
        """
        if connection is not None:
            with self._callers(connection) as session:
                return unit(session)
        return self._attempt(lambda session: self._transaction(session, unit))

    def close(self) -> None:
        """Close the pool; a connection that is in use is closed when it comes back."""
        self._closed = True
        self.engine.dispose()

    def _transaction(self, session: Session, unit: Callable[[Session], T]) -> T:
        session.control(self._begin)
        try:
            result = unit(session)
        except Exception:
            session.control("ROLLBACK")
            raise
        session.control("COMMIT")
        return result

    def _attempt(self, work: Callable[[Session], T], *, reading: bool = False) -> T:
        deadline = time.monotonic() + _DEADLINE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(work)
            except _Failed as failed:
                final = attempt == ATTEMPTS or time.monotonic() > deadline
                if failed.fault is Fault.REFUSED or (final and failed.fault is Fault.STALE):
                    raise failed.error from failed.__cause__
                if failed.fault is Fault.LOST and not (reading or failed.connecting):
                    raise OutcomeUnknownError(
                        "The connection died during a write; it may have been committed."
                    ) from failed.__cause__
                if final and failed.fault is Fault.LOST:
                    raise failed.error from failed.__cause__
                if final:
                    raise ContentionError(
                        f"The transaction met conflicts {ATTEMPTS} times in a row."
                    ) from failed.__cause__
            time.sleep(_BACKOFF_SECONDS * 2**attempt * random.random())  # noqa: S311 - jitter
        raise AssertionError("unreachable")

    def _once(self, work: Callable[[Session], T]) -> T:
        if self._gate is None:
            return self._work(work)
        with self._gate.passing():
            return self._work(work)

    def _lend(self) -> PoolProxiedConnection:
        """A connection that was opened after the last one was lost; older ones are closed."""
        if self._closed:
            raise StoreRefusedError("The vault was closed.", hint="Open it again with strongroom.open.")
        while True:
            lent = self.engine.raw_connection()
            if lent.info.setdefault(_GENERATION, self._generation) == self._generation:
                return lent
            lent.invalidate()
            lent.close()

    def _work(self, work: Callable[[Session], T]) -> T:
        try:
            lent = self._lend()
        except sa.exc.TimeoutError as error:
            raise StoreUnavailableError(
                "No connection became free in time.", hint="Raise pool_size, or call with fewer threads."
            ) from error
        except Exception as error:
            if not is_driver_error(error):
                raise
            fault, translated = translate(error)
            raise _Failed(fault, translated, connecting=True) from error
        driver = lent.dbapi_connection
        try:
            result = work(Session(self._cursor(lent), self._sqlite, self._prepare))
        except BaseException as error:
            failed = _Failed(*translate(error, driver), connecting=False) if is_driver_error(error) else None
            if failed is not None and failed.fault in (Fault.LOST, Fault.STALE):
                self._generation += 1  # what died once is not lent again, nor what was opened before it
            self._give_back(lent, clean=self._is_clean(driver))
            if failed is None:
                raise
            raise failed from error
        self._give_back(lent, clean=True)
        return result

    def _give_back(self, lent: PoolProxiedConnection, *, clean: bool) -> None:
        if self._closed or not clean or lent.info.get(_GENERATION) != self._generation:
            lent.invalidate()
        lent.close()

    def _cursor(self, lent: PoolProxiedConnection) -> Any:
        """The connection's one cursor: psycopg takes a quarter of a short statement's time to make another."""
        cursor = lent.info.get(_CURSOR)
        if cursor is None:
            cursor = lent.info[_CURSOR] = self._reading(lent.cursor())
        return cursor

    def _reading(self, cursor: Any) -> Any:
        """A cursor that returns what others wrote without looking into it."""
        if not self._sqlite:
            from strongroom.store.postgresql_values import take_json_as_text  # where psycopg is there

            take_json_as_text(cursor)
        return cursor

    def _is_clean(self, driver: Any) -> bool:
        """Whether a connection is outside of any transaction and can be lent again."""
        if self._sqlite:
            return not driver.in_transaction
        return not driver.closed and driver.info.transaction_status == 0

    @contextmanager
    def _callers(self, connection: sa.Connection) -> Iterator[Session]:
        """A session in a SAVEPOINT of the caller's transaction; errors for one who cannot run it again."""
        self._check_callers(connection)
        try:
            with connection.begin_nested():
                yield Session(self._reading(connection.connection.cursor()), self._sqlite, self._prepare)
        except sa.exc.InvalidRequestError as error:
            raise RetryTransactionError("The caller's transaction has ended or must be rolled back.") from error
        except Exception as error:
            if not is_driver_error(error):
                raise
            fault, translated = translate(error)
            if fault is Fault.REFUSED:
                raise translated from error
            raise RetryTransactionError(
                "The caller's transaction met a deadlock, a conflict or a lost connection."
            ) from error

    def _check_callers(self, connection: sa.Connection) -> None:
        if not isinstance(connection, sa.Connection):
            raise ConnectionNotSupportedError("connection= takes a SQLAlchemy Connection.")
        ours, theirs = self.engine.dialect, connection.dialect
        if (ours.name, ours.driver) != (theirs.name, theirs.driver):
            raise ConnectionNotSupportedError("connection= is of another kind of database or driver than the vault.")
        if connection.closed or self._is_autocommit(connection):
            raise ConnectionNotSupportedError("connection= is closed or in autocommit mode: nothing would hold it.")
        if self._sqlite and MARK not in connection.info:
            raise ConnectionNotSupportedError("On SQLite, connection= must come from strongroom.create_engine().")

    def _is_autocommit(self, connection: sa.Connection) -> bool:
        if self._sqlite:
            return connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
        return bool(connection.connection.dbapi_connection.autocommit)  # type: ignore[union-attr]


class _Failed(Exception):
    """A driver's error on our own connection, classified."""

    def __init__(self, fault: Fault, error: StoreError, *, connecting: bool) -> None:
        super().__init__(str(error))
        self.fault = fault
        self.error = error
        self.connecting = connecting


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value
