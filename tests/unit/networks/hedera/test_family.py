from __future__ import annotations

import re

import pytest
from bip_utils import Bip32Slip10Ed25519, Bip32Slip10Secp256k1, Bip39SeedGenerator, Ed25519PrivateKey
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from eth_keys.datatypes import PrivateKey as EthPrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.errors import InvalidAddressError, InvalidPathError, InvalidPrivateKeyError
from strongroom.networks import TABLE
from strongroom.networks.hedera import der
from strongroom.secret import Secret
from strongroom.usecases.addresses import address_table
from testbed.failure_report import assert_hides, failure_report
from testbed.harness.sizes import examples
from testbed.networks.known import ORDER, keys, passphrases, phrase, phrases

HEDERA, TESTNET = TABLE.get("hedera"), TABLE.get("hedera-testnet")
ALIAS = "0xC283f34aDafdB758a557304C5F5e4c1E0A554713"
PUBLIC = "10fcec8c5db29aeab62272a08be39b1ec75eba50624351fba9948ff5d3d78ecf"
KEY = "2d08cac6b0640a3afe45acd9e3ec1c879626944f8812e05ce86ff4295ff3c097"
ECDSA, EDDSA = "3030020100300706052b8104000a04220420", "302e020100300506032b657004220420"
PUBLIC_DER = "302a300506032b6570032100"
SEEDS = st.binary(min_size=32, max_size=32)
SLOW = settings(max_examples=examples(25), deadline=None)


def read(text: str) -> bytes:
    return HEDERA.parse_private_key(Secret.from_text(text)).reveal()


def scheme(text: str, asked: str | None = None) -> str:
    return HEDERA.scheme_of_key(Secret.from_text(text), asked)


def openssl(key: bytes) -> dict[str, str]:
    """The forms of a key on secp256k1 that OpenSSL writes, and those that leave the public key out or compress it."""
    made = ec.derive_private_key(int.from_bytes(key), ec.SECP256K1())  # the curve is the key's, not a choice
    formats = (serialization.PrivateFormat.TraditionalOpenSSL, serialization.PrivateFormat.PKCS8)
    sec1, pkcs8 = (
        made.private_bytes(serialization.Encoding.DER, each, serialization.NoEncryption()).hex() for each in formats
    )
    compressed = serialization.PublicFormat.CompressedPoint
    point = made.public_key().public_bytes(serialization.Encoding.X962, compressed).hex()
    body = f"0201010420{key.hex()}a00706052b8104000a"
    return {"sec1": sec1, "pkcs8": pkcs8, "short": f"302e{body}", "compressed": f"3054{body}a124032200{point}"}


@pytest.mark.parametrize(
    ("variant", "index", "path", "address"),
    [  # @hiero-ledger/sdk shows the same
        ("default", 0, "m/44'/3030'/0'/0/0", ALIAS),
        ("default", 1, "m/44'/3030'/0'/0/1", "0x6C75C2d1e9b42C59Df6E4633d8980D4d8EfCdd62"),
        ("ed25519", 0, "m/44'/3030'/0'/0'/0'", PUBLIC),
        ("ed25519", 1, "m/44'/3030'/0'/0'/1'", "f552ad3a0eb5a1836db40d03fe751ca670b4bb4ae656bf2894aada739b5706ca"),
    ],
)
def test_wallets_of_hedera_show_the_first_addresses(variant: str, index: int, path: str, address: str) -> None:
    for network in (HEDERA, TESTNET):
        named = network.scheme(variant)
        assert network.path(named, index) == path
        key = network.derive(phrase(), named, path).private_key
        assert network.public_half(key, named).address == address
        assert network.parse_address(address) == address
        assert network.schemes_of(address) == (named,)


def test_the_sdk_writes_the_same_text() -> None:
    assert HEDERA.format_private_key(Secret(bytes.fromhex(KEY))).reveal_text() == ECDSA + KEY
    key = HEDERA.derive(phrase(), "slip10").private_key
    assert HEDERA.format_private_key(key, "slip10").reveal_text() == (
        "302e020100300506032b657004220420523f9ff611ac02e8e188617750e7e50feabd2ef9ee9b218a5c8ce2693275361d"
    )


@SLOW
@given(phrases(), passphrases(), st.integers(0, 2**31 - 1))
def test_keys_of_phrases_are_those_of_bip_utils(words: str, passphrase: str, index: int) -> None:
    seed = Bip39SeedGenerator(words).Generate(passphrase)
    for tree, named in ((Bip32Slip10Secp256k1, "bip44"), (Bip32Slip10Ed25519, "slip10")):
        path = HEDERA.path(named, index)
        theirs = tree.FromSeedAndPath(seed, path).PrivateKey().Raw().ToBytes()
        assert HEDERA.derive(phrase(words, passphrase), named, path).private_key.reveal() == theirs


@SLOW
@given(keys(), SEEDS)
def test_addresses_are_those_of_other_libraries(key: bytes, seed: bytes) -> None:
    assert HEDERA.public_half(Secret(key), "bip44").address == EthPrivateKey(key).public_key.to_checksum_address()
    public = Ed25519PrivateKey.FromBytes(seed).PublicKey().RawCompressed().ToBytes()[1:]
    assert HEDERA.public_half(Secret(seed), "slip10").address == bytes(public).hex()


def test_ed25519_has_hardened_elements_only() -> None:
    with pytest.raises(InvalidPathError):
        HEDERA.derive(phrase(), "slip10", "m/44'/3030'/0'/0'/0")


# --- texts -------------------------------------------------------------------------------------------------------


