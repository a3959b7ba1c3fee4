"""The key texts of the field: what a text is, before anything is derived from it.

Reading never raises, takes bounded time, and keeps what it found wrapped. docs/findings.md, "How a text is read".
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from strongroom import bounded_json
from strongroom.doctor import envelope
from strongroom.doctor.envelope import Envelope
from strongroom.errors import InvalidMnemonicError
from strongroom.model import PLACEHOLDERS
from strongroom.networks import base58, ed25519, key_text, keystore
from strongroom.phrase import WORD_COUNTS, Phrase
from strongroom.sealing import is_sealed
from strongroom.secret import Secret
from strongroom.store.inspection import MAX_TEXT_CHARACTERS

_KEY_BYTES = 32
_KEYPAIR_BYTES = 64
_LONGEST_KEY_CHARACTERS = 4096
_WIF_CHARACTERS = (51, 52)
_WIF_BYTES = (33, 34)
_COMPRESSED = 1
_BASE64 = re.compile("[A-Za-z0-9+/_-]{20,}={0,2}")
_STRAY = re.compile(r"0[xX]\s*(?=\D)")


class Kind(Enum):
    """What a text is."""

    PLACEHOLDER = "placeholder"
    SEALED = "sealed"
    ENVELOPE = "legacy-envelope"
    KEYSTORE = "keystore"
    KEY = "plaintext-key"
    PHRASE = "plaintext-mnemonic"
    ENCODED = "encoded-key"
    UNREADABLE = "unreadable"


IN_CLEAR = frozenset({Kind.KEY, Kind.PHRASE, Kind.ENCODED})
LOCKED = frozenset({Kind.ENVELOPE, Kind.KEYSTORE})


@dataclass(frozen=True, slots=True)
class KeyText:
    """A text that was read."""

    kind: Kind
    form: str
    """What was recognised, for people."""
    key: Secret | None = None
    """A raw private key of 32 bytes, where it is one in clear."""
    phrase: Phrase | None = None
    looks_public: bool = False
    """Whether it looks like a public key as much, so that it is a key only if it derives the stored address."""
    locked: Envelope | Secret | None = None
    """The envelope, or the keystore's document, to be opened with a password; None where that is no use."""
    document: Secret | None = None
    """The whole text of an envelope or keystore."""
    otherwise: KeyText | None = None
    """What it is if it is no key of the row: base64 may be base58, too, and mean other bytes."""


_PLACEHOLDER = KeyText(Kind.PLACEHOLDER, "no key")
_SEALED = KeyText(Kind.SEALED, "sealed text")


def read(text: str | None) -> KeyText:
    """Say what a text is."""
    if text is None or text in PLACEHOLDERS:
        return _PLACEHOLDER
    if is_sealed(text):
        return _SEALED
    if len(text) > MAX_TEXT_CHARACTERS:
        return KeyText(Kind.UNREADABLE, f"longer than {MAX_TEXT_CHARACTERS:,} characters")
    return _read(text.strip()) or KeyText(Kind.UNREADABLE, "nothing known explains the text")


def read_plaintext(plaintext: Secret) -> KeyText | None:
    """Say what came out of an envelope: a key or a phrase, else None."""
    try:
        found = _in_clear(plaintext.reveal_text().strip())
    except UnicodeDecodeError:
        return None
    return found


def _read(text: str) -> KeyText | None:
    if text.startswith("{"):
        return _document(text)
    found = _in_clear(text)
    if found is None or found.looks_public:
        encoded = _encoded(text)
        return encoded if found is None else replace(found, otherwise=encoded)
    return found


def _document(text: str) -> KeyText | None:
    try:
        document = bounded_json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    if envelope.is_envelope(document):
        found = envelope.parse(document)
        broken = "" if found else ", whose members are not those of the scheme"
        return KeyText(Kind.ENVELOPE, f"PBKDF2 envelope{broken}", locked=found, document=Secret.from_text(text))
    if any(name.lower() == "crypto" for name in document):
        return _keystore(Secret.from_text(text), document.get("version"))
    return None


