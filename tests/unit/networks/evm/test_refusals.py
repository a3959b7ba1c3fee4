"""Nothing that is asked leads to another error than a SigningError, and no error shows a key."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strongroom.errors import (
    MalformedPayloadError,
    SignatureRefusedError,
    SigningError,
    UnsupportedSigningError,
)
from strongroom.networks.evm import signature
from strongroom.networks.evm.prepared import EvmNonce
from testbed.failure_report import assert_hides, failure_report, forms
from testbed.harness.sizes import examples
from testbed.networks import evm_payloads as made
from testbed.networks.evm_payloads import ACCESS_LIST, BLOB, DYNAMIC_FEE, LEGACY, MAIL, TO

KINDS = ("message", "typed-data", "transaction", "authorization", "digest")
AUTHORIZATION = {"chainId": 1, "address": TO, "nonce": 0}
CANARY = bytes.fromhex("c0ffee5ec4e7") * 5 + b"\1\2"


class _Hostile(Mapping[str, Any]):
    """A mapping that raises."""

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        raise ZeroDivisionError

    def __len__(self) -> int:
        return 1


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**300), 2**300)
    | st.floats()
    | st.text(max_size=20)
    | st.text(st.characters(), max_size=5)
    | st.binary(max_size=40)
    | st.sampled_from(("0x", "0x0", "0x1", TO, "{", "{}", "\ud800", b"\xff", 2**256, bytearray(b"\1"), object()))
)
NAMES = st.sampled_from((*LEGACY, *ACCESS_LIST, *BLOB, *MAIL, "authorizationList", "from", "address", "storageKeys"))
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(NAMES | st.text(max_size=5) | st.integers(), inner, max_size=5)
    ),
    max_leaves=12,
)
FAST = settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def tried(kind: Any, payload: Any, options: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Whatever comes back is prepared, or refused with an error that was made here."""
    try:
        prepared = made.prepare_with(kind, payload, options)
    except SigningError as refused:
        assert refused.__cause__ is None
        assert refused.__context__ is None
        assert refused.message
        return
    assert len(prepared.digest) == 32
    assert all(isinstance(value, str) and value.isprintable() for value in prepared.intent.summary().values())
    assert prepared.replay_scope is None or isinstance(prepared.replay_scope, EvmNonce)
    prepared.sign(made.material())


@pytest.mark.parametrize("kind", KINDS)
@FAST
@given(payload=ANYTHING)
def test_no_payload_leads_to_another_error(kind: str, payload: Any) -> None:
    tried(kind, payload)


@FAST
@given(st.sampled_from((LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB, made.set_code())), st.dictionaries(NAMES, ANYTHING))
def test_no_field_of_a_transaction_leads_to_another_error(payload: dict[str, Any], changes: dict[str, Any]) -> None:
    tried("transaction", {**payload, **changes})
    if "authorizationList" in payload:
        tried("transaction", {**payload, "authorizationList": [{**payload["authorizationList"][0], **changes}]})


@FAST
@given(st.binary(max_size=120), st.sampled_from((b"", b"\1", b"\2", b"\3", b"\4")))
def test_no_serialized_bytes_lead_to_another_error(data: bytes, prefix: bytes) -> None:
    tried("transaction", prefix + data, {"allow_unprotected": True})


@FAST
@given(st.data())
def test_no_spoilt_transaction_leads_to_another_error(data: st.DataObject) -> None:
    raw = bytearray.fromhex("02e80180843b9aca008506fc23ac00825208943535353535353535353535353535353535353535018203e8c0")
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    tried("transaction", bytes(raw))


@FAST
@given(st.data())
def test_no_spoilt_document_leads_to_another_error(data: st.DataObject) -> None:
    document = copy.deepcopy(MAIL)
    for _ in range(data.draw(st.integers(1, 3))):
        at: Any = document
        while True:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if isinstance(at[key], (dict, list)) and data.draw(st.booleans()):
                at = at[key]
                continue
            if data.draw(st.booleans()):
                del at[key]
            else:
                at[key] = data.draw(ANYTHING)
            break
    tried("typed-data", document)


