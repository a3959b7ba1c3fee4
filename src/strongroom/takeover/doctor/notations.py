"""How a key or a phrase is written out: numbers, bytes, words. Each notation may read one text in several ways."""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from strongroom.crypto.phrase import LANGUAGES, WORD_COUNTS, Phrase, words_of
from strongroom.errors import InvalidMnemonicError
from strongroom.networks.codecs import base58, key_text
from strongroom.networks.curves import ed25519, secp256k1
from strongroom.networks.curves.extended_key import ExtendedKey
from strongroom.secret import Secret
from strongroom.takeover.doctor.found import Found
from strongroom.takeover.doctor.own_forms import own_forms

KEY_BYTES = 32
KEYPAIR_BYTES = 64
_WIF_CHARACTERS = (51, 52)
_WIF_BYTES = (33, 34)
_EXTENDED_CHARACTERS = (111, 112)
_EXTENDED_BYTES = 78
_CHAIN_CODE = slice(13, 45)
_COMPRESSED = 1
_STRAY = re.compile(r"0[xX]\s*(?=\D)")
_DECIMAL = re.compile("-?[0-9](?:_?[0-9]){0,77}n?")
_DIGITS = re.compile("(?:0[xX])*([0-9a-fA-F]{1,140})")
_SPACED = re.compile(r"[\s:_-]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_LONG_NUMBER = re.compile("[0-9]{20,}")
_BRACKETS = " \t\r\n[](){}<>,;"
_WORD_BEFORE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,24}(?:\([0-9]*\))?\s*(?=[\s\[({<])")
_BETWEEN = re.compile(r"[\s,;:|]+")
_SIGNED = re.compile("-?[0-9]{1,3}")
_PAIR = re.compile("(?:0[xX])?[0-9a-fA-F]{1,2}")
_NUMBERS = range(16, 97)
"""How many bytes a list has that may be a key or keypair."""
_LONGEST_LIST_CHARACTERS = 8_192
_SHORT = 4
"""Letters that tell the words of a list apart. BIP-39."""
_ELECTRUM = {"01": "standard", "100": "segwit", "101": "two-factor", "102": "two-factor segwit"}
_ELECTRUM_WORDS = (12, 13, 18, 24, 25)
_DER_OCTETS = b"\x04\x20"
_DER_SEQUENCE = 0x30
_DER_LONG = 0x80
"""From here on the length says how many bytes the length itself has."""
_DER_LONGEST = 0x82


def plain(text: str) -> Found | None:
    """A key or phrase as wallets write it."""
    own = next(own_forms(text), None) if (key := _key(text)) is None else None
    if own is not None and _phrase(text) is not None:  # 24 words may be TON's and BIP-39's: the stored address decides
        return own._replace(certain=False, proved=False)
    return key or own or _phrase(text) or _extended(text)


def otherwise(text: str) -> Iterator[Found]:
    """What a text is if it is a number, a list of numbers, or a phrase that is not written as wallets do."""
    yield from _numbers(text)
    yield from _lists(text)
    phrase = _phrase(text)  # of which `plain` had another reading
    yield from _words(text) if phrase is None else (phrase,)


def of_bytes(data: bytes, name: str = "") -> Iterator[Found]:
    """What raw bytes may be: a key, one that lost or won zeros, a keypair, one inside of DER."""
    size = len(data)
    name = name or f"{size} bytes"
    if size == KEYPAIR_BYTES:
        pair = of_keypair(Secret(data), "keypair")
        yield pair or Found(name, Secret(data[:KEY_BYTES]), partial=True)
        if pair is None:  # a scalar and what nonces are made of
            yield Found(name, Secret(data))
    elif size <= KEY_BYTES:
        yield Found(name, Secret(data.rjust(KEY_BYTES, b"\0")))
    elif not any(data[:-KEY_BYTES]):
        yield Found(name, Secret(data[-KEY_BYTES:]))
    elif size == KEY_BYTES + 1 and data[-1] == _COMPRESSED:
        yield Found(name, Secret(data[:KEY_BYTES]))
    elif (place := data.find(_DER_OCTETS)) >= 0 and len(data) >= place + 2 + KEY_BYTES:
        end = place + 2 + KEY_BYTES
        more = _is_longer_than_it_says(data) or _DER_OCTETS in data[end:]
        yield Found("DER private key", Secret(data[place + 2 : end]), partial=more)


def _is_longer_than_it_says(data: bytes) -> bool:
    """Whether more bytes follow the first structure of DER."""
    if data[0] != _DER_SEQUENCE or data[1] > _DER_LONGEST:
        return True
    size = (
        2 + data[1]
        if data[1] < _DER_LONG
        else 2 + data[1] % _DER_LONG + int.from_bytes(data[2 : 2 + data[1] % _DER_LONG])
    )
    return len(data) > size


def of_keypair(keypair: Secret, form: str) -> Found | None:
    """A seed and its public key (Ed25519); None where the second is not the first one's."""
    if ed25519.public_key(keypair.reveal()[:KEY_BYTES]) != keypair.reveal()[KEY_BYTES:]:
        return None
    written = Secret.from_text(base58.encode(keypair.reveal()))
    return Found(form, Secret(keypair.reveal()[:KEY_BYTES]), certain=True, proved=True, written=written)


# --- as wallets write it -----------------------------------------------------------------------------------------


def _key(text: str) -> Found | None:
    wrapped = Secret.from_text(text)
    if (key := key_text.from_hex(wrapped, KEY_BYTES)) is not None:
        return Found("hex private key", key, certain=True)
    if (key := key_text.from_hex(wrapped, KEYPAIR_BYTES)) is not None:
        return of_keypair(key, "hex keypair")
    if (key := key_text.from_json_array(wrapped, KEYPAIR_BYTES)) is not None:
        return of_keypair(key, "JSON array of a keypair")
    if (key := key_text.from_json_array(wrapped, KEY_BYTES)) is not None:
        return Found("JSON array of 32 numbers", key)
    return _wif(text) or _base58(text)


def _wif(text: str) -> Found | None:
    """Wallet Import Format of any network, whose first byte is not compared: deriving decides."""
    if len(text) not in _WIF_CHARACTERS:
        return None
    data = Secret.optional(base58.decode_check(text))
    if data is None or len(data.reveal()) not in _WIF_BYTES:
        return None
    if len(data.reveal()) == _WIF_BYTES[1] and data.reveal()[-1] != _COMPRESSED:
        return None
    return Found(
        "WIF private key", Secret(data.reveal()[1:33]), certain=True, proved=True, written=Secret.from_text(text)
    )


def _base58(text: str) -> Found | None:
    data = Secret.optional(base58.decode(text))
    if data is None:
        return None
    if len(data.reveal()) == KEYPAIR_BYTES:
        return of_keypair(data, "base58 keypair")
    return Found("32 bytes in base58", data) if len(data.reveal()) == KEY_BYTES else None


def _extended(text: str) -> Found | None:
    """An extended private key of BIP-32, as SLIP-132 marks it: its checksum, and the byte before its key, say that."""
    if len(text) not in _EXTENDED_CHARACTERS or text[1:4] != "prv":
        return None
    data = Secret.optional(base58.decode_check(text))
    if data is None or len(data.reveal()) != _EXTENDED_BYTES or data.reveal()[-KEY_BYTES - 1]:
        return None
    if not secp256k1.is_private_key(data.reveal()[-KEY_BYTES:]):
        return None
    tree = ExtendedKey(Secret(data.reveal()[-KEY_BYTES:]), Secret(data.reveal()[_CHAIN_CODE]), data.reveal()[4])
    return Found(f"extended private key ({text[:4]}, depth {tree.depth})", certain=True, proved=True, tree=tree)


def _phrase(text: str) -> Found | None:
    stray = _STRAY.match(text)
    words = len(text.split()) - (stray is not None and stray[0] != stray[0].strip())
    if words not in WORD_COUNTS:
        return None
    phrase = _parsed(text[stray.end() :] if stray else text)
    if phrase is None:
        return None
    how = " behind a stray 0x" if stray else ", in capitals" if phrase.lowered else ""
    return Found(f"phrase of {words} words{how}", phrase=phrase, certain=True)


def _parsed(text: str) -> Phrase | None:
    try:
        return Phrase.parse(Secret.from_text(text))
    except InvalidMnemonicError:
        return None


# --- numbers and lists of them -----------------------------------------------------------------------------------


def _numbers(text: str) -> Iterator[Found]:
    if _DECIMAL.fullmatch(text):
        number = int(text.rstrip("n"))
        if number.bit_length() + (number < 0) <= 8 * KEY_BYTES:  # Java writes keys as signed numbers
            key = Secret(number.to_bytes(KEY_BYTES, signed=number < 0))
            yield Found(f"decimal number of {sum(map(str.isdigit, text))} digits", key)
    bare = _SPACED.sub("", text) if len(text) <= _LONGEST_LIST_CHARACTERS else ""
    digits = _DIGITS.fullmatch(bare)
    if digits is not None:
        padded = digits[1].rjust(len(digits[1]) + len(digits[1]) % 2, "0")
        yield from of_bytes(bytes.fromhex(padded), f"hex of {len(digits[1])} digits")


def _lists(text: str) -> Iterator[Found]:
    """``1, 2``, ``[1 2]``, ``Uint8Array(32) [ 1, 2 ]``, ``<Buffer 01 02>``, with signed bytes or hex pairs."""
    if len(text) > _LONGEST_LIST_CHARACTERS:
        return
    bare = text.strip(_BRACKETS)
    bare = _WORD_BEFORE.sub("", bare, count=1).strip(_BRACKETS)
    numbers = _BETWEEN.split(bare, max(_NUMBERS) + 1)
    if len(numbers) not in _NUMBERS:
        return
    if all(_SIGNED.fullmatch(each) for each in numbers) and all(-128 <= int(each) < 256 for each in numbers):
        yield from of_bytes(bytes(int(each) & 255 for each in numbers), f"list of {len(numbers)} numbers")
    if all(_PAIR.fullmatch(each) for each in numbers):
        yield from of_bytes(bytes(int(each, 16) for each in numbers), f"list of {len(numbers)} bytes in hex")


# --- words -------------------------------------------------------------------------------------------------------


def _words(text: str) -> Iterator[Found]:
    """A phrase in whatever case, with whatever between its words; abbreviated; or the seed of an Electrum wallet."""
    if len(text) > _LONGEST_LIST_CHARACTERS:
        return
    words = _LETTERS.findall(unicodedata.normalize("NFC", text))
    for some in (words, words[1:]):  # a label may stand before them
        if len(some) in WORD_COUNTS:
            written = " ".join(some)
            phrase, how = _parsed(written), "written otherwise"
            if phrase is None and (expanded := _expanded(tuple(some))) is not None:
                phrase, how = _parsed(expanded), "abbreviated"
            if phrase is not None:
                more = _LONG_NUMBER.search(text) is not None
                whole = None if some is words else Secret.from_text(" ".join(words))
                form = f"phrase of {len(some)} words, {how}"
                yield Found(form, phrase=phrase, certain=True, partial=more, written=whole)
                return
    if (version := _electrum(words)) is not None:
        yield Found(f"phrase of {len(words)} words of an Electrum wallet ({version})", certain=True)


def _expanded(words: tuple[str, ...]) -> str | None:
    """Whole words for abbreviations of four letters, in the first language that has all of them."""
    short = [unicodedata.normalize("NFKD", word.lower()) for word in words]
    for language in LANGUAGES:
        known = _beginnings(language)
        if all(word in known for word in short):
            return " ".join(known[word] for word in short)
    return None


@cache
def _beginnings(language: str) -> dict[str, str]:
    """Each word of a list by itself and by its first letters, where these tell it from the others."""
    words = words_of(language)
    found: dict[str, str] = {}
    shared = set()
    for word in words:
        short = word[:_SHORT]
        shared |= {short} & found.keys()
        found[short] = word
    return {**{short: word for short, word in found.items() if short not in shared}, **{word: word for word in words}}


def _electrum(words: list[str]) -> str | None:
    """The version of an Electrum seed, by its checksum. Electrum, "Seed version system"."""
    if len(words) not in _ELECTRUM_WORDS:
        return None
    lowered = [unicodedata.normalize("NFKD", word.lower()) for word in words]
    if not any(all(word in _beginnings(language) for word in lowered) for language in LANGUAGES):
        return None
    digest = hmac.digest(b"Seed version", " ".join(lowered).encode(), "sha512").hex()
    return next((name for beginning, name in _ELECTRUM.items() if digest.startswith(beginning)), None)
