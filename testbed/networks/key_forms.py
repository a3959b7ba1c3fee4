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
    Ton,
    TonAddrVersions,
    TonMnemonicGenerator,
    TonSeedGenerator,
)
from bip_utils import Bip44 as BipUtilsBip44
from eth_keys.datatypes import PrivateKey as EthPrivateKey
from mnemonic import Mnemonic
from pytoniq_core import Address
from solders.keypair import Keypair

from strongroom.networks import TABLE
from strongroom.takeover.doctor.derivation import Derivation, Target
from testbed.networks import bitcoin_chains
from testbed.networks.key_forms_by_coin import COINS
from testbed.networks.substrate import address_of_key, address_of_phrase, usual_path

DERIVATION = Derivation(TABLE)
Family = tuple[str, str | None]
FAMILIES: tuple[Family, ...] = (
    ("ethereum", None),
    ("polygon", None),
    *bitcoin_chains.FAMILIES,
    ("solana", None),
    *(("ton", variant) for variant in ("default", "v4r2", "v3r2")),
    ("ton-testnet", "v4r2"),
    *((network, variant) for network in ("polkadot", "kusama") for variant in (None, "ed25519")),
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


BITCOIN_FORMS: Mapping[str, Callable[[bytes], str]] = {
    **EVM_FORMS,
    "WIF": bitcoin_chains.wif("bitcoin"),
    "WIF, uncompressed": bitcoin_chains.wif("bitcoin", compressed=False),
    "WIF of a testnet": bitcoin_chains.wif("bitcoin-testnet"),
    "WIF of a testnet, uncompressed": bitcoin_chains.wif("bitcoin-testnet", compressed=False),
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
    if network in bitcoin_chains.CHAINS:
        return BITCOIN_FORMS if network.startswith("bitcoin") else _of_fork(network)
    return SOLANA_FORMS if network == "solana" else EVM_FORMS


def _of_fork(network: str) -> Mapping[str, Callable[[bytes], str]]:
    whole, plain = bitcoin_chains.wif(network), bitcoin_chains.wif(network, compressed=False)
    return {"hex": bytes.hex, "WIF": whole, "WIF, uncompressed": plain}


@cache
def address_of(family: Family, key: bytes) -> str:
    """The address of a private key, by eth-keys, bip_utils, pytoniq-core or solders."""
    if family in COINS:
        return COINS[family].address(key)
    network, variant = family
    if network in ("polkadot", "kusama"):
        return address_of_key(network, variant, key)
    if network.startswith("ton"):
        address = Ton(key).GetAddress(_TON[variant or "default"])
        return str(Address(address).to_str(is_bounceable=False, is_test_only=network == "ton-testnet"))
    if network == "solana":
        return str(Keypair.from_seed(key).pubkey())
    if network in bitcoin_chains.CHAINS:
        return bitcoin_chains.address(network, variant, key)
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
    if network in ("polkadot", "kusama"):
        return address_of_phrase(network, phrase, usual_path(network, variant, account, index))
    if network.startswith("ton"):
        tree = Bip32Slip10Ed25519.FromSeedAndPath(seed, f"m/44'/607'/{account}'")
        return address_of(family, tree.PrivateKey().Raw().ToBytes())
    if network in bitcoin_chains.CHAINS:
        purpose, coin_type = bitcoin_chains.purpose(network, variant), bitcoin_chains.CHAINS[network].coin
        path = f"m/{purpose}'/{coin_type}'/{account}'/0/{index}"
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
