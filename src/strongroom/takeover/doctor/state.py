"""How a wallet's key stands: the states, and the decision between them.

``decide_state`` says what the wallet's own rows show. ``examination`` makes it UNDECIDED where there are more records
than are read; ``cross_rows`` and ``diagnosis`` change it where another row, the history or a phrase has or may have the
key, and make everything UNEXPLAINED that would be LOST where a run did not see all.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from strongroom.takeover.doctor.findings import Finding
    from strongroom.takeover.doctor.notes import Examination, ExaminedRecord

_AUTOMATIC = frozenset({"seal", "move", "fill", "relabel"})
_ABOUT_COLUMNS = frozenset({"wrong-label", "stored-flag-wrong"})


class State(Enum):
    """How a wallet's key stands, for those who want one word."""

    SAFE = "safe"
    """A sealed text in its vault record is the wallet's own."""
    RECOVERABLE = "recoverable"
    """A repair seals, moves or fills in the key by itself."""
    UNDECIDED = "undecided"
    """The key may be there, and a person has to decide."""
    UNEXPLAINED = "unexplained"
    """Nothing gives the key, and a text was not explained, opened or read that could hold it."""
    LOST = "lost"
    """Nothing gives the key, and everything was seen that could: a run as a whole says so."""


def decide_state(result: Examination, records: Sequence[ExaminedRecord]) -> State:
    """How the key of a credential stands by its own rows: the first of these that holds.

    - SAFE: a record fits, which is a sealed text of just this row by a sealing key of the keyring.
    - RECOVERABLE: a finding has an automatic repair that gives the key its place.
    - UNDECIDED: a record or a metadata member holds something that is known to be a key text.
    - UNEXPLAINED: a record or a metadata member holds a text that nothing explains, or metadata were not read.
    - LOST: no conditional finding has any repair; otherwise UNDECIDED.
    """
    if any(held.fits for held in records):
        return State.SAFE
    repairable = (f for f in result.findings if f.automatic and f.repair in _AUTOMATIC and f.code not in _ABOUT_COLUMNS)
    if next(repairable, None) is not None:
        return State.RECOVERABLE
    if any(held.holds_text and held.explained for held in records) or any(each.counts for each in result.members):
        return State.UNDECIDED
    if any(not held.explained for held in records) or any(each.unexplained for each in result.members):
        return State.UNEXPLAINED
    if result.credential is not None and result.credential.unread:
        return State.UNEXPLAINED
    return State.LOST if all(finding.repair == "none" for finding in result.conditional) else State.UNDECIDED


def once_asked(state: State | None, finding: Finding) -> State | None:
    """How a wallet stands whose key was missing, when what its finding says by now is left to a person."""
    return State.UNDECIDED if state is State.LOST and finding.repair == "ask" else state
