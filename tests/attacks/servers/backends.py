"""Servers that attacks start for themselves, since they kill them, and new databases on those."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import strongroom
from testbed.databases.deployments import Deployment
from testbed.databases.rows import execute
from testbed.legacy import schema_sql
from testbed.servers.postgres import PostgresServer, Setting

QUICK: dict[str, Setting] = {"shared_buffers": "16MB", "max_connections": 40}
"""Settings of a small server that recovers quickly; fsync stays on."""
if sys.platform == "linux":
    QUICK["recovery_init_sync_method"] = "syncfs"  # one call, instead of one for each of a thousand files
_numbers = count(1)


def start_quick_server() -> PostgresServer:
    """A small server that recovers quickly."""
    return PostgresServer.start(None, **QUICK)


@contextmanager
def new_deployment(server: PostgresServer, backend: str, root_key: str) -> Iterator[Deployment]:
    """A new, initialised database of a backend on a server; dropped afterwards."""
    name = f"{backend}_{next(_numbers)}"
    url = server.create_database(name)
    if backend != "fresh":
        execute(url, schema_sql(backend).replace("%", "%%"))
    strongroom.init(url, root_key=root_key).close()
    yield Deployment(backend, url, root_key)
    server.drop_database(name)
