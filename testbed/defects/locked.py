"""Texts under a password: the PBKDF2 envelope of older code and Web3 Secret Storage, made apart from strongroom."""

from __future__ import annotations

import hashlib
import json
import random
from uuid import UUID

from Crypto.Hash import keccak
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from testbed.defects.keys import KnownKey, key_of
from testbed.defects.texts import Text, written

LEGACY_PASSWORD = "correct horse battery staple"
KEYSTORE_PASSWORD = "a keystore's pässword"
LOST_PASSWORD = "nobody remembers this one"
"""Passwords are written here because they guard nothing: every key under them is made from a seed."""
ENVELOPE_ROUNDS = 100_000


def envelope_of_key(rng: random.Random, key: KnownKey, *, derives: bool, password: str = LEGACY_PASSWORD) -> Text:
    """An envelope around a private key."""
    return _envelope(rng, written(rng, key, derives=derives), password, secret=key.secret)


def envelope_of_phrase(rng: random.Random, phrase: str, *, password: str = LEGACY_PASSWORD) -> Text:
    """An envelope around a phrase."""
    return _envelope(rng, phrase, password, phrase=phrase)


def envelope_text(plaintext: str, password: str, salt: bytes, iv: bytes) -> str:
    """The JSON object of older code: PBKDF2-HMAC-SHA256, AES-256-GCM with an initialisation vector of 16 bytes."""
    key = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ENVELOPE_ROUNDS, 32)
    sealed = AESGCM(key).encrypt(iv, plaintext.encode(), None)
    return json.dumps(
        {
            "version": 1,
            "algorithm": "aes-256-gcm",
            "salt": salt.hex(),
            "iv": iv.hex(),
            "encrypted": sealed[:-16].hex(),
            "authTag": sealed[-16:].hex(),
        }
    )


def keystore(rng: random.Random, key: KnownKey, *, password: str = KEYSTORE_PASSWORD) -> Text:
    """A keystore, in the variations that wallets write."""
    scrypt, capital = rng.random() < 0.5, rng.random() < 0.3
    address = key_of(key.secret).address if rng.random() < 0.7 else None
    salt, iv, number = rng.randbytes(32), rng.randbytes(16), UUID(bytes=rng.randbytes(16), version=4)
    value = keystore_text(key.secret, password, salt, iv, number, address, scrypt=scrypt, capital=capital)
    return Text("keystore", value, secret=key.secret, password=password)


def keystore_text(
    secret: bytes,
    password: str,
    salt: bytes,
    iv: bytes,
    number: UUID,
    address: str | None = None,
    *,
    scrypt: bool = True,
    capital: bool = False,
) -> str:
    """Web3 Secret Storage, version 3, with little work: it is made by the dozen."""
    if scrypt:
        derived = hashlib.scrypt(password.encode(), salt=salt, n=1024, r=8, p=1, dklen=32)
        kdf, parameters = "scrypt", {"dklen": 32, "n": 1024, "r": 8, "p": 1, "salt": salt.hex()}
    else:
        derived = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 2048, 32)
        kdf, parameters = "pbkdf2", {"dklen": 32, "c": 2048, "prf": "hmac-sha256", "salt": salt.hex()}
    ciphertext = Cipher(AES(derived[:16]), CTR(iv)).encryptor().update(secret)
    mac = keccak.new(digest_bits=256, data=derived[16:32] + ciphertext).hexdigest()
    crypto = {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": iv.hex()},
        "ciphertext": ciphertext.hex(),
        "kdf": kdf,
        "kdfparams": parameters,
        "mac": mac,
    }
    document = {"version": 3, "id": str(number), "Crypto" if capital else "crypto": crypto}
    if address is not None:
        document["address"] = address.removeprefix("0x").lower()
    return json.dumps(document)


def _envelope(
    rng: random.Random, plaintext: str, password: str, *, secret: bytes | None = None, phrase: str | None = None
) -> Text:
    value = envelope_text(plaintext, password, rng.randbytes(32), rng.randbytes(16))
    return Text("envelope", value, secret=secret, phrase=phrase, password=password)
