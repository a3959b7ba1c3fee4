"""What the catalogue says that decides whether wallets are safe in a schema: keys, triggers, rights, durability.

A role that may only read can read all of it, and no row of any table is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from strongroom.store import schema
from strongroom.store.catalog.check_samples import Refusal, SampleRow, refusals
from strongroom.store.catalog.foreign_columns import Problem
from strongroom.store.catalog.foreign_schema import CREDENTIALS, VAULT, ForeignSchema, read_foreign_schema
from strongroom.store.catalog.profile import Profile
from strongroom.store.catalog.project_ids import project_ids_problem
from strongroom.store.catalog.row_policies import HIDDEN
from strongroom.store.catalog.sharding import Spread, read_spread
from strongroom.store.catalog.standbys import NO_STANDBYS, Standbys, read_standbys
from strongroom.store.connection.read_only import ReadOnlyDatabase

_PROJECT = re.compile(r"(?<!\w)project_id(?!\w)", re.IGNORECASE)
_VISIBLE = "is_located(c) AND c.relkind IN ('r', 'p') AND c.relname = ANY(%(names)s)"
_TABLES = f"""
SELECT c.relname::text, c.relrowsecurity, c.relforcerowsecurity,
       ARRAY(SELECT p.polname::text FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid ORDER BY 1),
       pg_catalog.pg_get_userbyid(c.relowner)::text, {HIDDEN},
       c.relpersistence = 'u' OR EXISTS (
           WITH RECURSIVE part AS (
               SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid
               UNION ALL
               SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN part ON i.inhparent = part.inhrelid)
           SELECT 1 FROM part JOIN pg_catalog.pg_class k ON k.oid = part.inhrelid WHERE k.relpersistence = 'u')
  FROM pg_catalog.pg_class c WHERE {_VISIBLE} ORDER BY 1
"""  # noqa: S608 - constants
_INDEXES = f"""
SELECT c.relname::text, x.relname::text, i.indpred IS NOT NULL,
       ARRAY(SELECT coalesce(a.attname::text, pg_catalog.pg_get_indexdef(i.indexrelid, k, false))
               FROM generate_series(1, i.indnkeyatts::integer) k
               LEFT JOIN pg_catalog.pg_attribute a
                 ON a.attrelid = c.oid AND a.attnum = i.indkey[k - 1] AND a.attnum <> 0
              ORDER BY k)
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
 WHERE i.indisunique AND i.indisvalid AND {_VISIBLE} ORDER BY 1, 2
"""  # noqa: S608
_FOREIGN_KEYS = f"""
SELECT k.conname::text, CASE WHEN k.confdeltype = 'c' THEN 'CASCADE' ELSE '' END
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'credential_id' AND a.attnum = ANY(k.conkey)
 WHERE k.contype = 'f' AND coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true'
   AND r.relname = '{CREDENTIALS}' AND is_located(r)
   AND c.relname = '{VAULT}' AND {_VISIBLE} ORDER BY 1
"""  # noqa: S608
_TRIGGERS = f"""
SELECT t.tgname::text, p.proname::text, p.prosrc
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
 WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND c.relname = '{CREDENTIALS}' AND {_VISIBLE} ORDER BY 1
"""  # noqa: S608
_COMMENT = re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_LINE_COMMENT = re.compile(r"--[^\n]*")
_WRITES = re.compile(
    r"\b(?:INSERT\s+INTO|UPDATE|MERGE\s+INTO|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?)\s+(?:ONLY\s+)?"
    rf'(?:[\w"$]+\s*\.\s*)?"?{VAULT}\b',
    re.IGNORECASE,
)
_EXECUTES = re.compile(r"\bEXECUTE\b", re.IGNORECASE)
_NAMES_VAULT = re.compile(rf"\b{VAULT}\b", re.IGNORECASE)
_GRANTS = f"""
SELECT c.relname::text, r.rolname::text,
       ARRAY(SELECT p FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
              WHERE has_table_privilege(r.rolname, c.oid, p)
                 OR CASE WHEN p IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
                         THEN has_any_column_privilege(r.rolname, c.oid, p) END)
  FROM pg_catalog.pg_class c, pg_catalog.pg_roles r
 WHERE r.rolname IN ('anon', 'authenticated') AND {_VISIBLE}
