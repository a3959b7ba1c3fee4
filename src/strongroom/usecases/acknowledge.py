"""Acknowledge findings of doctor's: events with a tag, so that nobody without a root key silences a monitor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from strongroom.crypto import tags
from strongroom.crypto.keyring import Keyring
from strongroom.records.acknowledgements import Acknowledgement
from strongroom.records.tag import Tag
from strongroom.records.usage_log import Attribution, Event
from strongroom.usecases.context import VaultContext

EVENT = "acknowledge"


def acknowledge(context: VaultContext, known: Iterable[Acknowledgement]) -> None:
    """Write down that findings are known, each in a transaction of its own; twice does no harm."""
    context.keyring.refresh()
    for each in known:
        kid, value = tags.make("acknowledgement", each.fields(), context.keyring)
        facts = {"finding": each.finding, "evidence": each.evidence, "until": each.until.isoformat()}
        event = Event(EVENT, Attribution(each.actor, each.reason), {**facts, "kid": kid, "tag": value})
        context.store.log.write_event(event, context.clock())


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
