"""What verify and rewrap return of each wallet."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from strongroom.errors import StrongroomError

SHARED_KEY = "shared-key"
ACROSS_PROJECTS = "shared-key-across-projects"
"""Warnings: another wallet has the same key. Of one project the nonce guard covers both, of several it does not."""


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What ``verify`` found of one wallet."""

    id: UUID
    """The id of the wallet's credential."""
    error: StrongroomError | None = None
    """What is wrong, or None."""
    warnings: tuple[str, ...] = ()
    """What is right and should be known: ``shared-key`` or ``shared-key-across-projects``, where another wallet has
    the same key."""

    @property
    def ok(self) -> bool:
        """Whether the wallet opened, derived and compared equal."""
        return self.error is None

    @property
    def code(self) -> str | None:
        """The error's stable code, or None."""
        return None if self.error is None else self.error.code


@dataclass(frozen=True, slots=True)
class RewrapResult:
    """What ``rewrap`` did with one wallet."""

    id: UUID
    rewrapped: bool
    """False where the row changed meanwhile, or did not prove; it was left as it is."""
    error: StrongroomError | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with the wallet."""
        return self.error is None

    @property
    def code(self) -> str | None:
        """The error's stable code, or None."""
        return None if self.error is None else self.error.code
