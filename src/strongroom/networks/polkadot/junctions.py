"""Paths in the tree of Substrate: ``//1``, ``//polkadot//0``. subkey, "Hierarchical deterministic key derivation".

Hard junctions alone: below a soft one (``/1``), the library makes a part of the private key at random.
"""

from __future__ import annotations

import hashlib
import re

from strongroom.errors import InvalidPathError

ROOT = "m"
"""The path of the key that a phrase has without junctions."""
_PATH = re.compile(r"(?://(?:0|[1-9][0-9]{0,14}|(?![0-9]+(?:/|\Z))[!-.0-~]{1,63})){1,16}")
_CHAIN_CODE_BYTES = 32


def parse(path: str) -> tuple[bytes, ...]:
    """The chain codes of a path, 32 bytes each; none for ``m``. Raises InvalidPathError."""
    if path == ROOT:
        return ()
    if not _PATH.fullmatch(path):
        raise InvalidPathError(
            "The path is not one of hard junctions.",
            hint="Such as //1 or //polkadot//0; m is the key without junctions. Soft junctions (/1) are not derived.",
        )
    return tuple(map(_chain_code, path.removeprefix("//").split("//")))


def _chain_code(junction: str) -> bytes:
    """A number in little-endian order, or text behind its length; what is longer than 32 bytes is hashed."""
    if junction.isdigit():
        return int(junction).to_bytes(_CHAIN_CODE_BYTES, "little")
    data = bytes((len(junction) << 2,)) + junction.encode()
    if len(data) > _CHAIN_CODE_BYTES:
        return hashlib.blake2b(data, digest_size=_CHAIN_CODE_BYTES).digest()
    return data.ljust(_CHAIN_CODE_BYTES, b"\0")
