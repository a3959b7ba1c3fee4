"""Polkadot: keys in the tree of Substrate. Known answers by polkadot-js; oracle: bip_utils."""

from __future__ import annotations

import subprocess
import sys
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.keypair import Keypair

from strongroom.errors import (
    InvalidAddressError,
    InvalidMnemonicError,
    InvalidPathError,
    InvalidPrivateKeyError,
    MissingExtraError,
    UnknownVariantError,
)
from strongroom.networks import TABLE
from strongroom.networks.codecs import ss58
from strongroom.networks.curves import sr25519
from strongroom.secret import Secret
from strongroom.takeover.doctor.key_texts import read as read_text
from testbed.failure_report import assert_hides, failure_report
from testbed.harness.sizes import examples
from testbed.networks.key_forms import DERIVATION
from testbed.networks.known import phrase, phrases
from testbed.networks.substrate import address_of_key, address_of_phrase

POLKADOT, KUSAMA = (TABLE.get(name) for name in ("polkadot", "kusama"))
SLOW = settings(max_examples=examples(25), deadline=None)
SEEDS = st.binary(min_size=32, max_size=32)
DEV = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
ADDRESS = "13KVd4f2a4S5pLp4gTTFezyXdPWx27vQ9vS6xBXJ9yWVd7xo"
BY_POLKADOT_JS = {
    "m": ADDRESS,
    "//0": "12rsQBSiizNCu3dZDshfkVwB34XDwiqyVQJP6URvGo31YGdp",
    "//1": "12ES7PTE9a3DKbs9mCsRA6Wge2DS1XK1xFgbTkp47nPV53yG",
    "//polkadot//0": "13N3YF2JiKJsHjoEkAesZgiSGa19RgDrzvzx7pJvhR9UAiCH",
    "//a-very-long-junction-of-more-than-32-bytes": "15d4BcVtc33ikffAFB7VHx5PyDJ2WgG9qcMAcun8kirGMh5K",
}


def read(text: str) -> bytes:
    return POLKADOT.parse_private_key(Secret.from_text(text)).reveal()


def address(key: Secret, scheme: str = "sr25519") -> str:
    return POLKADOT.public_half(key, scheme).address


# --- derivation ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", BY_POLKADOT_JS)
def test_a_path_has_the_address_of_polkadot_js(path: str) -> None:
    material = POLKADOT.derive(phrase(), "sr25519", path)
    assert material.path == path
    assert address(material.private_key) == BY_POLKADOT_JS[path]


def test_the_accounts_that_everybody_knows() -> None:
    alice = POLKADOT.derive(phrase(DEV), "sr25519", "//Alice").private_key
    assert address(alice) == POLKADOT.parse_address("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY")
    seed = Secret(bytes.fromhex("e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a"))
    assert address(seed) == address(alice), "subkey inspect //Alice"


def test_a_passphrase_is_salt() -> None:
    made = POLKADOT.derive(phrase(passphrase="secret"), "sr25519")
    assert made.private_key.reveal().hex() == "9bd601f88a6ed5542b08528eadacb1d0146b943de00623e2dee7a02d5287f141"
    assert address(made.private_key) == "15ftvKkeGFDn2aqk4ohiTAjvuxkXLLzscfb95pDvH7dgjMPx"


def test_a_passphrase_that_wallets_take_as_it_is_typed_is_refused_where_that_is_not_known() -> None:
    """polkadot-js makes two keys of é, composed and decomposed; a phrase keeps the second form."""
    with pytest.raises(InvalidMnemonicError, match="normalise"):
        POLKADOT.derive(phrase(passphrase="é"), "sr25519")
    assert POLKADOT.derive(phrase(passphrase="ш"), "sr25519").private_key.reveal()
    assert POLKADOT.derive(phrase(passphrase="é"), "ed25519").private_key.reveal()


@SLOW
@given(phrases(), st.integers(0, 2**31 - 1), st.sampled_from(["polkadot", "kusama"]))
def test_addresses_of_a_phrase_are_those_of_bip_utils(words: str, index: int, name: str) -> None:
    network = TABLE.get(name)
    path = network.path("sr25519", index)
    assert path is not None
    key = network.derive(phrase(words), "sr25519", path).private_key
    assert network.public_half(key, "sr25519").address == address_of_phrase(name, words, path)


