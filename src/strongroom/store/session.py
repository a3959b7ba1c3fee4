"""A driver's cursor, and what statements are run through it: the one place that executes SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """A driver's cursor that runs statements: on our own connection, or on a caller's."""

    cursor: Any
    sqlite: bool
    prepare: bool

    def fetch(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run a statement and return its rows."""
        self._execute(sql, parameters)
        return self.cursor.fetchall()  # type: ignore[no-any-return]

    def change(self, sql: str, parameters: Mapping[str, Any]) -> int:
        """Run a statement and return how many rows it wrote."""
        self._execute(sql, parameters)
        return self.cursor.rowcount  # type: ignore[no-any-return]

    def control(self, sql: str) -> None:
        """Run BEGIN, COMMIT or ROLLBACK."""
        if self.sqlite:
            self.cursor.execute(sql)
        else:
            self.cursor.execute(sql, prepare=False)

    def _execute(self, sql: str, parameters: Mapping[str, Any]) -> None:
        if self.sqlite:
            self.cursor.execute(sql, {name: _for_sqlite(value) for name, value in parameters.items()})
        else:
            self.cursor.execute(sql, parameters, prepare=self.prepare)


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value
