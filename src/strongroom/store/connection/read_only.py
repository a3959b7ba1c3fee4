"""One connection on which nothing can be written, for reading a database as it is found.

Nothing is left behind: no table, no setting beyond the transaction, no prepared statement, no file next to SQLite's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any, Self

from sqlalchemy.engine import Engine
from sqlalchemy.pool import PoolProxiedConnection

from strongroom.errors import StoreError, StoreRefusedError, StoreUnavailableError
from strongroom.store import schema
from strongroom.store.catalog.row_policies import LETS_ALL_PASS
from strongroom.store.connection.connect_errors import connect_fault, forget_password
from strongroom.store.connection.driver_errors import driver_error, is_driver_error, translate
from strongroom.store.connection.engine import ConnectionSettings, read_only_engine
from strongroom.store.connection.qualified import QualifiedTexts
from strongroom.store.connection.read_only_file import ReadOnlyFile
from strongroom.store.connection.session import Row, Session

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_SETTINGS = f"""
SELECT set_config(wanted.name, wanted.setting, true)
  FROM (VALUES ('row_security', (CASE WHEN EXISTS (
                    SELECT 1 FROM pg_class c
                     WHERE c.relname = ANY(%(names)s) AND c.relkind IN ('r', 'p') AND c.relrowsecurity
                       AND row_security_active(c.oid) AND {LETS_ALL_PASS}) THEN 'on' ELSE 'off' END)),
                ('idle_in_transaction_session_timeout', '0'), ('statement_timeout', '0'),
               ('transaction_timeout', '0'), ('cursor_tuple_fraction', '1.0')) AS wanted (name, setting)
  JOIN pg_catalog.pg_settings AS known ON known.name = wanted.name
"""  # noqa: S608 - constants
"""Until the transaction ends: rows that are hidden are an error, and nobody's patience ends a long reading.

