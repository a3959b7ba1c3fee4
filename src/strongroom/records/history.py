"""Texts that were kept of a wallet."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """One page of what was kept of a wallet, oldest first."""

    entries: tuple[HistoryEntry, ...]
    next: str | None
    """The cursor of the next page, or None on the last one."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A text that stands, or stood, in a vault record, with the whole identity of its wallet."""

    id: UUID
    project_id: UUID
    wallet_id: UUID
    network: str
    label: str
    address: str
    public_key: str
    vault_id: str
    text: str = field(repr=False)
    form: str
    """``sealed``: a sealed text of ours; ``foreign``: the legacy application's text."""
    reason: str
    """What wrote it: ``create``, ``import``, ``fill``, ``rewrap``, ``repair``; or what the guard caught:
    ``guard-update``, ``guard-delete``, ``guard-truncate``, ``guard-replace``."""
    created_at: datetime
