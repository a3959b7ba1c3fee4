"""Transactions: what they are read from, what is refused, what the usage log learns."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest

from strongroom.errors import MalformedPayloadError, SignatureRefusedError, SigningError
from strongroom.networks.evm import rlp, transaction, transaction_fields
from strongroom.networks.evm.prepared import EvmNonce
from testbed.networks import evm_payloads
from testbed.networks.evm_payloads import ACCESS_LIST, BLOB, DYNAMIC_FEE, LEGACY, TO, without

SNAKE = {
    "type": 2,
    "chain_id": 1,
    "nonce": 0,
    "max_fee_per_gas": 30 * 10**9,
    "max_priority_fee_per_gas": 10**9,
    "gas": 21000,
    "to": TO,
    "value": 1,
}
AUTHORIZATION = {"chainId": 1, "address": TO, "nonce": 0}
MIXED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


@pytest.mark.parametrize(
    "payload",
    [
        SNAKE,
        MappingProxyType(DYNAMIC_FEE),
        json.dumps(DYNAMIC_FEE),
        without(DYNAMIC_FEE, "type"),
        {**DYNAMIC_FEE, "type": "0x02", "chainId": "0x1", "gas": "0x5208"},
        {**without(DYNAMIC_FEE, "gas"), "gasLimit": "0x005208"},
        {**DYNAMIC_FEE, "accessList": [], "data": "0x", "input": b""},
        {**DYNAMIC_FEE, "to": bytes.fromhex(TO[2:]), "data": ""},
        {**DYNAMIC_FEE, "from": evm_payloads.wallet().address},
        {**DYNAMIC_FEE, "from": evm_payloads.wallet().address.lower()},
    ],
    ids=str,
)
def test_one_transaction_in_many_spellings(payload: Any) -> None:
    assert evm_payloads.transaction(payload) == evm_payloads.transaction(DYNAMIC_FEE)


@pytest.mark.parametrize("field", ["data", "input"])
@pytest.mark.parametrize("value", ["0xabcd", "0xABCD", b"\xab\xcd", bytearray(b"\xab\xcd"), memoryview(b"\xab\xcd")])
def test_data_in_many_spellings(field: str, value: Any) -> None:
    wanted = evm_payloads.transaction({**LEGACY, "data": "0xabcd"})
    assert evm_payloads.transaction({**without(LEGACY, "data"), field: value}) == wanted
    assert evm_payloads.transaction({**LEGACY, "data": "0xabcd", field: value}) == wanted


@pytest.mark.parametrize("to", [None, "", b"", "0x"])
@pytest.mark.parametrize("payload", [LEGACY, ACCESS_LIST, DYNAMIC_FEE], ids=["legacy", "2930", "1559"])
def test_no_recipient_is_the_creation_of_a_contract(payload: dict[str, Any], to: Any) -> None:
    create = {**payload, "data": "0x6000"}
    wanted = evm_payloads.transaction(without(create, "to"))
    assert evm_payloads.transaction({**create, "to": to}) == wanted
    assert evm_payloads.prepare("transaction", {**create, "to": to}).intent.summary()["to"] == "contract creation"


@pytest.mark.parametrize(
    "entries",
    [
        [{"address": TO, "storageKeys": ["0x" + "00" * 31 + "07"]}],
        ({"address": TO, "storage_keys": (bytes(31) + b"\7",)},),
        [(TO, [7])],
        [[bytes.fromhex(TO[2:]), [7]]],
    ],
)
def test_access_lists_in_many_spellings(entries: Any) -> None:
    assert evm_payloads.transaction({**ACCESS_LIST, "accessList": entries}) == evm_payloads.transaction(ACCESS_LIST)
    assert evm_payloads.transaction(
        {**without(ACCESS_LIST, "type"), "accessList": entries}
    ) == evm_payloads.transaction(ACCESS_LIST)


def test_what_is_missing_is_not_guessed() -> None:
    for payload in (LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB, evm_payloads.set_code()):
        for field in ("nonce", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "maxFeePerBlobGas"):
            if field in payload:
                with pytest.raises(MalformedPayloadError):
                    evm_payloads.prepare("transaction", without(payload, field))
    with pytest.raises(MalformedPayloadError):
        evm_payloads.prepare("transaction", without(BLOB, "blobVersionedHashes"))
    with pytest.raises(MalformedPayloadError):
        evm_payloads.prepare("transaction", without(evm_payloads.set_code(), "authorizationList"))


FOREIGN = {
    "gasPrice": 1,
    "maxFeePerGas": 1,
    "accessList": [],
    "maxFeePerBlobGas": 1,
    "blobVersionedHashes": BLOB["blobVersionedHashes"],
    "authorizationList": [],
}


@pytest.mark.parametrize(
    ("payload", "fields"),
    [
        ({**LEGACY, "type": 0}, ("maxFeePerGas", "accessList", "maxFeePerBlobGas", "blobVersionedHashes")),
        (LEGACY, ("maxFeePerGas", "maxFeePerBlobGas", "blobVersionedHashes", "authorizationList")),
        (ACCESS_LIST, ("maxFeePerGas", "maxFeePerBlobGas", "authorizationList")),
        (DYNAMIC_FEE, ("gasPrice", "maxFeePerBlobGas", "blobVersionedHashes", "authorizationList")),
        (without(DYNAMIC_FEE, "type"), ("gasPrice",)),
        (BLOB, ("gasPrice", "authorizationList")),
    ],
    ids=["legacy", "untyped", "2930", "1559", "untyped-1559", "4844"],
)
def test_fields_of_other_types_are_refused(payload: dict[str, Any], fields: tuple[str, ...]) -> None:
    evm_payloads.prepare("transaction", payload)
    for name in fields:
        with pytest.raises(MalformedPayloadError):
            evm_payloads.prepare("transaction", {**payload, name: FOREIGN[name]})


@pytest.mark.parametrize(
    ("base", "change"),
    [
        (LEGACY, {"nonce": -1}),
        (LEGACY, {"nonce": 2**64 - 1}),  # EIP-2681
        (LEGACY, {"nonce": True}),
        (LEGACY, {"nonce": 1.0}),
        (LEGACY, {"nonce": "9"}),
        (LEGACY, {"nonce": "0x"}),
        (LEGACY, {"nonce": "0x-1"}),
        (LEGACY, {"nonce": "0x 1"}),
        (LEGACY, {"nonce": "0x1\n"}),
        (LEGACY, {"nonce": "0X1"}),
        (LEGACY, {"nonce": "0x_1"}),
        (LEGACY, {"nonce": None}),
        (LEGACY, {"value": 2**256}),
        (LEGACY, {"value": "0x1" + "0" * 64}),
        (LEGACY, {"gas": b"\1"}),
        (LEGACY, {"gasPrice": None}),
        (LEGACY, {"to": TO[:-1]}),
        (LEGACY, {"to": TO[2:]}),
        (LEGACY, {"to": TO + "0"}),
        (LEGACY, {"to": MIXED.replace("aA", "Aa")}),
        (LEGACY, {"to": bytes(19)}),
        (LEGACY, {"to": 1}),
        (LEGACY, {"to": "vitalik.eth"}),
        (LEGACY, {"data": "abcd"}),
        (LEGACY, {"data": "0xabc"}),
        (LEGACY, {"data": "0xab cd"}),
        (LEGACY, {"data": "0xab c"}),
        (LEGACY, {"data": 1}),
        (LEGACY, {"data": None}),
        (LEGACY, {"data": [1]}),
        (LEGACY, {"data": "0xab", "input": "0xac"}),
        (LEGACY, {"gas_price": 1}),
        (LEGACY, {"gasLimit": 21000}),
        (LEGACY, {"chain_id": 1}),
        (LEGACY, {"unknown": 1}),
        (LEGACY, {"v": 37}),
        (LEGACY, {1: 1}),
        (LEGACY, {None: 1}),
        (LEGACY, {"type": 5}),
        (LEGACY, {"type": -1}),
        (LEGACY, {"type": "legacy"}),
        (LEGACY, {"type": None}),
        (ACCESS_LIST, {"accessList": {}}),
        (ACCESS_LIST, {"accessList": None}),
        (ACCESS_LIST, {"accessList": [TO]}),
        (ACCESS_LIST, {"accessList": [(TO,)]}),
        (ACCESS_LIST, {"accessList": [{"address": TO}]}),
        (ACCESS_LIST, {"accessList": [{"address": TO, "storageKeys": [], "more": 1}]}),
        (ACCESS_LIST, {"accessList": [{"address": TO, "storageKeys": "0x"}]}),
        (ACCESS_LIST, {"accessList": [{"address": TO, "storageKeys": ["0x07"]}]}),
        (ACCESS_LIST, {"accessList": [{"address": TO, "storageKeys": [2**256]}]}),
        (ACCESS_LIST, {"accessList": [{"address": TO, "storageKeys": [True]}]}),
        (DYNAMIC_FEE, {"maxPriorityFeePerGas": 30 * 10**9 + 1}),
        (BLOB, {"to": None}),
        (BLOB, {"blobVersionedHashes": []}),
        (BLOB, {"blobVersionedHashes": ["0x01"]}),
        (BLOB, {"blobVersionedHashes": [b"\x02" + bytes(31)]}),
        (BLOB, {"blobVersionedHashes": b"\x01" * 32}),
        (BLOB, {"blobs": []}),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_refused(base: dict[str, Any], change: dict[Any, Any]) -> None:
    with pytest.raises(MalformedPayloadError):
        evm_payloads.prepare("transaction", {**base, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"authorizationList": []},
        {"authorizationList": None},
        {"to": ""},
        {"chainId": 0},
        {"chainId": 2},
        {"nonce": 2**64 - 1},
        {"nonce": 7},  # makes it another text, which another key seems to have signed: see below
        {"yParity": 2},
        {"r": 0},
        {"s": 0},
        {"s": 2**255},
        {"r": 2**256 - 1},
        {"s": None},
        {"v": 27},
        {"address": "0x00"},
    ],
    ids=str,
)
def test_authorizations_in_a_transaction(change: dict[str, Any]) -> None:
    payload = evm_payloads.set_code()
    if change.keys() <= payload.keys() - {"nonce", "chainId"}:
        payload |= change
    else:
        payload["authorizationList"][0] |= change
    if change in ({"chainId": 0}, {"nonce": 7}):  # for any chain; of any account
        evm_payloads.prepare("transaction", payload)
        return
    refusal = SignatureRefusedError if change == {"chainId": 2} else MalformedPayloadError
    with pytest.raises(refusal):
        evm_payloads.prepare("transaction", payload)


@pytest.mark.parametrize("payload", [LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB, evm_payloads.set_code()])
def test_another_chain_and_no_chain_are_refused(payload: dict[str, Any]) -> None:
    for chain_id in (0, 2, 137):
        with pytest.raises(SignatureRefusedError):
            evm_payloads.prepare("transaction", {**payload, "chainId": chain_id}, allow_unprotected=True)
    for missing in (without(payload, "chainId"), {**payload, "chainId": None}):
        with pytest.raises(SignatureRefusedError):
            evm_payloads.prepare("transaction", missing)
        if "type" in payload:
            with pytest.raises(SignatureRefusedError):
                evm_payloads.prepare("transaction", missing, allow_unprotected=True)


def test_a_legacy_transaction_without_a_chain_needs_to_be_meant() -> None:
    payload = without(LEGACY, "chainId")
    with pytest.raises(SignatureRefusedError) as refused:
        evm_payloads.prepare("transaction", payload)
    assert "allow_unprotected" in refused.value.hint
    prepared = evm_payloads.prepare("transaction", payload, allow_unprotected=True)
    assert prepared.intent.summary()["chain"] == "any"
    assert prepared.replay_scope == EvmNonce(1, 9, (20 * 10**9,))


def test_another_sender_is_refused() -> None:
    for sender in (TO, bytes(20)):
        with pytest.raises(SignatureRefusedError):
            evm_payloads.prepare("transaction", {**LEGACY, "from": sender})
    with pytest.raises(MalformedPayloadError):
        evm_payloads.prepare("transaction", {**LEGACY, "from": None})


def test_a_fee_above_the_limit_is_refused() -> None:
    for payload, most in (
        (LEGACY, 21000 * 20 * 10**9),
        (DYNAMIC_FEE, 21000 * 30 * 10**9),
        (BLOB, 21000 * 30 * 10**9 + 131072 * 10),
    ):
        evm_payloads.prepare("transaction", payload, max_fee=most)
        with pytest.raises(SignatureRefusedError):
            evm_payloads.prepare("transaction", payload, max_fee=most - 1)
        assert evm_payloads.prepare("transaction", payload).intent.summary()["max_fee_wei"] == str(most)


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        *[(name, 1) for name in ("ethereum", "optimism", "arbitrum", "base", "zksync", "bnb", "ethereum-sepolia")],
        *[(name, 100) for name in ("polygon", "avalanche", "mantle")],
    ],
)
def test_a_fee_above_the_limit_of_the_network_is_refused_unless_told(name: str, limit: int) -> None:
    """In native coins; 30,000 of them are a mistake everywhere."""
    chain = evm_payloads.network(name)
    assert chain.fee_limit_wei == limit * 10**18
    price = chain.fee_limit_wei // 100_000
    for payload in (LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB, evm_payloads.set_code()):
        usual = {**payload, "chainId": chain.chain_id, "gas": 100_000, "value": 10**30}
        if "authorizationList" in usual:
            usual["authorizationList"] = [
                evm_payloads.authorization({**AUTHORIZATION, "chainId": 0}, allow_any_chain=True).as_dict()
            ]
        if "maxFeePerBlobGas" in usual:
            usual |= {"maxFeePerBlobGas": 1, "gas": 99_999}  # and 131,072 wei for the blob
        field = "gasPrice" if "gasPrice" in usual else "maxFeePerGas"
        evm_payloads.prepare("transaction", {**usual, field: price}, on=name)
        for more in ({field: price + 1, "gas": 100_000}, {field: price * 30_000, "gas": 100_000}):
            above = {**usual, **more}
            with pytest.raises(SignatureRefusedError, match=f"limit of {chain.fee_limit_wei} wei") as refused:
                evm_payloads.prepare("transaction", above, on=name)
            most = above["gas"] * above[field] + above.get("maxFeePerBlobGas", 0) * 131072
            assert f"max_fee={most} (--max-fee {most})" in refused.value.hint
            evm_payloads.prepare("transaction", above, on=name, max_fee=most)


def test_blobs_count_for_the_limit_of_fees() -> None:
    hashes = [b"\x01" + bytes(31)] * 6
    payload = {**BLOB, "maxFeePerGas": 1, "maxPriorityFeePerGas": 0, "blobVersionedHashes": hashes}
    price = 10**18 // (6 * 131072)
    evm_payloads.prepare("transaction", {**payload, "maxFeePerBlobGas": price})
    with pytest.raises(SignatureRefusedError, match="limit"):
        evm_payloads.prepare("transaction", {**payload, "maxFeePerBlobGas": price + 1})


def test_unprotected_and_serialized_transactions_have_the_same_limit() -> None:
    high = {**LEGACY, "gasPrice": 10**15}
    body = transaction.body(transaction_fields.read(high).transaction)
    raw = rlp.sequence(body + rlp.integer(1) + b"\x80\x80")
    for payload in (without(high, "chainId"), raw, "0x" + raw.hex(), json.dumps({**high, "data": "0x"})):
        with pytest.raises(SignatureRefusedError, match="limit"):
            evm_payloads.prepare("transaction", payload, allow_unprotected=True)


def test_what_is_no_fee_is_not_shown() -> None:
    """Whatever landed in a field may be a secret."""
    for gas in (2**256 - 1, int.from_bytes(evm_payloads.KEY)):
        with pytest.raises(SignatureRefusedError) as refused:
            evm_payloads.prepare("transaction", {**LEGACY, "gas": gas, "gasPrice": 1})
        assert str(gas) not in repr(refused.value.as_dict())
        assert "max_fee" in refused.value.hint


def test_what_uses_a_nonce_of_the_account_takes_it_up_on_its_chain() -> None:
    for chain_id, name in ((1, "ethereum"), (137, "polygon")):
        for payload in (LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB):
            made = evm_payloads.prepare(
                "transaction", {**payload, "chainId": chain_id, "nonce": 41}, on=name
            ).replay_scope
            assert (made.chain_id, made.nonce) == (chain_id, 41)
        unprotected = without({**LEGACY, "nonce": 41}, "chainId")
        made = evm_payloads.prepare("transaction", unprotected, on=name, allow_unprotected=True).replay_scope
        assert (made.chain_id, made.nonce) == (chain_id, 41)
        for own in (chain_id, 0):
            asked = {**AUTHORIZATION, "chainId": own, "nonce": 41}
            made = evm_payloads.prepare("authorization", asked, on=name, allow_any_chain=own == 0).replay_scope
            assert made == EvmNonce(chain_id, 41, ())
    made = evm_payloads.prepare("transaction", {**evm_payloads.set_code(), "nonce": 41}).replay_scope
    assert (made.chain_id, made.nonce) == (1, 41)


def test_the_nonce_and_its_fee() -> None:
    assert evm_payloads.prepare("transaction", LEGACY).replay_scope == EvmNonce(1, 9, (20 * 10**9,))
    assert evm_payloads.prepare("transaction", ACCESS_LIST).replay_scope == EvmNonce(1, 9, (20 * 10**9,))
    assert evm_payloads.prepare("transaction", DYNAMIC_FEE).replay_scope == EvmNonce(1, 0, (30 * 10**9, 10**9))
    assert evm_payloads.prepare("transaction", BLOB).replay_scope == EvmNonce(1, 0, (30 * 10**9, 10**9, 10))
    assert evm_payloads.prepare("transaction", evm_payloads.set_code()).replay_scope == EvmNonce(
        1, 0, (30 * 10**9, 10**9)
    )


def test_what_the_usage_log_learns() -> None:
    assert evm_payloads.prepare("transaction", {**BLOB, "data": "0xa9059cbb00"}).intent.summary() == {
        "opaque": "true",
        "type": "EIP-4844",
        "chain": "eip155:1",
        "nonce": "0",
        "to": TO,
        "value_wei": "1",
        "max_fee_wei": str(21000 * 30 * 10**9 + 1310720),
        "data_bytes": "5",
        "selector": "0xa9059cbb",
        "blobs": "1",
    }
    assert evm_payloads.prepare("transaction", evm_payloads.set_code()).intent.summary()["authorizations"] == "1"


def test_the_result_as_json() -> None:
    signed = evm_payloads.transaction(DYNAMIC_FEE)
    shown = json.loads(json.dumps(signed.as_dict()))
    assert shown == {
        "raw_transaction": "0x" + signed.raw_transaction.hex(),
        "hash": "0x" + signed.hash.hex(),
        "r": f"0x{signed.r:064x}",
        "s": f"0x{signed.s:064x}",
        "v": signed.y_parity,
        "y_parity": signed.y_parity,
    }


# --- serialized ----------------------------------------------------------------------------------------------


def unsigned(number: int, *fields: rlp.Item) -> bytes:
    def encode(item: rlp.Item) -> bytes:
        return rlp.data(item) if isinstance(item, bytes) else rlp.sequence_of(map(encode, item))

    return (bytes((number,)) if number else b"") + encode(list(fields))


ADDRESS = bytes.fromhex(TO[2:])
SIX: tuple[rlp.Item, ...] = (b"\x09", b"\1", b"\x52\x08", ADDRESS, b"", b"")
NINE: tuple[rlp.Item, ...] = (b"\1", b"", b"\1", b"\2", b"\x52\x08", ADDRESS, b"", b"", [])


def test_what_is_serialized_without_a_chain_needs_to_be_meant() -> None:
    with pytest.raises(SignatureRefusedError):
        evm_payloads.prepare("transaction", unsigned(0, *SIX))
    signed = evm_payloads.transaction(unsigned(0, *SIX), allow_unprotected=True)
    assert signed.v in (27, 28)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        "",
        "0x",
        "0xzz",
        "deadbeef",
        b"\x05",
        b"\x7f",
        b"\x80",
        b"\x00" + unsigned(0, *SIX),
        unsigned(5, *NINE),
        unsigned(2, *NINE) + b"\0",
        unsigned(2, *NINE)[:-1],
        unsigned(2, *NINE, b"", b"\1", b"\1"),
        unsigned(2, *NINE[:8]),
        unsigned(2, *NINE, b""),
        unsigned(2, b"\0", *NINE[1:]),
        unsigned(2, b"\1", b"\0\1", *NINE[2:]),
        unsigned(2, b"\1", b"\1" * 33, *NINE[2:]),
        unsigned(2, b"\1", b"\xff" * 8, *NINE[2:]),
        unsigned(2, *NINE[:2], b"\2", b"\1", *NINE[4:]),
        unsigned(2, *NINE[:5], b"\1", *NINE[6:]),
        unsigned(2, *NINE[:5], [], *NINE[6:]),
        unsigned(2, *NINE[:8], b""),
        unsigned(2, *NINE[:8], [b""]),
        unsigned(2, *NINE[:8], [[ADDRESS]]),
        unsigned(2, *NINE[:8], [[ADDRESS, b""]]),
        unsigned(2, *NINE[:8], [[ADDRESS, [b"\7"]]]),
        unsigned(2, *NINE[:8], [[b"\1", []]]),
        unsigned(1, *NINE),
        unsigned(3, *NINE),
        unsigned(3, *NINE, b"", []),
        unsigned(3, *NINE, b"", [b"\1"]),
        unsigned(3, *NINE, b"", b""),
        unsigned(4, *NINE),
        unsigned(4, *NINE, []),
        unsigned(4, *NINE, [[b"\1", ADDRESS, b"", b"", b"\1"]]),
        unsigned(4, *NINE, [[b"\1", ADDRESS, b"", b"", b"", b""]]),
        unsigned(4, *NINE, [[b"\1", ADDRESS, b"", b"\2", b"\1", b"\1"]]),
        unsigned(0, *SIX, b"\1", b"", b"\1"),
        unsigned(0, *SIX, b"\x25", b"\1", b"\1"),
        unsigned(0, *SIX, b"\1"),
        unsigned(0, *SIX[:5]),
    ],
    ids=lambda raw: raw if isinstance(raw, str) else raw.hex()[:20],
)
def test_what_is_not_an_unsigned_transaction_is_refused(raw: bytes | str) -> None:
    with pytest.raises(MalformedPayloadError):
        evm_payloads.prepare("transaction", raw, allow_unprotected=True)


def test_what_is_signed_is_not_signed_again() -> None:
    for payload in (LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB, evm_payloads.set_code()):
        with pytest.raises(MalformedPayloadError, match="signed already"):
            evm_payloads.prepare("transaction", evm_payloads.transaction(payload).raw_transaction)


def test_what_is_serialized_is_for_the_wallets_chain() -> None:
    evm_payloads.prepare("transaction", unsigned(1, *NINE[:3], *NINE[4:]))
    for raw in (unsigned(1, b"\2", *NINE[1:3], *NINE[4:]), unsigned(0, *SIX, b"\2", b"", b"")):
        with pytest.raises(SignatureRefusedError):
            evm_payloads.prepare("transaction", raw, allow_unprotected=True)
    with pytest.raises(SigningError):
        evm_payloads.prepare("transaction", unsigned(1, b"", *NINE[1:3], *NINE[4:]))
