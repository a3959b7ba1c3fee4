"""The chains' own libraries, xrpl-py, stellar-sdk and py-algorand-sdk, asked about random keys, texts and addresses."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strongroom.errors import InvalidAddressError
from strongroom.networks import TABLE
from strongroom.secret import Secret
from testbed.harness.sizes import examples
from testbed.networks.known import passphrases, phrase, phrases
from testbed.oracles.chain_sdks import ChainSdks

pytestmark = pytest.mark.thorough

SLOW = settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
THIRTY_TWO = st.binary(min_size=32, max_size=32)
SIXTEEN = st.binary(min_size=16, max_size=16)
SEEDS = {"family-seed": "secp256k1", "family-seed-ed25519": "ed25519"}


@SLOW
@given(seed=SIXTEEN, scheme=st.sampled_from(sorted(SEEDS)))
def test_family_seeds_are_those_of_xrpl_py(sdks: ChainSdks, seed: bytes, scheme: str) -> None:
    network, theirs = TABLE.get("xrp"), sdks.ask("xrp-seed", entropy=seed.hex(), algorithm=SEEDS[scheme])
    text = Secret.from_text(theirs["seed"])
    assert network.parse_private_key(text).reveal() == seed
    assert network.scheme_of_key(text, None) == scheme
    assert network.format_private_key(Secret(seed), scheme).reveal_text() == theirs["seed"]
    half = network.public_half(Secret(seed), scheme)
    assert half.address == theirs["address"]
    assert half.public_key.upper() == theirs["public"].removeprefix("ED" if scheme.endswith("ed25519") else "")


@SLOW
@given(key=THIRTY_TWO)
def test_ed25519_keys_have_the_addresses_of_xrpl_py(sdks: ChainSdks, key: bytes) -> None:
    half = TABLE.get("xrp").public_half(Secret(key), "ed25519")
    assert half.address == sdks.ask("xrp-key", public="ED" + half.public_key.upper())


@SLOW
@given(seed=SIXTEEN, tag=st.none() | st.integers(0, 2**32 - 1), test=st.booleans())
def test_x_addresses_are_those_of_xrpl_py(sdks: ChainSdks, seed: bytes, tag: int | None, test: bool) -> None:
    network, other = TABLE.get("xrp-testnet" if test else "xrp"), TABLE.get("xrp" if test else "xrp-testnet")
    address = network.public_half(Secret(seed), "family-seed").address
    text = sdks.ask("xrp-x-address", address=address, tag=tag, test=test)
    if tag is None:
        assert network.parse_address(text) == address
    else:
        with pytest.raises(InvalidAddressError):
            network.parse_address(text)
    with pytest.raises(InvalidAddressError):
        other.parse_address(text)


@SLOW
@given(key=THIRTY_TWO)
def test_keys_have_the_texts_of_stellar_sdk(sdks: ChainSdks, key: bytes) -> None:
    network, theirs = TABLE.get("stellar"), sdks.ask("stellar", key=key.hex())
    address = network.public_half(Secret(key), "sep5").address
    assert address == theirs["address"]
    assert sdks.ask("stellar-valid", text=address)
    assert network.format_private_key(Secret(key)).reveal_text() == theirs["seed"]
    assert network.parse_private_key(Secret.from_text(theirs["seed"])).reveal() == key


@SLOW
@given(words=phrases(), passphrase=passphrases(), index=st.integers(0, 2**31 - 1))
def test_phrases_have_the_accounts_of_stellar_sdk(sdks: ChainSdks, words: str, passphrase: str, index: int) -> None:
    network = TABLE.get("stellar")
    material = network.derive(phrase(words, passphrase), "sep5", network.path("sep5", index))
    theirs = sdks.ask("stellar-phrase", words=words, passphrase=passphrase, index=index)
    assert network.public_half(material.private_key, "sep5").address == theirs["address"]
    assert network.format_private_key(material.private_key).reveal_text() == theirs["seed"]


@SLOW
@given(key=THIRTY_TWO)
def test_keys_have_the_words_and_addresses_of_py_algorand_sdk(sdks: ChainSdks, key: bytes) -> None:
    network, theirs = TABLE.get("algorand"), sdks.ask("algorand", key=key.hex())
    address = network.public_half(Secret(key), "slip10").address
    assert address == theirs["address"]
    assert sdks.ask("algorand-valid", text=address)
    assert network.format_private_key(Secret(key)).reveal_text() == theirs["words"]
    assert network.parse_private_key(Secret.from_text(theirs["words"])).reveal() == key
