"""Text in files and variables that an editor or a shell put a byte order mark before."""

from __future__ import annotations

MARK = "\ufeff"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def decode(data: bytes) -> str:
    """Text in UTF-8, or in UTF-16 behind its mark; without a mark. Raises UnicodeDecodeError."""
    return data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8").removeprefix(MARK)
