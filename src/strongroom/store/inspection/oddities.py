"""Whether there is anything that doctor does not read: asked where a key is missing, before it is called lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping

from strongroom.store.catalog.profile import Profile
from strongroom.store.connection.read_only import ReadOnlyDatabase
from strongroom.store.statements.inspection import InspectionStatements


class Oddities:
    """Asks for what is not in its place. Each call is a statement or one for each table, which reads it whole.

    Raises StoreError.
    """

    def __init__(
        self,
        database: ReadOnlyDatabase,
        profile: Profile,
        hidden: Collection[str] = (),
        hex_networks: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """``hidden``: tables of which row-level security hides rows from this role; they are not asked.
        ``hex_networks``: gives those whose addresses are 32 bytes in hexadecimal digits."""
        self._database, self._tables = database, profile.tables - set(hidden)
        self._all = profile.tables
        self._sql = InspectionStatements(profile, sqlite=database.sqlite)
        self._hex_networks = hex_networks

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

    def keys_elsewhere(self) -> Iterator[str]:
        """The tables with what is written as a key in a column that is for something else."""
        self._sql.hex_networks = tuple(self._hex_networks())
        yield from self._of(self._sql.keys_elsewhere)

    def words_elsewhere(self) -> Iterator[tuple[str, list[str]]]:
        """Tables, and texts of columns that are for something else with as many words as a phrase; the first ones."""
        for table, sql in self._sql.words_elsewhere.items():
            rows = self._database.read(sql, {}) if table in self._tables else []
            yield table, [str(text) for (text,) in rows if text is not None]

    def beside(self) -> Iterator[str]:
        """The tables that are none of the vault's, and have a column which is called as one of keys."""
        for (name,) in self._database.read(self._sql.beside, {}):
            if name not in self._all and not any(re.fullmatch(f"{each}_[0-9]+", str(name)) for each in self._all):
                yield str(name)

    def _of(self, statements: Mapping[str, str]) -> Iterator[str]:
        yield from (table for table, sql in statements.items() if table in self._tables and self._is_there(sql))

    def _is_there(self, sql: str) -> bool:
        return bool(self._database.read(sql, {}))
