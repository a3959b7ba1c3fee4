"""Which tables are the vault's, and which only have the names of some.

Anyone who may CREATE in the schema can make a table before strongroom does. Reading it runs what its owner put there as
the role that reads: a cast of the owner's type, a view, an expression of an index. So a name alone is not believed. One
question to the catalogue, which reads no table, says whose each is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from strongroom.store import schema
from strongroom.store.catalog.foreign_schema import CREDENTIALS, TABLES
from strongroom.store.catalog.location import OWNER_OF_WALLETS, PLAIN, TRUSTED, Location
from strongroom.store.catalog.row_policies import HIDDEN
from strongroom.store.connection.database import CatalogueReader

_POSTGRESQL = f"""
WITH place AS (
    SELECT n.oid, n.nspname, CASE WHEN n.nspname = %(home)s::text AND %(known)s THEN 0
           ELSE array_position(current_schemas(false), n.nspname) END AS rank
      FROM pg_namespace n
     WHERE n.nspname = %(home)s::text OR n.nspname = ANY(current_schemas(false))),
wallets AS (
    SELECT w.oid, w.relowner FROM pg_class w JOIN place p ON p.oid = w.relnamespace
     WHERE w.relname = '{CREDENTIALS}' AND w.relkind IN ('r', 'p') AND p.rank IS NOT NULL ORDER BY p.rank LIMIT 1),
version AS (
    SELECT v.relowner, v.relnamespace FROM pg_class v JOIN place p ON p.oid = v.relnamespace
     WHERE v.relname = '{schema.VERSION_TABLE}' AND v.relkind IN ('r', 'p') AND p.nspname = %(home)s::text)
SELECT c.relname::text, c.relpersistence::text, {HIDDEN},
       EXISTS (SELECT 1 FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attname = 'project_id' AND NOT a.attisdropped),
       p.nspname::text, c.relkind = 'p', p.rank, c.relkind IN ('r', 'p'), r.rolname::text,
       {PLAIN}, {TRUSTED.format("r")},
       (EXISTS (SELECT 1 FROM wallets w WHERE {OWNER_OF_WALLETS.format("c")})
        OR EXISTS (SELECT 1 FROM wallets w JOIN pg_constraint k ON k.confrelid = w.oid
                    WHERE k.conrelid = c.oid AND k.contype = 'f')),
       EXISTS (SELECT 1 FROM version v WHERE v.relowner = c.relowner)
  FROM pg_class c
  JOIN place p ON p.oid = c.relnamespace
  JOIN pg_roles r ON r.oid = c.relowner
 WHERE ((c.relkind IN ('r', 'p') AND (c.relname = ANY(%(names)s) OR c.relname LIKE 'strongroom\\_%%'))
        OR (c.relkind IN ('v', 'm', 'f') AND c.relname = ANY(%(own)s)))
 ORDER BY 1, p.rank
"""  # noqa: S608 - constants
_SQLITE = "SELECT name FROM sqlite_master WHERE type = 'table'"


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table of the vault's, as the catalogue has it."""

    name: str
    unlogged: bool = False
    hidden: bool = False
    """Whether row-level security could hide rows from the role in use."""
    has_project: bool = True
    home: str = ""
    """Its schema; empty on SQLite."""
    partitioned: bool = False


@dataclass(frozen=True, slots=True)
class PlantedTable:
    """What has the name of a table of the vault's, and is not believed to be it."""

    home: str
    name: str
    owner: str
    trusted: bool = False
    """Whether it could be nobody's trap: it was only not found to be part of a vault."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    table: FoundTable
    rank: int | None
    """Its place on the path; 0 in the vault's schema, None where neither is."""
    is_table: bool
    owner: str
    plain: bool
    """Whether every column is of a type of PostgreSQL's own, which nobody can make a cast of."""
    trusted: bool
    """Whether its owner is a superuser, the role in use or the owner of the database: such a role needs no trap."""
    belongs_to_wallets: bool
    """Whether its owner is that of the wallets, or was let make a foreign key to them."""
    owned_as_version: bool

    def is_believed(self, where: Location) -> bool:
        """Whether it may be read as what its name says."""
        name = self.table.name
        if name in TABLES:  # the legacy application's have types of its own
            return name == CREDENTIALS or self.trusted or self.belongs_to_wallets
        if not where.found or self.table.home != where.home:
            return False
        if name == schema.VERSION_TABLE:
            return True
        return self.is_table and self.plain and (self.trusted or self.owned_as_version)


def find_tables(
    database: CatalogueReader, names: Iterable[str], where: Location
) -> tuple[list[FoundTable], tuple[PlantedTable, ...]]:
    """The tables with these names, and others of strongroom's; apart from them what only has such a name."""
    wanted = set(names)
    parameters = {
        "names": sorted(wanted),
        "own": sorted(wanted - set(TABLES)),
        "home": where.home,
        "known": where.found or where.named,
    }
    candidates = _first_wallets(
        _Candidate(FoundTable(name, persistence == "u", hidden, has_project, home, partitioned), *facts)
        for name, persistence, hidden, has_project, home, partitioned, *facts in database.read(_POSTGRESQL, parameters)
    )
    believed = [each.table for each in candidates if each.is_believed(where)]
    planted = tuple(
        PlantedTable(each.table.home, each.table.name, each.owner, each.is_table and each.plain and each.trusted)
        for each in candidates
        if each.table.name in wanted and not each.is_believed(where) and _concerns(each.table, where)
    )
    return believed, planted


def find_sqlite_tables(database: CatalogueReader, names: Iterable[str]) -> list[FoundTable]:
    """The tables with these names in a file of SQLite."""
    wanted = set(names)
    return [FoundTable(name) for (name,) in database.read(_SQLITE, {}) if name in wanted]


def _first_wallets(every: Iterable[_Candidate]) -> list[_Candidate]:
    """Of wallet tables the ones that count: in the vault's schema, else the first on the path, and all in one."""
    candidates = list(every)
    reachable = [each for each in candidates if each.table.name in TABLES and each.rank is not None]
    home = next((each.table.home for each in reachable if each.table.name == CREDENTIALS), None)
    chosen: dict[str, _Candidate] = {}
    for each in sorted(reachable, key=lambda each: each.table.home != home):  # stable: else the path's order
        chosen.setdefault(each.table.name, each)
    return [each for each in candidates if each.table.name not in TABLES or chosen.get(each.table.name) is each]


def _concerns(table: FoundTable, where: Location) -> bool:
    """Whether a table that is not believed is in the way: in a schema that is known, or anywhere where none is."""
    return table.name in TABLES or not (where.found or where.named) or table.home == where.home
