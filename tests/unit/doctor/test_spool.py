"""Findings in a file: what goes in comes out, and what is settled later comes out settled."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from strongroom.doctor.findings import SEVERITIES, Finding, Repair
from strongroom.doctor.spool import Spool, as_known

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


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(FINDINGS, st.none() | SOURCES), max_size=20))
@example([(LOST, "a\nb "), (LOST, "\udcff"), (LOST, None)])
def test_findings_come_out_as_they_went_in_and_settled_ones_settled(pairs: list[tuple[Finding, str | None]]) -> None:
    with Spool() as spool:
        places = [spool.add(finding, b"%d" % (number % 3)) for number, (finding, _) in enumerate(pairs)]
        for number, ((_, source), place) in enumerate(zip(pairs, places, strict=True)):
            if source is not None:
                assert spool.settle(place, source) == b"%d" % (number % 3)
        wanted = [each if source is None else as_known(each, source=source) for each, source in pairs]
        assert list(spool) == wanted
        assert list(spool) == wanted, "as often as asked for"
        assert spool.counts == Counter(finding.code for finding, _ in pairs)


def test_findings_may_be_added_while_others_are_read() -> None:
    with Spool() as spool:
        spool.add(LOST)
        reading = iter(spool)
        assert next(reading) == LOST
        spool.settle(spool.add(replace(LOST, row="2")), "somewhere")
        assert [finding.row for finding in reading] == ["2"]


def test_a_key_that_is_found_is_filled_in_but_nothing_is_overwritten() -> None:
    known = as_known(LOST, source="7")
    assert (known.repair, known.automatic, known.source) == ("fill", True, "7")
    unreadable = as_known(replace(LOST, code="unreadable"), source="7")
    assert (unreadable.repair, unreadable.automatic) == ("ask", False)
    assert unreadable.evidence == "no vault record; its key stands in the vault record 7"


def test_the_file_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Spool() as spool:
        spool.add(LOST)
        assert list(spool) == [LOST]
        assert list(tmp_path.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


def test_a_finding_is_printed_as_the_reference_says() -> None:
    document = LOST.as_dict()
    members = ["code", "severity", "table", "row", "credential_id", "evidence", "repair", "automatic"]
    assert list(document) == members
    assert document["severity"] == "critical"
