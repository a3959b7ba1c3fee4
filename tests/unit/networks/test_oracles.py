"""Other implementations, asked about random phrases: bip_utils, eth-account, solders."""

from __future__ import annotations

import warnings

import pytest
from bip_utils import (
    Bip39SeedGenerator,
    Bip44Changes,
    Bip44Coins,
    Bip49,
    Bip49Coins,
    Bip84,
    Bip84Coins,
    Bip86,
    Bip86Coins,
    P2PKHAddrEncoder,
    P2SHAddrEncoder,
    P2TRAddrEncoder,
    P2WPKHAddrEncoder,
    Secp256k1PrivateKey,
    WifDecoder,
)
from bip_utils import Bip44 as BipUtilsBip44
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.keypair import Keypair

from strongroom.crypto.phrase import Phrase
from strongroom.networks import TABLE
from strongroom.secret import Secret
from testbed.harness.sizes import examples
from testbed.networks.known import keys, passphrases, phrase, phrases

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of the libraries that eth-account draws in
    from eth_account import Account

    Account.enable_unaudited_hdwallet_features()

SLOW = settings(max_examples=examples(25), deadline=None)
INDICES = st.integers(0, 2**31 - 1)


def address(name: str, variant: str | None, words: str, passphrase: str, path: str) -> str:
    network = TABLE.get(name)
    scheme = network.scheme(variant)
    material = network.derive(phrase(words, passphrase), scheme, path)
    return network.public_half(material.private_key, scheme).address


@SLOW
@given(phrases(), passphrases())
def test_the_seed_is_that_of_bip_utils(words: str, passphrase: str) -> None:
    assert phrase(words, passphrase).seed().reveal() == Bip39SeedGenerator(words).Generate(passphrase)


@SLOW
@given(phrases(), passphrases(), INDICES)
def test_evm_addresses_are_those_of_bip_utils_and_eth_account(words: str, passphrase: str, index: int) -> None:
    path = f"m/44'/60'/0'/0/{index}"
    ours = address("ethereum", None, words, passphrase, path)
    seed = Bip39SeedGenerator(words).Generate(passphrase)
    account = BipUtilsBip44.FromSeed(seed, Bip44Coins.ETHEREUM).Purpose().Coin().Account(0)
    assert ours == account.Change(Bip44Changes.CHAIN_EXT).AddressIndex(index).PublicKey().ToAddress()
    assert ours == Account.from_mnemonic(words, passphrase=passphrase, account_path=path).address


@SLOW
@given(phrases(), passphrases(), INDICES, INDICES)
def test_bitcoin_addresses_are_those_of_bip_utils(words: str, passphrase: str, account: int, index: int) -> None:
    seed = Bip39SeedGenerator(words).Generate(passphrase)
    for name, coin, coins in (("bitcoin", 0, "BITCOIN"), ("bitcoin-testnet", 1, "BITCOIN_TESTNET")):
        for variant, purpose, tree in (
            ("default", 84, Bip84.FromSeed(seed, Bip84Coins[coins])),
            ("taproot", 86, Bip86.FromSeed(seed, Bip86Coins[coins])),
            ("legacy", 44, BipUtilsBip44.FromSeed(seed, Bip44Coins[coins])),
            ("nested", 49, Bip49.FromSeed(seed, Bip49Coins[coins])),
        ):
            theirs = tree.Purpose().Coin().Account(account).Change(Bip44Changes.CHAIN_INT).AddressIndex(index)
            path = f"m/{purpose}'/{coin}'/{account}'/1/{index}"
            assert address(name, variant, words, passphrase, path) == theirs.PublicKey().ToAddress()


@SLOW
@given(phrases(), passphrases(), INDICES)
def test_solana_addresses_are_those_of_bip_utils_and_solders(words: str, passphrase: str, index: int) -> None:
    path = f"m/44'/501'/{index}'/0'"
    ours = address("solana", None, words, passphrase, path)
    seed = Bip39SeedGenerator(words).Generate(passphrase)
    account = BipUtilsBip44.FromSeed(seed, Bip44Coins.SOLANA).Purpose().Coin().Account(index)
    assert ours == account.Change(Bip44Changes.CHAIN_EXT).PublicKey().ToAddress()
    assert ours == str(Keypair.from_seed_and_derivation_path(seed, path).pubkey())


@SLOW
@given(keys())
def test_a_bare_key_has_the_address_and_the_export_of_other_wallets(key: bytes) -> None:
    ethereum, bitcoin, solana = (TABLE.get(name) for name in ("ethereum", "bitcoin", "solana"))
    secret = Secret(key)
    assert ethereum.public_half(secret, "bip44").address == Account.from_key(key).address
    assert WifDecoder.Decode(bitcoin.format_private_key(secret).reveal_text())[0] == key
    keypair = Keypair.from_seed(key)
    assert solana.public_half(secret, "slip10").address == str(keypair.pubkey())
    assert solana.format_private_key(secret).reveal_text() == str(keypair)
    assert solana.parse_private_key(Secret.from_text(str(keypair))).reveal() == key


@SLOW
@given(keys())
def test_bip_utils_has_our_bitcoin_addresses(key: bytes) -> None:
    bitcoin, public = TABLE.get("bitcoin"), Secp256k1PrivateKey.FromBytes(key).PublicKey()
    for scheme, theirs in (
        ("bip84", P2WPKHAddrEncoder.EncodeKey(public, hrp="bc")),
        ("bip86", P2TRAddrEncoder.EncodeKey(public, hrp="bc")),
        ("bip44", P2PKHAddrEncoder.EncodeKey(public, net_ver=b"\x00")),
        ("bip49", P2SHAddrEncoder.EncodeKey(public, net_ver=b"\x05")),
    ):
        assert bitcoin.public_half(Secret(key), scheme).address == theirs


@pytest.mark.parametrize("words", [12, 15, 18, 21, 24])
def test_a_generated_phrase_is_accepted_by_bip_utils(words: int) -> None:
    made = Phrase.generate(words)
    theirs = Bip39SeedGenerator(made.mnemonic.reveal_text()).Generate()
    assert made.seed().reveal() == theirs
