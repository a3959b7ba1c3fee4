"""A caller's own connection: whether a wallet can be written in its transaction, and how that is done.

Each verb runs in a SAVEPOINT of the caller's transaction. SQLAlchemy's connections open it themselves, so that their
bookkeeping stays right, and one whose statement was cancelled is invalidated by them; on a driver's own connection it
is written out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import MissingGreenlet

from strongroom.errors import (
    ConnectionNotSupportedError,
    FailedTransactionError,
    NotInitializedError,
    ReadOnlyStoreError,
    ReadOnlyTransactionError,
    RetryTransactionError,
    VaultClosedError,
)
from strongroom.store.connection.caller_drivers import (
    AsyncpgSession,
    AsyncPsycopgSession,
    LostSocketError,
    Psycopg2Session,
    is_of_asyncpg_itself,
    open_psycopg2_cursor,
    require_drivers_own_codecs,
)
from strongroom.store.connection.caller_sessions import ON_LOOP, told_of_session
from strongroom.store.connection.cursors import reading
from strongroom.store.connection.database import Database
from strongroom.store.connection.driver_errors import DriverFault, is_driver_error, is_of_failed_transaction, translate
from strongroom.store.connection.engine import MARK
from strongroom.store.connection.session import Row, Session
from strongroom.store.connection.session_database import RunningTransaction

T = TypeVar("T")
SAVEPOINT = "strongroom_caller"
_DRIVERS = ("psycopg", "psycopg_async", "asyncpg", "psycopg2")
_TAKES = "Pass a connection of SQLAlchemy, psycopg or psycopg2; AsyncVault takes AsyncSession and AsyncConnection."
_IDLE = 0


class CallersDatabase(RunningTransaction):
    """The vault's database as a caller's transaction sees it: what ``Database`` does, on the caller's connection."""

    def __init__(self, own: Database, connection: Any) -> None:
        if own.closed:
            raise VaultClosedError("The vault was closed.")
        super().__init__(own)
        self.connection = _plain(connection)

    def read(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run one SELECT in a SAVEPOINT."""
        with self.session() as session:
            return session.fetch(sql, parameters)

    def write_statement(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run one writing statement in a SAVEPOINT; it is as durable as the caller's commit."""
        return self.read(sql, parameters)

    def transact(self, unit: Callable[[Session], T]) -> T:
        """Run ``unit`` in a SAVEPOINT. Raising inside it rolls back to that."""
        with self.session() as session:
            return unit(session)

    def run_key_work(self, work: Callable[[], T]) -> T:
        """Run work that needs no database: in a thread where the caller's loop runs the statements, else here."""
        if not isinstance(self.connection, sa.Connection) or not self.connection.dialect.is_async:
            return work()
        _require(self.connection, self.engine)
        from anyio import to_thread

        return self.connection.connection.run_async(lambda _: to_thread.run_sync(work))  # type: ignore[no-any-return]

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session in a SAVEPOINT of the caller's transaction; errors for one who cannot run it again."""
        _require(self.connection, self.engine)
        try:
            with self._savepoint() as session:
                yield session
        except sa.exc.InvalidRequestError as error:
            raise RetryTransactionError("The caller's transaction has ended or must be rolled back.") from error
        except Exception as error:
            if not is_driver_error(error):
                raise
            if is_of_failed_transaction(error):
                raise FailedTransactionError("The caller's transaction had failed before this call.") from error
            fault, translated = translate(error)
            self.own.pooling.notice(error)
            if isinstance(translated, ReadOnlyStoreError):  # it stays read-only however often the caller runs it
                raise ReadOnlyTransactionError("The caller's transaction is read-only; nothing was written.") from error
            moved = isinstance(translated, NotInitializedError) and self.own.follow()
            if fault is DriverFault.REFUSED and not moved:
                raise translated from error
            raise RetryTransactionError(
                "The caller's transaction met a deadlock, a conflict, a lost connection, or tables that were moved."
            ) from error

    @contextmanager
    def _savepoint(self) -> Iterator[Session]:
        connection = self.connection
        if isinstance(connection, sa.Connection):
            yield from self._savepoint_of_sqlalchemy(connection)
            return
        session = self._of_driver(connection)
        session.control(f"SAVEPOINT {SAVEPOINT}")
        try:
            yield session
        except BaseException:
            with suppress(Exception):  # the connection is gone, and with it the transaction
                session.control(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}")
                session.control(f"RELEASE SAVEPOINT {SAVEPOINT}")
            raise
        session.control(f"RELEASE SAVEPOINT {SAVEPOINT}")

    def _savepoint_of_sqlalchemy(self, connection: sa.Connection) -> Iterator[Session]:
        try:
            savepoint = connection.begin_nested()
        except Exception as error:
            if not is_of_asyncpg_itself(error):
                raise
            connection.invalidate()  # else SQLAlchemy, which does not know what it means, goes on with it
            raise LostSocketError from error
        try:
            yield self._of_sqlalchemy(connection)
        except Exception:
            savepoint.rollback()
            raise
        except BaseException:
            # Cancelled: what the server is doing is not known, and each further await may be cancelled as well.
            connection.invalidate()
            raise
        savepoint.commit()

    def _of_sqlalchemy(self, connection: sa.Connection) -> Session:
        lent, driver = connection.connection, connection.dialect.driver
        own = self.own
        if driver == "asyncpg":
            require_drivers_own_codecs(lent)
            return AsyncpgSession(lent, False, own.pooling.prepares, own.texts)
        if connection.dialect.is_async:
            return AsyncPsycopgSession(lent, False, own.pooling.prepares, own.texts)
        if own.sqlite:
            return Session(lent.cursor(), True, False, own.texts)
        return self._of_driver(lent.dbapi_connection)

    def _of_driver(self, driver: Any) -> Session:
        own = self.own
        if _is_psycopg2(driver):
            return Psycopg2Session(open_psycopg2_cursor(driver), False, False, own.texts)
        import psycopg
        from psycopg.rows import tuple_row

        return Session(reading(psycopg.Cursor(driver, row_factory=tuple_row)), False, own.pooling.prepares, own.texts)


def _plain(connection: Any) -> Any:
    """The connection of a SQLAlchemy session in its transaction; anything else as it is."""
    orm = sys.modules.get("sqlalchemy.orm")
    if orm is not None and isinstance(connection, (orm.Session, orm.scoped_session)):
        with told_of_session():
            return connection.connection()
    return connection


def _require(connection: Any, engine: Engine) -> None:
    """Refuse one that would hold nothing, or is not of the vault's kind. Raises ConnectionNotSupportedError."""
    if isinstance(connection, sa.Connection):
        _require_sqlalchemy(connection, engine)
        return
    if type(connection).__module__.partition(".")[0] == "asyncpg" or hasattr(connection, "__aenter__"):
        raise ConnectionNotSupportedError(
            "connection= is of an asynchronous kind that this verb cannot use.", hint=ON_LOOP
        )
    if engine.dialect.name != "postgresql" or not (_is_psycopg(connection) or _is_psycopg2(connection)):
        raise ConnectionNotSupportedError("connection= is not of a type that strongroom takes.", hint=_TAKES)
    status = connection.info.transaction_status
    if connection.closed or (connection.autocommit and status == _IDLE):
        raise _holds_nothing()


def _require_sqlalchemy(connection: sa.Connection, engine: Engine) -> None:
    ours, theirs = engine.dialect, connection.dialect
    known = (ours.driver,) if ours.name == "sqlite" else _DRIVERS
    if ours.name != theirs.name or theirs.driver not in known:
        raise ConnectionNotSupportedError(
            "connection= is of another kind of database than the vault, or of a driver that strongroom does not know.",
            hint="Drivers on PostgreSQL: postgresql+psycopg, postgresql+asyncpg, postgresql+psycopg2; "
            "on SQLite: strongroom.create_engine().",
        )
    sqlite = ours.name == "sqlite"
    try:
        if connection.closed or _is_autocommit(connection, sqlite):
            raise _holds_nothing()
        if theirs.is_async:
            connection.connection.run_async(_nothing)
    except MissingGreenlet as error:
        raise ConnectionNotSupportedError(
            "connection= is an asynchronous engine's, and this is not its run_sync.", hint=ON_LOOP
        ) from error
    except sa.exc.InvalidRequestError as error:  # invalidated, or its transaction has failed
        raise RetryTransactionError("The caller's transaction has ended or must be rolled back.") from error
    if sqlite and MARK not in connection.info:
        raise ConnectionNotSupportedError("On SQLite, connection= must come from strongroom.create_engine().")


async def _nothing(_driver: Any) -> None:
    """Awaited to see whether anything can be awaited here."""


def _holds_nothing() -> ConnectionNotSupportedError:
    return ConnectionNotSupportedError("connection= is closed or in autocommit mode: nothing would hold it.")


def _is_autocommit(connection: sa.Connection, sqlite: bool) -> bool:
    if sqlite:
        return connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
    return bool(connection.connection.dbapi_connection.autocommit)  # type: ignore[union-attr]


def _is_psycopg(connection: Any) -> bool:
    import psycopg

    return isinstance(connection, psycopg.Connection)


def _is_psycopg2(connection: Any) -> bool:
    known = sys.modules.get("psycopg2.extensions")
    return known is not None and isinstance(connection, known.connection)
