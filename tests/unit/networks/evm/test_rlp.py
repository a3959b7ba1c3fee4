from __future__ import annotations

import pytest
import rlp as pyrlp
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import MalformedPayloadError
from strongroom.networks.evm import rlp

ITEMS = st.recursive(
    st.binary(max_size=80) | st.sampled_from((bytes(55), bytes(56), bytes(256), bytes(70_000))),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=20,
)


def encode(item: rlp.Item) -> bytes:
    return rlp.data(item) if isinstance(item, bytes) else rlp.sequence_of(map(encode, item))


def depth(item: rlp.Item) -> int:
    return 0 if isinstance(item, bytes) else 1 + max(map(depth, item), default=0)


@given(ITEMS)
def test_it_is_that_of_pyrlp_and_comes_back(item: rlp.Item) -> None:
    encoded = encode(item)
    assert encoded == pyrlp.encode(item)
    if depth(item) <= 8:
        assert rlp.decode(encoded) == item


@given(st.integers(0, 2**256 - 1) | st.sampled_from((0, 1, 127, 128, 255, 256, 2**256 - 1)))
def test_integers_are_those_of_pyrlp(number: int) -> None:
    assert rlp.integer(number) == pyrlp.encode(number)


@given(st.binary(max_size=60))
def test_what_is_read_has_one_encoding(data: bytes) -> None:
    try:
        item = rlp.decode(data)
    except MalformedPayloadError:
        return
    assert encode(item) == data


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8100",
        "817f",
        "81",
        "b8",
        "b800",
        "b837" + "00" * 55,
        "b90038" + "00" * 56,
        "b838" + "00" * 55,
        "bfffffffffffffffff",
        "c1",
        "c281",
        "f8",
        "f800",
        "ffffffffffffffffff",
        "c000",
        "0000",
        "c3820000" + "00",
        "c2820000",
        "c9c8c7c6c5c4c3c2c1c0",
    ],
)
def test_what_is_truncated_trailed_too_deep_or_not_canonical_is_refused(text: str) -> None:
    with pytest.raises(MalformedPayloadError):
        rlp.decode(bytes.fromhex(text))


def test_lists_without_end_are_refused() -> None:
    with pytest.raises(MalformedPayloadError):
        rlp.decode(b"\xc1" * 100_000)
    deep = b""
    for _ in range(3000):
        deep = rlp.sequence(deep)
    with pytest.raises(MalformedPayloadError):
        rlp.decode(deep)
