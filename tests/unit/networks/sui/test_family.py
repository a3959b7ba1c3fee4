from __future__ import annotations

import re

import pytest
from bip_utils import (
    Bech32Encoder,
    Bip39SeedGenerator,
    Bip44Changes,
    Bip44Coins,
    Ed25519PrivateKey,
    SuiAddrEncoder,
)
from bip_utils import Bip44 as BipUtilsBip44
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.errors import InvalidAddressError, InvalidPathError, InvalidPrivateKeyError
from strongroom.networks import TABLE
from strongroom.secret import Secret
from testbed.failure_report import assert_hides, failure_report
from testbed.harness.sizes import examples
from testbed.networks.known import ORDER, keys, passphrases, phrase, phrases

SUI, TESTNET = TABLE.get("sui"), TABLE.get("sui-testnet")
ADDRESS = "0x5e93a736d04fbb25737aa40bee40171ef79f65fae833749e3c089fe7cc2161f1"
TEXT = "suiprivkey1qzyxnjc8z79lvlsg6lz2hh69fp7m7duunfzjlnkzsd59f062855mqacydfr"
KEY = "8869cb07178bf67e08d7c4abdf45487dbf379c9a452fcec2836854bf4a3d29b0"
KNOWN = [  # @mysten/sui 2.33; wallet-core and bip_utils for Ed25519
    ("slip10", "m/44'/784'/0'/0'/0'", ADDRESS, TEXT),
    (
        "slip10",
        "m/44'/784'/1'/0'/0'",
        "0x082d099250999ab8450a9ef3a962edf9e2449e1045be32ba5a0f2c6117ff7167",
        "suiprivkey1qpexz0tqjxle6ze2nv5w3gvtrhsa2fl6vz4jv4k9jp0fyscunzu3s6y6r8n",
    ),
    (
        "secp256k1",
        "m/54'/784'/0'/0/0",
        "0xc61a7f1161020a717f852dca2e9bfc1ffe235145406dfbdccc16e6907c1f5403",
        "suiprivkey1qy82eu8yuzp4dykhe5d8cth23sw05yxnqqzpf5ce0rnmdjn905rgge6hyhd",
    ),
    (
        "secp256k1",
        "m/54'/784'/0'/0/1",
        "0x03de9efda2d82b61535b6f8448ea1ef55f914994f4b27f4628f918a054e55ba4",
        "suiprivkey1qy7nhapqvq4jw3y9a2nr0sr8ug5awejjgs0d9zeq39hzh9afxr2u757dqhd",
    ),
]
SLOW = settings(max_examples=examples(25), deadline=None)


def read(text: str) -> bytes:
    return SUI.parse_private_key(Secret.from_text(text)).reveal()


@pytest.mark.parametrize(("scheme", "path", "address", "text"), KNOWN)
def test_suis_own_library_shows_the_address_and_the_text(scheme: str, path: str, address: str, text: str) -> None:
    for network in (SUI, TESTNET):
        key = network.derive(phrase(), scheme, path).private_key
        assert network.public_half(key, scheme).address == address
        assert network.format_private_key(key, scheme).reveal_text() == text
        assert network.parse_private_key(Secret.from_text(text)).reveal() == key.reveal()
        assert network.scheme_of_key(Secret.from_text(text), None) == scheme


def test_the_index_stands_where_wallets_have_it() -> None:
    assert [SUI.path(scheme, index) for scheme in ("slip10", "secp256k1") for index in (0, 1)] == [
        path for _, path, _, _ in KNOWN
    ]


def test_the_published_vector_of_the_sdk() -> None:
    words = (
        "film crazy soon outside stand loop subway crumble thrive popular green nuclear struggle pistol arm wife "
        "phrase warfare march wheat nephew ask sunny firm"
    )
    key = SUI.derive(phrase(words), "slip10").private_key
    text = "suiprivkey1qrwsjvr6gwaxmsvxk4cfun99ra8uwxg3c9pl0nhle7xxpe4s80y05ctazer"
    assert SUI.format_private_key(key).reveal_text() == text
    address = "0xa2d14fad60c56049ecf75246a481934691214ce413e6a8ae2fe6834c173a6133"
    assert SUI.public_half(key, "slip10").address == address


@SLOW
@given(phrases(), passphrases(), st.integers(0, 2**31 - 1))
def test_addresses_are_those_of_bip_utils(words: str, passphrase: str, index: int) -> None:
    seed = Bip39SeedGenerator(words).Generate(passphrase)
    tree = BipUtilsBip44.FromSeed(seed, Bip44Coins.SUI).Purpose().Coin().Account(index)
    theirs = tree.Change(Bip44Changes.CHAIN_EXT).AddressIndex(0).PublicKey().ToAddress()
    key = SUI.derive(phrase(words, passphrase), "slip10", SUI.path("slip10", index)).private_key
    assert SUI.public_half(key, "slip10").address == theirs


