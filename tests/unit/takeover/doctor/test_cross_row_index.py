"""Comparisons on disk: what a dictionary in memory would say, said with little memory."""

from __future__ import annotations

import os
import tracemalloc
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from strongroom.secret import Secret
from strongroom.takeover.doctor import cross_row_index
from strongroom.takeover.doctor.cross_row_index import (
    ELSEWHERE,
    FOUND,
    KNOWN,
    LIVE,
    MISSING,
    SHARED_KEY,
    SHARED_VAULT_ID,
    CrossRowIndex,
    MatchKey,
)
from testbed.harness.sizes import examples

KINDS = st.sampled_from([SHARED_KEY, SHARED_VAULT_ID, LIVE, KNOWN])
DIGESTS = st.integers(0, 5).map(lambda number: bytes([number]) * 16)
ROWS = st.one_of(
    st.integers(0, 8).map(str),
    st.uuids().map(str),
    st.text(st.characters(exclude_categories=(), exclude_characters="\0"), max_size=50),
)
MARKS = st.lists(st.builds(MatchKey, KINDS, DIGESTS, st.sampled_from([FOUND, MISSING]), ROWS), max_size=120)
Seen = dict[tuple[bytes, bytes], list[tuple[bytes, str]]]


def bytes_of(row: str) -> bytes:
    return row.encode(errors="surrogatepass")


def expected(marks: list[MatchKey]) -> list[tuple[bytes, list[tuple[bytes, str]]]]:
    """By a dictionary; ids that are longer than a place for one are not compared."""
    groups: Seen = defaultdict(list)
    for mark in marks:
        if len(bytes_of(mark.row)) <= 46:
            groups[mark.kind, mark.digest].append((mark.tag, mark.row))
    return [
        (kind, sorted(rows, key=lambda pair: (pair[0], bytes_of(pair[1]).ljust(46, b"\0"))))
        for (kind, _), rows in sorted(groups.items())
    ]


@settings(max_examples=examples(150), deadline=None)
@given(MARKS, st.integers(1, 7))
@example([], 1)
@example(
    [
        MatchKey(LIVE, bytes(16), MISSING, "\udcff"),
        MatchKey(LIVE, bytes(16), MISSING, "a\nb "),
        MatchKey(LIVE, b"\n" * 16, MISSING, ""),
    ],
    1,
)
def test_groups_are_those_of_a_dictionary(marks: list[MatchKey], run: int) -> None:
    with pytest.MonkeyPatch.context() as patch, CrossRowIndex() as index:
        patch.setattr(cross_row_index, "_RUN_MATCH_KEYS", run)
        for mark in marks:
            index.add(mark)
        assert [(group.kind, list(group.match_keys)) for group in index.groups()] == expected(marks)


def test_a_group_that_is_not_read_to_its_end_does_not_disturb_the_next() -> None:
    with CrossRowIndex() as index:
        for number in range(100):
            index.add(MatchKey(LIVE, bytes([number % 5]) * 16, MISSING, f"{number:03}"))
        assert [next(group.match_keys)[1] for group in index.groups()] == ["000", "001", "002", "003", "004"]


def test_many_match_keys_take_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_row_index, "_RUN_MATCH_KEYS", 512)
    with CrossRowIndex() as index:
        tracemalloc.start()
        try:
            for number in range(20_000):
                index.add(MatchKey(SHARED_KEY, (number % 10_007).to_bytes(16), FOUND, str(number)))
            met = sum(len(list(group.match_keys)) > 1 for group in index.groups())
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert met == 20_000 - 10_007
    assert peak < 1_000_000, "20,000 marks are more than 2 MB of bytes objects"


def test_digests_differ_from_run_to_run_and_kind_to_kind() -> None:
    """What is left of a file that could not be unlinked tells nobody which wallets share what."""
    one, other = cross_row_index.Fingerprints(), cross_row_index.Fingerprints()
    secret = Secret(b"the same bytes of a key or a text")
    assert one.key(secret, "a").digest == one.key(secret, "b").digest
    assert one.key(secret, "a").digest != other.key(secret, "a").digest
    assert one.key(secret, "a").digest != one.text(secret, "a").digest
    offers, (possible, *needs) = list(one.offers("p", "x", "r")), list(one.needs("p", "x", 5))
    assert next(iter(one.placed(["x"], None, 5, possible=True)))[:2] == possible[:2]
    assert [(mark.kind, mark.digest) for mark in offers] == [(mark.kind, mark.digest) for mark in needs]
    assert [mark.kind for mark in offers] == [ELSEWHERE, KNOWN]
    assert [mark.kind for mark in one.offers(None, "x", "r")] == [ELSEWHERE]
    assert next(iter(one.offers("q", "x", "r"))) == offers[0]
    assert list(one.offers("q", "x", "r"))[1] != offers[1]
    held = one.key(secret, "a")
    assert one.under(held, "p").digest == held.digest
    assert one.under(held, "p") != one.under(held, "q")
    assert one.live("p", "n", "l", "c", FOUND).digest == one.live("p", "n", "l", "d", MISSING).digest
    assert one.live("p", "n", "l", "c", FOUND).digest != one.live("p", "n", "m", "c", FOUND).digest
    assert one.vault_id("\udcff", "c").digest != one.vault_id("", "c").digest


def test_what_is_one_text_is_not_taken_for_another() -> None:
    """A project, network and label are three things, wherever the spaces are."""
    prints = cross_row_index.Fingerprints()
    first = prints.live("p", "a b", "c", "1", FOUND)
    assert first.digest != prints.live("p a", "b", "c", "1", FOUND).digest


def test_the_file_has_no_name_and_holds_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    secret = os.urandom(32)
    prints = cross_row_index.Fingerprints()
    with CrossRowIndex() as index:
        index.add(prints.key(Secret(secret), "a"))
        list(index.groups())
        file: Any = index._file
        assert list(tmp_path.iterdir()) == []
        file.seek(0)
        content = file.read()
    assert len(content) == 64
    assert secret[:16] not in content
    assert secret.hex().encode()[:16] not in content
