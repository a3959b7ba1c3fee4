"""A driver's cursor, and what statements are run through it: the one place that executes SQL."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from strongroom.errors import TriggerConflictError
from strongroom.store.connection.missing_privilege import LACKS_PRIVILEGE, STATEMENT
from strongroom.store.connection.qualified import QualifiedTexts
from strongroom.store.connection.read_only_file import any_text, is_not_utf8

Row = tuple[Any, ...]


@dataclass(slots=True)  # not frozen: one is made for each statement, and freezing takes longer than the rest
class Session:
    """A driver's cursor that runs statements: on our own connection, or on a caller's."""

    cursor: Any
    sqlite: bool
    prepare: bool
    texts: QualifiedTexts = field(default_factory=QualifiedTexts)
    """Each statement as PostgreSQL is sent it: nothing in it is looked up in search_path."""

    def fetch(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run a statement and return its rows. Text of SQLite that is not UTF-8 comes through, as surrogates."""
        try:
            self._execute(sql, parameters)
            return self.cursor.fetchall()  # type: ignore[no-any-return]
        except (sqlite3.OperationalError, UnicodeEncodeError) as error:
            if not (self.sqlite and is_not_utf8(error) and sql.lstrip().startswith("SELECT")):
                raise
        return self._fetch_any_text(sql, parameters)

    def change(self, sql: str, parameters: Mapping[str, Any]) -> int:
        """Run a statement and return how many rows it wrote."""
        self._execute(sql, parameters)
        return self.cursor.rowcount  # type: ignore[no-any-return]

    def write(self, sql: str, parameters: Mapping[str, Any]) -> None:
        """Run a statement that writes one row. Raises TriggerConflictError where it did not: nothing must stay then."""
        if self.change(sql, parameters) != 1:
            raise TriggerConflictError("A trigger or rule kept a row out; nothing was written.")

    def write_many(self, statements: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        """Run statements that each write one row for each of several parameters (SQLite). Raises as ``write`` does."""
        each = [_own(parameters) for parameters in rows]
        for sql in statements:
            self.cursor.executemany(sql, each)
            if self.cursor.rowcount != len(rows):
                raise TriggerConflictError("A trigger or rule kept a row out; nothing was written.")

    def change_as_read(self, sql: str, parameters: Mapping[str, Any], as_read: str) -> bool:
        """Run a statement that writes the one row that was read; False where it is another by now.

        Raises TriggerConflictError where it is still the one that was read (``as_read`` finds it), and was not written.
        """
        if self.change(sql, parameters):
            return True
        self.require_none(as_read, parameters)
        return False

    def change_all(self, sql: str, parameters: Mapping[str, Any], left: str) -> None:
        """Run a statement that writes every row that ``left`` counts; others may come or go meanwhile.

        Raises TriggerConflictError where fewer were written, and some of them are as they were.
        """
        ((there,),) = self.fetch(left, parameters)
        if self.change(sql, parameters) < there:
            self.require_none(left, parameters)

    def require_none(self, sql: str, parameters: Mapping[str, Any]) -> None:
        """Raise TriggerConflictError where a write left what a statement finds, or counts: nothing must stay then."""
        if any(row != (0,) for row in self.fetch(sql, parameters)):
            raise TriggerConflictError("A trigger or rule kept a row as it was; nothing was written.")

    def control(self, sql: str) -> None:
        """Run BEGIN, COMMIT or ROLLBACK, or a statement of a script, as it is."""
        if self.sqlite:
            self.cursor.execute(sql)
        else:
            self.cursor.execute(sql, prepare=False)

    def _fetch_any_text(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """The same, taking any text for this once: all other rows are read at SQLite's own speed."""
        connection = self.cursor.connection
        usual = connection.text_factory
        connection.text_factory = any_text
        try:
            self._execute(*_with_any_text(sql, parameters))
            return self.cursor.fetchall()  # type: ignore[no-any-return]
        finally:
            connection.text_factory = usual

    def _execute(self, sql: str, parameters: Mapping[str, Any]) -> None:
        if self.sqlite:
            self.cursor.execute(sql, _own(parameters))
        else:
            try:
                self._send(sql, parameters)
            except Exception as error:
                if getattr(error, "sqlstate", None) == LACKS_PRIVILEGE:
                    setattr(error, STATEMENT, sql)
                raise

    def _send(self, sql: str, parameters: Mapping[str, Any]) -> None:
        self.cursor.execute(self.texts[sql], parameters, prepare=self.prepare)


class NumberedSession(Session):
    """Runs statements through psycopg's RawCursor: with numbers for their parameters, as the server takes them."""

    __slots__ = ()

    def _send(self, sql: str, parameters: Mapping[str, Any]) -> None:
        text, names = self.texts.numbered(sql)
        self.cursor.execute(text, [parameters[name] for name in names], prepare=self.prepare)


def _own(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as SQLite takes them; by exact type first: nearly all of them are text."""
    return {name: each if type(each) is str else _for_sqlite(each) for name, each in parameters.items()}


def _with_any_text(sql: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The same statement; a parameter that is no UTF-8, such as the id that a page begins behind, still as text."""
    given = dict(parameters)
    for name, value in parameters.items():
        if isinstance(value, str) and (data := value.encode("utf-8", "surrogateescape")) != value.encode(
            errors="replace"
        ):
            given[name] = data
            sql = re.sub(rf":{name}\b", f"CAST(:{name} AS TEXT)", sql)
    return sql, given


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value
