"""Ed25519 through libsodium (PyNaCl), loaded when it is first needed."""

from __future__ import annotations

from functools import cache
from typing import Any

SEED_BYTES = 32


@cache
def _bindings() -> Any:
    import nacl.bindings

    return nacl.bindings


def public_key(seed: bytes) -> bytes | None:
    """Return the public key (32 bytes) of a 32-byte seed, or None for another length. RFC 8032, 5.1.5."""
    if len(seed) != SEED_BYTES:
        return None
    return bytes(_bindings().crypto_sign_seed_keypair(seed)[0])
