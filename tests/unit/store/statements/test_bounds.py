"""What statements return of tables that others may write: every text is cut, or NULL where it is large."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import Column, Dialect, String
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql import elements, functions, selectable
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.expression import TextClause

from strongroom.store import schema
from strongroom.store.catalog import foreign_columns
from strongroom.store.catalog.foreign_schema import TABLES, ForeignSchema
from strongroom.store.column_types import Jsonb
from strongroom.store.statements import Statements
from strongroom.store.statements.bounds import SQLITE_TEXT, fits
from strongroom.store.statements.building import StatementBuilder

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "usage_log": (frozenset({"actor", "before"}),),
    "events": (frozenset({"actor"}),),
    "search_page": (frozenset({"search", "project_id"}),),
}
"""Methods that build a statement for what is asked."""
WHOLE: dict[str, str] = {
    "credential_usage_logs.id": "an id that the legacy application made a text: pages of a log that it writes go on "
    "after it",
}
"""Columns that come whole, with the reason. SQLite reads any value whole, and the test knows its texts alone."""
TEXT_SQL = {
    "any_nonce_of_other_spelling",
    "find_nonce",
    "find_untagged_nonce",
    "untagged_nonce_page",
    "delete_untagged_nonce",
    *("rewrap_many", "lock_in_project", "rewrap_in_project", "keep_in_project", "log_in_project"),
    *("take_slots", "take_slots_of_account", "slots_there", "insert_batch"),
}
"""What is written as text: their columns are looked at as text."""
SMALL = ("octet_length", "length(CAST(")


POSTGRESQL: Any = PGDialect_psycopg


def _foreign(kind: str, base: str = "") -> ForeignSchema:
    """Legacy wallet tables, each text a ``kind``, which may be a domain over another type."""
    columns = {
        table: {
            column.name: foreign_columns.Column(*_type_of(column, kind, base or kind))
            for column in schema.metadata.tables[table].columns
        }
        for table in TABLES
    }
    return ForeignSchema(columns, (), (), unique_credential=False)


def _type_of(column: Column[Any], kind: str, base: str) -> tuple[Any, ...]:
    name = str(column.type.compile(dialect=POSTGRESQL()))
    others = {"UUID": "uuid", "BOOLEAN": "boolean", "TIMESTAMP WITH TIME ZONE": "timestamp with time zone"}
    other = others.get(name) or {"JSONB": "jsonb", "INTEGER": "integer"}.get(name)
    return (other or kind, None, None, False, (), other or base, "" if other else "S")


BACKENDS: dict[str, tuple[Dialect, ForeignSchema | None]] = {
    "sqlite": (sqlite.dialect(), None),
    "postgresql": (POSTGRESQL(), None),
    "legacy text": (POSTGRESQL(), _foreign("text")),
    "legacy varchar": (POSTGRESQL(), _foreign("character varying")),
    "legacy domain": (POSTGRESQL(), _foreign("note", "text")),
    "legacy citext": (POSTGRESQL(), _foreign("citext")),
}


PAGES = [f"tagged_{which}{own}" for which in ("otherwise", "beyond") for own in ("", "_in_project")]


def _statements(backend: str) -> Iterator[tuple[str, Executable]]:
    """Every statement as it is before it becomes text, with its name."""
    kept: list[Executable] = []

    def compiled(_: StatementBuilder, statement: Executable) -> str:
        kept.append(statement)
        return ""

    with mock.patch.object(StatementBuilder, "compiled", compiled):
        built = Statements(*BACKENDS[backend])
        for name in (*built.names(), *ARGUMENTS, *PAGES):
            kept.clear()
            found = built[name]
            if name in ARGUMENTS:
                found(*ARGUMENTS[name])
            yield from ((name, each) for each in kept)


def _returned(statement: Any) -> tuple[Any, ...]:
    if isinstance(statement, selectable.SelectBase):
        return tuple(statement.selected_columns)
    return tuple(getattr(statement, "_returning", ()) or ())


def _whole(value: Any, *, any_length: bool) -> Iterator[tuple[str, str]]:
    """The columns whose values an expression may return whole."""
    if isinstance(value, elements.Label | elements.Grouping):
        yield from _whole(value.element, any_length=any_length)
    elif isinstance(value, selectable.ScalarSelect):
        for each in value.element.selected_columns:
            yield from _whole(each, any_length=any_length)
    elif isinstance(value, elements.Case):
        small = any(mark in str(when) for when, _ in value.whens for mark in SMALL)
        for _, each in () if small else value.whens:
            yield from _whole(each, any_length=any_length)
    elif isinstance(value, functions.coalesce) or getattr(value, "name", "") in ("nullif", "lower"):
        for each in value.clauses:
            yield from _whole(each, any_length=any_length)
    elif isinstance(value, elements.ColumnClause) and value.is_literal:
        named = re.fullmatch(r"\(?(\w+)\.(\w+)(::text)?( COLLATE \"C\"\))?", value.name)
        if named:
            yield named[1], named[2]
    elif isinstance(value, elements.ColumnClause) and _is_long(value.type, any_length=any_length):
        table = getattr(value, "table", None)
        yield str(getattr(table, "name", table)), value.name


def _is_long(kind: Any, *, any_length: bool) -> bool:
    return isinstance(kind, Jsonb) or (isinstance(kind, String) and (any_length or not kind.length))


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_text_that_a_statement_returns_is_cut(backend: str) -> None:
    any_length = backend == "sqlite"  # which has no lengths
    found: dict[str, set[str]] = {}
    texts = set()
    for name, statement in _statements(backend):
        if isinstance(statement, TextClause):
            texts.add(name)
            continue
        for value in _returned(statement):
            for table, column in _whole(value, any_length=any_length):
                found.setdefault(f"{table}.{column}", set()).add(name)
    assert texts == (TEXT_SQL), "read those as text"
    assert {each: names for each, names in found.items() if each not in WHOLE} == {}


@pytest.mark.parametrize("kind", ["text", "character varying", "jsonb", "json", "hstore", SQLITE_TEXT])
def test_no_value_is_taken_apart_before_its_size_is_known(kind: str) -> None:
    condition = fits("t.c", kind, 100)
    cast = condition.find("::text")
    assert ("pg_column_size" in condition[: max(cast, 0)]) is (cast >= 0)
    assert condition.count("<= 100") == 1
