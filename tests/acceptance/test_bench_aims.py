"""How the bench judges: multiples of floors, and figures that are scaled by them. What is in the docs is a run's."""

from __future__ import annotations

import pytest

from bench import aims
from bench.measure import Measurement, Unit, ratio
from bench.publish import PAGE, markdown

_VERIFY = ("verify", "postgresql", "floor: open, derive")


def _measurement(name: str, unit: Unit, median: float, cpu: float | None = None) -> Measurement:
    return Measurement("derive", "postgresql", name, unit, median, median, median, cpu or median, turns=1)


@pytest.mark.parametrize(("unit", "ours", "floor"), [("ms", 3.0, 2.0), ("us", 150.0, 100.0), ("/s", 1000.0, 1500.0)])
def test_a_ratio_says_how_many_times_the_floor_takes(unit: Unit, ours: float, floor: float) -> None:
    measured = [_measurement("ours", unit, ours), _measurement("floor", unit, floor)]
    target = ratio("text", 1.4, measured, "ours", "floor")
    assert (round(target.reached, 6), target.absolute, target.unit, target.met) == (1.5, ours, unit, False)


@pytest.mark.parametrize("slower", [1.0, 2.0, 3.6])
def test_a_rate_that_is_aimed_at_is_scaled_by_the_floor(slower: float) -> None:
    there = aims.floors()[_VERIFY].median
    floor = _measurement("open, derive", "/s", there / slower)
    for rate, met in ((5100 / slower, True), (4900 / slower, False)):
        target = aims.scaled("text", 5000, _measurement("ours", "/s", rate), floor, of=_VERIFY)
        assert (target.aim, round(target.scaled or 0, 6), target.met) == (5000, round(5000 / slower, 6), met)


def test_a_time_that_is_aimed_at_is_scaled_by_the_floor() -> None:
    start = ("start", "", "import sqlalchemy")
    floor = _measurement("import sqlalchemy", "ms", 2 * aims.floors()[start].median)
    target = aims.scaled("text", 350, _measurement("open", "ms", 690), floor, of=start)
    assert (round(target.scaled or 0, 6), target.met) == (700, True)


def test_a_rate_is_held_to_the_cpu_time_of_its_floor() -> None:
    signed = ("sign", "postgresql", "messages: floor")
    floor = _measurement("floor", "ms", 99.0, cpu=2 * aims.floors()[signed].cpu)
    target = aims.scaled("text", 4000, _measurement("crowd", "/s", 2100), floor, by="cpu", of=signed)
    assert (round(target.scaled or 0, 6), target.met) == (2000, True)


def test_the_tables_of_the_docs_are_those_of_a_run() -> None:
    assert markdown() in PAGE.read_text(encoding="utf-8")
