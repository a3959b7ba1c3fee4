"""The keyring as stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from strongroom.records.register import TaggedHead


@dataclass(frozen=True, slots=True)
class WrapContext:
    """What a wrap is bound to. Each root key authenticates it, in the form that fits it best; docs/format.md."""

    kid: str
    """The name of the sealing key."""

    def members(self) -> dict[str, str]:
        """For services that take a map, such as the encryption context of a KMS."""
        return {"strongroom": "sealing-key", "kid": self.kid}

    def encoded(self) -> bytes:
        """For services that take bytes, as additional authenticated data."""
        return f"strongroom/v1/sealing-key/{self.kid}".encode()


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A sealing key as one root key wrapped it."""

    kid: str
    root_key_uri: str
    wrapped: str
    check_value: str
    """What a CheckedRootKey says of itself; empty where a root key says nothing."""

    @property
    def context(self) -> WrapContext:
        """What the wrap must be bound to, by its row."""
        return WrapContext(self.kid)


@dataclass(frozen=True, slots=True)
class KeyringRows:
    """The keyring as stored: which key seals now, and every wrap."""

    active_kid: str
    wraps: tuple[WrappedKey, ...]
    kids: tuple[str, ...]
    states: Mapping[str, str] = field(default_factory=dict)
    version: int = 1
    """Counts changes; every change is a compare-and-set on it."""
    head: TaggedHead | None = None
    """The authenticated head, as read; None where a version of strongroom that made no tags wrote it."""
