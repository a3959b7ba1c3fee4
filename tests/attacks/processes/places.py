"""New databases for an attack, as many as it wants, and a look at them that waits until the dead are gone."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.children_lifecycle import Place, open_place
from tests.integration.rows import sqlite_path
from tests.servers.postgres import PostgresServer

_VICTIM = "victim"
"""The application name of children that are killed."""
_STILL_THERE = (
    f"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = '{_VICTIM}'"
)
_TIMEOUT_SECONDS = 60.0
_numbers = count(1)


@contextmanager
def new_place(ground: str, request: pytest.FixtureRequest) -> Iterator[Place]:
    """A new, initialised database of a ground, gone afterwards; a test may ask for one after the other."""
    root_key = str(request.getfixturevalue("root_key_uri"))
    if ground == "fresh":
        server: PostgresServer = request.getfixturevalue("postgres")
        name, original = f"place_{next(_numbers)}", str(request.getfixturevalue("postgresql_template"))
        yield Place(ground, server.create_database(name, template=original), root_key)
        server.drop_database(name)
        return
    if ground != "sqlite":
        with open_place(ground, request) as place:
            yield place
        return
    folder = Path(request.getfixturevalue("private_path")) / f"place-{next(_numbers)}"
    folder.mkdir(mode=0o700)
    template: Path = request.getfixturevalue("sqlite_template")
    for file in template.parent.glob(f"{template.name}*"):
        shutil.copy2(file, folder)
    yield Place(ground, f"sqlite:///{folder / template.name}", root_key)
    shutil.rmtree(folder)


def url_of_victims(url: str) -> str:
    """The URL by which children that are killed come to a database."""
    return url if url.startswith("sqlite") else f"{url}{'&' if '?' in url else '?'}application_name={_VICTIM}"


class Witness:
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
