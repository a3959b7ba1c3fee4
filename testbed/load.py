"""Callers that go on through outages: a call is repeated as documented, and threads call until a block is left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from itertools import count
from typing import Self, TypeVar

from strongroom.errors import StrongroomError

T = TypeVar("T")


class LoadEndedError(Exception):
    """The load ends while a call was still to be repeated."""


def insist(
    call: Callable[[], T],
    met: Callable[[StrongroomError], object],
    *,
    patience_seconds: float,
    pause_seconds: float = 0.05,
    ended: threading.Event | None = None,
) -> T:
    """Make the same call again, with the same arguments, as long as the error says that it may be repeated.

    ``met`` is told of each of these errors. Raises the last one after ``patience_seconds``, every other error at once,
    and LoadEndedError where ``ended`` is set between two calls.
    """
    give_up = time.monotonic() + patience_seconds
    pause = ended or threading.Event()
    while True:
        try:
            return call()
        except StrongroomError as error:
            if not error.retryable:
                raise
            met(error)
            if time.monotonic() > give_up:
                raise
            if pause.wait(pause_seconds):
                raise LoadEndedError from error


class LoadThreads:
    """Threads that make one round after the other, until the block is left.

    Each of ``rounds`` has a thread of its own, and is told the number of the round, from 1. ``failures`` has what ended
    a thread, LoadEndedError apart; ``ended`` is set when the block is left.
    """

    def __init__(self, rounds: Iterable[Callable[[int], object]], *, patience_seconds: float) -> None:
        self.ended = threading.Event()
        self.failures: list[BaseException] = []
        self._patience_seconds = patience_seconds
        self._threads = [threading.Thread(target=self._run, args=(each,)) for each in rounds]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self._threads:
            thread.join(self._patience_seconds)
            assert not thread.is_alive(), "a thread does not end"

    def _run(self, make_round: Callable[[int], object]) -> None:
        try:
            for number in count(1):
                if self.ended.is_set():
                    return
                make_round(number)
        except LoadEndedError:
            pass
        except BaseException as error:
            self.failures.append(error)
