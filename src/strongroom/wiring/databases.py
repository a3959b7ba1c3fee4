"""From settings to databases: the one place where settings become engines, connections and profiles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Engine

from strongroom.settings import Settings
from strongroom.store.catalog.profile import Profile, read_profile
from strongroom.store.connection import engine as engines
from strongroom.store.connection.database import Database
from strongroom.store.connection.engine import ConnectionSettings
from strongroom.store.connection.read_only import ReadOnlyDatabase


def connections_of(settings: Settings) -> ConnectionSettings:
    """How connections are made, as the settings say it."""
    return ConnectionSettings(
        prepared_statements=settings.prepared_statements,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        busy_timeout_seconds=settings.busy_timeout_seconds,
        allow_plaintext_postgresql=settings.allow_plaintext_postgresql,
    )


def open_database(settings: Settings, *, pool_size: int | None = None) -> Database:
    """The database that the settings name, with a pool of connections; the first one is made when it is needed."""
    size = settings.pool_size if pool_size is None else pool_size
    engine = engines.store_engine(settings.database, connections_of(settings), pool_size=size)
    return Database(engine, prepared_statements=settings.prepared_statements, schema=settings.schema)


@contextmanager
def opening(settings: Settings) -> Iterator[Database]:
    """The database that the settings name, for an opener that returns what uses it; closed where that fails."""
    database = open_database(settings)
    try:
        yield database
    except BaseException:
        database.close()
        raise


def usable_profile(database: Database) -> Profile:
    """What the catalogue says, where a vault can be opened on it. Raises as strongroom.open does for the database."""
    profile = read_profile(database)
    profile.require_usable()
    return profile


def open_for_reading(settings: Settings) -> ReadOnlyDatabase:
    """The database on one connection that writes nothing: one snapshot on PostgreSQL. Errors are ``open``'s."""
    return ReadOnlyDatabase.open(settings.database, connections_of(settings), schema=settings.schema)


@contextmanager
def schema_engine(settings: Settings) -> Iterator[Engine]:
    """The engine that schema changes of strongroom's own tables run on."""
    engine = engines.create_engine(settings.database, connections_of(settings))
    try:
        yield engine
    finally:
        engine.dispose()
