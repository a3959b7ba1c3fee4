"""Ed25519 through libsodium (PyNaCl), loaded when it is first needed."""

from __future__ import annotations

from functools import cache
from typing import Any

from strongroom.secret import Secret

SEED_BYTES = 32
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64


@cache
def _bindings() -> Any:
    import nacl.bindings

    return nacl.bindings


def public_key(seed: bytes) -> bytes | None:
    """Return the public key (32 bytes) of a 32-byte seed, or None for another length. RFC 8032, 5.1.5."""
    if len(seed) != SEED_BYTES:
        return None
    return bytes(_bindings().crypto_sign_seed_keypair(seed)[0])


def seed_of_keypair(keypair: Secret) -> Secret | None:
    """Return the seed in 64 bytes, seed and public key; None where these do not belong together."""
    seed, public = keypair.reveal()[:SEED_BYTES], keypair.reveal()[SEED_BYTES:]
    return Secret(seed) if public_key(seed) == public else None


def sign(seed: bytes, message: bytes) -> bytes | None:
    """Return the signature (64 bytes) of a message, or None for a seed of another length. RFC 8032, 5.1.6.

    The public key goes into the signature as the seed gives it, never as a caller says it: two signatures of one
    message under different public keys would give the private key away.
    """
    if len(seed) != SEED_BYTES:
        return None
    return bytes(_bindings().crypto_sign(message, _bindings().crypto_sign_seed_keypair(seed)[1])[:SIGNATURE_BYTES])


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature is the public key's. RFC 8032, 5.1.7; small orders and second encodings do not pass."""
    if len(public) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    bindings = _bindings()
    try:
        return bool(bindings.crypto_sign_open(signature + message, public) == message)
    except _bad_signature():
        return False


@cache
def _bad_signature() -> type[Exception]:
    import nacl.exceptions

    return nacl.exceptions.BadSignatureError
