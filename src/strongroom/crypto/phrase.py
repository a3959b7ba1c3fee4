"""BIP-39 phrases: make, check, turn into a seed.

The word lists are those of the reference library; the seed comes from PBKDF2-HMAC-SHA512 of ``cryptography``,
after NFKD on phrase and passphrase (BIP-39, "From mnemonic to seed"). Both are imported when first used.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache

from strongroom.errors import InvalidMnemonicError
from strongroom.secret import Secret

WORD_COUNTS = (12, 15, 18, 21, 24)
LANGUAGES = (
    "english",
    "chinese_simplified",
    "chinese_traditional",
    "czech",
    "french",
    "italian",
    "japanese",
    "korean",
    "portuguese",
    "russian",
    "spanish",
    "turkish",
)
_MAX_TEXT_BYTES = 1024  # 24 of the longest words (Korean, decomposed) take 815; six times that, escaped, still seals
_SEED_BYTES = 64
_ROUNDS = 2048
_MOST_BRANCHES = 8192


class Branches:
    """Inner nodes of the trees of one seed, so that many keys of a phrase cost one step each. Prints nothing."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[tuple[str, tuple[int, ...]], Secret] = {}

    def get(self, tree: str, path: tuple[int, ...]) -> Secret | None:
        """A node that was kept, or None."""
        return self._kept.get((tree, path))

    def keep(self, tree: str, path: tuple[int, ...], node: Secret) -> Secret:
        """Keep a node, and return it; there is room for a bounded number of them."""
        if len(self._kept) < _MOST_BRANCHES:
            self._kept[tree, path] = node
        return node

    def __repr__(self) -> str:
        return "<Branches>"


