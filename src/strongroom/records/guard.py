"""What is installed of the guard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class GuardPart:
    """A trigger or function of the guard."""

    kind: str
    """``trigger`` or ``function``, of the guard."""
    table: str
    """The table of a trigger; empty for a function."""
    name: str
    state: str
    """``intact``, ``missing``, ``disabled``, or ``altered``: not what this version makes for these tables."""


@dataclass(frozen=True, slots=True)
class EventTriggers:
    """The guard's event triggers, which only a superuser of PostgreSQL may make."""

    states: Mapping[str, str]
    """By name: ``intact``, ``missing``, ``disabled`` or ``altered``."""
    sql: str | None
    """What a superuser would run to make them; None where all are intact."""
    superuser: bool = False
    """Whether the role that is connected is a superuser, so that installing the guard makes them."""


@dataclass(frozen=True, slots=True)
class GuardStatus:
    """What is installed of the guard."""

    state: str
    """``installed``: every part is intact; ``absent``: none is there; else ``partly``."""
    mode: str | None
    """``archive`` or ``refuse``; None where nothing says it, or parts differ."""
    parts: tuple[GuardPart, ...]
    warnings: tuple[str, ...] = ()
    event_triggers: EventTriggers | None = None
    """None on SQLite. ``state`` does not count them: the role may have no right to make them."""

    def as_dict(self) -> dict[str, Any]:
        """The status as JSON-ready values."""
        return {
            "state": self.state,
            "mode": self.mode,
            "triggers": [
                {"table": part.table, "name": part.name, "state": part.state}
                for part in self.parts
                if part.kind == "trigger"
            ],
            "functions": [{"name": part.name, "state": part.state} for part in self.parts if part.kind == "function"],
            "event_triggers": None
            if self.event_triggers is None
            else {"states": dict(self.event_triggers.states), "sql": self.event_triggers.sql},
            "warnings": list(self.warnings),
        }
