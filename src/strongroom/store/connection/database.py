"""Connections and transactions: borrow, run, retry, give back.

Statements run on the driver's connection (sqlite3 or psycopg), which SQLAlchemy's pool lends. Our own connections
are in autocommit: a single statement is a transaction, several stand between BEGIN and COMMIT.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.pool import PoolProxiedConnection

from strongroom.errors import (
    ContentionError,
    NotInitializedError,
    OutcomeUnknownError,
    StoreError,
    StoreUnavailableError,
    VaultClosedError,
)
from strongroom.host.fork_gate import ForkGate
from strongroom.store import schema
from strongroom.store.connection.connect_errors import connect_fault, forget_password
from strongroom.store.connection.cursors import close_cursor, cursor_of
from strongroom.store.connection.driver_errors import DriverFault, is_driver_error, translate
from strongroom.store.connection.node_errors import is_node_unreachable
from strongroom.store.connection.pooling import Pooling
from strongroom.store.connection.qualified import QualifiedTexts
from strongroom.store.connection.session import NumberedSession, Row, Session

T = TypeVar("T")
ATTEMPTS = 5
# Whatever the database's default is: what is read after a lock was waited for must be what is there by then.
BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
# It writes a lock to the server's log, and so its commit waits for whatever commits wait for, such as a standby.
_SETTLE = f"SELECT 1 FROM {schema.strongroom_keyring_head.name} FOR KEY SHARE"  # noqa: S608 - a constant
# Where a commit would not wait for the server's own disk, and only there, it does: until the transaction ends.
_RAISED = "pg_catalog.set_config('synchronous_commit', 'on', true)"
_OFF = "pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off'"
_BEGIN_DURABLE = f"{BEGIN}; SELECT {_RAISED} WHERE {_OFF}"
# The same inside a statement that is a transaction by itself: an OFFSET is worked out before the first row is.
_DURABLE = f" OFFSET (SELECT CASE WHEN {_OFF} THEN pg_catalog.strpos({_RAISED}, '-') ELSE 0 END)"
_GENERATION = "strongroom generation"
_CANCELLED = "57014"
_BACKOFF_SECONDS = 0.02
_DEADLINE_SECONDS = 20


class CatalogueReader(Protocol):
    """What a catalogue can be read with."""

    @property
    def engine(self) -> Engine:
        """The engine, whose dialect says what is spoken."""

    @property
    def schema(self) -> str | None:
        """The schema that the settings name for the vault's tables; None where they name none."""

    def read(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run one SELECT and return its rows."""

    def name_schemas(self, schemas: Mapping[str, str]) -> None:
        """Say in which schema each table is: from now on statements name it."""


class Database:
    """Lends sessions, retries what is safe to retry, and says of a failed write whether it may have happened."""

    def __init__(self, engine: Engine, *, prepared_statements: bool = True, schema: str | None = None) -> None:
        self.engine = engine
        self.schema = schema
        self.sqlite = engine.dialect.name == "sqlite"
        self._sessions = Session if self.sqlite else NumberedSession
        self.pooling = Pooling(prepared_statements)
        self._begin = "BEGIN IMMEDIATE" if self.sqlite else _BEGIN_DURABLE
        self._gate = ForkGate() if self.sqlite else None
        self._generation = 0
        self._lost_outcomes = 0
        self._thread = threading.local()
        self._closed = False
        self.texts = QualifiedTexts()
        self._durable: dict[str, str] = {}
        self.follow: Callable[[], bool] = lambda: False  # looks where tables are by now; whether they were moved

    def name_schemas(self, schemas: Mapping[str, str]) -> None:
        """Say in which schema each table is: from now on statements name it, on callers' connections, too."""
        self.texts = QualifiedTexts(schemas)

    def read(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run one SELECT. A lost connection is replaced and the SELECT runs again.

        After an outcome was lost, what is read is settled first: see ``_wait_for_durability``.
        """
        if getattr(self._thread, "settled", 0) != self._lost_outcomes:
            self._wait_for_durability()
        return self._attempt(lambda session: session.fetch(sql, parameters), reading=True)

    def write_statement(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run one writing statement that is a transaction by itself, and ends as a SELECT without LIMIT.

        Its commit waits for the server's disk, whatever the session's setting. Raises OutcomeUnknownError where the
        connection was lost.
        """
        durable = self._durable.setdefault(sql, sql + _DURABLE)
        return self._attempt(lambda session: session.fetch(durable, parameters))

    def call(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run a SELECT that calls a function which writes, and commits, on a node of Citus.

        Raises OutcomeUnknownError where the connection, or the node, was lost, or the call was cancelled: the node may
        have committed before it was told.
        """

        def run(session: Session) -> list[Row]:
            try:
                return session.fetch(sql, parameters)
            except Exception as error:
                if is_node_unreachable(error):
                    raise _UncommittedError(error) from error
                if getattr(error, "sqlstate", None) != _CANCELLED:
                    raise
                self._lost_outcomes += 1
                raise OutcomeUnknownError("The call was cancelled; it may have been committed.") from error

        return self._attempt(run)

    def transact(self, unit: Callable[[Session], T]) -> T:
        """Run ``unit`` in a transaction; it may run several times. Raising inside it rolls back.

        Raises OutcomeUnknownError where the connection was lost: the transaction may have committed.
        """
        return self._attempt(lambda session: self._transaction(session, unit))

    @property
    def durable(self) -> bool:
        """Whether what is read and written here has been committed."""
        return True

    @property
    def own(self) -> Database:
        """The database on connections of our own."""
        return self

    @property
    def closed(self) -> bool:
        """Whether the pool was closed."""
        return self._closed

    def run_key_work(self, work: Callable[[], T]) -> T:
        """Run work that needs no database."""
        return work()

    def close(self) -> None:
        """Close the pool; a connection that is in use is closed when it comes back."""
        self._closed = True
        self.engine.dispose()

    def _wait_for_durability(self) -> None:
        """Wait until what is committed by now would survive this server, as far as commits wait for that.

        A commit that was ended while it waited for a standby is visible, and is not on the standby yet: to be told of
        it would be to be promised it. A later commit comes back when the standby has both.
        """
        lost_outcomes = self._lost_outcomes
        if not self.sqlite:
            self._attempt(lambda session: session.fetch(_SETTLE + _DURABLE, {}), reading=True)
        self._thread.settled = lost_outcomes

    def _transaction(self, session: Session, unit: Callable[[Session], T]) -> T:
        try:
            session.control(self._begin)
            result = unit(session)
        except Exception as error:
            with suppress(Exception):  # the transaction is undone already, or its connection is gone
                session.control("ROLLBACK")
            if is_driver_error(error):
                raise _UncommittedError(error) from error
            raise
        session.control("COMMIT")
        return result

    def _attempt(self, work: Callable[[Session], T], *, reading: bool = False) -> T:
        deadline = time.monotonic() + _DEADLINE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(work)
            except _Failed as failed:
                if isinstance(failed.error, NotInitializedError) and attempt < ATTEMPTS and self.follow():
                    continue  # undone as a whole, since a statement in it was not understood
                final = attempt == ATTEMPTS or time.monotonic() > deadline
                if failed.fault is DriverFault.LOST and not (reading or failed.unwritten):
                    self._lost_outcomes += 1
                    raise OutcomeUnknownError(
                        "The connection died during a write; it may have been committed."
                    ) from failed.__cause__
                if failed.fault is DriverFault.REFUSED or (
                    final and failed.fault in (DriverFault.STALE, DriverFault.LOST)
                ):
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
        with self._gate:
            return self._work(work)

    def _lend(self) -> PoolProxiedConnection:
        """A connection that was opened after the last one was lost; older ones are closed."""
        if self._closed:
            raise VaultClosedError("The vault was closed.")
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
            fault = connect_fault(error, self.engine)
            forget_password(error)
            raise _Failed(*fault, unwritten=True) from error
        driver = lent.dbapi_connection
        try:
            result = work(
                self._sessions(cursor_of(lent, sqlite=self.sqlite), self.sqlite, self.pooling.prepares, self.texts)
            )
        except BaseException as error:
            unwritten = isinstance(error, _UncommittedError)
            cause = error.cause if isinstance(error, _UncommittedError) else error
            self.pooling.notice(cause)
            failed = _Failed(*translate(cause, driver), unwritten=unwritten) if is_driver_error(cause) else None
            if failed is not None and failed.fault in (DriverFault.LOST, DriverFault.STALE):
                self._generation += 1  # what died once is not lent again, nor what was opened before it
            if self.sqlite:
                close_cursor(lent)
            interrupted = not isinstance(error, Exception)
            self._give_back(lent, clean=not interrupted and self._is_clean(driver))
            if failed is None:
                raise
            raise failed from cause
        self._give_back(lent, clean=True)
        return result

    def _give_back(self, lent: PoolProxiedConnection, *, clean: bool) -> None:
        if self._closed or not clean or lent.info.get(_GENERATION) != self._generation:
            close_cursor(lent)
            lent.invalidate()
        lent.close()

    def _is_clean(self, driver: Any) -> bool:
        """Whether a connection is outside of any transaction and can be lent again."""
        if self.sqlite:
            return not driver.in_transaction
        return not driver.closed and driver.info.transaction_status == 0


class _Failed(Exception):
    """A driver's error on our own connection, classified."""

    def __init__(self, fault: DriverFault, error: StoreError, *, unwritten: bool) -> None:
        super().__init__(str(error))
        self.fault = fault
        self.error = error
        self.unwritten = unwritten
        """Whether nothing can have been committed, although the connection is gone: COMMIT was never sent."""


class _UncommittedError(Exception):
    """A driver's error before COMMIT."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause
