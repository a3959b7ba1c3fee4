"""A caller's own connection: whether a wallet can be written in its transaction."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from strongroom.errors import ConnectionNotSupportedError
from strongroom.store.engine import MARK


def check(connection: sa.Connection, engine: Engine) -> None:
    """Refuse one that would hold nothing, or is not of the vault's kind. Raises ConnectionNotSupportedError."""
    if not isinstance(connection, sa.Connection):
        raise ConnectionNotSupportedError("connection= takes a SQLAlchemy Connection.")
    ours, theirs = engine.dialect, connection.dialect
    if (ours.name, ours.driver) != (theirs.name, theirs.driver):
        raise ConnectionNotSupportedError("connection= is of another kind of database or driver than the vault.")
    sqlite = ours.name == "sqlite"
    if connection.closed or _is_autocommit(connection, sqlite):
        raise ConnectionNotSupportedError("connection= is closed or in autocommit mode: nothing would hold it.")
    if sqlite and MARK not in connection.info:
        raise ConnectionNotSupportedError("On SQLite, connection= must come from strongroom.create_engine().")


def _is_autocommit(connection: sa.Connection, sqlite: bool) -> bool:
    if sqlite:
        return connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
    return bool(connection.connection.dbapi_connection.autocommit)  # type: ignore[union-attr]
