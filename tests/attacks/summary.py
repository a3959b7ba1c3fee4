"""A plugin of pytest: the seed in the heading, the table at the end, whichever worker the attacks ran in."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from tests.attacks.sizes import SIZE, settle_seed
from tests.attacks.tally import Tally, table

_PROPERTY = "attack"
_TALLIES = pytest.StashKey[list[Tally]]()


class StartTally(Protocol):
    """Begin a row of the table; it is written down when the test ends, however it ends."""

    def __call__(self, attack: str, ground: str = "-") -> Tally: ...


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[StartTally]:
    """Rows of the table. A test whose damage is not 0 fails, whatever else it looked at."""
    started: list[Tally] = []

    def start(attack: str, ground: str = "-") -> Tally:
        started.append(Tally(attack, ground))
        return started[-1]

    yield start
    for each in started:
        request.node.user_properties.append((_PROPERTY, each.as_dict()))
    damage = {f"{each.attack}, {each.ground}": each.damage for each in started if each.damage}
    assert not damage, damage


def pytest_configure(config: pytest.Config) -> None:
    """Settle the seed before workers start."""
    settle_seed()
    config.stash[_TALLIES] = []
    config.pluginmanager.register(_Collector(config.stash[_TALLIES]), "strongroom-attacks")


def pytest_report_header() -> str:
    """What repeats the run."""
    return f"attacks: {SIZE.name}, STRONGROOM_TEST_SEED={settle_seed()}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table."""
    tallies = config.stash[_TALLIES]
    if not tallies or hasattr(config, "workerinput"):  # a worker's part of the run is the controller's to tell
        return
    lines = list(table(tallies))
    terminalreporter.section(f"attacks: {SIZE.name}, seed {settle_seed()}")
    for line in lines:
        terminalreporter.write_line(line)
    if path := os.environ.get("STRONGROOM_ATTACK_REPORT"):
        Path(path).write_text("\n".join([*_particulars(), "", *lines, ""]), encoding="utf-8")


def _particulars() -> Iterator[str]:
    yield f"Size {SIZE.name}, seed {settle_seed()}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC."
    yield f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}."


class _Collector:
    def __init__(self, tallies: list[Tally]) -> None:
        self._tallies = tallies

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the rows of a test that came to its end, here or in a worker."""
        if report.when == "teardown":
            self._tallies += [
                Tally.from_dict(values)  # type: ignore[arg-type]
                for name, values in report.user_properties
                if name == _PROPERTY
            ]
