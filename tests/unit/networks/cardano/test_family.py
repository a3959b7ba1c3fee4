"""Cardano: two keys an address. Oracle: bip_utils; published: CIP-19, and a key of pycardano's tests."""

from __future__ import annotations

import json

import pytest
from bip_utils import Bech32Decoder, Bech32Encoder
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from strongroom.errors import (
    InvalidAddressError,
    InvalidMnemonicError,
    InvalidPathError,
    InvalidPrivateKeyError,
)
from strongroom.networks import TABLE
from strongroom.networks.cardano import addresses
from strongroom.secret import Secret
from strongroom.takeover.doctor.key_texts import read as read_text
from testbed.failure_report import assert_hides, failure_report
from testbed.harness.sizes import examples
from testbed.networks import cardano
from testbed.networks.key_forms import DERIVATION
from testbed.networks.known import phrase, phrases

CARDANO, PREPROD = TABLE.get("cardano"), TABLE.get("cardano-preprod")
SLOW = settings(max_examples=examples(15), deadline=None)
BASE = "addr1qy8ac7qqy0vtulyl7wntmsxc6wex80gvcyjy33qffrhm7sh927ysx5sftuw0dlft05dz3c7revpf7jx0xnlcjz3g69mq4afdhv"
ENTERPRISE = "addr1vy8ac7qqy0vtulyl7wntmsxc6wex80gvcyjy33qffrhm7ss7lxrqp"
STAKE = "stake1u8j40zgr2gy4788kl54h6x3gu0pukq5lfr8nflufpg5dzaskqlx2l"
PATH = "m/1852'/1815'/0'/0/0"
SKEY = (
    "5880e8428867ab9cc9304379a3ce0c238a592bd6d2349d2ebaf8a6ed2c6d2974a15ad59c74b6d8fa3edd032c6261a73998b7"
    "deafe983b6eeaff8b6fb3fab06bdf8019b693a62bce7a3cad1b9c02d22125767201c65db27484bb67d3cee7df7288d62"
    "c099ac0ce4a215355b149fd3114a2a7ef0438f01f8872c4487a61b469e26aae4"
)
EXTENDED_TYPE = "PaymentExtendedSigningKeyShelley_ed25519_bip32"
PLAIN_TYPE = "PaymentSigningKeyShelley_ed25519"


def skey(kind: str, cbor: str, **more: object) -> str:
    return json.dumps({"type": kind, "description": "Payment Signing Key", "cborHex": cbor, **more}, indent=4)


def read(text: str) -> bytes:
    return CARDANO.parse_private_key(Secret.from_text(text)).reveal()


def said(text: str, scheme: str | None = None) -> str:
    return CARDANO.scheme_of_key(Secret.from_text(text), scheme)


def key_of(scheme: str) -> Secret:
    """A key of the standard phrase, in any scheme."""
    root = cardano.root("abandon " * 11 + "about")
    payment = cardano.extended(root.DerivePath(PATH))
    stake = cardano.extended(root.DerivePath("m/1852'/1815'/0'/2/0"))
    return Secret(
        {
            "cip1852": payment + stake,
            "icarus-trezor": payment + stake,
            "enterprise": payment,
            "root": cardano.extended(root),
            "account": cardano.extended(root.DerivePath("m/1852'/1815'/0'")),
            "ed25519e": payment[:64],
            "ed25519": bytes(range(32)),
        }[scheme]
    )


# --- derivation ----------------------------------------------------------------------------------------------


@SLOW
@given(phrases(), st.integers(0, 2**31 - 1), st.booleans())
@pytest.mark.parametrize("scheme", ["cip1852", "enterprise", "icarus-trezor"])
def test_addresses_of_a_phrase_are_those_of_bip_utils(scheme: str, words: str, index: int, testnet: bool) -> None:
    network = PREPROD if testnet else CARDANO
    path = network.path(scheme, index)
    assert path is not None
    key = network.derive(phrase(words), scheme, path).private_key
    address = network.public_half(key, scheme).address
    assert address == cardano.address_of_phrase(words, scheme, path, testnet=testnet)
    assert scheme in network.schemes_of(address)


