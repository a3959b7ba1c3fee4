"""What the catalogue says that decides which changes a schema needs. Nothing is written, no row is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from strongroom.store import schema
from strongroom.store.catalog.check_samples import SampleRow, narrow_checks
from strongroom.store.catalog.foreign_checks import Check
from strongroom.store.catalog.foreign_columns import CREDENTIALS, VAULT, Column
from strongroom.store.catalog.foreign_schema import TABLES, read_foreign_schema
from strongroom.store.catalog.profile import Profile
from strongroom.store.catalog.row_policies import HIDDEN
from strongroom.store.catalog.safety_facts import NOT_ENFORCED, Catalogue, ForeignKey
from strongroom.store.connection.read_only import ReadOnlyDatabase

API_ROLES = ("anon", "authenticated")
"""Roles that an API in front of the database serves to everybody."""
PUBLIC = "PUBLIC"

_OURS = "is_located(c) AND c.relkind IN ('r', 'p') AND c.relname = ANY(%(names)s)"
_ACL = """
SELECT g.grantee, g.grantor FROM pg_catalog.aclexplode(c.relacl) g
UNION
SELECT g.grantee, g.grantor FROM pg_catalog.pg_attribute a, pg_catalog.aclexplode(a.attacl) g
 WHERE a.attrelid = c.oid AND NOT a.attisdropped
"""
_NOT_NULL = f"""
SELECT c.relname::text, a.attname::text FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND a.attnotnull
 WHERE {_OURS}
"""  # noqa: S608 - constants
_REFERENCES = f"""
SELECT k.conname::text, pg_catalog.pg_get_constraintdef(k.oid),
       CASE WHEN k.confdeltype = 'c' THEN 'CASCADE' WHEN k.confdeltype = 'n' THEN 'SET NULL'
            WHEN k.confdeltype = 'd' THEN 'SET DEFAULT' ELSE '' END
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'credential_id' AND a.attnum = ANY(k.conkey)
 WHERE k.contype = 'f' AND coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true'
   AND r.relname = '{CREDENTIALS}' AND is_located(r) AND {_OURS} ORDER BY 1
"""  # noqa: S608
_TRIGGERS = f"""
SELECT t.tgname::text, pg_catalog.pg_get_triggerdef(t.oid) FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
 WHERE NOT t.tgisinternal AND {_OURS}
