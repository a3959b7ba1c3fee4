"""Drivers that callers' connections have and ours have not: how each is sent the statements that psycopg is.

The texts are those of psycopg: ``%(name)s`` with a cast. What a caller set on a connection (loaders, row factories)
does not reach what is read here, since each session has a cursor of its own. A connection of asyncpg has one set of
codecs for everybody: one that makes other values of numbers or texts is refused.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache, partial
from typing import Any, TypeVar
from uuid import UUID

from strongroom.errors import ConnectionNotSupportedError
from strongroom.store.connection.session import Row, Session

T = TypeVar("T")
_PLACE = re.compile(r"%\((\w+)\)s(::(?:pg_catalog\.)?jsonb?\b)?|%%", re.IGNORECASE)
_BYTEA, _JSON, _JSONB, _UUID = 17, 114, 3802, 2950
_BOOL, _INTEGERS, _TEXTS = 16, (20, 21, 23), (18, 19, 25, 1042, 1043)
_DATE, _TIMESTAMP, _TIMESTAMPTZ = 1082, 1114, 1184


class AsyncPsycopgSession(Session):
    """An asynchronous connection of psycopg, as SQLAlchemy lends it inside a greenlet."""

    __slots__ = ()

    def fetch(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run a statement and return its rows."""

        async def run(driver: Any) -> list[Row]:
            return await (await self._run(driver, sql, parameters)).fetchall()  # type: ignore[no-any-return]

        return self._awaited(run)

    def change(self, sql: str, parameters: Mapping[str, Any]) -> int:
        """Run a statement and return how many rows it wrote."""

        async def run(driver: Any) -> int:
            return (await self._run(driver, sql, parameters)).rowcount  # type: ignore[no-any-return]

        return self._awaited(run)

    async def _run(self, driver: Any, sql: str, parameters: Mapping[str, Any]) -> Any:
        import psycopg
        from psycopg.rows import tuple_row

        from strongroom.store.connection.psycopg_loaders import take_what_others_wrote

        cursor = psycopg.AsyncCursor(driver, row_factory=tuple_row)
        take_what_others_wrote(cursor)
        return await cursor.execute(self.texts[sql], parameters, prepare=self.prepare and None)

    def _awaited(self, run: Callable[[Any], Awaitable[T]]) -> T:
        return self.cursor.run_async(run)  # type: ignore[no-any-return]


_TRIED = (True, 7, 7, 7, "7", "7", b"7")
_TRIAL = (
    "SELECT $1::pg_catalog.bool, $2::pg_catalog.int2, $3::pg_catalog.int4, $4::pg_catalog.int8, $5::pg_catalog.text, "
    "$6::pg_catalog.varchar, $7::pg_catalog.bytea, $1::pg_catalog.bool::pg_catalog.text, $4::pg_catalog.text"
)
_TRIED_ON = "strongroom_codecs_tried"


def require_drivers_own_codecs(lent: Any) -> None:
    """Raise ConnectionNotSupportedError where a codec of the application's makes other values; asked once."""
    if lent.info.get(_TRIED_ON):
        return
    try:
        row = lent.run_async(lambda driver: driver.fetchrow(_TRIAL, *_TRIED))
        fits = [type(each) for each in row] == [*(type(each) for each in _TRIED), str, str] and tuple(row) == (
            *_TRIED,
            "true",
            "7",
        )
    except Exception as error:
        if not str(getattr(error, "sqlstate", "22")).startswith("22"):  # what no codec raises
            raise
        fits = False
    if not fits:
        raise ConnectionNotSupportedError(
            "connection= has a codec of asyncpg for a boolean, a number or a text that returns something else.",
            hint="Set such codecs on other connections. Codecs for json, jsonb, uuid and times do not matter.",
        )
    lent.info[_TRIED_ON] = True


