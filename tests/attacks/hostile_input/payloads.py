"""What wallets are asked to sign: valid payloads of each network, by libraries of others where they make any."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from hypothesis import strategies as st
from solders.keypair import Keypair
from solders.message import to_bytes_versioned

from strongroom.networks import TABLE
from strongroom.networks.evm import rlp, transaction, transaction_fields
from strongroom.records.key_material import KeyMaterial
from strongroom.records.signing import SigningRequest
from strongroom.records.wallets import Wallet
from strongroom.secret import Secret
from testbed.networks import bitcoin_payloads, evm_payloads, preparing, solana_payloads
from tests.attacks.hostile_input.parsers import Parser
from tests.attacks.hostile_input.strategies import ANYTHING, KEY, mutated, mutated_document

KINDS: Sequence[str] = ("message", "typed-data", "transaction", "authorization", "psbt", "digest")
_OWN = Keypair.from_seed(KEY)
OPTIONS: dict[str, Any] = {
    "allow_other_chain": True,
    "allow_unprotected": True,
    "allow_any_chain": True,
    "max_fee": 10**18,
    "max_fee_sat": 10**8,
    "finalize": True,
    "sighash_allowed": ["NONE"],
    "trust_witness_utxo": True,
    "auxiliary_randomness": True,
    "scheme": "legacy",
    "prefix": "x",
    "format": "raw",
    "signers": [bytes(_OWN.pubkey())],
    "application_domain": bytes(32),
}
_MATERIAL = {"ethereum": "bip44", "bitcoin": "bip84", "solana": "slip10"}


def _unsigned(fields: dict[str, Any]) -> bytes:
    """An EVM transaction as unsigned bytes."""
    tx, _ = transaction_fields.read(fields)
    body = transaction.body(tx)
    if tx.type:
        return bytes([tx.type]) + rlp.sequence(body)
    return rlp.sequence(body + rlp.integer(tx.chain_id or 0) + b"\x80\x80")


def _evm() -> dict[str, Sequence[Any]]:
    fields = (
        evm_payloads.LEGACY,
        evm_payloads.ACCESS_LIST,
        evm_payloads.DYNAMIC_FEE,
        evm_payloads.BLOB,
        evm_payloads.set_code(),
    )
    raw = [_unsigned(each) for each in fields[:3]]
    return {
        "transaction": (*fields, *raw, "0x" + raw[2].hex(), json.dumps(evm_payloads.DYNAMIC_FEE)),
        "typed-data": (evm_payloads.MAIL, json.dumps(evm_payloads.MAIL)),
        "authorization": ({"chainId": 1, "address": evm_payloads.TO, "nonce": 1},),
        "message": ("hello", b"\xff"),
        "digest": (bytes(32),),
    }


def _bitcoin() -> dict[str, Sequence[Any]]:
    cases = [
        bitcoin_payloads.simple(bitcoin_payloads.In(form="p2wpkh", key=KEY), version=version) for version in (0, 2)
    ]
    cases.append(
        bitcoin_payloads.simple(
            bitcoin_payloads.In(form="p2wpkh", key=KEY), bitcoin_payloads.In(form="p2tr", key=bitcoin_payloads.OTHER)
        )
    )
    psbts = [case.psbt() for case in cases]
    return {
        "psbt": (*psbts, base64.b64encode(psbts[0]).decode()),
        "message": ("hello", b"\xff"),
        "digest": (bytes(32),),
    }


def _solana() -> dict[str, Sequence[Any]]:
    signed = (solana_payloads.legacy(_OWN), solana_payloads.v0(_OWN, solana_payloads.OTHER))
    raw = [bytes(each) for each in signed]
    alone = bytes(to_bytes_versioned(signed[1].message))
    return {
        "transaction": (*raw, alone, base64.b64encode(raw[0]).decode()),
        "message": ("hello", b"plain"),
        "digest": (bytes(32),),
    }


_OTHER_FORMS: dict[tuple[str, str], tuple[tuple[Any, dict[str, Any]], ...]] = {
    ("solana", "message"): (("hello", {name: OPTIONS[name] for name in ("application_domain", "signers")}),),
}
"""Payloads whose options are read as well."""


def _wallet(network: str) -> Wallet:
    if network == "bitcoin":
        return bitcoin_payloads.wallet("p2wpkh", KEY)
    return solana_payloads.wallet(_OWN) if network == "solana" else evm_payloads.wallet(KEY)


def _read(network: str, kind: Any, payload_and_options: tuple[Any, Any]) -> object:
    payload, options = payload_and_options
    found: Any = TABLE.get(network)
    prepared = preparing.prepare(found, _wallet(network), SigningRequest(kind, payload, options))
    signed = prepared.sign(KeyMaterial(Secret(KEY), _MATERIAL[network]))
    assert all(isinstance(value, str) and value.isprintable() for value in prepared.intent.summary().values())
    return json.dumps(signed.as_dict())


def _mutated(payload: Any) -> st.SearchStrategy[Any]:
    if isinstance(payload, str):
        return mutated(st.just(payload))
    if isinstance(payload, bytes):
        return mutated(st.just(payload))
    return mutated_document(st.just(payload))


def _options() -> st.SearchStrategy[Any]:
    one = st.sampled_from(sorted(OPTIONS)).flatmap(
        lambda name: st.tuples(st.just(name), st.just(OPTIONS[name]) | ANYTHING)
    )
    return st.just({}) | st.lists(one, max_size=2).map(dict) | ANYTHING


def signing() -> Iterator[Parser]:
    """A parser for each kind of payload of each family of networks, those that it does not sign among them."""
    for network, payloads in (("ethereum", _evm()), ("bitcoin", _bitcoin()), ("solana", _solana())):
        for kind in KINDS:
            valid = payloads.get(kind, ())
            mutations = st.one_of([_mutated(payload) for payload in valid]) | ANYTHING if valid else ANYTHING
            yield Parser(
                f"{kind} on {network}",
                partial(_read, network, kind),
                (*((payload, {}) for payload in valid), *_OTHER_FORMS.get((network, kind), ())),
                st.tuples(mutations, st.just({}) | _options()),
                says_names=True,
            )