"""  # noqa: S608
_TABLES = f"""
SELECT c.relname::text, pg_catalog.pg_get_userbyid(c.relowner)::text, pg_catalog.pg_has_role(c.relowner, 'USAGE'),
       c.relrowsecurity, {HIDDEN},
       ARRAY(SELECT p.polname::text FROM pg_catalog.pg_policy p
              WHERE p.polrelid = c.oid AND NOT p.polpermissive ORDER BY 1),
       (SELECT r.rolname::text FROM pg_catalog.pg_class s JOIN pg_catalog.pg_roles r ON r.oid = s.relowner
         WHERE s.relname = '{schema.strongroom_slot.name}' AND is_located(s)
           AND NOT r.rolsuper AND NOT r.rolbypassrls AND NOT pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE'))
  FROM pg_catalog.pg_class c WHERE {_OURS}
"""  # noqa: S608
_READERS = f"""
SELECT DISTINCT c.relname::text, r.rolname::text
  FROM pg_catalog.pg_class c
 CROSS JOIN LATERAL (
       SELECT grantee FROM ({_ACL}) acl
       UNION
       SELECT p.oid FROM pg_catalog.pg_roles p WHERE p.rolname IN ('pg_read_all_data', 'pg_write_all_data')) g
  JOIN pg_catalog.pg_roles r ON r.oid = g.grantee
 WHERE {_OURS} AND r.rolname <> ALL(%(api)s) AND EXISTS (
       SELECT 1 FROM pg_catalog.pg_roles m
        WHERE NOT m.rolsuper AND NOT m.rolbypassrls AND m.rolname !~ '^pg_' AND m.rolname <> ALL(%(api)s)
          AND pg_catalog.pg_has_role(m.oid, r.oid, 'USAGE')
          AND NOT pg_catalog.pg_has_role(m.oid, c.relowner, 'USAGE'))
 ORDER BY 1, 2
"""  # noqa: S608
_GRANTS = f"""
SELECT DISTINCT c.relname::text, coalesce(r.rolname::text, '{PUBLIC}'),
       CASE WHEN g.grantor <> c.relowner THEN pg_catalog.pg_get_userbyid(g.grantor)::text END, NULL
  FROM pg_catalog.pg_class c CROSS JOIN LATERAL ({_ACL}) g
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.grantee
 WHERE {_OURS} AND (g.grantee = 0 OR r.rolname = ANY(%(api)s))
UNION
SELECT c.relname::text, m.rolname::text, NULL, r.rolname::text
  FROM pg_catalog.pg_class c CROSS JOIN LATERAL (SELECT grantee FROM ({_ACL}) acl UNION SELECT c.relowner) g
  JOIN pg_catalog.pg_roles r ON r.oid = g.grantee
  JOIN pg_catalog.pg_roles m ON m.rolname = ANY(%(api)s) AND m.oid <> r.oid
   AND pg_catalog.pg_has_role(m.oid, r.oid, 'USAGE')
 WHERE {_OURS} AND r.rolname <> ALL(%(api)s)
 ORDER BY 1, 2
"""  # noqa: S608
_UNLOGGED = f"""
WITH RECURSIVE tree AS (
    SELECT c.oid, c.relname::text AS name FROM pg_catalog.pg_class c WHERE {_OURS}
    UNION ALL
    SELECT i.inhrelid, tree.name FROM pg_catalog.pg_inherits i JOIN tree ON i.inhparent = tree.oid)
SELECT tree.name, format('%%I.%%I', n.nspname, k.relname)
  FROM tree JOIN pg_catalog.pg_class k ON k.oid = tree.oid JOIN pg_catalog.pg_namespace n ON n.oid = k.relnamespace
 WHERE k.relpersistence = 'u' AND k.relkind = 'r' ORDER BY 2
"""  # noqa: S608
_TAKEN = f"""
SELECT x.relname::text FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_class x ON x.relnamespace = c.relnamespace WHERE {_OURS}
UNION
SELECT k.conname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid WHERE {_OURS}
"""  # noqa: S608
_API = "SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname = ANY(%(api)s) ORDER BY 1"


@dataclass(frozen=True, slots=True)
class TableState:
    """A table as a whole."""

    name: str
    owner: str
    owned: bool
    """Whether the role that asks may alter it."""
    row_security: bool
    hidden: bool
    """Whether row-level security applies to the role that asks."""
    restrictive: tuple[str, ...]
    """Its restrictive policies, by name."""
    locked_out: str | None
    """The role that owns strongroom's tables, if row-level security on this table would apply to it."""


@dataclass(frozen=True, slots=True)
class ApiGrant:
    """Privileges of anon, authenticated or PUBLIC on a table."""

    table: str
    role: str
    grantor: str | None
    """Who granted them, if not the table's owner: only that role can take them back."""
    through: str | None
    """The role of which it is a member, if they are not its own."""


@dataclass(frozen=True, slots=True)
class SchemaFacts:
    """The facts about a schema on PostgreSQL."""

    catalogue: Catalogue
    schemas: Mapping[str, str] = field(default_factory=dict)
    """The schema of each table."""
    columns: Mapping[str, Mapping[str, Column]] = field(default_factory=dict)
    not_null: frozenset[tuple[str, str]] = frozenset()
    references: tuple[ForeignKey, ...] = ()
    triggers: Mapping[str, str] = field(default_factory=dict)
    """Each trigger on the credentials, and how it was made."""
    tables: Mapping[str, TableState] = field(default_factory=dict)
    readers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Each table's roles whose rows row-level security would hide, from themselves or from their members."""
    grants: tuple[ApiGrant, ...] = ()
    unlogged: tuple[tuple[str, str], ...] = ()
    """Tables, and themselves or a part of them that is unlogged."""
    taken: frozenset[str] = frozenset()
    """Names that relations and constraints have."""
    api_roles: tuple[str, ...] = ()
    """Those of anon and authenticated that exist."""
    narrow: tuple[tuple[Check, tuple[SampleRow, ...]], ...] = ()
    """CHECKs that refuse rows as strongroom writes them."""
    other_ids: bool = False
    """Whether ids are of types that hold none of strongroom's, so that no vault works on the tables."""

    def has(self, table: str, column: str) -> bool:
        """Whether a table has a column."""
        return column in self.columns.get(table, {})


def read_schema_facts(
    database: ReadOnlyDatabase, profile: Profile, catalogue: Catalogue, samples: Sequence[SampleRow] = ()
) -> SchemaFacts:
    """Read the facts; ``samples`` are the rows that the CHECKs are asked about. Raises StoreUnavailableError."""
    every = {"names": [*schema.TABLES, schema.VERSION_TABLE], "api": list(API_ROLES)}
    halves, credentials, vault = ({**every, "names": names} for names in ([CREDENTIALS, VAULT], [CREDENTIALS], [VAULT]))
    wallets = profile.foreign or read_foreign_schema(database)
    skipped = set(database.read(NOT_ENFORCED, {"names": list(TABLES)}))
    checks = tuple(check for check in wallets.checks if (check.table, check.name) not in skipped)
    readers: dict[str, list[str]] = {}
    for table, role in database.read(_READERS, every):
        readers.setdefault(table, []).append(role)
    return SchemaFacts(
        catalogue=catalogue,
        schemas=profile.schemas,
        columns=wallets.columns,
        not_null=frozenset((table, column) for table, column in database.read(_NOT_NULL, halves)),
        references=tuple(
            ForeignKey(name, on_delete, definition) for name, definition, on_delete in database.read(_REFERENCES, vault)
        ),
        triggers=dict(database.read(_TRIGGERS, credentials)),
        tables={
            name: TableState(name, owner, owned, security, hidden, tuple(restrictive), locked_out)
            for name, owner, owned, security, hidden, restrictive, locked_out in database.read(_TABLES, every)
        },
        readers={table: tuple(roles) for table, roles in readers.items()},
        grants=tuple(ApiGrant(*row) for row in database.read(_GRANTS, every)),
        unlogged=tuple((table, part) for table, part in database.read(_UNLOGGED, every)),
        taken=frozenset(row[0] for row in database.read(_TAKEN, halves)),
        api_roles=tuple(row[0] for row in database.read(_API, every)),
        narrow=narrow_checks(database, replace(wallets, checks=checks), samples),
        other_ids=wallets.has_other_ids,
    )
