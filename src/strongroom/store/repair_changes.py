"""What a repair does to one wallet, worked out before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from strongroom.model import ACCESS_LEVEL


@dataclass(frozen=True, slots=True)
class Kept:
    """A text that goes into the history: sealed by us, or another application's that is under a password."""

    text: str = field(repr=False)
    form: str
    reason: str


@dataclass(slots=True)
class Changes:
    """What is done to one wallet, all of it or nothing. Texts are sealed texts."""

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Columns of vault records, by the record's id."""
    inserted: str | None = None
    """The text of a vault record that is missing."""
    inserted_level: str = ACCESS_LEVEL
    """Its access level."""
    credential: dict[str, Any] = field(default_factory=dict)
    """Columns of the credential."""
    dropped: tuple[str, ...] = ()
    """Members of the metadata that go."""
    derivation: tuple[str, str | None] | None = None
    """Scheme and path in the metadata."""
    sealed_history: dict[str, str] = field(default_factory=dict)
    """Sealed texts for entries of the history, by the entry's id."""
    kept: list[Kept] = field(default_factory=list)
    """What goes into the history before anything is written."""
    slot: tuple[str, str, UUID] | None = None
    """Network and label whose live wallet must be this one."""
    vault_id: str | None = None
    """A vault id of the credential's own, for both halves."""

    def __bool__(self) -> bool:
        return bool(
            self.records
            or self.inserted
            or self.credential
            or self.dropped
            or self.derivation
            or self.sealed_history
            or self.slot
            or self.vault_id
        )
