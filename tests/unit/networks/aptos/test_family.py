from __future__ import annotations

import re

import pytest
from bip_utils import AptosAddrEncoder, Bip39SeedGenerator, Bip44Changes, Bip44Coins, Ed25519PrivateKey
from bip_utils import Bip44 as BipUtilsBip44
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.errors import InvalidAddressError, InvalidPathError, InvalidPrivateKeyError
from strongroom.networks import TABLE
from strongroom.secret import Secret
from testbed.failure_report import assert_hides, failure_report
from testbed.harness.sizes import examples
from testbed.networks.known import ORDER, keys, passphrases, phrase, phrases

APTOS, TESTNET = TABLE.get("aptos"), TABLE.get("aptos-testnet")
KEY = "cc92c0eaf80206d817f150e21917f797e49cf644a33ac514de3c316baa2f1bf5"
ADDRESS = "0xeb663b681209e7087d681c5d3eed12aaa8e1915e7c87794542c3f96e94b3d3bf"
KNOWN = [  # wallet-core and bip_utils; aptos-sdk 0.11 and @aptos-labs/ts-sdk 7.3 for secp256k1
    ("slip10", "m/44'/637'/0'/0'/0'", ADDRESS),
    ("slip10", "m/44'/637'/1'/0'/0'", "0xf867372dfec13fb6c0740d4b574363685e10e6f243e9554ffa8f6e698e940efa"),
    ("secp256k1", "m/44'/637'/0'/0/0", "0x39eff87e7ff3679051e01f29e09e795b4df3bf2cd41e3cf0eb670c47897e7d24"),
    ("secp256k1", "m/44'/637'/1'/0/0", "0x6c62aff0262537aa42c55923a93091af19a9b32f59beb0e3a18e2fa6fe308505"),
    ("secp256k1", "m/44'/637'/0'/0/1", "0x0876fce191feeb9561beb614477eec91cf3fffce6cd715998ef9f13b8a7c7655"),
]
ED25519, SECP256K1 = "ed25519-priv-0x", "secp256k1-priv-0x"
SLOW = settings(max_examples=examples(25), deadline=None)


def read(text: str) -> bytes:
    return APTOS.parse_private_key(Secret.from_text(text)).reveal()


@pytest.mark.parametrize(("scheme", "path", "address"), KNOWN)
def test_other_libraries_show_the_address(scheme: str, path: str, address: str) -> None:
    for network in (APTOS, TESTNET):
        key = network.derive(phrase(), scheme, path).private_key
        assert network.public_half(key, scheme).address == address
        assert network.parse_address(address) == address


def test_the_index_stands_at_the_account() -> None:
    assert [APTOS.path("slip10", index) for index in (0, 1)] == [KNOWN[0][1], KNOWN[1][1]]
    assert [APTOS.path("secp256k1", index) for index in (0, 1)] == [KNOWN[2][1], KNOWN[3][1]]


@SLOW
@given(phrases(), passphrases(), st.integers(0, 2**31 - 1))
def test_addresses_are_those_of_bip_utils(words: str, passphrase: str, index: int) -> None:
    seed = Bip39SeedGenerator(words).Generate(passphrase)
    tree = BipUtilsBip44.FromSeed(seed, Bip44Coins.APTOS).Purpose().Coin().Account(index)
    theirs = tree.Change(Bip44Changes.CHAIN_EXT).AddressIndex(0).PublicKey().ToAddress()
    key = APTOS.derive(phrase(words, passphrase), "slip10", APTOS.path("slip10", index)).private_key
    assert APTOS.public_half(key, "slip10").address == theirs


@SLOW
@given(st.binary(min_size=32, max_size=32))
def test_a_bare_key_has_the_address_of_bip_utils(key: bytes) -> None:
    theirs = AptosAddrEncoder.EncodeKey(Ed25519PrivateKey.FromBytes(key).PublicKey(), trim_zeroes=False)
    assert APTOS.public_half(Secret(key), "slip10").address == theirs


def test_an_address_with_leading_zeros_keeps_them() -> None:
    number = next(n for n in range(4000) if _address(n).startswith("0x00"))
    assert len(_address(number)) == 66
    assert APTOS.parse_address(_address(number)) == _address(number)


def _address(number: int) -> str:
    return APTOS.public_half(Secret(number.to_bytes(32)), "slip10").address


