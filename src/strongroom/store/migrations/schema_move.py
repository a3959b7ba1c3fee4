"""Move a vault's tables to another schema, in one transaction, while applications go on (PostgreSQL).

Two movers, or a mover and anything else: the tables' own locks. What waited for them finds its tables gone from where
they were (42P01), looks for them once, and goes on. Where the process dies, the server rolls back.
"""

from __future__ import annotations

import time

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from strongroom.errors import ContentionError
from strongroom.store import schema
from strongroom.store.catalog.foreign_schema import TABLES
from strongroom.store.catalog.profile import Profile
from strongroom.store.connection.driver_errors import DriverFault, translate
from strongroom.store.connection.qualified import identifier
from strongroom.store.guard.names import Script
from strongroom.store.migrations.migrate import qualify_statements
from strongroom.store.migrations.schema_making import KEPT_OUT, make_schema

_ROUNDS = 12
_GRANTEES = """
SELECT DISTINCT r.rolname::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL (SELECT g.grantee FROM aclexplode(c.relacl) g
                     UNION SELECT g.grantee FROM pg_attribute a, aclexplode(a.attacl) g WHERE a.attrelid = c.oid) g
  JOIN pg_roles r ON r.oid = g.grantee
 WHERE n.nspname = %(home)s::text AND c.relname = ANY(%(tables)s::text[]) AND r.rolname <> current_user
   AND r.rolname <> ALL(%(kept_out)s::text[])
"""
_EVENT = (
    "INSERT INTO {home}.strongroom_events (id, event, details, created_at) VALUES (gen_random_uuid(), 'schema-move', "
    "jsonb_build_object('from', %(old)s::text, 'to', %(new)s::text), clock_timestamp())"
)


def tables_that_move(profile: Profile) -> tuple[str, ...]:
    """The tables that strongroom made: with legacy wallet tables those that begin with strongroom_."""
    known = (*profile.tables, *((schema.UNTAGGED_NONCES,) if profile.untagged_nonces else ()))
    legacy = set(TABLES) if profile.foreign is not None else set()
    return tuple(sorted(set(known) - legacy))


def move_tables(engine: Engine, profile: Profile, to: str, guard: tuple[Script, Script] | None) -> None:
    """Move them; ``guard`` is its removal, and its installation around the new places, where it is installed.

    Waits half a second at a time for the tables' locks. Roles that have rights on the tables get USAGE on the schema.

    Raises SchemaRefusedError as ``make_schema``, NotInitializedError where the tables are not there any more,
    ContentionError where the locks did not become free, and StoreError; nothing was changed then.
    """
    removed, installed = guard or (Script(()), Script(()))
    for left in reversed(range(_ROUNDS)):
        try:
            with engine.begin() as connection:
                _run(connection, removed)
                connection.exec_driver_sql("SET LOCAL lock_timeout = '500ms'")
                qualify_statements(connection, profile.schemas)
                _move(connection, profile.schemas[schema.VERSION_TABLE], to, tables_that_move(profile))
                _run(connection, installed)
        except DBAPIError as error:
            fault, translated = translate(error)
            if fault is not DriverFault.AGAIN:
                raise translated from error
            if not left:
                raise ContentionError(
                    "Other transactions held the locks of the vault's tables; nothing was changed.",
                    hint="Run it again, best while no long transaction writes wallets.",
                ) from error
        else:
            return
        time.sleep(0.1)  # others take the locks meanwhile
    raise AssertionError("unreachable")


def _move(connection: sa.Connection, home: str, to: str, tables: tuple[str, ...]) -> None:
    old, new = identifier(home), identifier(to)
    every = ", ".join(f"{old}.{name}" for name in tables)
    connection.exec_driver_sql(f"LOCK TABLE {every} IN ACCESS EXCLUSIVE MODE")
    make_schema(connection, to)
    values = {"home": home, "tables": list(tables), "kept_out": list(KEPT_OUT)}
    for (role,) in connection.exec_driver_sql(_GRANTEES, values).fetchall():
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {new} TO {identifier(role)}")
    for name in tables:
        connection.exec_driver_sql(f"ALTER TABLE {old}.{name} SET SCHEMA {new}")
    connection.exec_driver_sql(_EVENT.format(home=new), {"old": home, "new": to})


def _run(connection: sa.Connection, script: Script) -> None:
    """Run a script as it is: it is qualified, and names no parameters."""
    for statement in script.statements:
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
