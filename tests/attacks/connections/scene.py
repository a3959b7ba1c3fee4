"""Where connections are cut, what is told there, and what a flow is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from strongroom import Vault, Wallet
from testbed.databases.deployments import Deployment


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """What a call told: the same thing each time, and whether this call made it (None: it makes nothing)."""

    what: object
    made: bool | None = None


@dataclass
class CutScene:
    """A place, a vault that reaches it without a proxy, and what was told there."""

    deployment: Deployment
    vault: Vault
    folder: Path
    """Where root keys are made."""
    told: dict[str, str] = field(default_factory=dict)
    """The addresses of every wallet that somebody was told of, by id."""
    expected: dict[UUID, int] = field(default_factory=dict)
    """How many credentials a project must have in the end."""
    _numbers: count[int] = field(default_factory=lambda: count(1_000))

    def key(self) -> str:
        """A private key that no wallet here has yet."""
        return f"{next(self._numbers):064x}"

    def project(self, wallets: int = 1) -> UUID:
        """A new project that must have so many credentials in the end."""
        project = self.deployment.project()
        self.expected[project] = wallets
        return project

    def wallet(self, credentials: int = 1) -> Wallet:
        """A new wallet, that somebody was told of."""
        wallet, _ = self.vault.import_wallet(self.project(credentials), "ethereum", private_key=self.key())
        self.tell(wallet)
        return wallet

    def tell(self, wallet: Wallet) -> CallAnswer:
        """Remember what a call told of a wallet."""
        self.told[str(wallet.id)] = wallet.address
        return CallAnswer((wallet.id, wallet.address))

    def duplicates(self) -> int:
        """How many credentials there are too many, or too few, in all projects."""
        sql = "SELECT project_id, count(*) FROM project_credentials GROUP BY project_id"
        found = {UUID(str(project)): int(number) for project, number in self.deployment.execute(sql)}
        return sum(abs(found.get(project, 0) - wanted) for project, wanted in self.expected.items())


Subject = Any
"""What a flow prepared for one call."""


@dataclass(frozen=True)
class CutFlow:
    """A verb under attack."""

    name: str
    prepare: Callable[[CutScene], Subject]
    call: Callable[[CutScene, Vault, Subject], CallAnswer]
    left: Callable[[CutScene, Subject], object | None] = lambda _scene, _subject: None
    """What a call that failed has left behind, in the form of ``Answer.what``."""
    again: Callable[[CutScene, Vault, Subject], CallAnswer] | None = None
    """The retry, where it is not the same call."""
    writes: bool = True
    resolves: bool = True
    """Whether a single cut leaves no question open."""
