"""Key texts and addresses of the families that have one network's coin each, by other libraries."""

from __future__ import annotations

import hashlib
from base64 import b32encode, b64encode
from binascii import crc_hqx
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bip_utils import (
    AlgoAddrEncoder,
    AlgorandMnemonicEncoder,
    AptosAddrEncoder,
    AtomAddrEncoder,
    Base58Encoder,
    Bech32Encoder,
    Bip32Slip10Ed25519,
    Bip32Slip10Secp256k1,
    Ed25519PrivateKey,
    EthAddrEncoder,
    InjAddrEncoder,
    NearAddrEncoder,
    Secp256k1PrivateKey,
    SuiAddrEncoder,
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


def _aptos(key: bytes) -> str:
    return str(AptosAddrEncoder.EncodeKey(Ed25519PrivateKey.FromBytes(key).PublicKey()))


def _aptos_secp256k1(key: bytes) -> str:
    """The account of the single-key scheme, by the parts: BCS of the public key, and the scheme's number."""
    point = Secp256k1PrivateKey.FromBytes(key).PublicKey().RawUncompressed().ToBytes()
    return "0x" + hashlib.sha3_256(b"\x01\x41" + bytes(point) + b"\x02").hexdigest()


def _sui(key: bytes) -> str:
    return str(SuiAddrEncoder.EncodeKey(Ed25519PrivateKey.FromBytes(key).PublicKey()))


def _sui_secp256k1(key: bytes) -> str:
    point = bytes(Secp256k1PrivateKey.FromBytes(key).PublicKey().RawCompressed().ToBytes())
    return "0x" + hashlib.blake2b(b"\x01" + point, digest_size=32).hexdigest()


def _near(key: bytes) -> str:
    return str(NearAddrEncoder.EncodeKey(Ed25519PrivateKey.FromBytes(key).PublicKey()))


def near_keypair(key: bytes) -> str:
    """Seed and public key in base58, as NEAR writes them."""
    public = bytes(Ed25519PrivateKey.FromBytes(key).PublicKey().RawCompressed().ToBytes())[1:]
    return "ed25519:" + str(Base58Encoder.Encode(key + public))


def sui_text(flag: int) -> Callable[[bytes], str]:
    """A key with the flag of its scheme, as Sui writes it."""
    return lambda key: str(Bech32Encoder.Encode("suiprivkey", bytes((flag,)) + key))


def _hedera(key: bytes) -> str:
    return str(EthAddrEncoder.EncodeKey(Secp256k1PrivateKey.FromBytes(key).PublicKey()))


def _hedera_ed25519(key: bytes) -> str:
    return bytes(Ed25519PrivateKey.FromBytes(key).PublicKey().RawCompressed().ToBytes())[1:].hex()


def hedera_der(before: str) -> Callable[[bytes], str]:
    """A key behind the beginning that the SDKs write."""
    return lambda key: before + key.hex()


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
    ("aptos", None): CoinOracle(
        *("m/44'/637'/{account}'/0'/{index}'", _aptos),
        *({**_HEX, "AIP-80": lambda key: "ed25519-priv-0x" + key.hex()}, ED25519),
    ),
    ("aptos", "secp256k1"): CoinOracle(
        *("m/44'/637'/{account}'/0/{index}", _aptos_secp256k1),
        {**_HEX, "AIP-80": lambda key: "secp256k1-priv-0x" + key.hex()},
    ),
    ("sui", None): CoinOracle("m/44'/784'/{account}'/0'/{index}'", _sui, {**_HEX, "bech32": sui_text(0)}, ED25519),
    ("sui", "secp256k1"): CoinOracle(
        "m/54'/784'/{account}'/0/{index}", _sui_secp256k1, {**_HEX, "bech32": sui_text(1)}
    ),
    ("near", None): CoinOracle("m/44'/397'/{account}'", _near, {**_HEX, "keypair": near_keypair}, ED25519),
    ("hedera", None): CoinOracle(
        *("m/44'/3030'/{account}'/0/{index}", _hedera),
        {**_HEX, "DER": hedera_der("3030020100300706052b8104000a04220420")},
    ),
    ("hedera", "ed25519"): CoinOracle(
        *("m/44'/3030'/{account}'/0'/{index}'", _hedera_ed25519),
        *({**_HEX, "DER": hedera_der("302e020100300506032b657004220420")}, ED25519),
    ),
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
    ("aptos", "slip10"): ("aptos", None),
    ("aptos", "secp256k1"): ("aptos", "secp256k1"),
    ("sui", "slip10"): ("sui", None),
    ("sui", "secp256k1"): ("sui", "secp256k1"),
    ("near", "slip10"): ("near", None),
    ("hedera", "bip44"): ("hedera", None),
    ("hedera", "slip10"): ("hedera", "ed25519"),
}
"""Whose oracle tells the addresses of a scheme."""
