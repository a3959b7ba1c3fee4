"""Ids that doctor has seen, in bounded memory, however many of them somebody wrote."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator

_BITS = 1 << 25
_PLACES = 4
_MOST = 20_000


class IdFilter:
    """Ids that may have been seen: in it is each that was put in, and hardly any other. It takes 4 MiB.

    A Bloom filter under a key that is made for the run, so that nobody chooses ids that fill it faster than others.
    """

    def __init__(self) -> None:
        self._bits = bytearray(_BITS // 8)
        self._key = secrets.token_bytes(16)

    def add(self, text: str) -> None:
        """Put an id in."""
        for place in self._places(text):
            self._bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, text: str) -> bool:
        return all(self._bits[place >> 3] >> (place & 7) & 1 for place in self._places(text))

    def _places(self, text: str) -> Iterator[int]:
        data = text.encode(errors="surrogatepass")
        digest = hashlib.blake2b(data, key=self._key, digest_size=4 * _PLACES).digest()
        for start in range(0, len(digest), 4):
            yield int.from_bytes(digest[start : start + 4]) % _BITS


class FirstIds:
    """The first 20,000 ids that were put in; of those that come later it does not know whether they were there."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def add(self, text: str) -> bool:
        """Put an id in; whether it was not there, or is not remembered."""
        if text in self._ids:
            return False
        if len(self._ids) < _MOST:
            self._ids.add(text)
        return True

    def __contains__(self, text: str) -> bool:
        return text in self._ids
