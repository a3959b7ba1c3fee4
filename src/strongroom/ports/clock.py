"""Time, as a protocol."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time is an input."""

    def __call__(self) -> datetime:
        """The time now, in UTC, with its time zone."""
