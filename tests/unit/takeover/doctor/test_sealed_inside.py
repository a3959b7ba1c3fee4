"""Sealed texts inside of others: the search finds all that reading does, and costs little where there is none."""

from __future__ import annotations

import json
import time
from base64 import b32encode, b64encode
from collections.abc import Callable
from textwrap import wrap
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.crypto import sealing
from strongroom.networks import TABLE
from strongroom.records.key_material import Identity, KeyMaterial
from strongroom.records.vault_texts import LEAST_SEALED_CHARACTERS
from strongroom.secret import Secret
from strongroom.takeover.doctor.field_texts import FieldTexts
from strongroom.takeover.doctor.sealed_inside import sealed_inside
from testbed.harness.sizes import examples

KEY = "46" * 32
OTHER = "47" * 32
LAYERS: dict[str, Callable[[str], str]] = {
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64 of UTF-16": lambda text: b64encode(text.encode("utf-16")).decode(),
    "lines": lambda text: "\n".join(wrap(text, 60)),
    "base32": lambda text: b32encode(text.encode()).decode(),
    "hex": lambda text: f"\\\\x{text.encode().hex()}",
    "percent": lambda text: "".join(f"%{each:02x}" for each in text.encode()),
    "quotes": lambda text: f"'{text}'",
    "a name": lambda text: f"KEY={text}",
    "JSON": lambda text: json.dumps({"private_key": text}),
    "escapes": lambda text: '{"note": "' + "".join(f"\\u{ord(each):04x}" for each in text) + '"}',
    "a list": lambda text: json.dumps([KEY, text, OTHER]),
    "a list of pieces": lambda text: json.dumps(wrap(text, max(12, len(text) // 90))),
    "a list of bytes": lambda text: json.dumps(list(text.encode())),
    "a line of CSV": lambda text: f"{KEY},{text},x",
    "XML": lambda text: f"<a><key>{text.replace('<', '&lt;').replace('&', '&amp;')}</key></a>",
    "a data URI": lambda text: f"data:text/plain;base64,{b64encode(text.encode()).decode()}",
    "a call": lambda text: f"Buffer.from('{text}')",
    "Python": repr,
    "behind a phrase": lambda text: f"{'abandon ' * 11}about {text}",
    "between words": lambda text: f"this is the key {text} of the other wallet",
}
NOT_ENTERED = {"a list of bytes", "a list of pieces", "a line of CSV", "behind a phrase", "between words"}
"""Around a bare sealed text: such lists are too long, its dots end a cell, and words stand between short ones alone."""
TEXTS = FieldTexts(TABLE)


class OneKey:
    """A key of every project."""

    def project_key(self, kid: str, project_id: UUID) -> Secret:
        return Secret(b"k" * 32)


def sealed(key: str = KEY, address: str = "x" * 26, network: str = "base") -> str:
    identity = Identity(uuid4(), uuid4(), network, address)
    return sealing.seal(KeyMaterial(Secret(bytes.fromhex(key)), "s"), identity, "k" * 22, OneKey())


SEALED = sealed()


@pytest.mark.parametrize("layer", LAYERS)
@settings(max_examples=examples(20), deadline=None)
@given(others=st.lists(st.sampled_from(sorted(LAYERS)), max_size=3))
def test_what_reading_finds_is_found(layer: str, others: list[str]) -> None:
    text = SEALED
    for each in (layer, *others):
        text = LAYERS[each](text)
        inside = TEXTS.sealed_in(text)
        assert inside is None or inside in sealed_inside(text), "or is the whole text"


@pytest.mark.parametrize("layer", sorted(LAYERS.keys() - NOT_ENTERED))
def test_every_layer_is_one_that_reading_enters(layer: str) -> None:
    assert sealed_inside(LAYERS[layer](SEALED)) == (SEALED,)


def test_all_of_several_are_found() -> None:
    several = [sealed() for _ in range(20)]
    assert set(sealed_inside(json.dumps({f"a{place}": each for place, each in enumerate(several)}))) == set(several)


def test_one_behind_more_layers_than_are_entered_is_found_where_reading_finds_it() -> None:
    many = {f"a{place}": "x y " * 200 for place in range(63)}
    text = json.dumps({**many, "key": LAYERS["base64"](SEALED)})
    assert TEXTS.sealed_in(text) == SEALED
    assert sealed_inside(text) == (SEALED,)


@pytest.mark.parametrize("text", [SEALED, SEALED[:-9], "", KEY, "eyJraWQiOi", f"{SEALED[:300]}", "x" * 70_000])
def test_one_that_is_the_whole_text_is_not_inside(text: str) -> None:
    assert sealed_inside(text) == ()


def test_no_sealed_text_of_a_wallet_is_shorter_than_what_is_looked_into() -> None:
    assert len(sealed(address="", network="")) >= LEAST_SEALED_CHARACTERS


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"a{each} = {'x' * 100}" for each in range(600)),
        '"' * 65_000,
        json.dumps([[json.dumps({"a": "x" * 900})] * 60]),
        " ".join([b64encode(b"x" * 100).decode()] * 400),
        "[" * 65_000,
        "the quick brown fox " * 3_000,
    ],
    ids=["lines", "quotes", "JSON", "base64", "brackets", "words"],
)
def test_texts_that_hold_none_take_little_time(text: str) -> None:
    began = time.perf_counter()
    assert sealed_inside(text) == ()
    assert time.perf_counter() - began < 2, "seconds, on a busy machine; they take 20 milliseconds"
