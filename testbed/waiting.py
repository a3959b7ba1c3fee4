"""Waits that end: for somebody who waits for a lock, and for threads."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Thread

import psycopg

from testbed.servers.postgres import wait_until

LONGEST_SECONDS = 60.0
"""How long a test waits for what takes no time unless something is wrong."""
_WAITING = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid())"


def wait_until_somebody_waits(url: str) -> None:
    """Return once a session waits for a lock of another one. RuntimeError where none does."""
    with psycopg.connect(url, autocommit=True) as connection:
        wait_until(lambda: connection.execute(_WAITING).fetchone() == (True,), "nobody waits for a lock")


def join(threads: Iterable[Thread]) -> None:
    """Wait for threads to end; a thread that does not is a failure."""
    for thread in threads:
        thread.join(LONGEST_SECONDS)
        assert not thread.is_alive(), "a thread does not end"
