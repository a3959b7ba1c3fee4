"""Absolute aims: figures for one machine, which are held on another as multiples of a floor that both measured.

``aims.json`` has the floors of the machine that the figures were written for. ``--publish`` does not touch it: a slower
machine does not make an aim easier.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from bench.measure import Measurement, Target, Unit, of_seconds, seconds

FILE = Path(__file__).with_name("aims.json")
By = Literal["median", "cpu"]


class Floor(NamedTuple):
    """What the machine of the aims did with a floor."""

    unit: Unit
    median: float
    cpu: float


@cache
def floors() -> dict[tuple[str, str, str], Floor]:
    """The floors of the machine of the aims, by group, database and name."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        (each["group"], each["database"], each["name"]): Floor(each["unit"], each["median"], each["cpu"])
        for each in document["floors"]
    }


def scaled(
    text: str,
    aim: float,
    ours: Measurement,
    floor: Measurement,
    *,
    by: By = "median",
    ours_by: By = "median",
    of: tuple[str, str, str] | None = None,
) -> Target:
    """An aim for a figure: as many times the floor of this run as it was times the same floor on its own machine.

    ``by`` and ``ours_by`` say which of their numbers are compared; ``of`` names the floor in ``aims.json``, where that
    is not group, database and name of ``floor``.
    """
    there = floors()[of or (floor.group, floor.database, floor.name)]
    here, figure = seconds(getattr(floor, by), floor.unit), getattr(ours, ours_by)
    limit = seconds(aim, ours.unit) / seconds(getattr(there, by), there.unit)
    return Target(
        text,
        ours.database,
        limit,
        reached=seconds(figure, ours.unit) / here,
        best=seconds(ours.best, ours.unit) / (here if by == "cpu" else seconds(floor.best, floor.unit)),
        unit=ours.unit,
        absolute=figure,
        aim=aim,
        scaled=of_seconds(limit * here, ours.unit),
    )
