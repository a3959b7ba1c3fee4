"""The curves that keys of phrases are on, by name: how a key is derived there, and what its public half is."""

from __future__ import annotations

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidPrivateKeyError
from strongroom.networks.curves import bip32, ed25519, secp256k1, slip10
from strongroom.networks.curves.paths import Path
from strongroom.secret import Secret

SECP256K1 = "secp256k1"
ED25519 = "ed25519"


def derive(curve: str, phrase: Phrase, path: Path) -> Secret:
    """The key of a phrase at a path, 32 bytes: BIP-32 on secp256k1, SLIP-10 on Ed25519.

    Raises InvalidPathError for an Ed25519 path with an element that is not hardened.
    """
    if curve == ED25519:
        return slip10.derive_ed25519(phrase.seed(), path).key
    return bip32.derive(phrase.seed(), path, phrase.branches)


def public_key(curve: str, private_key: Secret) -> bytes:
    """The public key: 33 bytes, compressed, on secp256k1; 32 bytes on Ed25519. Raises InvalidPrivateKeyError."""
    if curve == ED25519:
        public = ed25519.public_key(private_key.reveal())
        if public is None:
            raise InvalidPrivateKeyError("The private key is not 32 bytes.")
        return public
    point = secp256k1.public_key(private_key.reveal())
    if point is None:
        raise InvalidPrivateKeyError(secp256k1.OUT_OF_RANGE)
    return point
