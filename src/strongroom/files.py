"""Opening files that somebody else named."""

from __future__ import annotations

import os
from typing import BinaryIO

_PIECE_BYTES = 1 << 20


def without_waiting(path: str, flags: int) -> int:
    """An ``opener`` for ``open``: a FIFO that nobody writes to would hold us for ever."""
    return os.open(path, flags | os.O_NONBLOCK)


def read_at_most(file: BinaryIO, most_bytes: int) -> bytes:
    """The beginning of a file. ``file.read(most_bytes)`` would take as much memory at once, however short the file."""
    pieces = []
    while most_bytes > 0 and (piece := file.read(min(most_bytes, _PIECE_BYTES))):
        pieces.append(piece)
        most_bytes -= len(piece)
    return b"".join(pieces)
