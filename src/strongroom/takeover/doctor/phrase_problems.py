"""What is wrong with a phrase of a project, and what ends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from strongroom.crypto.phrase import Phrase
from strongroom.records.phrases import AccountRecord, PhraseRecord, StoredPhrase, TaggedAccount
from strongroom.takeover.doctor.findings import Finding

Place = tuple[str, str, str]
"""Network, variant and template: an account of a phrase."""


@dataclass(frozen=True, slots=True)
class AccountFix:
    """The row of an account as the register has it."""

    old: TaggedAccount | None
    new: AccountRecord


@dataclass(frozen=True, slots=True)
class TextFix:
    """A phrase that is put back; ``old`` is its row, whose text does not open, or None where it is gone."""

    old: StoredPhrase | None
    new: PhraseRecord
    phrase: Phrase


@dataclass(frozen=True, slots=True)
class RetireFix:
    """A phrase from which nothing is derived any more, and that opens."""

    old: StoredPhrase
    new: PhraseRecord


Fix = AccountFix | TextFix | RetireFix


class PhraseProblem(NamedTuple):
    """A finding about a phrase, and what ends it; None where people have to."""

    finding: Finding
    fix: Fix | None = None
    place: Place | None = None
    """The account that it is about."""

    @property
    def name(self) -> tuple[str, str]:
        """What makes it the same problem in a plan and in the rows as they are now."""
        return self.finding.code, "" if self.place is None else " ".join(self.place)
