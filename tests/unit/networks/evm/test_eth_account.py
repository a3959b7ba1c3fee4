"""eth-account, asked about random keys and payloads: the same bytes for every kind and every type of transaction."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.harness.sizes import examples
from testbed.networks import evm_payloads as made
from testbed.networks.evm_payloads import Account, messages
from testbed.networks.known import keys
from tests.unit.networks.evm import payloads

SLOW = settings(max_examples=examples(40), deadline=None)


def same(ours: Any, theirs: Any) -> None:
    assert ours.signature == bytes(theirs.signature)
    assert ours.digest == bytes(theirs.message_hash)
    assert (ours.v, ours.r, ours.s) == (theirs.v, theirs.r, theirs.s)


@SLOW
@given(keys(), st.binary(max_size=300), payloads.TEXT)
def test_messages(key: bytes, data: bytes, text: str) -> None:
    account = Account.from_key(key)
    same(made.signature("message", data, key), account.sign_message(messages.encode_defunct(data)))
    same(made.signature("message", text, key), account.sign_message(messages.encode_defunct(text=text)))


@SLOW
@given(keys(), st.binary(min_size=32, max_size=32))
def test_raw_digests(key: bytes, digest: bytes) -> None:
    theirs = Account.unsafe_sign_hash(digest, key)
    same(made.signature("digest", digest, key), theirs)
    same(made.signature("digest", "0x" + digest.hex(), key), theirs)


@SLOW
@given(keys(), payloads.documents())
def test_typed_data(key: bytes, document: dict[str, Any]) -> None:
    theirs = Account.sign_message(messages.encode_typed_data(full_message=document), key)
    same(made.signature("typed-data", document, key, **made.ANY_CHAIN), theirs)


@pytest.mark.parametrize("type_", range(5))
@SLOW
@given(keys(), payloads.NETWORKS, st.data())
def test_transactions(type_: int, key: bytes, network: str, data: st.DataObject) -> None:
    payload = data.draw(payloads.transactions(type_, made.CHAINS[network]))
    ours, theirs = made.transaction(payload, key, network, **made.ANY_FEE), Account.sign_transaction(payload, key)
    assert ours.raw_transaction == bytes(theirs.raw_transaction)
    assert ours.hash == bytes(theirs.hash)
    assert (ours.v, ours.r, ours.s) == (theirs.v, theirs.r, theirs.s)


@SLOW
@given(keys(), payloads.transactions(0, 1))
def test_transactions_without_a_chain_id(key: bytes, payload: dict[str, Any]) -> None:
    unprotected = {**payload, "chainId": None}
    ours, theirs = (
        made.transaction(unprotected, key, allow_unprotected=True, **made.ANY_FEE),
        Account.sign_transaction(unprotected, key),
    )
    assert ours.raw_transaction == bytes(theirs.raw_transaction)
    assert ours.v in (27, 28)


@SLOW
@given(keys(), st.sampled_from((0, 1)), payloads.ADDRESSES, st.integers(0, 2**64 - 2))
def test_authorizations(key: bytes, chain_id: int, address: str, nonce: int) -> None:
    asked = {"chainId": chain_id, "address": address, "nonce": nonce}
    ours, theirs = made.authorization(asked, key, allow_any_chain=True), Account.sign_authorization(asked, key)
    assert (ours.y_parity, ours.r, ours.s) == (theirs.y_parity, theirs.r, theirs.s)
    assert ours.address == theirs.address
    transaction = {**made.DYNAMIC_FEE, "type": 4, "authorizationList": [ours.as_dict()]}
    taken = Account.sign_transaction(transaction, key)  # takes it as it is
    assert made.transaction(transaction, key).raw_transaction == bytes(taken.raw_transaction)
    for listed in (ours, theirs, theirs.model_dump(), theirs.model_dump(by_alias=True)):
        signed = made.transaction({**transaction, "authorizationList": [listed]}, key)
        assert signed.raw_transaction == taken.raw_transaction
