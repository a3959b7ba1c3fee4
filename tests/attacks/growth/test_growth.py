"""A process that works for long holds no more than one that has just begun: memory, files, connections, threads."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from unittest import mock

import pytest

import strongroom
from strongroom.host import fork_gate
from strongroom.rootkeys import local
from strongroom.store.connection import engine
from testbed.databases.rows import execute
from testbed.harness.sizes import SIZE
from tests.attacks.summary import StartTally

pytestmark = pytest.mark.sized("rounds")

WINDOWS = 12
WARM = 4
"""Windows that fill caches: prepared statements, derived keys, what the allocator keeps."""
ROUNDS = 2
"""Of every verb, in each window of the short run."""
MOST_MIB = 3.0
"""By how much resident memory may differ: a page of the allocator here, a cache that fills there. What every round
leaves behind adds up to more over the windows of a long run, and a leaked key or row of it in a short one."""
FAILURES = {
    "address-mismatch": 1,
    "invalid-private-key": 1,
    "root-key-missing": 1,
    "signature-refused": 1,
    "unknown-network": 1,
    "wallet-not-found": 2,
}
"""Of a round, by code: what ``Run`` asks for in vain."""
COUNTED = ("descriptors", "connections", "threads", "temporary files")

Series = list[dict[str, int]]


def long_run(url: str, root_key: str, folder: Path) -> tuple[Series, dict[str, int]]:
    """Work for long in a process of its own; what it measured, and how often which error came up."""
    (folder / "temporary").mkdir()
    environment = {
        **os.environ,
        "TMPDIR": str(folder / "temporary"),
        "STRONGROOM_GROWTH_ROOT": local.new_text().reveal_text(),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "MALLOC_ARENA_MAX": "1",
    }
    arguments = [url, root_key, str(WINDOWS), str(ROUNDS * SIZE.rounds)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.attacks.growth.growth", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *series, failures = (json.loads(line) for line in done.stdout.splitlines())
    assert len(series) == WINDOWS
    return series, failures


def grown(series: Series, name: str) -> tuple[float, float]:
    """The median of the first windows after warming up, and of the last ones."""
    values = [window[name] for window in series[WARM:]]
    half = len(values) // 2
    return median(values[:half]), median(values[half:])


def too_much(series: Series) -> dict[str, tuple[float, float]]:
    """What grew, from what to what."""
    first, last = grown(series, "KiB")
    found = {"KiB": (first, last)} if last - first > MOST_MIB * 1024 else {}
    return found | {name: pair for name in COUNTED if (pair := grown(series, name))[1] > pair[0]}


@pytest.mark.thorough(but=("sqlite",))
@pytest.mark.parametrize("backend", ["sqlite", "fresh"])
def test_a_long_run_holds_no_more_than_a_short_one(
    backend: str, request: pytest.FixtureRequest, root_key_uri: str, tmp_path: Path, tally: StartTally
) -> None:
    row = tally("growth", backend)
    url = str(request.getfixturevalue("sqlite_vault_url" if backend == "sqlite" else "postgresql_vault_url"))
    series, failures = long_run(url, root_key_uri, tmp_path)
    for name in ("operations", "KiB", *COUNTED):
        print(f"{name:>16}: {', '.join(f'{window[name]:,}' for window in series)}")
    first, last = grown(series, "KiB")
    row.acknowledged += series[-1]["operations"]
    row.landed.update({"MiB at the start": round(first / 1024), "MiB at the end": round(last / 1024)})
    row.landed.update({f"{name} at the end": series[-1][name] for name in COUNTED})
    rounds = WINDOWS * ROUNDS * SIZE.rounds
    assert failures == {code: number * rounds for code, number in FAILURES.items()}
    assert too_much(series) == {}
    assert execute(url, "SELECT count(*) FROM project_credentials")[0][0] >= 4 * rounds


def test_a_vault_that_was_closed_is_forgotten(sqlite_vault_url: str, root_key_uri: str) -> None:
    """Whatever is registered with the interpreter for a fork is registered once."""
    gc.collect()
    before = len(fork_gate._gates), len(engine._engines)
    with mock.patch("os.register_at_fork") as register:
        for _ in range(20):
            strongroom.open(sqlite_vault_url, root_key=root_key_uri).close()
    register.assert_not_called()
    gc.collect()
    assert (len(fork_gate._gates), len(engine._engines)) == before


def steady(**changes: Callable[[int], int]) -> Series:
    """What a process measures that does not grow, but for what is said."""
    still = {"operations": 1, "KiB": 100_000, "descriptors": 9, "connections": 1, "threads": 3, "temporary files": 0}
    return [
        {name: changes.get(name, lambda _, n=value: n)(window) for name, value in still.items()}
        for window in range(WINDOWS)
    ]


@pytest.mark.parametrize(
    ("name", "growth"),
    [
        ("KiB", lambda window: 100_000 + 1_024 * window),
        ("descriptors", lambda window: 9 + window),
        ("connections", lambda window: 1 + window // 4),
        ("threads", lambda window: 3 + window),
        ("temporary files", lambda window: window // 2),
    ],
)
def test_growth_is_seen(name: str, growth: Callable[[int], int]) -> None:
    """And noise is not: a cache that fills early, a page of memory now and then."""
    assert list(too_much(steady(**{name: growth}))) == [name]
    assert too_much(steady(KiB=lambda window: 100_000 + 700 * (window % 3))) == {}
    assert too_much(steady(KiB=lambda window: 50_000 if window < WARM else 100_000)) == {}
