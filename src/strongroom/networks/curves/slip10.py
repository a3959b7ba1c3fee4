"""SLIP-10 on Ed25519, whose keys have hardened children only."""

from __future__ import annotations

import hmac
from typing import NamedTuple

from strongroom.errors import InvalidPathError
from strongroom.networks.curves.paths import HARDENED, Path
from strongroom.secret import Secret


class Node(NamedTuple):
    """A key of the tree with what its children need."""

    key: Secret
    """32 bytes: an Ed25519 seed."""
    chain_code: Secret
    """32 bytes, secret like the key: both together derive every child."""


def derive_ed25519(seed: Secret, path: Path) -> Node:
    """Return the Ed25519 node at a path from a seed; a step takes two microseconds, so that none is kept.

    Raises InvalidPathError for an element that is not hardened; the curve has none of those. SLIP-10.
    """
    if any(number < HARDENED for number in path):
        raise InvalidPathError("Ed25519 derives hardened elements only.", hint="Write each element with a '.")
    digest = hmac.digest(b"ed25519 seed", seed.reveal(), "sha512")
    for number in path:
        digest = hmac.digest(digest[32:], b"\0" + digest[:32] + number.to_bytes(4), "sha512")
    return Node(Secret(digest[:32]), Secret(digest[32:]))
