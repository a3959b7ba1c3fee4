"""BIP-32 on secp256k1: from a seed along a path to a private key."""

from __future__ import annotations

import hmac

from strongroom.crypto.phrase import Branches
from strongroom.errors import InvalidMnemonicError, InvalidPathError
from strongroom.networks.curves import secp256k1
from strongroom.networks.curves.paths import HARDENED, Path
from strongroom.networks.wally import hash160
from strongroom.secret import Secret

_SALT = b"Bitcoin seed"
_TREE, _POINTS = "secp256k1", "secp256k1 points"


def derive(seed: Secret, path: Path, branches: Branches | None = None) -> Secret:
    """Return the private key (32 bytes, leading zeros kept) at a path from a seed.

    ``branches`` keeps inner nodes of this seed's tree between calls. Raises InvalidPathError where no key exists
    there: one path in 2^127, the next index has one. BIP-32.
    """
    found = _walk(seed, path, branches)
    if found is None:
        raise InvalidPathError("No key exists at this path.", hint="Take the next index (BIP-32).")
    return found


def root(seed: Secret) -> tuple[Secret, Secret] | None:
    """The private key and chain code of a seed, or None. BIP-32, "Master key generation"."""
    digest = hmac.digest(_SALT, seed.reveal(), "sha512")
    return (Secret(digest[:32]), Secret(digest[32:])) if secp256k1.is_private_key(digest[:32]) else None


def identifier(seed: Secret) -> str:
    """The identifier of a seed's master key: HASH160 of its public key, 40 hexadecimal digits.

    The first 8 are its fingerprint. Raises InvalidMnemonicError for one seed in 2^127. BIP-32, "Key identifiers".
    """
    start = root(seed)
    point = None if start is None else secp256k1.public_key(start[0].reveal())
    if point is None:
        raise InvalidMnemonicError("This phrase has no master key.", hint="Make another one.")
    return hash160(point).hex()


def step(key: bytes, chain_code: bytes, number: int) -> tuple[bytes, bytes] | None:
    """The private key and chain code of a child, or None where that number has none. BIP-32, "CKDpriv"."""
    start = b"\0" + key if number >= HARDENED else secp256k1.public_key(key)
    return None if start is None else _child(key, chain_code, start, number)


def _child(key: bytes, chain_code: bytes, start: bytes, number: int) -> tuple[bytes, bytes] | None:
    digest = hmac.digest(chain_code, start + number.to_bytes(4), "sha512")
    child = secp256k1.add(key, digest[:32])
    return None if child is None else (child, digest[32:])


def _walk(seed: Secret, path: Path, branches: Branches | None) -> Secret | None:
    if branches is not None and path:
        return _leaf(seed, path, branches)
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


def _leaf(seed: Secret, path: Path, branches: Branches) -> Secret | None:
    """The key at a path, from the inner node above it: key and chain code, and the point that plain children need."""
    node = _node(seed, path[:-1], branches)
    if node is None:
        return None
    key, chain_code, number = node.reveal()[:32], node.reveal()[32:], path[-1]
    start = b"\0" + key if number >= HARDENED else _point(key, path[:-1], branches)
    child = None if start is None else _child(key, chain_code, start, number)
    return None if child is None else Secret(child[0])


def _node(seed: Secret, path: Path, branches: Branches) -> Secret | None:
    known = branches.get(_TREE, path)
    if known is not None:
        return known
    if not path:
        start = root(seed)
        pair = None if start is None else (start[0].reveal(), start[1].reveal())
    else:
        above = _node(seed, path[:-1], branches)
        pair = None if above is None else step(above.reveal()[:32], above.reveal()[32:], path[-1])
    return None if pair is None else branches.keep(_TREE, path, Secret(pair[0] + pair[1]))


def _point(key: bytes, path: Path, branches: Branches) -> bytes | None:
    known = branches.get(_POINTS, path)
    if known is not None:
        return known.reveal()
    point = secp256k1.public_key(key)
    return None if point is None else branches.keep(_POINTS, path, Secret(point)).reveal()
