"""What cannot be read is refused, always by a SigningError, and never with a secret."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from solders.message import to_bytes_versioned

from strongroom.errors import MalformedPayloadError, SignatureRefusedError, SigningError, UnsupportedSigningError
from strongroom.networks import TABLE
from strongroom.networks.curves import ed25519
from strongroom.networks.solana import message
from strongroom.records.signing import SigningRequest
from testbed.failure_report import failure_report, forms
from testbed.networks import preparing, solana_payloads
from testbed.networks.solana_payloads import OTHER, OWN, SEED, compact

KEY = bytes(OWN.pubkey())
KINDS = ("transaction", "message", "digest", "psbt", "typed-data", "authorization", "nothing")
HEAD = bytes([1, 0, 1, 2]) + KEY + b"\x09" * 32 + bytes(32)
"""A payer, a program, a block."""
V0 = b"\x80" + HEAD


def refused(payload: object) -> None:
    with pytest.raises(MalformedPayloadError):
        solana_payloads.prepared("transaction", payload)


def test_the_heads_are_right() -> None:
    solana_payloads.prepared("transaction", HEAD + b"\0")
    solana_payloads.prepared("transaction", V0 + b"\0\0")


@pytest.mark.parametrize(
    "raw",
    [
        HEAD,
        HEAD + b"\0\0",  # a byte behind the end
        HEAD + b"\1",
        HEAD + b"\x80\0",  # a length in two bytes where one would do
        HEAD + b"\x80\x80\0",
        HEAD + b"\x80\x80\x80\0",
        HEAD + b"\x80\x80\x04",  # 65,536
        HEAD + b"\1\0\0\0",  # calls the payer
        HEAD + b"\1\2\0\0",  # calls what is not there
        HEAD + b"\1\1\1\2\0",  # names what is not there
        HEAD + b"\1\1\0\2x",
        bytes([0, 0, 1]) + HEAD[3:] + b"\0",  # nobody signs
        bytes([1, 1, 1]) + HEAD[3:] + b"\0",  # the payer is read-only
        bytes([1, 0, 2]) + HEAD[3:] + b"\0",  # more read-only accounts than there are
        bytes([3, 0, 0]) + HEAD[3:] + b"\0",
        bytes([1, 0, 0, 2]) + KEY + KEY + bytes(32) + b"\0",  # an account twice
        bytes([1, 0, 0, 0]) + bytes(32) + b"\0",
        V0 + b"\0",
        V0 + b"\0\0\0",
        V0 + b"\0\1" + b"\x08" * 32 + b"\0\0",  # takes nothing from a table
        V0 + b"\0\1" + b"\x08" * 32 + compact(255) + bytes(255) + b"\0",  # 257 accounts
        V0 + b"\1\1\1\3\0\1" + b"\x08" * 32 + b"\1\0\0",
        V0 + b"\1\2\0\0\1" + b"\x08" * 32 + b"\1\0\0",  # calls a program of a table
    ],
)
def test_a_message_that_the_runtime_refuses_is_malformed(raw: bytes) -> None:
    refused(raw)
    refused(base64.b64encode(raw).decode())
    refused(b"\1" + bytes(64) + raw)


def test_accounts_of_a_table_may_be_named() -> None:
    for rest in (
        b"\1\1\1\2\0\1" + b"\x08" * 32 + b"\1\0\0",
        b"\0\1" + b"\x08" * 32 + compact(254) + bytes(254) + b"\0",
    ):
        assert solana_payloads.prepared("transaction", V0 + rest).message == V0 + rest


def test_a_text_that_is_neither_base64_nor_base58_says_what_to_pass() -> None:
    with pytest.raises(MalformedPayloadError) as caught:
        solana_payloads.prepared("transaction", "not-a-transaction")
    assert "base58" in caught.value.hint


def test_both_readings_complain() -> None:
    with pytest.raises(MalformedPayloadError, match=r"With signatures: .* As a message alone: "):
        solana_payloads.prepared("transaction", HEAD + b"\0\0")


@pytest.mark.parametrize("version", [1, 2, 63, 126, 127])
def test_other_versions_are_unsupported(version: int) -> None:
    with pytest.raises(UnsupportedSigningError, match=f"version {version} "):
        solana_payloads.prepared("transaction", bytes([0x80 | version]) + HEAD + b"\0\0")


@pytest.mark.parametrize("count", [2, 12, 127])
def test_there_are_as_many_signatures_as_the_message_requires(count: int) -> None:
    refused(bytes([count]) + bytes(64 * count) + HEAD + b"\0")
    refused(bytes([count]) + bytes(64 * count) + V0 + b"\0\0")


def test_a_payload_that_is_two_transactions_is_refused() -> None:
    """Anyone who chose the signature and the keys chose bytes that are a message alone, too."""
    inner = bytes([1, 0, 1, 2]) + bytes(31) + b"\1"  # the last byte: one instruction of the outer message,
    inner += bytes([1, 0, 62]) + bytes(29) + bytes(32) + b"\0"  # which calls account 1 with 62 bytes: the rest
    outer = bytes([1, 0, 0, 2]) + bytes(61) + inner
    message.parse(outer)
    message.parse(inner)
    with pytest.raises(MalformedPayloadError, match="two ways"):
        solana_payloads.prepared("transaction", outer)


@pytest.mark.parametrize(
    "payload", [None, 5, 1.5, "", b"", " ", [], {}, "x" * 1701, bytes(1233), object(), "é", "\ud800"]
)
def test_what_is_no_transaction_is_malformed(payload: object) -> None:
    refused(payload)


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "=", lambda t: "-" + t[1:], lambda t: t[:9] + "\n" + t[9:]]
)
def test_base64_is_read_strictly(change: Any) -> None:
    refused(change(base64.b64encode(HEAD + b"\0").decode()))


def test_an_option_that_is_not_known_is_malformed() -> None:
    for kind in ("transaction", "message", "digest"):
        with pytest.raises(MalformedPayloadError, match="bogus"):
            solana_payloads.prepared(kind, b"x", bogus=1)


def test_options_that_are_no_mapping_are_malformed() -> None:
    network: Any = TABLE.get("solana")
    given: tuple[Any, ...] = ([{}], "format", None, 5)
    for options in given:
        with pytest.raises(MalformedPayloadError, match="not a mapping"):
            preparing.prepare(network, solana_payloads.wallet(), SigningRequest("message", b"x", options))


def test_a_wallet_of_another_network_signs_nothing() -> None:
    network: Any = TABLE.get("solana")
    for address in ("", "0x00", "1" * 31, "1" * 33):
        with pytest.raises(SignatureRefusedError):
            preparing.prepare(
                network, replace(solana_payloads.wallet(), address=address), SigningRequest("message", b"hi")
            )
    with pytest.raises(SignatureRefusedError, match="network"):
        preparing.prepare(
            network, replace(solana_payloads.wallet(), network="ethereum"), SigningRequest("message", b"hi")
        )
    with pytest.raises(UnsupportedSigningError):
        preparing.prepare(network, solana_payloads.wallet(), SigningRequest(["message"], b"hi"))  # type: ignore[arg-type]


def attempt(kind: Any, payload: Any, **options: Any) -> None:
    try:
        made = solana_payloads.prepared(kind, payload, **options)
        signed = made.sign(solana_payloads.material())
    except SigningError:
        return
    assert ed25519.verify(KEY, made.message, signed.signature)
    assert len(made.digest) == 32
    assert all(isinstance(value, str) for value in made.intent.summary().values())
    signed.as_dict()


PAYLOADS = (
    st.binary(max_size=300)
    | st.text(max_size=300)
    | st.none()
    | st.integers()
    | st.dictionaries(st.text(), st.integers())
    | st.lists(st.integers(0, 255))
)


@given(st.sampled_from(KINDS), PAYLOADS)
def test_anything_is_signed_or_refused(kind: str, payload: object) -> None:
    attempt(kind, payload)


@given(
    PAYLOADS,
    st.dictionaries(
        st.sampled_from(["format", "signers", "application_domain", "max_fee", "x"]),
        PAYLOADS | st.just("raw") | st.just("offchain"),
    ),
    st.sampled_from(KINDS),
)
def test_any_options_are_taken_or_refused(payload: object, options: dict[str, object], kind: str) -> None:
    attempt(kind, payload, **options)


@given(solana_payloads.messages(), st.data())
def test_a_damaged_transaction_is_signed_as_it_stands_or_refused(raw: bytes, data: st.DataObject) -> None:
    whole = bytes([raw[1] if raw[0] == 0x80 else raw[0]])
    whole += bytes(64 * whole[0]) + raw
    damaged = bytearray(data.draw(st.sampled_from((raw, whole))))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, 3))
    attempt("transaction", bytes(damaged[: len(damaged) - cut]))


@given(st.binary(max_size=200))
@example(bytes(70))
def test_what_is_read_as_a_message_could_be_one(data: bytes) -> None:
    for raw in (data, HEAD + data, V0 + data):
        try:
            message.parse(raw)
        except SigningError:
            continue
        assert message.could_be(raw)


@pytest.mark.parametrize(
    ("kind", "payload", "seed"),
    [
        ("transaction", to_bytes_versioned(solana_payloads.v0(OWN).message), b"\x77" * 32),
        ("message", b"hello", b"\x77" * 32),
        ("digest", bytes(32), b"\x77" * 31),
    ],
)
def test_a_key_that_is_refused_is_not_shown(kind: str, payload: bytes, seed: bytes) -> None:
    report = failure_report(solana_payloads.prepared(kind, payload).sign, solana_payloads.material(seed))
    assert not [form for form in forms(seed) if form in report]


def test_a_key_is_not_shown_where_its_signature_is_faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ed25519, "verify", lambda *_: False)
    report = failure_report(solana_payloads.prepared("message", b"hello").sign, solana_payloads.material())
    assert not [form for form in forms(SEED) | forms(bytes(OWN)) if form in report]


def test_a_refused_payload_is_not_shown() -> None:
    """What was passed by mistake may be a key."""
    for kind in ("transaction", "digest"):
        report = failure_report(lambda kind=kind: solana_payloads.prepared(kind, bytes(OTHER)))
        assert str(OTHER) not in report.rsplit("Traceback", 1)[0]
        with pytest.raises(SigningError) as caught:
            solana_payloads.prepared(kind, str(OTHER))
        assert str(OTHER) not in str(caught.value) + caught.value.hint