def test_trezor_differs_with_24_words_alone() -> None:
    for words, differs in (("abandon " * 11 + "about", False), ("abandon " * 23 + "art", True)):
        keys = {
            CARDANO.derive(phrase(words), scheme, PATH).private_key.reveal() for scheme in ("cip1852", "icarus-trezor")
        }
        assert (len(keys) == 2) == differs


def test_the_stake_key_is_the_accounts_own() -> None:
    places = [f"m/1852'/1815'/{place}" for place in ("0'/0/0", "0'/1/7", "1'/0/0")]
    keys = [CARDANO.derive(phrase(), "cip1852", place).private_key.reveal() for place in places]
    assert keys[0][96:] == keys[1][96:] != keys[2][96:]
    assert len({key[:96] for key in keys}) == 3
    assert CARDANO.public_half(Secret(keys[0]), "cip1852").address == BASE


def test_an_address_of_two_keys_has_the_public_keys_of_both() -> None:
    half = CARDANO.public_half(key_of("cip1852"), "cip1852")
    alone = CARDANO.public_half(key_of("enterprise"), "enterprise")
    assert half.public_key.startswith(alone.public_key)
    assert (len(half.public_key), len(alone.public_key)) == (128, 64)
    assert alone.address == ENTERPRISE


@pytest.mark.parametrize("path", ["m", "m/0", "m/1852'/1815'/0'/0'/0", "m/1852'/1815'/0'/0/0'", "m/1852'/1815'", "m/x"])
def test_a_path_that_ends_with_a_hardened_element_is_refused(path: str) -> None:
    for scheme in ("cip1852", "enterprise"):
        with pytest.raises(InvalidPathError):
            CARDANO.derive(phrase(), scheme, path)


@pytest.mark.parametrize("scheme", ["root", "account", "ed25519e", "ed25519"])
def test_a_scheme_of_imported_keys_has_no_paths(scheme: str) -> None:
    assert CARDANO.path(scheme) is None
    with pytest.raises(InvalidPathError):
        CARDANO.derive(phrase(), scheme)


def test_a_passphrase_is_taken_as_it_is_typed_or_refused() -> None:
    assert CARDANO.derive(phrase(passphrase="foo"), "cip1852").private_key.reveal() != key_of("cip1852").reveal()
    with pytest.raises(InvalidMnemonicError, match="normalise"):
        CARDANO.derive(phrase(passphrase="é"), "cip1852")


# --- keys ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", CARDANO.schemes)
def test_a_key_of_each_scheme_comes_out_as_it_went_in(scheme: str) -> None:
    key = key_of(scheme)
    text = CARDANO.format_private_key(key, scheme).reveal_text()
    again = "cip1852" if scheme == "icarus-trezor" else scheme
    for form in (text, f" {text}\n", text.upper()):
        assert read(form) == key.reveal()
        assert said(form) == again
        assert said(form, scheme) == scheme
    assert read(key.reveal().hex()) == key.reveal()
    assert CARDANO.format_private_key(key).reveal_text()


@pytest.mark.parametrize("scheme", ["root", "account"])
def test_a_root_and_an_account_have_the_address_of_index_0(scheme: str) -> None:
    assert CARDANO.public_half(key_of(scheme), scheme).address == BASE
    assert PREPROD.public_half(key_of(scheme), scheme).address.startswith("addr_test1q")


def test_a_key_without_chain_code_has_the_enterprise_address() -> None:
    assert CARDANO.public_half(key_of("ed25519e"), "ed25519e").address == ENTERPRISE
    plain = CARDANO.public_half(key_of("ed25519"), "ed25519")
    assert plain.public_key == bytes(SigningKey(bytes(range(32))).verify_key).hex()


