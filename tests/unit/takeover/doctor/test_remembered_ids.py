"""Ids that doctor has seen, in bounded memory."""

from __future__ import annotations

import tracemalloc
from uuid import UUID

from strongroom.takeover.doctor.remembered_ids import FirstIds


def test_what_was_put_in_is_in_it() -> None:
    ids = FirstIds()
    assert "a" not in ids
    for each in ("a", "b", "a", "\ud800"):
        ids.add(each)
    assert all(each in ids for each in ("a", "b", "\ud800"))
    assert "c" not in ids
    assert "a" not in FirstIds(), "each is its own"


def test_of_the_first_ids_each_is_told_once_and_of_later_ones_every_time() -> None:
    ids = FirstIds()
    assert all(ids.add(str(number)) for number in range(20_000))
    assert not any(ids.add(str(number)) for number in range(0, 20_000, 99))
    assert [ids.add("later") for _ in range(3)] == [True, True, True]


def test_their_memory_does_not_grow_with_what_is_put_in() -> None:
    ids = FirstIds()
    for number in range(100_000):
        ids.add(str(UUID(int=number)))
    tracemalloc.start()
    try:
        for number in range(100_000, 150_000):
            ids.add(str(UUID(int=number)))
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()
