"""From settings to changed schemas of strongroom's own tables: brought up to date, or moved."""

from __future__ import annotations

from strongroom.errors import ForeignSchemaError, NotInitializedError, SchemaRefusedError, SchemaVersionError
from strongroom.settings import Settings
from strongroom.store import schema
from strongroom.store.catalog.profile import Profile, read_profile
from strongroom.store.catalog.project_ids import require_project_ids
from strongroom.store.connection.database import Database
from strongroom.store.guard.installer import Guard
from strongroom.store.guard.names import Script
from strongroom.store.migrations.migrate import upgrade
from strongroom.store.migrations.schema_move import move_tables, tables_that_move
from strongroom.wiring.databases import schema_engine


def brought_up_to_date(settings: Settings, database: Database, *, another_vault: bool = False) -> Profile:
    """Make strongroom's own tables where they are missing or older, and read the profile that results.

    ``another_vault``: also next to a vault that is in another schema.

    Raises ForeignSchemaError, NotDurableError, SchemaVersionError, StoreError; each migration is done whole or not.
    """
    profile = read_profile(database)
    profile.require_adoptable(another_vault=another_vault)
    profile.require_durable()
    if profile.version is not None and profile.version not in schema.MIGRATIONS:
        raise SchemaVersionError(
            f"The schema is at migration {profile.version}, which this version of strongroom does not know."
        )
    if profile.version is None:
        require_project_ids(database, profile.foreign)
    if profile.version == schema.HEAD:
        return profile
    with schema_engine(settings) as engine:
        upgrade(engine, profile.schemas)
    return read_profile(database)


def moved(settings: Settings, database: Database, to: str) -> bool:
    """Move the tables, the guard with them; False where they are there. Of two callers one finds them moved."""
    while True:
        profile = read_profile(database)
        if profile.location is None:
            raise SchemaRefusedError("A file of SQLite has no schemas: there is nothing to move.")
        if profile.location.home == to:
            return False
        guard = _guard_around_move(database, profile, to)
        try:
            with schema_engine(settings) as engine:
                move_tables(engine, profile, to, guard)
        except NotInitializedError:
            if database.schema is not None or read_profile(database).location == profile.location:
                raise
            continue
        database.schema = to
        return True


def _guard_around_move(database: Database, profile: Profile, to: str) -> tuple[Script, Script] | None:
    try:
        guard = Guard(database, profile)
    except ForeignSchemaError:  # of ids that are no UUIDs: there is none
        return None
    return guard.scripts_around_move({**profile.schemas, **dict.fromkeys(tables_that_move(profile), to)})