@SLOW
@given(SEEDS)
def test_a_mini_secret_has_the_address_of_bip_utils(seed: bytes) -> None:
    for network in (POLKADOT, KUSAMA):
        ours = network.public_half(Secret(seed), "sr25519").address
        assert ours == address_of_key(network.name, None, seed)


def test_index_0_has_no_junction_and_others_have_their_number() -> None:
    assert [POLKADOT.path("sr25519", index) for index in (0, 1, 2)] == ["m", "//1", "//2"]
    for index in (-1, 2**31, True):
        with pytest.raises(InvalidPathError):
            POLKADOT.path("sr25519", index)


def test_a_relay_chain_and_its_asset_hub_share_their_addresses() -> None:
    for name in ("polkadot", "kusama"):
        relay, hub = TABLE.get(name), TABLE.get(f"{name}-asset-hub")
        assert relay.address_space == hub.address_space
        assert relay.caip2 != hub.caip2
        key = Secret(bytes(range(32)))
        assert relay.public_half(key, "sr25519") == hub.public_half(key, "sr25519")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//",
        "/1",
        "//1/2",
        "//1//",
        "///secret",
        "//1///secret",
        "//01",
        "//1000000000000000",
        "1",
        "m//1",
        "m/1'",
        "m/44'/354'/0'/0'/0'",
        "//a b",
        "//é",
        "//" + "a" * 64,
        "//1" * 17,
        "//1\0",
        "//1\n",
    ],
)
def test_what_is_no_path_is_refused(path: str) -> None:
    report = failure_report(POLKADOT.derive, phrase(DEV), "sr25519", path)
    assert_hides(report, DEV.encode())
    with pytest.raises(InvalidPathError):
        POLKADOT.derive(phrase(), "sr25519", path)


@pytest.mark.parametrize("path", ["//1", "m/44'/354'/0'/0'/0", "m/0"])
def test_ed25519_has_hardened_paths_alone(path: str) -> None:
    with pytest.raises(InvalidPathError):
        POLKADOT.derive(phrase(), "ed25519", path)


def test_words_that_mean_another_entropy_in_each_of_two_languages_are_refused() -> None:
    """The seed is made of the text; a mini-secret is made of the words' numbers."""
    both = phrase("abandon " * 11 + "about")
    with mock.patch.object(type(both), "entropy", side_effect=InvalidMnemonicError("two languages")):
        with pytest.raises(InvalidMnemonicError):
            POLKADOT.derive(both, "sr25519")


# --- keys ----------------------------------------------------------------------------------------------------


def test_a_key_is_read_from_a_mini_secret_and_from_an_expanded_one() -> None:
    seed = POLKADOT.derive(phrase(), "sr25519").private_key
    expanded = sr25519.expanded(seed)
    assert expanded is not None
    assert address(expanded) == address(seed) == ADDRESS
    for key in (seed, expanded):
        written = POLKADOT.format_private_key(key).reveal_text()
        assert written == "0x" + key.reveal().hex()
        assert read(written) == read(key.reveal().hex()) == key.reveal()
    assert POLKADOT.scheme_of_key(Secret.from_text(expanded.reveal().hex()), None) == "sr25519"
    with pytest.raises(InvalidPrivateKeyError):
        POLKADOT.scheme_of_key(Secret.from_text(expanded.reveal().hex()), "ed25519")


@given(SEEDS)
def test_a_keypair_of_ed25519_says_that_it_is_one(seed: bytes) -> None:
    text = bytes(Keypair.from_seed(seed)).hex()
    assert read(text) == seed
    assert POLKADOT.scheme_of_key(Secret.from_text(text), None) == "ed25519"
    with pytest.raises(InvalidPrivateKeyError):
        POLKADOT.scheme_of_key(Secret.from_text(text), "sr25519")


def test_32_bytes_are_a_key_of_the_scheme_asked_for() -> None:
    text = Secret.from_text("0x" + "ab" * 32)
    assert POLKADOT.scheme_of_key(text, None) == "sr25519"
    assert POLKADOT.scheme_of_key(text, "ed25519") == "ed25519"


@pytest.mark.parametrize(
    "text",
    [
        "ab" * 31,
        "ab" * 33,
        "ab" * 63,
        "00" * 64,
        "ff" * 64,
        "01" * 64,  # a scalar that is no multiple of the cofactor
        "0x",
        DEV,
        ADDRESS,
        ADDRESS + "//1",
        "ab" * 32 + "//1",
    ],
)
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        read(text)
    assert_hides(failure_report(POLKADOT.parse_private_key, Secret.from_text(text)), text.encode())


