"""What the catalogue says about a database, read once when a store is opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

from strongroom.errors import (
    ForeignSchemaError,
    NotDurableError,
    NotInitializedError,
    RowsHiddenError,
    SchemaVersionError,
    UpgradeNeededError,
)
from strongroom.store import schema
from strongroom.store.catalog.foreign_schema import CREDENTIALS, TABLES, VAULT, ForeignSchema, read_foreign_schema
from strongroom.store.catalog.location import (
    Location,
    locate,
    require_existing,
    require_named,
    wallet_schemas,
)
from strongroom.store.catalog.lost_tables import lacks_tables, require_present, require_version_table
from strongroom.store.catalog.planted import FoundTable, PlantedTable, find_sqlite_tables, find_tables
from strongroom.store.catalog.sharding import is_distributed
from strongroom.store.catalog.wallet_functions import FoundFunction, read_wallet_functions
from strongroom.store.connection.database import CatalogueReader, Database

_POSTGRESQL_SETTINGS = """
SELECT name, setting FROM pg_catalog.pg_settings
 WHERE name IN ('server_version', 'fsync', 'full_page_writes', 'synchronous_commit')
 UNION ALL SELECT 'is_superuser', pg_catalog.current_setting('is_superuser')
 UNION ALL SELECT 'citus', 'on' FROM pg_catalog.pg_class WHERE relname = 'pg_dist_partition'
   AND relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'pg_catalog')
