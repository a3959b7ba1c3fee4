"""What phrases of projects show: each that has a row, and each that wallets or the history name and that has none."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from uuid import UUID

from strongroom.takeover.doctor.findings import PHRASE_ACCOUNTS, PHRASES, Finding
from strongroom.takeover.doctor.phrase_state import PhraseState
from strongroom.takeover.doctor.remembered_ids import FirstIds
from strongroom.usecases.context import VaultContext
from strongroom.usecases.stray_phrases import StrayPhrases


def phrases_of(
    vault_context: VaultContext, strays: StrayPhrases, project_id: UUID | None = None, *, everywhere: bool = False
) -> Iterator[PhraseState]:
    """Every phrase of a project, or of all: those that have a row, then those that wallets or the history name.

    ``everywhere``: also those that nothing but a text names which is not in its place. Raises StoreError.
    """
    phrases = vault_context.store.phrases
    for page in phrases.stream(project_id):
        for stored in page:
            yield PhraseState(vault_context, stored.record.project_id, stored.record.phrase_id, stored, strays)
    for lost in phrases.stream_lost(project_id):
        for place in lost:
            yield PhraseState(vault_context, *place, None, strays)
    told = FirstIds()
    for place in chain(_pages_of(phrases.stream_kept_lost()), strays.places() if everywhere else ()):
        if project_id not in (None, place[0]) or not told.add(f"{place[0]} {place[1]}"):
            continue
        if phrases.get(*place) is None and not any(phrases.stream_records(*place)):
            yield PhraseState(vault_context, *place, None, strays)


def _pages_of(pages: Iterator[list[tuple[UUID, UUID]]]) -> Iterator[tuple[UUID, UUID]]:
    for page in pages:
        yield from page


class PhraseProbes:
    """Looks at every phrase of a vault whose keyring is open, and derives the key of each of its wallets."""

    def __init__(self, vault_context: VaultContext, project_id: UUID | None, strays: StrayPhrases) -> None:
        self._vault_context = vault_context
        self._project = project_id
        self._strays = strays
        self._told: set[tuple[str, str, str]] = set()
        """Tables, projects and phrases of which something was told."""

    def findings(self) -> Iterator[Finding]:
        """What is wrong. Raises StoreError."""
        for state in phrases_of(self._vault_context, self._strays, self._project):
            yield from self._of(state)

    def has_told(self, kind: str, project_id: UUID, phrase_id: UUID) -> bool:
        """Whether a row of a phrase or of its accounts was told of."""
        return (PHRASES if kind == "phrase" else PHRASE_ACCOUNTS, str(project_id), str(phrase_id)) in self._told

    def _of(self, state: PhraseState) -> Iterator[Finding]:
        for problem in state.problems():
            finding = problem.finding
            if finding.is_of_phrase:
                self._told.add((str(finding.table), str(finding.source), str(finding.row)))
            yield finding
