"""Wallets that a thread examines."""

from __future__ import annotations

from dataclasses import dataclass, field

from strongroom.doctor.examination import examine
from strongroom.doctor.notes import Examined, Ground
from strongroom.doctor.readings import Readings, Work
from strongroom.store.inspection.inspection import FoundWallet


@dataclass(slots=True)
class Batch:
    """Wallets in a row, for one thread."""

    wallets: list[tuple[FoundWallet, Readings]] = field(default_factory=list)
    work: int = 0

    def add(self, found: FoundWallet, readings: Readings, work: Work) -> None:
        """Take one more."""
        self.wallets.append((found, readings))
        self.work += work

    def examined(self, ground: Ground) -> list[Examined]:
        """Examine all of them."""
        return [examine(ground, found, readings) for found, readings in self.wallets]
