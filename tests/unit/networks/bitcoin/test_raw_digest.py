"""Raw digests."""

from __future__ import annotations

import pytest

from strongroom.errors import MalformedPayloadError
from strongroom.networks.bitcoin import signer
from testbed.networks.bitcoin_payloads import KEY, point, prepare, script, sign, wallet
from tests.unit.networks.bitcoin.oracles import from_der

HASH = bytes(range(32))


@pytest.mark.parametrize("form", ["p2wpkh", "p2pkh", "p2sh-p2wpkh"])
def test_a_hash_is_signed_with_the_wallets_key(form: str) -> None:
    made = sign(wallet(form), "digest", HASH)
    compact = from_der(made.signature)
    assert compact is not None
    assert signer.verifies_ecdsa(point(KEY), HASH, compact)
    assert made.as_dict() == {
        "algorithm": "ecdsa",
        "public_key": point(KEY).hex(),
        "digest": HASH.hex(),
        "signature": made.signature.hex(),
    }


def test_a_taproot_wallet_signs_with_its_output_key() -> None:
    made = sign(wallet("p2tr"), "digest", HASH)
    assert made.algorithm == "bip340"
    assert made.public_key == script("p2tr", KEY)[2:].hex()
    assert signer.verifies_schnorr(bytes.fromhex(made.public_key), HASH, made.signature)


def test_hexadecimal_digits_are_the_same_hash() -> None:
    for text in (HASH.hex(), f"0x{HASH.hex().upper()}"):
        assert sign(wallet("p2wpkh"), "digest", text) == sign(wallet("p2wpkh"), "digest", HASH)


def test_what_is_prepared_says_that_nobody_knows_what_it_binds() -> None:
    made = prepare(wallet("p2tr"), "digest", HASH)
    assert (made.kind, made.digest, made.replay_scope) == ("digest", HASH, None)
    assert made.intent.summary() == {"address": wallet("p2tr").address, "algorithm": "bip340", "opaque": "true"}


@pytest.mark.parametrize(
    "payload", [None, 7, HASH[:-1], HASH + b"\0", HASH.hex()[:-1], "0X" + HASH.hex(), "é" * 64, []]
)
def test_what_is_no_hash_is_malformed(payload: object) -> None:
    with pytest.raises(MalformedPayloadError):
        prepare(wallet("p2wpkh"), "digest", payload)


def test_there_are_no_options() -> None:
    with pytest.raises(MalformedPayloadError):
        prepare(wallet("p2wpkh"), "digest", HASH, scheme="bip340")
