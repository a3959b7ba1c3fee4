"""Base58 and Base58Check (Bitcoin's alphabet) through wallycore, whose C strings end at the first NUL."""

from __future__ import annotations

import re

from strongroom.networks.wally import library

LONGEST_CHARACTERS = 128
_TEXT = re.compile(f"[1-9A-HJ-NP-Za-km-z]{{1,{LONGEST_CHARACTERS}}}")


def encode(data: bytes) -> str:
    """Return 1 to 94 bytes in base58; each leading zero byte is a ``1``."""
    return str(library().base58_from_bytes(data, 0))


def decode(text: str) -> bytes | None:
    """Return the bytes of a base58 text of at most 128 characters, or None where it is none."""
    return _decode(text, 0)


def encode_check(data: bytes) -> str:
    """Return 1 to 90 bytes in base58 with four bytes of checksum."""
    return str(library().base58check_from_bytes(data))


def decode_check(text: str) -> bytes | None:
    """Return the bytes without their checksum, or None where text or checksum is wrong."""
    return _decode(text, library().BASE58_FLAG_CHECKSUM)


def _decode(text: str, flags: int) -> bytes | None:
    if not _TEXT.fullmatch(text):
        return None
    try:
        return bytes(library().base58_to_bytes(text, flags))
    except (RuntimeError, ValueError):
        return None
