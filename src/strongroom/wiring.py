"""From settings to an open vault: the only place that names adapters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from strongroom.errors import RootKeyMissingError, SchemaVersionError
from strongroom.networks import TABLE
from strongroom.ports import RootKey
from strongroom.rootkeys import open_root_key
from strongroom.settings import Settings
from strongroom.store import engine as engines
from strongroom.store import schema
from strongroom.store.database import Database
from strongroom.store.guard.installer import Guard
from strongroom.store.migrate import upgrade
from strongroom.store.profile import Profile, read_profile
from strongroom.store.sql_store import SqlStore
from strongroom.usecases import initialise
from strongroom.usecases.parts import Parts
from strongroom.vault import Vault


class InitResult(NamedTuple):
    """What ``init_vault`` returns: the open vault, and whether this call created its keyring."""

    vault: Vault
    created: bool
    migrated: bool = False
    """Whether this call brought an older schema up to date."""


def open_vault(settings: Settings) -> Vault:
    """Open a vault that was initialised; see strongroom.open."""
    return Vault(open_parts(settings))


def open_parts(settings: Settings) -> Parts:
    """What an open vault is made of: for those who work on its database beside its verbs."""
    root_key = _root_key(settings)
    database = _database(settings)
    try:
        profile = read_profile(database)
        profile.require_usable()
        store = SqlStore(database, profile)
        keyring = initialise.open_keyring(store, root_key)
    except BaseException:
        database.close()
        raise
    return Parts(store, keyring, TABLE, _now, root_key, open_root_key)


def init_vault(settings: Settings) -> InitResult:
    """Make schema and keyring where they are missing, then open; see strongroom.init."""
    root_key = _root_key(settings)
    initialise.try_root_key(root_key)
    engines.create_file(settings.database)
    database = _database(settings)
    try:
        before = read_profile(database).version
        profile = _migrated(settings, database)
        profile.require_usable()
        store = SqlStore(database, profile)
        keyring, created = initialise.create_keyring(store, root_key, _now)
    except BaseException:
        database.close()
        raise
    migrated = before is not None and before != profile.version
    return InitResult(Vault(Parts(store, keyring, TABLE, _now, root_key, open_root_key)), created, migrated)


def open_guard(settings: Settings) -> Guard:
    """Open what installs the guard in an initialised database: no root key is asked for, because no key is opened.

    Raises as strongroom.open does for the database.
    """
    database = _database(settings)
    try:
        profile = read_profile(database)
        profile.require_usable()
        return Guard(database, profile)
    except BaseException:
        database.close()
        raise


def _migrated(settings: Settings, database: Database) -> Profile:
    profile = read_profile(database)
    profile.require_adoptable()
    profile.require_durable()
    if profile.version is not None and profile.version not in schema.MIGRATIONS:
        raise SchemaVersionError(
            f"The schema is at migration {profile.version}, which this version of strongroom does not know."
        )
    if profile.version == schema.HEAD:
        return profile
    migrator = engines.create_engine(
        settings.database,
        prepared_statements=settings.prepared_statements,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        busy_timeout_seconds=settings.busy_timeout_seconds,
    )
    try:
        upgrade(migrator)
    finally:
        migrator.dispose()
    return read_profile(database)


def _root_key(settings: Settings) -> RootKey:
    if settings.root_key is None:
        raise RootKeyMissingError(
            "No root key is configured.",
            hint="Set STRONGROOM_ROOT_KEY or root_key in strongroom.toml, such as file:root.key",
        )
    return open_root_key(settings.root_key)


def _database(settings: Settings) -> Database:
    engine = engines.store_engine(
        settings.database,
        prepared_statements=settings.prepared_statements,
        pool_size=settings.pool_size,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        busy_timeout_seconds=settings.busy_timeout_seconds,
    )
    return Database(engine, prepared_statements=settings.prepared_statements)


def _now() -> datetime:
    return datetime.now(UTC)
