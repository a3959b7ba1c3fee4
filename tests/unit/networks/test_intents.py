"""What a request would bring about, typed; and that what is read half is opaque."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.networks.evm.prepared import EvmNonce
from strongroom.records.intent import NATIVE, Effect, Fee, Intent, Validity
from strongroom.records.signing import ReplayScope
from testbed.networks import bitcoin_payloads, solana_payloads
from testbed.networks import evm_payloads as evm
from testbed.networks.solana_payloads import TRANSFER, paying

TO = "0x52908400098527886E0F7030069857D2E4169EE7"
SPENDER = "0xde709f2102306220921060314715629080e2fb77"
TOKEN = f"eip155:1/erc20:{TO}"
WORD = (1 << 256) - 1


def word(value: int | str) -> str:
    return f"{int(value, 16) if isinstance(value, str) else value:064x}"


def call(selector: str, *arguments: int | str, **changes: Any) -> Intent:
    data = "0x" + selector + "".join(map(word, arguments))
    fields = {**evm.DYNAMIC_FEE, "to": TO, "value": 0, "data": data, **changes}
    payload = {name: value for name, value in fields.items() if value is not None}
    intent: Intent = evm.prepare("transaction", payload).intent
    return intent


def test_a_transfer_of_ether_is_read_whole() -> None:
    intent = evm.prepare("transaction", {**evm.DYNAMIC_FEE, "to": TO, "value": 5, "data": "0x"}).intent
    assert (intent.effects, intent.opaque, intent.chain) == ((Effect(NATIVE, 5, TO),), False, "eip155:1")
    assert intent.fee == Fee(int(intent.facts["max_fee_wei"]))


def test_calls_of_erc_20_are_read() -> None:
    own = evm.wallet().address
    checksummed = (
        evm.prepare("transaction", {**evm.DYNAMIC_FEE, "to": SPENDER, "data": "0x"}).intent.effects[0].recipient
    )
    assert call("a9059cbb", SPENDER, 7).effects == (Effect(TOKEN, 7, checksummed),)
    assert call("23b872dd", TO, SPENDER, 7).effects == (Effect(TOKEN, 7, checksummed, source=TO),)
    assert call("23b872dd", own, SPENDER, 7).effects == (Effect(TOKEN, 7, checksummed),)
    approved = call("095ea7b3", SPENDER, 7)
    assert approved.effects == (Effect(TOKEN, 7, checksummed, "approve"),)
    assert not approved.opaque
    assert not approved.unlimited
    assert approved.summary()["effects"] == f"approve 7 of {TOKEN} to {checksummed}"
    assert call("095ea7b3", SPENDER, WORD).unlimited
    assert call("095ea7b3", SPENDER, (1 << 96) - 1).unlimited
    assert not call("a9059cbb", SPENDER, WORD).unlimited


@pytest.mark.parametrize(
    ("selector", "arguments", "changes"),
    [
        ("a9059cbb", (SPENDER,), {}),
        ("a9059cbb", (SPENDER, 7, 0), {}),
        ("a9059cbb", (1 << 160, 7), {}),
        ("a9059cbb", (SPENDER, 7), {"value": 1}),
        ("a9059cbb", (SPENDER, 7), {"to": None}),
        ("23b872dd", (SPENDER, 7), {}),
        ("deadbeef", (SPENDER, 7), {}),
        ("", (), {"to": None}),
    ],
)
def test_every_other_call_is_opaque(selector: str, arguments: tuple[Any, ...], changes: dict[str, Any]) -> None:
    intent = call(selector, *arguments, **changes)
    assert intent.opaque
    assert [each.asset for each in intent.effects] == [NATIVE] * bool(changes.get("value", not selector))
    assert intent.summary()["opaque"] == "true"


def permit(value: Any, **changes: Any) -> Intent:
    names = {"owner": "address", "spender": "address", "value": "uint256", "nonce": "uint256", "deadline": "uint256"}
    message = {"owner": evm.wallet().address, "spender": TO, "value": value, "nonce": 0, "deadline": 99, **changes}
    document = {
        "types": {"Permit": [{"name": name, "type": names.get(name, "uint256")} for name in message]},
        "primaryType": "Permit",
        "domain": {"name": "T", "chainId": 1, "verifyingContract": TO},
        "message": message,
    }
    intent: Intent = evm.prepare("typed-data", document).intent
    return intent


def test_a_permit_is_an_approval_and_anything_else_is_opaque() -> None:
    assert permit(7) == Intent(
        "eip155:1",
        (Effect(TOKEN, 7, TO, "approve"),),
        validity=Validity(not_after=99),
        facts=permit(7).facts,
    )
    assert permit("0x07").effects == permit(7).effects
    assert permit(WORD).unlimited
    assert permit(7, owner=TO).effects[0].source == TO
    assert permit(7, more=1).opaque
    assert not permit(7, more=1).effects
    assert evm.prepare("typed-data", evm.MAIL).intent.opaque


def test_a_delegation_names_the_code() -> None:
    intent = evm.prepare("transaction", evm.set_code()).intent
    assert len(intent.delegates) == 1
    assert intent.summary()["delegates"] == intent.delegates[0]


def test_a_message_that_nobody_can_read_is_opaque() -> None:
    for message, opaque in (("hello", False), ("é".encode(), False), (b"\xff" * 32, True)):
        assert evm.prepare("message", message).intent.opaque is opaque
        assert bitcoin_payloads.prepare(bitcoin_payloads.wallet("p2wpkh"), "message", message).intent.opaque is opaque
        assert solana_payloads.prepared("message", message, format="raw").intent.opaque is opaque


def test_a_psbt_shows_every_output_and_its_fee() -> None:
    own, other = (
        bitcoin_payloads.script("p2wpkh", bitcoin_payloads.KEY),
        bitcoin_payloads.script("p2wpkh", bitcoin_payloads.OTHER),
    )
    case = bitcoin_payloads.simple(bitcoin_payloads.In())
    case = replace(case, outputs=((60_000, other), (39_000, own)))
    intent = bitcoin_payloads.prepare(bitcoin_payloads.wallet("p2wpkh"), "psbt", case.psbt()).intent
    assert [(each.amount, each.change) for each in intent.effects] == [(60_000, False), (39_000, True)]
    assert (intent.fee, intent.opaque, intent.chain) == (Fee(1_000), False, bitcoin_payloads.chain().caip2)
    opened = bitcoin_payloads.simple(bitcoin_payloads.In(sighash=0x81))
    assert bitcoin_payloads.prepare(
        bitcoin_payloads.wallet("p2wpkh"), "psbt", opened.psbt(), sighash_allowed=["ALL|ANYONECANPAY"]
    ).intent.opaque


def test_transfers_of_lamports_are_read_and_other_programs_are_opaque() -> None:
    intent = solana_payloads.prepared("transaction", paying(TRANSFER)).intent
    (effect,) = intent.effects
    assert (effect.asset, effect.source, intent.opaque) == (NATIVE, None, False)
    assert intent.fee == Fee(5_000)
    assert solana_payloads.prepared("transaction", bytes(solana_payloads.legacy(solana_payloads.OWN))).intent.opaque


def test_an_intent_is_json() -> None:
    text = json.dumps(call("095ea7b3", SPENDER, WORD).as_dict())
    assert json.loads(text)["effects"][0]["amount"] == str(WORD)


def test_a_replacement_pays_more_in_every_part_and_nothing_replaces_a_damaged_row() -> None:
    scope: ReplayScope = EvmNonce(1, 9, (30, 2))
    assert (scope.domain, scope.sequence, scope.terms) == ("1", "9", "[30, 2]")
    assert scope.may_replace("[29, 1]")
    for terms in ("[30, 1]", "[29, 2]", "[29]", "[1, 1, 1]", "", "{}", "[true, 1]", "[1.0, 1]", "null", "[" * 9999):
        assert not scope.may_replace(terms)


def test_a_transaction_replaces_an_authorization_and_an_authorization_replaces_nothing() -> None:
    delegation: ReplayScope = EvmNonce(1, 9, ())
    assert delegation.terms == "[]"
    assert EvmNonce(1, 9, (30, 2)).may_replace(delegation.terms)
    for terms in ("[30, 2]", "[]", "", "null", "{}"):
        assert not delegation.may_replace(terms)


@given(st.binary(max_size=200))
def test_whatever_the_data_is_it_is_read_whole_or_opaque(data: bytes) -> None:
    intent = evm.prepare("transaction", {**evm.DYNAMIC_FEE, "to": TO, "value": 0, "data": data, "gas": 21_000}).intent
    assert intent.opaque or len(intent.effects) == 1
