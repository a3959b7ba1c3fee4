"""The usage log and the events: what is written, and how it is read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from strongroom.errors import InvalidActorError


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who did it and why, for the usage log."""

    actor: str | None = None
    reason: str | None = None

    @classmethod
    def of(cls, actor: UUID | str | None, reason: str | None, *, required: bool = False) -> Attribution:
        """Check and make one. Raises InvalidActorError; with ``required`` also for a missing part."""
        if required and not (actor and reason):
            raise InvalidActorError("This takes an actor and a reason; both go into the usage log.")
        text = str(actor) if isinstance(actor, UUID) else actor
        for part, longest in ((text, 255), (reason, 1000)):
            if part is not None and not (isinstance(part, str) and 0 < len(part) <= longest and part.isprintable()):
                raise InvalidActorError("The actor or the reason is empty, too long, or not printable text.")
        return cls(text, reason)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One row of the usage log."""

    action: str
    actor: Attribution
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One row of the usage log or of the events, as it is stored: no tag covers it."""

    id: str
    source: str
    """``usage``: done with a wallet; ``event``: done with the vault."""
    at: datetime | None
    """When, UTC; None where the row holds no time."""
    action: str
    """Such as ``create``, ``sign``, ``export``; ``rotate`` or ``init`` of an event; legacy applications have others."""
    wallet_id: str | None
    """The wallet's id as text, or None for an event."""
    project_id: str | None
    """The project's id as text; of an event the project that it names, or None."""
    actor: str | None
    """Who did it, or None where nobody was named."""
    reason: str | None
    details: Mapping[str, Any]
    """What else was recorded, such as ``digest`` and ``chain_id`` of a signature."""
    ip_address: str | None = None
    user_agent: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The record as JSON-ready values, the time in ISO 8601."""
        return {**asdict(self), "at": None if self.at is None else self.at.isoformat()}


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page of the log, newest first."""

    records: tuple[LogRecord, ...]
    next: str | None
    """The cursor of the next page, or None on the last one."""


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What is asked of the log: None is no limit."""

    limit: int
    wallet_id: UUID | None = None
    project_id: UUID | None = None
    actor: str | None = None
    action: str | None = None
    phrase_id: UUID | None = None
    """Of a project's phrase: the events that name it, and none of the usage log."""
    since: datetime | None = None
    until: datetime | None = None
    before: tuple[datetime, str] | None = None
    """Time and id of the last record of the page before."""


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the events: what has no credential."""

    event: str
    actor: Attribution
    details: Mapping[str, str] = field(default_factory=dict)
