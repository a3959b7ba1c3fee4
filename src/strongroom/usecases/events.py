"""Events that must be written once, whatever becomes of the connection."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from strongroom.records.identifiers import new_id
from strongroom.records.usage_log import Event
from strongroom.usecases.outcome import until_known


class EventWriter(Protocol):
    """Writes rows of events under ids that the caller chose. Failure contract as in ports.wallet_stores."""

    def write_event(self, event_id: UUID, event: Event, now: datetime) -> None:
        """Commit one row of events, and find it there. Raises TriggerConflictError, StoreError."""

    def has_event(self, event_id: UUID) -> bool:
        """Whether a row of events is there."""


def write_event(store: EventWriter, event: Event, now: datetime) -> None:
    """Write a row of events, once. Raises OutcomeUnknownError where it is not known whether that was done."""
    event_id = new_id(now)

    def write() -> bool:
        store.write_event(event_id, event, now)
        return True

    until_known(write, lambda: store.has_event(event_id))
