"""A pytest plugin: which tests are not collected, here or in this run.

`make test` is a small run. It leaves out what ``@pytest.mark.thorough`` marks; ``@pytest.mark.thorough(but=("sqlite",
"g4"))`` leaves out the parameters whose ids have none of these words, and ``@pytest.mark.thorough(sample=8)`` all but
eight, chosen so that they differ most. Of any other test it takes as many parameters as ``SAMPLE`` says for the folder,
so that the run stays short as tests come. A module that is named on the command line runs with all of them,
but where ``STRONGROOM_SAMPLED=1`` asks for so many of these, too.

`make attack` takes as many parameters as ``CROSSED`` says for the folder, those of `make test` included; `make soak`
takes all. ``@pytest.mark.crossed(10)`` says another number: fewer for a test that takes seconds and runs every
spelling on every database, more where each parameter is another statement.

What is left out is not collected, hence not skipped. `make attack` runs what is ``longer`` there: all of that, the
tests of Hypothesis, with as many examples as they say, and of ``tests/attacks`` what takes a number of
``testbed.harness.sizes`` that is larger there, which ``@pytest.mark.sized("cuts")`` tells: the rest would do what it
did. With a seed of its own, or with ``TIMES``, all of ``tests/attacks`` is longer.

Tests of published vectors, which are not part of the project, are collected where ``STRONGROOM_VECTORS`` names their
folder; with STRONGROOM_FORBID_SKIPS=1 they have to be there. Those of a published list of chains, which nothing in CI
has, are collected where ``STRONGROOM_CHAIN_LIST`` names one. ``@pytest.mark.postgresql(15)`` keeps a test from earlier
servers, ``@pytest.mark.postgresql(15, only=("merge",))`` those of its parameters that have one of these words, and
``@pytest.mark.one_node`` a test from databases whose tables are divided by project, ``@pytest.mark.one_server`` from
those that Citus distributes, where no triggers are. Where tables are divided, nothing is collected that has others.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from zlib import crc32

import pytest

from testbed.databases.partitioned import PARTITIONS
from testbed.harness.sizes import ATTACK, SIZE, SMALL, differs
from testbed.servers import citus
from testbed.servers.releases import MAJOR

_NOT_DIVIDED = frozenset({"sqlite", "g1", "g2", "g3", "g4", "variant"})
_ON_POSTGRESQL = frozenset({"postgresql", "fresh", "g1", "g2", "g3", "g4", "variant"})
_MAYBE_DIVIDED = frozenset({"postgresql", "fresh"})
_TEMPLATE = "postgresql_template"
"""The fixture that a vault with divided tables is a copy of."""
_TESTS = Path(__file__).parents[2] / "tests"
_ATTACKS = _TESTS / "attacks"
SAMPLE: Mapping[str, int] = {"unit": 40, "integration": 2, "acceptance": 2, "versions": 2}
"""How many parameters of a test a small run takes, by the folder of the test."""
CROSSED: Mapping[str, int] = {"integration": 12, "acceptance": 24}
"""How many `make attack` takes."""


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers."""
    config.addinivalue_line(
        "markers",
        "thorough(but=(), sample=None): left to `make attack`, all but parameters with these words, or so many",
    )
    config.addinivalue_line("markers", "crossed(number): how many of its parameters a run takes that is no soak")
    config.addinivalue_line("markers", "sized(*fields): an attack that takes these numbers from testbed.harness.sizes")
    config.addinivalue_line("markers", "one_node: not where tables are divided by project")
    config.addinivalue_line("markers", "one_server: not where Citus distributes them: it needs triggers, or the guard")
    config.addinivalue_line("markers", "postgresql(major, only=()): not for earlier servers, or not with these words")
    config.addinivalue_line(
        "markers", "longer: what a small run leaves out or does less of; set by testbed.harness.tiers"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what a longer run is for, and take out of a small one what is left to it."""
    for item in items:
        if _does_more(item) or hasattr(getattr(item, "obj", None), "hypothesis"):
            item.add_marker("longer")
    if not any("::" in argument for argument in config.args):
        _require_parameters(items)
    left = {item for item in items if _is_left_out(item)}
    crossed: set[pytest.Item] = set()
    if os.environ.get("STRONGROOM_SAMPLED") or not any(".py" in argument for argument in config.args):
        here = [item for item in items if not _DIVIDED or _has_divided_tables(item)]
        left |= _not_sampled(here, _sample_of)
        crossed = _not_sampled(here, _crossed)
    for item in left:
        item.add_marker("longer")
    out = {item for item in items if _lacks_published(item) or _lacks_server(item) or _is_divided(item)}
    out |= {item for item in items if _DIVIDED and not _is_on_divided_tables(item)}
    out |= left if _IS_SMALL else crossed if SIZE.name == ATTACK else set()
    config.hook.pytest_deselected(items=[item for item in items if item in out])
    items[:] = [item for item in items if item not in out]


_IS_SMALL = SIZE.name == SMALL
_DIVIDED = PARTITIONS > 0 or citus.URL != ""


def _does_more(item: pytest.Item) -> bool:
    """Whether an attack does more here than in a small run."""
    fields = [field for mark in item.iter_markers("sized") for field in mark.args]
    return item.path.is_relative_to(_ATTACKS) and differs(*fields)


def _is_left_out(item: pytest.Item) -> bool:
    marks = [mark for mark in item.iter_markers("thorough") if "sample" not in mark.kwargs]
    return any(not any(word in _parameters(item) for word in _words(mark, "but")) for mark in marks)


def _not_sampled(items: Sequence[pytest.Item], sample_of: Callable[[pytest.Item], int | None]) -> set[pytest.Item]:
    """What of the tests with many parameters is left out: the choice of a smaller number is part of a larger one's."""
    tests: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        tests[item.nodeid.partition("[")[0]].append(item)
    left: set[pytest.Item] = set()
    for of_one_test in tests.values():
        number = sample_of(of_one_test[0])
        if number is not None and number < len(of_one_test):
            first = crc32(of_one_test[0].name.partition("[")[0].encode()) % len(of_one_test)
            chosen = most_different([_parameters(item) for item in of_one_test], number, first)
            left.update(item for index, item in enumerate(of_one_test) if index not in chosen)
    return left


def _sample_of(item: pytest.Item) -> int | None:
    """How many of its parameters run; None: all, or what the words of its mark say."""
    for mark in item.iter_markers("thorough"):
        return mark.kwargs.get("sample")
    found = SAMPLE.get(_folder(item))
    return found if found is None or not PARTITIONS else 1  # the same runs on tables that are not divided


def _crossed(item: pytest.Item) -> int | None:
    """How many of its parameters run where a run is no soak; None: all."""
    return next((mark.args[0] for mark in item.iter_markers("crossed")), CROSSED.get(_folder(item)))


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(_TESTS).parts[0] if item.path.is_relative_to(_TESTS) else ""


def most_different(ids: Sequence[str], number: int, first: int = 0) -> set[int]:
    """Choose ids whose words differ most: each next one repeats the fewest words, and is far from the others.

    Of two or more at least one is of SQLite and one of PostgreSQL, if there are both. Where the first one depends on
    the test, tests of which one parameter runs are spread over all databases.
    """
    words = [list(enumerate(each.split("-"))) for each in ids]
    on_sqlite = [_is_on_sqlite(each) for each in ids]
    used: Counter[tuple[int, str]] = Counter()
    chosen = [first]
    used.update(words[first])
    while len(chosen) < min(number, len(ids)):
        rest = [index for index in range(len(ids)) if index not in chosen]
        missing = ({True, False} & set(on_sqlite)) - {on_sqlite[each] for each in chosen}
        rest = [index for index in rest if on_sqlite[index] in missing] or rest
        chosen.append(min(rest, key=lambda index: (sum(used[word] for word in words[index]), _crowding(index, chosen))))
        used.update(words[chosen[-1]])
    return set(chosen)


def _is_on_sqlite(parameters: str) -> bool | None:
    """Whether a case runs on SQLite or on PostgreSQL; None where its words name neither."""
    words = set(re.split(r"[-_\[\]]", parameters))
    return True if "sqlite" in words else False if words & _ON_POSTGRESQL else None


def _crowding(index: int, chosen: Sequence[int]) -> float:
    return sum(1 / abs(index - each) for each in chosen)


def _has_divided_tables(item: pytest.Item) -> bool:
    """Whether a test has no parameter of a backend whose tables are never divided, where as many others are taken."""
    return not _is_divided(item) and not _NOT_DIVIDED & _words_of(item)


def _is_on_divided_tables(item: pytest.Item) -> bool:
    """Whether a test has a vault with such tables: its parameter says so, or it has none, and asks for a vault."""
    asks = _TEMPLATE in getattr(item, "fixturenames", ())
    return bool(_MAYBE_DIVIDED & _words_of(item) or asks) and not _NOT_DIVIDED & _words_of(item)


def _words_of(item: pytest.Item) -> set[str]:
    return set(re.split(r"[-_\[\]]", _parameters(item)))


def _lacks_published(item: pytest.Item) -> bool:
    required = os.environ.get("STRONGROOM_VECTORS") or os.environ.get("STRONGROOM_FORBID_SKIPS") == "1"
    asked = getattr(item, "fixturenames", ())
    lacks_list = "chain_list" in asked and not os.environ.get("STRONGROOM_CHAIN_LIST")
    return lacks_list or (not required and "vectors" in asked)


def _lacks_server(item: pytest.Item) -> bool:
    return any(
        mark.args[0] > MAJOR
        and (not _words(mark, "only") or any(word in _parameters(item) for word in _words(mark, "only")))
        for mark in item.iter_markers("postgresql")
    )


def _is_divided(item: pytest.Item) -> bool:
    """Whether a test is not for tables as this run has them."""
    not_here = ("one_node" if _DIVIDED else "", "one_server" if citus.URL else "")
    return any(name and item.get_closest_marker(name) is not None for name in not_here)


def _require_parameters(items: Sequence[pytest.Item]) -> None:
    """Refuse a marker whose word no parameter has: the parameter has another name by now."""
    parameters: dict[tuple[str, str, str], str] = defaultdict(str)
    for item in items:
        for name, keyword in (("thorough", "but"), ("postgresql", "only")):
            for mark in item.iter_markers(name):
                for word in _words(mark, keyword):
                    parameters[name, item.nodeid.partition("[")[0], word] += f" {_parameters(item)}"
    unknown = [
        f"@pytest.mark.{name}: {test} has no parameter with {word!r}"
        for (name, test, word), found in parameters.items()
        if word not in found
    ]
    if unknown:
        raise pytest.UsageError("; ".join(unknown))


def _words(mark: pytest.Mark, keyword: str) -> Sequence[str]:
    return mark.kwargs.get(keyword, ())  # type: ignore[no-any-return]


def _parameters(item: pytest.Item) -> str:
    return item.callspec.id if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ""