@FAST
@given(st.text(max_size=30) | st.sampled_from(KINDS), ANYTHING, st.dictionaries(st.text(max_size=5), ANYTHING))
def test_no_kind_and_no_option_lead_to_another_error(kind: str, payload: Any, options: dict[str, Any]) -> None:
    tried(kind, payload, options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("payload", [_Hostile(), type("Odd", (dict,), {})(), memoryview(b"\1\2\3\4")[::2]])
def test_odd_objects(kind: str, payload: Any) -> None:
    tried(kind, payload)


def test_a_released_view_is_refused() -> None:
    view = memoryview(b"\1\2\3")
    view.release()
    for kind in KINDS:
        with pytest.raises(MalformedPayloadError):
            made.prepare(kind, view)


@pytest.mark.parametrize("kind", ["psbt", "", "MESSAGE", "typed_data", None, 1, ["message"]])
def test_another_kind_is_not_signed(kind: Any) -> None:
    with pytest.raises(UnsupportedSigningError):
        made.prepare(kind, b"")


@pytest.mark.parametrize(
    ("kind", "payload", "options"),
    [
        ("message", b"", {"allow_other_chain": True}),
        ("digest", bytes(32), {"max_fee": 1}),
        ("typed-data", MAIL, {"allow_unprotected": True}),
        ("typed-data", MAIL, {"allow_other_chain": 1}),
        ("typed-data", MAIL, {"allow_other_chain": "yes"}),
        ("typed-data", MAIL, {"allow_other_chain": None}),
        ("transaction", LEGACY, {"sighash": "all"}),
        ("transaction", LEGACY, {"max_fee": "1"}),
        ("transaction", LEGACY, {"max_fee": True}),
        ("transaction", LEGACY, {"max_fee": None}),
        ("authorization", AUTHORIZATION, {"allow_other_chain": True}),
    ],
)
def test_unknown_options_and_values_are_refused(kind: str, payload: Any, options: dict[str, Any]) -> None:
    with pytest.raises(MalformedPayloadError):
        made.prepare_with(kind, payload, options)


@pytest.mark.parametrize("options", [None, [], {1: True}, {None: 1}, _Hostile()])
def test_options_that_are_no_mapping_are_refused(options: Any) -> None:
    with pytest.raises(MalformedPayloadError):
        made.prepare_with("message", b"", options)


# --- messages, hashes, authorizations ------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [None, 1, [], {}, ["a"], "\ud800", object()])
def test_messages_are_bytes_or_text(payload: Any) -> None:
    with pytest.raises(MalformedPayloadError):
        made.prepare("message", payload)


def test_a_message_is_signed_as_it_is() -> None:
    assert made.signature("message", "0xab") != made.signature("message", b"\xab")
    assert made.signature("message", "0xab") == made.signature("message", b"0xab")
    assert made.signature("message", bytearray(b"ab")) == made.signature("message", "ab")
    assert made.prepare("message", "é").intent.summary() == {"scheme": "EIP-191", "message_bytes": "2"}


@pytest.mark.parametrize("payload", [b"", bytes(31), bytes(33), "0x" + "00" * 31, "00" * 32, "", None, 1, [0] * 32])
def test_a_raw_digest_is_of_32_bytes(payload: Any) -> None:
    with pytest.raises(MalformedPayloadError):
        made.prepare("digest", payload)


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        b"",
        "",
        {},
        {"chainId": 1, "address": TO},
        {"chainId": 1, "nonce": 0},
        {**AUTHORIZATION, "nonce": 2**64 - 1},
        {**AUTHORIZATION, "nonce": "0"},
        {**AUTHORIZATION, "address": None},
        {**AUTHORIZATION, "address": ""},
        {**AUTHORIZATION, "chainId": "1"},
        {**AUTHORIZATION, "chain_id": 1},
        {**AUTHORIZATION, "yParity": 0},
        {**AUTHORIZATION, "from": TO},
    ],
    ids=str,
)
def test_authorizations_that_cannot_be_read_are_refused(payload: Any) -> None:
    with pytest.raises(MalformedPayloadError):
        made.prepare("authorization", payload)


