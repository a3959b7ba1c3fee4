"""Secret boxes of NaCl, XSalsa20-Poly1305, through libsodium (PyNaCl): what several chains lock keys with."""

from __future__ import annotations

from functools import cache
from typing import Any

from strongroom.secret import Secret


@cache
def _bindings() -> Any:
    import nacl.bindings

    return nacl.bindings


@cache
def _failure() -> type[Exception]:
    import nacl.exceptions

    return nacl.exceptions.CryptoError


def make_box(key: Secret, nonce: bytes, content: Secret) -> bytes:
    """Lock bytes with a key of 32 bytes and a nonce of 24, that the key has once: 16 bytes longer."""
    return bytes(_bindings().crypto_secretbox(content.reveal(), nonce, key.reveal()))


def open_box(key: Secret, nonce: bytes, box: bytes) -> Secret | None:
    """What is in a box; None where the key does not open it, or it was changed."""
    try:
        return Secret(_bindings().crypto_secretbox_open(box, nonce, key.reveal()))
    except _failure():
        return None