"""
_VERSION = f"SELECT version_num FROM {schema.VERSION_TABLE}"  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class Profile:
    """The tables of ours that exist, and the settings that decide whether commits last."""

    engine: str
    tables: frozenset[str]
    version: str | None
    unlogged: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    durability: Mapping[str, str] = field(default_factory=dict)
    untagged_nonces: bool = False
    """Whether nonces that an older version wrote down wait for `strongroom upgrade`."""
    superuser: bool = False
    """Whether the role in use is a superuser of the server."""
    foreign: ForeignSchema | None = None
    """What the legacy application's wallet tables look like; None where they are ours."""
    schemas: Mapping[str, str] = field(default_factory=dict)
    """The schema that each table is in, or would be made in; empty on SQLite."""
    planted: tuple[PlantedTable, ...] = ()
    """What has the name of a table of ours and is not believed to be one: it is never read."""
    location: Location | None = None
    """In which schema the vault is, or would be made; None on SQLite."""
    sharded: bool = False
    """Whether the tables are divided by project: partitioned, or distributed over nodes."""
    distributed: bool = False
    """Whether Citus distributes them over nodes."""
    functions: tuple[FoundFunction, ...] = ()
    """What has the name of the function that writes a wallet on its node; none where Citus distributes nothing."""
    citus: bool = False
    """Whether the server has Citus, whatever it distributes."""
    wallets_elsewhere: tuple[str, ...] = ()
    """Where no wallet tables were found: the schemas that have some."""

    @property
    def generation(self) -> str:
        """``fresh``, or the generation of an existing schema."""
        return "fresh" if self.foreign is None else self.foreign.generation

    def require_adoptable(self, *, another_vault: bool = False) -> None:
        """Raise RowsHiddenError, or ForeignSchemaError where wallet tables cannot be used as they are.

        ``another_vault``: a vault may be made next to those that are in other schemas, with wallet tables of its own.
        """
        require_version_table(self)
        require_named(self.location, self.schemas, self.wallets_elsewhere, another_vault=another_vault)
        if self.hidden:
            raise RowsHiddenError(
                f"Row-level security applies to this role on: {', '.join(self.hidden)}. "
                "It could hide wallets, so that they would be created again."
            )
        planted = sorted(f"{each.name} of {each.owner}" for each in self.planted if each.name != schema.UNTAGGED_NONCES)
        if planted:
            raise ForeignSchemaError(
                f"Tables have the names of strongroom's, and are not believed to be its own: {', '.join(planted)}. "
                "Nothing was read from them, and nothing was changed.",
                hint="Look at who made them; drop them, or give them to the owner of strongroom's other tables. A "
                "vault whose schema belongs to another role is believed where the setting names it: --schema NAME.",
            )
        require_present(self)
        if self.foreign is not None:
            self.foreign.require_wallets()
            self.foreign.require_columns(all_of=self.version is None)
        strangers = self.tables - {schema.VERSION_TABLE} - set(TABLES if self.foreign else ())
        if self.version is None and strangers:
            raise ForeignSchemaError(
                f"The database has tables that strongroom did not create: {', '.join(sorted(strangers))}. "
                "Nothing was changed."
            )

    def require_examinable(self) -> None:
        """Raise NotInitializedError or ForeignSchemaError where there are no wallet tables that could be read."""
        require_version_table(self)
        if CREDENTIALS not in self.tables or (self.location is not None and self.location.named):
            require_named(self.location, self.schemas, self.wallets_elsewhere)
        require_existing(self.location, self.schemas, CREDENTIALS in self.tables)
        require_present(self)
        if CREDENTIALS not in self.tables:
            raise NotInitializedError(
                "The database has no table project_credentials: there are no wallets in it.",
                hint="Check the URL and the search_path; `strongroom init` makes a vault where there is none. If "
                "there was one, restore its newest backup instead: `strongroom docs operations`.",
            )
        if self.engine.startswith("SQLite") and self.version is None:
            raise ForeignSchemaError(
                "The database has wallet tables that strongroom did not create; on SQLite they are not supported."
            )

    def require_usable(self) -> None:
        """Raise where strongroom must not work: no schema, another version, hidden rows, lost commits."""
        self.require_adoptable()
        if self.version is None:
            raise NotInitializedError("The database is not initialised.")
        if self.version != schema.HEAD:
            message = f"The schema is at migration {self.version}, this version of strongroom needs {schema.HEAD}."
            if self.version in schema.MIGRATIONS:
                raise UpgradeNeededError(message)
            raise SchemaVersionError(message)
        require_present(self)
        self.require_durable()

    def require_durable(self) -> None:
        """Raise NotDurableError where a crash of the server would lose committed wallets."""
        if self.durability.get("fsync") == "off":
            raise NotDurableError("The server runs with fsync = off: a crash would lose committed wallets.")
        if self.unlogged:
            raise NotDurableError(f"These tables are unlogged, a crash would empty them: {', '.join(self.unlogged)}.")

    def warnings(self) -> tuple[str, ...]:
        """What works, and should not stay as it is."""
        found = []
        if self.durability.get("synchronous_commit") == "off":
            found.append(
                "synchronous_commit is off: strongroom's own commits wait for the disk nevertheless; a crash of the "
                "server loses the last moments of everybody else's, and of those of a caller's own transaction."
            )
        if self.superuser:
            found.append(
                "The role in use is a superuser: anyone who runs code in its sessions, such as a function or an "
                "operator "
                "of another role, has the whole server. Give strongroom a role that owns its tables, and no more."
            )
        if self.foreign is not None:
            found += [remark for _, remark in self.foreign.words_missing()]
        return tuple(found)


def read_profile(database: CatalogueReader) -> Profile:
    """Read the catalogue: a few statements, nothing is written.

    Here alone search_path counts, with the setting ``schema``: they say which tables are the vault's (``location``).
    From then on ``database`` names the schemas that they were found in. Where the tables are made, or moved to another
    schema, between two of the statements, all are asked again.
    """
    profile = _read_profile(database)
    # Nothing is said to be lost that was seen so once: another process may have committed its tables meanwhile.
    return _read_profile_once(database) if lacks_tables(profile) else profile


def _read_profile(database: CatalogueReader) -> Profile:
    try:
        profile = _read_profile_once(database)
    except NotInitializedError:
        return _read_profile_once(database)
    where = profile.location
    if where is None or profile.version is not None:
        return profile
    changed = where.found or where.home in profile.wallets_elsewhere
    return _read_profile_once(database) if changed else profile


