"""Engines: drivers and connection settings. The one place that knows how each is set up."""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import ArgumentError

from strongroom.errors import (
    MissingExtraError,
    StoreRefusedError,
    StoreUnavailableError,
    UnsupportedDatabaseError,
)
from strongroom.host import secret_variables
from strongroom.store.connection.read_only_file import ReadOnlyFile
from strongroom.store.connection.sqlite_trust import require_same, require_trusted_database
from strongroom.store.connection.transport import require_encrypted, require_encrypted_connection
from strongroom.store.connection.urls import parse_url

MARK = "strongroom"
"""The key in a connection's ``info`` that says that it was set up here."""

_engines: set[weakref.ref[Engine]] = set()
_WAL_RESET_FIXED = (3, 51, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """How connections of any engine are made; the fields are those of ``strongroom.settings.Settings``."""

    prepared_statements: bool = True
    connect_timeout_seconds: int = 10
    busy_timeout_seconds: int = 30
    allow_plaintext_postgresql: bool = False


DEFAULTS = ConnectionSettings()


def store_engine(database: str, connections: ConnectionSettings = DEFAULTS, *, pool_size: int = 10) -> Engine:
    """The store's own engine: autocommit, no reset on return, no statements beyond those that are asked for."""
    engine = _create(
        parse_url(database),
        connections,
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


def create_engine(database: str, connections: ConnectionSettings | None = None, **options: Any) -> Engine:
    """Return a SQLAlchemy engine whose connections ``connection=`` takes.

    On SQLite: foreign keys on, transactions that begin IMMEDIATE, a busy timeout, and a journal that survives a
    power cut. On PostgreSQL: psycopg 3. ``connections`` may also be given as its fields among ``options``; all other
    options go to ``sqlalchemy.create_engine``.

    Raises UnsupportedDatabaseError, MissingExtraError; InsecureConnectionError for a server on another machine without
    ``sslmode=require`` or better, unless ``allow_plaintext_postgresql``.
    """
    if connections is None:
        given = {each.name: options.pop(each.name) for each in fields(ConnectionSettings) if each.name in options}
        connections = ConnectionSettings(**given)
    engine = _create(parse_url(database), connections, **options)
    _mind_forks(engine)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "begin")
        def _begin_immediate(connection: sa.Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def read_only_engine(database: str, connections: ConnectionSettings) -> Engine:
    """An engine without a pool whose connections read: a standby will do, and SQLite's file is opened read-only."""
    url = parse_url(database, writing=False)
    options: dict[str, Any] = {"poolclass": sa.NullPool, "isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
    if url.drivername == "sqlite":
        return _create(url, connections, _sqlite_reader, **options)
    return _create(url, connections, **options)


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
    connections: ConnectionSettings,
    sqlite_creator: Callable[[str, int], Callable[[], sqlite3.Connection]] | None = None,
    /,
    **options: Any,
) -> Engine:
    options.setdefault("hide_parameters", True)
    if url.drivername == "sqlite":
        options["creator"] = (sqlite_creator or _sqlite_creator)(str(url.database), connections.busy_timeout_seconds)
        options.setdefault("paramstyle", "named")
    else:
        options.setdefault("use_native_hstore", False)
        options["connect_args"] = {
            "connect_timeout": connections.connect_timeout_seconds,
            "client_encoding": "utf8",
            **({} if connections.prepared_statements else {"prepare_threshold": None}),
            **_withdrawn_password(url),
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

    if engine.dialect.name == "postgresql":
        # SQLAlchemy would ask for it, and for hstore's types, in words that are looked up in search_path.
        engine.dialect._get_default_schema_name = _current_schema  # type: ignore[method-assign]
    must_encrypt = engine.dialect.name == "postgresql" and not connections.allow_plaintext_postgresql
    if must_encrypt:
        require_encrypted(engine, options["connect_args"])

    @event.listens_for(engine, "connect")
    def _mark(driver: Any, record: Any) -> None:
        if must_encrypt:
            require_encrypted_connection(driver)
        record.info[MARK] = True

    return engine


def _current_schema(connection: sa.Connection) -> Any:
    return connection.exec_driver_sql("SELECT pg_catalog.current_schema()").scalar()


def _withdrawn_password(url: URL) -> dict[str, str]:
    """PGPASSWORD for libpq, which would not find it any more; not where a service file may have another one."""
    if not secret_variables.withdrawing() or url.password or {"password", "service"} & set(url.query):
        return {}
    password = None if os.environ.get("PGSERVICE") else secret_variables.read("PGPASSWORD")
    return {} if password is None or not password.reveal() else {"password": password.reveal_text()}


def _sqlite_creator(file: str, busy_timeout_seconds: int) -> Callable[[], sqlite3.Connection]:
    def connect() -> sqlite3.Connection:
        path = Path(file)
        judged = require_trusted_database(path)
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode=rw",
            uri=True,
            timeout=busy_timeout_seconds,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            require_same(path, judged)
            _distrust_schema(connection)
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
        path = Path(file)
        judged = require_trusted_database(path)
        connection = ReadOnlyFile.open(path, busy_timeout_seconds)
        try:
            require_same(path, judged)
            _distrust_schema(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    return connect


def _distrust_schema(connection: sqlite3.Connection) -> None:
    """Views, triggers, CHECKs and indexes of the file call no function that has effects outside of it."""
    connection.execute("PRAGMA trusted_schema = OFF")
