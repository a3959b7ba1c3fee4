"""Backends that a test runs on: SQLite, fresh PostgreSQL, and the generations of legacy tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import psycopg
import pytest

import strongroom
from strongroom import Vault, Wallet
from testbed.databases import partitioned
from testbed.databases.attacked import Attacked
from testbed.databases.deployments import BACKENDS, CORE_BACKENDS, Deployment, open_deployment
from testbed.databases.foreign import GENERATIONS
from testbed.databases.rows import execute
from testbed.servers import citus
from testbed.servers.postgres import PostgresServer

_roles = count(1)


@pytest.fixture(params=BACKENDS)
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """The test runs on each backend."""
    with open_deployment(request.param, request) as opened:
        yield opened


@pytest.fixture(params=CORE_BACKENDS)
def core_deployments(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """The test runs on some backends."""
    with open_deployment(request.param, request) as opened:
        yield opened


@pytest.fixture
def core_vault(core_deployments: Deployment) -> Iterator[Vault]:
    """A vault on some backends."""
    with core_deployments.open() as vault:
        yield vault


@pytest.fixture
def vault_a(deployment: Deployment) -> Iterator[Vault]:
    """A vault of the deployment."""
    with deployment.open() as vault:
        yield vault


@pytest.fixture
def vault_b(deployment: Deployment) -> Iterator[Vault]:
    """A second vault of the same deployment: other connections, a keyring of its own."""
    with deployment.open() as vault:
        yield vault


@pytest.fixture
def wallet(deployment: Deployment, vault_a: Vault) -> Wallet:
    """A wallet of ours with a label of its own."""
    return vault_a.create_wallet(deployment.project(), "solana", label="hot")[0]


@pytest.fixture(params=BACKENDS)
def attacked(request: pytest.FixtureRequest, private_path: Path) -> Iterator[Attacked]:
    """Rows that somebody may write to, and repairs of them, on each backend."""
    with open_deployment(request.param, request) as opened:
        yield Attacked(opened, private_path)


@pytest.fixture(params=["fresh", "fresh-divided"])
def place(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """A vault with tables of ours on PostgreSQL: as they are made, and divided."""
    backend, _, divided = str(request.param).partition("-")
    with open_deployment(backend, request) as deployment:
        if divided and not partitioned.PARTITIONS and not citus.URL:
            partitioned.partition(deployment.url, 8)
        yield deployment


@pytest.fixture
def make_role(postgres: PostgresServer) -> Iterator[Callable[..., str]]:
    """Make a role of the server; it goes with all that it has in the databases that are still there."""
    names: list[str] = []

    def role(name: str = "", options: str = "LOGIN") -> str:
        names.append(name or f"role_{next(_roles)}")
        execute(postgres.url(), f'CREATE ROLE "{names[-1]}" {options}')
        return names[-1]

    yield role
    for (database,) in execute(postgres.url(), "SELECT datname::text FROM pg_database WHERE datallowconn"):
        for name in names:
            with suppress(psycopg.errors.InsufficientPrivilege):
                execute(postgres.url(database), f'DROP OWNED BY "{name}" CASCADE')
    if isinstance(postgres, citus.CitusServer):
        postgres.drop_owned(names)
    for name in reversed(names):
        execute(postgres.url(), f'DROP ROLE "{name}"')


# --- databases of legacy applications --------------------------------------------------------------------------


@pytest.fixture(params=GENERATIONS)
def generation(request: pytest.FixtureRequest) -> str:
    """The name of a generation: the test runs on each that can hold a wallet."""
    return str(request.param)


@pytest.fixture
def found_url(generation: str, make_legacy: Callable[..., str]) -> str:
    """The URL of a database as it is found, without strongroom."""
    return make_legacy(generation)


@pytest.fixture
def legacy_url(generation: str, make_legacy: Callable[..., str]) -> str:
    """The URL of a database of the legacy application in which a vault was initialised."""
    return make_legacy(generation, initialised=True)


@pytest.fixture
def legacy_vault(legacy_url: str, root_key_uri: str) -> Iterator[Vault]:
    """An open vault on legacy tables."""
    with strongroom.open(legacy_url, root_key=root_key_uri) as vault:
        yield vault


@pytest.fixture
def g4_url(make_legacy: Callable[..., str]) -> str:
    """The URL of an initialised vault on generation 4."""
    return make_legacy("g4", initialised=True)


@pytest.fixture
def g3_url(make_legacy: Callable[..., str]) -> str:
    """The URL of an initialised vault on generation 3, which has no trigger on credentials."""
    return make_legacy("g3", initialised=True)
