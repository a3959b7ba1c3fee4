"""Private keys as ``suiprivkey1...``: a flag that says the scheme, and 32 bytes, in bech32. SIP-15."""

from __future__ import annotations

from typing import NamedTuple

from strongroom.networks.codecs import bech32, key_text
from strongroom.secret import Secret

KEY_BYTES = 32
_PREFIX = "suiprivkey"


class FlaggedKey(NamedTuple):
    """A key, and the flag of its scheme."""

    flag: int
    key: Secret


def read(text: Secret) -> FlaggedKey | None:
    """The flag and the key of a text; None for any other text."""
    data = bech32.decode(_PREFIX, key_text.strip(text) or "")
    return FlaggedKey(data[0], Secret(data[1:])) if data is not None and len(data) == 1 + KEY_BYTES else None


def write(flag: int, key: Secret) -> Secret:
    """The text of 32 bytes and the flag of their scheme."""
    return Secret.from_text(bech32.encode(_PREFIX, bytes((flag,)) + key.reveal()))
