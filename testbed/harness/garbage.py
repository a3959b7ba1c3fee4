"""A pytest plugin: the garbage collector looks at what collecting the tests makes once, and not again and again."""

from __future__ import annotations

import gc

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """Fifteen thousand tests are millions of objects, and none of them is garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Keep what is there out of the collector's sight, and let it begin."""
    gc.collect()
    gc.freeze()
    gc.enable()
