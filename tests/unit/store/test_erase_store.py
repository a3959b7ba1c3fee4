"""Pages of an erasure."""

from __future__ import annotations

import pytest

import strongroom
from strongroom.store import erase_store


def test_pages_that_do_not_advance_end_in_an_error() -> None:
    with pytest.raises(strongroom.StoreError, match="advancing"):
        erase_store._advanced("a", "a")