class Phrase:
    """A checked BIP-39 phrase with its optional passphrase. Prints nothing; derives entropy and seed."""

    __slots__ = ("_seed", "branches", "lowered", "mnemonic", "passphrase")

    def __init__(self, mnemonic: Secret, passphrase: Secret | None = None) -> None:
        """Hold a phrase that is already checked and normalised; everybody else calls ``parse``."""
        self.mnemonic = mnemonic
        """The phrase in NFKD, words separated by single spaces."""
        self.passphrase = passphrase
        """The passphrase in NFKD, or None where there is none or it is empty (BIP-39 makes no difference)."""
        self.branches = Branches()
        """What networks keep of its tree while several keys are derived."""
        self.lowered = False
        """Whether it was given with capitals, which no word list has."""
        self._seed: Secret | None = None

    @classmethod
    def generate(cls, words: int = 12, random_bytes: Callable[[int], bytes] = os.urandom) -> Phrase:
        """Make an English phrase of 12, 15, 18, 21 or 24 words, without a passphrase.

        Raises InvalidMnemonicError for other counts, and ValueError when ``random_bytes`` returns too few or
        too many bytes. BIP-39.
        """
        if not isinstance(words, int) or words not in WORD_COUNTS:
            raise InvalidMnemonicError("A phrase has 12, 15, 18, 21 or 24 words.", hint="Ask for 12 or 24 words.")
        entropy = Secret(random_bytes(words * 4 // 3))
        if len(entropy.reveal()) != words * 4 // 3:
            raise ValueError("random_bytes returned another number of bytes than it was asked for")
        return cls(_words_of(entropy))

    @classmethod
    def parse(cls, mnemonic: Secret, passphrase: Secret | None = None) -> Phrase:
        """Read a phrase in any of the twelve BIP-39 languages, NFC or NFKD, and check its checksum.

        Both are UTF-8, at most 1,024 bytes. White space between the words (U+3000 too) is folded, and so are
        capitals (``lowered`` says so), since the seed is made of the text and no list has any; those of the passphrase
        count. Raises InvalidMnemonicError, which never quotes a word. BIP-39.
        """
        normal = _nfkd(mnemonic)
        folded = None if normal is None else _fold(normal)
        checked = None if folded is None else _checked(folded)
        if checked is None:
            raise InvalidMnemonicError(
                "This is not a BIP-39 phrase: the number of words, a word or the checksum is wrong."
            )
        salt = None if passphrase is None or not passphrase.reveal() else _nfkd(passphrase)
        if passphrase is not None and passphrase.reveal() and salt is None:
            raise InvalidMnemonicError(
                f"The passphrase is not UTF-8 text of at most {_MAX_TEXT_BYTES} bytes.",
                hint="Pass the passphrase as text, exactly as the wallet that made the phrase took it.",
            )
        phrase = cls(checked, salt)
        phrase.lowered = checked is not folded
        return phrase

    def entropy(self) -> Secret:
        """Return the entropy, 16 to 32 bytes, for schemes that do not start from the seed.

        Word lists share words: a hundred are both English and French. Where a phrase reads in two languages
        and means another entropy in each, InvalidMnemonicError is raised rather than one of them chosen. The
        seed, which is made of the text, is not concerned. BIP-39.
        """
        entropy = _single_entropy(self.mnemonic)
        if entropy is None:
            raise InvalidMnemonicError(
                "The words belong to two languages, and the phrase means a different key in each.",
                hint="This network starts from the words' numbers; use a phrase of one language only.",
            )
        return entropy

    def passphrase_as_typed(self) -> Secret | None:
        """The passphrase for schemes that take it as it was typed, without NFKD.

        It is kept in NFKD, so that InvalidMnemonicError is raised for one with characters that have a composed form.
        """
        if self.passphrase is not None and not _has_one_form(self.passphrase):
            raise InvalidMnemonicError(
                "The passphrase has characters that this network's wallets do not normalise.",
                hint="Import the private key instead of the phrase.",
            )
        return self.passphrase

    def seed(self) -> Secret:
        """Return the 64-byte seed; computed once, 0.8 ms. BIP-39, "From mnemonic to seed"."""
        if self._seed is None:
            self._seed = _stretch(self.mnemonic, self.passphrase)
        return self._seed

    def __repr__(self) -> str:
        return "<Phrase>"


def _has_one_form(passphrase: Secret) -> bool:
    return unicodedata.normalize("NFC", passphrase.reveal_text()) == passphrase.reveal_text()


def _stretch(mnemonic: Secret, passphrase: Secret | None) -> Secret:
    from cryptography.hazmat.primitives.hashes import SHA512
    from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

    salt = Secret(b"mnemonic" + (passphrase.reveal() if passphrase is not None else b""))
    return Secret(PBKDF2HMAC(SHA512(), _SEED_BYTES, salt.reveal(), _ROUNDS).derive(mnemonic.reveal()))


def _nfkd(text: Secret) -> Secret | None:
    """The text in NFKD, or None where it is too long or not UTF-8 (surrogates are not)."""
    if len(text.reveal()) > _MAX_TEXT_BYTES:
        return None
    try:
        normal = Secret(unicodedata.normalize("NFKD", text.reveal_text()).encode())
    except UnicodeDecodeError:
        return None
    return normal if len(normal.reveal()) <= _MAX_TEXT_BYTES else None


def _fold(mnemonic: Secret) -> Secret:
    return Secret(" ".join(mnemonic.reveal_text().split()).encode())


def _checked(folded: Secret) -> Secret | None:
    """The phrase whose checksum is right: as it is, or with its capitals made small; None where neither is."""
    if next(_entropies(folded), None) is not None:
        return folded
    lowered = Secret(folded.reveal_text().lower().encode())
    if lowered.reveal() == folded.reveal() or next(_entropies(lowered), None) is None:
        return None
    return lowered


@cache
def _index(language: str) -> dict[str, int]:
    from mnemonic import Mnemonic

    return {unicodedata.normalize("NFKD", word): i for i, word in enumerate(Mnemonic(language).wordlist)}


def words_of(language: str) -> tuple[str, ...]:
    """The words of a list, in NFKD and in their order. BIP-39."""
    return tuple(_index(language))


@cache
def _english() -> tuple[str, ...]:
    return tuple(_index("english"))


def _words_of(entropy: Secret) -> Secret:
    bits = len(entropy.reveal()) * 8
    checksum_bits = bits // 32
    number = int.from_bytes(entropy.reveal()) << checksum_bits | _checksum(entropy.reveal(), checksum_bits)
    words = _english()
    shifts = range(bits + checksum_bits - 11, -1, -11)
    return Secret(" ".join(words[number >> shift & 2047] for shift in shifts).encode())


def _entropies(phrase: Secret) -> Iterator[Secret]:
    """The entropy of a normalised phrase in each language that explains it."""
    words = phrase.reveal_text().split()
    if len(words) not in WORD_COUNTS:
        return
    checksum_bits = len(words) // 3
    for language in LANGUAGES:
        index = _index(language)
        if all(word in index for word in words):
            number = 0
            for word in words:
                number = number << 11 | index[word]
            entropy = (number >> checksum_bits).to_bytes(len(words) * 4 // 3)
            if _checksum(entropy, checksum_bits) == number & ((1 << checksum_bits) - 1):
                yield Secret(entropy)


def _single_entropy(phrase: Secret) -> Secret | None:
    """The entropy on which all languages that explain the phrase agree (the Chinese lists do), or None."""
    different = {entropy.reveal() for entropy in _entropies(phrase)}
    return Secret(different.pop()) if len(different) == 1 else None


def _checksum(entropy: bytes, bits: int) -> int:
    return hashlib.sha256(entropy).digest()[0] >> (8 - bits)
