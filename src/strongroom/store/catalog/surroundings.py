"""Whose code stands around the tables: who may put more there, what is in PostgreSQL's own place, what runs as us.

PostgreSQL only; a role that may only read can read all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from strongroom.store import schema
from strongroom.store.catalog.profile import Profile
from strongroom.store.connection.database import CatalogueReader
from strongroom.store.guard.installer import guard_of
from strongroom.store.guard.names import MODES
from strongroom.store.guard.postgresql import FUNCTIONS
from strongroom.store.statements import Statements
from strongroom.store.statements.wallet_function import wallet_function

_IN_PATH = "(n.nspname = ANY(current_schemas(false)) OR n.nspname = ANY(%(schemas)s::text[]))"
_OURS = "is_located(c) AND c.relkind IN ('r', 'p') AND c.relname = ANY(%(names)s)"
_NOT_EXTENSION = "NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.objid = {0}.oid AND e.deptype = 'e')"
_ROLE = "SELECT r.rolname::text, r.rolsuper FROM pg_roles r WHERE r.rolname = current_user"
_CREATORS = f"""
SELECT n.nspname::text, ARRAY(
       SELECT 'PUBLIC' FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
        WHERE a.grantee = 0 AND a.privilege_type = 'CREATE'
       UNION ALL
       SELECT r.rolname::text FROM pg_roles r
        WHERE NOT r.rolsuper AND r.rolname <> current_user AND r.rolname !~ '^pg_'
          AND has_schema_privilege(r.oid, n.oid, 'CREATE')
          AND NOT EXISTS (SELECT 1 FROM aclexplode(n.nspacl) p WHERE p.grantee = 0 AND p.privilege_type = 'CREATE')
        ORDER BY 1)
  FROM pg_namespace n WHERE {_IN_PATH} AND n.nspname <> 'pg_catalog' ORDER BY 1
"""  # noqa: S608 - constants
# That a function is none of PostgreSQL's is said of the function, too: else arguments of all of those are looked up.
_SHADOWS = f"""
SELECT n.nspname::text, format('operator %%s (%%s, %%s)', o.oprname, format_type(o.oprleft, NULL),
                               format_type(o.oprright, NULL)), pg_get_userbyid(o.oprowner)::text
  FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
 WHERE {_IN_PATH} AND n.nspname <> 'pg_catalog' AND {_NOT_EXTENSION.format("o")}
   AND EXISTS (SELECT 1 FROM pg_operator b
                WHERE b.oprname = o.oprname AND b.oprnamespace = 'pg_catalog'::regnamespace)
   AND NOT EXISTS (SELECT 1 FROM pg_type t WHERE t.typnamespace <> 'pg_catalog'::regnamespace
                    AND (t.oid = o.oprleft OR t.oid = o.oprright))
