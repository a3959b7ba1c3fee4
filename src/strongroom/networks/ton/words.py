"""TON's own 24 words: the list is that of BIP-39, and nothing else is. ton-crypto, src/mnemonic/mnemonic.ts.

The words are hashed and stretched to the seed of one Ed25519 key, and cannot be told from it. So that they come out as
they went in, a key of words keeps both: the words' numbers, and the seed.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import cache

from strongroom.crypto.phrase import words_of
from strongroom.networks.codecs import key_text
from strongroom.secret import Secret

KEY_BYTES = 65
"""24 numbers of 11 bits, then the seed of 32 bytes."""
SEED_BYTES = 32
_WORDS = 24
_PACKED_BYTES = 33
_ROUNDS = 100_000
_ROUNDS_OF_CHECK = _ROUNDS // 256


def parse(text: Secret) -> Secret | None:
    """65 bytes: the words, and the seed that they stretch to; None for what are no 24 words of TON without a password.

    White space and capitals are folded, as wallets do. Takes 60 ms where they are, and less than 1 ms where not.
    """
    words = (key_text.strip(text) or "").lower().split()
    if len(words) != _WORDS:
        return None
    packed = 0
    for number in map(_numbers().get, words):
        if number is None:
            return None
        packed = packed << 11 | number
    entropy = hmac.digest(" ".join(words).encode(), b"", "sha512")
    if hashlib.pbkdf2_hmac("sha512", entropy, b"TON seed version", _ROUNDS_OF_CHECK)[0]:
        return None
    seed = hashlib.pbkdf2_hmac("sha512", entropy, b"TON default seed", _ROUNDS)[:SEED_BYTES]
    return Secret(packed.to_bytes(_PACKED_BYTES) + seed)


def render(key: Secret) -> Secret | None:
    """The words of a key, separated by spaces; None where they do not stretch to its seed."""
    packed, words = int.from_bytes(key.reveal()[:_PACKED_BYTES]), words_of("english")
    text = Secret.from_text(" ".join(words[packed >> shift & 2047] for shift in range(23 * 11, -1, -11)))
    again = parse(text)
    return text if again is not None and hmac.compare_digest(again.reveal(), key.reveal()) else None


@cache
def _numbers() -> dict[str, int]:
    return {word: number for number, word in enumerate(words_of("english"))}
