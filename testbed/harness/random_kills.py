"""Kill processes at random moments, most of them between the first statement and the printed result."""

from __future__ import annotations

import os
import random
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from statistics import median

from testbed.harness.child import Phase
from testbed.harness.fork_server import Arguments, Child, ChildReport, ForkServer

LANDED = {
    Phase.BEFORE: "before the first statement",
    Phase.BEGUN: "nothing committed",
    Phase.COMMITTED: "committed, not told",
    Phase.PRINTED: "told",
}
"""Where a kill fell, in words."""
_MEASURED_RUNS = 3


def seeded() -> random.Random:
    """A random generator whose seed is printed; STRONGROOM_TEST_SEED repeats one."""
    seed = int(os.environ.get("STRONGROOM_TEST_SEED") or secrets.randbits(32))
    print(f"STRONGROOM_TEST_SEED={seed}")
    return random.Random(seed)


def kill_at_random(
    fork_server: ForkServer,
    function: Child,
    arguments: Callable[[int], Arguments],
    kills: int,
    rng: random.Random,
    measured: list[ChildReport] | None = None,
) -> Iterator[ChildReport]:
    """Run children and kill them; yield a report of each, until ``kills`` of them were killed.

    A few run through first, to measure how long each phase takes, and so do those that are quicker than their
    bullet: ``report.killed`` tells. Six in ten are aimed at the time between the first statement and the
    printed result, three at the short one between commit and print, one at any time. ``arguments(i)`` makes
    the arguments of the i-th child, from 0. ``measured`` keeps the reports that aims are taken from: given again,
    nothing has to be measured anew.
    """
    finished: list[ChildReport] = [] if measured is None else measured
    killed = number = 0
    while killed < kills:
        if len(finished) < _MEASURED_RUNS:
            report = fork_server.run(function, **arguments(number))
        else:
            report = fork_server.kill(function, *_aim(finished, rng), arguments(number))
        number += 1
        killed += report.killed
        if report.phase is Phase.PRINTED:
            finished[:] = [*finished[-20:], report]
        yield report


def _aim(finished: list[ChildReport], rng: random.Random) -> tuple[Phase, float]:
    begun = median(report.begun_seconds or 0.0 for report in finished)
    committed = median(report.committed_seconds or 0.0 for report in finished)
    printed = median(report.printed_seconds or 0.0 for report in finished)
    draw = rng.random()
    if draw < 0.6:
        return Phase.BEGUN, rng.uniform(0, printed)
    if draw < 0.9:
        return Phase.COMMITTED, rng.uniform(0, max(0.0, printed - committed))
    return Phase.BEFORE, rng.uniform(0, begun + printed)


def share_inside(reports: Iterable[ChildReport]) -> float:
    """Which part of the kills fell between the first statement and the printed result."""
    phases = Counter(report.phase for report in reports if report.killed)
    return (phases[Phase.BEGUN] + phases[Phase.COMMITTED]) / max(1, phases.total())


def histogram(reports: Iterable[ChildReport]) -> str:
    """A table of where the kills fell."""
    phases = Counter(report.phase for report in reports if report.killed)
    total = max(1, phases.total())
    lines = [f"{'killed':<42} {'times':>6} {'share':>7}"]
    for phase, name in LANDED.items():
        share = phases[phase] / total
        lines.append(f"{name:<42} {phases[phase]:>6} {share:>7.1%} {'#' * round(40 * share)}".rstrip())
    lines.append(f"{'all':<42} {phases.total():>6}")
    return "\n".join(lines)