@given(keys(), SEEDS)
def test_what_is_exported_is_imported_and_says_its_curve(key: bytes, seed: bytes) -> None:
    for raw, named in ((key, "bip44"), (seed, "slip10")):
        text = HEDERA.format_private_key(Secret(raw), named)
        assert HEDERA.parse_private_key(text).reveal() == raw
        assert HEDERA.scheme_of_key(text, None) == HEDERA.scheme_of_key(text, named) == named
        assert re.fullmatch(HEDERA.key_shape, text.reveal_text())


@SLOW
@given(keys())
def test_what_openssl_writes_is_read(key: bytes) -> None:
    for name, text in openssl(key).items():
        assert read(text) == read("0x" + text.upper()) == key, name
        assert scheme(text) == "bip44"
        assert re.fullmatch(HEDERA.key_shape, text)
        assert re.fullmatch(HEDERA.key_shape, text.upper())


@pytest.mark.parametrize("text", [KEY, "0x" + KEY, ECDSA + KEY, f" 0x{ECDSA + KEY}\n", (EDDSA + KEY).upper()])
def test_a_key_is_read_in_every_form(text: str) -> None:
    assert read(text).hex() == KEY


@pytest.mark.parametrize(("text", "asked"), [(ECDSA + KEY, "slip10"), (EDDSA + KEY, "bip44")])
def test_a_text_that_says_another_curve_is_refused(text: str, asked: str) -> None:
    with pytest.raises(InvalidPrivateKeyError, match="says"):
        scheme(text, asked)


def test_bare_digits_say_no_curve() -> None:
    assert scheme(KEY) == "bip44"
    assert scheme(KEY, "slip10") == "slip10"


@SLOW
@given(keys(), st.data())
def test_a_bit_that_differs_is_another_key_or_none(key: bytes, data: st.DataObject) -> None:
    for text in openssl(key).values():
        whole = bytearray.fromhex(text)
        bit = data.draw(st.integers(0, 8 * len(whole) - 1))
        whole[bit // 8] ^= 1 << bit % 8
        found = der.read(Secret.from_text(whole.hex()))
        assert found is None or (len(whole) == 48 and found[1].reveal() != key)


@pytest.mark.parametrize("number", [0, ORDER, 2**256 - 1])
def test_a_number_outside_of_the_curve_is_refused(number: int) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        read(ECDSA + number.to_bytes(32).hex())
    with pytest.raises(InvalidPrivateKeyError):
        HEDERA.format_private_key(Secret(number.to_bytes(32)))
    assert read(EDDSA + number.to_bytes(32).hex()) == number.to_bytes(32)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ECDSA,
        ECDSA + KEY[:-2],
        ECDSA + KEY + "00",
        EDDSA + KEY + KEY,
        EDDSA[:-2] + "21" + KEY,
        ECDSA.replace("8104000a", "81040023") + KEY,
        EDDSA.replace("6570", "656e") + KEY,
        "3082" + EDDSA[2:] + KEY,
        PUBLIC_DER + PUBLIC,
        "302d300706052b8104000a032200" + "02" + KEY,
        KEY[:-1],
        KEY + KEY,
        ECDSA + KEY + "\0",
        f"-----BEGIN PRIVATE KEY-----{KEY}",
        "30" * 1_000_000,
    ],
)
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        read(text)


def test_a_refused_text_is_not_shown() -> None:
    for text in (ECDSA + KEY[:-1], EDDSA + KEY + "00", openssl(bytes.fromhex(KEY))["sec1"][:-2] + "00"):
        report = failure_report(HEDERA.parse_private_key, Secret.from_text(text))
        assert_hides(report, text.encode())
        assert_hides(report, bytes.fromhex(KEY))


# --- addresses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [ALIAS, ALIAS.lower(), "0x" + ALIAS[2:].upper()])
def test_an_alias_is_read_as_on_the_evm(text: str) -> None:
    assert HEDERA.parse_address(text) == ALIAS


def test_a_public_key_is_read_in_der_too() -> None:
    assert HEDERA.parse_address(PUBLIC_DER + PUBLIC) == PUBLIC
    assert re.fullmatch(HEDERA.address_space.shape, PUBLIC_DER + PUBLIC)


def test_a_row_that_names_no_network_has_an_address_of_the_evm_or_none() -> None:
    table = address_table(TABLE)
    for named in ("", "atlantis"):
        assert table.recognise(ALIAS, named).candidates == ("ethereum",)
        assert table.recognise(PUBLIC, named).candidates == ()
    for named in ("hedera", "hedera-testnet"):
        assert table.recognise(ALIAS.lower(), named).candidates == (named,)
        assert table.recognise(PUBLIC, named).candidates == (named,)


@pytest.mark.parametrize("text", ["0.0.3", "0.0.1234567", "0.0.123-vfmkw", "1.2.3"])
def test_an_account_id_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidAddressError, match="account id"):
        HEDERA.parse_address(text)


def test_the_address_of_a_number_is_refused_by_name() -> None:
    with pytest.raises(InvalidAddressError, match="number"):
        HEDERA.parse_address("0x" + "0" * 34 + "12d687")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ALIAS[:-1],
        ALIAS + "0",
        ALIAS[2:],
        ALIAS.swapcase(),
        ALIAS[:2] + ALIAS[2:].swapcase(),
        ALIAS + "\0",
        PUBLIC.upper(),
        "0x" + PUBLIC,
        PUBLIC[:-1],
        PUBLIC + "00",
        PUBLIC_DER + PUBLIC[:-2],
        PUBLIC_DER.upper() + PUBLIC,
        "302d300706052b8104000a032200" + "02" + PUBLIC,
        "0.0.",
        "0.0.x",
        "0.0." + "9" * 30,
        "9" * 1_000_000,
        "\ud800",
        "٣" * 64,
    ],
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        HEDERA.parse_address(text)
