"""The 25 words of Algorand: a key of 32 bytes in words of BIP-39's English list, and a word of checksum.

They are no BIP-39 phrase: the first 24 have the key itself, in groups of 11 bits from the lowest of its first byte on,
the last one the beginning of its SHA-512/256. Algorand developer documentation, "Mnemonics".
"""

from __future__ import annotations

from functools import cache

from strongroom.crypto.phrase import words_of
from strongroom.networks.algorand.digest import sha512_256
from strongroom.networks.codecs import key_text
from strongroom.secret import Secret

KEY_BYTES = 32
_WORDS = 25
_BITS = 11
_MASK = (1 << _BITS) - 1


def encode(key: Secret) -> Secret | None:
    """The 25 words of a key; None for what has not 32 bytes."""
    if len(key.reveal()) != KEY_BYTES:
        return None
    number = int.from_bytes(key.reveal(), "little") | _checksum(key.reveal()) << _BITS * (_WORDS - 1)
    listed = tuple(_numbers())
    return Secret.from_text(" ".join(listed[number >> _BITS * place & _MASK] for place in range(_WORDS)))


def decode(text: Secret) -> Secret | None:
    """The key of 25 words, in any case, with white space between them; None for any other text."""
    words = (key_text.strip(text) or "").lower().split()
    numbers = [_numbers().get(word) for word in words] if len(words) == _WORDS else []
    known = [number for number in numbers if number is not None]
    if len(known) != _WORDS:
        return None
    number = sum(each << _BITS * place for place, each in enumerate(known[:-1]))
    if number >> 8 * KEY_BYTES:
        return None
    key = Secret(number.to_bytes(KEY_BYTES, "little"))
    return key if _checksum(key.reveal()) == known[-1] else None


@cache
def _numbers() -> dict[str, int]:
    return {word: number for number, word in enumerate(words_of("english"))}


def _checksum(key: bytes) -> int:
    return int.from_bytes(sha512_256(key)[:2], "little") & _MASK
