"""The one cursor of a lent connection: psycopg takes a quarter of a short statement's time to make another."""

from __future__ import annotations

from typing import Any

from sqlalchemy.pool import PoolProxiedConnection

_CURSOR = "strongroom cursor"


def cursor_of(lent: PoolProxiedConnection, *, sqlite: bool) -> Any:
    """The connection's cursor, made when it is first asked for."""
    cursor = lent.info.get(_CURSOR)
    if cursor is None:
        cursor = lent.info[_CURSOR] = lent.cursor() if sqlite else _own_cursor(lent)
    return cursor


def close_cursor(lent: PoolProxiedConnection) -> None:
    """Close it: a SELECT that nobody read to its end, or that failed on the way, would keep its lock on the file."""
    cursor = lent.info.pop(_CURSOR, None)
    if cursor is not None:
        cursor.close()


def reading(cursor: Any) -> Any:
    """A cursor of psycopg that returns what others wrote without looking into it."""
    from strongroom.store.connection.psycopg_loaders import take_what_others_wrote

    take_what_others_wrote(cursor)
    return cursor


def _own_cursor(lent: PoolProxiedConnection) -> Any:
    from psycopg import RawCursor  # where psycopg is there

    from strongroom.store.connection.psycopg_loaders import send_arrays_as_binary

    driver: Any = lent.dbapi_connection
    cursor = reading(RawCursor(driver))
    send_arrays_as_binary(cursor)
    return cursor
