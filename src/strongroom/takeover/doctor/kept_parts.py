"""Texts that the history keeps sealed in several parts, put together again: a key may be in any of them, or across."""

from __future__ import annotations

from typing import NamedTuple

from strongroom.crypto.sealing import TextPart
from strongroom.secret import Secret
from strongroom.store.inspection.inspection import KeptText

_MOST_WAITING = 16
"""Texts of which parts are missing yet, each of 65,536 characters at most."""


class WholeText(NamedTuple):
    """A text whose parts were all seen."""

    text: Secret
    told: str
    """Where it is, for people."""
    entry_id: str
    """The entry that has its first part."""


class KeptParts:
    """Collects parts. They are read in the order of their ids, so that those of one text come close to each other."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str | None, int], dict[int, tuple[str, Secret]]] = {}

    def add(self, kept: KeptText, part: TextPart) -> WholeText | None:
        """Take a part; the whole text, once each part of it was taken."""
        if part.parts == 1:
            return WholeText(part.text, f"the entry {kept.id} of the history", kept.id)
        kind = (kept.credential_id, part.parts)
        parts = self._waiting.pop(kind, {})
        if part.part in parts:
            parts = {}  # of another text, of which a part is missing
        parts[part.part] = (kept.id, part.text)
        if len(parts) < part.parts:
            self._waiting[kind] = parts
            while len(self._waiting) > _MOST_WAITING:
                del self._waiting[next(iter(self._waiting))]
            return None
        whole = b"".join(parts[number][1].reveal() for number in sorted(parts))
        first, _ = parts[min(parts)]
        told = f"the text that {len(parts)} entries of the history keep together, the first of them {first}"
        return WholeText(Secret(whole), told, first)