def _read_profile_once(database: CatalogueReader) -> Profile:
    sqlite = database.engine.dialect.name == "sqlite"
    read = _read_tables(database)
    version = _read_version(database, read.found)
    if version == schema.HEAD and not {table.name for table in read.found}.issuperset(schema.TABLES):
        # A migration that was committed between the two statements brought them.
        read = _read_tables(database)
    found = read.found
    tables = frozenset(table.name for table in found) - {schema.UNTAGGED_NONCES}
    untagged = any(table.name == schema.UNTAGGED_NONCES for table in found)
    hidden = tuple(sorted(table.name for table in found if table.hidden))
    if sqlite:
        return Profile(
            f"SQLite {sqlite3.sqlite_version}",
            tables,
            version,
            durability={
                name: str(database.read(f"PRAGMA {name}", {})[0][0]) for name in ("journal_mode", "synchronous")
            },
            untagged_nonces=untagged,
        )
    ours = all(table.has_project for table in found if table.name == VAULT) and (
        VAULT in tables or CREDENTIALS not in tables
    )
    settings: dict[str, str] = dict(database.read(_POSTGRESQL_SETTINGS, {}))
    superuser = settings.pop("is_superuser", "off") == "on"
    citus = settings.pop("citus", "off") == "on"
    distributed = citus and CREDENTIALS in tables and is_distributed(database)
    return Profile(
        f"PostgreSQL {settings.pop('server_version')}",
        tables,
        version,
        unlogged=tuple(sorted(table.name for table in found if table.unlogged)),
        hidden=hidden,
        superuser=superuser,
        durability=settings,
        untagged_nonces=untagged,
        foreign=None if ours else read_foreign_schema(database),
        schemas=read.schemas,
        planted=read.planted,
        location=read.location,
        sharded=distributed or any(table.partitioned for table in found),
        distributed=distributed,
        functions=read_wallet_functions(database) if distributed else (),
        citus=citus,
        wallets_elsewhere=() if CREDENTIALS in tables else wallet_schemas(database),
    )


@dataclass(frozen=True, slots=True)
class _Tables:
    """The tables of a vault that are there, what only has their names, and the schema of each."""

    found: list[FoundTable]
    planted: tuple[PlantedTable, ...] = ()
    schemas: Mapping[str, str] = field(default_factory=dict)
    location: Location | None = None


def follow_tables(database: Database) -> bool:
    """Where the vault's tables are in another schema by now, let ``database`` name them there; whether they are.

    Raises SchemaNotNamedError where they are in one that nobody named, and that is not searched.
    """
    if database.engine.dialect.name == "sqlite":
        return False
    tables = _find_tables(database)
    require_named(tables.location, tables.schemas, ())
    if tables.location is None or not tables.location.found or database.texts.schemas == tables.schemas:
        return False
    database.name_schemas(tables.schemas)
    return True


def _read_tables(database: CatalogueReader) -> _Tables:
    tables = _find_tables(database)
    if tables.location is not None:
        database.name_schemas(tables.schemas)
    return tables


def _find_tables(database: CatalogueReader) -> _Tables:
    names = [*schema.TABLES, schema.VERSION_TABLE, schema.UNTAGGED_NONCES]
    if database.engine.dialect.name == "sqlite":
        return _Tables(find_sqlite_tables(database, names))
    location = locate(database, database.schema)
    found, planted = find_tables(database, names, location)
    homes = {table.name: table.home for table in found}
    wallets = homes.get(CREDENTIALS, location.home)
    every = (*schema.TABLES, schema.VERSION_TABLE, *schema.FORMER_TABLES)
    schemas = {**{name: wallets if name in TABLES else location.home for name in every}, **homes}
    return _Tables([table for table in found if table.name in names], planted, schemas, location)


def _read_version(database: CatalogueReader, tables: list[FoundTable]) -> str | None:
    """The migration that the schema is at; None where there is none, or its row is hidden."""
    if not any(table.name == schema.VERSION_TABLE and not table.hidden for table in tables):
        return None
    versions = database.read(_VERSION, {})
    return str(versions[0][0]) if versions else None