@pytest.mark.parametrize("text", ["", "1" * 1_000_000, "ab" * 64_000])
def test_a_text_of_any_length_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        read(text)


@pytest.mark.parametrize("size", [0, 31, 33, 63, 65])
def test_a_key_of_another_length_is_refused(size: int) -> None:
    for scheme in ("sr25519", "ed25519"):
        with pytest.raises(InvalidPrivateKeyError):
            POLKADOT.public_half(Secret(b"\1" * size), scheme)
    with pytest.raises(InvalidPrivateKeyError):
        POLKADOT.format_private_key(Secret(b"\1" * size))
    with pytest.raises(UnknownVariantError):
        POLKADOT.public_half(Secret(b"\1" * 32), "ecdsa")


def test_doctor_finds_the_secret_of_64_bytes_by_its_address() -> None:
    key = POLKADOT.derive(phrase(), "sr25519", "//1").private_key
    target = DERIVATION.target("", address(key))
    for text in (key.reveal().hex(), "0x" + key.reveal().hex()):
        found = DERIVATION.reading(read_text(text), target)
        content = DERIVATION.explain(found, target)
        assert content is not None
        assert content.material is not None
        assert content.material.private_key.reveal() == key.reveal()


# --- addresses -----------------------------------------------------------------------------------------------


def test_the_generic_form_is_read_as_the_networks_own() -> None:
    read_address = ss58.decode(ADDRESS)
    assert read_address is not None
    generic = ss58.encode(42, read_address[1])
    assert POLKADOT.parse_address(generic) == POLKADOT.parse_address(ADDRESS) == ADDRESS
    assert KUSAMA.parse_address(generic) == "Etp93jqLeBY8TczVXDJQoWNvMoY8VBSXoYNBYou5ghUBeC1"
    assert {each.network.name for each in DERIVATION.targets("", generic)} == {"polkadot", "kusama"}
    assert DERIVATION.target("kusama-asset-hub", generic) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Etp93jqLeBY8TczVXDJQoWNvMoY8VBSXoYNBYou5ghUBeC1",
        ADDRESS[:-1],
        ADDRESS[:-1] + "p",
        ADDRESS + "\0",
        ADDRESS.lower(),
        "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk",
        "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA",
        "z" * 1_000_000,
    ],
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        POLKADOT.parse_address(text)


# --- without the extra ---------------------------------------------------------------------------------------

WITHOUT = """
import sys
sys.modules["sr25519"] = None
from strongroom.errors import MissingExtraError
from strongroom.networks import TABLE
from strongroom.cli.networks import _example
from strongroom.crypto.phrase import Phrase
from strongroom.secret import Secret
from strongroom.takeover.doctor.derivation import Derivation
polkadot, phrase = TABLE.get("polkadot"), Phrase.generate(12)
for name in TABLE.names:
    TABLE.get(name)
refused = 0
for verb in (
    lambda: polkadot.public_half(Secret(bytes(32)), "sr25519"),
    lambda: polkadot.public_half(polkadot.new_material("sr25519", 12).private_key, "sr25519"),
    lambda: polkadot.derive(phrase, "sr25519", "//1"),
    lambda: polkadot.parse_private_key(Secret.from_text("ab" * 64)),
    lambda: polkadot.make_keystore(Secret(bytes(32)), Secret(b"a long password")),
):
    try:
        verb()
    except MissingExtraError as error:
        refused += "strongroom[polkadot]" in error.hint
assert refused == 5, refused
key = polkadot.derive(phrase, "ed25519").private_key
print(polkadot.public_half(key, "ed25519").address, _example(polkadot, "sr25519"))
derivation = Derivation(TABLE)
print(len(list(derivation.addresses(key))) > 1, len(list(derivation.first_addresses(phrase))) > 1)
"""


def test_without_the_extra_sr25519_says_what_to_install_and_the_rest_works() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[1:] == ["None", "True", "True"]


def test_without_the_extra_no_frame_shows_the_key() -> None:
    key = bytes(range(7, 39))
    with mock.patch.object(sr25519, "_installed", return_value=None):
        report = failure_report(POLKADOT.public_half, Secret(key), "sr25519")
        with pytest.raises(MissingExtraError):
            POLKADOT.public_half(Secret(key), "sr25519")
    assert_hides(report, key)
