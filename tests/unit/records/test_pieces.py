"""What is one key or phrase only together: recognised in each shape, and nothing else taken for it."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.records.pieces import are_together, together

KEY = bytes.fromhex("1ab42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b727")
DIGITS = KEY.hex()
WORDS = ["enlist", "essence", "novel", "wonder", "give", "inquiry", "saddle", "frog", "immune", "real", "tent", "couch"]
PHRASE = " ".join(WORDS)
PARTS = [DIGITS[start : start + 16] for start in range(0, 64, 16)]
AS_IDS = ["1ab42cc4-12b6-08bd-ea3a-599e3c9bae19", "9ebf0308-95b0-39e9-db1e-30dafb12b727"]
LIMBS = [int(part, 16) for part in PARTS]


def words_of(width: int, order: str = "big") -> list[int]:
    return [int.from_bytes(KEY[start : start + width], order) for start in range(0, 32, width)]  # type: ignore[arg-type]


WHOLE: dict[str, tuple[Any, str | bytes]] = {
    "numbered words": ({f"word_{number}": word for number, word in enumerate(WORDS, 1)}, PHRASE),
    "numbered words in another order": ({f"w{number}": WORDS[number] for number in reversed(range(12))}, PHRASE),
    "numbered words and more": ({**{f"w{n}": word for n, word in enumerate(WORDS)}, "at": "2024-05-01"}, PHRASE),
    "words with their numbers": ([f"{number}. {word}" for number, word in enumerate(WORDS, 1)], PHRASE),
    "words in objects": ([{"place": number, "word": word} for number, word in enumerate(WORDS)], PHRASE),
    "lists of words": ([WORDS[:6], WORDS[6:]], PHRASE),
    "lines of words": ({"first": " ".join(WORDS[:5]), "second": " ".join(WORDS[5:])}, PHRASE),
    "parts": (PARTS, DIGITS),
    "numbered parts": ({f"part{number}": part for number, part in enumerate(PARTS)}, DIGITS),
    "parts behind marks": ([f"0x{part}" for part in PARTS], DIGITS),
    "parts of another length": ([DIGITS[:20], DIGITS[20:40], DIGITS[40:60], DIGITS[60:]], DIGITS),
    "parts in the form of UUIDs": (AS_IDS, "".join(AS_IDS)),
    "words of 64 bits": (LIMBS, KEY),
    "words of 64 bits as texts": ([str(limb) for limb in LIMBS], KEY),
    "words of 64 bits in hexadecimal": ([hex(limb) for limb in LIMBS], KEY),
    "least word first": (LIMBS[::-1], KEY),
    "words of 32 bits": (words_of(4), KEY),
    "words of 32 bits with a sign": ([word - (1 << 32) * (word >= 1 << 31) for word in words_of(4)], KEY),
    "words of 32 bits, as memory has them": (words_of(4, "little"), KEY),
    "words of 16 bits": ({str(number): word for number, word in enumerate(words_of(2))}, KEY),
    "words of bn.js": ([int(DIGITS, 16) >> 26 * place & (1 << 26) - 1 for place in range(10)], KEY),
}


@pytest.mark.parametrize("name", WHOLE)
def test_pieces_are_put_together(name: str) -> None:
    value, whole = WHOLE[name]
    assert whole in list(together(value))
    assert whole in list(together(json.loads(json.dumps(value))))
    assert are_together(value)


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {"created_via": "api", "network": "ethereum", "label": "default", "attempt": 3},
        {"first": "John", "last": "Smith", "city": "Paris", "tags": ["a", "b"]},
        ["read", "write", "admin", "owner"],
        ["2024-05-01", "2024-05-02", "2024-05-03", "2024-05-04"],
        [1714550400, 1714550500, 1714550600, 1714550700, 1714550800],
        [1714550400000, 1714550500000],
        [1, 2, 3, 4, 5, 6, 7, 8],
        ["usr_00000001", "usr_00000002", "usr_00000003"],
        ["5f0c2f5e-7a8e-4bb0-9a7e-0d9f8b1f3f10", "6d1f3c68-2f0f-4f0e-8a51-3f1f3a2b9c04"],
        {"owner": "a1b2c3d4e5f60718", "parent": "8899aabbccddeeff"},
        {f"w{number}": "x" * 300 for number in range(12)},
    ],
    ids=str,
)
def test_what_is_several_things_is_not_put_together(value: Any) -> None:
    assert not are_together(value)


def nested(depth: int) -> Any:
    value: Any = WORDS
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        nested(300),
        [["a"] * 90] * 90,
        {f"{stem}{number}": "abandon" for stem in "abcdefgh" for number in range(2000)},
        ["a " * 30_000] * 50,
        [int("9" * 300)] * 50,
        ["1" * 39] * 96,
        {"1" * 40: "x", "2" * 40: "y"},
    ],
    ids=["deep", "wide", "many groups", "long texts", "long numbers", "long decimals", "long names"],
)
def test_putting_together_takes_bounded_time(value: Any) -> None:
    begin = time.perf_counter()
    list(together(value))
    assert time.perf_counter() - begin < 1


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
NAMES = st.text() | st.integers().map(str)


@given(st.recursive(LEAVES, lambda each: st.lists(each) | st.dictionaries(NAMES, each)))
def test_putting_together_never_raises(value: Any) -> None:
    for whole in together(value):
        assert isinstance(whole, str | bytes)


def test_random_keys_are_found_in_random_pieces() -> None:
    rng = random.Random(15)
    for _ in range(200):
        key = rng.randbytes(32)
        size = rng.choice((4, 8, 16))
        parts = [key.hex()[start : start + size] for start in range(0, 64, size)]
        assert key.hex() in list(together(parts))
        width = rng.choice((4, 8))
        limbs = [int.from_bytes(key[start : start + width]) for start in range(0, 32, width)]
        assert key in list(together(limbs))
