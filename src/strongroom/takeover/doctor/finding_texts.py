"""The texts that a finding is about, and what they hold."""

from __future__ import annotations

from collections.abc import Iterator

from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.derivation import Content
from strongroom.takeover.doctor.findings import CREDENTIALS, Finding
from strongroom.takeover.doctor.key_kinds import IN_PLAINTEXT, KeyText
from strongroom.takeover.doctor.notes import Examination


def place_of(finding: Finding) -> str:
    """The id of the text that a finding is about, the first of those in the metadata."""
    place = finding.row or ""
    return place if finding.table != CREDENTIALS else f"{commands.in_metadata(place)}/{finding.members[0]}"


def contents(finding: Finding, examined: Examination) -> Iterator[Content]:
    """What the texts hold that a finding is about, and is not the wallet's own."""
    yield from (content for _, content in _texts(finding, examined) if content is not None and not content.derives)


def locked(finding: Finding, examined: Examination) -> Iterator[Content]:
    """The keys that a finding is about, where a password protects them."""
    for read, content in _texts(finding, examined):
        if content is not None and read.kind not in IN_PLAINTEXT:
            yield content


def _texts(finding: Finding, examined: Examination) -> list[tuple[KeyText, Content | None]]:
    """The texts that a finding is about: members of the metadata, or one vault record."""
    if finding.table == CREDENTIALS:
        return [(member.read, member.content) for member in examined.members if member.name in finding.members]
    return [(held.read, held.content) for held in examined.records if held.record.id == finding.row]


def project_of_row(examined: Examination) -> str:
    """The project that the row of a wallet says; empty where it says none."""
    credential = examined.credential
    return "" if credential is None else credential.project_id or ""
