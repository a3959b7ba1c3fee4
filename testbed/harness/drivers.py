"""Watch every statement that goes through sqlite3 or psycopg in this process; the product does not know.

What is watched is a round trip: one ``execute`` of sqlite3, one ``wait`` of psycopg (however many messages it
sends), and a ``commit`` or ``rollback`` that has something to end. Limit: how a ``transaction()`` block of
psycopg ended is not told apart; statements that say COMMIT and ROLLBACK are.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Literal, Protocol
from unittest import mock

import psycopg
from psycopg.pq import TransactionStatus

_WRITES = re.compile(r"\b(insert|update|delete|replace|merge|create|alter|drop|copy)\b", re.IGNORECASE)
_READS = re.compile(r"\s*(select|show|pragma|explain)\b", re.IGNORECASE)
_ROLLS_BACK = re.compile(r"\s*(rollback|abort)\b(?!\s+to\b)", re.IGNORECASE)


class Observer(Protocol):
    """Is told of every statement, in the thread that runs it."""

    def before(self, statement: str) -> None:
        """A statement is about to go to the database."""

    def after(self, statement: str, committed: bool) -> None:
        """It has returned, or raised; ``committed``: with it, something that was written is now durable."""


@contextmanager
def watched(observer: Observer) -> Iterator[None]:
    """Tell ``observer`` of every statement on connections that are opened meanwhile."""
    with ExitStack() as stack:
        for patch in (*_sqlite_patches(observer), *_psycopg_patches(observer)):
            stack.enter_context(patch)
        yield


class _Ledger:
    """Per connection: has something been written that no commit has made durable yet?"""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._unsaved = False

    @contextmanager
    def statement(self, text: str, in_transaction: Callable[[], bool]) -> Iterator[None]:
        self._observer.before(text)
        succeeded = False
        try:
            yield
            succeeded = True
        finally:
            if succeeded and _WRITES.search(text) and not _READS.match(text):
                self._unsaved = True
            idle = not in_transaction()
            committed = succeeded and idle and self._unsaved and not _ROLLS_BACK.match(text)
            if idle:
                self._unsaved = False
            self._observer.after(text, committed)


# --- sqlite3: connections of a subclass, since the C types cannot be patched --------------------------------


def _sqlite_patches(observer: Observer) -> Iterator[Any]:
    genuine = sqlite3.connect

    def connect(*args: Any, factory: type[sqlite3.Connection] = sqlite3.Connection, **options: Any) -> Any:
        return genuine(*args, factory=_watched_connection_class(factory, observer), **options)

    # The same function under two names; SQLAlchemy uses the second.
    for module in ("sqlite3", "sqlite3.dbapi2"):
        yield mock.patch(f"{module}.connect", connect)


def _watched_connection_class(base: type[sqlite3.Connection], observer: Observer) -> type[sqlite3.Connection]:
    class WatchedConnection(base):  # type: ignore[valid-type, misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.truth = _Ledger(observer)

        def cursor(self, factory: type[sqlite3.Cursor] = sqlite3.Cursor) -> Any:
            return super().cursor(_watched_cursor_class(factory))

        def execute(self, sql: str, *args: Any) -> Any:
            return self.cursor().execute(sql, *args)

        def executemany(self, sql: str, *args: Any) -> Any:
            return self.cursor().executemany(sql, *args)

        def executescript(self, sql: str) -> Any:
            return self.cursor().executescript(sql)

        def commit(self) -> None:
            self._end("COMMIT", super().commit)

        def rollback(self) -> None:
            self._end("ROLLBACK", super().rollback)

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            trace: TracebackType | None,
            /,
        ) -> Literal[False]:
            (self.commit if kind is None else self.rollback)()
            return False

        def _end(self, text: str, body: Callable[[], None]) -> None:
            if not self.in_transaction:
                return body()
            with self.truth.statement(text, lambda: self.in_transaction):
                return body()

    return WatchedConnection


def _watched_cursor_class(base: type[sqlite3.Cursor]) -> type[sqlite3.Cursor]:
    class WatchedCursor(base):  # type: ignore[valid-type, misc]
        def execute(self, sql: str, *args: Any) -> Any:
            with self._statement(sql):
                return super().execute(sql, *args)

        def executemany(self, sql: str, *args: Any) -> Any:
            with self._statement(sql):
                return super().executemany(sql, *args)

        def executescript(self, sql: str) -> Any:
            with self._statement(sql):
                return super().executescript(sql)

        def _statement(self, sql: str) -> Any:
            connection = self.connection
            return connection.truth.statement(sql, lambda: connection.in_transaction)

    return WatchedCursor


# --- psycopg: whatever goes to the server goes through Connection.wait --------------------------------------


class _Current(threading.local):
    statement: str | None = None
    lazy: str | None = None
    """The text of a ``stream`` or ``copy``, whose body runs after the call."""
    silent: bool = False


def _psycopg_patches(observer: Observer) -> Iterator[Any]:
    current = _Current()
    genuine_wait = psycopg.Connection.wait

    def in_transaction(connection: psycopg.Connection[Any]) -> bool:
        return connection.pgconn.transaction_status not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)

    def wait(connection: psycopg.Connection[Any], *args: Any, **options: Any) -> Any:
        if current.silent:
            return genuine_wait(connection, *args, **options)
        truth = connection.__dict__.setdefault("_harness_ledger", _Ledger(observer))
        text = current.statement or current.lazy or "(protocol)"
        with truth.statement(text, lambda: in_transaction(connection)):
            return genuine_wait(connection, *args, **options)

    def named(genuine: Callable[..., Any], text: str | None = None) -> Callable[..., Any]:
        def method(self: Any, *args: Any, **options: Any) -> Any:
            outer, current.statement = current.statement, text or _as_text(self, args, options)
            current.lazy = current.statement if genuine.__name__ in ("stream", "copy") else None
            try:
                return genuine(self, *args, **options)
            finally:
                current.statement = outer

        return method

    def silent(genuine: Callable[..., Any], only_when_idle: bool = False) -> Callable[..., Any]:
        def method(self: Any, *args: Any, **options: Any) -> Any:
            outer, current.silent = current.silent, not (only_when_idle and in_transaction(self))
            try:
                return genuine(self, *args, **options)
            finally:
                current.silent = outer

        return method

    yield mock.patch.object(psycopg.Connection, "wait", wait)
    for cursor in (psycopg.Cursor, psycopg.ServerCursor):
        for name in ("execute", "executemany", "stream", "copy"):
            if name in cursor.__dict__:
                yield mock.patch.object(cursor, name, named(getattr(cursor, name)))
    for name in ("commit", "rollback"):
        ending = named(getattr(psycopg.Connection, name), name.upper())
        yield mock.patch.object(psycopg.Connection, name, silent(ending, only_when_idle=True))
    for name in ("set_autocommit", "set_isolation_level", "set_read_only", "set_deferrable"):
        yield mock.patch.object(psycopg.Connection, name, silent(getattr(psycopg.Connection, name)))


def _as_text(cursor: Any, args: tuple[Any, ...], options: dict[str, Any]) -> str:
    query = args[0] if args else options.get("query", options.get("statement", ""))
    if isinstance(query, str):
        return query
    if isinstance(query, bytes):
        return query.decode(errors="replace")
    return str(query.as_string(cursor))
