"""The indices that an account's next wallets take, as the register has them free."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from strongroom.records.phrases import TaggedAccount
from strongroom.store.context import StoreContext

Fetch = Callable[[str, Mapping[str, Any]], Sequence[Any]]
PathOf = Callable[[int], str]
"""The path of an index."""


def free_indices(context: StoreContext, fetch: Fetch, account: TaggedAccount, path: PathOf, count: int) -> list[int]:
    """Indices from the account's next one on, those whose path no wallet of the phrase has.

    Another account may have some: ``m/44'/60'/0'/0/{index}`` and ``m/44'/60'/{index}'/0/0`` meet. One statement, where
    none is taken.
    """
    found: list[int] = []
    start = account.record.next_index
    while len(found) < count:
        asked = range(start, start + count - len(found))
        paths: Any = [path(index) for index in asked]
        given = paths if context.sql.writes_in_one else json.dumps(paths)
        rows = fetch(context.sql.phrases.taken_paths, {**account.record._asdict(), "paths": given})
        taken = {str(each) for (each,) in rows}
        found += [index for index, at in zip(asked, paths, strict=True) if at not in taken]
        start = asked.stop if len(taken) < len(paths) else _end_of_taken(context, fetch, account, path, asked[-1])
    return found


def _end_of_taken(context: StoreContext, fetch: Fetch, account: TaggedAccount, path: PathOf, known: int) -> int:
    """The first index that is free, after one that is taken.

    So an account whose row was lost goes on where it was: indices that are taken have no gaps, and a few probes of the
    unique index find the end of them.
    """

    def is_taken(index: int) -> bool:
        return bool(fetch(context.sql.phrases.taken_index, {**account.record._asdict(), "path": path(index)}))

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
