"""The texts of Tezos: base58check behind bytes that make their first letters. octez, src/lib_crypto/base58.ml."""

from __future__ import annotations

from enum import Enum

from strongroom.networks.codecs import base58


class Prefix(Enum):
    """The bytes before what a text says, and how many of those there are."""

    ED25519_HASH = (b"\x06\xa1\x9f", 20)
    """tz1"""
    SECP256K1_HASH = (b"\x06\xa1\xa1", 20)
    """tz2"""
    P256_HASH = (b"\x06\xa1\xa4", 20)
    """tz3"""
    BLS_HASH = (b"\x06\xa1\xa6", 20)
    """tz4"""
    CONTRACT_HASH = (b"\x02\x5a\x79", 20)
    """KT1"""
    ED25519_SEED = (b"\x0d\x0f\x3a\x07", 32)
    """edsk, 54 characters"""
    ED25519_KEYPAIR = (b"\x2b\xf6\x4e\x07", 64)
    """edsk, 98 characters: the seed, and the public key"""
    SECP256K1_KEY = (b"\x11\xa2\xe0\xc9", 32)
    """spsk"""
    ED25519_LOCKED = (b"\x07\x5a\x3c\xb3\x29", 56)
    """edesk"""
    SECP256K1_LOCKED = (b"\x09\xed\xf1\xae\x96", 56)
    """spesk"""


def encode(prefix: Prefix, data: bytes) -> str:
    """The text of bytes."""
    return base58.encode_check(prefix.value[0] + data)


def decode(text: str, *prefixes: Prefix) -> tuple[Prefix, bytes] | None:
    """Which of the prefixes a text has, and the bytes behind it; None for any other text."""
    data = base58.decode_check(text)
    if data is None:
        return None
    for prefix in prefixes:
        beginning, length = prefix.value
        if len(data) == len(beginning) + length and data.startswith(beginning):
            return prefix, data[len(beginning) :]
    return None
