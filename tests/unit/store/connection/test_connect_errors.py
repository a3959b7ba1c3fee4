"""What a refused connection is said to be."""

from __future__ import annotations

import psycopg
import sqlalchemy as sa

from strongroom.store.connection.connect_errors import connect_error


def test_of_several_servers_one_that_may_come_back_decides() -> None:
    engine = sa.create_engine("postgresql+psycopg://u@one,two/x")
    both = (
        'connection to server at "1.1.1.1", port 5432 failed: FATAL:  password authentication failed for user "u"\n'
        'connection to server at "1.1.1.2", port 5432 failed: Connection refused\n\tIs the server running?'
    )
    error = connect_error(psycopg.OperationalError(both), engine)
    assert (error.code, error.retryable) == ("connection-refused", True)
    assert "password authentication failed" in error.message
    assert "Is the server running" not in error.message
