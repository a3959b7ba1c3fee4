"""A plugin of pytest: the seed in the heading, the table at the end, whichever worker the attacks ran in."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from testbed.harness.sizes import SIZE, settle_seed
from tests.attacks import matrix_table
from tests.attacks.matrix_table import CellResult
from tests.attacks.tally import Tally, table

_PROPERTY = "attack"
_TALLIES = pytest.StashKey[list[Tally]]()
_MATRIX = "matrix"
_CELLS = pytest.StashKey[list[CellResult]]()


class StartTally(Protocol):
    """Begin a row of the table; it is written down when the test ends, however it ends."""

    def __call__(self, attack: str, backend: str = "-") -> Tally: ...


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[StartTally]:
    """Rows of the table. A test whose damage is not 0 fails, whatever else it looked at."""
    started: list[Tally] = []

    def start(attack: str, backend: str = "-") -> Tally:
        started.append(Tally(attack, backend))
        return started[-1]

    yield start
    for each in started:
        request.node.user_properties.append((_PROPERTY, each.as_dict()))
    damage = {f"{each.attack}, {each.backend}": each.damage for each in started if each.damage}
    assert not damage, damage


@pytest.fixture
def cell_results(request: pytest.FixtureRequest) -> Iterator[list[CellResult]]:
    """Cells of the tampering matrix; they are written down when the test ends, however it ends."""
    results: list[CellResult] = []
    yield results
    request.node.user_properties.append((_MATRIX, [list(each) for each in results]))


def pytest_configure(config: pytest.Config) -> None:
    """Settle the seed before workers start."""
    settle_seed()
    config.stash[_TALLIES] = []
    config.stash[_CELLS] = []
    report = None if hasattr(config, "workerinput") else os.environ.get("STRONGROOM_ATTACK_REPORT")
    collector = _Collector(config.stash[_TALLIES], config.stash[_CELLS], Path(report) if report else None)
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
    cells = config.stash[_CELLS]
    for line in (*table(tallies), *_matrix(cells)):
        terminalreporter.write_line(line)


def _matrix(cells: Sequence[CellResult]) -> Iterator[str]:
    """The tampering matrix, where more was tried of it than each column once."""
    if SIZE.cells > 1 and cells:
        yield ""
        yield from matrix_table.table(cells)


def _particulars() -> Iterator[str]:
    yield f"Size {SIZE.name}, seed {settle_seed()}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC."
    yield f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}."


class _Collector:
    """Keeps the rows of the tests that have ended, here or in a worker, and writes them down as the run goes on."""

    def __init__(self, tallies: list[Tally], cells: list[CellResult], file: Path | None) -> None:
        self._tallies, self._cells, self._file = tallies, cells, file
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
            for name, values in report.user_properties:
                if name == _MATRIX:
                    self._cells += [CellResult(*each) for each in values]  # type: ignore[attr-defined]
            if self._file is not None:
                self._write(self._file)

    def _write(self, file: Path) -> None:
        progress = f"Tests that have ended: {self._ended}; failures: {len(self._failed)}."
        lines = [*_particulars(), progress, "", *table(self._tallies), *_matrix(self._cells), "", *self._failed]
        new = file.with_name(f"{file.name}.new")
        new.write_text("\n".join(lines), encoding="utf-8")
        new.replace(file)
