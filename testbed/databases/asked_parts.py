"""Which projects' parts of divided tables a vault's statements ask, as PostgreSQL's planner says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

import psycopg
from psycopg import RawCursor

from strongroom.store.catalog.sharding import TENANTS
from strongroom.store.connection.session import NumberedSession
from strongroom.store.context import StoreContext

_PART = re.compile(rf"({'|'.join(TENANTS)})_(\d+)")


class StatementRecorder:
    """Records what a vault sends on connections of its own, and asks the planner about each statement."""

    def __init__(self, url: str, context: StoreContext) -> None:
        self._url = url
        self._names = _names(context)

    @contextmanager
    def recording(self) -> Iterator[dict[str, dict[str, int]]]:
        """What asks more than one part, once the block has ended: by a statement's name, how many parts of a table."""
        sent: list[tuple[str, Any, list[Any]]] = []
        send = NumberedSession._send

        def recorded(session: NumberedSession, sql: str, parameters: Mapping[str, Any]) -> None:
            text, names = session.texts.numbered(sql)
            sent.append((sql, text, [parameters[name] for name in names]))
            send(session, sql, parameters)

        found: dict[str, dict[str, int]] = {}
        with mock.patch.object(NumberedSession, "_send", recorded):
            yield found
        with psycopg.connect(self._url, autocommit=True) as connection:
            for sql, text, values in sent:
                parts = _parts(_plan(connection, text, values))
                many = {table: len(numbers) for table, numbers in parts.items() if len(numbers) > 1}
                if many:
                    found.setdefault(self._name(sql), {}).update(many)

    def _name(self, sql: str) -> str:
        """The name of a statement, which may have something behind it that lets it wait for the disk."""
        for text, name in self._names.items():
            if sql.startswith(text):
                return name
        return " ".join(sql.split())


def _names(context: StoreContext) -> dict[str, str]:
    """The names of a vault's statements by their texts, those first that begin as others do and go on."""
    built, found = context.sql, dict[str, str]()
    for name in built.names():
        found[built[name]] = name
    for name in ("tagged_otherwise", "tagged_beyond", "count_tagged_by", "retag", "forget", "as_read"):
        found |= {text: f"{name} {table}" for table, text in built[name].items()}
    for several in (False, True):
        for nonces in (False, True):
            found[built.signing.authorize(several=several, nonces=nonces)] = "authorize" + " several" * several
    for part in (context.repair_sql, context.repair_sql.reading):
        for name in dir(part):
            value = None if name.startswith("_") else getattr(part, name)
            found |= {value: f"repair {name}"} if isinstance(value, str) else {}
    return dict(sorted(found.items(), key=lambda each: -len(each[0])))


def _plan(connection: psycopg.Connection[Any], text: bytes | str, values: list[Any]) -> Mapping[str, Any]:
    whole = text if isinstance(text, bytes) else text.encode()
    cursor = RawCursor(connection)
    (found,) = cursor.execute(b"EXPLAIN (FORMAT JSON) " + whole, values, prepare=False).fetchone() or ([],)
    plan: Mapping[str, Any] = found[0]["Plan"]
    return plan


def _parts(plan: Mapping[str, Any]) -> dict[str, set[str]]:
    """By table, the parts of it that a plan reads or writes."""
    found: dict[str, set[str]] = {}
    if (named := _PART.fullmatch(plan.get("Relation Name", ""))) is not None:
        found[named[1]] = {named[2]}
    for child in plan.get("Plans", ()):
        for table, numbers in _parts(child).items():
            found.setdefault(table, set()).update(numbers)
    return found
