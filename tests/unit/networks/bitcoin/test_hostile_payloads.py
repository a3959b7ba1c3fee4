"""Whatever is passed, what comes out is a result or a SigningError; and no error shows the key."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.errors import SignatureFaultError, SignatureRefusedError, SigningError
from strongroom.networks import TABLE
from strongroom.networks.bitcoin import signer
from strongroom.ports.signing import SigningNetwork
from strongroom.records.signing import SigningRequest
from testbed.failure_report import assert_hides, failure_report
from testbed.harness.sizes import examples
from testbed.networks import preparing
from testbed.networks.bitcoin_payloads import (
    ANY,
    FORMS,
    KEY,
    In,
    PsbtCase,
    cases,
    chain,
    material,
    prepare,
    sign,
    simple,
    wallet,
)
from testbed.networks.known import keys

KINDS = ("psbt", "message", "digest", "transaction", "typed-data")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
OPTIONS = st.dictionaries(
    st.sampled_from(
        ("finalize", "sighash_allowed", "max_fee_sat", "trust_witness_utxo", "scheme", "prefix", "x", 1, None)
    ),
    ANYTHING,
    max_size=2,
)


@given(st.sampled_from(KINDS), st.sampled_from(FORMS), ANYTHING, OPTIONS | ANYTHING)
def test_anything_at_all_is_signed_or_refused(kind: Any, form: str, payload: object, options: Any) -> None:
    with suppress(SigningError):
        preparing.prepare(chain(), wallet(form), SigningRequest(kind, payload, options)).sign(material())


@settings(max_examples=examples(150))
@given(cases(), st.data())
def test_a_psbt_that_was_tampered_with_is_signed_or_refused(case: PsbtCase, data: st.DataObject) -> None:
    psbt = bytearray(case.psbt())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(psbt) - 1))
        what = data.draw(st.sampled_from(("set", "cut", "insert", "copy")))
        if what == "set":
            psbt[at] = data.draw(st.integers(0, 255))
        elif what == "cut":
            del psbt[at : at + data.draw(st.integers(1, 40))]
        elif what == "insert":
            psbt[at:at] = data.draw(st.binary(min_size=1, max_size=10))
        else:
            psbt[at:at] = psbt[at : at + data.draw(st.integers(1, 80))]
        if not psbt:
            break
    lenient: dict[str, Any] = {**ANY, "max_fee_sat": 10**18, "trust_witness_utxo": True, "finalize": True}
    for options in ({}, lenient):
        with suppress(SigningError):
            sign(wallet("p2wpkh"), "psbt", bytes(psbt), **options)


@given(st.binary(max_size=200))
def test_bytes_after_the_magic_are_signed_or_refused(data: bytes) -> None:
    with suppress(SigningError):
        sign(wallet("p2wpkh"), "psbt", b"psbt\xff" + data)


@pytest.mark.parametrize(
    "payload",
    [
        b"psbt\xff" + b"\xff" * 9,
        b"psbt\xff" + b"\x01\x00\xff" + b"\xff" * 8,
        b"psbt\xff" + b"\x01\xef\x00" * 5,
        b"psbt\xff" + b"".join(b"\x04\xef" + n.to_bytes(3) + b"\x00" for n in range(600_000)),
    ],
    ids=["length", "value", "twice", "many"],
)
def test_lengths_that_lie_and_maps_that_are_long_cost_little(payload: bytes) -> None:
    started = time.process_time()
    with pytest.raises(SigningError):
        prepare(wallet("p2wpkh"), "psbt", payload)
    assert time.process_time() - started < 5


# --- secrecy -------------------------------------------------------------------------------------------------


@settings(max_examples=examples(20))
@given(keys().filter(lambda key: key[:16] != bytes(16)))
def test_a_refusal_to_sign_shows_no_key(key: bytes) -> None:
    for form in FORMS:
        for kind, payload in (("psbt", simple(In(form=form)).psbt()), ("message", "hello"), ("digest", bytes(32))):
            made = prepare(wallet(form), kind, payload)
            assert_hides(failure_report(made.sign, material(key, form)), key)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["psbt", "message", "digest"])
def test_a_fault_shows_no_key(form: str, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    key = bytes.fromhex("1ab42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b727")
    payload = simple(In(form=form, key=key)).psbt() if kind == "psbt" else b"\x07" * 32
    made = prepare(wallet(form, key), kind, payload)
    made.sign(material(key))
    monkeypatch.setattr(signer, "_verifies", lambda *_: False)
    monkeypatch.setattr(signer, "recover", lambda *_: None)
    with pytest.raises(SignatureFaultError):
        made.sign(material(key))
    report = failure_report(made.sign, material(key))
    assert_hides(report, key)
    assert_hides(report, signer.tweaked(material(key).private_key).reveal())


def test_a_key_out_of_range_is_refused_and_not_shown() -> None:
    key = b"\xff" * 31 + b"\xfe"
    made = prepare(wallet("p2wpkh"), "psbt", simple(In()).psbt())
    with pytest.raises(SignatureRefusedError):
        made.sign(material(key))
    assert_hides(failure_report(made.sign, material(key)), key)


@given(st.binary(min_size=33, max_size=200))
def test_a_refused_payload_has_no_hidden_cause(data: bytes) -> None:
    for kind, payload in (("psbt", data), ("psbt", data.hex() + "="), ("digest", data), ("message", "\ud800")):
        failure_report(prepare, wallet("p2wpkh"), kind, payload)


def test_results_and_what_is_prepared_hold_nothing_secret() -> None:
    for kind, payload in (("psbt", simple(In()).psbt()), ("message", "hello"), ("digest", bytes(32))):
        made = prepare(wallet("p2wpkh"), kind, payload)
        signed = made.sign(material())
        for shown in (repr(made), repr(signed), repr(signed.as_dict()), repr(made.intent.summary())):
            assert KEY.hex() not in shown


def test_the_networks_of_bitcoin_sign() -> None:
    for name in ("bitcoin", "bitcoin-testnet"):
        assert isinstance(TABLE.get(name), SigningNetwork)
        who = wallet("p2wpkh", network=name)
        made: Any = prepare(who, "psbt", simple(In()).psbt())
        assert made.review.inputs[0].address == who.address
