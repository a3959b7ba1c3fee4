"""Projects, as the rows of their wallets name them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """One project, as the rows of its wallets say it."""

    id: UUID
    wallets: int
    """How many wallets it has, retired ones included."""


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """One page of projects, in the order of their ids."""

    projects: tuple[ProjectSummary, ...]
    next: str | None
    """The cursor of the next page, or None on the last one."""
