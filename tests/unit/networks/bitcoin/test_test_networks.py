"""Signet, testnet4 and regtest: the keys and signatures of the testnet, each under its own name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import InvalidAddressError, SignatureRefusedError
from strongroom.networks import TABLE
from strongroom.networks.codecs import segwit_address
from strongroom.secret import Secret
from testbed.networks.bitcoin_payloads import FORMS, KEY, In, chain, prepare, sign, simple, wallet
from testbed.networks.known import keys

SHARED = ("bitcoin-testnet", "bitcoin-signet", "bitcoin-testnet4")
REGTEST = "bitcoin-regtest"
EVERY = (*SHARED, REGTEST)


@given(keys())
def test_three_of_them_share_their_addresses_and_regtest_those_of_base58(key: bytes) -> None:
    testnet = chain("bitcoin-testnet")
    for name in EVERY:
        for scheme in testnet.schemes:
            ours, theirs = (each.public_half(Secret(key), scheme).address for each in (chain(name), testnet))
            if name == REGTEST and scheme in ("bip84", "bip86"):
                assert ours.startswith("bcrt1")
                assert segwit_address.decode("bcrt", ours) == segwit_address.decode("tb", theirs)
                for network, other in ((testnet, ours), (chain(REGTEST), theirs)):
                    with pytest.raises(InvalidAddressError):
                        network.parse_address(other)
            else:
                assert ours == theirs
        text = chain(name).format_private_key(Secret(key))
        assert text.reveal() == testnet.format_private_key(Secret(key)).reveal()


def test_each_has_a_chain_id_of_its_own_and_the_paths_of_testnets() -> None:
    assert len({TABLE.get(name).caip2 for name in EVERY}) == len(EVERY)
    for name in EVERY:
        assert TABLE.get(name).coin_type == 1
        assert TABLE.get(name).path("bip84", 3) == "m/84'/1'/0'/0/3"
    assert {TABLE.get(name).address_space.name for name in SHARED} == {"bitcoin-test"}
    assert TABLE.get(REGTEST).address_space.name != "bitcoin-test"


@pytest.mark.parametrize("name", ["bitcoin-signet", "bitcoin-testnet4", REGTEST])
@pytest.mark.parametrize("form", FORMS)
def test_they_sign_what_the_testnet_signs(name: str, form: str) -> None:
    payload = simple(In(form=form)).psbt()
    ours, theirs = (sign(wallet(form, network=each), "psbt", payload) for each in (name, "bitcoin-testnet"))
    if form != "p2tr":  # whose signatures are random
        assert ours.psbt == theirs.psbt
    intent = prepare(wallet(form, network=name), "psbt", payload).intent
    assert intent.chain == chain(name).caip2
    shown = [effect.recipient for effect in intent.effects]
    assert shown
    assert all(each is not None and chain(name).parse_address(each) == each for each in shown)
    assert sign(wallet(form, network=name), "message", "hello").address == wallet(form, network=name).address


@given(st.sampled_from(EVERY), st.sampled_from(("bitcoin", REGTEST, "bitcoin-testnet")))
def test_a_wallet_signs_on_its_own_network_alone(name: str, other: str) -> None:
    own = wallet("p2wpkh", network=name)
    if TABLE.get(other).address_space == TABLE.get(name).address_space:
        return
    moved = wallet("p2wpkh", network=other, address=own.address)
    with pytest.raises(SignatureRefusedError):
        prepare(moved, "message", "hello")
    assert sign(own, "message", "hello", KEY).address == own.address
