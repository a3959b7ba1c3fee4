"""Engines: drivers and connection settings. The one place that knows how each is set up."""

from __future__ import annotations

import os
import sqlite3
import stat
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import ArgumentError

from strongroom.errors import (
    InsecureFileError,
    MissingExtraError,
    NotInitializedError,
    StoreRefusedError,
    StoreUnavailableError,
    UnsupportedDatabaseError,
)
from strongroom.store.read_only_file import ReadOnlyFile
from strongroom.store.urls import parse_url

MARK = "strongroom"
"""The key in a connection's ``info`` that says that it was set up here."""

_engines: set[weakref.ref[Engine]] = set()
_WAL_RESET_FIXED = (3, 51, 3)


def store_engine(
    database: str,
    *,
    prepared_statements: bool = True,
    pool_size: int = 10,
    connect_timeout_seconds: int = 10,
    busy_timeout_seconds: int = 30,
) -> Engine:
    """The store's own engine: autocommit, no reset on return, no statements beyond those that are asked for."""
    engine = _create(
        parse_url(database),
        prepared_statements,
        connect_timeout_seconds,
        busy_timeout_seconds,
        pool_size=pool_size,
        max_overflow=0,
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,
    )
    _mind_forks(engine)
    return engine


def _mind_forks(engine: Engine) -> None:
    _engines.add(weakref.ref(engine, _engines.discard))


def _forget_connections() -> None:
    """In a forked child: the parent's connections are the parent's."""
    for engine in tuple(_engines):
        inherited = engine()
        if inherited is not None:
            inherited.dispose(close=False)


if hasattr(os, "register_at_fork"):  # once: what is registered here is never forgotten
    os.register_at_fork(after_in_child=_forget_connections)


def create_engine(
    database: str,
    *,
    prepared_statements: bool = True,
    connect_timeout_seconds: int = 10,
    busy_timeout_seconds: int = 30,
    **options: Any,
) -> Engine:
    """Return a SQLAlchemy engine whose connections ``connection=`` takes.

    On SQLite: foreign keys on, transactions that begin IMMEDIATE, a busy timeout, and a journal that survives a
    power cut. On PostgreSQL: psycopg 3. Other ``options`` go to ``sqlalchemy.create_engine``.

    Raises UnsupportedDatabaseError, MissingExtraError.
    """
    engine = _create(parse_url(database), prepared_statements, connect_timeout_seconds, busy_timeout_seconds, **options)
    _mind_forks(engine)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "begin")
        def _begin_immediate(connection: sa.Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def read_only_engine(
    database: str, *, prepared_statements: bool, connect_timeout_seconds: int, busy_timeout_seconds: int
) -> Engine:
    """An engine without a pool whose connections read: a standby will do, and SQLite's file is opened read-only."""
    url = parse_url(database, writing=False)
    options: dict[str, Any] = {"poolclass": sa.NullPool, "isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
    if url.drivername == "sqlite":
        return _create(
            url, prepared_statements, connect_timeout_seconds, busy_timeout_seconds, _sqlite_reader, **options
        )
    options.update(use_native_hstore=False)
    return _create(url, prepared_statements, connect_timeout_seconds, busy_timeout_seconds, **options)


def create_file(database: str) -> None:
    """Create an empty SQLite file that only its owner can read, and its directory; nothing for other engines."""
    url = parse_url(database)
    if url.drivername != "sqlite":
        return
    path = Path(str(url.database))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreRefusedError(
            f"The database {path} cannot be made: {os.strerror(error.errno or 0)}.",
            hint="Check that its directory exists and can be written.",
        ) from error


def _create(
    url: URL,
    prepared_statements: bool,
    connect_timeout_seconds: int,
    busy_timeout_seconds: int,
    sqlite_creator: Callable[[str, int], Callable[[], sqlite3.Connection]] | None = None,
    /,
    **options: Any,
) -> Engine:
    options.setdefault("hide_parameters", True)
    if url.drivername == "sqlite":
        options["creator"] = (sqlite_creator or _sqlite_creator)(str(url.database), busy_timeout_seconds)
        options.setdefault("paramstyle", "named")
    else:
        options["connect_args"] = {
            "connect_timeout": connect_timeout_seconds,
            "client_encoding": "utf8",
            **({} if prepared_statements else {"prepare_threshold": None}),
            **options.get("connect_args", {}),
        }
    try:
        engine = sa.create_engine(url, **options)
    except (ArgumentError, ValueError, sa.exc.NoSuchModuleError):
        raise UnsupportedDatabaseError("The database URL cannot be used.") from None
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "PostgreSQL needs the driver psycopg.", hint="Run: pip install 'strongroom[postgresql]'"
        ) from error

    @event.listens_for(engine, "connect")
    def _mark(_: Any, record: Any) -> None:
        record.info[MARK] = True

    return engine


def _sqlite_creator(file: str, busy_timeout_seconds: int) -> Callable[[], sqlite3.Connection]:
    def connect() -> sqlite3.Connection:
        path = Path(file)
        _refuse_insecure(path)
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode=rw",
            uri=True,
            timeout=busy_timeout_seconds,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            # Before 3.51.3 a reset of the write-ahead log could corrupt the database: use the rollback journal.
            journal, synchronous = (
                ("wal", "FULL") if sqlite3.sqlite_version_info >= _WAL_RESET_FIXED else ("delete", "EXTRA")
            )
            (found,) = connection.execute(f"PRAGMA journal_mode = {journal}").fetchone()
            if found != journal:
                raise StoreUnavailableError(
                    f"The database's journal is {found} and cannot become {journal} while others use the database.",
                    hint="Close the other processes, or give all of them the same version of SQLite.",
                )
            connection.execute(f"PRAGMA synchronous = {synchronous}")
        except BaseException:
            connection.close()
            raise
        return connection

    return connect


def _sqlite_reader(file: str, busy_timeout_seconds: int) -> Callable[[], sqlite3.Connection]:
    def connect() -> sqlite3.Connection:
        _refuse_insecure(Path(file))
        return ReadOnlyFile.open(Path(file), busy_timeout_seconds)

    return connect


def _refuse_insecure(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise NotInitializedError(f"There is no database {path}.") from None
    except OSError as error:
        raise InsecureFileError(
            f"The database {path} cannot be looked at: {os.strerror(error.errno or 0)}.",
            hint="Check the directories above it.",
        ) from error
    if stat.S_IMODE(mode) & 0o077:
        raise InsecureFileError(f"The database {path} can be read by others.", hint=f"Run: chmod 600 {path}")
    directory = path.parent.stat().st_mode
    if directory & stat.S_IWOTH and not directory & stat.S_ISVTX:
        raise InsecureFileError(
            f"Everybody may replace files in {path.parent}, where the database is.",
            hint=f"Run: chmod o-w {path.parent}",
        )
