"""Messages: the published vectors of BIP-322, the legacy scheme, and what other tools verify."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.errors import MalformedPayloadError, UnsupportedSigningError
from strongroom.networks import TABLE
from strongroom.networks.bitcoin import messages, signer
from strongroom.networks.bitcoin.sighash import Sighashes
from strongroom.networks.bitcoin.transaction import BitcoinTransaction, TransactionOutput
from strongroom.records.signing import SigningRequest
from strongroom.secret import Secret
from testbed.harness.sizes import examples
from testbed.networks import preparing
from testbed.networks.bitcoin_payloads import (
    FORMS,
    KEY,
    chain,
    output_bytes,
    point,
    prepare,
    script,
    sign,
    wallet,
    write_map,
)
from testbed.networks.bitcoin_payloads import txid as hash_of
from testbed.networks.known import keys
from tests.unit.networks.bitcoin.oracles import bdk_transaction, wally


def key(wif: str) -> bytes:
    return TABLE.get("bitcoin").parse_private_key(Secret.from_text(wif)).reveal()


PUBLISHED = key("L3VFeEujGtevx9w18HD1fhRbCH67Az2dpCymeRE1SoPK6XQtaN2k")  # of BIP-322
ADDRESS = "bc1q9vza2e8x573nczrlzms0wvx3gsqjx7vavgkx0l"

HASHES = [  # message; its hash; to_spend; to_sign: BIP-322, basic-test-vectors.json
    (
        "",
        "c90c269c4f8fcbe6880f72a721ddfbf1914268a794cbb21cfafee13770ae19f1",
        "c5680aa69bb8d860bf82d4e9cd3504b55dde018de765a91bb566283c545a99a7",
        "1e9654e951a5ba44c8604c4de6c67fd78a27e81dcadcfe1edf638ba3aaebaed6",
    ),
    (
        "Hello World",
        "f0eb03b1a75ac6d9847f55c624a99169b5dccba2a31f5b23bea77ba270de0a7a",
        "b79d196740ad5217771c1098fc4a4b51e0535c32236c71f1ea4d61a2d603352b",
        "88737ae86f2077145f93cc4b153ae9a1cb8d56afa511988c149c5c8c9d93bddf",
    ),
    (
        "UTF-8 support: öäüéàè 测试文本 \U0001f604",
        "43936b237ea38c7794eb5d755e0d220b6db92ebfc5c8f482759d22b1286376d7",
        "c8f4f525fe8afb1bc09b44175bd2096f079c98425e8a1be676b712add1fb62f0",
        "8f488e06b89eafd019ec528109eafaf7f1d1811fd617aa1eeb9658f1c1be6586",
    ),
]
SIGNED = [  # key, form, message, signature
    (
        "L3VFeEujGtevx9w18HD1fhRbCH67Az2dpCymeRE1SoPK6XQtaN2k",
        "p2wpkh",
        "",
        "AkcwRAIgM2gBAQqvZX15ZiysmKmQpDrG83avLIT492QBzLnQIxYCIBaTpOaD20qRlEylyxFSeEA2ba9YOixpX8z46TSDtS40"
        "ASECx/EgAxlkQpQ9hYjgGu6EBCPMVPwVIVJqO4XCsMvViHI=",
    ),
    (
        "L3VFeEujGtevx9w18HD1fhRbCH67Az2dpCymeRE1SoPK6XQtaN2k",
        "p2wpkh",
        "Hello World",
        "AkcwRAIgZRfIY3p7/DoVTty6YZbWS71bc5Vct9p9Fia83eRmw2QCICK/ENGfwLtptFluMGs2KsqoNSk89pO7F29zJLUx9a/s"
        "ASECx/EgAxlkQpQ9hYjgGu6EBCPMVPwVIVJqO4XCsMvViHI=",
    ),
    (
        "L3VFeEujGtevx9w18HD1fhRbCH67Az2dpCymeRE1SoPK6XQtaN2k",
        "p2tr",
        "Hello World",
        "AUHd69PrJQEv+oKTfZ8l+WROBHuy9HKrbFCJu7U1iK2iiEy1vMU5EfMtjc+VSHM7aU0SDbak5IUZRVno2P5mjSafAQ==",
    ),
    (
        "L1W6mc2yYRcDCkhwhFASvvacvp6Pm4u29dxK9RJHVorXqLciTdq4",
        "p2wpkh",
        "ESHJI7MWUL64AXHBI42L3UR4QA",
        "AkcwRAIgCYHF/vn67iZX5WBimh84kqD6pTME6eNCMGhfFnnwCNECIAF3nMCk/RfLit+uv8a8FgfQIw0f0ASE21GSz7rX17Ps"
        "ASEDTA2vM8bOtUFgvenSDUmvkq7aWNwoTB0CMiM6carHY1s=",
    ),
]
TAPROOT_DEFAULT = (  # BIP-322, generated-test-vectors.json: the type DEFAULT, where we sign ALL
    "L1rPtXzPkeCuXArPk5QKfaU4PCx16S2zCXnYtFSMGHiDkQyWw5fv",
    "TPIZPITUIHEUHO5ACOL6W6MBVD",
    "AUBay6NwR4LEYedkTG+vE9F7C0RTOCB5NH6ZAqf+3hudjHIkOzSZk1jW/5Kt0wRKX3llJ25os+0qktdou4/Y8516",
)


@pytest.mark.parametrize(("message", "hashed", "spend", "to_sign"), HASHES)
def test_the_transactions_of_a_message_are_those_of_bip_322(
    message: str, hashed: str, spend: str, to_sign: str
) -> None:
    who = script("p2wpkh", PUBLISHED)
    assert wallet("p2wpkh", PUBLISHED).address == ADDRESS
    assert messages.message_hash(message.encode()).hex() == hashed
    assert messages.to_spend(who, message.encode()).txid() == spend
    assert messages.to_sign(who, message.encode()).txid() == to_sign


@pytest.mark.parametrize(("wif", "form", "message", "signature"), SIGNED)
def test_messages_are_signed_as_published(wif: str, form: str, message: str, signature: str) -> None:
    who = wallet(form, key(wif))
    made = sign(who, "message", message, key(wif))
    assert made.signature == "smp" + signature
    assert made.scheme == "simple"
    assert sign(who, "message", message.encode(), key(wif), prefix=False).signature == signature


def test_the_published_taproot_signature_of_the_other_type_is_over_our_hash() -> None:
    wif, message, signature = TAPROOT_DEFAULT
    who = script("p2tr", key(wif))
    digest = Sighashes(messages.to_sign(who, message.encode()), (TransactionOutput(0, who),)).taproot(0, 0)
    assert signer.verifies_schnorr(who[2:], digest, base64.b64decode(signature)[2:])


def as_psbt(form: str, message: bytes, key: bytes, finished: BitcoinTransaction) -> bytes:
    """A PSBT of a full signature, for another library to run the scripts."""
    who = script(form, key)
    spend = messages.to_spend(who, message).serialise()
    fields: dict[bytes, bytes] = {b"\x00": spend} if form == "p2pkh" else {b"\x01": output_bytes(0, who)}
    assert hash_of(spend) == finished.inputs[0].txid
    if finished.inputs[0].script_sig:
        fields[b"\x07"] = finished.inputs[0].script_sig
    if finished.inputs[0].witness:
        items = finished.inputs[0].witness
        fields[b"\x08"] = bytes((len(items),)) + b"".join(bytes((len(each),)) + each for each in items)
    unsigned = messages.to_sign(who, message).serialise()
    return b"psbt\xff" + b"".join(map(write_map, ({b"\x00": unsigned}, fields, {})))


@settings(max_examples=examples(25), deadline=None)
@given(st.sampled_from(FORMS), keys(), st.binary(max_size=300))
def test_full_signatures_run_in_libwally_as_the_transaction_that_they_are(
    form: str, key: bytes, message: bytes
) -> None:
    made = sign(wallet(form, key), "message", message, key, scheme="full")
    raw = base64.b64decode(made.signature.removeprefix("ful"))
    finished = BitcoinTransaction.parse(raw, "to_sign")
    assert finished.serialise() == raw
    theirs = wally.psbt_from_bytes(as_psbt(form, message, key, finished), wally.WALLY_PSBT_PARSE_FLAG_STRICT)
    assert bytes(wally.tx_to_bytes(wally.psbt_extract(theirs, 0), wally.WALLY_TX_FLAG_USE_WITNESS)) == raw


@settings(max_examples=examples(15), deadline=None)
@given(st.sampled_from(("p2wpkh", "p2tr", "p2sh-p2wpkh")), keys(), st.text(max_size=80))
def test_bdk_runs_the_script_of_a_message(form: str, key: bytes, message: str) -> None:
    data = message.encode(errors="replace")
    made = sign(wallet(form, key), "message", data, key, scheme="full")
    finished = BitcoinTransaction.parse(base64.b64decode(made.signature.removeprefix("ful")), "to_sign")
    assert bdk_transaction(as_psbt(form, data, key, finished)) == finished.serialise()


# --- the legacy scheme ---------------------------------------------------------------------------------------


@given(st.sampled_from(("p2pkh", "p2wpkh", "p2sh-p2wpkh")), keys(), st.binary(max_size=400))
def test_a_legacy_signature_recovers_the_public_key_and_says_how_the_address_is_made(
    form: str, key: bytes, message: bytes
) -> None:
    made = sign(wallet(form, key), "message", message, key, scheme="legacy")
    raw = base64.b64decode(made.signature)
    assert len(raw) == 65
    length = bytes((len(message),)) if len(message) < 253 else b"\xfd" + len(message).to_bytes(2, "little")
    whole = b"\x18Bitcoin Signed Message:\n" + length + message
    digest = hashlib.sha256(hashlib.sha256(whole).digest()).digest()
    assert made.digest == digest
    base = {"p2pkh": 31, "p2sh-p2wpkh": 35, "p2wpkh": 39}[form]
    assert base <= raw[0] <= base + 3
    assert bytes(wally.ec_sig_to_public_key(digest, bytes((raw[0] - base + 31,)) + raw[1:])) == point(key)
    if message:  # libwally takes no empty one
        assert bytes(wally.format_bitcoin_message(message, wally.BITCOIN_MESSAGE_FLAG_HASH)) == digest


def test_a_legacy_signature_that_other_tools_made_is_made_here() -> None:
    """bitcoinjs-message, README: the message that all of them sign; RFC 6979 without a search for a low r."""
    wif = "L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1"
    made = sign(wallet("p2pkh", key(wif)), "message", "This is an example of a signed message.", key(wif))
    assert wallet("p2pkh", key(wif)).address == "1F3sAm6ZtwLAUnj7d38pGFxtP3RVEvtsbV"
    assert made.scheme == "legacy"
    assert made.signature == "H9L5yLFjti0QTHhPyFrZCT1V/MMnBtXKmoiKDZ78NDBjERki6ZTQZdSMCtkgoNmp17By9ItJr8o7ChX0XxY91nk="


# --- which scheme for which wallet ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "scheme", "beginning"),
    [("p2wpkh", "simple", "smp"), ("p2tr", "simple", "smp"), ("p2sh-p2wpkh", "full", "ful"), ("p2pkh", "legacy", "")],
)
def test_each_wallet_has_the_scheme_that_verifiers_expect(form: str, scheme: str, beginning: str) -> None:
    made = sign(wallet(form), "message", "hello")
    assert made.scheme == scheme
    assert made.signature.startswith(beginning)
    assert made.as_dict() == {
        "address": wallet(form).address,
        "scheme": scheme,
        "signature": made.signature,
        "digest": made.digest.hex(),
    }


@pytest.mark.parametrize(
    ("form", "options"),
    [("p2tr", {"scheme": "legacy"}), ("p2pkh", {"scheme": "simple"}), ("p2sh-p2wpkh", {"scheme": "simple"})],
)
def test_what_the_standards_do_not_have_is_not_invented(form: str, options: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedSigningError):
        prepare(wallet(form), "message", "hello", **options)


def test_the_draft_form_of_a_nested_address_is_there_for_who_asks() -> None:
    made = sign(wallet("p2sh-p2wpkh"), "message", "hello", scheme="simple", prefix=False)
    full = BitcoinTransaction.parse(
        base64.b64decode(sign(wallet("p2sh-p2wpkh"), "message", "hello").signature[3:]), "tx"
    )
    assert base64.b64decode(made.signature)[0] == 2
    assert base64.b64decode(made.signature).endswith(full.inputs[0].witness[1])


@pytest.mark.parametrize("payload", [None, 5, 1.5, ["hello"], {"message": "hello"}, object(), "\ud800", b"x" * 65_537])
def test_what_is_no_message_is_malformed(payload: object) -> None:
    with pytest.raises(MalformedPayloadError):
        prepare(wallet("p2wpkh"), "message", payload)


@pytest.mark.parametrize("options", [{"scheme": "bip137"}, {"scheme": 1}, {"prefix": "no"}, {"unknown": 1}, {1: 2}])
def test_options_that_are_none_are_malformed(options: dict[str, Any]) -> None:
    with pytest.raises(MalformedPayloadError):
        preparing.prepare(chain(), wallet("p2wpkh"), SigningRequest("message", "hello", options))


def test_the_summary_names_the_message_by_its_hash() -> None:
    made = prepare(wallet("p2wpkh"), "message", "hello")
    assert made.intent.summary() == {
        "address": wallet("p2wpkh").address,
        "scheme": "simple",
        "message_bytes": "5",
        "message_sha256": hashlib.sha256(b"hello").hexdigest(),
    }
    assert made.kind == "message"
    assert made.replay_scope is None
    assert len(made.digest) == 32
    assert KEY.hex() not in repr(made)
