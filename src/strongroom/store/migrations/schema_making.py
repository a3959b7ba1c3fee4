"""The vault's own schema on PostgreSQL: made where it is missing, and refused where another role could undo it.

Who owns a schema may drop everything in it, and who may CREATE there may put traps there. So a vault is made only where
the schema belongs to the role in use, to a superuser or to the owner of the database.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from strongroom.errors import SchemaRefusedError
from strongroom.store.catalog.location import TRUSTED
from strongroom.store.connection.qualified import identifier

_FACTS = f"""
SELECT current_user::text, current_database()::text, has_database_privilege(current_database(), 'CREATE'),
       n.oid IS NOT NULL, o.rolname::text, {TRUSTED.format("o")}, has_schema_privilege(n.oid, 'CREATE')
  FROM (SELECT %(name)s::text AS name) wanted
  LEFT JOIN pg_namespace n ON n.nspname = wanted.name
  LEFT JOIN pg_roles o ON o.oid = n.nspowner
"""  # noqa: S608 - constants
KEPT_OUT = ("anon", "authenticated")
"""Roles that an API serves to everybody: they get no rights on the schema."""
_ROLES = "SELECT r.rolname::text FROM pg_roles r WHERE r.rolname = ANY(%(names)s::text[])"


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the catalogue says about a schema that may be missing, and about the role in use."""

    role: str
    database: str
    may_create_schemas: bool
    exists: bool
    owner: str | None
    trusted: bool | None
    may_create: bool | None


def make_schema(connection: sa.Connection, name: str) -> None:
    """Make a schema that only its owner may use, or see that the one that is there can be used.

    In the caller's transaction, whose statements name their schemas. Of two callers one waits for the other at the
    catalogue's unique index, and gets its error (42P06 or 23505). Raises SchemaRefusedError.
    """
    facts = _Facts(*connection.exec_driver_sql(_FACTS, {"name": name}).one())
    if not facts.exists:
        if not facts.may_create_schemas:
            raise SchemaRefusedError(
                f"The schema {name} does not exist, and the role {facts.role} may not make schemas in this database. "
                "Nothing was changed.",
                hint=_sql(f"CREATE SCHEMA {identifier(name)} AUTHORIZATION {identifier(facts.role)};"),
            )
        connection.exec_driver_sql(f"CREATE SCHEMA {identifier(name)}")
        _keep_others_out(connection, name)
        return
    if not facts.trusted:
        raise SchemaRefusedError(
            f"The schema {name} belongs to the role {facts.owner}, which could drop or replace the tables in it. "
            "Nothing was changed.",
            hint=_sql(f"ALTER SCHEMA {identifier(name)} OWNER TO {identifier(facts.role)};")
            + "\nOr name another schema with --schema.",
        )
    if not facts.may_create:
        raise SchemaRefusedError(
            f"The role {facts.role} may not make tables in the schema {name}. Nothing was changed.",
            hint=_sql(f"GRANT USAGE, CREATE ON SCHEMA {identifier(name)} TO {identifier(facts.role)};"),
        )


def _keep_others_out(connection: sa.Connection, name: str) -> None:
    """Default privileges may have let others in."""
    names = {"names": list(KEPT_OUT)}
    present = [identifier(role) for (role,) in connection.exec_driver_sql(_ROLES, names)]
    for role in ("PUBLIC", *present):
        connection.exec_driver_sql(f"REVOKE ALL ON SCHEMA {identifier(name)} FROM {role}")


def _sql(statement: str) -> str:
    return f"This SQL would help; read it, then run it as the owner of the database:\n{statement}"
