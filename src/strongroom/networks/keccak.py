"""Keccak-256 of Ethereum, which pads otherwise than SHA3-256. The library: docs/adr/0002-keccak.md."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def _constructor() -> Callable[..., Any]:
    from Crypto.Hash import keccak

    return keccak.new


def keccak_256(data: bytes) -> bytes:
    """Return the digest, 32 bytes. The Keccak submission 3.0 with capacity 512."""
    return bytes(_constructor()(digest_bits=256, data=data).digest())