@pytest.mark.parametrize("path", ["m/44'/637'/0'/0/0", "m/44'/637'/0'/0'/0", "m/44/637/0/0/0"])
def test_ed25519_has_hardened_elements_only(path: str) -> None:
    with pytest.raises(InvalidPathError):
        APTOS.derive(phrase(), "slip10", path)


# --- texts -------------------------------------------------------------------------------------------------------


@given(keys())
def test_what_is_exported_is_imported_and_says_its_scheme(key: bytes) -> None:
    for scheme, prefix in ((None, ED25519), ("slip10", ED25519), ("secp256k1", SECP256K1)):
        text = APTOS.format_private_key(Secret(key), scheme)
        assert text.reveal_text() == prefix + key.hex()
        assert APTOS.parse_private_key(text).reveal() == key
        assert APTOS.scheme_of_key(text, None) == (scheme or "slip10")
        assert APTOS.scheme_of_key(text, scheme) == (scheme or "slip10")
        assert re.fullmatch(APTOS.key_shape, text.reveal_text())


@pytest.mark.parametrize("text", [KEY, "0x" + KEY, "0X" + KEY.upper(), f" {ED25519}{KEY}\n", SECP256K1 + KEY.upper()])
def test_a_key_is_read_in_every_form(text: str) -> None:
    assert read(text).hex() == KEY


@pytest.mark.parametrize(("prefix", "scheme"), [(ED25519, "secp256k1"), (SECP256K1, "slip10")])
def test_a_text_that_says_another_scheme_is_refused_and_not_shown(prefix: str, scheme: str) -> None:
    report = failure_report(APTOS.scheme_of_key, Secret.from_text(prefix + KEY), scheme)
    assert_hides(report, KEY.encode())
    assert_hides(report, bytes.fromhex(KEY))


def test_digits_say_no_scheme() -> None:
    assert APTOS.scheme_of_key(Secret.from_text(KEY), None) == "slip10"
    assert APTOS.scheme_of_key(Secret.from_text(KEY), "secp256k1") == "secp256k1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ED25519,
        ED25519 + KEY[:-1],
        ED25519 + KEY + "00",
        ED25519 + KEY[:-1] + "g",
        ED25519 + KEY + "\0",
        ED25519 + "0x" + KEY,
        ED25519[:-2] + KEY,
        ED25519.upper() + KEY,
        "ed25519-pub-0x" + KEY,
        "secp256r1-priv-0x" + KEY,
        "ed25519-priv" + KEY,
        ED25519 + ED25519 + KEY,
        f"{ED25519} {KEY}",
        KEY[:-2],
        KEY + KEY,
        "ed25519:" + KEY,
        ED25519 + "0" * 1_000_000,
    ],
)
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        read(text)


@pytest.mark.parametrize("number", [0, ORDER, 2**256 - 1])
def test_a_key_outside_the_range_of_secp256k1_is_refused_for_it_alone(number: int) -> None:
    key = number.to_bytes(32)
    assert read(ED25519 + key.hex()) == key
    report = failure_report(APTOS.parse_private_key, Secret.from_text(SECP256K1 + key.hex()))
    if number:
        assert_hides(report, key)
    for refuse in (APTOS.format_private_key, APTOS.public_half):
        with pytest.raises(InvalidPrivateKeyError):
            refuse(Secret(key), "secp256k1")


# --- addresses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [ADDRESS, "0x" + ADDRESS[2:].upper(), "0xEB66" + ADDRESS[6:]])
def test_the_long_form_is_read_and_comes_back_in_lower_case(text: str) -> None:
    assert APTOS.parse_address(text) == ADDRESS


@pytest.mark.parametrize("digit", "01aAfF")
def test_a_special_address_is_read_in_its_short_form(digit: str) -> None:
    assert APTOS.parse_address("0x" + digit) == "0x" + "0" * 63 + digit.lower()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        ADDRESS[2:],
        ADDRESS[:-1],
        ADDRESS + "0",
        "0x" + ADDRESS[3:],
        "0x10",
        "0x0f",
        "0x" + "a" * 40,
        "0X" + ADDRESS[2:],
        " " + ADDRESS,
        ADDRESS + "\n",
        ADDRESS + "\0",
        ADDRESS[:-1] + "g",
        ADDRESS[:-1] + "٣",
        "0x\ud800",
        "0x" + "0" * 1_000_000,
        "0x9858EfFD232B4033E47d90003D41EC34EcaEda94",
        "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk",
        ED25519 + KEY,
    ],
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        APTOS.parse_address(text)
