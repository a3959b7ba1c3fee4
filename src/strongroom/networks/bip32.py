"""BIP-32 on secp256k1: from a seed along a path to a private key."""

from __future__ import annotations

import hmac

from strongroom.errors import InvalidPathError
from strongroom.networks import secp256k1
from strongroom.networks.paths import HARDENED, Path
from strongroom.secret import Secret

_SALT = b"Bitcoin seed"


def derive(seed: Secret, path: Path) -> Secret:
    """Return the private key (32 bytes, leading zeros kept) at a path from a seed.

    Raises InvalidPathError where no key exists there: one path in 2^127, the next index has one. BIP-32.
    """
    found = _walk(seed, path)
    if found is None:
        raise InvalidPathError("No key exists at this path.", hint="Take the next index (BIP-32).")
    return found


def root(seed: Secret) -> tuple[Secret, Secret] | None:
    """The private key and chain code of a seed, or None. BIP-32, "Master key generation"."""
    digest = hmac.digest(_SALT, seed.reveal(), "sha512")
    return (Secret(digest[:32]), Secret(digest[32:])) if secp256k1.is_private_key(digest[:32]) else None


def step(key: bytes, chain_code: bytes, number: int) -> tuple[bytes, bytes] | None:
    """The private key and chain code of a child, or None where that number has none. BIP-32, "CKDpriv"."""
    start = b"\0" + key if number >= HARDENED else secp256k1.public_key(key)
    if start is None:
        return None
    digest = hmac.digest(chain_code, start + number.to_bytes(4), "sha512")
    child = secp256k1.add(key, digest[:32])
    return None if child is None else (child, digest[32:])


def _walk(seed: Secret, path: Path) -> Secret | None:
    start = root(seed)
    if start is None:
        return None
    key, chain_code = start[0].reveal(), start[1].reveal()
    for number in path:
        child = step(key, chain_code, number)
        if child is None:
            return None
        key, chain_code = child
    return Secret(key)
