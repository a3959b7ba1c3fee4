"""SHA-512/256, the hash of Algorand; hashlib need not have it. FIPS 180-4, 5.3.6.2."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def _hash() -> tuple[Any, Any]:
    from cryptography.hazmat.primitives.hashes import SHA512_256, Hash

    return Hash, SHA512_256


def sha512_256(data: bytes) -> bytes:
    """Return the digest, 32 bytes."""
    make, algorithm = _hash()
    digest = make(algorithm())
    digest.update(data)
    return bytes(digest.finalize())
