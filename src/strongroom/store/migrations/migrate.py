"""Bring the schema up to date with Alembic, in one transaction, alongside other processes that do the same.

Two migrators of an empty database meet at the catalogue: one of them gets an error that means "somebody else makes
this table", rolls back, and finds on its next attempt that all is there. Of an existing database they meet at a lock
on the version table.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from strongroom.errors import ContentionError
from strongroom.store import schema
from strongroom.store.connection.driver_errors import DriverFault, driver_error, translate
from strongroom.store.connection.qualified import qualified
from strongroom.store.migrations.schema_making import make_schema

_ATTEMPTS = 8
_MET_ANOTHER_MIGRATOR = {"42P06", "42P07", "42710", "23505", "XX000"}


def upgrade(engine: Engine, schemas: Mapping[str, str] | None = None) -> None:
    """Run the migrations that are missing; all of them or none. Safe to run from several processes at once.

    ``schemas`` says in which schema each table is, or is to be made, on PostgreSQL. The vault's own schema is made
    where it is missing.

    Raises SchemaRefusedError where another role owns it or a privilege is missing, and StoreError; nothing was changed
    then.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with engine.begin() as connection:
                qualify_statements(connection, schemas or {})
                home = (schemas or {}).get(schema.VERSION_TABLE)
                if home is not None and not _lock(connection, home):
                    make_schema(connection, home)
                config.attributes["connection"] = connection
                config.attributes["schemas"] = schemas or {}
                command.upgrade(config, "head")
        except DBAPIError as error:
            fault, translated = translate(error)
            met_another = getattr(driver_error(error), "sqlstate", None) in _MET_ANOTHER_MIGRATOR
            final = attempt == _ATTEMPTS and fault is not DriverFault.AGAIN
            if final or (fault is DriverFault.REFUSED and not met_another):
                raise translated from error
            time.sleep(0.05 * attempt * random.random())  # noqa: S311 - jitter
        else:
            return
    raise ContentionError("Another process migrates this database; it did not finish in time.")


def qualify_statements(connection: sa.Connection, schemas: Mapping[str, str]) -> None:
    """Let what Alembic and the migrations say name its schemas: they look names up in search_path."""
    if connection.dialect.name != "postgresql":
        return

    @sa.event.listens_for(connection, "before_cursor_execute", retval=True)
    def _qualified(
        _connection: sa.Connection, _cursor: Any, sql: str, parameters: Any, _context: Any, _many: bool
    ) -> tuple[str, Any]:
        return qualified(sql, schemas), parameters


def _lock(connection: sa.Connection, home: str) -> bool:
    """Lock the version table; False where there is none."""
    if not sa.inspect(connection).has_table(schema.VERSION_TABLE, schema=home):
        return False
    connection.exec_driver_sql(f"LOCK TABLE {schema.VERSION_TABLE} IN SHARE ROW EXCLUSIVE MODE")
    return True
