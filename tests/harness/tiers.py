"""A pytest plugin: which tests are not collected, here or in this run.

``@pytest.mark.thorough`` leaves a test out of small runs; ``@pytest.mark.thorough(but=("sqlite", "g4"))`` leaves out
those of its parameters whose ids have none of these words. What is left out is not collected, hence not skipped:
`make attack` runs all that is marked, and everything in ``tests/attacks``.

Tests of published vectors, which are not part of the project, are collected where ``STRONGROOM_VECTORS`` names their
folder; with STRONGROOM_FORBID_SKIPS=1 they have to be there.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.attacks.sizes import SIZE, SMALL

_ATTACKS = Path(__file__).parents[1] / "attacks"


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers."""
    config.addinivalue_line("markers", "thorough(but=()): left to `make attack`, all but parameters with these words")
    config.addinivalue_line("markers", "attack: everything in tests/attacks")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark attacks, and take out of a small run what is left to a longer one."""
    for item in items:
        if item.path.is_relative_to(_ATTACKS):
            item.add_marker("attack")
    left_out = {item for item in items if _lacks_vectors(item) or (SIZE.name == SMALL and _is_left_out(item))}
    if not any("::" in argument for argument in config.args):
        _require_parameters(items)
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]


def _is_left_out(item: pytest.Item) -> bool:
    return any(not any(word in _parameters(item) for word in _kept(mark)) for mark in item.iter_markers("thorough"))


def _lacks_vectors(item: pytest.Item) -> bool:
    required = os.environ.get("STRONGROOM_VECTORS") or os.environ.get("STRONGROOM_FORBID_SKIPS") == "1"
    return not required and "vectors" in getattr(item, "fixturenames", ())


def _require_parameters(items: Sequence[pytest.Item]) -> None:
    """Refuse a marker that keeps nothing by a word: the parameter has another name by now."""
    parameters: dict[tuple[str, str], str] = defaultdict(str)
    for item in items:
        for mark in item.iter_markers("thorough"):
            for word in _kept(mark):
                parameters[item.nodeid.partition("[")[0], word] += f" {_parameters(item)}"
    unknown = [
        f"{test} has no parameter with {word!r}" for (test, word), found in parameters.items() if word not in found
    ]
    if unknown:
        raise pytest.UsageError("@pytest.mark.thorough: " + "; ".join(unknown))


def _kept(mark: pytest.Mark) -> Sequence[str]:
    return mark.kwargs.get("but", ())  # type: ignore[no-any-return]


def _parameters(item: pytest.Item) -> str:
    return item.callspec.id if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ""
