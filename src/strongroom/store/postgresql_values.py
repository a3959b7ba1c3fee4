"""What psycopg makes of PostgreSQL's values where rows are read that anybody may have written: nothing raises."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.abc import AdaptContext
from psycopg.adapt import AdaptersMap, Loader
from psycopg.types.string import TextLoader

_TEXTS = (0, 18, 19, 25, 114, 705, 1042, 1043, 3802)
"""Types without a loader of their own, "char", name, text, json, unknown, bpchar, varchar, jsonb."""
_TIMES = ("date", "timestamp", "timestamptz")


class _AnyText(Loader):
    def load(self, data: Any) -> str:
        return bytes(data).decode("utf-8", "surrogateescape")


class _AnyTime(Loader):
    """What the driver makes of a date or time; its text where Python has none, as for ``infinity``."""

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        known = psycopg.adapters.get_loader(oid, self.format)
        assert known is not None  # noqa: S101 - psycopg brings one for each of _TIMES
        self._load = known(oid, context).load

    def load(self, data: Any) -> Any:
        try:
            return self._load(data)
        except (psycopg.Error, ValueError):
            return bytes(data).decode("utf-8", "surrogateescape")


def take_what_others_wrote(cursor: psycopg.Cursor[Any]) -> None:
    """Let a cursor return JSON and times beyond Python's as text, for a reader that says what it does not take."""
    for name in ("json", "jsonb"):
        cursor.adapters.register_loader(name, TextLoader)
    _take_any_time(cursor.adapters)


def take_any_value(connection: psycopg.Connection[Any]) -> None:
    """Let a connection return text that is not UTF-8 as surrogates, JSON as text, and times beyond Python's as text."""
    for oid in _TEXTS:
        connection.adapters.register_loader(oid, _AnyText)
    _take_any_time(connection.adapters)


def _take_any_time(adapters: AdaptersMap) -> None:
    for name in _TIMES:
        adapters.register_loader(name, _AnyTime)
