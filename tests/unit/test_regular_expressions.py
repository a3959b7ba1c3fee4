"""Every regular expression takes time in proportion to the length of what it is given, which anyone may have stored."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import strongroom

CHARACTERS = 6_000
SECONDS = 0.05
"""One that takes the square of that many steps takes several times as long, and all others less than a tenth."""
_SEARCHES = ("finditer", "search", "sub", "split", "findall")
_UNITS = (
    *"a0 -_.,:;=/'\"\\{[(\n+Aé",
    *("0x", "a.", "a:", "\\'", '\\"', "/* ", "-- ", "a b ", "a, ", "a(", "'a'", "{a", "00", "a="),
)
_BEGINNINGS = ("", "a", "0x", "'", '"', "a(", "{", "a=", "DO $a$")
_ENDS = ("", "\0", ")")


def patterns() -> Iterator[tuple[str, re.Pattern[str], tuple[str, ...]]]:
    for module in pkgutil.walk_packages(strongroom.__path__, "strongroom."):
        if ".migrations" in module.name:
            continue
        loaded = importlib.import_module(module.name)
        source = Path(loaded.__file__ or "").read_text()
        for name, value in vars(loaded).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str) and f"{name} = re.compile" in source:
                searched = any(f"{name}.{verb}(" in source for verb in _SEARCHES)
                yield f"{module.name}.{name}", value, ("finditer",) if searched else ("match", "fullmatch")


def texts(pattern: str) -> Iterator[str]:
    words = re.findall("[A-Za-z]{3,}", pattern)[:4]
    for unit in (*_UNITS, *(f"{word} " for word in words)):
        for beginning in (*_BEGINNINGS, *words):
            for end in _ENDS:
                yield beginning + unit * (CHARACTERS // len(unit)) + end


def seconds(pattern: re.Pattern[str], verb: str, text: str) -> float:
    before = time.process_time()
    if verb == "finditer":
        for _ in pattern.finditer(text):
            pass
    else:
        getattr(pattern, verb)(text)
    return time.process_time() - before


@pytest.mark.parametrize(("name", "pattern", "verbs"), [pytest.param(*each, id=each[0]) for each in patterns()])
def test_no_text_takes_the_square_of_its_length(name: str, pattern: re.Pattern[str], verbs: tuple[str, ...]) -> None:
    for text in texts(pattern.pattern):
        for verb in verbs:
            if seconds(pattern, verb, text) > SECONDS:
                assert min(seconds(pattern, verb, text) for _ in range(3)) < SECONDS, (name, verb, text[:40])
