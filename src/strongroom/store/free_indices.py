"""The indices that an account's next wallets take, as the register has them free."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from strongroom.records.phrases import TaggedAccount
from strongroom.records.register import Registered
from strongroom.store.context import StoreContext
from strongroom.store.statements.register_rows import registered
from strongroom.store.statements.rows import readable

Fetch = Callable[[str, Mapping[str, Any]], Sequence[Any]]
PathOf = Callable[[int], str]
"""The path of an index."""
CheckTaken = Callable[[Registered | None], None]
"""Raises where the record that has a path is none that strongroom wrote: such a one takes no index."""


def free_indices(
    context: StoreContext,
    fetch: Fetch,
    account: TaggedAccount,
    path: PathOf,
    count: int,
    check_taken: CheckTaken,
) -> list[int]:
    """Indices from the account's next one on, those whose path no wallet of the phrase has.

    Another account may have some: ``m/44'/60'/0'/0/{index}`` and ``m/44'/60'/{index}'/0/0`` meet. One statement, where
    none is taken.
    """

    def taken_by(sql: str, paths: Mapping[str, Any]) -> list[Registered | None]:
        rows = fetch(sql, {**account.record._asdict(), **paths})
        records = [registered(readable(row)) for row in rows]
        for each in records:
            check_taken(each)
        return records

    def is_taken(index: int) -> bool:
        return bool(taken_by(context.sql.phrases.taken_index, {"path": path(index)}))

    found: list[int] = []
    start = account.record.next_index
    while len(found) < count:
        asked = range(start, start + count - len(found))
        paths: Any = [path(index) for index in asked]
        given = paths if context.sql.writes_in_one else json.dumps(paths)
        taken = {each.record.path for each in taken_by(context.sql.phrases.taken_paths, {"paths": given}) if each}
        found += [index for index, at in zip(asked, paths, strict=True) if at not in taken]
        start = asked.stop if len(taken) < len(paths) else _end_of_taken(is_taken, asked[-1])
    return found


def _end_of_taken(is_taken: Callable[[int], bool], known: int) -> int:
    """The first index that is free, after one that is taken.

    So an account whose row was lost goes on where it was: indices that are taken have no gaps, and a few probes of the
    unique index find the end of them.
    """
    step = 1
    while is_taken(known + step):
        known, step = known + step, step * 2
    free = known + step
    while free - known > 1:
        middle = (known + free) // 2
        if is_taken(middle):
            known = middle
        else:
            free = middle
    return free
