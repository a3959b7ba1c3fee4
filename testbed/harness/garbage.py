"""A pytest plugin: the garbage collector does not look again and again at what collecting the tests left."""

from __future__ import annotations

import gc


def pytest_collection_finish() -> None:
    """Fifteen thousand tests are millions of objects, and stay."""
    gc.collect()
    gc.freeze()
