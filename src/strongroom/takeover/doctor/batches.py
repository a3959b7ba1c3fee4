"""Wallets that a thread examines."""

from __future__ import annotations

from dataclasses import dataclass, field

from strongroom.store.inspection.inspection import FoundWallet
from strongroom.takeover.doctor.examination import examine
from strongroom.takeover.doctor.notes import Examination, ExaminationContext
from strongroom.takeover.doctor.readings import Readings, Work


@dataclass(slots=True)
class Batch:
    """Wallets in a row, for one thread."""

    wallets: list[tuple[FoundWallet, Readings]] = field(default_factory=list)
    work: int = 0

    def add(self, found: FoundWallet, readings: Readings, work: Work) -> None:
        """Add a wallet, its texts as they were read, and the work that examining it takes."""
        self.wallets.append((found, readings))
        self.work += work

    def examined(self, examination_context: ExaminationContext) -> list[Examination]:
        """Examine its wallets in their order; one result for each."""
        return [examine(examination_context, found, readings) for found, readings in self.wallets]
