"""JSON that nests deeper than it may is refused before Python's reader sees it; all other texts are read as ever."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom import bounded_json
from strongroom.bounded_json import MAX_DEPTH, nests_deeper

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_what_python_writes_is_read_as_python_reads_it(value: object) -> None:
    text = json.dumps(value)
    assert bounded_json.loads(text) == json.loads(text)


def read(reader: Callable[[str], object], text: str) -> object:
    try:
        return reader(text)
    except ValueError:
        return ValueError


@given(st.text(alphabet='[]{}",:\\1 a\n'))
def test_what_python_refuses_is_refused(text: str) -> None:
    assert read(bounded_json.loads, text) == read(json.loads, text)


def depth_of(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


@given(VALUES, st.integers(0, 6))
def test_the_depth_is_that_of_the_value(value: object, most: int) -> None:
    assert nests_deeper(json.dumps(value), most) is (depth_of(value) > most)


@pytest.mark.parametrize("bomb", ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000])
def test_a_bomb_is_refused_whatever_the_recursion_limit(bomb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10**9)  # as libraries do
    try:
        with pytest.raises(ValueError, match="nested"):
            bounded_json.loads(bomb)
    finally:
        sys.setrecursionlimit(before)


def test_the_limit_itself_is_read() -> None:
    assert bounded_json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(ValueError, match="nested"):
        bounded_json.loads("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


def test_brackets_in_strings_do_not_count() -> None:
    text = json.dumps(["[" * 5000, '"' * 200 + "{" * 5000, "\\"])
    assert bounded_json.loads(text) == json.loads(text)


def test_a_name_that_stands_twice_keeps_both_values() -> None:
    def loads(text: str) -> object:
        return bounded_json.loads(text, object_pairs_hook=bounded_json.keep_all)

    assert loads('{"a": 1, "b": 2}') == {"a": 1, "b": 2}
    assert loads('{"a": 1, "b": 2, "a": 3}') == {"a": [1, 3], "b": 2}
    assert loads('{"a": {"c": 1}, "a": {"c": 1}}') == {"a": {"c": 1}}, "once is enough"
