from __future__ import annotations

import pytest
from hypothesis import given

from strongroom.networks.curves import secp256k1
from testbed.networks.known import ORDER, keys

ONE = (1).to_bytes(32)
GENERATOR = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"


def test_the_key_1_has_the_generator_as_its_point() -> None:
    point = secp256k1.public_key(ONE)
    assert point is not None
    assert type(point) is bytes
    assert point.hex() == GENERATOR
    assert secp256k1.decompress(point).hex().startswith("04" + GENERATOR[2:])


@pytest.mark.parametrize(
    "key", [b"", bytes(32), b"\1" * 31, b"\1" * 33, ORDER.to_bytes(32), b"\xff" * 32], ids=lambda k: k.hex()
)
def test_what_is_not_a_key_has_no_point(key: bytes) -> None:
    assert not secp256k1.is_private_key(key)
    assert secp256k1.public_key(key) is None


@given(keys())
def test_every_key_in_range_has_a_point(key: bytes) -> None:
    assert secp256k1.is_private_key(key)
    point = secp256k1.public_key(key)
    assert point is not None
    assert secp256k1.is_public_key(point)


def test_a_sum_of_zero_is_no_key() -> None:
    assert secp256k1.add(ONE, (ORDER - 1).to_bytes(32)) is None


@pytest.mark.parametrize("tweak", [ORDER, ORDER + 1, 2**256 - 1])
def test_a_tweak_that_is_not_below_the_order_is_no_tweak(tweak: int) -> None:
    assert secp256k1.add(ONE, tweak.to_bytes(32)) is None


@given(keys(), keys())
def test_a_sum_is_reduced_by_the_order_and_keeps_32_bytes(key: bytes, tweak: bytes) -> None:
    total = (int.from_bytes(key) + int.from_bytes(tweak)) % ORDER
    assert secp256k1.add(key, tweak) == (total.to_bytes(32) if total else None)


@pytest.mark.parametrize("point", ["", GENERATOR[2:], "04" + GENERATOR[2:], "02" + "00" * 32, "02" + "ff" * 32])
def test_what_is_not_on_the_curve_is_no_public_key(point: str) -> None:
    assert not secp256k1.is_public_key(bytes.fromhex(point))


def test_the_taproot_output_is_that_of_bip_86() -> None:
    internal = bytes.fromhex("03cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115")
    output = "a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c"
    assert secp256k1.taproot_output(internal).hex() == output
    assert secp256k1.taproot_output(b"\2" + internal[1:]).hex() == output, "the sign of the point does not matter"