def test_a_seed_and_its_public_key_are_no_extended_key() -> None:
    seed = bytes(range(32))
    text = (seed + bytes(SigningKey(seed).verify_key)).hex()
    assert read(text) == seed
    assert said(text) == "ed25519"


def test_96_bytes_of_which_nothing_is_said_are_a_root_unless_somebody_says_otherwise() -> None:
    key = key_of("root").reveal()
    for text in (key.hex(), "0x" + key.hex(), Bech32Encoder.Encode("xprv", key)):
        assert said(text) == "root"
        assert [said(text, scheme) for scheme in ("account", "enterprise")] == ["account", "enterprise"]
        with pytest.raises(InvalidPrivateKeyError):
            said(text, "cip1852")


@pytest.mark.parametrize(
    ("scheme", "other"),
    [
        ("root", "account"),
        ("account", "cip1852"),
        ("enterprise", "root"),
        ("cip1852", "enterprise"),
        ("ed25519", "ed25519e"),
    ],
)
def test_a_form_that_says_a_scheme_is_of_no_other(scheme: str, other: str) -> None:
    text = CARDANO.format_private_key(key_of(scheme), scheme)
    with pytest.raises(InvalidPrivateKeyError):
        CARDANO.scheme_of_key(text, other)
    assert_hides(failure_report(CARDANO.scheme_of_key, text, other), text.reveal())


def test_files_of_cardano_cli_are_read() -> None:
    text = skey(EXTENDED_TYPE, SKEY)
    data = bytes.fromhex(SKEY[4:])
    assert read(text) == data[:64] + data[96:]
    assert said(text) == "enterprise"
    assert CARDANO.public_half(Secret(read(text)), "enterprise").public_key == data[64:96].hex()
    seed = bytes(range(32))
    assert read(skey(PLAIN_TYPE, "5820" + seed.hex())) == seed
    assert said(skey(PLAIN_TYPE, "5820" + seed.hex())) == "ed25519"


ROOT_TEXT = Bech32Encoder.Encode("root_xsk", key_of("root").reveal())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ab" * 31,
        "ab" * 33,
        "00" * 64,
        "ff" * 96,
        "ff" * 192,
        ROOT_TEXT[:-1],
        ROOT_TEXT[:-1] + ("q" if ROOT_TEXT[-1] != "q" else "p"),
        ROOT_TEXT[0].upper() + ROOT_TEXT[1:],
        ROOT_TEXT + " " + ROOT_TEXT,
        Bech32Encoder.Encode("root_xvk", key_of("root").reveal()[:64]),
        Bech32Encoder.Encode("root_xsk", key_of("root").reveal()[:95]),
        Bech32Encoder.Encode("root_xsk", b"\xff" * 96),
        Bech32Encoder.Encode("stake_xsk", key_of("enterprise").reveal()),
        Bech32Encoder.Encode("ed25519_sk", bytes(33)),
        Bech32Encoder.Encode("addr_sk", bytes(32)),
        "{}",
        "{" * 600,
        skey("PaymentVerificationKeyShelley_ed25519", "5820" + "ab" * 32),
        skey("StakeExtendedSigningKeyShelley_ed25519_bip32", SKEY),
        skey(EXTENDED_TYPE, SKEY[:-2] + "00")[:-1],
        skey(EXTENDED_TYPE, SKEY[:140] + "00" + SKEY[142:]),
        skey(EXTENDED_TYPE, "5820" + "ab" * 32),
        skey(PLAIN_TYPE, SKEY),
        skey(PLAIN_TYPE, "5820" + "ab" * 31),
        skey(PLAIN_TYPE, "5821" + "ab" * 33),
        json.dumps({"type": PLAIN_TYPE, "cborHex": ["5820" + "ab" * 32]}),
        BASE,
        ROOT_TEXT + "\0",
    ],
)
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        read(text)
    if text:
        assert_hides(failure_report(CARDANO.parse_private_key, Secret.from_text(text)), text.encode())


