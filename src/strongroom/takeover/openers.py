"""What a takeover is given: how it opens what it works on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from strongroom.records.usage_log import Attribution
from strongroom.store.guard.installer import Guard
from strongroom.store.migrations.distribution import Distributor
from strongroom.takeover.doctor.doctor import Doctor
from strongroom.takeover.doctor.passwords import Passwords
from strongroom.takeover.migrate.session import Migrator
from strongroom.takeover.repair.session import RepairSession
from strongroom.usecases.accept import UpgradeResult
from strongroom.usecases.context import VaultContext
from strongroom.usecases.upgrade import Upgrade


class OpenUpgrade(Protocol):
    """An upgrade whose database is open; its tables are up to date."""

    @property
    def vault_context(self) -> VaultContext:
        """The open vault; close it afterwards."""

    @property
    def upgrade(self) -> Upgrade:
        """The use case that tags records, page by page."""

    @property
    def migrated(self) -> bool:
        """Whether tables were changed just now."""

    @property
    def moved(self) -> bool:
        """Whether they were moved to another schema just now."""

    def accept(self, wallet_id: UUID, actor: Attribution, *, decided: bool = False) -> list[UpgradeResult]:
        """Record one wallet anew, because a person says so."""


@dataclass(frozen=True, slots=True)
class Openers:
    """Each verb opens what it needs, and closes it."""

    doctor: Callable[[Passwords, UUID | None, Sequence[str]], AbstractContextManager[Doctor]]
    repair: Callable[[Passwords, Sequence[str]], AbstractContextManager[RepairSession]]
    guard: Callable[[], Guard]
    migrator: Callable[[], Migrator]
    upgrade: Callable[[Attribution, Sequence[UUID], str | None], OpenUpgrade]
    vault: Callable[[], VaultContext]
    distributor: Callable[[], Distributor]
