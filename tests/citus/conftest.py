"""A vault on the coordinator that STRONGROOM_CITUS_URL names; without it nothing here is collected."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import strongroom
from testbed.command_line import call
from testbed.databases.deployments import Deployment
from tests.integration.repaired_database import RepairedDatabase

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


@pytest.fixture
def place(distributed_url: str, root_key_uri: str) -> Deployment:
    """The same, where the bare driver finds the vault's tables, too."""
    return Deployment("fresh", with_path(distributed_url), root_key_uri)


@pytest.fixture
def repaired(place: Deployment, private_path: Path) -> RepairedDatabase:
    """The same, for repairs."""
    return RepairedDatabase(place, private_path)


def with_path(url: str) -> str:
    """A URL whose sessions look for tables in the schema ``strongroom``, too."""
    return f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3Dpublic%2Cstrongroom"
