"""Backends that a test runs on: SQLite, fresh PostgreSQL, and the generations of legacy tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from strongroom import Vault, Wallet
from testbed.databases.deployments import BACKENDS, CORE_BACKENDS, Deployment, open_deployment


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
def vault_a(deployment: Deployment) -> Iterator[Vault]:
    """A vault on the place."""
    with deployment.open() as vault:
        yield vault


@pytest.fixture
def vault_b(deployment: Deployment) -> Iterator[Vault]:
    """A second vault on the same place: other connections, a keyring of its own."""
    with deployment.open() as vault:
        yield vault


@pytest.fixture
def wallet(deployment: Deployment, vault_a: Vault) -> Wallet:
    """A wallet of ours with a label of its own."""
    return vault_a.create_wallet(deployment.project(), "solana", label="hot")[0]
