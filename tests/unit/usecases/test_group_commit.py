"""Many callers, one statement: everybody gets their own answer, nobody waits indefinitely, a bad one harms itself
only."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.errors import OutcomeUnknownError, StoreRefusedError
from strongroom.usecases.group_commit import GroupCommit
from testbed.harness.sizes import examples
from testbed.servers.postgres import wait_until


class DoublingStatement:
    """What a group runs: doubles numbers; a negative one is refused together with all that came along."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.under_way = 0
        self.most_under_way = 0
        self.gate = threading.Event()
        self.gate.set()
        self._lock = threading.Lock()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        with self._lock:
            self.groups.append(list(numbers))
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            assert self.gate.wait(30)
            if any(number < 0 for number in numbers):
                raise StoreRefusedError("a constraint")
            return [2 * number for number in numbers]
        finally:
            with self._lock:
                self.under_way -= 1


def test_a_single_caller_runs_at_once_and_alone() -> None:
    statement = DoublingStatement()
    group: GroupCommit[int, int] = GroupCommit(statement)
    assert [group.ask(number) for number in (1, 2, 3)] == [2, 4, 6]
    assert statement.groups == [[1], [2], [3]]


def test_callers_that_come_while_one_is_under_way_go_together() -> None:
    statement = DoublingStatement()
    statement.gate.clear()
    group: GroupCommit[int, int] = GroupCommit(statement, lanes=1)
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(group.ask, number) for number in range(20)]
        wait_until(lambda: group.waiting == 19, "all but the one that is under way wait")
        statement.gate.set()
        assert [answer.result(30) for answer in answers] == [2 * number for number in range(20)]
    assert len(statement.groups) == 2
    assert len(statement.groups[1]) == 19


@pytest.mark.parametrize(("lanes", "most"), [(1, 1), (1, 7), (2, 3), (3, 128)])
def test_no_more_groups_than_lanes_and_no_larger_than_allowed(lanes: int, most: int) -> None:
    statement = DoublingStatement()
    group: GroupCommit[int, int] = GroupCommit(statement, lanes=lanes, most=most)
    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(group.ask, range(500))) == [2 * number for number in range(500)]
    assert statement.most_under_way <= lanes
    assert max(map(len, statement.groups)) <= most
    assert sorted(number for numbers in statement.groups for number in numbers) == list(range(500))
    assert group.waiting == 0


@settings(max_examples=examples(20))
@given(st.lists(st.integers(-3, 50), min_size=1, max_size=60))
def test_a_refused_one_fails_by_itself(numbers: list[int]) -> None:
    group: GroupCommit[int, int] = GroupCommit(DoublingStatement(), most=8)

    def ask(number: int) -> int | None:
        try:
            return group.ask(number)
        except StoreRefusedError:
            return None

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, numbers)) == [None if number < 0 else 2 * number for number in numbers]


def test_an_unknown_outcome_is_everybodys_and_the_next_group_runs() -> None:
    fail = [True]

    def work(numbers: Sequence[int]) -> list[int]:
        if fail[0]:
            fail[0] = False
            raise OutcomeUnknownError("the connection died")
        return list(numbers)

    group: GroupCommit[int, int] = GroupCommit(work)
    with pytest.raises(OutcomeUnknownError):
        group.ask(1)
    assert group.ask(2) == 2


def test_an_interrupted_leader_leaves_nobody_behind() -> None:
    entered, proceed = threading.Event(), threading.Event()

    def work(numbers: Sequence[int]) -> list[int]:
        if numbers == [0]:
            entered.set()
            assert proceed.wait(30)
            raise KeyboardInterrupt
        return list(numbers)

    group: GroupCommit[int, int] = GroupCommit(work, lanes=1)
    seen: list[BaseException] = []

    def lead() -> None:
        try:
            group.ask(0)
        except BaseException as error:
            seen.append(error)

    leader = threading.Thread(target=lead)
    leader.start()
    assert entered.wait(30)
    with ThreadPoolExecutor(4) as pool:
        others = [pool.submit(group.ask, number) for number in (1, 2, 3)]
        wait_until(lambda: group.waiting == 3, "three wait")
        proceed.set()
        assert [other.result(30) for other in others] == [1, 2, 3]
    leader.join(30)
    assert [type(error) for error in seen] == [KeyboardInterrupt]


def test_those_who_came_along_with_an_interrupted_leader_are_told() -> None:
    first, second, proceed = threading.Event(), threading.Event(), threading.Event()

    def work(numbers: Sequence[int]) -> list[int]:
        if not first.is_set():
            first.set()
            assert second.wait(30)
            return list(numbers)
        raise KeyboardInterrupt

    group: GroupCommit[int, int] = GroupCommit(work, lanes=1)
    endings: list[BaseException] = []

    def ask(number: int) -> None:
        try:
            group.ask(number)
        except BaseException as error:
            endings.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    threads[0].start()
    assert first.wait(30)
    for thread in threads[1:]:
        thread.start()
    wait_until(lambda: group.waiting == 3, "three wait")
    second.set()
    proceed.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    kinds = sorted(type(ending).__name__ for ending in endings)
    assert kinds == ["KeyboardInterrupt", "OutcomeUnknownError", "OutcomeUnknownError"]


class InterruptedByTestError(Exception):
    """What a signal's handler raises in the main thread."""


class InterruptingQueue(deque[Any]):
    """Anyone who comes into it is interrupted at that very moment."""

    def append(self, each: Any) -> None:
        super().append(each)
        raise InterruptedByTestError


def test_a_caller_who_is_interrupted_on_coming_into_the_queue_does_not_stay_there() -> None:
    statement = DoublingStatement()
    statement.gate.clear()
    group: GroupCommit[int, int] = GroupCommit(statement, lanes=1)
    with ThreadPoolExecutor(2) as pool:
        leader = pool.submit(group.ask, 1)
        wait_until(lambda: statement.under_way, "the statement is under way")
        group._queue = InterruptingQueue()
        with pytest.raises(InterruptedByTestError):
            group.ask(2)
        left = group.waiting
        statement.gate.set()
        assert leader.result(30) == 2
    assert left == 0
    assert group.ask(3) == 6
    assert [2] not in statement.groups


def test_an_interrupted_caller_who_waits_holds_nobody_up() -> None:
    interrupted = threading.Event()

    def interrupt(*_: object) -> None:
        if not interrupted.is_set():
            interrupted.set()
            raise InterruptedByTestError

    statement = DoublingStatement()
    statement.gate.clear()
    group: GroupCommit[int, int] = GroupCommit(statement, lanes=1)
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with ThreadPoolExecutor(3) as pool:
            leader = pool.submit(group.ask, 1)
            wait_until(lambda: statement.under_way, "the statement is under way")

            def interrupt_when_waiting() -> None:
                wait_until(lambda: group.waiting, "the second caller waits")
                os.kill(os.getpid(), signal.SIGUSR1)
                for _ in range(3_000):  # a signal just before the wait is seen after it
                    if interrupted.wait(0.01):
                        return
                    os.kill(os.getpid(), signal.SIGUSR1)

            interrupter = pool.submit(interrupt_when_waiting)
            with pytest.raises(InterruptedByTestError):
                group.ask(2)
            interrupter.result(30)
            assert group.waiting == 0
            next_one = pool.submit(group.ask, 3)
            statement.gate.set()
            assert [leader.result(30), next_one.result(30)] == [2, 6]
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert [2] not in statement.groups
