"""Arithmetic on secp256k1: keys, scalars, the taproot tweak. Thin over wallycore (libsecp256k1).

A refusal comes back as None and not as an exception, so that the frame that raises need not hold a key; ``checked``
is for a caller that holds a ``Secret``.
"""

from __future__ import annotations

from strongroom.errors import InvalidPrivateKeyError
from strongroom.networks.wally import library
from strongroom.secret import Secret

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
KEY_BYTES = 32
OUT_OF_RANGE = "The private key is zero, or not below the order of secp256k1."


def is_private_key(key: bytes) -> bool:
    """Tell whether 32 bytes, big-endian, are a private key: 1 to n-1. SEC 1, 3.2.1."""
    return len(key) == KEY_BYTES and 0 < int.from_bytes(key) < ORDER


def checked(key: Secret) -> Secret:
    """Return a private key. Raises InvalidPrivateKeyError where it is out of range. SEC 1."""
    if not is_private_key(key.reveal()):
        raise InvalidPrivateKeyError(OUT_OF_RANGE)
    return key


def public_key(key: bytes) -> bytes | None:
    """Return the compressed point (33 bytes) of a private key, or None where that is out of range. SEC 1."""
    try:
        return bytes(library().ec_public_key_from_private_key(key))
    except ValueError:
        return None


def is_public_key(point: bytes) -> bool:
    """Tell whether 33 bytes are a compressed point of the curve. SEC 1, 2.3.4."""
    try:
        library().ec_public_key_verify(point)  # returns None for a good one
    except ValueError:
        return False
    return True


def decompress(point: bytes) -> bytes:
    """Return the 65 bytes of a compressed point of the curve. SEC 1, 2.3.3."""
    return bytes(library().ec_public_key_decompress(point))


def add(key: bytes, tweak: bytes) -> bytes | None:
    """Return key + tweak mod n (32 bytes), or None where the tweak is not below n or the sum is zero."""
    try:
        total = bytes(library().ec_scalar_add(key, tweak))
    except (RuntimeError, ValueError):
        return None
    return total if any(total) else None  # the library returns a zero sum


def taproot_output(point: bytes) -> bytes:
    """Return the x-only output key (32 bytes) of a compressed internal key, no scripts. BIP-341, BIP-86."""
    return bytes(library().ec_public_key_bip341_tweak(point, None, 0))[1:]
