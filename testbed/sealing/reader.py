"""A reader of sealed texts that was written from docs/format.md alone. It imports nothing of strongroom.

Keys are derived with ``hmac`` and ``hashlib``; the JWE itself is left to the JOSE library that is passed in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from joserfc.jwe import JWERegistry, decrypt_compact, encrypt_compact
from joserfc.jwk import OctKey
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

Row = Mapping[str, str]
OpenJwe = Callable[[str, bytes], bytes]
"""Opens a compact JWE under a symmetric key and returns the plaintext."""
SealJwe = Callable[[Mapping[str, str], bytes, bytes], str]
"""Makes a compact JWE of a header and a plaintext under a symmetric key."""

ROOT_KEY_PREFIX = "STRONGROOM-ROOT-KEY-1-"
ALGORITHMS = ["A256KW", "A256GCM"]
REGISTRY = JWERegistry(algorithms=ALGORITHMS, strict_check_header=False)
MAX_CHARACTERS = 16_384


class FormatRefusal(Exception):
    """The code of section 6."""


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """Section 1."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64url(data) != text:
        raise FormatRefusal("sealed-text-corrupt")
    return data


def hkdf(key: bytes, info: bytes, length: int, salt: bytes = b"") -> bytes:
    """RFC 5869."""
    extracted = hmac.new(salt or bytes(32), key, hashlib.sha256).digest()
    block, expanded, number = b"", b"", 1
    while len(expanded) < length:
        block = hmac.new(extracted, block + info + bytes([number]), hashlib.sha256).digest()
        expanded, number = expanded + block, number + 1
    return expanded[:length]


def read_root_key(text: str) -> bytes:
    """Section 2."""
    text = text.strip()
    body = from_base64url(text.removeprefix(ROOT_KEY_PREFIX))
    key, checksum = body[:32], body[32:]
    if not text.startswith(ROOT_KEY_PREFIX) or len(body) != 36:
        raise FormatRefusal("root-key-malformed")
    if hashlib.sha256(ROOT_KEY_PREFIX.encode() + key).digest()[:4] != checksum:
        raise FormatRefusal("root-key-malformed")
    return key


def kid_of(sealing_key: bytes) -> str:
    """Section 4."""
    return base64url(hkdf(sealing_key, b"strongroom/v1/kid", 16))


def check_value(root_key: bytes) -> str:
    """Section 4."""
    return base64url(hkdf(root_key, b"strongroom/v1/root-key/check", 16))


def project_key(sealing_key: bytes, project_id: str) -> bytes:
    """Section 5."""
    return hkdf(sealing_key, b"strongroom/v1/project/" + str(UUID(project_id)).encode(), 32)


def unwrap(kid: str, wrapped: str, root_key: bytes, open_jwe: OpenJwe) -> bytes:
    """Section 4: the sealing key of a row of strongroom_keyring_wrap."""
    check_form(wrapped)
    sealing_key = open_jwe(wrapped, hkdf(root_key, b"strongroom/v1/root-key/wrap", 32))
    header = {"kid": kid, "alg": "A256KW", "enc": "A256GCM", "typ": "strongroom-sealing-key+1"}
    if from_base64url(wrapped.split(".")[0]) != compact_json(header) or kid_of(sealing_key) != kid:
        raise FormatRefusal("keyring-corrupt")
    return sealing_key


def open_text(text: str, row: Row, keyring: Mapping[str, bytes], open_jwe: OpenJwe) -> dict[str, Any]:
    """Section 6, steps 1 to 6: the payload of a sealed text that is in a row."""
    if not text.startswith("eyJraWQiOi"):
        raise FormatRefusal("not-sealed")
    header = check_form(text)
    if header["typ"] != "strongroom+1":
        raise FormatRefusal("sealed-text-corrupt")
    if header["kid"] not in keyring:
        raise FormatRefusal("unknown-sealing-key")
    plaintext = open_jwe(text, project_key(keyring[header["kid"]], header["project"]))
    if compact_json(header) != compact_json(header_of(header["kid"], row)):
        raise FormatRefusal("identity-mismatch")
    payload: dict[str, Any] = json.loads(plaintext)
    if payload["v"] != 1:
        raise FormatRefusal("sealed-text-corrupt")
    return payload


def header_of(kid: str, row: Row) -> dict[str, str]:
    """Section 5: the header that a writer makes for a row."""
    return {
        "kid": kid,
        "alg": "A256KW",
        "enc": "A256GCM",
        "typ": "strongroom+1",
        "project": row["project_id"],
        "credential": row["credential_id"],
        "network": row["network"],
        "address": row["wallet_address"],
    }


def check_form(text: str) -> dict[str, str]:
    """Section 3: the header of a text that has the one form."""
    if len(text) > MAX_CHARACTERS or text.count(".") != 4:
        raise FormatRefusal("sealed-text-corrupt")
    protected, wrapped_key, nonce, _, tag = map(from_base64url, text.split("."))
    header = json.loads(protected)
    if (len(wrapped_key), len(nonce), len(tag)) != (40, 12, 16) or compact_json(header) != protected:
        raise FormatRefusal("sealed-text-corrupt")
    if [header["alg"], header["enc"]] != ALGORITHMS:
        raise FormatRefusal("sealed-text-corrupt")
    assert all(isinstance(value, str) for value in header.values())
    return dict(header)


def compact_json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


# --- the two JOSE libraries ---------------------------------------------------------------------------------


def open_with_joserfc(text: str, key: bytes) -> bytes:
    plaintext = decrypt_compact(text, OctKey.import_key(key), registry=REGISTRY).plaintext
    assert plaintext is not None
    return plaintext


def open_with_jwcrypto(text: str, key: bytes) -> bytes:
    token = JWE(algs=ALGORITHMS)
    token.deserialize(text, JWK(kty="oct", k=base64url(key)))
    plaintext = token.payload
    assert isinstance(plaintext, bytes)
    return plaintext


def seal_with_joserfc(header: Mapping[str, str], plaintext: bytes, key: bytes) -> str:
    return encrypt_compact(dict(header), plaintext, OctKey.import_key(key), registry=REGISTRY)


def seal_with_jwcrypto(header: Mapping[str, str], plaintext: bytes, key: bytes) -> str:
    recipient = JWK(kty="oct", k=base64url(key))
    text = JWE(plaintext, compact_json(header).decode(), recipient=recipient, algs=ALGORITHMS).serialize(compact=True)
    assert isinstance(text, str)
    return text
