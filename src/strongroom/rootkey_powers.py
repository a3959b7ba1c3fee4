"""What a root key may also be able to do: optional protocols beside ``ports.RootKey``."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from strongroom.model import WrappedKey


@runtime_checkable
class CostlyRootKey(Protocol):
    """A root key for which some wraps cost more to try than others: one that is stretched from a passphrase."""

    def rank(self, wrap: WrappedKey) -> int:
        """When to try a wrap, the lowest number first; 0 where it costs next to nothing. Computes nothing itself."""


@runtime_checkable
class ForgettableRootKey(Protocol):
    """A root key that is in this process while it is used."""

    def forget(self) -> None:
        """Drop what was read and derived; a later use reads it again."""
