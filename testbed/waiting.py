"""Waits that end: for somebody who waits for a lock, and for threads."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Thread

import psycopg

from testbed.servers import citus
from testbed.servers.postgres import wait_until

LONGEST_SECONDS = 60.0
"""How long a test waits for what takes no time unless something is wrong."""
_WAITING = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid())"
_WAITING_ON_NODES = "SELECT EXISTS (SELECT 1 FROM citus_lock_waits)"


def wait_until_somebody_waits(url: str) -> None:
    """Return once a session waits for a lock of another one. RuntimeError where none does."""
    wait_until(lambda: somebody_waits(url), "nobody waits for a lock")


def somebody_waits(url: str) -> bool:
    """Whether a session waits for a lock of another one, on Citus on any node."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(_WAITING_ON_NODES if citus.URL else _WAITING).fetchone() == (True,)


def join(threads: Iterable[Thread]) -> None:
    """Wait for threads to end; a thread that does not is a failure."""
    for thread in threads:
        thread.join(LONGEST_SECONDS)
        assert not thread.is_alive(), "a thread does not end"
