"""Rows to records and records to parameters."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from strongroom import bounded_json
from strongroom.records.history import HistoryEntry
from strongroom.records.identifiers import new_id
from strongroom.records.usage_log import Event
from strongroom.records.vault_texts import SEALED_PREFIX
from strongroom.store.statements.metadata_texts import holds_text
from strongroom.store.statements.register_rows import uuid_of

_LONGEST_FACT = 1024
_LAST_SECOND = 99_999_999_999
"""As seconds the year 5138, as milliseconds March 1973."""
_STRANGE = "?"
"""Stands for whatever a row says that is no word: it is no scheme and no path, and not the silence of a legacy row."""


def readable(row: Sequence[Any]) -> tuple[Any, ...]:
    """A row's values with text for bytes: SQLite takes bytes for any column, and they are no text of ours."""
    if bytes not in map(type, row):
        return tuple(row)
    return tuple(value.decode(errors="replace") if isinstance(value, bytes) else value for value in row)


def is_text(value: str) -> bool:
    """Whether a value was text where it is stored, and not bytes that are none: ``readable``, and the connection."""
    return "\ufffd" not in value and in_utf8(value) == value


def in_utf8(text: str) -> str:
    """A text that can be written; in the place of what is none, as SQLite may hold it, stand question marks."""
    return text.encode(errors="replace").decode()


def time_of(value: Any) -> datetime | None:
    """A time in UTC, or None where the row holds none; a number is seconds since 1970, or milliseconds of this age."""
    try:
        if isinstance(value, (int, float, Decimal)):
            seconds = float(value)
            return datetime.fromtimestamp(seconds / 1000 if seconds > _LAST_SECOND else seconds, UTC)
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def facts(metadata: Any) -> dict[str, Any]:
    """What the metadata says, or nothing where it is damaged or says something else."""
    try:
        found = bounded_json.loads(metadata, long_numbers=True) if isinstance(metadata, str) else metadata
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def names_key(said: Mapping[str, Any]) -> bool:
    """Whether metadata have a member in which a legacy application kept a key text, or may have."""
    return holds_text(said)


def fact_of(value: Any) -> str | None:
    """A scheme or a path as the metadata say it, which may be anything."""
    if value is None or (isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST_FACT):
        return value
    return _STRANGE


def history_entry(row: Sequence[Any]) -> HistoryEntry:
    """A kept text from a row of strongroom_vault_history."""
    values = readable(row)  # the guard keeps what SQLite had
    entry_id, project_id, credential_id, network, label, address, public_key, vault_id, text, form, reason, at = values
    return HistoryEntry(
        id=uuid_of(entry_id),
        project_id=uuid_of(project_id),
        wallet_id=uuid_of(credential_id),
        network=network,
        label=label,
        address=address,
        public_key=public_key,
        vault_id=vault_id,
        text=text,
        form=form,
        reason=reason,
        created_at=time_of(at) or datetime.min.replace(tzinfo=UTC),
    )


def kid_of(head: str) -> str | None:
    """The kid in the first forty characters of a sealed text, or None for other texts."""
    if not head.startswith(SEALED_PREFIX) or len(head) < BEGINNING_CHARACTERS:
        return None
    try:
        return base64.urlsafe_b64decode(head[:BEGINNING_CHARACTERS])[8:].decode("ascii")
    except ValueError:
        return None


def event_parameters(event: Event, now: datetime, event_id: UUID | None = None) -> dict[str, Any]:
    """The parameters of a row of events; with a new id, unless there is one already."""
    details = dict(event.details)
    for name, value in (("actor", event.actor.actor), ("reason", event.actor.reason)):
        if value is not None:
            details[name] = value
    return {"event_id": event_id or new_id(now), "event": event.event, "details": json.dumps(details), "now": now}


BEGINNING_CHARACTERS = 40
"""Of a sealed text: they name its sealing key."""


def beginning_of(kid: str) -> str:
    """The forty characters that every text begins with that a sealing key sealed."""
    return base64.urlsafe_b64encode(f'{{"kid":"{kid}'.encode()).decode("ascii")
