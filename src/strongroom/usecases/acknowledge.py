"""Acknowledge findings of doctor's: events with a tag, so that nobody without a root key silences a monitor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from strongroom import tags
from strongroom.keyring import Keyring
from strongroom.model import Acknowledgement, Actor, Event
from strongroom.tags import Tag
from strongroom.usecases.parts import Parts

EVENT = "acknowledge"


def acknowledge(parts: Parts, known: Iterable[Acknowledgement]) -> None:
    """Write down that findings are known, each in a transaction of its own; twice does no harm."""
    parts.keyring.refresh()
    for each in known:
        kid, value = tags.make("acknowledgement", each.fields(), parts.keyring)
        facts = {"finding": each.finding, "evidence": each.evidence, "until": each.until.isoformat()}
        event = Event(EVENT, Actor(each.actor, each.reason), {**facts, "kid": kid, "tag": value})
        parts.store.log.write_event(event, parts.clock())


def believed(details: Mapping[str, Any], keys: Keyring) -> Acknowledgement | None:
    """The acknowledgement that an event's details hold, or None: where its tag does not fit, nobody acknowledged."""
    finding, evidence, until, actor, reason, kid, tag = (
        str(details.get(name)) for name in ("finding", "evidence", "until", "actor", "reason", "kid", "tag")
    )
    try:
        found = Acknowledgement(finding, evidence, datetime.fromisoformat(until), actor, reason)
    except ValueError:
        return None
    if found.until.utcoffset() is None or not tags.fits("acknowledgement", found.fields(), Tag(kid, tag), keys):
        return None
    return found