UNION ALL
SELECT c.relname::text, 'PUBLIC', ARRAY(
           SELECT g.privilege_type FROM aclexplode(c.relacl) g WHERE g.grantee = 0
           UNION
           SELECT g.privilege_type FROM pg_catalog.pg_attribute a, aclexplode(a.attacl) g
            WHERE a.attrelid = c.oid AND NOT a.attisdropped AND g.grantee = 0)
  FROM pg_catalog.pg_class c WHERE {_VISIBLE}
 ORDER BY 1, 2
"""  # noqa: S608
_SETTINGS = """
SELECT name, setting FROM pg_catalog.pg_settings
 WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'server_version_num')
"""
NOT_ENFORCED = f"""
SELECT c.relname::text, k.conname::text
  FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
 WHERE k.contype = 'c' AND to_jsonb(k) ->> 'conenforced' = 'false' AND {_VISIBLE}
"""  # noqa: S608

_SQLITE_INDEXES = """
SELECT l.name, l.partial, coalesce(x.name, m.sql)
  FROM pragma_index_list(:name) l JOIN pragma_index_xinfo(l.name) x
  LEFT JOIN sqlite_master m ON m.type = 'index' AND m.name = l.name
 WHERE l."unique" AND x."key" ORDER BY l.name, x.seqno
"""
_SQLITE_FOREIGN_KEYS = """
SELECT 'the foreign key of ' || "from", on_delete FROM pragma_foreign_key_list(:name)
 WHERE lower("table") = :other AND lower("from") = 'credential_id' ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class UniqueIndex:
    """A unique index, of a constraint or not, that holds for every row, or for those of its condition."""

    table: str
    name: str
    partial: bool
    columns: tuple[str, ...]
    """Names, and the text of expressions."""

    @property
    def holds_project(self) -> bool:
        """Whether project_id is in it, and not with the id, as in the keys of divided tables."""
        return "id" not in self.columns and any(_PROJECT.search(column) for column in self.columns)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key of the vault table's credential_id to the credentials."""

    name: str
    on_delete: str
    """What happens to the record: ``CASCADE``, ``SET NULL``, ``SET DEFAULT``; empty where the deletion is refused.

    A Catalogue tells ``CASCADE`` from the others alone (SQLite: the action's own word); SchemaFacts tells all of them.
    """
    definition: str = ""
    """As PostgreSQL prints the constraint; read for SchemaFacts alone."""

    @property
    def cascades(self) -> bool:
        """Whether a vault record is deleted with its credential."""
        return self.on_delete == "CASCADE"


