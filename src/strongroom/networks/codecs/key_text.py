"""Text forms of private keys that several families share. A text that does not fit comes back as None."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode

from strongroom.secret import Secret

_MAX_BYTES = 512
_MAX_ARRAY_BYTES = 4096  # 64 numbers, each on an indented line
_HEX = re.compile("(?:0[xX])?([0-9a-fA-F]+)")
_JSON_SPACE = " \t\r\n"
_BYTE = re.compile("0|[1-9][0-9]{0,2}")


def strip(text: Secret, max_bytes: int = _MAX_BYTES) -> str | None:
    """The text without surrounding white space, or None where it is too long or not UTF-8."""
    if len(text.reveal()) > max_bytes:
        return None
    try:
        return text.reveal_text().strip()
    except UnicodeDecodeError:
        return None


def from_hex(text: Secret, length_bytes: int) -> Secret | None:
    """The bytes of exactly that many pairs of hexadecimal digits, with or without 0x."""
    found = _HEX.fullmatch(strip(text) or "")
    if found is None or len(found[1]) != 2 * length_bytes:
        return None
    return Secret(bytes.fromhex(found[1]))


def from_base64(text: Secret, length_bytes: int) -> Secret | None:
    """The bytes of standard base64, with its padding, of exactly that many bytes."""
    stripped = strip(text) or ""
    if len(stripped) != (length_bytes + 2) // 3 * 4 or not stripped.isascii():
        return None
    try:
        data = Secret(b64decode(stripped, validate=True))
    except ValueError:
        return None
    whole = len(data.reveal()) == length_bytes
    return data if whole and b64encode(data.reveal()).decode() == stripped else None


def from_json_array(text: Secret, length_bytes: int) -> Secret | None:
    """The bytes of a JSON array of exactly that many whole numbers, 0 to 255."""
    stripped = strip(text, _MAX_ARRAY_BYTES) or ""
    if not (stripped.startswith("[") and stripped.endswith("]")):
        return None
    parts = [part.strip(_JSON_SPACE) for part in stripped[1:-1].split(",")]
    if len(parts) != length_bytes or not all(_BYTE.fullmatch(part) and int(part) < 256 for part in parts):
        return None
    return Secret(bytes(map(int, parts)))
