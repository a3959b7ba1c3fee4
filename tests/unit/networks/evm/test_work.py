"""What a payload can cost: bytes, items and depth are bounded up front, and the work is linear in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from strongroom.errors import MalformedPayloadError
from strongroom.networks.evm import authorization, reading, rlp, transaction, typed_data
from testbed.networks import evm_payloads as made
from testbed.networks.evm_payloads import BLOB, DYNAMIC_FEE, LEGACY, TO
from tests.unit.networks.work import lines_run, most_bytes

MEGABYTE = 1 << 20


def document(types: dict[str, Any], primary_type: str, message: Any) -> dict[str, Any]:
    return {"types": types, "primaryType": primary_type, "domain": {"chainId": 1}, "message": message}


def members(*types: str) -> list[dict[str, str]]:
    return [{"name": f"m{number}", "type": type_} for number, type_ in enumerate(types)]


def prepare(kind: Any, payload: Any) -> Any:
    return made.prepare(kind, payload, **made.ANY_CHAIN if kind == "typed-data" else {})


def lines_of(kind: Any, payload: Any) -> int:
    return lines_run(lambda: prepare(kind, payload))


def malformed(kind: Any, payload: Any, reason: str) -> None:
    with pytest.raises(MalformedPayloadError, match=reason):
        prepare(kind, payload)


# --- typed data ----------------------------------------------------------------------------------------------


def ring(size: int, width: int = 40) -> dict[str, Any]:
    """Types of which each needs many others, and all of them need each other."""
    names = [f"T{number}" for number in range(size)]
    return {
        name: members(*(names[(number + step) % size] for step in range(1, min(width, size) + 1)))
        for number, name in enumerate(names)
    }


@pytest.mark.parametrize("size", [1, 16, 240])
def test_null_costs_the_same_however_many_types_there_are(size: int) -> None:
    types = {**ring(size), "Main": members("T0[]")}
    few, many = (lines_of("typed-data", document(types, "Main", {"m0": [None] * n})) for n in (0, 2000))
    assert many - few < 2000 * 40


@pytest.mark.parametrize("value_and_type", [(1, "uint8"), (TO, "address"), ("x", "string"), ([], "uint8[]"), ({}, "E")])
def test_each_value_costs_the_same(value_and_type: tuple[Any, str]) -> None:
    value, type_ = value_and_type
    types = {"Main": members(f"{type_}[]"), "E": []}
    few, many = (lines_of("typed-data", document(types, "Main", {"m0": [value] * n})) for n in (1000, 10_000))
    assert many < 11 * few


def test_types_that_all_need_each_other_cost_what_pairs_of_them_do() -> None:
    small, large = (lines_of("typed-data", document(ring(n), "T0", {})) for n in (60, 240))
    assert large < 17 * small


def test_dependencies_that_double_at_each_step_are_read_once() -> None:
    """Walked along every path they would be 2^200."""
    types = {f"T{n}": members(f"T{n + 1}[]", f"T{n + 1}[]") for n in range(200)} | {"T200": []}
    assert lines_run(lambda: prepare("typed-data", document(types, "T0", {"m0": [], "m1": []}))) < 200_000


def test_the_definitions_that_are_hashed_are_bounded_together() -> None:
    long = "x" * 200
    types: dict[str, Any] = {f"T{n}": [{"name": long, "type": f"T{n + 1}[]"}] for n in range(200)} | {"T200": []}
    types["Main"] = members(*(f"T{n}[]" for n in range(200)))
    message: dict[str, Any] = {f"m{n}": [{long: []}] for n in range(200)}
    malformed("typed-data", document(types, "Main", message), "characters to hash")
    prepare("typed-data", document(types, "Main", {name: [] for name in message}))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (document({"Main": members("uint8[]")}, "Main", {"m0": [1] * 100_001}), "more than 100000"),
        (document({"Main": members("uint8[][]")}, "Main", {"m0": [[1] * 50_001] * 2}), "more than 100000"),
        (document({"Main": members("string[]")}, "Main", {"m0": ["x" * 1000] * 1049}), "longer than"),
        (document({"Main": members("bytes")}, "Main", {"m0": bytes(MEGABYTE + 1)}), "longer than"),
        (
            document({"Main": members("bytes")}, "Main", {"m0": memoryview(bytes(MEGABYTE + 4)).cast("I")}),
            "longer than",
        ),
        (document({"x" * 10**6: []}, "Main", {}), "not an identifier"),
        (document({"Main": [{"name": "x" * 10**6, "type": "uint8"}]}, "Main", {}), "not an identifier"),
        (document({"Main": [{"name": "m", "type": "uint8" + "[]" * 10**6}]}, "Main", {}), "cannot be read"),
        (document({"Main": members(*["uint8"] * 40_000)}, "Main", {}), "more than 32768"),
        (document({f"T{n}": [] for n in range(300)}, "T0", {}), "more than 256"),
        (json.dumps(document({"Main": members("uint8[]")}, "Main", {"m0": [1] * 600_000})), "longer than"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_documents_beyond_a_limit_are_refused(payload: Any, reason: str) -> None:
    malformed("typed-data", payload, reason)


def test_definitions_are_not_read_on_beyond_their_limit() -> None:
    types = {f"T{n}": members(*["uint8"] * 8_000) for n in range(200)}
    one = lines_run(lambda: prepare("typed-data", document({"T0": types["T0"]}, "T0", {})))
    assert lines_run(lambda: prepare("typed-data", document(types, "T0", {}))) < 2 * one


def test_documents_take_memory_in_proportion() -> None:
    nulls = json.dumps(document({**ring(240), "Main": members("T0[]")}, "Main", {"m0": [None] * 90_000}))
    assert most_bytes(lambda: prepare("typed-data", nulls)) < 40 * MEGABYTE


# --- transactions --------------------------------------------------------------------------------------------

BOMBS = {
    "empty lists": b"\xc0",
    "empty values": b"\x80",
    "values of a byte": b"\x01",
    "lists of a list": b"\xc1\xc0",
    "short values": b"\x82\x01\x02",
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("size", [MEGABYTE // 2, MEGABYTE - 8, 16 * MEGABYTE])
def test_rlp_of_many_small_items_is_refused_early(name: str, size: int) -> None:
    item = BOMBS[name]
    bomb = rlp.sequence(item * (size // len(item)))
    with pytest.raises(MalformedPayloadError, match=r"more than 32768 items|longer than"):
        rlp.decode(bomb)
    assert lines_run(lambda: rlp.decode(bomb)) < rlp.MAX_ITEMS * 40
    assert most_bytes(lambda: rlp.decode(bomb)) < 8 * MEGABYTE


@pytest.mark.parametrize("kind", [bytes, str])
def test_a_transaction_beyond_a_megabyte_is_refused_unread(kind: type) -> None:
    raw = b"\xc0" * (16 * MEGABYTE)
    payload: Any = raw if kind is bytes else "0x" + raw.hex()
    malformed("transaction", payload, "longer than")
    assert lines_run(lambda: prepare("transaction", payload)) < 100
    assert most_bytes(lambda: prepare("transaction", payload)) < MEGABYTE


def test_the_items_of_rlp_that_are_allowed_are_read() -> None:
    keys = [bytes([n % 256]) * 32 for n in range(31_000)]
    assert rlp.decode(rlp.sequence_of(map(rlp.data, keys))) == keys


def test_a_transaction_that_nodes_relay_is_signed() -> None:
    """128 KiB of data, or of storage keys."""
    data = made.transaction({**DYNAMIC_FEE, "gas": 3_000_000, "data": bytes(128 << 10)})
    assert len(data.raw_transaction) > 128 << 10
    entries = [{"address": TO, "storageKeys": ["0x" + f"{n:064x}" for n in range(100)]} for _ in range(40)]
    keys = made.transaction({**DYNAMIC_FEE, "gas": 10_000_000, "accessList": entries})
    assert len(keys.raw_transaction) > 40 * 100 * 32


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({**LEGACY, "data": bytes(MEGABYTE + 1)}, "longer than"),
        ({**LEGACY, "data": "0x" + "00" * (MEGABYTE + 1)}, "longer than"),
        ({**DYNAMIC_FEE, "accessList": [{"address": TO, "storageKeys": []}] * 32_769}, "more than"),
        ({**DYNAMIC_FEE, "accessList": [{"address": TO, "storageKeys": [0] * 16_384}] * 2}, "more than"),
        ({**BLOB, "blobVersionedHashes": [b"\x01" + bytes(31)] * 257}, "more than 256"),
        ({**made.set_code(), "authorizationList": made.set_code()["authorizationList"] * 1025}, "more than 1024"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_transactions_beyond_a_limit_are_refused(payload: Any, reason: str) -> None:
    malformed("transaction", payload, reason)


def test_authorizations_beyond_the_limit_are_not_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[object] = []
    monkeypatch.setattr(authorization, "check_signed", checked.append)
    many = made.set_code()["authorizationList"] * (transaction.MAX_AUTHORIZATIONS + 1)
    malformed("transaction", {**made.set_code(), "authorizationList": many}, "more than 1024")
    assert checked == []


# --- messages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [bytes(MEGABYTE + 1), "x" * (MEGABYTE + 1), bytearray(MEGABYTE + 1)], ids=type)
def test_a_message_beyond_a_megabyte_is_refused(payload: Any) -> None:
    malformed("message", payload, "longer than")
    prepare("message", payload[:-1])


def test_the_limits_are_those_of_the_docs() -> None:
    assert (reading.MAX_BYTES, rlp.MAX_BYTES, typed_data.MAX_BYTES) == (MEGABYTE,) * 3
    assert reading.MAX_ITEMS == rlp.MAX_ITEMS == 32_768
