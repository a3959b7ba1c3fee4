"""What a PSBT can cost: bytes and items are bounded up front, and the work is linear in them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from strongroom.errors import MalformedPayloadError
from strongroom.networks.bitcoin.psbt import MAX_BYTES
from testbed.networks.bitcoin_payloads import (
    OTHER,
    In,
    PsbtCase,
    output_bytes,
    prepare,
    script,
    sign,
    simple,
    size,
    text,
    transaction,
    txid,
    u32,
    wallet,
    write_map,
)
from tests.unit.networks.work import lines_run, most_bytes

MANY = 3_500_000
MEGABYTE = 1 << 20
TO_OTHERS = script("p2wpkh", OTHER)


def psbt(fields: bytes | dict[bytes, bytes], spent: bytes = bytes(32), shared: bytes = b"") -> bytes:
    """One input, whose map may be given as bytes."""
    unsigned = transaction([(spent, 0, 0)], [(1000, TO_OTHERS)])
    first = text(b"\x00") + text(unsigned) + shared + b"\x00"
    return b"psbt\xff" + first + (fields if isinstance(fields, bytes) else write_map(fields)) + b"\x00"


def unknown_fields(count: int) -> bytes:
    return b"".join(b"\x05\xf0" + number.to_bytes(4) + b"\x00" for number in range(count))


def with_previous(inputs: bytes, outputs: bytes, witnesses: bytes = b"") -> bytes:
    stripped = u32(2) + inputs + outputs + u32(0)
    whole = u32(2) + (b"\x00\x01" if witnesses else b"") + inputs + outputs + witnesses + u32(0)
    return psbt({b"\x00": whole}, txid(stripped))


ONE_INPUT = b"\x01" + bytes(36) + b"\x00" + bytes(4)
ONE_OUTPUT = b"\x01" + output_bytes(100_000, In().script)


def bombs() -> Iterator[tuple[str, bytes]]:
    yield "fields of an input", psbt(unknown_fields(500_000) + b"\x00")
    yield "fields of the whole", psbt({}, shared=unknown_fields(500_000))
    yield "outputs", with_previous(ONE_INPUT, size(400_000) + output_bytes(1, b"") * 400_000)
    yield "witness", with_previous(ONE_INPUT, ONE_OUTPUT, size(MANY) + bytes(MANY))
    final = {b"\x01": output_bytes(100_000, In().script), b"\x08": size(MANY) + bytes(MANY)}
    yield "final witness", psbt(final)


@pytest.mark.parametrize(("payload"), [each for _, each in bombs()], ids=[name for name, _ in bombs()])
def test_a_psbt_of_many_small_items_is_refused_early(payload: bytes) -> None:
    assert len(payload) < MAX_BYTES
    with pytest.raises(MalformedPayloadError, match="more than 200000"):
        prepare(wallet("p2wpkh"), "psbt", payload)
    assert lines_run(lambda: prepare(wallet("p2wpkh"), "psbt", payload)) < 200_000 * 40
    assert most_bytes(lambda: prepare(wallet("p2wpkh"), "psbt", payload)) < 64 * MEGABYTE


def test_items_of_several_previous_transactions_are_counted_together() -> None:
    outputs = [(100_000, In().script)] + [(1, b"\x6a")] * 45_000
    previous = [transaction([(bytes((number,)) * 32, 0, 0)], outputs) for number in range(5)]
    spent = [(txid(each), 0, 0) for each in previous]

    def payload(count: int) -> bytes:
        unsigned = {b"\x00": transaction(spent[:count], [(100_000 * count - 1000, TO_OTHERS)])}
        return b"psbt\xff" + b"".join(map(write_map, (unsigned, *({b"\x00": each} for each in previous[:count]), {})))

    prepare(wallet("p2wpkh"), "psbt", payload(4))
    with pytest.raises(MalformedPayloadError, match="more than 200000"):
        prepare(wallet("p2wpkh"), "psbt", payload(5))


def legacy(inputs: int, extra_outputs: int = 0) -> bytes:
    case = simple(*[In("p2pkh", amount=10_000)] * inputs)
    outputs = ((1000, TO_OTHERS),) * extra_outputs + ((case.spent - 1000 * extra_outputs - 20_000, TO_OTHERS),)
    return PsbtCase(case.inputs, outputs).psbt()


def test_the_largest_legacy_transaction_that_nodes_relay_is_signed() -> None:
    """100,000 bytes with signatures: 670 inputs."""
    assert len(sign(wallet("p2pkh"), "psbt", legacy(670)).signatures) == 670


def test_a_legacy_transaction_that_hashes_without_end_is_refused() -> None:
    for payload in (legacy(1_500), legacy(1_000, 900)):
        with pytest.raises(MalformedPayloadError, match="each hashes all of it"):
            prepare(wallet("p2pkh"), "psbt", payload)


@pytest.mark.parametrize("form", ["p2wpkh", "p2tr"])
def test_each_input_costs_the_same(form: str) -> None:
    few, many = (
        lines_run(lambda n=n: prepare(wallet(form), "psbt", simple(*[In(form)] * n).psbt()))  # type: ignore[misc]
        for n in (20, 400)
    )
    assert many < 20 * few


@pytest.mark.parametrize(
    "payload",
    [b"psbt\xff" + bytes(16 * MEGABYTE), base64.b64encode(b"psbt\xff" + bytes(16 * MEGABYTE)).decode()],
    ids=type,
)
def test_a_psbt_beyond_its_limit_is_refused_unread(payload: Any) -> None:
    with pytest.raises(MalformedPayloadError, match="larger than"):
        prepare(wallet("p2wpkh"), "psbt", payload)
    assert lines_run(lambda: prepare(wallet("p2wpkh"), "psbt", payload)) < 200
    assert most_bytes(lambda: prepare(wallet("p2wpkh"), "psbt", payload)) < MEGABYTE