With ``row_security = off`` a policy that lets every row pass is an error, too: it stays on for a role that has such
policies. What others hide is not read then, because the catalogue names those tables.
"""
_UNFINISHED = {
    sqlite3.SQLITE_READONLY_ROLLBACK,
    sqlite3.SQLITE_READONLY_RECOVERY,
    sqlite3.SQLITE_READONLY_CANTINIT,
    sqlite3.SQLITE_READONLY_DIRECTORY,
    sqlite3.SQLITE_CANTOPEN,
}


class ReadOnlyDatabase:
    """Reads a database that is not changed by it.

    PostgreSQL: all that is read is one snapshot, in one READ ONLY transaction, which an error ends unless it is
    ``contained``. Row-level security that would hide rows is an error. A standby will do.
    SQLite: the file is opened read-only; each ``read`` is a transaction of its own, so that no writer waits long.
    """

    durable = True
    """Nothing is written, so that nothing has to become durable."""

    def __init__(self, engine: Engine, schema: str | None = None) -> None:
        self.engine = engine
        self.schema = schema
        self.sqlite = engine.dialect.name == "sqlite"
        self._lent: list[PoolProxiedConnection] = []
        self._cursors = count(1)
        self._texts: QualifiedTexts = _EncodedTexts()

    def name_schemas(self, schemas: Mapping[str, str]) -> None:
        """Say in which schema each table is: from now on statements name it."""
        self._texts = _EncodedTexts(schemas)

    @classmethod
    def open(cls, database: str, connections: ConnectionSettings, *, schema: str | None = None) -> Self:
        """Connect to the database that a URL names; close it again.

        Raises UnsupportedDatabaseError, MissingExtraError, NotInitializedError (no file), InsecureFileError,
        InsecureConnectionError, StoreUnavailableError; StoreRefusedError where a crash left a journal that only a
        writer can bring to rest.
        """
        opened = cls(read_only_engine(database, connections), schema)
        try:
            opened._connect()
        except BaseException:
            opened.close()
            raise
        return opened

    def read(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run one SELECT and return its rows. Raises StoreUnavailableError, NotInitializedError, StoreRefusedError."""
        while True:
            try:
                with self._translated():
                    found = self._session.fetch(sql, parameters)
            except StoreError:
                if not self._was_changed():
                    raise
            else:
                if not self._was_changed():
                    return found
                del found
            self._connect()

    def stream(self, sql: str, parameters: Mapping[str, Any], page: int = 500) -> Iterator[Row]:
        """Run one SELECT and yield its rows, ``page`` of them in memory; others may be read meanwhile.

        PostgreSQL keeps the cursor until the rows or the transaction end. On SQLite the file cannot be written until
        the rows end or the iterator is closed: where they are many, read them by key instead.
        """
        pages = self._pages_of_file if self.sqlite else self._pages_of_cursor
        for rows in pages(sql, parameters, page):
            yield from rows
            del rows  # no frame holds a row while the next page is asked for

    @contextmanager
    def contained(self) -> Iterator[None]:
        """Let what fails inside leave the transaction usable. A stream that began inside ends with the failure."""
        if self.sqlite:
            yield
            return
        self._control("SAVEPOINT contained")
        try:
            yield
        except StoreError:
            self._control("ROLLBACK TO SAVEPOINT contained")
            self._control("RELEASE SAVEPOINT contained")
            raise
        self._control("RELEASE SAVEPOINT contained")

    def close(self) -> None:
        """End the transaction and the connection; closing twice is harmless."""
        while self._lent:
            lent = self._lent.pop()
            with suppress(Exception):
                if not self.sqlite:
                    Session(lent.cursor(), self.sqlite, prepare=False).control("ROLLBACK")
            lent.invalidate()
            lent.close()
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _driver(self) -> Any:
        if not self._lent:
            raise StoreRefusedError("The database was closed.", hint="Open it again.")
        return self._lent[-1].dbapi_connection

    @property
    def _session(self) -> Session:
        return Session(self._driver.cursor(), self.sqlite, False, self._texts)

    def _connect(self) -> None:
        """Lend a connection and begin. Streams of one before it may go on: it stays until the end."""
        try:
            self._lent.append(self.engine.raw_connection())
        except Exception as error:
            if self.sqlite or not is_driver_error(error):
                with self._translated():
                    raise
            failed = connect_fault(error, self.engine)[1]
            forget_password(error)
            raise failed from error
        with self._translated():
            if self.sqlite:
                self._control("PRAGMA query_only = ON")
                self._session.fetch("SELECT count(*) FROM sqlite_master", {})
                return
            from strongroom.store.connection.psycopg_loaders import take_any_value

            take_any_value(self._driver)
            self._control(_BEGIN)
            self._session.fetch(_SETTINGS, {"names": [*schema.TABLES, schema.VERSION_TABLE, schema.UNTAGGED_NONCES]})
            if self._driver.info.parameter_status("server_encoding") == "SQL_ASCII":
                self._control("SET LOCAL client_encoding = 'SQL_ASCII'")  # else the server checks what it sends

    def _control(self, sql: str) -> None:
        with self._translated():
            self._session.control(sql)

    def _was_changed(self) -> bool:
        return isinstance(self._driver, ReadOnlyFile) and self._driver.was_changed()

    def _pages_of_cursor(self, sql: str, parameters: Mapping[str, Any], page: int) -> Iterator[list[Row]]:
        name = f"strongroom_{next(self._cursors)}"
        with self._translated():
            self._session.change(f"DECLARE {name} NO SCROLL CURSOR FOR {sql}", parameters)
        while True:
            with self._translated():
                rows = self._session.fetch(f"FETCH FORWARD {page:d} FROM {name}", {})
            is_last = len(rows) < page
            yield rows
            del rows
            if is_last:
                break
        # Not where the caller stops before: the garbage collector may come for this in the middle of a statement.
        self._control(f"CLOSE {name}")

    def _pages_of_file(self, sql: str, parameters: Mapping[str, Any], page: int) -> Iterator[list[Row]]:
        driver = self._driver
        session = Session(driver.cursor(), self.sqlite, prepare=False)
        try:
            with self._translated():
                session.change(sql, parameters)
            while True:
                with self._translated():
                    rows = session.cursor.fetchmany(page)
                if driver.was_changed():
                    raise StoreUnavailableError("The database file was changed while it was read.")
                if not rows:
                    return
                yield rows
                del rows
        finally:
            with suppress(sqlite3.Error):  # the connection was closed before
                session.cursor.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if not is_driver_error(error):
                raise
            driver = self._lent[-1].dbapi_connection if self._lent else None
            raise _error_for(error, driver) from error


class _EncodedTexts(QualifiedTexts):
    """Statements with the catalogue's own words in them, whatever their encoding."""

    def __missing__(self, sql: str) -> Any:
        return self.text_of(sql).encode("utf-8", "surrogateescape")


def _error_for(error: Exception, driver: Any) -> StoreError:
    if getattr(driver_error(error), "sqlite_errorcode", None) in _UNFINISHED:
        return StoreRefusedError(
            "The database file cannot be read without writing: a process that was cut off left a journal, or the "
            "directory does not let SQLite keep one.",
            hint="Let a process that may write the file open it once (such as `strongroom status`), then read again.",
        )
    return translate(error, driver)[1]
