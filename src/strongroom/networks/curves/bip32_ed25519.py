"""BIP32-Ed25519 (Khovratovich and Law, the version of Cardano): extended keys with hardened and plain children.

A key is 96 bytes: the scalar (32, little-endian), what nonces are made of (32), and the chain code (32). Scalar
multiplication is libsodium's (PyNaCl), without the clamping that RFC 8032 does to seeds.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import cache
from typing import Any

from strongroom.networks.curves.paths import HARDENED, Path
from strongroom.secret import Secret

KEY_BYTES = 96
SCALAR_BYTES = 32
SECRET_BYTES = 64
"""Scalar, and what nonces are made of: a key that has no children."""
_ROUNDS = 4096
_MODULUS = 1 << 256


@cache
def _bindings() -> Any:
    import nacl.bindings

    return nacl.bindings


def icarus(entropy: Secret, passphrase: Secret | None) -> Secret:
    """The root of a tree from the entropy of a phrase, 96 bytes. CIP-3, "Icarus"."""
    password = Secret(b"") if passphrase is None else passphrase
    data = bytearray(hashlib.pbkdf2_hmac("sha512", password.reveal(), entropy.reveal(), _ROUNDS, KEY_BYTES))
    data[0] &= 0b1111_1000
    data[31] = data[31] & 0b0001_1111 | 0b0100_0000
    return Secret(data)


def derive(key: Secret, path: Path) -> Secret:
    """The key at a path below another one, which ``public_key`` takes."""
    node = key.reveal()
    for number in path:
        node = _child(node, number)
    return Secret(node)


def parent(key: Secret) -> Secret:
    """A key with its public key behind it, 128 bytes, as ``plain_child`` takes it: many children cost one of these."""
    return Secret(key.reveal() + _multiplied(key.reveal()[:SCALAR_BYTES]))


def plain_child(above: Secret, number: int) -> Secret:
    """The key at a number that is not hardened, below what ``parent`` made."""
    return Secret(_child(above.reveal()[:KEY_BYTES], number, above.reveal()[KEY_BYTES:]))


def public_key(key: Secret) -> bytes | None:
    """The public key (32 bytes) of 96 or 64 bytes, or None where the scalar is none: a wrong bit is set in it."""
    secret = key.reveal()
    if len(secret) not in (KEY_BYTES, SECRET_BYTES) or secret[0] & 0b111 or secret[31] & 0b1100_0000 != 0b0100_0000:
        return None
    return _multiplied(secret[:SCALAR_BYTES])


def _multiplied(scalar: bytes) -> bytes:
    return bytes(_bindings().crypto_scalarmult_ed25519_base_noclamp(scalar))


def _child(node: bytes, number: int, public: bytes = b"") -> bytes:
    """Private child key; ``public`` is the node's public key, where it is known.

    The sum of scalars stays below 2^255 for more levels than a path has.
    """
    secret, chain_code, index = node[:64], node[64:], number.to_bytes(4, "little")
    hardened = number >= HARDENED
    start = secret if hardened else public or _multiplied(secret[:SCALAR_BYTES])
    z = hmac.digest(chain_code, (b"\0" if hardened else b"\2") + start + index, "sha512")
    code = hmac.digest(chain_code, (b"\1" if hardened else b"\3") + start + index, "sha512")[32:]
    left = 8 * int.from_bytes(z[:28], "little") + int.from_bytes(secret[:32], "little")
    right = (int.from_bytes(z[32:], "little") + int.from_bytes(secret[32:], "little")) % _MODULUS
    return left.to_bytes(32, "little") + right.to_bytes(32, "little") + code