@pytest.mark.parametrize("scheme", CARDANO.schemes)
def test_a_key_of_another_length_or_with_a_wrong_scalar_is_refused(scheme: str) -> None:
    key = key_of(scheme).reveal()
    wrong = [key[:-1], key + b"\0", b""]
    if scheme != "ed25519":
        wrong += [bytes((key[0] | 1,)) + key[1:], b"\xff" * len(key), bytes(len(key))]
    if len(key) == 192:
        wrong.append(key[:96] + b"\xff" * 96)
    for each in wrong:
        with pytest.raises(InvalidPrivateKeyError):
            CARDANO.public_half(Secret(each), scheme)
        if len(each) not in (32, 64, 96, 192) or scheme != "ed25519":
            with pytest.raises(InvalidPrivateKeyError):
                CARDANO.format_private_key(Secret(each), scheme)


@pytest.mark.parametrize("scheme", CARDANO.schemes)
def test_doctor_finds_a_key_by_its_address(scheme: str) -> None:
    key = key_of(scheme)
    address = CARDANO.public_half(key, scheme).address
    text = CARDANO.format_private_key(key, scheme).reveal_text()
    texts = [text, skey(EXTENDED_TYPE, SKEY)] if scheme == "enterprise" else [text]
    for each in texts:
        if each is not text:
            address = CARDANO.public_half(Secret(read(each)), scheme).address
        target = DERIVATION.target("", address)
        content = DERIVATION.explain(DERIVATION.reading(read_text(each), target), target)
        assert content is not None
        assert content.material is not None
        assert content.material.private_key.reveal() == read(each)


# --- addresses -----------------------------------------------------------------------------------------------


def test_the_addresses_of_cip_19() -> None:
    keys = [
        bytes(Bech32Decoder.Decode(prefix, text))
        for prefix, text in (
            ("addr_vk", "addr_vk1w0l2sr2zgfm26ztc6nl9xy8ghsk5sh6ldwemlpmp9xylzy4dtf7st80zhd"),
            ("stake_vk", "stake_vk1px4j0r2fk7ux5p23shz8f3y5y2qam7s954rgf3lg5merqcj6aetsft99wu"),
        )
    ]
    base = "addr1qx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzer3n0d3vllmyqwsx5wktcd8cc3sq835lu7drv2xwl2wywfgse35a3x"
    enterprise = "addr1vx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzers66hrl8"
    assert addresses.encode(keys, testnet=False) == base
    assert addresses.encode(keys[:1], testnet=False) == enterprise
    for address in (base, enterprise):
        assert CARDANO.parse_address(address) == CARDANO.parse_address(address.upper()) == address
        with pytest.raises(InvalidAddressError):
            PREPROD.parse_address(address)
    assert addresses.encode(keys, testnet=True).startswith(
        "addr_test1qz2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzer3n0d3"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        STAKE,
        BASE[:-1],
        BASE[:-1] + "w",
        BASE + "\0",
        BASE[0].upper() + BASE[1:],
        "addr1" + BASE.removeprefix("addr1")[::-1],
        Bech32Encoder.Encode("addr", b"\x00" + bytes(56)),  # the testnet's number
        Bech32Encoder.Encode("addr", b"\x01" + bytes(55)),
        Bech32Encoder.Encode("addr", b"\x01" + bytes(28)),
        Bech32Encoder.Encode("addr", b"\x61" + bytes(56)),
        Bech32Encoder.Encode("addr", b"\x41" + bytes(31)),  # a pointer
        Bech32Encoder.Encode("addr", b"\xe1" + bytes(28)),  # a stake address
        Bech32Encoder.Encode("addr_test", b"\x00" + bytes(56)),
        Bech32Encoder.Encode("bc", b"\x01" + bytes(56)),
        "Ae2tdPwUPEZFRbyhz3cpfC2CumGzNkFBN2L42rcUc2yjQpEkxDbkPodpMAi",
        "DBus3bamQjgJULBJtYXpEzDWQRwF5iwxgC",
        "a" * 1_000_000,
    ],
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        CARDANO.parse_address(text)
