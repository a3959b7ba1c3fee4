"""Processes stop at every statement boundary, and die at random moments; the reports say how far they came."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from testbed.harness.child import Phase
from testbed.harness.fork_server import ChildFailedError, ForkServer
from testbed.harness.random_kills import histogram, kill_at_random, share_inside
from testbed.harness.statement_stops import every_boundary, run_stopped
from tests.unit.testbed.harness import children

_ROOT = Path(__file__).parents[4]
_STATEMENTS = ("BEGIN", "INSERT INTO public_half", "INSERT INTO sealed_half", "COMMIT")


@pytest.fixture
def tables(database_url: str) -> str:
    children.make_tables(database_url)
    return database_url


def test_a_child_stops_at_each_boundary_and_then_runs_through(fork_server: ForkServer, tables: str) -> None:
    reports = list(every_boundary(fork_server, children.create, lambda n: {"url": tables, "wallet": f"w{n}"}))
    assert len(reports) == 2 * len(_STATEMENTS) + 1
    assert [report.boundaries for report in reports] == [1, 2, 3, 4, 5, 6, 7, 8, 8]
    for statement, before, after in zip(_STATEMENTS, reports[:-1:2], reports[1::2], strict=True):
        assert before.names[-1].startswith(f"before {statement}")
        assert after.names[-1].startswith(f"after {statement}")
    assert [report.phase for report in reports] == [*[Phase.BEGUN] * 7, Phase.COMMITTED, Phase.PRINTED]
    assert [report.printed for report in reports if report.printed] == [({"id": "w9"},)]
    assert children.read_tables(tables) == ({"w8", "w9"}, {"w8", "w9"})


def test_between_two_statements_one_stop_may_do(fork_server: ForkServer, tables: str) -> None:
    stops = every_boundary(fork_server, children.create, lambda n: {"url": tables, "wallet": f"w{n}"}, step=2)
    *before, through, last = stops
    assert [report.names[-1].split()[:2] for report in before] == [["before", name.split()[0]] for name in _STATEMENTS]
    assert (through.stopped, through.phase) == (False, Phase.PRINTED)
    assert (last.stopped, last.names[-1]) == (True, "after COMMIT")
    assert children.read_tables(tables) == ({"w9", "w10"}, {"w9", "w10"})


@pytest.mark.parametrize("function", [children.create_by_methods, children.create_by_sqlalchemy])
def test_boundaries_are_the_same_every_time(
    fork_server: ForkServer, tables: str, function: Callable[..., None]
) -> None:
    first, second = (fork_server.run(function, url=tables, wallet=wallet) for wallet in ("w", "v"))
    assert first.names == second.names
    inserts = [name for name in first.names if "INSERT" in name]
    assert len(inserts) == 4
    assert first.phase is Phase.PRINTED
    assert first.committed_seconds is not None
    commits = [name for name in first.names if "COMMIT" in name]
    assert len(commits) == (2 if function is children.create_by_methods else 0)


def test_a_stop_after_the_commit_keeps_the_row_and_one_before_does_not(fork_server: ForkServer, tables: str) -> None:
    before = run_stopped(fork_server, children.create, 7, {"url": tables, "wallet": "before"})
    after = run_stopped(fork_server, children.create, 8, {"url": tables, "wallet": "after"})
    assert (before.stopped, after.stopped) == (True, True)
    assert children.read_tables(tables) == ({"after"}, {"after"})


def test_kills_fall_mostly_between_the_first_statement_and_the_printed_result(
    fork_server: ForkServer, tables: str
) -> None:
    reports = list(
        kill_at_random(fork_server, children.create, lambda n: {"url": tables, "wallet": f"w{n}"}, 60, random.Random(1))
    )
    assert sum(report.killed for report in reports) == 60
    assert share_inside(reports) >= 0.5
    public, sealed = children.read_tables(tables)
    assert public == sealed
    assert {line["id"] for report in reports for line in report.printed} <= public
    table = histogram(reports)
    assert "committed, not told" in table
    assert table.splitlines()[-1].split() == ["all", "60"]


def test_a_race_starts_together_and_has_one_winner(fork_server: ForkServer, tables: str) -> None:
    reports = fork_server.race(children.race, [{"url": tables, "wallet": "one"}] * 16)
    assert sorted(report.printed[0]["created"] for report in reports) == [False] * 15 + [True]


def test_a_child_that_raises_fails_with_its_traceback(fork_server: ForkServer) -> None:
    with pytest.raises(ChildFailedError, match="the child is not well"):
        fork_server.run(children.fail)
    with pytest.raises(ChildFailedError, match="no_such_function"):
        fork_server.run("tests.unit.testbed.harness.children:no_such_function")


def test_the_fork_server_warms_up_in_its_own_process(fork_server: ForkServer, tmp_path: Path) -> None:
    fork_server.warm_up(children.touch, path=str(tmp_path / "touched"))
    assert (tmp_path / "touched").exists()


def test_the_fork_server_ends_with_the_process_that_started_it() -> None:
    program = (
        "from testbed.harness.fork_server import ForkServer\n"
        "server = ForkServer()\n"
        "print(server._process.pid, flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        fork_server = psutil.Process(int(owner.stdout.readline()))
        owner.kill()
        owner.wait(60)
    deadline = time.monotonic() + 20
    while fork_server.is_running() and fork_server.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the fork server outlived the process that started it"
        time.sleep(0.02)
