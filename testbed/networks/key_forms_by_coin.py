"""Key texts and addresses of the families that have one network's coin each, by other libraries."""

from __future__ import annotations

from base64 import b32encode, b64encode
from binascii import crc_hqx
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bip_utils import (
    AlgoAddrEncoder,
    AlgorandMnemonicEncoder,
    AtomAddrEncoder,
    Base58Encoder,
    Bip32Slip10Ed25519,
    Bip32Slip10Secp256k1,
    Ed25519PrivateKey,
    InjAddrEncoder,
    Secp256k1PrivateKey,
    TrxAddrEncoder,
    XlmAddrEncoder,
    XlmAddrTypes,
    XrpAddrEncoder,
    XtzAddrEncoder,
    XtzAddrPrefixes,
)
from bip_utils.utils.crypto import Blake2b160

Forms = Mapping[str, Callable[[bytes], str]]
_HEX: Forms = {"hex": bytes.hex, "0x hex": lambda key: "0x" + key.hex()}


class CoinOracle(NamedTuple):
    """One network in one variant."""

    path: str
    """Where a phrase's keys are, with ``{account}`` and perhaps ``{index}``."""
    address: Callable[[bytes], str]
    """The address of a private key of 32 bytes."""
    forms: Forms = _HEX
    """How a private key is written."""
    tree: Any = Bip32Slip10Secp256k1

    def key(self, seed: bytes, path: str) -> bytes:
        """The private key of a phrase's seed at a path."""
        return bytes(self.tree.FromSeedAndPath(seed, path).PrivateKey().Raw().ToBytes())


def _xrp(key: bytes) -> str:
    return str(XrpAddrEncoder.EncodeKey(Secp256k1PrivateKey.FromBytes(key).PublicKey()))


def _stellar(key: bytes) -> str:
    public = Ed25519PrivateKey.FromBytes(key).PublicKey()
    return str(XlmAddrEncoder.EncodeKey(public, addr_type=XlmAddrTypes.PUB_KEY))


def stellar_seed(key: bytes) -> str:
    """A secret seed. The encoder takes public keys alone; its bytes are those of a seed under the other type."""
    body = bytes((18 << 3,)) + key
    return b32encode(body + crc_hqx(body, 0).to_bytes(2, "little")).decode()


def _cosmos(prefix: str) -> Callable[[bytes], str]:
    return lambda key: str(AtomAddrEncoder.EncodeKey(Secp256k1PrivateKey.FromBytes(key).PublicKey(), hrp=prefix))


def _injective(key: bytes) -> str:
    return str(InjAddrEncoder.EncodeKey(Secp256k1PrivateKey.FromBytes(key).PublicKey()))


def _tron(key: bytes) -> str:
    return str(TrxAddrEncoder.EncodeKey(Secp256k1PrivateKey.FromBytes(key).PublicKey()))


def _tezos(prefix: str, data: bytes) -> str:
    return str(Base58Encoder.CheckEncode(bytes.fromhex(prefix) + data))


def _tz1(key: bytes) -> str:
    public = Ed25519PrivateKey.FromBytes(key).PublicKey()
    return str(XtzAddrEncoder.EncodeKey(public, prefix=XtzAddrPrefixes.TZ1))


def _tz2(key: bytes) -> str:
    public = Secp256k1PrivateKey.FromBytes(key).PublicKey().RawCompressed().ToBytes()
    return _tezos("06a1a1", Blake2b160.QuickDigest(public))


def edsk(key: bytes) -> str:
    """The seed as octez writes it."""
    return _tezos("0d0f3a07", key)


def edsk_keypair(key: bytes) -> str:
    """Seed and public key as octez wrote them first."""
    return _tezos("2bf64e07", key + Ed25519PrivateKey.FromBytes(key).PublicKey().RawCompressed().ToBytes()[1:])


def spsk(key: bytes) -> str:
    """The key on secp256k1 as octez writes it."""
    return _tezos("11a2e0c9", key)


def _algorand(key: bytes) -> str:
    return str(AlgoAddrEncoder.EncodeKey(Ed25519PrivateKey.FromBytes(key).PublicKey()))


def algorand_words(key: bytes) -> str:
    """The 25 words that wallets show."""
    return str(AlgorandMnemonicEncoder().Encode(key))


def algorand_keypair(key: bytes) -> str:
    """The private key as the SDKs hand it out."""
    return b64encode(key + Ed25519PrivateKey.FromBytes(key).PublicKey().RawCompressed().ToBytes()[1:]).decode()


ED25519 = Bip32Slip10Ed25519
COINS: Mapping[tuple[str, str | None], CoinOracle] = {
    ("xrp", None): CoinOracle("m/44'/144'/{account}'/0/{index}", _xrp),
    ("algorand", None): CoinOracle(
        "m/44'/283'/{account}'/0'/{index}'",
        _algorand,
        {**_HEX, "25 words": algorand_words},
        ED25519,
    ),
    ("tezos", None): CoinOracle(
        "m/44'/1729'/{account}'/0'",
        _tz1,
        {**_HEX, "edsk": edsk, "edsk of 98 characters": edsk_keypair},
        ED25519,
    ),
    ("tezos", "tz2"): CoinOracle("m/44'/1729'/{account}'/0'", _tz2, {**_HEX, "spsk": spsk}),
    ("stellar", None): CoinOracle("m/44'/148'/{account}'", _stellar, {**_HEX, "secret seed": stellar_seed}, ED25519),
    ("cosmos", None): CoinOracle("m/44'/118'/{account}'/0/{index}", _cosmos("cosmos")),
    ("kava", None): CoinOracle("m/44'/459'/{account}'/0/{index}", _cosmos("kava")),
    ("injective", None): CoinOracle("m/44'/60'/{account}'/0/{index}", _injective),
    ("tron", None): CoinOracle("m/44'/195'/{account}'/0/{index}", _tron),
}
"""By network and variant."""
SCHEMES: Mapping[tuple[str, str], tuple[str, str | None]] = {
    ("xrp", "bip44"): ("xrp", None),
    ("stellar", "sep5"): ("stellar", None),
    ("cosmos", "bip44"): ("cosmos", None),
    ("kava", "bip44"): ("kava", None),
    ("injective", "bip44"): ("injective", None),
    ("tron", "bip44"): ("tron", None),
    ("algorand", "slip10"): ("algorand", None),
    ("tezos", "slip10"): ("tezos", None),
    ("tezos", "bip44"): ("tezos", "tz2"),
}
"""Whose oracle tells the addresses of a scheme."""
