"""Cardano's addresses of the Shelley era: a header, and the hashes of a payment key and a stake key. CIP-19."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from strongroom.networks.codecs import bech32

_HASH_BYTES = 28
_BASE, _ENTERPRISE = 0b0000, 0b0110
_BASES = (0b0000, 0b0001, 0b0010, 0b0011)
"""Keys or scripts, for payment and for stake."""
_ENTERPRISES = (0b0110, 0b0111)
_LONGEST_CHARACTERS = 108


def encode(public_keys: Sequence[bytes], *, testnet: bool) -> str:
    """The base address of a payment and a stake key; of a payment key alone the enterprise address."""
    kind = _BASE if len(public_keys) > 1 else _ENTERPRISE
    header = bytes((kind << 4 | (0 if testnet else 1),))
    hashes = (hashlib.blake2b(key, digest_size=_HASH_BYTES).digest() for key in public_keys)
    return bech32.encode(_prefix(testnet), header + b"".join(hashes))


def hashes_in(text: str, *, testnet: bool) -> int | None:
    """How many hashes an address has: 2 (base) or 1 (enterprise), of keys or scripts.

    None for what is neither: pointer addresses, stake addresses, another network's, a wrong checksum.
    """
    data = bech32.decode(_prefix(testnet), text, _LONGEST_CHARACTERS)
    if not data or data[0] & 0xF != (0 if testnet else 1):
        return None
    kind, size = data[0] >> 4, len(data) - 1
    if kind in _BASES and size == 2 * _HASH_BYTES:
        return 2
    return 1 if kind in _ENTERPRISES and size == _HASH_BYTES else None


def _prefix(testnet: bool) -> str:
    return "addr_test" if testnet else "addr"