UNION ALL
SELECT n.nspname::text, format('function %%s(%%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
       pg_get_userbyid(p.proowner)::text
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE {_IN_PATH} AND n.nspname <> 'pg_catalog' AND p.pronamespace <> 'pg_catalog'::regnamespace
   AND {_NOT_EXTENSION.format("p")}
   AND EXISTS (SELECT 1 FROM pg_proc b WHERE b.proname = p.proname AND b.pronamespace = 'pg_catalog'::regnamespace)
   AND NOT EXISTS (SELECT 1 FROM unnest(p.proargtypes) AS a (id) JOIN pg_type t ON t.oid = a.id
                    WHERE t.typnamespace <> 'pg_catalog'::regnamespace)
UNION ALL
SELECT n.nspname::text, format('type %%s', t.typname), pg_get_userbyid(t.typowner)::text
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE {_IN_PATH} AND n.nspname <> 'pg_catalog' AND {_NOT_EXTENSION.format("t")} AND t.typrelid = 0
   AND EXISTS (SELECT 1 FROM pg_type b WHERE b.typname = t.typname AND b.typnamespace = 'pg_catalog'::regnamespace)
   AND NOT EXISTS (SELECT 1 FROM pg_type e WHERE e.typarray = t.oid)
UNION ALL
SELECT n.nspname::text, format('table %%s', c.relname), pg_get_userbyid(c.relowner)::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE {_IN_PATH} AND n.nspname <> 'pg_catalog' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND {_NOT_EXTENSION.format("c")}
   AND (c.relname LIKE 'pg\\_%%' OR (c.relname = ANY(%(names)s) AND NOT is_located(c)))
ORDER BY 1, 2
"""  # noqa: S608
_TRIGGERS = f"""
SELECT c.relname::text, t.tgname::text, n.nspname::text, p.proname::text, p.prosrc, pg_get_userbyid(p.proowner)::text
  FROM pg_trigger t
  JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_proc p ON p.oid = t.tgfoid
  JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND {_OURS} ORDER BY 1, 2
"""  # noqa: S608
_CODE = f"""
WITH part AS (
    SELECT 'pg_catalog.pg_attrdef'::regclass::oid AS class, d.oid AS id, d.adrelid AS relation,
           format(CASE WHEN a.attgenerated = '' THEN 'the default of %%s' ELSE 'the generated column %%s' END,
                  a.attname) AS what
      FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    UNION ALL
    SELECT 'pg_catalog.pg_constraint'::regclass::oid, k.oid, k.conrelid, format('the CHECK %%s', k.conname)
      FROM pg_constraint k WHERE k.contype = 'c'
    UNION ALL
    SELECT 'pg_catalog.pg_policy'::regclass::oid, p.oid, p.polrelid, format('the policy %%s', p.polname)
      FROM pg_policy p
    UNION ALL
    SELECT 'pg_catalog.pg_class'::regclass::oid, i.indexrelid, i.indrelid, format('the index %%s', x.relname)
      FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid)
SELECT DISTINCT c.relname::text, part.what, format('%%s.%%s', n.nspname, f.proname), pg_get_userbyid(f.proowner)::text
  FROM part
  JOIN pg_class c ON c.oid = part.relation
  JOIN pg_depend d ON d.classid = part.class AND d.objid = part.id
  LEFT JOIN pg_operator o ON o.oid = d.refobjid AND d.refclassid = 'pg_catalog.pg_operator'::regclass
  JOIN pg_proc f ON (f.oid = d.refobjid AND d.refclassid = 'pg_catalog.pg_proc'::regclass) OR f.oid = o.oprcode
  JOIN pg_namespace n ON n.oid = f.pronamespace
 WHERE {_OURS}
UNION ALL
SELECT c.relname::text, format('the rule %%s', r.rulename), '', pg_get_userbyid(c.relowner)::text
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE {_OURS}
 ORDER BY 1, 2
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class ForeignCode:
    """What runs as the role that reads or writes a table, and is not strongroom's."""

    table: str
    what: str
    """``the trigger t``, ``the default of status``."""
    function: str
    """The function that it runs; empty for a rule."""
    owner: str
    """Who may change what it does."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the catalogue says about other roles' code; nothing on SQLite."""

    role: str | None = None
    superuser: bool = False
    creators: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Schemas of the search path, or of the tables, and the other roles that may CREATE there."""
    shadows: tuple[tuple[str, str, str], ...] = ()
    """What stands in the place of something of PostgreSQL's, or of a table of the vault's: schema, what, owner."""
    code: tuple[ForeignCode, ...] = ()


def read_surroundings(database: CatalogueReader, profile: Profile) -> Surroundings:
    """Read all of it. Raises StoreUnavailableError."""
    if database.engine.dialect.name == "sqlite":
        return Surroundings()
    parameters = {
        "schemas": sorted(set(profile.schemas.values())),
        "names": [*schema.TABLES, schema.UNTAGGED_NONCES, schema.VERSION_TABLE],
    }
    ((role, superuser),) = database.read(_ROLE, {})
    triggers = [
        ForeignCode(table, f"the trigger {name}", f"{home}.{function}", owner)
        for table, name, home, function, body, owner in database.read(_TRIGGERS, parameters)
        if not _is_guard(profile, function, body)
    ]
    return Surroundings(
        role=role,
        superuser=superuser,
        creators=tuple((name, tuple(roles)) for name, roles in database.read(_CREATORS, parameters) if roles),
        shadows=(
            *((each.home, f"table {each.name}", each.owner) for each in profile.planted),
            *((home, what, owner) for home, what, owner in database.read(_SHADOWS, parameters)),
        ),
        code=(
            *triggers,
            *(ForeignCode(*row) for row in database.read(_CODE, parameters)),
            *_functions(database, profile),
        ),
    )


def superuser_of(database: CatalogueReader) -> str | None:
    """The role that is connected, if it is a superuser."""
    if database.engine.dialect.name == "sqlite":
        return None
    ((role, superuser),) = database.read(_ROLE, {})
    return str(role) if superuser else None


def superuser_warning(role: str) -> str:
    """What is said to somebody who works as a superuser."""
    return (
        f"The role {role} is a superuser: whatever the owners of tables and functions put there runs with every right "
        "on the server. Use a role that has rights on these tables alone."
    )


def _functions(database: CatalogueReader, profile: Profile) -> Iterator[ForeignCode]:
    """What has the name of the function that writes wallets, and is not the one that strongroom makes."""
    if profile.functions:
        ours = wallet_function(Statements(database.engine.dialect, sharded=True), profile.schemas)
        for found in profile.functions:
            if not ours.is_made_as(found):
                what = f"the function {found.schema}.{found.name}({found.types}), which is not as strongroom makes it"
                yield ForeignCode(schema.project_credentials.name, what, "", found.owner)


def _is_guard(profile: Profile, function: str, body: str) -> bool:
    """Whether a trigger's function is the guard's, letter for letter."""
    if function not in FUNCTIONS:
        return False
    guard = guard_of(profile)
    return any(guard.bodies(mode)[function] == body for mode in MODES)