@SLOW
@given(st.binary(min_size=32, max_size=32))
def test_a_bare_key_has_the_address_of_bip_utils(key: bytes) -> None:
    theirs = SuiAddrEncoder.EncodeKey(Ed25519PrivateKey.FromBytes(key).PublicKey())
    assert SUI.public_half(Secret(key), "slip10").address == theirs


@pytest.mark.parametrize("path", ["m/44'/784'/0'/0/0", "m/44'/784'/0'/0'/0", "m/54'/784'/0'/0/0"])
def test_ed25519_has_hardened_elements_only(path: str) -> None:
    with pytest.raises(InvalidPathError):
        SUI.derive(phrase(), "slip10", path)


# --- texts -------------------------------------------------------------------------------------------------------


@given(keys())
def test_what_is_exported_is_imported_and_says_its_scheme(key: bytes) -> None:
    for scheme, flag in ((None, 0), ("slip10", 0), ("secp256k1", 1)):
        text = SUI.format_private_key(Secret(key), scheme)
        assert text.reveal_text() == Bech32Encoder.Encode("suiprivkey", bytes((flag,)) + key)
        assert SUI.parse_private_key(text).reveal() == key
        assert SUI.scheme_of_key(text, None) == SUI.scheme_of_key(text, scheme) == (scheme or "slip10")
        assert re.fullmatch(SUI.key_shape, text.reveal_text())


@pytest.mark.parametrize("text", [KEY, "0x" + KEY, TEXT, TEXT.upper(), f"\n{TEXT} "])
def test_a_key_is_read_in_every_form(text: str) -> None:
    assert read(text).hex() == KEY


@pytest.mark.parametrize(("text", "scheme"), [(KNOWN[0][3], "secp256k1"), (KNOWN[2][3], "slip10")])
def test_a_text_that_says_another_scheme_is_refused_and_not_shown(text: str, scheme: str) -> None:
    report = failure_report(SUI.scheme_of_key, Secret.from_text(text), scheme)
    assert_hides(report, text.encode())
    assert_hides(report, read(text))


@pytest.mark.parametrize(("flag", "said"), [(2, "secp256r1"), (3, "not known"), (5, "not known"), (255, "not known")])
def test_a_key_of_another_scheme_is_refused_by_name(flag: int, said: str) -> None:
    key = bytes.fromhex(KEY)
    text = Secret.from_text(Bech32Encoder.Encode("suiprivkey", bytes((flag,)) + key))
    for refuse in (SUI.parse_private_key, lambda text: SUI.scheme_of_key(text, None)):
        with pytest.raises(InvalidPrivateKeyError, match=said):
            refuse(text)
        assert_hides(failure_report(refuse, text), key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "suiprivkey1",
        TEXT[:-1],
        TEXT + "q",
        TEXT[:-1] + "q",
        TEXT[:-1] + TEXT[-1].upper(),
        TEXT + "\0",
        TEXT.replace("suiprivkey", "iotaprivkey"),
        Bech32Encoder.Encode("suiprivkey", bytes.fromhex(KEY)),
        Bech32Encoder.Encode("suiprivkey", bytes(34)),
        "AN0JMHpDum3BhrVwnkylH0/HGRHBQ/fO/8+MYOawO8j6",
        KEY[:-2],
        KEY + KEY,
        "suiprivkey1" + "q" * 1_000_000,
    ],
)
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        read(text)


@pytest.mark.parametrize("number", [0, ORDER, 2**256 - 1])
def test_a_key_outside_the_range_of_secp256k1_is_refused_for_it_alone(number: int) -> None:
    key = number.to_bytes(32)
    assert read(Bech32Encoder.Encode("suiprivkey", b"\0" + key)) == key
    text = Secret.from_text(Bech32Encoder.Encode("suiprivkey", b"\1" + key))
    report = failure_report(SUI.parse_private_key, text)
    if number:
        assert_hides(report, key)
    for refuse in (SUI.format_private_key, SUI.public_half):
        with pytest.raises(InvalidPrivateKeyError):
            refuse(Secret(key), "secp256k1")


# --- addresses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [ADDRESS, "0x" + ADDRESS[2:].upper()])
def test_the_long_form_is_read_and_comes_back_in_lower_case(text: str) -> None:
    assert SUI.parse_address(text) == ADDRESS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        "0x2",
        "0x1",
        ADDRESS[2:],
        ADDRESS[:-1],
        ADDRESS + "0",
        "0x" + ADDRESS[3:],
        "0x" + "a" * 40,
        "0X" + ADDRESS[2:],
        " " + ADDRESS,
        ADDRESS + "\n",
        ADDRESS + "\0",
        ADDRESS[:-1] + "g",
        ADDRESS[:-1] + "٣",
        "alice.sui",
        "@alice",
        "0x" + "0" * 1_000_000,
        TEXT,
        "0x9858EfFD232B4033E47d90003D41EC34EcaEda94",
    ],
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        SUI.parse_address(text)
