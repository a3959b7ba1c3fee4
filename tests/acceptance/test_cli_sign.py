"""``strongroom sign``: what is refused by default, and the option that its hint names."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from strongroom.networks.bitcoin import psbt_fields as fields
from strongroom.networks.bitcoin.psbt import Psbt
from testbed.command_line import CommandResult, call
from testbed.networks import solana_payloads
from testbed.networks.bitcoin_lies import COIN, Held, Told, told
from testbed.networks.bitcoin_payloads import KEY, OTHER, In, simple
from testbed.networks.evm_payloads import DYNAMIC_FEE, MAIL

pytestmark = pytest.mark.usefixtures("initialised")


def take(project: str, network: str, key: str, *options: str) -> str:
    """Import a wallet, and return its id."""
    arguments = ("wallet", "import", network, "--project", project, "--private-key-stdin", "--json", *options)
    wallet_id: str = call(*arguments, stdin=key.encode()).document["wallet"]["id"]
    return wallet_id


def sign(kind: str, wallet: str, payload: bytes | dict[str, Any], *options: str) -> CommandResult:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return call("sign", kind, wallet, "-", "--json", *options, stdin=data)


def refused(answer: CommandResult, option: str) -> None:
    assert answer.code != 0
    assert answer.document["error"]["code"] == "signature-refused", answer
    assert option in answer.document["error"]["hint"]


def test_a_fee_of_30_000_coins_is_signed_only_where_it_is_meant(project: str) -> None:
    wallet = take(project, "ethereum", KEY.hex())
    dear = {**DYNAMIC_FEE, "gas": 30_000, "maxFeePerGas": 10**18}
    refused(sign("transaction", wallet, dear), f"--max-fee {30_000 * 10**18}")
    refused(sign("transaction", wallet, dear, "--max-fee", "0"), "--max-fee")
    assert sign("transaction", wallet, dear, "--max-fee", str(30_000 * 10**18)).document["signed"]


def test_a_fee_on_solana_has_the_same_option(project: str) -> None:
    wallet = take(project, "solana", solana_payloads.SEED.hex())
    raw = bytes(solana_payloads.v0(solana_payloads.OWN))
    refused(sign("transaction", wallet, raw, "--max-fee", "4999"), "--max-fee 5000")
    assert sign("transaction", wallet, raw, "--max-fee", "5000").document["signed"]["complete"]


def test_typed_data_that_is_good_on_every_chain_is_signed_only_where_it_is_meant(project: str) -> None:
    wallet = take(project, "ethereum", KEY.hex())
    without = {**MAIL, "domain": {"name": "Ether Mail"}, "types": {**MAIL["types"]}}
    del without["types"]["EIP712Domain"]
    refused(sign("typed-data", wallet, without), "--allow-any-chain")
    refused(sign("typed-data", wallet, without, "--allow-other-chain"), "--allow-any-chain")
    assert sign("typed-data", wallet, without, "--allow-any-chain").document["signed"]
    other = {**without, "domain": {"name": "Ether Mail", "chainId": 137}}
    refused(sign("typed-data", wallet, other, "--allow-any-chain"), "--allow-other-chain")


def test_an_unproven_amount_is_believed_only_where_that_is_said(project: str) -> None:
    wallet = take(project, "bitcoin", KEY.hex())
    held = [Held("p2wpkh", KEY, 1, COIN), Held("p2wpkh", OTHER, 2, COIN)]
    payload = told([Told(held[0]), Told(held[1], COIN)], 2 * COIN - 1000)
    refused(sign("psbt", wallet, payload), "--trust-witness-utxo")
    assert len(sign("psbt", wallet, payload, "--trust-witness-utxo").document["signed"]["signatures"]) == 1
    dear = told([Told(held[0])], COIN // 2)
    refused(sign("psbt", wallet, dear), f"--max-fee-sat {COIN // 2}")
    assert sign("psbt", wallet, dear, "--max-fee-sat", str(COIN // 2)).document["signed"]


def test_auxiliary_randomness_makes_taproot_signatures_differ(project: str) -> None:
    wallet = take(project, "bitcoin", KEY.hex(), "--variant", "taproot")
    payload = simple(In("p2tr")).psbt()

    def signature(*options: str) -> bytes:
        psbt = base64.b64decode(sign("psbt", wallet, payload, *options).document["signed"]["psbt"])
        return Psbt.parse(psbt).inputs[0][fields.TAP_KEY_SIG]

    assert signature() == signature()
    assert len({signature(), *(signature("--auxiliary-randomness") for _ in range(2))}) == 3
    messages = [sign("message", wallet, b"hello", "--auxiliary-randomness").out for _ in range(2)]
    assert messages[0] != messages[1]


def test_a_json_document_that_is_too_long_is_refused_unread(project: str) -> None:
    wallet = take(project, "ethereum", KEY.hex())
    answer = sign("transaction", wallet, b'{"data": "' + b"0" * (1 << 20) + b'"}')
    assert answer.code != 0
    assert "1,048,576" in answer.document["error"]["message"]
