"""Key texts of the field and the addresses that they derive, by other libraries than the one under test."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from functools import cache

from bip_utils import (
    Base58Encoder,
    Bip32Slip10Ed25519,
    Bip32Slip10Secp256k1,
    Bip39SeedGenerator,
    Bip44Changes,
    Bip44Coins,
    P2PKHAddrEncoder,
    P2SHAddrEncoder,
    P2TRAddrEncoder,
    P2WPKHAddrEncoder,
    Secp256k1PrivateKey,
    Ton,
    TonAddrVersions,
    TonMnemonicGenerator,
    TonSeedGenerator,
    WifEncoder,
    WifPubKeyModes,
)
from bip_utils import Bip44 as BipUtilsBip44
from eth_keys.datatypes import PrivateKey as EthPrivateKey
from mnemonic import Mnemonic
from pytoniq_core import Address
from solders.keypair import Keypair

from strongroom.networks import TABLE
from strongroom.takeover.doctor.derivation import Derivation, Target
from testbed.networks.key_forms_by_coin import COINS

DERIVATION = Derivation(TABLE)
VARIANTS = ("default", "taproot", "legacy", "nested")
_P2PKH = {"bitcoin": b"\x00", "bitcoin-testnet": b"\x6f"}
_P2SH = {"bitcoin": b"\x05", "bitcoin-testnet": b"\xc4"}
_HRP = {"bitcoin": "bc", "bitcoin-testnet": "tb"}
_WIF = {"bitcoin": b"\x80", "bitcoin-testnet": b"\xef"}
_COIN = {"bitcoin": 0, "bitcoin-testnet": 1}
_PURPOSE = {"default": 84, "taproot": 86, "legacy": 44, "nested": 49}

Family = tuple[str, str | None]
FAMILIES: tuple[Family, ...] = (
    ("ethereum", None),
    ("polygon", None),
    *((network, variant) for network in _HRP for variant in VARIANTS),
    ("solana", None),
    *(("ton", variant) for variant in ("default", "v4r2", "v3r2")),
    ("ton-testnet", "v4r2"),
    *COINS,
)
"""A network and, for those that have several, a variant."""

EVM_FORMS: Mapping[str, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "0x hex": lambda key: "0x" + key.hex(),
    "0X HEX": lambda key: "0X" + key.hex().upper(),
}
SOLANA_FORMS: Mapping[str, Callable[[bytes], str]] = {
    "keypair in base58": lambda key: str(Keypair.from_seed(key)),
    "keypair in hex": lambda key: bytes(Keypair.from_seed(key)).hex(),
    "keypair as array": lambda key: Keypair.from_seed(key).to_json(),
    "keypair as spaced array": lambda key: json.dumps(list(bytes(Keypair.from_seed(key))), indent=2),
    "seed as array": lambda key: json.dumps(list(key)),
    "seed in base58": lambda key: str(Base58Encoder.Encode(key)),
    "seed in hex": bytes.hex,
}


def _wif(network: str, mode: WifPubKeyModes) -> Callable[[bytes], str]:
    return lambda key: str(WifEncoder.Encode(key, _WIF[network], mode))


BITCOIN_FORMS: Mapping[str, Callable[[bytes], str]] = {
    **EVM_FORMS,
    "WIF": _wif("bitcoin", WifPubKeyModes.COMPRESSED),
    "WIF, uncompressed": _wif("bitcoin", WifPubKeyModes.UNCOMPRESSED),
    "WIF of a testnet": _wif("bitcoin-testnet", WifPubKeyModes.COMPRESSED),
    "WIF of a testnet, uncompressed": _wif("bitcoin-testnet", WifPubKeyModes.UNCOMPRESSED),
}
_TON = {"default": TonAddrVersions.V5R1, "v4r2": TonAddrVersions.V4, "v3r2": TonAddrVersions.V3R2}
TON_FORMS: Mapping[str, Callable[[bytes], str]] = {
    **EVM_FORMS,
    "keypair in hex": SOLANA_FORMS["keypair in hex"],
}
ENCODINGS: Mapping[str, Callable[[bytes], str]] = {
    "standard": lambda data: base64.b64encode(data).decode(),
    "url-safe": lambda data: base64.urlsafe_b64encode(data).decode(),
    "standard, unpadded": lambda data: base64.b64encode(data).decode().rstrip("="),
    "url-safe, unpadded": lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
}


def forms_of(family: Family) -> Mapping[str, Callable[[bytes], str]]:
    """How a key of a family is written."""
    if family in COINS:
        return COINS[family].forms
    network = family[0]
    if network.startswith("ton"):
        return TON_FORMS
    return SOLANA_FORMS if network == "solana" else BITCOIN_FORMS if network in _HRP else EVM_FORMS


@cache
def address_of(family: Family, key: bytes) -> str:
    """The address of a private key, by eth-keys, bip_utils, pytoniq-core or solders."""
    if family in COINS:
        return COINS[family].address(key)
    network, variant = family
    if network.startswith("ton"):
        address = Ton(key).GetAddress(_TON[variant or "default"])
        return str(Address(address).to_str(is_bounceable=False, is_test_only=network == "ton-testnet"))
    if network == "solana":
        return str(Keypair.from_seed(key).pubkey())
    if network in _HRP:
        public = Secp256k1PrivateKey.FromBytes(key).PublicKey()
        if variant == "taproot":
            return str(P2TRAddrEncoder.EncodeKey(public, hrp=_HRP[network]))
        if variant == "legacy":
            return str(P2PKHAddrEncoder.EncodeKey(public, net_ver=_P2PKH[network]))
        if variant == "nested":
            return str(P2SHAddrEncoder.EncodeKey(public, net_ver=_P2SH[network]))
        return str(P2WPKHAddrEncoder.EncodeKey(public, hrp=_HRP[network]))
    return str(EthPrivateKey(key).public_key.to_checksum_address())


@cache
def phrase_address(family: Family, phrase: str, account: int = 0, index: int = 0) -> str:
    """The address of a phrase at ``account`` and, but for Solana and TON, ``index``, by bip_utils."""
    network, variant = family
    seed = Bip39SeedGenerator(phrase).Generate()
    if family in COINS:
        coin = COINS[family]
        return coin.address(coin.key(seed, coin.path.format(account=account, index=index)))
    if network == "solana":
        tree = BipUtilsBip44.FromSeed(seed, Bip44Coins.SOLANA).Purpose().Coin().Account(account)
        return str(tree.Change(Bip44Changes.CHAIN_EXT).PublicKey().ToAddress())
    if network.startswith("ton"):
        tree = Bip32Slip10Ed25519.FromSeedAndPath(seed, f"m/44'/607'/{account}'")
        return address_of(family, tree.PrivateKey().Raw().ToBytes())
    if network in _HRP:
        path = f"m/{_PURPOSE[variant or 'default']}'/{_COIN[network]}'/{account}'/0/{index}"
    else:
        path = f"m/44'/60'/{account}'/0/{index}"
    return address_of(family, Bip32Slip10Secp256k1.FromSeedAndPath(seed, path).PrivateKey().Raw().ToBytes())


def ton_words() -> tuple[str, bytes]:
    """New words of TON and their seed, by bip_utils."""
    words = TonMnemonicGenerator().FromWordsNumber(24)
    return str(words), bytes(TonSeedGenerator(words).Generate())[:32]


@cache
def language(name: str) -> Mnemonic:
    """A word list of the reference library."""
    return Mnemonic(name)


def target_of(family: Family, address: str) -> Target:
    """What a row with this address is about."""
    found = DERIVATION.target(family[0], address)
    assert found is not None, (family, address)
    assert found.network.name == family[0]
    return found
