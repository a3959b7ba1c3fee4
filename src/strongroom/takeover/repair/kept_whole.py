"""What a password protects is kept whole when its key is sealed."""

from __future__ import annotations

from strongroom.store.repair_changes import HistoryAddition
from strongroom.takeover.doctor.derivation import Content

REASON = "repair"
LOOKED_AT = "archive"
"""The reason of an entry that doctor goes on looking at."""


def locked_text(text: str, content: Content | None) -> HistoryAddition:
    """The entry of an envelope or keystore; doctor goes on naming it where it holds more than the key."""
    more = content is not None and content.more_inside
    return HistoryAddition(text, "foreign", LOOKED_AT if more else REASON)
