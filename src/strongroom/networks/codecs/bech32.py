"""Bech32: a prefix, bytes in base 32, and a checksum of six characters. BIP-173.

Without the witness version that addresses of Bitcoin begin with (``segwit_address``), and without bech32m.
"""

from __future__ import annotations

import re
from functools import lru_cache

MAX_CHARACTERS = 90
"""Of the whole text. BIP-173."""
_TEXT = re.compile(r"[!-@\[-~]{8,400}|[!-`{-~]{8,400}")  # not both cases
_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_CHARACTERS = 6


def _combined(top: int) -> int:
    found = 0
    for bit, each in enumerate(_GENERATOR):
        found ^= each if top >> bit & 1 else 0
    return found


_REDUCTION = tuple(map(_combined, range(32)))
"""What the five bits that leave the register are worth, all at once."""


def encode(prefix: str, data: bytes) -> str:
    """Return the lower-case text of a prefix and bytes, which fit into as many characters as ``decode`` is given."""
    count = -(-8 * len(data) // 5)
    number = int.from_bytes(data) << 5 * count - 8 * len(data)
    values = [number >> shift & 31 for shift in range(5 * count - 5, -1, -5)]
    state = _run(_start(prefix), [*values, 0, 0, 0, 0, 0, 0]) ^ 1
    values += [state >> shift & 31 for shift in (25, 20, 15, 10, 5, 0)]
    return prefix + "1" + "".join([_ALPHABET[value] for value in values])


def decode(prefix: str, text: str, most_characters: int = MAX_CHARACTERS) -> bytes | None:
    """Return the bytes of a text with this prefix, in lower or upper case.

    None for mixed case, another prefix, a wrong checksum, bits that are left over, too many characters: of a text of
    more than 90, which some chains have, the checksum finds fewer errors.
    """
    if len(text) > most_characters or not _TEXT.fullmatch(text):
        return None
    said, _, rest = text.lower().rpartition("1")
    if not said or said != prefix or len(rest) < _CHECKSUM_CHARACTERS:
        return None
    values = [_VALUES.get(character, -1) for character in rest]
    if -1 in values or _run(_start(prefix), values) != 1:
        return None
    return _bytes_of(values[:-_CHECKSUM_CHARACTERS])


def _bytes_of(values: list[int]) -> bytes | None:
    number = 0
    for value in values:
        number = number << 5 | value
    spare = 5 * len(values) % 8
    if spare > 4 or number & (1 << spare) - 1:
        return None
    return (number >> spare).to_bytes(5 * len(values) // 8)


@lru_cache(64)
def _start(prefix: str) -> int:
    """The register after the prefix, whose characters go in as their upper three bits, a zero, and the lower five."""
    return _run(1, [*(ord(each) >> 5 for each in prefix), 0, *(ord(each) & 31 for each in prefix)])


def _run(state: int, values: list[int]) -> int:
    for value in values:
        state = (state & 0x1FFFFFF) << 5 ^ value ^ _REDUCTION[state >> 25]
    return state
