"""Django: its connection as one that carries a wallet in ``transaction.atomic()``."""

from __future__ import annotations

from typing import Any

from django.db import connections

from strongroom.errors import ConnectionNotSupportedError, FailedTransactionError

__all__ = ["connection_of"]


def connection_of(using: str = "default") -> Any:
    """Return what ``connection=`` takes of a database of Django's, on psycopg or psycopg2, inside ``atomic()``.

    Raises:
        ConnectionNotSupportedError: there is no transaction, or the database is not PostgreSQL.
        FailedTransactionError: an error inside the block has marked it for rollback.
    """
    wrapped = connections[using]
    if wrapped.vendor != "postgresql" or not wrapped.in_atomic_block:
        raise ConnectionNotSupportedError(
            "Django's connection is not PostgreSQL's, or not in a transaction: nothing would hold the wallet.",
            hint="Call it inside transaction.atomic(), on a database of PostgreSQL.",
        )
    if wrapped.needs_rollback:
        raise FailedTransactionError(
            "The caller's transaction had failed, or was marked for rollback, before this call."
        )
    wrapped.ensure_connection()
    return wrapped.connection