def _keystore(document: Secret, version: Any) -> KeyText:
    refusal = keystore.refusal(document)
    known = f"version {version} " if type(version) is int and 0 < version < 10 else ""
    if refusal is not None:
        return KeyText(Kind.KEYSTORE, f"{known}keystore, which {refusal}", document=document)
    return KeyText(Kind.KEYSTORE, f"{known}keystore", locked=document, document=document)


def _in_clear(text: str) -> KeyText | None:
    """A key or a phrase."""
    if len(text) > _LONGEST_KEY_CHARACTERS:
        return None
    return _key(text) or _phrase(text)


def _key(text: str) -> KeyText | None:
    wrapped = Secret.from_text(text)
    if (found := key_text.from_hex(wrapped, _KEY_BYTES)) is not None:
        return KeyText(Kind.KEY, "hex private key", found)
    if (found := key_text.from_hex(wrapped, _KEYPAIR_BYTES)) is not None:
        return _of_keypair(found, "hex keypair")
    if (found := key_text.from_json_array(wrapped, _KEYPAIR_BYTES)) is not None:
        return _of_keypair(found, "JSON array of a keypair")
    if (found := key_text.from_json_array(wrapped, _KEY_BYTES)) is not None:
        return KeyText(Kind.KEY, "JSON array of 32 numbers", found, looks_public=True)
    return _wif(text) or _base58(text)


def _wif(text: str) -> KeyText | None:
    """Wallet Import Format of any network, whose first byte is not compared: deriving decides."""
    if len(text) not in _WIF_CHARACTERS:
        return None
    data = Secret.optional(base58.decode_check(text))
    if data is None or len(data.reveal()) not in _WIF_BYTES:
        return None
    if len(data.reveal()) == _WIF_BYTES[1] and data.reveal()[-1] != _COMPRESSED:
        return None
    return KeyText(Kind.KEY, "WIF private key", Secret(data.reveal()[1:33]))


def _base58(text: str) -> KeyText | None:
    data = Secret.optional(base58.decode(text))
    if data is None:
        return None
    if len(data.reveal()) == _KEYPAIR_BYTES:
        return _of_keypair(data, "base58 keypair")
    if len(data.reveal()) == _KEY_BYTES:
        return KeyText(Kind.KEY, "32 bytes in base58", data, looks_public=True)
    return None


def _of_keypair(keypair: Secret, form: str) -> KeyText | None:
    """A seed and its public key (Ed25519); None where the second is not the first one's."""
    if ed25519.public_key(keypair.reveal()[:_KEY_BYTES]) != keypair.reveal()[_KEY_BYTES:]:
        return None
    return KeyText(Kind.KEY, form, Secret(keypair.reveal()[:_KEY_BYTES]))


def _phrase(text: str) -> KeyText | None:
    stray = _STRAY.match(text)
    words = len(text.split()) - (stray is not None and stray[0] != stray[0].strip())
    if words not in WORD_COUNTS:
        return None
    try:
        phrase = Phrase.parse(Secret.from_text(text[stray.end() :] if stray else text))
    except InvalidMnemonicError:
        return None
    return KeyText(Kind.PHRASE, f"phrase of {words} words{' behind a stray 0x' if stray else ''}", phrase=phrase)


def _encoded(text: str) -> KeyText | None:
    """Base64 of a key or phrase, or of raw bytes that may be a key."""
    data = _decoded(text)
    if data is None:
        return None
    found = read_plaintext(data)
    if found is not None:
        return KeyText(Kind.ENCODED, f"base64 of: {found.form}", found.key, found.phrase, found.looks_public)
    if len(data.reveal()) == _KEYPAIR_BYTES:
        found = _of_keypair(data, "")
        return None if found is None else KeyText(Kind.ENCODED, "base64 of: keypair", found.key, looks_public=True)
    if len(data.reveal()) == _KEY_BYTES:
        return KeyText(Kind.ENCODED, "base64 of: 32 bytes", data, looks_public=True)
    return None


def _decoded(text: str) -> Secret | None:
    if len(text) > _LONGEST_KEY_CHARACTERS or not _BASE64.fullmatch(text):
        return None
    bare = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return Secret(base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True))
    except (binascii.Error, ValueError):
        return None
