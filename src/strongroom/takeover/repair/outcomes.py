"""What became of the units of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from strongroom.errors import StrongroomError
from strongroom.takeover.repair.actions import Action
from strongroom.takeover.repair.plan import Unit


class UnitStatus(Enum):
    """What became of a unit; the values are printed and written into the report."""

    DONE = "done"
    NOT_NEEDED = "not needed"
    """Nothing of it is left to do: it was done before, or somebody else did it."""
    CHANGED = "changed since"
    """The rows are not what they were when the plan was made; left alone."""
    FAILED = "failed"
    """Refused by the database, or a key did not prove; nothing of the unit was done."""


@dataclass(frozen=True, slots=True)
class UnitOutcome:
    """What became of one unit."""

    unit: Unit
    status: UnitStatus
    done: tuple[Action, ...] = ()
    exposed: bool = False
    """Whether a key was in plaintext that is sealed now."""
    error: StrongroomError | None = None
