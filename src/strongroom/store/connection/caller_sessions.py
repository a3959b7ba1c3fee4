"""The connection of a caller's session of SQLAlchemy: what it says where its transaction has failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import MissingGreenlet

from strongroom.errors import ConnectionNotSupportedError, FailedTransactionError, RetryTransactionError

ON_LOOP = "Await AsyncVault's verb with it, or call this one inside its run_sync."


@contextmanager
def told_of_session() -> Iterator[None]:
    """Errors for one who asks a session for its connection, which it refuses after a flush that failed.

    Raises FailedTransactionError, RetryTransactionError, ConnectionNotSupportedError.
    """
    try:
        yield
    except MissingGreenlet as error:
        raise ConnectionNotSupportedError(
            "connection= is an asynchronous engine's, and this is not its run_sync.", hint=ON_LOOP
        ) from error
    except sa.exc.PendingRollbackError as error:
        raise FailedTransactionError("The caller's session had failed before this call, in a flush.") from error
    except sa.exc.InvalidRequestError as error:
        raise RetryTransactionError("The caller's transaction has ended or must be rolled back.") from error
