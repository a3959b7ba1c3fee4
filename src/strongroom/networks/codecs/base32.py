"""Base32 of RFC 4648 in capitals and without padding, as chains write it: one text for the same bytes."""

from __future__ import annotations

import re
from base64 import b32decode, b32encode

_TEXT = re.compile("[A-Z2-7]{1,128}")
_GROUP_CHARACTERS = 8


def encode(data: bytes) -> str:
    """Return bytes in base32."""
    return b32encode(data).decode().rstrip("=")


def decode(text: str) -> bytes | None:
    """Return the bytes of at most 128 characters; None for other characters, or bits that no byte has."""
    if not _TEXT.fullmatch(text):
        return None
    try:
        data = b32decode(text + "=" * (-len(text) % _GROUP_CHARACTERS))
    except ValueError:
        return None
    return data if encode(data) == text else None
