"""Rows of the application that foreign keys of legacy tables name: which one is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strongroom.errors import ReferencedRowMissingError
from strongroom.store.catalog.foreign_columns import CREDENTIALS, LOGS, VAULT

if TYPE_CHECKING:
    from strongroom.store.connection.database import CatalogueReader

_REFERENCE = f"""
SELECT c.relname::text, a.attname::text, n.nspname::text, r.relname::text, b.attname::text,
       ARRAY(SELECT q.attname::text FROM pg_catalog.pg_attribute q
              WHERE q.attrelid = r.oid AND q.attnum > 0 AND NOT q.attisdropped AND q.attnotnull AND NOT q.atthasdef
                AND q.attidentity = '' AND q.attnum <> b.attnum ORDER BY q.attnum)
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
  JOIN pg_catalog.pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1]
 WHERE k.contype = 'f' AND k.conname = %(constraint)s AND array_length(k.conkey, 1) = 1
   AND k.conrelid IN ('{CREDENTIALS}'::regclass, '{VAULT}'::regclass, '{LOGS}'::regclass)
"""  # noqa: S608 - constants

_PROJECTS = f"""
SELECT n.nspname::text, r.relname::text, b.attname::text,
       pg_catalog.has_table_privilege(r.oid, 'SELECT') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
       AND NOT pg_catalog.row_security_active(r.oid)
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attname = 'project_id' AND a.attnum = k.conkey[1]
  JOIN pg_catalog.pg_attribute b ON b.attrelid = r.oid AND b.attnum = k.confkey[1]
 WHERE k.contype = 'f' AND array_length(k.conkey, 1) = 1 AND k.conrelid = '{CREDENTIALS}'::regclass
"""  # noqa: S608 - constants
"""The tables that a credential's project must be in."""


def missing_row(database: CatalogueReader, constraint: str) -> ReferencedRowMissingError | None:
    """The error for a violated foreign key of the wallet tables; None where the catalogue does not have it."""
    found = database.read(_REFERENCE, {"constraint": constraint})
    if len(found) != 1:
        return None
    table, column, home, other, key, required = found[0]
    also = f" (the table also needs values for: {', '.join(required)})" if required else ""
    return ReferencedRowMissingError(
        f"{table}.{column} names a row of {home}.{other} by its {key}, and that row is not there. Nothing was written.",
        hint=f"Insert the row into {home}.{other} first{also}, then call again.",
        column=column,
    )


def lacks_project(database: CatalogueReader, project_id: str) -> bool:
    """Whether legacy tables want a row for a project, and it is not there or cannot be read. PostgreSQL alone."""
    for home, table, column, readable in database.read(_PROJECTS, {}):
        target = f"{_quoted(home)}.{_quoted(table)}"
        sql = f"SELECT 1 FROM {target} WHERE {_quoted(column)}::text = %(project_id)s LIMIT 1"  # noqa: S608
        if not readable or not database.read(sql, {"project_id": project_id}):
            return True
    return False


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'
