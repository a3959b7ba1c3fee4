"""What plans are made and carried out with: an open vault, and a doctor's eye on its rows."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.store.catalog.surroundings import superuser_warning
from strongroom.store.repair_store import SqlRepairStore
from strongroom.takeover.doctor.notes import ExaminationContext
from strongroom.usecases.context import VaultContext


@dataclass(frozen=True, slots=True)
class RepairSession:
    """What plans are made and carried out with."""

    vault_context: VaultContext
    store: SqlRepairStore
    examination_context: ExaminationContext
    superuser: str | None
    """The role that is connected, if it is a superuser."""

    @property
    def warnings(self) -> list[str]:
        """What is to be said before anything is done."""
        return [] if self.superuser is None else [superuser_warning(self.superuser)]
