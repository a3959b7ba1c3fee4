"""Rows of wallets that were decoded before: hot wallets are read again and again, and mostly as they were."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from numbers import Number
from operator import itemgetter
from typing import Any, NamedTuple

from strongroom.records.register import TaggedSlot
from strongroom.records.stored_wallets import StoredWallet
from strongroom.store.connection.session import Row
from strongroom.store.statements.register_rows import RECORD_ONLY
from strongroom.store.statements.wallet_row import COLUMNS, is_row_of_ours, stored_wallet

_MOST_KEPT = 2048
_MOST_BYTES = 8192
"""Of one row; a usual one has 2,300, half of them the sealed text."""
_NAMES = (*COLUMNS, *RECORD_ONLY)
_NUMBERS = ("is_active", "version", "phrase_index")
_CREATED_AT = _NAMES.index("created_at")
_numbers: Callable[[Sequence[Any]], tuple[Any, ...]] = itemgetter(*map(_NAMES.index, _NUMBERS))


class _Decoded(NamedTuple):
    row: Row
    kinds: tuple[object, ...]
    """What equality leaves out, as ``_kinds`` tells it."""
    stored: StoredWallet


class DecodedWallets:
    """What the last rows of one vault became, by the tags of their records; threads share it.

    A row that is equal in every column becomes the same wallet, so nothing is returned that would not be returned
    without; whether its tag fits, and whether it is what was asked for, is decided anew each time. Only committed rows
    of tables of ours that hold a sealed text are kept, and none that somebody made large: no key in plaintext stays in
    memory for it, and 16 MB at most of all that a writer put there.
    """

    def __init__(self) -> None:
        self._kept: dict[str, _Decoded] = {}

    def stored(self, row: Row, *, durable: bool = True, slot: TaggedSlot | None = None) -> StoredWallet:
        """As ``stored_wallet``, and found by a slot; of a row that is as it was, the wallet is the same object."""
        tag = row[-1]
        if not durable or type(tag) is not str or not is_row_of_ours(row):
            stored = stored_wallet(row, durable=durable)
        else:
            stored = self._as_before(tag, row)
        return stored if slot is None else _found_by(stored, slot)

    def _as_before(self, tag: str, row: Row) -> StoredWallet:
        kept = self._kept.get(tag)
        if kept is not None and kept.row == row and kept.kinds == _kinds(row):
            return kept.stored
        stored = stored_wallet(row)
        if stored.wallet.custody == "ours" and not stored.key_in_metadata:
            self._keep(tag, row, stored)
        return stored

    def forget(self) -> None:
        """Keep none of them any longer."""
        self._kept.clear()

    def _keep(self, tag: str, row: Row, stored: StoredWallet) -> None:
        if any(isinstance(value, Number) and name not in _NUMBERS for name, value in zip(_NAMES, row, strict=True)):
            return  # a text of ours is none: SQLite takes anything
        if sum(map(sys.getsizeof, row)) > _MOST_BYTES:
            return
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[tag] = _Decoded(row, _kinds(row), stored)


def _kinds(row: Row) -> tuple[object, ...]:
    """1, 1.0 and True are equal, as are the two hours that clocks show twice when summer ends, and not the same."""
    return *map(type, _numbers(row)), getattr(row[_CREATED_AT], "fold", 0)


def _found_by(stored: StoredWallet, slot: TaggedSlot) -> StoredWallet:
    """The same with its slot; ``dataclasses.replace`` takes three times as long."""
    return StoredWallet(
        stored.wallet,
        stored.sealed_text,
        stored.named,
        stored.key_in_metadata,
        stored.registered,
        slot,
        stored.row,
        stored.said,
    )
