"""Project ids of legacy tables that are texts: strongroom knows projects by UUIDs, in lower case and with hyphens."""

from __future__ import annotations

from strongroom.errors import ForeignSchemaError
from strongroom.store.catalog.foreign_columns import CREDENTIALS, UUID_PATTERN, Problem
from strongroom.store.catalog.foreign_schema import ForeignSchema
from strongroom.store.connection.database import CatalogueReader

_OTHER = f"SELECT 1 FROM {CREDENTIALS} WHERE project_id::text !~ {UUID_PATTERN} LIMIT 1"  # noqa: S608 - constants
_NONE_AT_ALL = f"SELECT 1 FROM {CREDENTIALS} WHERE lower(project_id::text) !~ {UUID_PATTERN} LIMIT 1"  # noqa: S608
_WORKS = "uuid works, and text whose values are UUIDs in lower case, with hyphens"
_LOWER = f"UPDATE {CREDENTIALS} SET project_id = lower(project_id) WHERE project_id <> lower(project_id)"  # noqa: S608


def project_ids_problem(database: CatalogueReader, foreign: ForeignSchema) -> Problem | None:
    """That rows have project ids which are no UUIDs in lower case; None where no row has, or no text is one."""
    column = foreign.columns.get(CREDENTIALS, {}).get("project_id")
    if column is None or not column.is_text or not database.read(_OTHER, {}):
        return None
    if database.read(_NONE_AT_ALL, {}):
        is_ = f"{column.type}, and holds values that are no UUIDs"
        return Problem(CREDENTIALS, "project_id", is_, _WORKS, of_an_id=True)
    is_ = f"{column.type}, and holds UUIDs in capitals"
    return Problem(CREDENTIALS, "project_id", is_, _WORKS, _LOWER, of_an_id=True)


def require_project_ids(database: CatalogueReader, foreign: ForeignSchema | None) -> None:
    """Raise ForeignSchemaError, with table, column, its type and the values that work."""
    found = None if foreign is None else project_ids_problem(database, foreign)
    if found is None:
        return
    if found.sql:
        hint = (
            "This SQL would help; read it, and run it as the tables' owner, in one transaction with the same for the "
            f"table of the projects, its foreign key dropped before and added again after:\n{found.sql};"
        )
    else:
        hint = (
            "Give each project a UUID: `strongroom projects id NAMESPACE ID` (project_id_of) maps an id of your own to "
            "one, always the same. Add it as a column of your projects, and let project_id hold it."
        )
    raise ForeignSchemaError(f"The wallet tables cannot be used as they are: {found}. Nothing was changed.", hint=hint)
