"""Whether there is anything that doctor does not read: asked where a key is missing, before it is called lost."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from strongroom.store.catalog.profile import Profile
from strongroom.store.connection.read_only import ReadOnlyDatabase
from strongroom.store.statements.inspection import InspectionStatements


class Oddities:
    """Asks for what is not in its place. Each call is a statement or one for each table, which reads it whole.

    Raises StoreError.
    """

    def __init__(self, database: ReadOnlyDatabase, profile: Profile, hidden: Collection[str] = ()) -> None:
        """``hidden``: tables of which row-level security hides rows from this role; they are not asked."""
        self._database, self._tables = database, profile.tables - set(hidden)
        self._sql = InspectionStatements(profile, sqlite=database.sqlite)

    def any_phrase(self) -> bool:
        """Whether a phrase of a project has a row."""
        return "strongroom_phrase" in self._tables and self._is_there(self._sql.any_phrase)

    def odd_entries(self) -> bool:
        """Whether the history has entries that strongroom does not write."""
        return "strongroom_vault_history" in self._tables and self._is_there(self._sql.odd_entries)

    def odd_ids(self) -> Iterator[str]:
        """The tables with ids that strongroom does not write, whose rows are not all read."""
        yield from self._of(self._sql.odd_ids)

    def sealed_elsewhere(self) -> Iterator[str]:
        """The tables with a sealed text in a column that is for something else."""
        yield from self._of(self._sql.sealed_elsewhere)

    def _of(self, statements: Mapping[str, str]) -> Iterator[str]:
        yield from (table for table, sql in statements.items() if table in self._tables and self._is_there(sql))

    def _is_there(self, sql: str) -> bool:
        return bool(self._database.read(sql, {}))
