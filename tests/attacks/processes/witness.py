"""A look at a database by the bare driver, which waits until the dead are gone."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import Any

import psycopg

from testbed.databases.rows import sqlite_path

_VICTIM = "victim"
"""The application name of children that are killed."""
_STILL_THERE = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{_VICTIM}'"
_TIMEOUT_SECONDS = 60.0


def url_of_victims(url: str) -> str:
    """The URL by which children that are killed come to a database."""
    return url if url.startswith("sqlite") else f"{url}{'&' if '?' in url else '?'}application_name={_VICTIM}"


class DatabaseWitness:
    """One connection of the bare driver, kept open."""

    def __init__(self, url: str) -> None:
        self._sqlite = sqlite3.connect(sqlite_path(url), timeout=30) if url.startswith("sqlite") else None
        self._server = None if self._sqlite else psycopg.connect(url, autocommit=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether it looks at a file."""
        return self._sqlite is not None

    def ask(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What a statement with ``?`` placeholders returns."""
        values = tuple(str(each) for each in parameters)
        if self._sqlite is not None:
            with self._sqlite, closing(self._sqlite.execute(sql, values)) as found:
                return found.fetchall()
        if self._server is None:
            raise ValueError("the witness is gone")
        cursor = self._server.execute(sql.replace("%", "%%").replace("?", "%s").encode(), values)
        return cursor.fetchall() if cursor.description else []

    def await_the_dead(self) -> None:
        """Wait until the server has seen that the children are gone: until then it goes on with what they sent."""
        give_up = time.monotonic() + _TIMEOUT_SECONDS
        while self._server is not None and self.ask(_STILL_THERE) != [(0,)]:
            assert time.monotonic() < give_up, "a killed client's session does not end"

    def close(self) -> None:
        """Give the connection back."""
        for connection in (self._sqlite, self._server):
            if connection is not None:
                connection.close()
