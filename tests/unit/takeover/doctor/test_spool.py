"""Findings in a file: what goes in comes out, and what is settled later comes out settled."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from strongroom.takeover.doctor.findings import SEVERITIES, Finding, Repair
from strongroom.takeover.doctor.spool import Offer, Settled, Spool, as_elsewhere, as_known, as_placed
from testbed.harness.sizes import examples

TEXTS = st.text(st.characters(exclude_categories=()), max_size=60)
SOURCES = st.text(st.characters(exclude_categories=(), exclude_characters="\0"), max_size=11)
FINDINGS = st.builds(
    Finding,
    st.sampled_from(list(SEVERITIES)),
    st.sampled_from(["project_credentials", "credential_vault_storage", None]),
    TEXTS | st.none(),
    TEXTS | st.none(),
    TEXTS,
    st.sampled_from(get_args(Repair)),
    st.booleans(),
    SOURCES | st.none(),
)
LOST = Finding("missing-vault-record", "project_credentials", "1", "1", "no vault record", "none")


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.tuples(FINDINGS, st.none() | SOURCES), max_size=20))
@example([(LOST, "a\nb "), (LOST, "\udcff"), (replace(LOST, evidence="\ud800\udc00"), None)])
def test_findings_come_out_as_they_went_in_and_settled_ones_settled(pairs: list[tuple[Finding, str | None]]) -> None:
    with Spool() as spool:
        places = [spool.add(finding, b"%d" % (number % 3)) for number, (finding, _) in enumerate(pairs)]
        for number, ((_, source), place) in enumerate(zip(pairs, places, strict=True)):
            if source is not None:
                assert spool.note(place) == b"%d" % (number % 3)
                spool.settle(place, "another", b"n", Settled.SEALED)
                spool.settle(place, source, b"n", Settled.KNOWN if number % 2 == 0 else Settled.SEALED)
                assert spool.note(place) == b"n"
        wanted = [_settled(each, source, known=number % 2 == 0) for number, (each, source) in enumerate(pairs)]
        assert list(spool) == wanted
        assert list(spool) == wanted, "as often as asked for"
        assert spool.counts == Counter(finding.code for finding, _ in pairs)


def _settled(finding: Finding, source: str | None, *, known: bool) -> Finding:
    if source is None:
        return finding
    return as_known(finding, source=source) if known else as_elsewhere(finding, source)


def test_what_is_offered_comes_out_with_the_finding_that_it_settles() -> None:
    offers = [
        Offer((), "w", "the metadata of w (key)", "print it"),
        Offer(("0x", "1"), None, "the entry e", "", "text"),
    ]
    with Spool() as spool:
        places = [spool.add(replace(LOST, row=str(number))) for number in range(2)]
        for place, offer in zip(places, offers, strict=True):
            kept = spool.offer(offer)
            assert spool.offered(kept) == offer
            spool.settle(place, str(kept), b" ", Settled.PLACED)
        assert spool.finding(places[1]) == replace(LOST, row="1")
        wanted = [as_placed(replace(LOST, row=str(number)), offer) for number, offer in enumerate(offers)]
        assert list(spool) == wanted
    assert [each.command for each in wanted] == ["print it", ""]
    assert [each.repair for each in wanted] == ["ask", "ask"]


def test_findings_may_be_added_while_others_are_read() -> None:
    with Spool() as spool:
        spool.add(LOST)
        reading = iter(spool)
        assert next(reading) == LOST
        spool.settle(spool.add(replace(LOST, row="2")), "somewhere", b" ", Settled.KNOWN)
        assert [finding.row for finding in reading] == ["2"]


def test_a_key_that_is_found_is_filled_in_but_nothing_is_overwritten() -> None:
    known = as_known(LOST, source="7")
    assert (known.repair, known.automatic, known.source) == ("fill", True, "7")
    unreadable = as_known(replace(LOST, code="unreadable"), source="7")
    assert (unreadable.repair, unreadable.automatic) == ("ask", False)
    assert unreadable.evidence == "no vault record; its key is stored in the vault record 7"


def test_a_key_of_another_project_is_asked_about() -> None:
    found = as_elsewhere(LOST, "7")
    assert (found.repair, found.automatic, found.source) == ("ask", False, "7")
    assert "of another project or of none" in found.evidence
    assert found.command == "strongroom history reveal 7 --reveal"
    assert as_elsewhere(LOST, "an id that is not shown").command == ""


@pytest.mark.parametrize("text", ["46" * 32, "word " * 12, "5" + "K" * 50, "\x1b[31m", "", "a" * 41])
def test_an_id_that_may_be_a_key_is_not_printed(text: str) -> None:
    found = replace(LOST, row=text, credential_id=text)
    assert {found.as_dict()["row"], found.as_dict()["credential_id"]} == {"(an id that is not shown)"}
    assert (text in as_known(LOST, source=text).evidence) is (text == "")


def test_the_file_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Spool() as spool:
        spool.add(LOST)
        assert list(spool) == [LOST]
        assert list(tmp_path.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


def test_a_finding_is_printed_as_the_reference_says() -> None:
    document = LOST.as_dict()
    members = ["code", "severity", "table", "row", "credential_id", "project_id", "network", "address"]
    members += ["evidence", "repair", "automatic", "command"]
    assert list(document) == members
    assert document["severity"] == "critical"
