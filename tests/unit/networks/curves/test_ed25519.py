"""Ed25519: what verifies, and what does not. RFC 8032."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from solders.keypair import Keypair

from strongroom.networks.curves import ed25519


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100))
def test_signatures_are_those_of_solders(seed: bytes, data: bytes) -> None:
    keypair = Keypair.from_seed(seed)
    signature = ed25519.sign(seed, data)
    assert signature == bytes(keypair.sign_message(data))
    assert ed25519.verify(bytes(keypair.pubkey()), data, signature)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=50), st.integers(0, 511))
def test_a_changed_signature_does_not_verify(seed: bytes, data: bytes, bit: int) -> None:
    public = ed25519.public_key(seed)
    signature = bytearray(ed25519.sign(seed, data) or b"")
    assert public is not None
    signature[bit // 8] ^= 1 << bit % 8
    assert not ed25519.verify(public, data, bytes(signature))


def test_lengths_are_checked() -> None:
    seed = bytes(32)
    public, signature = ed25519.public_key(seed), ed25519.sign(seed, b"x")
    assert public is not None
    assert signature is not None
    assert ed25519.sign(seed[1:], b"x") is None
    assert not ed25519.verify(public[1:], b"x", signature)
    assert not ed25519.verify(public, b"x", signature[1:])
    assert not ed25519.verify(public, b"x", signature + b"\0")


def test_points_of_small_order_do_not_verify() -> None:
    """Under them one signature would verify for every message."""
    for public in (bytes([1]) + bytes(31), bytes(32), bytes.fromhex("ec" + "ff" * 30 + "7f")):
        assert not ed25519.verify(public, b"x", bytes([1]) + bytes(63))


def test_wycheproof(vectors: Path) -> None:
    groups = json.loads((vectors / "wycheproof" / "ed25519_test.json").read_text())["testGroups"]
    cases = [(bytes.fromhex(group["publicKey"]["pk"]), case) for group in groups for case in group["tests"]]
    assert len(cases) == 151
    wrong = [
        case["tcId"]
        for public, case in cases
        if ed25519.verify(public, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])) != (case["result"] == "valid")
    ]
    assert not wrong
