"""Family seeds of the XRP Ledger: 16 bytes, and the key that the ledger's own generator makes of them.

A seed is the root of a family of keys on secp256k1, of which wallets use the first. On Ed25519 it is hashed, once.
XRPL documentation, "Cryptographic Keys", "Key Derivation".
"""

from __future__ import annotations

import hashlib
from itertools import count

from strongroom.networks.codecs import key_text, ripple_base58
from strongroom.networks.curves import secp256k1
from strongroom.networks.curves.curve import ED25519, SECP256K1
from strongroom.secret import Secret

SEED_BYTES = 16
_PREFIXES = {SECP256K1: b"\x21", ED25519: b"\x01\xe1\x4b"}
_FIRST_OF_THE_FAMILY = bytes(4)


def encode(seed: Secret, curve: str) -> Secret | None:
    """``s...`` or ``sEd...``; None for what has not 16 bytes."""
    if len(seed.reveal()) != SEED_BYTES:
        return None
    return Secret.from_text(ripple_base58.encode_check(_PREFIXES[curve] + seed.reveal()))


def decode(text: Secret) -> tuple[Secret, str] | None:
    """The seed of a text, and the curve that it says; None where it is none."""
    data = Secret.optional(ripple_base58.decode_check(key_text.strip(text) or ""))
    if data is None:
        return None
    for curve, prefix in _PREFIXES.items():
        if len(data.reveal()) == len(prefix) + SEED_BYTES and data.reveal().startswith(prefix):
            return Secret(data.reveal()[len(prefix) :]), curve
    return None


def private_key(seed: Secret, curve: str) -> Secret | None:
    """The key of a seed, 32 bytes; None for what has not 16 bytes."""
    if len(seed.reveal()) != SEED_BYTES:
        return None
    if curve == ED25519:
        return Secret(_half(seed.reveal()))
    root = _scalar(seed.reveal())
    point = secp256k1.public_key(root) or b""
    key = secp256k1.add(root, _scalar(point + _FIRST_OF_THE_FAMILY))
    return Secret.optional(key)


def _scalar(beginning: bytes) -> bytes:
    """The first number in the curve's range; nobody has met one that takes a second try."""
    return next(half for number in count() if secp256k1.is_private_key(half := _half(beginning + number.to_bytes(4))))


def _half(data: bytes) -> bytes:
    """The first half of SHA-512."""
    return hashlib.sha512(data).digest()[:32]
