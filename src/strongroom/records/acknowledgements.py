"""Findings of doctor that a person knows of."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Acknowledgement(NamedTuple):
    """That a person knows of a finding of doctor's, until it expires."""

    finding: str
    """The finding's name: code and place."""
    evidence: str
    """Sixteen hexadecimal digits of the SHA-256 of what it says: what says something else is new."""
    until: datetime
    actor: str
    reason: str

    def fields(self) -> tuple[str, ...]:
        """What its tag covers, in order."""
        return self.finding, self.evidence, self.until.isoformat(), self.actor, self.reason

    def as_dict(self) -> dict[str, str]:
        """The acknowledgement as JSON-ready values."""
        return {"until": self.until.isoformat(), "actor": self.actor, "reason": self.reason}
