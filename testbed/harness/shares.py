"""A pytest plugin: the order in which several workers run tests, so that at the end nobody waits for a long one.

Workers get equal parts of the tests, one after the other; who has done its part takes tests from the end of another's.
So each part begins with a share of the attacks, which take up to a minute each.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")
_ATTACKS = Path(__file__).parents[2] / "tests" / "attacks"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order what is left of the tests for as many workers as there are."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = shared(items, workers, lambda item: item.path, lambda item: item.path.is_relative_to(_ATTACKS))


def shared(items: Sequence[T], workers: int, module_of: Callable[[T], object], is_long: Callable[[T], bool]) -> list[T]:
    """The same tests; of those that are long, each worker's part begins with every so many modules, whole."""
    if workers < 2:
        return list(items)
    long = {module: number for number, module in enumerate(dict.fromkeys(map(module_of, filter(is_long, items))))}
    parts: list[list[T]] = [[] for _ in range(workers)]
    others: list[T] = []
    for item in items:
        number = long.get(module_of(item))
        (others if number is None else parts[number % workers]).append(item)
    rest = iter(others)
    for part in parts:
        part.extend(islice(rest, max(0, len(items) // workers - len(part))))
    return [*(item for part in parts for item in part), *rest]
