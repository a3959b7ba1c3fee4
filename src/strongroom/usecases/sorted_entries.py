"""Entries of one size, in order in one run of bytes: found by their beginning, in a tenth of the memory of a dict."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice

DIGEST = 8
"""Bytes of each of the two digests that an entry begins with: of what is looked for, and of a project."""
_PIECE = 65_536


def pieces(entries: Iterable[bytes]) -> Iterator[bytes]:
    """Entries as they come, in pieces in each of which they are in order: no more than a piece is held twice."""
    coming = iter(entries)
    while piece := sorted(islice(coming, _PIECE)):
        yield b"".join(piece)


def beginning(entries: bytes, wanted: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bytes]]:
    """The second digest, and the rest, of every entry that begins with a digest that is wanted. ``size``: of one."""
    number = len(entries) // size
    for each in wanted:
        place = bisect_left(range(number), each, key=lambda at: entries[at * size : at * size + DIGEST])
        while place < number and entries[place * size : place * size + DIGEST] == each:
            entry = entries[place * size : (place + 1) * size]
            yield entry[DIGEST : 2 * DIGEST], entry[2 * DIGEST :]
            place += 1
