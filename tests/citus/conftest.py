"""A vault on the coordinator that STRONGROOM_CITUS_URL names; without it nothing here is collected."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest

import strongroom

CITUS_URL = os.environ.get("STRONGROOM_CITUS_URL") or ""
collect_ignore_glob = [] if CITUS_URL else ["test_*.py"]
_DROP = "DROP SCHEMA IF EXISTS strongroom CASCADE"


@pytest.fixture
def citus_url(root_key_uri: str) -> Iterator[str]:
    """A vault on one node, with the wallet of a project, which is dropped afterwards."""
    with psycopg.connect(CITUS_URL, autocommit=True) as connection:
        connection.execute(_DROP)
    strongroom.init(CITUS_URL, root_key=root_key_uri).close()
    yield CITUS_URL
    with psycopg.connect(CITUS_URL, autocommit=True) as connection:
        connection.execute(_DROP)
