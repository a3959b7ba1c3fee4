from __future__ import annotations

import re

import pytest
from bip_utils import Bip39SeedGenerator, Bip44Coins, Ed25519PrivateKey, NearAddrEncoder
from bip_utils import Bip44 as BipUtilsBip44
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.errors import InvalidAddressError, InvalidPathError, InvalidPrivateKeyError
from strongroom.networks import TABLE
from strongroom.networks.codecs import base58
from strongroom.secret import Secret
from testbed.failure_report import assert_hides, failure_report
from testbed.harness.sizes import examples
from testbed.networks.known import passphrases, phrase, phrases

NEAR, TESTNET = TABLE.get("near"), TABLE.get("near-testnet")
ADDRESS = "5510e2b44cae6eb807e3e0e45d579dda058c274abcba15e5cb84636f5d1ee412"
NEXT = "3b93b03253b9715213ec314eb50ecc99d25602ccb5b059f91f51d24710d54326"
KEY = "0c158d858a52316667d03d1d04aad51b3b542cd705215810629b78c501492fba"
TEXT = "ed25519:F1kPR175szkGxEL52A9H6Z5ocS2BtaipprK2Hiob9DjGzHTkScrBb1yt44baXPZ3LxyHcsTPdBjHmn6zx147txH"
"""near-api-js reads it, and shows the address."""
PUBLIC = "ed25519:" + base58.encode(bytes.fromhex(ADDRESS))
SEEDS = st.binary(min_size=32, max_size=32)
SLOW = settings(max_examples=examples(25), deadline=None)


def read(text: str) -> bytes:
    return NEAR.parse_private_key(Secret.from_text(text)).reveal()


def test_wallets_of_near_show_the_first_accounts() -> None:
    for network in (NEAR, TESTNET):
        for index, address in enumerate((ADDRESS, NEXT)):
            assert network.path("slip10", index) == f"m/44'/397'/{index}'"
            key = network.derive(phrase(), "slip10", network.path("slip10", index)).private_key
            half = network.public_half(key, "slip10")
            assert (half.address, half.public_key) == (address, address)
    assert NEAR.format_private_key(Secret(bytes.fromhex(KEY))).reveal_text() == TEXT


@SLOW
@given(phrases(), passphrases(), st.integers(0, 2**31 - 1))
def test_addresses_are_those_of_bip_utils(words: str, passphrase: str, index: int) -> None:
    seed = Bip39SeedGenerator(words).Generate(passphrase)
    theirs = BipUtilsBip44.FromSeed(seed, Bip44Coins.NEAR_PROTOCOL).Purpose().Coin().Account(index)
    key = NEAR.derive(phrase(words, passphrase), "slip10", NEAR.path("slip10", index)).private_key
    assert NEAR.public_half(key, "slip10").address == theirs.PublicKey().ToAddress()


@SLOW
@given(SEEDS)
def test_a_bare_key_has_the_address_of_bip_utils(key: bytes) -> None:
    theirs = NearAddrEncoder.EncodeKey(Ed25519PrivateKey.FromBytes(key).PublicKey())
    assert NEAR.public_half(Secret(key), "slip10").address == theirs


@pytest.mark.parametrize("path", ["m/44'/397'/0", "m/44/397/0", "m/44'/397'/0'/0'/1"])
def test_ed25519_has_hardened_elements_only(path: str) -> None:
    with pytest.raises(InvalidPathError):
        NEAR.derive(phrase(), "slip10", path)


# --- texts -------------------------------------------------------------------------------------------------------


@given(SEEDS)
def test_what_is_exported_is_imported(seed: bytes) -> None:
    text = NEAR.format_private_key(Secret(seed))
    assert NEAR.parse_private_key(text).reveal() == seed
    assert re.fullmatch(NEAR.key_shape, text.reveal_text())


@pytest.mark.parametrize("text", [KEY, "0x" + KEY, TEXT, f"\n{TEXT} "])
def test_a_key_is_read_in_every_form(text: str) -> None:
    assert read(text).hex() == KEY


@given(SEEDS, st.integers(0, 511))
def test_a_keypair_whose_halves_do_not_match_is_refused(seed: bytes, bit: int) -> None:
    text = NEAR.format_private_key(Secret(seed)).reveal_text().removeprefix("ed25519:")
    keypair = bytearray(base58.decode(text) or b"")
    keypair[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidPrivateKeyError):
        read("ed25519:" + base58.encode(bytes(keypair)))


@pytest.mark.parametrize("text", [PUBLIC, "ed25519:" + base58.encode(bytes.fromhex(KEY)), "ed25519:" + "1" * 32])
def test_32_bytes_in_base58_may_be_a_public_key_and_are_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError, match="public keys"):
        read(text)
    assert not re.fullmatch(NEAR.key_shape, text) or len(text) > 64


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ed25519:",
        TEXT[:-1],
        TEXT + "1",
        TEXT.removeprefix("ed25519:"),
        TEXT.replace("ed25519:", "ED25519:"),
        TEXT.replace("ed25519:", "ed25519: "),
        TEXT.replace("ed25519:", "secp256k1:"),
        TEXT.replace("ed25519:", "ed25519:ed25519:"),
        TEXT + "\0",
        TEXT.replace("F", "0", 1),
        "ed25519:" + base58.encode(b"\1" * 63),
        "ed25519:" + base58.encode(b"\1" * 65),
        "ed25519:" + KEY,
        KEY[:-2],
        KEY + ADDRESS,
        "ed25519:" + "z" * 1_000_000,
    ],
)
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        read(text)


def test_a_refused_text_is_not_shown() -> None:
    for text in (TEXT[:-1], TEXT + "1", TEXT.replace("F", "G", 1), PUBLIC):
        report = failure_report(NEAR.parse_private_key, Secret.from_text(text))
        assert_hides(report, text.encode())
        assert_hides(report, bytes.fromhex(KEY))


# --- accounts ----------------------------------------------------------------------------------------------------


@given(SEEDS)
def test_an_implicit_account_is_64_digits_in_lower_case(data: bytes) -> None:
    assert NEAR.parse_address(data.hex()) == data.hex()


@pytest.mark.parametrize("text", ["alice.near", "bob.testnet", "near", "a-b_c.d", "aa", "x" * 64, "sub.alice.near"])
def test_a_named_account_is_no_address_of_a_key_and_the_message_says_so(text: str) -> None:
    with pytest.raises(InvalidAddressError, match="named account") as caught:
        NEAR.parse_address(text)
    assert text == "near" or text not in str(caught.value)


@pytest.mark.parametrize("text", ["0x" + "ab" * 20, "0s" + "ab" * 20])
def test_the_account_of_another_kind_of_key_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidAddressError, match="no Ed25519 key"):
        NEAR.parse_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ADDRESS[:-1] + "G",
        ADDRESS.upper(),
        "0x" + ADDRESS,
        ADDRESS + "0",
        ADDRESS + "\n",
        ADDRESS + "\0",
        " " + ADDRESS,
        ADDRESS[:-1] + "٣",
        "Alice.near",
        "alice..near",
        "-alice",
        PUBLIC,
        TEXT,
        "0" * 1_000_000,
        "a" * 1_000_000,
        "\ud800",
        "0x9858EfFD232B4033E47d90003D41EC34EcaEda94",
    ],
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        NEAR.parse_address(text)
