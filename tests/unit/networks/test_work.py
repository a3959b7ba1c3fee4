"""What a text can cost that nobody vouches for: addresses, keys, paths, keystores. Base58 is quadratic, and bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from strongroom.errors import StrongroomError
from strongroom.networks import TABLE
from strongroom.networks.codecs import base58, segwit_address
from strongroom.ports.network import KeystoreNetwork
from strongroom.secret import Secret
from testbed.networks.known import phrase
from tests.unit.networks.work import lines_run, most_bytes

MEGABYTE = 1 << 20
PHRASE = phrase()
HUGE = {
    "base58": "2" * (16 * MEGABYTE),
    "bech32": "bc1" + "q" * (16 * MEGABYTE),
    "hexadecimal": "0x" + "0" * (16 * MEGABYTE),
    "path": "m" + "/0" * (8 * MEGABYTE),
    "array": "[" + "1," * (8 * MEGABYTE) + "1]",
    "object": '{"crypto":' * MEGABYTE,
    "spaces": " " * (16 * MEGABYTE),
}


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE)
@pytest.mark.parametrize("name", ["ethereum", "bitcoin", "solana"])
def test_a_huge_text_is_refused_unread(name: str, text: str) -> None:
    network: Any = TABLE.get(name)
    secret, password = Secret.from_text(text), Secret.from_text("password")
    reads: list[Callable[[], object]] = [
        lambda: network.parse_address(text),
        lambda: network.parse_private_key(secret),
        lambda: network.derive(PHRASE, network.scheme(None), text),
    ]
    if isinstance(network, KeystoreNetwork):
        reads.append(lambda: network.open_keystore(secret, password))
    for read in reads:
        with pytest.raises(StrongroomError):
            read()

        assert lines_run(read) < 200
        assert most_bytes(read) < MEGABYTE


def test_codes_of_addresses_are_read_up_to_what_they_can_hold() -> None:
    assert base58.decode("2" * 129) is None
    assert base58.decode_check("2" * 129) is None
    assert segwit_address.decode("bc", "bc1" + "q" * 88) is None
