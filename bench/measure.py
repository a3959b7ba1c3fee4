"""Take times in interleaved rounds, and reduce them to numbers that can be compared.

Machines are noisy: the candidate that runs first, or alone, gets another machine than the others. So they take turns,
in an order that is shuffled every round (with a fixed seed), and each turn is timed by itself.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Unit = Literal["ms", "us", "/s", "MiB"]
_FACTORS: dict[str, float] = {"ms": 1e3, "us": 1e6}
_WARM_UP = 20


@dataclass(slots=True)
class Samples:
    """The seconds of each turn of one candidate: on the clock, and of its own CPU."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one candidate did in one group."""

    group: str
    database: str
    """``sqlite``, ``postgresql``, or empty where there is none."""
    name: str
    unit: Unit
    median: float
    p99: float
    """The slow end: the 99th percentile of times, the 1st of rates. With few turns it is the worst one."""
    best: float
    cpu: float
    """The median of CPU time of this process alone, or the rate that it would allow: what neighbours disturb least."""
    turns: int

    def as_dict(self) -> dict[str, Any]:
        """The measurement as JSON-ready values."""
        return {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Target:
    """A promise in numbers, and what was reached in this run.

    Rates and times are promised as multiples of a floor of the same run: machines differ. The figure itself is shown
    next to it.
    """

    text: str
    database: str
    limit: float
    reached: float
    best: float
    """What the best turns reached: on a busy machine, nearer to what the program can do."""
    at_least: bool = False
    """Whether ``limit`` is a lower bound."""
    unit: Unit | None = None
    """Of the next three."""
    absolute: float | None = None
    """What was measured, of which ``reached`` is the multiple."""
    aim: float | None = None
    """The absolute figure that is aimed at, on the machine of ``bench/aims.json``."""
    scaled: float | None = None
    """The same for the machine of this run."""

    @property
    def met(self) -> bool:
        """Whether it was reached."""
        return self.reached >= self.limit if self.at_least else self.reached <= self.limit

    def as_dict(self) -> dict[str, Any]:
        """The aim as JSON-ready values."""
        values = {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(self).items()}
        return {**values, "met": self.met}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who takes turns: ``run`` is timed, on the next of the prepared ``inputs``."""

    name: str
    run: Callable[[Any], object]
    inputs: Sequence[Any] = (None,)
    """One for each turn; taken round and round where there are fewer."""


def race(
    candidates: Sequence[Candidate], turns: int, warm_up: int, clock: Callable[[], float] = time.thread_time
) -> dict[str, Samples]:
    """Let everyone take ``warm_up`` turns that do not count and ``turns`` that do; ``clock`` tells their CPU time."""
    order, dice = list(candidates), random.Random(7)
    taken = {candidate.name: Samples() for candidate in candidates}
    gc.collect()
    gc.freeze()  # what was there before is nobody's garbage, nor is it looked at before the next race
    for turn in range(warm_up + turns):
        dice.shuffle(order)
        for candidate in order:
            given = candidate.inputs[turn % len(candidate.inputs)]
            wall, cpu = time.perf_counter(), clock()
            candidate.run(given)
            cpu, wall = clock() - cpu, time.perf_counter() - wall
            if turn >= warm_up:
                taken[candidate.name].wall.append(wall)
                taken[candidate.name].cpu.append(cpu)
    return taken


def times(group: str, database: str, taken: Mapping[str, Samples], unit: Unit = "ms") -> list[Measurement]:
    """Reduce turns to times in a unit, one measurement a candidate."""
    return [_reduced(group, database, name, unit, turns, _FACTORS[unit].__mul__) for name, turns in taken.items()]


def rates(group: str, database: str, taken: Mapping[str, Samples], items: int) -> list[Measurement]:
    """Reduce turns to items a second, where each turn worked on ``items``."""
    return [_reduced(group, database, name, "/s", turns, lambda each: items / each) for name, turns in taken.items()]


def named(measurements: Sequence[Measurement], name: str) -> Measurement:
    """The measurement of one candidate."""
    return next(measurement for measurement in measurements if measurement.name == name)


def ratio(text: str, limit: float, measurements: Sequence[Measurement], name: str, floor: str) -> Target:
    """An aim for how many times its floor's median time one candidate's is; of rates the other way round."""
    ours, least = named(measurements, name), named(measurements, floor)
    reached, best = (
        seconds(getattr(ours, each), ours.unit) / seconds(getattr(least, each), least.unit)
        for each in ("median", "best")
    )
    return Target(text, ours.database, limit, reached, best, unit=ours.unit, absolute=ours.median)


def seconds(value: float, unit: Unit) -> float:
    """The seconds that one takes, by a time or by a rate."""
    return 1 / value if unit == "/s" else value / _FACTORS[unit]


def of_seconds(taken: float, unit: Unit) -> float:
    """A time in a unit, or the rate at which one takes so long."""
    return 1 / taken if unit == "/s" else taken * _FACTORS[unit]


def warm_up_turns(turns: int) -> int:
    """How many turns do not count, where one is short: of a small run no more than do."""
    return min(_WARM_UP, turns)


def _reduced(
    group: str, database: str, name: str, unit: Unit, turns: Samples, convert: Callable[[float], float]
) -> Measurement:
    wall = sorted(turns.wall)
    return Measurement(
        group,
        database,
        name,
        unit,
        median=convert(statistics.median(wall)),
        p99=convert(wall[min(len(wall) - 1, len(wall) * 99 // 100)]),
        best=convert(wall[0]),
        cpu=convert(statistics.median(turns.cpu)),
        turns=len(wall),
    )