def test_an_authorization_is_for_the_wallets_chain_or_meant_for_all() -> None:
    for chain_id in (2, 137, None):
        for options in ({}, {"allow_any_chain": True}):
            with pytest.raises(SignatureRefusedError):
                made.prepare_with("authorization", {**AUTHORIZATION, "chainId": chain_id}, options)
    with pytest.raises(SignatureRefusedError) as refused:
        made.prepare("authorization", {**AUTHORIZATION, "chainId": 0})
    assert "allow_any_chain" in refused.value.hint
    assert made.authorization({**AUTHORIZATION, "chainId": 0}, allow_any_chain=True).chain_id == 0


def test_an_authorization_in_many_spellings() -> None:
    wanted = made.authorization(AUTHORIZATION)
    for payload in (
        json.dumps(AUTHORIZATION),
        {"chain_id": "0x1", "address": bytes.fromhex(TO[2:]), "nonce": "0x0"},
    ):
        assert made.authorization(payload) == wanted
    prepared = made.prepare("authorization", AUTHORIZATION)
    summary = {"chain": "eip155:1", "nonce": "0", "code_of": TO, "delegates": TO}
    assert (prepared.intent.summary(), prepared.replay_scope) == (summary, EvmNonce(1, 0, ()))
    ended = made.prepare("authorization", {**AUTHORIZATION, "chainId": 0, "address": bytes(20)}, allow_any_chain=True)
    assert ended.intent.summary() == {"chain": "any", "nonce": "0", "code_of": "none: ends the delegation"}


# --- nothing secret ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [CANARY, b"\xff" * 26 + CANARY[:6], CANARY[:31]])
def test_a_key_that_is_refused_is_not_shown(key: bytes) -> None:
    for kind, payload in (("transaction", LEGACY), ("message", b"hi"), ("authorization", AUTHORIZATION)):
        prepared = made.prepare(kind, payload)
        assert_hides(failure_report(prepared.sign, made.material(key)), key)


def test_a_fault_shows_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = made.prepare("message", b"hi", CANARY)
    monkeypatch.setattr(signature, "verifies", lambda *_: False)
    report = failure_report(prepared.sign, made.material(CANARY))
    assert "SignatureFaultError" in report
    assert_hides(report, CANARY)


def test_a_key_in_the_wrong_place_is_not_quoted() -> None:
    """A message quotes no value; frames hold what the caller passed as public."""
    text = CANARY.hex()
    for kind, payload in (
        ("transaction", {**LEGACY, text: 1}),
        ("transaction", {**LEGACY, "nonce": text}),
        ("transaction", {**LEGACY, "chainId": "0x" + text}),
        ("transaction", {**LEGACY, "gas": "0x" + text}),
        ("authorization", {**AUTHORIZATION, "chainId": "0x" + text}),
        ("typed-data", {**MAIL, "domain": {**MAIL["domain"], "chainId": "0x" + text}}),
        ("transaction", text),
        ("typed-data", {**MAIL, text: 1}),
        ("typed-data", {**MAIL, "primaryType": text}),
        ("typed-data", {**MAIL, "types": {**MAIL["types"], "A": [{"name": "a" + text, "type": "a" + text}]}}),
        ("authorization", {text: text}),
        ("digest", text),
        (text, b""),
    ):
        with pytest.raises(SigningError) as refused:
            made.prepare(kind, payload)
        assert text not in repr(refused.value.as_dict())
        assert str(int(text, 16)) not in repr(refused.value.as_dict())
    with pytest.raises(SigningError) as refused:
        made.prepare_with("message", b"", {text: text})
    assert text not in repr(refused.value.as_dict())


def test_what_is_prepared_and_signed_shows_no_key() -> None:
    for kind, payload in (("transaction", LEGACY), ("message", b"hi"), ("authorization", AUTHORIZATION)):
        prepared = made.prepare(kind, payload, CANARY)
        signed = prepared.sign(made.material(CANARY))
        for form in forms(CANARY):
            assert form not in f"{prepared!r} {signed!r} {signed.as_dict()} {prepared.intent.summary()}"
