"""A tag as it is stored, and the kinds of records that carry one."""

from __future__ import annotations

from typing import Literal, NamedTuple

TagKind = Literal[
    "wallet",
    "slot",
    "idempotency",
    "nonce",
    "keyring",
    "erased",
    "acknowledgement",
    "phrase",
    "account",
    "branch",
]


class Tag(NamedTuple):
    """A tag as it is stored next to its record."""

    kid: str
    """The sealing key that its key is derived from."""
    value: str
    """43 characters of base64url."""
