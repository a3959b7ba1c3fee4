"""Deriving and comparing: whose address it is, in whatever form it stands, and what a key derives."""

from __future__ import annotations

import base64

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from strongroom.crypto.phrase import Phrase
from strongroom.networks import TABLE
from strongroom.secret import Secret
from strongroom.takeover.doctor.derivation import NO_ADDRESS
from strongroom.takeover.doctor.key_texts import read
from strongroom.usecases.addresses import canonical
from testbed.harness.sizes import examples
from testbed.networks.key_forms import DERIVATION, FAMILIES, Family, address_of, phrase_address
from testbed.networks.known import keys

KEY = bytes.fromhex("4646464646464646464646464646464646464646464646464646464646464646")
OTHER = bytes.fromhex("1ab42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b727")
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
NAMES = [network.name for network in TABLE]
LIKE_OTHERS = ("aptos", "sui", "near")
"""Of Aptos and Sui an address is 0x and 64 digits, of NEAR 64 digits, as keys are: a row has to name the network."""


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_the_network_of_an_address_is_the_named_one_if_it_is_valid_there_else_the_first_of_the_only_space(
    family: Family,
) -> None:
    address = address_of(family, KEY)
    reading = {network.name: network for network in TABLE if canonical(network, address) is not None}
    assert family[0] in reading
    spaces = {network.address_space for network in reading.values()}
    own = {each for each in spaces if each.within not in {space.name for space in spaces}}
    unsaid = len(own) > 1 or all(space.only_named for space in own)
    for named in (*NAMES, "", "atlantis", "Ethereum", "\ud800"):
        target = DERIVATION.target(named, address)
        if named not in reading and unsaid:
            assert target is None, ascii(named)
        else:
            assert target is not None, ascii(named)
            assert target.network.name == (named if named in reading else next(iter(reading)))
            assert target.address == canonical(target.network, address)


@pytest.mark.parametrize("named", ["", "ethereum", "atlantis"])
@pytest.mark.parametrize("family", [family for family in FAMILIES if family[0] in LIKE_OTHERS], ids=str)
def test_what_looks_like_a_key_is_shown_as_an_address_only_where_its_row_names_the_network(
    family: Family, named: str
) -> None:
    address = address_of(family, KEY)
    assert DERIVATION.shown(family[0], address) == address
    for text in (address, KEY.hex(), "0x" + KEY.hex()):
        assert DERIVATION.shown(named, text) == NO_ADDRESS
        assert not DERIVATION.is_address(text)


def test_the_key_says_which_of_two_networks_is_meant_and_not_that_it_is_near() -> None:
    for family in FAMILIES:
        if family[0] in LIKE_OTHERS:
            targets = DERIVATION.targets("ethereum", address_of(family, KEY))
            settled = DERIVATION.settled(targets, [read(KEY.hex())], ())
            assert (None if settled is None else settled.network.name) == (None if family[0] == "near" else family[0])


@pytest.mark.parametrize("spelling", [str.lower, lambda text: "0x" + text[2:].upper()], ids=["lower", "upper"])
def test_an_address_of_the_evm_is_compared_in_its_canonical_form(spelling: object) -> None:
    assert callable(spelling)
    address = address_of(("ethereum", None), KEY)
    target = DERIVATION.target("", spelling(address))
    assert target is not None
    assert target.address == address
    content = DERIVATION.explain(read(KEY.hex()), target)
    assert content is not None
    assert content.derives


def test_a_witness_address_in_capitals_is_compared_in_its_canonical_form() -> None:
    address = address_of(("bitcoin", "default"), KEY)
    target = DERIVATION.target("", address.upper())
    assert target is not None
    assert target.address == address


@pytest.mark.parametrize(
    "address",
    ["", "0x", "0x" + "0" * 39, "0x" + "0" * 41, KEY.hex(), "04" + KEY.hex(), PHRASE, "bc1q", "\0", "\ud800" * 42],
    ids=ascii,
)
def test_what_is_no_address_has_no_network(address: str) -> None:
    assert DERIVATION.target("ethereum", address) is None


def test_a_wrong_checksum_is_no_address() -> None:
    address = address_of(("ethereum", None), KEY)
    place = next(place for place, each in enumerate(address) if each.isalpha() and place > 1)
    assert DERIVATION.target("ethereum", address[:place] + address[place].swapcase() + address[place + 1 :]) is None
    witness = address_of(("bitcoin", "taproot"), KEY)
    assert DERIVATION.target("bitcoin", witness[:-1] + ("q" if witness[-1] != "q" else "p")) is None


@settings(max_examples=examples(300), deadline=None)
@given(st.sampled_from([*NAMES, ""]), st.text(st.characters(exclude_categories=()), max_size=130))
@example("bitcoin", "1" * 512)
@example("bitcoin", "bc1" + "q" * 500)
@example("solana", "1" * 32)
@example("ethereum", "0x" + "٤" * 40)
@example("bitcoin", "bc1\0q")
def test_any_text_may_stand_where_an_address_does(named: str, address: str) -> None:
    target = DERIVATION.target(named, address)
    content = DERIVATION.explain(read(KEY.hex()), target)
    assert content is not None
    assert not content.derives or target is not None


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_key_that_was_opened_offers_every_address_that_it_has(family: Family) -> None:
    assert address_of(family, KEY) in set(DERIVATION.addresses(Secret(KEY)))
    phrase = Phrase.parse(Secret.from_text(PHRASE))
    assert phrase_address(family, PHRASE) in set(DERIVATION.first_addresses(phrase))


@settings(max_examples=examples(10), deadline=None)
@given(keys(), st.sampled_from(FAMILIES))
def test_a_random_key_offers_its_addresses_once_each(key: bytes, family: Family) -> None:
    offered = list(DERIVATION.addresses(Secret(key)))
    assert address_of(family, key) in offered
    spaces = {network.address_space.name: network for network in TABLE}
    most = sum(len(network.schemes) for network in spaces.values())
    assert len(set(offered)) == len(offered) <= most


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_what_would_be_sealed_is_what_derives_the_address(family: Family) -> None:
    target = DERIVATION.target(*(family[0], phrase_address(family, PHRASE, 3)))
    content = DERIVATION.explain(read(PHRASE), target)
    assert content is not None
    assert content.material is not None
    assert target is not None
    assert content.material.mnemonic is not None
    half = target.network.public_half(content.material.private_key, content.material.scheme)
    again = target.network.derive(
        Phrase.parse(Secret.from_text(PHRASE)), content.material.scheme, content.material.path
    )
    assert half.address == target.address
    assert again.private_key.reveal() == content.material.private_key.reveal()
    assert "/3" in (content.material.path or "")


def test_a_phrase_of_another_wallet_is_known_for_a_phrase_with_no_key_of_its_own() -> None:
    content = DERIVATION.explain(read(PHRASE), DERIVATION.target("ethereum", address_of(("ethereum", None), OTHER)))
    assert content is not None
    assert (content.key, content.material, content.derives) == (None, None, False)


def test_without_an_address_a_key_is_a_key_and_what_looks_public_is_nothing() -> None:
    content = DERIVATION.explain(read(KEY.hex()), None)
    assert content is not None
    assert content.key is not None
    assert DERIVATION.explain(read(base64.b64encode(KEY).decode()), None) is None
    assert DERIVATION.explain(read("nothing"), None) is None
