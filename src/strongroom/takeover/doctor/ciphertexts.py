"""Texts that strongroom did not encrypt: recognised by their form, and named as far as it says. None is opened."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from strongroom import bounded_json
from strongroom.networks.codecs import base58

_MOST_CHARACTERS = 65_536
_PASSWORD_BASED = "CryptoJS or OpenSSL, under a password"  # noqa: S105 - a name
_BEGINNINGS = {
    "U2FsdGVkX1": _PASSWORD_BASED,  # also where it was cut, and is no base64 any more
    "vault:v": "Vault's transit engine",
    "-----BEGIN PGP MESSAGE": "OpenPGP",
    "-----BEGIN AGE ENCRYPTED": "age",
    "age-encryption.org/": "age",
    "-----BEGIN ENCRYPTED PRIVATE KEY": "PKCS #8 under a password",
    "$ANSIBLE_VAULT;": "Ansible Vault",
    "ENC[": "SOPS",
    "ENC(": "Jasypt",
    "{cipher}": "Spring Cloud Config",
}
_TEZOS = ("p2esk", "BLesk")
_TEZOS_CHARACTERS = 88
_WRITTEN = re.compile("[A-Za-z0-9+/_=-]+")
_HEX = re.compile("(?:[0-9a-fA-F]{2})+")
_COMPACT = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){4}")
_PEM_UNDER_PASSWORD = "Proc-Type: 4,ENCRYPTED"  # noqa: S105 - the header of RFC 1421
_LABEL = re.compile("[A-Za-z][A-Za-z0-9_-]{0,23}")
"""What precedes the parts: ``aes-256-gcm``, ``v1``, ``enc``."""
_SEPARATORS = re.compile(r"--|[:.$|;]")
_WORDS = ("enc", "aes", "gcm", "cbc", "chacha", "cipher", "secretbox", "kms", "sealed", "locked")
"""What a prefix says where one text follows: ``enc:v2:``, ``aes256gcm$``, ``kms:``."""
_KEY_BYTES = 32
_MOST_PARTS = 7
_NONCE_BYTES = (8, 12, 16, 24)
_LEAST_CIPHERTEXT_BYTES = 16

_HELPERS = frozenset({"iv", "nonce", "salt", "tag", "authtag", "mac", "ephempublickey", "counter"})
_CONTENTS = frozenset(
    (
        *("ciphertext", "ciphertextblob", "encrypted", "encrypteddata", "encryptedtext", "encryptedkey", "content"),
        *("data", "ct", "value", "payload", "cipher", "encryptedprivatekey", "enc"),
    )
)


def of_text(text: str) -> str | None:
    """Who encrypted a text, as far as its form says; None where it is no such text."""
    for beginning, name in _BEGINNINGS.items():
        if text.startswith(beginning):
            return name
    if len(text) > _MOST_CHARACTERS:
        return None
    if text.startswith("-----BEGIN") and _PEM_UNDER_PASSWORD in text:
        return "PEM under a password"
    if text.startswith("6P") and (base58.decode_check(text) or b"")[:2] in (b"\x01\x42", b"\x01\x43"):
        return "BIP-38, under a password"
    if text.startswith(_TEZOS) and len(text) == _TEZOS_CHARACTERS and base58.decode_check(text) is not None:
        return "octez-client of Tezos, under a password"
    if _COMPACT.fullmatch(text):
        return _compact(text)
    return _parts(text)


def of_bytes(data: bytes) -> str | None:
    """Who encrypted bytes, as far as their beginning says."""
    return next((name for name, fits in _BYTES.items() if fits(data)), None)


def of_object(document: Mapping[str, Any]) -> str | None:
    """Who encrypted what is in a JSON object, by the names of its members."""
    names = {re.sub("[_-]", "", name).lower() for name in list(document)[:64]}
    if "ciphertext" in names and names & {"protected", "recipients", "encryptedkey"}:
        return "something else, as a JWE"
    return "something, in JSON" if names & _HELPERS and names & _CONTENTS else None


def _compact(text: str) -> str | None:
    """Five parts, as JWE writes it, whose header names an algorithm."""
    header = text.partition(".")[0]
    try:
        document = bounded_json.loads(b64decode(header + "=" * (-len(header) % 4), b"-_").decode())
    except (ValueError, RecursionError):
        return None
    return "something else, as a JWE" if isinstance(document, dict) and "enc" in document else None


def _parts(text: str) -> str | None:
    """Nonce, tag and ciphertext in any order, in hex or base64, behind words or not: ``iv:tag:ciphertext``."""
    if len(text) < 2 * _LEAST_CIPHERTEXT_BYTES or text.startswith("eyJ"):
        return None
    parts = [part for part in _SEPARATORS.split(text, _MOST_PARTS) if part]
    labels = 0
    while labels < len(parts) and _LABEL.fullmatch(parts[labels]) and not _HEX.fullmatch(parts[labels]):
        labels += 1
    for start in range(labels, -1, -1):  # a nonce in base64 looks as a word does
        if _is_encrypted(parts[start:]):
            return f"something, in {len(parts) - start} parts"
    said = "".join(parts[:labels]).lower()
    if len(parts) == labels + 1 and any(word in said for word in _WORDS) and _size(parts[-1]) > _KEY_BYTES:
        return "something, behind words that say so"
    return None


def _is_encrypted(parts: list[str]) -> bool:
    """Whether parts are a nonce, a ciphertext and perhaps more, by their sizes."""
    if not 2 <= len(parts) < _MOST_PARTS or not all(_WRITTEN.fullmatch(part) for part in parts):
        return False
    sizes = [_size(part) for part in parts]
    if min(sizes) < min(_NONCE_BYTES) or max(sizes) < _LEAST_CIPHERTEXT_BYTES:
        return False
    return any(size in _NONCE_BYTES for size in sizes)


def _size(part: str) -> int:
    """Bytes that hex or base64 stands for; 0 where it is neither."""
    if _HEX.fullmatch(part):
        return len(part) // 2
    bare = part.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return len(b64decode(bare + "=" * (-len(bare) % 4), validate=True))
    except (binascii.Error, ValueError):
        return 0


def _is_fernet(data: bytes) -> bool:
    return data[:4] == b"\x80\0\0\0" and len(data) >= 73 and (len(data) - 57) % 16 == 0


def _is_aws_kms(data: bytes) -> bool:
    return len(data) > 60 and data[0] == 1 and data[1] in (1, 2) and data[2] in (1, 2) and data[3:4] == b"\0"


def _is_openpgp(data: bytes) -> bool:
    """A session key for a public key (version 3), or one under a passphrase (version 4). RFC 9580."""
    if len(data) < 40:
        return False
    for_public_key = (data[0] in (0x85, 0xC1) and data[3] == 3) or (data[0] == 0x84 and data[2] == 3)
    return for_public_key or (data[0] in (0x8C, 0xC3) and data[1] < 64 and data[2] == 4)


_BYTES: dict[str, Callable[[bytes], bool]] = {
    _PASSWORD_BASED: lambda data: data.startswith(b"Salted__"),
    "Fernet": _is_fernet,
    "AWS KMS": _is_aws_kms,
    "AWS Encryption SDK": lambda data: len(data) > 100 and data[:2] in (b"\x01\x80", b"\x02\x04", b"\x02\x05"),
    "Google Cloud KMS": lambda data: len(data) > 60 and data.startswith(b"\x0a\x24\0"),
    "OpenPGP": _is_openpgp,
    "age": lambda data: data.startswith(b"age-encryption.org/"),
}
