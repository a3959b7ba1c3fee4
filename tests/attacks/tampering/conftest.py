"""Databases whose rows are tampered with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from testbed.databases.deployments import CORE_BACKENDS, Deployment, open_deployment
from tests.attacks.tampering.matrix_backend import BACKENDS, MatrixBackend
from tests.attacks.tampering.tampered_database import TamperedDatabase


@pytest.fixture(params=["g3", "g4"])
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """Tables of the legacy application."""
    with open_deployment(request.param, request) as opened:
        yield opened


@pytest.fixture(params=CORE_BACKENDS)
def tampered(request: pytest.FixtureRequest) -> Iterator[TamperedDatabase]:
    """Wallets that are known, on some backends."""
    with open_deployment(request.param, request) as opened:
        yield TamperedDatabase(opened)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[MatrixBackend]:
    """Wallets that are known, one of them revoked, on tables of ours and of others."""
    with open_deployment(request.param, request) as opened:
        yield MatrixBackend(opened)
