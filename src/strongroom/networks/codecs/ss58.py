"""SS58: a prefix that says the network, 32 bytes, and a checksum of two bytes, in base58. Substrate, "SS58 address"."""

from __future__ import annotations

import hashlib

from strongroom.networks.codecs import base58

ACCOUNT_BYTES = 32
GENERIC = 42
"""The prefix of any network."""
_CHECKSUM_BYTES = 2
_ONE_BYTE = 64
"""Prefixes from here on take two bytes."""
_RESERVED = (46, 47)


def encode(prefix: int, account: bytes) -> str:
    """Return the address of 32 bytes; a prefix is a number below 16384."""
    data = _prefix(prefix) + account
    return base58.encode(data + _checksum(data))


def decode(text: str) -> tuple[int, bytes] | None:
    """Return prefix and account; None for another length, a wrong checksum, a prefix in a longer form than its own."""
    data = base58.decode(text)
    if not data:
        return None
    size = 2 if data[0] >= _ONE_BYTE else 1
    if len(data) != size + ACCOUNT_BYTES + _CHECKSUM_BYTES or data[-2:] != _checksum(data[:-2]):
        return None
    prefix = data[0] if size == 1 else (data[0] & 0x3F) << 2 | data[1] >> 6 | (data[1] & 0x3F) << 8
    if prefix in _RESERVED or _prefix(prefix) != data[:size]:
        return None
    return prefix, data[size:-2]


def _prefix(prefix: int) -> bytes:
    if prefix < _ONE_BYTE:
        return bytes((prefix,))
    return bytes((prefix >> 2 & 0x3F | 0x40, prefix >> 8 | (prefix & 3) << 6))


def _checksum(data: bytes) -> bytes:
    return hashlib.blake2b(b"SS58PRE" + data).digest()[:_CHECKSUM_BYTES]
