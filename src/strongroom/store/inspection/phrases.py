"""Which phrases of projects are there, for those who cannot open them: nothing is checked, and no text is read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple
from uuid import UUID

from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.store.catalog.profile import Profile
from strongroom.store.connection.read_only import ReadOnlyDatabase
from strongroom.store.statements.history_reading import SHORT_CHARACTERS
from strongroom.store.statements.inspection import InspectionStatements

_TABLES = frozenset({"strongroom_phrase", "strongroom_wallet", "strongroom_vault_history"})
MOST_OF_PROJECT = 100
"""Phrases of one project that are looked at."""
_MOST_RECORDS = 64
_PAGE = 5_000
"""Of ids."""


class FoundPhrase(NamedTuple):
    """A phrase as it is named somewhere."""

    project_id: str
    phrase_id: str
    has_text: bool
    """Whether there is a row of it with a text."""


class PhraseInspection:
    """Reads the names of phrases. Writes nothing. Each call is one statement, that of ``kept`` one for each page."""

    def __init__(self, database: ReadOnlyDatabase, profile: Profile, hidden: Collection[str] = ()) -> None:
        self._database = database
        self._sql = InspectionStatements(profile, sqlite=database.sqlite)
        self.there = profile.tables >= _TABLES
        """False where the vault is of an older version, and where there is none."""
        self.hidden = not _TABLES.isdisjoint(hidden)
        """Whether row-level security may hide some from this role."""

    def any(self) -> bool:
        """Whether a phrase has a row."""
        return bool(self._database.read(self._sql.any_phrase, {}))

    def of_project(self, project_id: UUID) -> list[FoundPhrase]:
        """The first ``MOST_OF_PROJECT`` of a project, and one more where there are more."""
        parameters = {"project_id": str(project_id), "limit": MOST_OF_PROJECT + 1}
        found = self._database.read(self._sql.phrases_of_project, parameters)
        return [FoundPhrase(str(project_id), phrase_id or "", _has_text(text)) for phrase_id, text in found]

    def of_wallet(self, wallet_id: UUID) -> list[FoundPhrase]:
        """Those that the register's records of a wallet name, be they there or not."""
        found = self._database.read(self._sql.phrases_of_wallet, {"id": str(wallet_id), "limit": _MOST_RECORDS})
        return [FoundPhrase(project or "", phrase_id or "", _has_text(text)) for project, phrase_id, text in found]

    def kept(self) -> Iterator[tuple[str, str]]:
        """Project and id of each phrase that the history keeps a sealed text of, as often as it does."""
        after: str | None = None
        while True:
            page = self._database.read(
                self._sql.kept_phrases(after is not None),
                {"after": self._cursor(after), "limit": _PAGE},
            )
            yield from ((project or "", phrase_id or "") for _, project, phrase_id in page)
            if len(page) < _PAGE:
                return
            after = str(page[-1][0])

    def _cursor(self, after: str | None) -> str | bytes | None:
        return after.encode("utf-8", "surrogateescape") if after and self._database.sqlite else after


def _has_text(beginning: str | None) -> bool:
    """Whether a text holds anything, by its beginning: blanks may go on as something else."""
    return beginning is not None and (len(beginning) >= SHORT_CHARACTERS or beginning.strip() not in PLACEHOLDERS)
