"""Grounds that a test runs on: SQLite, fresh PostgreSQL, and the generations of other code's tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from strongroom import Vault
from tests.integration.children_lifecycle import FEW_GROUNDS, GROUNDS, Place, open_place


@pytest.fixture(params=GROUNDS)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """The test runs on each ground."""
    with open_place(request.param, request) as opened:
        yield opened


@pytest.fixture(params=FEW_GROUNDS)
def few(request: pytest.FixtureRequest) -> Iterator[Place]:
    """The test runs on some grounds."""
    with open_place(request.param, request) as opened:
        yield opened


@pytest.fixture
def here(place: Place) -> Iterator[Vault]:
    """A vault on the place."""
    with place.open() as vault:
        yield vault


@pytest.fixture
def there(place: Place) -> Iterator[Vault]:
    """A second vault on the same place: other connections, a keyring of its own."""
    with place.open() as vault:
        yield vault
