"""Rows of one phrase, however many there are: its accounts, and the branches that something has left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from strongroom.store.connection.session import Row
from strongroom.store.context import StoreContext

PAGE = 1_000


def rows_of_phrase(context: StoreContext, sql: str, columns: Sequence[str], phrase: tuple[UUID, UUID]) -> Iterator[Row]:
    """The rows that a statement finds of a project's phrase, page by page in the order of their keys.

    It ends where no page goes on: a key that somebody made too long to be read whole stays what it is.
    """
    keys = [name for name in ("network", "variant", "template", "path") if name in columns]
    places = [list(columns).index(name) for name in keys]
    after = [""] * len(keys)
    while True:
        named = {f"after_{name}": value for name, value in zip(keys, after, strict=True)}
        page = context.read(sql, {"project_id": phrase[0], "phrase_id": phrase[1], "limit": PAGE, **named})
        yield from page
        before, after = after, [str(page[-1][place]) for place in places] if page else after
        if len(page) < PAGE or after == before:
            return
