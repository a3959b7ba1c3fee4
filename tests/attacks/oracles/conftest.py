"""Oracles that a test asks; each is started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from testbed.oracles.chain_sdks import ChainSdks
from testbed.oracles.javascript import JavaScriptOracle, installed


@pytest.fixture(scope="session")
def wallet_core() -> Iterator[JavaScriptOracle]:
    """Trust Wallet's library, for a hundred chains."""
    with JavaScriptOracle(installed("networks")) as oracle:
        yield oracle


@pytest.fixture(scope="session")
def sdks() -> Iterator[ChainSdks]:
    """Libraries of Stellar, XRP and Algorand."""
    with ChainSdks() as oracle:
        yield oracle
