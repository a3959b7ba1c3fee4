"""What a payload of Solana can cost: bytes are bounded before anything is read."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from strongroom.errors import MalformedPayloadError
from testbed.networks import solana_payloads
from tests.unit.networks.work import lines_run, most_bytes

MEGABYTE = 1 << 20
INSTRUCTIONS = b"\x01\x00\x00" + b"\x00" + bytes(32) + b"\xff\xff\x7f" + bytes(16 * MEGABYTE)
"""Read as a message: two million instructions of three bytes."""


@pytest.mark.parametrize("form", ["raw", "offchain"])
@pytest.mark.parametrize("payload", [INSTRUCTIONS, b"x" * 65_536, "x" * 65_536], ids=["instructions", "bytes", "text"])
def test_a_message_beyond_its_limit_is_refused_unread(payload: Any, form: str) -> None:
    with pytest.raises(MalformedPayloadError, match="longer than 65,535 bytes"):
        solana_payloads.prepared("message", payload, format=form)
    assert lines_run(lambda: solana_payloads.prepared("message", payload, format=form)) < 100
    assert most_bytes(lambda: solana_payloads.prepared("message", payload, format=form)) < MEGABYTE


def test_the_longest_raw_message_is_signed() -> None:
    assert solana_payloads.sign_message(b"\xff" + b"x" * 65_534, format="raw").message == b"\xff" + b"x" * 65_534
    assert lines_run(lambda: solana_payloads.prepared("message", INSTRUCTIONS[:65_535], format="raw")) < 65_535 * 20


@pytest.mark.parametrize(
    "payload",
    [
        b"\x01" * (16 * MEGABYTE),
        base64.b64encode(bytes(MEGABYTE)).decode(),
        "2" * 5_000,
        "z" * (16 * MEGABYTE),
        " " * (16 * MEGABYTE),
    ],
    ids=["bytes", "base64", "base58", "longer base58", "spaces"],
)
def test_a_transaction_beyond_a_packet_is_refused_unread(payload: Any) -> None:
    """Base58 is quadratic: nothing longer than a packet is read."""
    with pytest.raises(MalformedPayloadError):
        solana_payloads.prepared("transaction", payload)
    assert lines_run(lambda: solana_payloads.prepared("transaction", payload)) < 200
    assert most_bytes(lambda: solana_payloads.prepared("transaction", payload)) < MEGABYTE
