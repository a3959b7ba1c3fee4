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
    report = None if hasattr(config, "workerinput") else os.environ.get("STRONGROOM_ATTACK_REPORT")
    collector = _Collector(config.stash[_TALLIES], Path(report) if report else None)
    config.pluginmanager.register(collector, "strongroom-attacks")


def pytest_report_header() -> str:
    """What repeats the run."""
    return f"attacks: {SIZE.name}, STRONGROOM_TEST_SEED={settle_seed()}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table."""
    tallies = config.stash[_TALLIES]
    if not tallies or hasattr(config, "workerinput"):  # a worker's part of the run is the controller's to tell
        return
    terminalreporter.section(f"attacks: {SIZE.name}, seed {settle_seed()}")
    for line in table(tallies):
        terminalreporter.write_line(line)


def _particulars() -> Iterator[str]:
    yield f"Size {SIZE.name}, seed {settle_seed()}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC."
    yield f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}."


class _Collector:
    """Keeps the rows of the tests that have ended, here or in a worker, and writes them down as the run goes on."""

    def __init__(self, tallies: list[Tally], file: Path | None) -> None:
        self._tallies, self._file = tallies, file
        self._ended = 0
        self._failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the rows of a test that came to its end; say at once what failed."""
        if report.failed:
            self._failed.append(f"failed: {report.nodeid}, {report.when}\n\n{report.longreprtext}\n")
        if report.when == "teardown":
            self._ended += 1
            self._tallies += [
                Tally.from_dict(values)  # type: ignore[arg-type]
                for name, values in report.user_properties
                if name == _PROPERTY
            ]
            if self._file is not None:
                self._write(self._file)

    def _write(self, file: Path) -> None:
        progress = f"Tests that have ended: {self._ended}; failures: {len(self._failed)}."
        lines = [*_particulars(), progress, "", *table(self._tallies), "", *self._failed]
        new = file.with_name(f"{file.name}.new")
        new.write_text("\n".join(lines), encoding="utf-8")
        new.replace(file)
