"""The second oracle, besides eth-account."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from testbed.oracles.javascript import JavaScriptOracle, installed


@pytest.fixture(scope="session")
def javascript() -> Iterator[JavaScriptOracle]:
    """ethers and MetaMask's eth-sig-util."""
    with JavaScriptOracle(installed("evm")) as oracle:
        yield oracle
