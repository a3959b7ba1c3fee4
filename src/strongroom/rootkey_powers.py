"""What a root key may also be able to do: optional protocols beside ``ports.RootKey``."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from strongroom.model import WrappedKey


@runtime_checkable
class CheckedRootKey(Protocol):
    """A root key that can tell, without opening a wrap, whether it is the one that made it.

    A check value is stored next to each wrap, in the clear. It is a hint for the error message and for the order in
    which wraps are tried, never a proof: whoever writes to the database can change it.
    """

    def check_value(self, wrapped: str) -> str:
        """The value that this root key has next to a wrap; at most 100 characters, not empty. Calls no service.

        It may depend on what the text says of how it was made, such as a salt. Raises RootKeyError.
        """


@runtime_checkable
class CostlyRootKey(Protocol):
    """A root key for which wraps cost something to try: one that is stretched from a passphrase, or a service's."""

    def rank(self, wrap: WrappedKey) -> int:
        """When to try a wrap, the lowest number first; 0 where it costs next to nothing. Computes nothing itself."""


@runtime_checkable
class ForgettableRootKey(Protocol):
    """A root key that is in this process while it is used."""

    def forget(self) -> None:
        """Drop what was read and derived; a later use reads it again."""
