"""Calls that begin at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import TypeVar

import strongroom
from testbed.waiting import join

T = TypeVar("T")


def at_once(calls: list[Callable[[], T]]) -> list[T | strongroom.StrongroomError]:
    """Run every call in a thread of its own, all released at the same moment."""
    barrier = threading.Barrier(len(calls), timeout=60)

    def run(call: Callable[[], T]) -> T | strongroom.StrongroomError:
        barrier.wait()
        try:
            return call()
        except strongroom.StrongroomError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def run_at_once(calls: list[Callable[[], None]]) -> None:
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    join(threads)
