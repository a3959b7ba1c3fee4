"""The PBKDF2 envelope of a legacy application: AES-256-GCM under a password, as a JSON object.

``{"version": 1, "algorithm": "aes-256-gcm", "salt": hex, "iv": hex, "encrypted": hex, "authTag": hex}``; the key is
PBKDF2-HMAC-SHA256(password, salt, 100,000 rounds, 32 bytes), the plaintext the UTF-8 text of a private key or a phrase.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from strongroom.secret import Secret

MEMBERS = ("salt", "iv", "encrypted", "authTag")
_ALGORITHM = "aes-256-gcm"
_ROUNDS = 100_000
COST = 0.02
"""Of opening one, in units of ``work_budget``."""
_KEY_BYTES = 32
_SIZES = {"salt": (1, 64), "iv": (8, 64), "encrypted": (1, 4096), "authTag": (16, 16)}
_HEX = re.compile("(?:0[xX])?((?:[0-9a-fA-F]{2})*)")


@dataclass(frozen=True, slots=True)
class Envelope:
    """A document taken apart; nothing in it is authenticated yet."""

    salt: bytes = field(repr=False)
    iv: bytes = field(repr=False)
    ciphertext_and_tag: bytes = field(repr=False)

    def open(self, password: Secret) -> Secret | None:
        """Return the plaintext, or None where the password does not fit or the document was changed; takes 12 ms."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

        key = Secret(PBKDF2HMAC(SHA256(), _KEY_BYTES, self.salt, _ROUNDS).derive(password.reveal()))
        try:
            return Secret(AESGCM(key.reveal()).decrypt(self.iv, self.ciphertext_and_tag, None))
        except InvalidTag:
            return None


def is_envelope(document: Mapping[str, Any]) -> bool:
    """Whether a JSON object has the members of an envelope."""
    return all(name in document for name in MEMBERS)


def parse(document: Mapping[str, Any]) -> Envelope | None:
    """Take an envelope apart, or None where its members are not those of the scheme."""
    algorithm = document.get("algorithm", _ALGORITHM)
    if document.get("version", 1) != 1 or not isinstance(algorithm, str) or algorithm.lower() != _ALGORITHM:
        return None
    parts = {name: _bytes(document[name], *_SIZES[name]) for name in MEMBERS}
    salt, iv, encrypted, tag = (parts[name] for name in MEMBERS)
    if salt is None or iv is None or encrypted is None or tag is None:
        return None
    return Envelope(salt, iv, encrypted + tag)


def _bytes(value: object, shortest: int, longest: int) -> bytes | None:
    found = _HEX.fullmatch(value) if isinstance(value, str) else None
    if found is None or not shortest <= len(found[1]) // 2 <= longest:
        return None
    return bytes.fromhex(found[1])
