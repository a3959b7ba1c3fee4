"""Strkey: 32 bytes with a version byte and a checksum, in base32. The version says what they are. SEP-23."""

from __future__ import annotations

from typing import Final

from strongroom.networks.codecs import base32, crc16

ACCOUNT: Final = 6 << 3
"""G: the public key of an account."""
SEED: Final = 18 << 3
"""S: the seed of a private key."""
MUXED: Final = 12 << 3
"""M: a public key, and a number of 8 bytes behind it."""
_KEY_BYTES = 32
_MUXED_BYTES = 40
_CHECKSUM_BYTES = 2


def encode(version: int, key: bytes) -> str:
    """The text of 32 bytes."""
    body = bytes((version,)) + key
    return base32.encode(body + crc16.xmodem(body).to_bytes(_CHECKSUM_BYTES, "little"))


def decode(version: int, text: str) -> bytes | None:
    """The bytes of a text of that version, 32 (40 of a muxed account); None for any other text."""
    data = base32.decode(text)
    length = _MUXED_BYTES if version == MUXED else _KEY_BYTES
    if data is None or len(data) != 1 + length + _CHECKSUM_BYTES or data[0] != version:
        return None
    body, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    return body[1:] if crc16.xmodem(body).to_bytes(_CHECKSUM_BYTES, "little") == checksum else None
