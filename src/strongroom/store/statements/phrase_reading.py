"""Which phrases of projects are there, by tables of ours alone; no text is read whole."""

from __future__ import annotations

from functools import cached_property

from strongroom.records.phrases import HISTORY_NETWORK
from strongroom.store.statements.history_reading import SHORT_CHARACTERS, HistoryReading


class PhraseReading(HistoryReading):
    """The statements about phrases that an inspection asks, for one engine and one profile."""

    @cached_property
    def any_phrase(self) -> str:
        """Whether there is a phrase of any project."""
        return "SELECT 1 FROM strongroom_phrase LIMIT 1"

    @cached_property
    def phrases_of_project(self) -> str:
        """The first phrases of a project, and how their texts begin."""
        return (
            f"SELECT {self._short('phrase_id')}, {self._short('sealed_text')} FROM strongroom_phrase "  # noqa: S608
            f"WHERE project_id = {self._parameter('project_id')} ORDER BY phrase_id LIMIT {self._parameter('limit')}"
        )

    @cached_property
    def phrases_of_wallet(self) -> str:
        """Project and phrase that the register's records of a wallet name, and how that phrase's text begins."""
        columns = ", ".join(map(self._short, ("w.project_id", "w.phrase_id", "p.sealed_text")))
        return (
            f"SELECT {columns} FROM strongroom_wallet w "  # noqa: S608
            "LEFT JOIN strongroom_phrase p ON p.project_id = w.project_id AND p.phrase_id = w.phrase_id "
            f"WHERE w.credential_id = {self._parameter('id')} AND w.phrase_id IS NOT NULL "
            f"LIMIT {self._parameter('limit')}"
        )

    def kept_phrases(self, after: bool) -> str:
        """A page of the entries of the history that keep a phrase's sealed text, with its project and its id."""
        conditions = [
            f"form = 'sealed' AND network = '{HISTORY_NETWORK}'",
            *([self._after("id")] if after else ()),
            *([self._names_something("id")] if self._sqlite else ()),
        ]
        columns = ", ".join(map(self._short, ("id", "project_id", "credential_id")))
        return (
            f"SELECT {columns} FROM strongroom_vault_history WHERE {' AND '.join(conditions)} "  # noqa: S608
            f"ORDER BY id LIMIT {self._parameter('limit')}"
        )

    def _short(self, column: str) -> str:
        return self._cut(column, SHORT_CHARACTERS)
