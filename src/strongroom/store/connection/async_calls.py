"""Verbs on the asynchronous connections of callers: statements on the caller's loop, inside SQLAlchemy's greenlet."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from strongroom.errors import ConnectionNotSupportedError
from strongroom.store.connection.caller_sessions import told_of_session

T = TypeVar("T")


async def run_awaited(connection: Any, verb: Callable[[Any], T]) -> T:
    """Run a verb that is given the synchronous face of an AsyncSession's or AsyncConnection's connection.

    Where the task is cancelled, SQLAlchemy rolls back to the verb's SAVEPOINT, or invalidates the connection, before
    this comes back; no thread ever has the connection.

    Raises ConnectionNotSupportedError for any other object, and FailedTransactionError where a session must be rolled
    back.
    """
    known = sys.modules.get("sqlalchemy.ext.asyncio")
    if known is not None and isinstance(connection, (known.AsyncSession, known.async_scoped_session)):
        with told_of_session():
            connection = await connection.connection()
    if known is None or not isinstance(connection, known.AsyncConnection):
        raise ConnectionNotSupportedError(
            "AsyncVault's connection= takes an AsyncSession or an AsyncConnection of SQLAlchemy.",
            hint="Pass another one to Vault, in the thread that owns it.",
        )
    if connection.closed:
        raise ConnectionNotSupportedError("connection= is closed or in autocommit mode: nothing would hold it.")
    return await connection.run_sync(verb)  # type: ignore[no-any-return]
