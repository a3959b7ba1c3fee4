from __future__ import annotations

import re

import pytest
from bip_utils import Base58Encoder, Bip39SeedGenerator, Bip44Changes, Bip44Coins, Secp256k1PrivateKey, TrxAddrEncoder
from bip_utils import Bip44 as BipUtilsBip44
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.errors import InvalidAddressError, InvalidPrivateKeyError
from strongroom.networks import TABLE
from strongroom.networks.codecs import base58
from strongroom.ports.network import WatchOnlyNetwork
from strongroom.secret import Secret
from testbed.harness.sizes import examples
from testbed.networks.known import ORDER, keys, passphrases, phrase, phrases

TRON, NILE, SHASTA = (TABLE.get(name) for name in ("tron", "tron-nile", "tron-shasta"))
ADDRESS, NEXT = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH", "TSeJkUh4Qv67VNFwY8LaAxERygNdy6NQZK"
IN_HEX = "41c8599111f29c1e1e061265b4af93ea1f274ad78a"
"""As the sender of the published transaction has it."""
KEY = "b5a4cea271ff424d7c31dc12a3e43e401df7a40d7412a15750f3f0b6b5449a28"
SLOW = settings(max_examples=examples(25), deadline=None)


def test_wallets_of_tron_show_the_first_addresses() -> None:
    for network in (TRON, NILE, SHASTA):
        for index, address in enumerate((ADDRESS, NEXT)):
            key = network.derive(phrase(), "bip44", network.path("bip44", index)).private_key
            assert network.public_half(key, "bip44").address == address
    assert TRON.derive(phrase(), "bip44").private_key.reveal().hex() == KEY


@SLOW
@given(phrases(), passphrases(), st.integers(0, 2**31 - 1))
def test_addresses_are_those_of_bip_utils(words: str, passphrase: str, index: int) -> None:
    seed = Bip39SeedGenerator(words).Generate(passphrase)
    below = BipUtilsBip44.FromSeed(seed, Bip44Coins.TRON).Purpose().Coin().Account(0).Change(Bip44Changes.CHAIN_EXT)
    key = TRON.derive(phrase(words, passphrase), "bip44", TRON.path("bip44", index)).private_key
    assert TRON.public_half(key, "bip44").address == below.AddressIndex(index).PublicKey().ToAddress()


@SLOW
@given(keys())
def test_a_bare_key_has_the_address_of_bip_utils(key: bytes) -> None:
    half = TRON.public_half(Secret(key), "bip44")
    assert half.address == TrxAddrEncoder.EncodeKey(Secp256k1PrivateKey.FromBytes(key).PublicKey())
    evm = TABLE.get("ethereum").public_half(Secret(key), "bip44").address
    assert TRON.parse_address("41" + evm[2:]) == half.address


def test_an_xpub_derives_the_addresses() -> None:
    assert isinstance(TRON, WatchOnlyNetwork)
    branch = TRON.watched(phrase(), "bip44", "m/44'/195'/0'/0/{index}")
    assert TRON.watched_address(branch, "bip44", "m/44'/195'/0'/0/1") == NEXT


@given(keys())
def test_what_is_exported_is_imported(key: bytes) -> None:
    text = TRON.format_private_key(Secret(key))
    assert text.reveal_text() == key.hex()
    assert TRON.parse_private_key(text).reveal() == key
    assert TRON.parse_private_key(Secret.from_text("0x" + key.hex())).reveal() == key


@pytest.mark.parametrize("text", ["", KEY[:-1], KEY + "00", ADDRESS, IN_HEX, KEY + "\0", "41" + KEY])
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        TRON.parse_private_key(Secret.from_text(text))


@pytest.mark.parametrize("number", [0, ORDER, 2**256 - 1])
def test_a_key_outside_the_range_of_the_curve_is_refused(number: int) -> None:
    key = Secret(number.to_bytes(32))
    with pytest.raises(InvalidPrivateKeyError):
        TRON.parse_private_key(Secret.from_text(key.reveal().hex()))
    with pytest.raises(InvalidPrivateKeyError):
        TRON.public_half(key, "bip44")


def test_the_form_of_nodes_is_read_and_comes_back_in_base58() -> None:
    for text in (IN_HEX, IN_HEX.upper(), ADDRESS):
        assert TRON.parse_address(text) == ADDRESS


@given(st.binary(min_size=20, max_size=20))
def test_every_address_is_read_in_both_forms(data: bytes) -> None:
    address = Base58Encoder.CheckEncode(b"\x41" + data)
    assert TRON.parse_address(address) == TRON.parse_address("41" + data.hex()) == address
    assert re.fullmatch(TRON.address_space.shape, address)


def test_both_testnets_have_the_addresses_of_the_mainnet() -> None:
    assert TRON.address_space is NILE.address_space is SHASTA.address_space


@pytest.mark.parametrize(
    "text",
    [
        "",
        "T",
        ADDRESS[:-1],
        ADDRESS + "1",
        ADDRESS.lower(),
        ADDRESS.swapcase(),
        ADDRESS[:-1] + "j",
        "1" + ADDRESS,
        ADDRESS + "\0",
        ADDRESS + "\n",
        " " + IN_HEX,
        IN_HEX[:-1],
        IN_HEX + "0",
        "0x" + IN_HEX,
        "0x" + IN_HEX[2:],
        "42" + IN_HEX[2:],
        "a0" + IN_HEX[2:],
        IN_HEX[:-1] + "g",
        IN_HEX[:-1] + "٣",
        base58.encode_check(b"\xa0" + bytes(20)),  # the testnet of before 2018
        base58.encode_check(b"\x41" + bytes(19)),
        base58.encode_check(b"\x41" + bytes(21)),
        base58.encode_check(b"\x00" + bytes(20)),
        "T" * 34,
        "T" * 1_000_000,
        "41\ud800",
        KEY,
        "0x9858EfFD232B4033E47d90003D41EC34EcaEda94",
    ],
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        TRON.parse_address(text)
