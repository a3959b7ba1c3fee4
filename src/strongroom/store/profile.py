"""What the catalogue says about a database, read once when a store is opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from strongroom.errors import (
    ForeignSchemaError,
    NotDurableError,
    NotInitializedError,
    RowsHiddenError,
    SchemaVersionError,
)
from strongroom.store import schema
from strongroom.store.database import Reader
from strongroom.store.foreign import CREDENTIALS, TABLES, VAULT, ForeignSchema, read_foreign_schema
from strongroom.store.session import Row

_POSTGRESQL_TABLES = """
SELECT c.relname::text, c.relpersistence::text, row_security_active(c.oid),
       EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = c.oid AND a.attname = 'project_id' AND NOT a.attisdropped)
  FROM pg_catalog.pg_class c
 WHERE c.relkind IN ('r', 'p') AND pg_catalog.pg_table_is_visible(c.oid)
   AND c.relname = ANY(%(names)s)
"""
_POSTGRESQL_SETTINGS = """
SELECT name, setting FROM pg_catalog.pg_settings
 WHERE name IN ('server_version', 'fsync', 'full_page_writes', 'synchronous_commit')
"""
_SQLITE_TABLES = "SELECT name, 'p', 0, 1 FROM sqlite_master WHERE type = 'table'"
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
    foreign: ForeignSchema | None = None
    """What other code's wallet tables look like; None where they are ours."""

    @property
    def generation(self) -> str:
        """``fresh``, or the generation of an existing schema."""
        return "fresh" if self.foreign is None else self.foreign.generation

    def require_adoptable(self) -> None:
        """Raise RowsHiddenError, or ForeignSchemaError where wallet tables cannot be used as they are."""
        if self.hidden:
            raise RowsHiddenError(
                f"Row-level security applies to this role on: {', '.join(self.hidden)}. "
                "It could hide wallets, so that they would be created again."
            )
        if self.foreign is not None:
            self.foreign.require_wallets()
        strangers = self.tables - {schema.VERSION_TABLE} - set(TABLES if self.foreign else ())
        if self.version is None and strangers:
            raise ForeignSchemaError(
                f"The database has tables that strongroom did not create: {', '.join(sorted(strangers))}. "
                "Nothing was changed."
            )

    def require_examinable(self) -> None:
        """Raise NotInitializedError or ForeignSchemaError where there are no wallet tables that could be read."""
        if CREDENTIALS not in self.tables:
            raise NotInitializedError(
                "The database has no table project_credentials: there are no wallets in it.",
                hint="Check the URL and the search_path; `strongroom init` makes a vault where there is none.",
            )
        if self.engine.startswith("SQLite") and self.version is None:
            raise ForeignSchemaError(
                "The database has wallet tables that strongroom did not create; on SQLite they are not supported."
            )

    def require_usable(self) -> None:
        """Raise where strongroom must not work: no schema, another version, hidden rows, lost commits."""
        self.require_adoptable()
        if self.version is None:
            raise NotInitializedError("The database has no strongroom in it.")
        if self.version != schema.HEAD:
            raise SchemaVersionError(
                f"The schema is at migration {self.version}, this version of strongroom needs {schema.HEAD}."
            )
        missing = sorted(set(schema.TABLES) - self.tables)
        if missing:
            raise SchemaVersionError(f"Tables are missing or not visible: {', '.join(missing)}.")
        self.require_durable()

    def require_durable(self) -> None:
        """Raise NotDurableError where a crash of the server would lose committed wallets."""
        if self.durability.get("fsync") == "off":
            raise NotDurableError("The server runs with fsync = off: a crash would lose committed wallets.")
        if self.unlogged:
            raise NotDurableError(f"These tables are unlogged, a crash would empty them: {', '.join(self.unlogged)}.")

    def warnings(self) -> tuple[str, ...]:
        """What works, and should not stay as it is."""
        if self.durability.get("synchronous_commit") == "off":
            return ("synchronous_commit is off: a crash of the server loses the last moments of commits.",)
        return ()


def read_profile(database: Reader) -> Profile:
    """Read the catalogue: two or three statements, nothing is written."""
    sqlite = database.engine.dialect.name == "sqlite"
    found = _read_tables(database)
    version = _read_version(database, found)
    if version == schema.HEAD and not {row[0] for row in found}.issuperset(schema.TABLES):
        found = _read_tables(database)  # a migration that was committed between the two statements brought them
    tables = frozenset(row[0] for row in found)
    hidden = tuple(sorted(row[0] for row in found if row[2]))
    if sqlite:
        return Profile(
            f"SQLite {sqlite3.sqlite_version}",
            tables,
            version,
            durability={
                name: str(database.read(f"PRAGMA {name}", {})[0][0]) for name in ("journal_mode", "synchronous")
            },
        )
    ours = all(row[3] for row in found if row[0] == VAULT) and (VAULT in tables or CREDENTIALS not in tables)
    settings: dict[str, str] = dict(database.read(_POSTGRESQL_SETTINGS, {}))
    return Profile(
        f"PostgreSQL {settings.pop('server_version')}",
        tables,
        version,
        unlogged=tuple(sorted(row[0] for row in found if row[1] == "u")),
        hidden=hidden,
        durability=settings,
        foreign=None if ours else read_foreign_schema(database),
    )


def _read_tables(database: Reader) -> Sequence[Row]:
    """Of the tables of a vault those that are there: name, persistence, whether rows are hidden, and whose it is."""
    names = [*schema.TABLES, schema.VERSION_TABLE]
    sqlite = database.engine.dialect.name == "sqlite"
    rows = database.read(_SQLITE_TABLES if sqlite else _POSTGRESQL_TABLES, {} if sqlite else {"names": names})
    return [row for row in rows if row[0] in names]


def _read_version(database: Reader, tables: Sequence[Row]) -> str | None:
    """The migration that the schema is at; None where there is none, or its row is hidden."""
    if not any(name == schema.VERSION_TABLE and not hidden for name, _, hidden, *_ in tables):
        return None
    versions = database.read(_VERSION, {})
    return str(versions[0][0]) if versions else None
