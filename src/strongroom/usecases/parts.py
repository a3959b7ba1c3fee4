"""What a use case is given to work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from strongroom.keyring import Keyring
from strongroom.ports import Clock, Networks, RootKey, Store


@dataclass(frozen=True, slots=True)
class Parts:
    """An opened vault from within: where rows live, which keys seal, which networks exist, what time it is."""

    store: Store
    keyring: Keyring
    networks: Networks
    clock: Clock
    root_key: RootKey
    """The root key that opened the keyring."""
    open_root_key: Callable[[str], RootKey]
    """Return the root key of another URI; reads nothing yet."""