class AsyncpgSession(Session):
    """A connection of asyncpg, as SQLAlchemy lends it inside a greenlet."""

    __slots__ = ()

    def fetch(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run a statement and return its rows."""
        text, names = numbered(self.texts[sql])
        found = self._awaited(lambda driver: driver.fetch(text, *(parameters[name] for name in names)))
        return [tuple(row) for row in found]

    def change(self, sql: str, parameters: Mapping[str, Any]) -> int:
        """Run a statement and return how many rows it wrote."""
        text, names = numbered(self.texts[sql])
        told = self._awaited(lambda driver: driver.execute(text, *(parameters[name] for name in names)))
        last = str(told).rpartition(" ")[2]
        return int(last) if last.isdigit() else 0

    def _awaited(self, run: Callable[[Any], Awaitable[Any]]) -> Any:
        try:
            return self.cursor.run_async(run)
        except Exception as error:
            if hasattr(error, "sqlstate"):
                raise
            raise LostSocketError from error  # a socket's error, or that of a connection that is closed


class LostSocketError(Exception):
    """A connection of asyncpg ended, and no server said why."""

    sqlstate = "08006"


def is_of_asyncpg_itself(error: BaseException) -> bool:
    """Whether asyncpg found its connection in another state than it left it in: the server ended it meanwhile."""
    return type(error).__module__.partition(".")[0] == "asyncpg" and not hasattr(error, "sqlstate")


class Psycopg2Session(Session):
    """A cursor of psycopg2: parameters are written into the text by the client."""

    __slots__ = ()

    def control(self, sql: str) -> None:
        """Run a statement as it is."""
        self.cursor.execute(sql)

    def _execute(self, sql: str, parameters: Mapping[str, Any]) -> None:
        self.cursor.execute(self.texts[sql], {name: _for_psycopg2(value) for name, value in parameters.items()})


def open_psycopg2_cursor(connection: Any) -> Any:
    """A cursor whose rows are tuples of what psycopg returns; JSON, and times beyond Python's, as text."""
    from psycopg2 import extensions

    if connection.encoding != "UTF8":
        raise ConnectionNotSupportedError("connection= has a client encoding that is not UTF-8.")
    cursor = extensions.cursor(connection)
    readers: dict[int, Callable[[str], Any]] = {_BYTEA: _bytes, _UUID: UUID, _JSON: str, _JSONB: str, _BOOL: _is_true}
    readers |= dict.fromkeys(_INTEGERS, int) | dict.fromkeys(_TEXTS, str)
    for kind, read in readers.items():
        _register(extensions, cursor, kind, partial(_some, read))
    times = {_DATE: extensions.PYDATE, _TIMESTAMP: extensions.PYDATETIME, _TIMESTAMPTZ: extensions.PYDATETIMETZ}
    for kind, known in times.items():
        _register(extensions, cursor, kind, partial(_time, known))
    return cursor


def _register(extensions: Any, cursor: Any, kind: int, read: Callable[[str | None, Any], Any]) -> None:
    extensions.register_type(extensions.new_type((kind,), "STRONGROOM", read), cursor)


def _some(read: Callable[[str], Any], text: str | None, _cursor: Any) -> Any:
    return None if text is None else read(text)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("\\x"))


def _is_true(text: str) -> bool:
    return text == "t"


def _time(known: Callable[[str | None, Any], Any], text: str | None, cursor: Any) -> Any:
    """What the driver makes of a date or time; its text where Python has none, as for ``infinity``."""
    from psycopg2 import DatabaseError

    try:
        return known(text, cursor)
    except (DatabaseError, ValueError, OverflowError):
        return text


@lru_cache(1024)
def numbered(text: str) -> tuple[str, tuple[str, ...]]:
    """A statement as asyncpg is sent it: each place a number of its own, and the parameters' names in their order.

    JSON is sent as text and cast by the server, whatever codec the caller has set for it.
    """
    names: list[str] = []

    def place(found: re.Match[str]) -> str:
        if found[1] is None:
            return "%"
        names.append(found[1])
        cast = found[2]
        return f"${len(names)}" + (f"::pg_catalog.text{cast}" if cast else "")

    return _PLACE.sub(place, text), tuple(names)


def _for_psycopg2(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [_for_psycopg2(each) for each in value]
    return value
