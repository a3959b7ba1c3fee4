"""The statements of a vault are compiled once for all vaults of a process that have a schema like it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sqlalchemy.dialects import sqlite

from strongroom.store import context
from strongroom.store.catalog.foreign_schema import ForeignSchema
from strongroom.store.catalog.profile import Profile
from strongroom.store.context import StoreContext


def statements(foreign: ForeignSchema | None = None, *, untagged_nonces: bool = False) -> Any:
    database: Any = SimpleNamespace(engine=SimpleNamespace(dialect=sqlite.dialect()))
    profile = Profile("SQLite", frozenset(), None, foreign=foreign, untagged_nonces=untagged_nonces)
    return StoreContext(database, profile).sql


def foreign(*, unique_credential: bool = False) -> ForeignSchema:
    return ForeignSchema({}, (), (), unique_credential=unique_credential)


def test_schemas_that_are_alike_share_their_statements() -> None:
    assert statements() is statements()
    assert statements(foreign()) is statements(foreign())


def test_any_difference_of_the_schemas_gives_other_statements() -> None:
    found = [
        statements(),
        statements(untagged_nonces=True),
        statements(foreign()),
        statements(foreign(unique_credential=True)),
    ]
    assert len({id(each) for each in found}) == len(found)


def test_a_process_with_many_schemas_keeps_the_last_ones() -> None:
    first = statements(untagged_nonces=True)
    for number in range(context._MOST_KEPT):
        kept = ForeignSchema({str(number): {}}, (), (), unique_credential=False)
        assert statements(kept) is statements(kept)
    assert len(context._kept) == context._MOST_KEPT
    assert statements(untagged_nonces=True) is not first
