"""What is wrong with a phrase of a project, and what ends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from strongroom.crypto.phrase import Phrase
from strongroom.records.phrases import AccountRecord, PhraseRecord, StoredPhrase, TaggedAccount
from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.findings import Finding, Repair

LARGEST_VERSION = (1 << 31) - 2
"""Of a row that can have a next one."""
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


@dataclass(frozen=True, slots=True)
class MoveFix:
    """A row that comes under the project and the id that its text names."""

    old: StoredPhrase
    new: PhraseRecord


Fix = AccountFix | TextFix | RetireFix | MoveFix


def planned(
    code: str, table: str, phrase: tuple[UUID, UUID], wallet: str | None, evidence: str, repair: Repair
) -> Finding:
    """A finding about a phrase (its project and id) that a plan ends, and about which nothing has to be decided."""
    place, project = (table, str(phrase[1]), wallet), str(phrase[0])
    return Finding(code, *place, evidence, repair, automatic=True, source=project, named_command=commands.PLAN)


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
