"""Addresses of points, and the checksum that the case of an address's letters carries. EIP-55."""

from __future__ import annotations

from functools import lru_cache

from strongroom.networks.codecs.eip55 import ADDRESS_BYTES, canonical, checksummed, is_address
from strongroom.networks.curves import secp256k1
from strongroom.networks.keccak import keccak_256

__all__ = ["ADDRESS_BYTES", "canonical", "checksummed", "is_address", "known_point_address", "point_address"]


def point_address(point: bytes) -> bytes:
    """Return the 20 bytes of the address of a compressed point. Yellow Paper, appendix F."""
    return keccak_256(secp256k1.decompress(point)[1:])[-ADDRESS_BYTES:]


known_point_address = lru_cache(4096)(point_address)
"""``point_address``, which remembers: a wallet signs more than once."""
