"""Phrases that nobody opened: where no vault is open, any phrase of a wallet's project may derive its missing key.

Their names alone are read, and what names them is not checked: a row that somebody planted lets a wallet be called
unexplained that is lost, and none be called lost whose key is there.
"""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from strongroom.store.inspection.phrases import MOST_OF_PROJECT, PhraseInspection
from strongroom.store.statements.register_rows import uuid_or_none
from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.findings import Finding
from strongroom.takeover.doctor.notes import Examination
from strongroom.takeover.doctor.spool import as_unopened

_MOST_REMEMBERED = 20_000
"""Phrases that the history keeps, and projects that were asked about."""


class UnopenedPhrases:
    """Asks for a wallet's phrases, in flat memory: at most three statements for each wallet, and two for each run."""

    def __init__(self, phrases: PhraseInspection, *, has_root_key: bool) -> None:
        self._phrases = phrases
        self._command = "" if has_root_key or phrases.hidden else commands.WITH_ROOT_KEY
        self._how = "" if has_root_key else " without the root key"
        self._any: bool | None = None
        """Whether there are phrases at all; None where nobody looked yet."""
        self._kept = defaultdict[str, set[str]](set)
        """The phrases that the history keeps, by project."""
        self._all_kept = True
        """Whether these are all of them."""
        self._counts: dict[UUID, int] = {}
        """Of the projects that were asked about first."""

    def told(self, finding: Finding, examined: Examination) -> Finding:
        """A finding about a missing key, with the phrases that may derive it. Raises StoreError."""
        if self._phrases.there and self._phrases.hidden:
            why = "phrases of its project may derive its key, and row-level security hides them from this role"
            return as_unopened(finding, why, "")
        number = self._number(examined)
        if not number:
            return finding
        were = "phrase of its project was" if number == 1 else "phrases of its project were"
        many = f"more than {MOST_OF_PROJECT}" if number > MOST_OF_PROJECT else f"{number}"
        return as_unopened(finding, f"{many} {were} not opened{self._how}, and may derive its key", self._command)

    def _number(self, examined: Examination) -> int:
        """How many phrases there are that may derive a wallet's key: those of its project, and those of its record."""
        if examined.credential is None or not self._there():
            return 0
        project_id = uuid_or_none(examined.credential.project_id)
        number = 0 if project_id is None else self._of_project(project_id)
        wallet_id = uuid_or_none(examined.credential.id)
        recorded = () if wallet_id is None else self._phrases.of_wallet(wallet_id)
        others = (each for each in recorded if uuid_or_none(each.project_id) != project_id)
        return number + sum(each.has_text or self._is_kept(each.project_id, each.phrase_id) for each in others)

    def _there(self) -> bool:
        if self._any is None:
            self._any = self._phrases.there
            if self._any:
                self._read_kept()
                self._any = bool(self._kept) or self._phrases.any()
        return self._any

    def _read_kept(self) -> None:
        number = 0
        for project, phrase_id in self._phrases.kept():
            if phrase_id in self._kept.get(project, ()):
                continue
            if number == _MOST_REMEMBERED:
                self._all_kept = False
                return
            self._kept[project].add(phrase_id)
            number += 1

    def _of_project(self, project_id: UUID) -> int:
        if project_id in self._counts:
            return self._counts[project_id]
        rows = self._phrases.of_project(project_id)
        named = {each.phrase_id for each in rows if each.has_text} | self._kept.get(str(project_id), set())
        number = max(len(named), len(rows) if len(rows) > MOST_OF_PROJECT else 0, 0 if self._all_kept else 1)
        if len(self._counts) < _MOST_REMEMBERED:
            self._counts[project_id] = number
        return number

    def _is_kept(self, project_id: str, phrase_id: str) -> bool:
        return not self._all_kept or phrase_id in self._kept.get(project_id, ())
