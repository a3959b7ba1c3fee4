"""sr25519 (Schnorr signatures on Ristretto) through py-sr25519-bindings: the extra ``polkadot``.

A private key is a mini-secret of 32 bytes, or the secret of 64 bytes that one expands to: scalar and nonce, in the form
of Ed25519's, as polkadot-js writes it. A key that was derived from another one has the second form alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from strongroom.errors import MissingExtraError
from strongroom.secret import Secret

MINI_SECRET_BYTES = 32
SECRET_BYTES = 64
_PUBLIC_KEY_BYTES = 32


@cache
def _installed() -> Any:
    try:
        import sr25519
    except ImportError:
        return None
    return sr25519


def _bindings() -> Any:
    library = _installed()
    if library is None:
        raise MissingExtraError(
            "Keys of sr25519 need py-sr25519-bindings, which is not installed.",
            hint="pip install 'strongroom[polkadot]'",
        )
    return library


def public_key(key: Secret) -> bytes | None:
    """Return the public key (32 bytes), or None for what is no private key. Raises MissingExtraError."""
    pair = _pair(key)
    return None if pair is None else pair[0]


def expanded(key: Secret) -> Secret | None:
    """The secret of 64 bytes in the form of Ed25519's; None for what is no private key. Raises MissingExtraError."""
    if len(key.reveal()) == SECRET_BYTES:
        return None if _pair(key) is None else key
    pair = _pair(key)
    return None if pair is None else Secret(_bindings().convert_secret_key_to_ed25519(pair[1].reveal()))


def parent(key: Secret) -> Secret | None:
    """A private key as ``derive_hard`` takes it, 96 bytes: many children cost one of these.

    None for what is no private key. Raises MissingExtraError.
    """
    pair = _pair(key)
    return None if pair is None else Secret(pair[0] + pair[1].reveal())


def derive_hard(above: Secret, chain_codes: Sequence[bytes]) -> Secret:
    """The secret of 64 bytes at hard junctions below what ``parent`` made. Raises MissingExtraError.

    schnorrkel, "derive.rs".
    """
    public, secret = above.reveal()[:_PUBLIC_KEY_BYTES], Secret(above.reveal()[_PUBLIC_KEY_BYTES:])
    for chain_code in chain_codes:
        _, public, child = _bindings().hard_derive_keypair((chain_code, public, secret.reveal()), b"")
        secret = Secret(child)
    return Secret(_bindings().convert_secret_key_to_ed25519(secret.reveal()))


def _pair(key: Secret) -> tuple[bytes, Secret] | None:
    """Public key, and the secret in schnorrkel's own form; a secret that does not come back from it is none."""
    library = _bindings()
    if len(key.reveal()) == MINI_SECRET_BYTES:
        public, secret = library.pair_from_seed(key.reveal())
        return bytes(public), Secret(secret)
    if len(key.reveal()) != SECRET_BYTES:
        return None
    try:
        public, secret = library.pair_from_ed25519_secret_key(key.reveal())
        again = library.convert_secret_key_to_ed25519(secret)
    except ValueError:
        return None
    if not any(public) or again != key.reveal():
        return None
    return bytes(public), Secret(secret)
