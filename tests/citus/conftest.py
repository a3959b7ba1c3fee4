"""A vault on the coordinator that STRONGROOM_CITUS_URL names; without it nothing here is collected."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest

import strongroom
from testbed.command_line import call

CITUS_URL = os.environ.get("STRONGROOM_CITUS_URL") or ""
_DROP = "DROP SCHEMA IF EXISTS strongroom CASCADE"
collect_ignore_glob = [] if CITUS_URL else ["test_*.py"]
if not os.environ.get("STRONGROOM_CITUS_RESTART"):
    collect_ignore_glob.append("test_lost_nodes.py")  # nothing is killed that nobody named a command for


def drop_vault() -> None:
    """Drop the schema of the vault that a test made."""
    with psycopg.connect(CITUS_URL, autocommit=True) as connection:
        connection.execute(_DROP)


@pytest.fixture
def citus_url(root_key_uri: str) -> Iterator[str]:
    """A vault on one node, with the wallet of a project, which is dropped afterwards."""
    drop_vault()
    strongroom.init(CITUS_URL, root_key=root_key_uri).close()
    yield CITUS_URL
    drop_vault()


@pytest.fixture
def distributed_url(citus_url: str) -> str:
    """The same, distributed."""
    assert call("distribute", "--apply", "--database", citus_url).code == 0
    return citus_url
