"""SLIP-10: one seed, several curves. Ed25519 (hardened only) and secp256k1 (BIP-32 that tries again)."""

from __future__ import annotations

import hmac
from typing import NamedTuple

from strongroom.errors import InvalidPathError
from strongroom.networks import secp256k1
from strongroom.networks.paths import HARDENED, Path
from strongroom.secret import Secret


class Node(NamedTuple):
    """A key of the tree with what its children need."""

    key: Secret
    """32 bytes: an Ed25519 seed, or a secp256k1 private key."""
    chain_code: Secret
    """32 bytes."""


def derive_ed25519(seed: Secret, path: Path) -> Node:
    """Return the Ed25519 node at a path from a seed.

    Raises InvalidPathError for an element that is not hardened; the curve has none of those. SLIP-10.
    """
    if any(number < HARDENED for number in path):
        raise InvalidPathError("Ed25519 derives hardened elements only.", hint="Write each element with a '.")
    digest = hmac.digest(b"ed25519 seed", seed.reveal(), "sha512")
    for number in path:
        digest = hmac.digest(digest[32:], b"\0" + digest[:32] + number.to_bytes(4), "sha512")
    return Node(Secret(digest[:32]), Secret(digest[32:]))


def derive_secp256k1(seed: Secret, path: Path) -> Node:
    """Return the secp256k1 node at a path from a seed: where BIP-32 gives up, SLIP-10 hashes again."""
    found = _walk_secp256k1(seed, path)
    if found is None:
        raise InvalidPathError("The curve's library refused a key on this path.")
    return found


def _walk_secp256k1(seed: Secret, path: Path) -> Node | None:
    digest = hmac.digest(b"Bitcoin seed", seed.reveal(), "sha512")
    while not secp256k1.is_private_key(digest[:32]):
        digest = hmac.digest(b"Bitcoin seed", digest, "sha512")
    key, chain_code = digest[:32], digest[32:]
    for number in path:
        child = _child(key, chain_code, number)
        if child is None:
            return None
        key, chain_code = child
    return Node(Secret(key), Secret(chain_code))


def _child(key: bytes, chain_code: bytes, number: int) -> tuple[bytes, bytes] | None:
    start = (b"\0" + key) if number >= HARDENED else secp256k1.public_key(key)
    if start is None:
        return None
    index = number.to_bytes(4)
    digest = hmac.digest(chain_code, start + index, "sha512")
    while (child := secp256k1.add(key, digest[:32])) is None:
        digest = hmac.digest(chain_code, b"\1" + digest[32:] + index, "sha512")
    return child, digest[32:]
