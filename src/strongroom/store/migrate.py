"""Bring the schema up to date with Alembic, in one transaction, beside other processes that do the same.

Two migrators of an empty database meet at the catalogue: one of them gets an error that means "somebody else makes
this table", rolls back, and finds on its next attempt that all is there. Of an existing database they meet at a lock
on the version table.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from strongroom.errors import ContentionError
from strongroom.store import schema
from strongroom.store.translate import Fault, driver_error, translate

_ATTEMPTS = 8
_MET_ANOTHER_MIGRATOR = {"42P07", "42710", "23505", "XX000"}


def upgrade(engine: Engine) -> None:
    """Run the migrations that are missing; all of them or none. Safe to run from several processes at once.

    Raises StoreError; nothing was changed then.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with engine.begin() as connection:
                _lock(connection)
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except DBAPIError as error:
            fault, translated = translate(error)
            met_another = getattr(driver_error(error), "sqlstate", None) in _MET_ANOTHER_MIGRATOR
            final = attempt == _ATTEMPTS and fault is not Fault.AGAIN
            if final or (fault is Fault.REFUSED and not met_another):
                raise translated from error
            time.sleep(0.05 * attempt * random.random())  # noqa: S311 - jitter
        else:
            return
    raise ContentionError("Another process migrates this database; it did not finish in time.")


def _lock(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql" and sa.inspect(connection).has_table(schema.VERSION_TABLE):
        connection.exec_driver_sql(f"LOCK TABLE {schema.VERSION_TABLE} IN SHARE ROW EXCLUSIVE MODE")