@dataclass(frozen=True, slots=True)
class VaultTrigger:
    """An enabled trigger on credentials whose function writes vault records."""

    name: str
    function: str


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What PostgreSQL says about a table as a whole."""

    name: str
    row_security: bool
    forced: bool
    """Whether the owner is subject to the policies, too."""
    policies: tuple[str, ...]
    owner: str
    hidden: bool
    """Whether row-level security could hide rows from the role that asks."""
    unlogged: bool


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """What a role that an API serves to everybody may do with a table or some of its columns."""

    table: str
    role: str
    privileges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The facts about a schema. On SQLite only names, indexes and foreign keys."""

    names: frozenset[str]
    """The wallet tables and strongroom's own that exist."""
    indexes: tuple[UniqueIndex, ...] = ()
    """The unique ones, of the credentials and the vault table."""
    foreign_keys: tuple[ForeignKey, ...] = ()
    triggers: tuple[VaultTrigger, ...] = ()
    tables: tuple[TableFacts, ...] = ()
    grants: tuple[RoleGrant, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    """Tables, and what is said of a column that does not take what strongroom writes."""
    settings: Mapping[str, str] = field(default_factory=dict)
    standbys: Standbys = NO_STANDBYS
    spread: Spread | None = None
    """How Citus spreads the tables over nodes; None where it does not."""
    role: str | None = None
    """The role that asked; None on SQLite."""

    @property
    def hidden(self) -> frozenset[str]:
        """The tables in which row-level security would hide rows: a SELECT on one of them is an error."""
        return frozenset(table.name for table in self.tables if table.hidden)

    @property
    def server_version(self) -> int | None:
        """PostgreSQL's version as a number (140002 is 14.2); None on SQLite."""
        number = self.settings.get("server_version_num")
        return None if number is None else int(number)


def read_catalogue(database: ReadOnlyDatabase, profile: Profile, samples: Sequence[SampleRow] = ()) -> Catalogue:
    """Read the facts; ``samples`` are the rows that the CHECKs are asked about (``check_samples.samples_of``).

    Raises StoreUnavailableError.
    """
    if database.sqlite:
        return _read_sqlite(database, profile)
    names = {"names": [*schema.TABLES, schema.VERSION_TABLE]}
    halves = {"names": [CREDENTIALS, VAULT]}
    wallets = profile.foreign or read_foreign_schema(database)
    skipped = set(database.read(NOT_ENFORCED, names))
    checks = tuple(check for check in wallets.checks if (check.table, check.name) not in skipped)
    return Catalogue(
        names=profile.tables,
        indexes=tuple(
            UniqueIndex(table, name, partial, tuple(columns))
            for table, name, partial, columns in database.read(_INDEXES, halves)
        ),
        foreign_keys=tuple(ForeignKey(*row) for row in database.read(_FOREIGN_KEYS, halves)),
        triggers=tuple(
            VaultTrigger(name, function)
            for name, function, source in database.read(_TRIGGERS, halves)
            if _writes_vault(source)
        ),
        tables=tuple(
            TableFacts(name, row_security, forced, tuple(policies), *rest)
            for name, row_security, forced, policies, *rest in database.read(_TABLES, names)
        ),
        grants=tuple(
            RoleGrant(table, role, tuple(privileges))
            for table, role, privileges in database.read(_GRANTS, names)
            if privileges
        ),
        refusals=refusals(database, replace(wallets, checks=checks), samples),
        columns=(
            *((each.table, f"{each}. {each.sql}".rstrip()) for each in _problems(database, wallets)),
            *wallets.words_missing(),
        ),
        settings=dict(database.read(_SETTINGS, {})),
        standbys=read_standbys(database),
        spread=read_spread(database, profile.schemas) if profile.citus else None,
        role=database.read("SELECT current_user::text", {})[0][0],
    )


def _problems(database: ReadOnlyDatabase, wallets: ForeignSchema) -> Iterator[Problem]:
    """What stands in the way by the types of the columns, and by the values of project ids."""
    yield from wallets.problems
    found = project_ids_problem(database, wallets)
    if found is not None:
        yield found


def _writes_vault(function: str) -> bool:
    """Whether a function's text writes vault records, itself or in a statement that it puts together."""
    head, closed, rest = function.rpartition("*/")  # behind it no comment is closed: each that opens is none
    code = _COMMENT.sub(" ", head + closed) + _LINE_COMMENT.sub(" ", rest)
    return bool(_WRITES.search(code) or (_EXECUTES.search(code) and _NAMES_VAULT.search(code)))


def _read_sqlite(database: ReadOnlyDatabase, profile: Profile) -> Catalogue:
    indexes = []
    for table in (CREDENTIALS, VAULT):
        columns: dict[tuple[str, bool], list[str]] = {}
        for name, partial, column in database.read(_SQLITE_INDEXES, {"name": table}):
            columns.setdefault((name, bool(partial)), []).append(column)
        indexes += [UniqueIndex(table, *index, tuple(found)) for index, found in columns.items()]
    found = database.read(_SQLITE_FOREIGN_KEYS, {"name": VAULT, "other": CREDENTIALS})
    return Catalogue(
        names=profile.tables,
        indexes=tuple(indexes),
        foreign_keys=tuple(ForeignKey(*row) for row in found),
    )
