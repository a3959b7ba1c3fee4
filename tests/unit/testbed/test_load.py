"""Callers repeat what may be repeated, and threads end with their block."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from strongroom.errors import ContentionError, NonceConflictError, StrongroomError
from testbed.load import LoadEndedError, LoadThreads, insist


def failing(*errors: StrongroomError) -> Callable[[], str]:
    left = list(errors)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return call


def test_a_call_is_repeated_while_its_error_says_that_it_may_be() -> None:
    met: list[StrongroomError] = []
    errors = [ContentionError("first"), ContentionError("second")]
    assert insist(failing(*errors), met.append, patience_seconds=60, pause_seconds=0) == "done"
    assert met == errors


def test_another_error_is_raised_at_once() -> None:
    met: list[StrongroomError] = []
    with pytest.raises(NonceConflictError):
        insist(failing(NonceConflictError("other")), met.append, patience_seconds=60)
    assert met == []


def test_the_last_error_is_raised_when_patience_ends() -> None:
    with pytest.raises(ContentionError):
        insist(failing(*[ContentionError("again")] * 3), lambda _: None, patience_seconds=-1)


def test_a_call_is_not_repeated_after_the_end() -> None:
    ended = threading.Event()
    ended.set()
    with pytest.raises(LoadEndedError):
        insist(failing(ContentionError("again")), lambda _: None, patience_seconds=60, ended=ended)


def test_threads_make_rounds_until_the_block_is_left_and_keep_what_ended_them() -> None:
    made, enough, failed = list[int](), threading.Event(), threading.Event()

    def work(number: int) -> None:
        made.append(number)
        if number >= 3:
            enough.set()

    def fail(_number: int) -> None:
        failed.set()
        raise AssertionError("wrong")

    def wait_for_the_end(_number: int) -> None:
        load.ended.wait(60)
        raise LoadEndedError

    load = LoadThreads([work, fail, wait_for_the_end], patience_seconds=60)
    with load:
        assert enough.wait(60)
        assert failed.wait(60)
    assert made == [*range(1, len(made) + 1)]
    assert [str(error) for error in load.failures] == ["wrong"]
