"""HKDF-SHA256 (RFC 5869), the one key derivation of sealing keys and root keys."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from strongroom.secret import Secret


def derive(key: Secret, info: str, length_bytes: int = 32) -> Secret:
    """Derive ``length_bytes`` from a uniformly random key for the purpose that ``info`` names, without salt."""
    return Secret(HKDF(SHA256(), length_bytes, salt=None, info=info.encode()).derive(key.reveal()))
