"""What psycopg makes of PostgreSQL's values where rows are read that anybody may have written: nothing raises.

And in which form it sends what is long.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.abc import AdaptContext
from psycopg.adapt import AdaptersMap, Loader, PyFormat
from psycopg.postgres import register_default_adapters
from psycopg.types.array import ListBinaryDumper
from psycopg.types.string import TextLoader

_TEXTS = (0, 18, 19, 25, 114, 705, 1042, 1043, 3802)
"""Types without a loader of their own, "char", name, text, json, unknown, bpchar, varchar, jsonb."""
_TIMES = ("date", "timestamp", "timestamptz")
_READ = (16, 17, 18, 19, 20, 21, 23, 25, 114, 700, 701, 1042, 1043, 1700, 2950, 3802)
"""bool, bytea, "char", name, int8, int2, int4, text, json, float4, float8, bpchar, varchar, numeric, uuid, jsonb."""
_SENT = (bool, int, str, bytes, UUID, datetime, list, type(None))
_DRIVERS_OWN = AdaptersMap(types=psycopg.adapters.types)
"""What psycopg itself makes of values, whatever an application registered since."""
register_default_adapters(_DRIVERS_OWN)


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


def take_what_others_wrote(cursor: psycopg.Cursor[Any] | psycopg.AsyncCursor[Any]) -> None:
    """Let a cursor return JSON and times beyond Python's as text, for a reader that says what it does not take.

    Other values come as psycopg returns them: loaders and dumpers of an application, which a cursor takes over from its
    connection, make no difference here.
    """
    _take_drivers_own(cursor.adapters)
    for name in ("json", "jsonb"):
        cursor.adapters.register_loader(name, TextLoader)
    _take_any_time(cursor.adapters)


def send_arrays_as_binary(cursor: psycopg.Cursor[Any]) -> None:
    """Let a cursor send lists in binary form: as text the driver looks at every character, a third of a rewrap."""
    cursor.adapters.register_dumper(list, ListBinaryDumper)


def take_any_value(connection: psycopg.Connection[Any]) -> None:
    """Let a connection return text that is not UTF-8 as surrogates, JSON as text, and times beyond Python's as text."""
    _take_drivers_own(connection.adapters)
    for oid in _TEXTS:
        connection.adapters.register_loader(oid, _AnyText)
    _take_any_time(connection.adapters)


def _take_drivers_own(adapters: AdaptersMap) -> None:
    for oid in _READ:
        for read_as in (psycopg.pq.Format.TEXT, psycopg.pq.Format.BINARY):
            loader = _DRIVERS_OWN.get_loader(oid, read_as)
            if loader is not None and adapters.get_loader(oid, read_as) is not loader:
                adapters.register_loader(oid, loader)
    for kind in _SENT:
        for sent_as in (PyFormat.TEXT, PyFormat.BINARY, PyFormat.AUTO):  # the last one is the preferred one
            try:
                dumper = _DRIVERS_OWN.get_dumper(kind, sent_as)
            except psycopg.ProgrammingError:  # none in this form
                continue
            if adapters.get_dumper(kind, sent_as) is not dumper:
                adapters.register_dumper(kind, dumper)


def _take_any_time(adapters: AdaptersMap) -> None:
    for name in _TIMES:
        adapters.register_loader(name, _AnyTime)
