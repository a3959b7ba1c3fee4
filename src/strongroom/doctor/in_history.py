"""What the history has of a wallet's key, and what that changes in a finding."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from strongroom.doctor import commands
from strongroom.doctor.findings import Finding, shown_id


def archived(finding: Finding) -> Finding:
    """A finding about a text in the place of the wallet's own key, which the history keeps."""
    if finding.credential_id is None or finding.orphan or finding.holds_more:
        return finding
    command = commands.archive(shown_id(finding.credential_id))
    return replace(finding, named_command=command)


class InHistory(NamedTuple):
    """What the history has of a wallet's key."""

    known: bool = False
    ask: str = ""
    """Why a text that may be the key is not taken."""
    explained: bool = True
    """Whether such a text is at least known for what it is."""


NOT_KEPT = InHistory()
WHY_UNOPENED = ("needs its password", "is encrypted by another application")
