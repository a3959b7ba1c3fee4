"""Clusters whose leaders are killed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import strongroom
from testbed.servers.patroni import PatroniCluster
from tests.attacks.servers.patroni_load import DATABASE


@pytest.fixture(scope="module")
def cluster(root_key_uri: str) -> Iterator[PatroniCluster]:
    """Three members of Patroni, and a vault."""
    with PatroniCluster.start() as started:
        started.create_database(DATABASE)
        strongroom.init(started.url(DATABASE), root_key=root_key_uri).close()
        yield started
