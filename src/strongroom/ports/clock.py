"""Time, as a protocol."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Returns the time, with a time zone: tests and replays give their own."""

    def __call__(self) -> datetime:
        """The time now, in UTC, with its time zone."""
