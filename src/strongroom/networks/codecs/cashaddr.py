"""CashAddr, the addresses of Bitcoin Cash: base32 with a checksum of 40 bits. bitcoincashorg, "cashaddr.md"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_TEXT = re.compile(rf"(?:([a-z]{{1,20}}):)?([{_ALPHABET}]{{8,112}})")
_SIZES = (20, 24, 28, 32, 40, 48, 56, 64)
"""The bytes of a hash, by the last three bits of the version byte."""
_MOST_KINDS = 16
_CHECKSUM_SYMBOLS = 8
_GENERATOR = (0x98F2BC8E61, 0x79B76D99E2, 0xF33E5FB3C4, 0xAE2EABE2A8, 0x1E4F43E470)


def encode(prefix: str, kind: int, digest: bytes) -> str:
    """Return the address of a hash, in lower case and with its prefix."""
    symbols = _symbols(bytes((kind << 3 | _SIZES.index(len(digest)),)) + digest)
    total = _checksum(_start(prefix), (*symbols, *bytes(_CHECKSUM_SYMBOLS)))
    symbols += (total >> 5 * place & 31 for place in reversed(range(_CHECKSUM_SYMBOLS)))
    return f"{prefix}:{''.join(_ALPHABET[symbol] for symbol in symbols)}"


def decode(prefix: str, text: str) -> tuple[int, bytes] | None:
    """Return kind and hash, with or without the prefix in the text.

    None for another prefix, mixed case, a checksum that does not fit, padding that is not zero, and a length that the
    version byte does not say.
    """
    if not text.isascii() or text not in (text.lower(), text.upper()):
        return None
    found = _TEXT.fullmatch(text.lower())
    if found is None or found[1] not in (None, prefix):
        return None
    symbols = [_VALUES[character] for character in found[2]]
    if _checksum(_start(prefix), symbols):
        return None
    data = _bytes(symbols[:-_CHECKSUM_SYMBOLS])
    if not data or data[0] >= _MOST_KINDS << 3 or len(data) - 1 != _SIZES[data[0] & 7]:
        return None
    return data[0] >> 3, data[1:]


def _symbols(data: bytes) -> list[int]:
    """Groups of five bits, the last filled up with zeros."""
    count = (len(data) * 8 + 4) // 5
    number = int.from_bytes(data) << count * 5 - len(data) * 8
    return [number >> 5 * place & 31 for place in reversed(range(count))]


def _bytes(symbols: list[int]) -> bytes | None:
    """The bytes that some groups are of; None where what fills up is a whole group, or not zero."""
    length, padding = divmod(len(symbols) * 5, 8)
    number = 0
    for symbol in symbols:
        number = number << 5 | symbol
    return None if padding > 4 or number % (1 << padding) else (number >> padding).to_bytes(length)


def _checksum(start: int, symbols: Iterable[int]) -> int:
    total = start
    for symbol in symbols:
        total = ((total & 0x7FFFFFFFF) << 5 ^ symbol) ^ _STEPS[total >> 35]
    return total ^ 1


def _step(top: int) -> int:
    total = 0
    for place, generator in enumerate(_GENERATOR):
        total ^= generator if top >> place & 1 else 0
    return total


_STEPS = tuple(map(_step, range(32)))


@lru_cache(16)
def _start(prefix: str) -> int:
    """The state of the checksum behind a prefix."""
    return _checksum(1, (*(ord(character) & 31 for character in prefix), 0)) ^ 1
