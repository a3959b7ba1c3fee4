"""Texts of private keys: what wallets export is read, everything else is a typed refusal, in no time."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.keypair import Keypair

from strongroom.errors import InvalidPrivateKeyError
from strongroom.networks import TABLE
from strongroom.networks.codecs import base58, key_text
from strongroom.ports.network import Network
from strongroom.secret import Secret
from testbed.failure_report import failure_report, forms
from testbed.harness.sizes import examples
from testbed.networks.known import keys

SOLANA = TABLE.get("solana")
NETWORKS = pytest.mark.parametrize("network", list(TABLE), ids=lambda network: network.name)
SEED = bytes(range(32))
KEYPAIR = bytes(Keypair.from_seed(SEED))
NUMBERS = list(KEYPAIR)


def read(text: str, network: Network = SOLANA) -> bytes:
    return network.parse_private_key(Secret.from_text(text)).reveal()


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(NUMBERS),
        json.dumps(NUMBERS, separators=(",", ":")),
        json.dumps(NUMBERS, indent=4) + "\n",
        json.dumps(NUMBERS, indent="\t").replace("\n", "\r\n"),
        "\n [" + " , ".join(map(str, NUMBERS)) + " ] ",
    ],
)
def test_the_file_of_solana_keygen_is_read(text: str) -> None:
    assert read(text) == SEED


@given(st.binary(min_size=32, max_size=32))
def test_what_solders_writes_is_read(seed: bytes) -> None:
    pair = Keypair.from_seed(seed)
    assert read(pair.to_json()) == read(str(pair)) == read(bytes(pair).hex()) == read("0x" + bytes(pair).hex()) == seed


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "[",
        "]",
        "[,]",
        json.dumps(NUMBERS[:-1]),
        json.dumps([*NUMBERS, 1]),
        json.dumps(NUMBERS[:32]),  # a seed, or an address: nothing tells
        json.dumps(NUMBERS[32:]),
        json.dumps([*NUMBERS[:-1], NUMBERS[-1] ^ 1]),
        json.dumps([NUMBERS[0] ^ 1, *NUMBERS[1:]]),
        json.dumps([256, *NUMBERS[1:]]),
        json.dumps([-1, *NUMBERS[1:]]),
        json.dumps([0.0, *NUMBERS[1:]]),
        json.dumps(["0", *NUMBERS[1:]]),
        json.dumps([[0], *NUMBERS[1:]]),
        json.dumps([False, *NUMBERS[1:]]),
        json.dumps(NUMBERS).replace("[0", "[00"),
        json.dumps(NUMBERS).replace("[0", "[+0"),
        json.dumps(NUMBERS).replace("[0", "[0x0"),
        json.dumps(NUMBERS).replace("[0", "[٠"),
        json.dumps(NUMBERS).replace("[0,", "[,"),
        json.dumps(NUMBERS)[:-1],
        json.dumps(NUMBERS)[1:],
        json.dumps(NUMBERS)[:-1] + ",]",
        json.dumps(NUMBERS) * 2,
        json.dumps([NUMBERS]),
        json.dumps({"secretKey": NUMBERS}),
        json.dumps(NUMBERS, indent=80),
        json.dumps(list(SEED + SEED)),
        str(NUMBERS).replace("[", "(").replace("]", ")"),
        "[" * 100_000,
        "[" + "0," * 100_000 + "0]",
        "[" + "9" * 3_000 + "]",
    ],
)
def test_another_array_is_refused(text: str) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        read(text)


def test_an_address_is_never_taken_for_a_seed() -> None:
    """32 bytes in base58: a wallet made of somebody's address would have a key that everybody knows."""
    address = SOLANA.public_half(Secret(SEED), "slip10").address
    for text in (address, base58.encode(SEED), json.dumps(list(base58.decode(address) or b""))):
        report = failure_report(SOLANA.parse_private_key, Secret.from_text(text))
        assert text not in report
        assert "address" in report


@pytest.mark.parametrize("bit", range(0, 512, 7))
def test_an_array_whose_halves_do_not_match_is_refused(bit: int) -> None:
    damaged = bytearray(KEYPAIR)
    damaged[bit // 8] ^= 1 << bit % 8
    report = failure_report(SOLANA.parse_private_key, Secret.from_text(json.dumps(list(damaged))))
    assert "do not belong together" in report
    for form in (*forms(SEED), *forms(bytes(damaged)), json.dumps(list(damaged))):
        assert form not in report


@NETWORKS
def test_hexadecimal_is_read_with_and_without_0x(network: Network) -> None:
    for text in (SEED.hex(), "0x" + SEED.hex(), "0X" + SEED.hex().upper(), f"\n {SEED.hex()}\t"):
        assert read(text, network) == SEED


TEXTS = [
    SEED.hex(),
    "0x" + SEED.hex(),
    KEYPAIR.hex(),
    base58.encode(KEYPAIR),
    json.dumps(NUMBERS),
    json.dumps(NUMBERS, indent=2),
    base58.encode_check(b"\x80" + SEED + b"\1"),
    base58.encode_check(b"\xef" + SEED + b"\1"),
    base58.encode_check(b"\x80" + SEED),
    json.dumps({"version": 3, "crypto": {}}),
]


@st.composite
def damaged_texts(draw: st.DrawFn) -> bytes:
    """What wallets export, with a few characters inserted, taken out or exchanged."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 2)))
        text = text[:start] + draw(st.text(max_size=2)) + text[end:]
    return text.encode(errors="surrogatepass")


@NETWORKS
@settings(max_examples=examples(150))
@given(st.binary(max_size=5000) | st.text().map(lambda t: t.encode(errors="surrogatepass")) | damaged_texts())
def test_any_text_is_a_key_or_a_typed_refusal(network: Network, data: bytes) -> None:
    start = time.process_time()
    try:
        key = network.parse_private_key(Secret(data))
        scheme = network.scheme_of_key(Secret(data), None)
    except InvalidPrivateKeyError as error:
        assert error.__context__ is None
    else:
        network.public_half(key, scheme)
    assert time.process_time() - start < 1


@NETWORKS
@pytest.mark.parametrize("piece", ["[", "[0,", "0,", " ", "1", "a", "0x", "é", "\ud800", "{", '"', ","])
def test_a_long_text_is_refused_before_it_is_looked_at(network: Network, piece: str) -> None:
    secret = Secret((piece * 1_000_000).encode(errors="surrogatepass"))
    start = time.process_time()
    with pytest.raises(InvalidPrivateKeyError):
        network.parse_private_key(secret)
    assert time.process_time() - start < 0.5


@given(keys(), st.sampled_from(["", " ", "\n", "\t\r\n"]))
def test_an_array_of_any_length_is_read_back(key: bytes, space: str) -> None:
    text = "[" + f"{space},{space}".join(map(str, key)) + "]"
    found = key_text.from_json_array(Secret.from_text(text), 32)
    assert found is not None
    assert found.reveal() == key
    assert key_text.from_json_array(Secret.from_text(text), 31) is None
