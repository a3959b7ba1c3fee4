"""Compact JWE (RFC 7516) with ``alg`` A256KW and ``enc`` A256GCM, and nothing else.

Reading is strict: five segments of canonical base64url (RFC 4648, section 5, unused bits zero, no padding), fixed
lengths, a header that is one JSON object of strings. A text that another library would open leniently is refused.
"""

from __future__ import annotations

import binascii
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from strongroom import bounded_json
from strongroom.secret import Secret

ALGORITHM = {"alg": "A256KW", "enc": "A256GCM"}
MAX_TEXT_BYTES = 16_384
_CONTENT_KEY_BYTES = 32
_WRAPPED_KEY_BYTES = 40
_NONCE_BYTES = 12
_TAG_BYTES = 16
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_+/=", b"+/!!!")
_PADDING = (b"", b"!", b"==", b"=")
"""By the characters that are over after groups of four; one alone is no byte."""
_LAST = (None, "", "AQgw", "AEIMQUYcgkosw048")
"""The last character of a segment: its unused bits, four or two of six, are zero."""


class JweError(Exception):
    """The text is not a JWE of this form, or was not made with this key. Says nothing about the content."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A JWE taken apart; nothing in it is authenticated yet."""

    header: Mapping[str, str]
    protected: bytes = field(repr=False)
    wrapped_key: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    ciphertext_and_tag: bytes = field(repr=False)


def encode_segment(data: bytes) -> str:
    """Encode as base64url without padding."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def decode_segment(text: str) -> bytes:
    """Decode canonical base64url without padding. Raises JweError for any other text.

    To encode it again and compare takes as long as the rest.
    """
    over = len(text) % 4
    try:
        data = binascii.a2b_base64(text.encode("ascii").translate(_FROM_URL) + _PADDING[over], strict_mode=True)
    except (ValueError, binascii.Error):
        raise JweError("not base64url") from None
    last = _LAST[over]
    if last is not None and text[-1] not in last:
        raise JweError("base64url that is not canonical")
    return data


def encode_header(header: Mapping[str, str]) -> bytes:
    """The protected header as it is authenticated: compact JSON, in the given order, ASCII."""
    return json.dumps(header, separators=(",", ":")).encode("ascii")


def encrypt(
    header: Mapping[str, str],
    plaintext: Secret,
    key: Secret,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> str:
    """Encrypt under a fresh content key and nonce; the header must carry ``alg`` and ``enc`` of this module."""
    protected = encode_segment(encode_header(header))
    content_key = Secret(random_bytes(_CONTENT_KEY_BYTES))
    nonce = random_bytes(_NONCE_BYTES)
    wrapped = aes_key_wrap(key.reveal(), content_key.reveal())
    sealed = AESGCM(content_key.reveal()).encrypt(nonce, plaintext.reveal(), protected.encode("ascii"))
    segments = (wrapped, nonce, sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:])
    text = ".".join((protected, *map(encode_segment, segments)))
    if len(text) > MAX_TEXT_BYTES:
        raise ValueError("the text would be longer than a reader takes")
    return text


def parse(text: str) -> Parsed:
    """Take a compact JWE apart without a key. Raises JweError."""
    if len(text) > MAX_TEXT_BYTES:
        raise JweError("too long")
    segments = text.split(".")
    if len(segments) != 5:
        raise JweError("not five segments")
    header = _parse_header(segments[0])
    wrapped_key, nonce, ciphertext, tag = map(decode_segment, segments[1:])
    if (len(wrapped_key), len(nonce), len(tag)) != (_WRAPPED_KEY_BYTES, _NONCE_BYTES, _TAG_BYTES):
        raise JweError("a segment has the wrong length")
    return Parsed(dict(header), segments[0].encode("ascii"), wrapped_key, nonce, ciphertext + tag)


def decrypt(parsed: Parsed, key: Secret) -> Secret:
    """Authenticate header and content and return the plaintext. Raises JweError."""
    try:
        content_key = Secret(aes_key_unwrap(key.reveal(), parsed.wrapped_key))
        return Secret(AESGCM(content_key.reveal()).decrypt(parsed.nonce, parsed.ciphertext_and_tag, parsed.protected))
    except (InvalidUnwrap, InvalidTag):
        raise JweError("does not authenticate") from None


@lru_cache(1024)
def _parse_header(segment: str) -> Mapping[str, str]:
    """A protected header, which is public; remembered, since a wallet that signs is opened again and again."""
    data = decode_segment(segment)
    try:
        header = bounded_json.loads(data.decode())
    except (ValueError, RecursionError):
        raise JweError("header is not JSON") from None
    if not isinstance(header, dict) or not all(isinstance(value, str) for value in header.values()):
        raise JweError("header is not an object of strings")
    if any(header.get(name) != value for name, value in ALGORITHM.items()):
        raise JweError("another algorithm")
    if encode_header(header) != data:  # white space, escapes, a member that stands twice
        raise JweError("header that is not canonical JSON")
    return header
