"""What is said of rows that have a key or phrase in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from strongroom.secret import Secret
from strongroom.takeover.doctor.cross_row_index import (
    FOUND,
    IN_METADATA,
    MISSING,
    CrossRowIndex,
    Fingerprints,
    MatchKey,
)
from strongroom.takeover.doctor.cross_rows import ACROSS_PROJECTS, NOT_ITS_OWN, PHRASE_ACROSS_PROJECTS, CrossRows
from strongroom.takeover.doctor.spool import Spool

ONE, OTHER = Secret(b"one phrase or key"), Secret(b"another")
PRINTS = Fingerprints()
ONE_PROJECT = "one private key stands under this credential and under another one"


def under(project: str, mark: MatchKey) -> list[MatchKey]:
    return [mark, PRINTS.under(mark, project)]


def phrase(project: str, row: str, text: Secret = ONE, *, own: bool = True) -> list[MatchKey]:
    return under(project, PRINTS.phrase(text, row, own=own))


def key(project: str, row: str, secret: Secret = ONE, *, own: bool = True) -> list[MatchKey]:
    return under(project, PRINTS.key(secret, row, own=own))


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ([phrase("p", "a"), phrase("p", "b")], []),
        ([phrase("p", "a"), phrase("q", "b", OTHER)], []),
        ([phrase("p", "a"), phrase("q", "b")], [("a", PHRASE_ACROSS_PROJECTS), ("b", PHRASE_ACROSS_PROJECTS)]),
        (
            [phrase("p", "a"), phrase("p", "a"), phrase("q", "b"), phrase("p", "c")],
            [(row, PHRASE_ACROSS_PROJECTS) for row in "abc"],
        ),
        ([phrase("p", "a"), phrase("q", "a")], [("a", PHRASE_ACROSS_PROJECTS)]),
        (
            [phrase("p", "a"), phrase("q", "b"), phrase("p", "a", OTHER), phrase("q", "b", OTHER)],
            [("a", PHRASE_ACROSS_PROJECTS), ("b", PHRASE_ACROSS_PROJECTS)],
        ),
        (
            [phrase("p", "a"), phrase("q", "b"), key("p", "a"), key("q", "b")],
            [("a", ACROSS_PROJECTS), ("b", ACROSS_PROJECTS)],
        ),
        (
            [phrase("p", "a"), phrase("q", "b"), phrase("q", "c"), key("p", "a"), key("q", "b"), key("q", "c", OTHER)],
            [("a", ACROSS_PROJECTS), ("b", ACROSS_PROJECTS), ("c", PHRASE_ACROSS_PROJECTS)],
        ),
        (
            [phrase("p", "a"), phrase("q", "b"), phrase("q", "c"), key("q", "b"), key("q", "c")],
            [
                ("a", PHRASE_ACROSS_PROJECTS),
                ("b", ONE_PROJECT),
                ("b", PHRASE_ACROSS_PROJECTS),
                ("c", ONE_PROJECT),
                ("c", PHRASE_ACROSS_PROJECTS),
            ],
        ),
        (
            [key("p", "a"), key("q", "b", own=False), phrase("p", "a"), phrase("q", "b", own=False)],
            [("a", ACROSS_PROJECTS), ("b", f"{ACROSS_PROJECTS}; {NOT_ITS_OWN}")],
        ),
        (
            [key("p", "a"), key("q", "b", own=False), phrase("q", "b", OTHER), phrase("p", "c", OTHER, own=False)],
            [
                ("a", ACROSS_PROJECTS),
                ("b", f"{ACROSS_PROJECTS}; {NOT_ITS_OWN}"),
                ("b", PHRASE_ACROSS_PROJECTS),
                ("c", f"{PHRASE_ACROSS_PROJECTS}; {NOT_ITS_OWN}"),
            ],
        ),
    ],
)
def test_a_phrase_is_told_of_where_it_stands_in_several_projects(
    marks: Sequence[Sequence[MatchKey]], expected: list[tuple[str, str]]
) -> None:
    with CrossRowIndex() as comparison, Spool() as spool, CrossRows(spool, Counter()) as across:
        for mark in (each for pair in marks for each in pair):
            comparison.add(mark)
        for group in comparison.groups():
            across.compare(group)
        across.finish()
        assert sorted((str(each.row), each.evidence) for each in spool) == sorted(expected)
        assert {(each.code, each.repair, each.automatic) for each in spool} <= {("shared-key", "ask", False)}


def test_a_phrase_is_no_key() -> None:
    assert PRINTS.phrase(ONE, "a").digest != PRINTS.key(ONE, "a").digest
    assert PRINTS.phrase(ONE, "a").kind > PRINTS.key(ONE, "a").kind


def test_of_each_live_wallet_it_is_said_where_its_key_is() -> None:
    places = {"a": FOUND, "b": IN_METADATA, "c": MISSING}
    with CrossRowIndex() as comparison, Spool() as spool, CrossRows(spool, Counter()) as across:
        for row, where in places.items():
            comparison.add(PRINTS.live("p", "ethereum", "default", row, where))
        for group in comparison.groups():
            across.compare(group)
        said = {finding.row: finding.evidence.partition("; ")[2] for finding in spool}
    assert said == {
        "a": "the key of this one is here",
        "b": "the key of this one is in its metadata",
        "c": "the key of this one is not in its own vault record",
    }
