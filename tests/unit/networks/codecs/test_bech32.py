"""Bech32, against BIP-173's own examples and bip_utils."""

from __future__ import annotations

import pytest
from bip_utils import Bech32Decoder, Bech32Encoder
from hypothesis import given
from hypothesis import strategies as st

from strongroom.networks.codecs import bech32

PREFIXES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20).map(str.lower)
COSMOS = "cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4"
DATA = st.binary(max_size=36)


@given(PREFIXES, DATA)
def test_what_is_written_is_read_in_both_cases(prefix: str, data: bytes) -> None:
    text = bech32.encode(prefix, data)
    assert bech32.decode(prefix, text) == data
    assert bech32.decode(prefix, text.upper()) == data


@given(st.sampled_from(["cosmos", "osmo", "suiprivkey", "a1b"]), st.binary(min_size=1, max_size=36))
def test_bip_utils_writes_and_reads_the_same(prefix: str, data: bytes) -> None:
    text = bech32.encode(prefix, data)
    assert Bech32Encoder.Encode(prefix, data) == text
    assert Bech32Decoder.Decode(prefix, text) == data


@pytest.mark.parametrize(
    ("prefix", "text"),
    [
        ("a", "A12UEL5L"),
        ("a", "a12uel5l"),
        (
            "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio",
            "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
        ),
        ("?", "?1ezyfcl"),
    ],
)
def test_what_bip173_calls_valid_is_read(prefix: str, text: str) -> None:
    assert bech32.decode(prefix, text) == b""


def test_the_long_examples_of_bip173() -> None:
    text = "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"
    assert bech32.decode("abcdef", text) == bytes.fromhex("00443214c74254b635cf84653a56d7c675be77df")
    split = "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w"
    assert bech32.decode("split", split) == bytes.fromhex(
        "c5f38b70305f519bf66d85fb6cf03058f3dde463ecd7918f2dc743918f2d"
    )


@pytest.mark.parametrize(
    ("prefix", "text"),
    [
        ("\x20", "\x201nwldj5"),
        ("\x7f", "\x7f1axkwrx"),
        ("\x80", "\x801eym55h"),
        ("an84", "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx"),
        ("", "pzry9x0s0muk"),
        ("", "1pzry9x0s0muk"),
        ("x", "x1b4n0q5v"),
        ("li", "li1dgmt3"),
        ("de", "de1lg7wt\xff"),
        ("a", "A1G7SGD8"),
        ("", "10a06t8"),
        ("", "1qzzfhee"),
        ("a", "A12uEL5L"),
    ],
)
def test_what_bip173_calls_invalid_is_refused(prefix: str, text: str) -> None:
    assert bech32.decode(prefix, text) is None


@given(st.integers(0, len(COSMOS) - 1), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l1bio \0\n"))
def test_one_changed_character_is_refused(place: int, character: str) -> None:
    changed = COSMOS[:place] + character + COSMOS[place + 1 :]
    assert changed == COSMOS or bech32.decode("cosmos", changed) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        COSMOS + "\0",
        COSMOS + "\n",
        " " + COSMOS,
        COSMOS[:-2] + COSMOS[-2:].upper(),
        COSMOS.replace("1", "", 1),
        COSMOS.replace("cosmos1", "osmo1"),
        COSMOS.replace("q", "٤", 1),
        COSMOS.replace("k", "\u212a"),  # a sign whose lower case is k
        "cosmos1" + "q" * 100_000,
        "cosmos1\ud800",
    ],
)
def test_what_is_no_bech32_of_the_prefix_is_refused(text: str) -> None:
    assert bech32.decode("cosmos", text) is None


@pytest.mark.parametrize("values", [[0], [0, 1], [31, 31], [0, 0, 0], [0, 0, 0, 0, 0, 0]])
def test_bits_that_are_left_over_are_zero_and_fewer_than_five(values: list[int]) -> None:
    state = bech32._run(bech32._start("a"), [*values, 0, 0, 0, 0, 0, 0]) ^ 1
    checksum = [state >> shift & 31 for shift in (25, 20, 15, 10, 5, 0)]
    text = "a1" + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[value] for value in [*values, *checksum])
    assert bech32.decode("a", text) is None
