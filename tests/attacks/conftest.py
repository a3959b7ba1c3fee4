"""Servers of the attacks' own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from testbed.servers.postgres import PostgresServer
from tests.attacks.servers.backends import start_quick_server


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server that may be killed, and whose disk may fail."""
    with start_quick_server() as started:
        yield started
