"""What a forked child finds of the locks of its parent."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

import strongroom
from strongroom.crypto.wraps import wrap_one
from strongroom.host.fork_gate import ForkGate
from strongroom.host.secret_variables import ENVIRONMENT
from strongroom.rootkeys import argon2id
from strongroom.rootkeys.passphrase import PassphraseRootKey
from strongroom.usecases.group_commit import GroupCommit
from testbed.harness.forked_child import LONGEST_SECONDS, in_child
from testbed.waiting import join


def test_a_group_whose_lock_another_thread_holds_is_free_in_the_child() -> None:
    group: GroupCommit[int, int] = GroupCommit(lambda numbers: [2 * number for number in numbers], lanes=1)

    def asked() -> None:
        assert group.ask(4) == 8

    with group._lock:  # as another thread may hold it in the moment of the fork
        assert in_child(asked) == 0
    assert group.ask(2) == 4


def test_a_fork_inside_a_group_leaves_a_group_that_works() -> None:
    group: GroupCommit[int, int]

    def work(numbers: list[int]) -> list[int]:
        if numbers == [1]:
            assert in_child(lambda: [group.ask(number) for number in (2, 3)]) == 0
        return numbers

    group = GroupCommit(work, lanes=1)  # type: ignore[arg-type]
    assert [group.ask(number) for number in (1, 2)] == [1, 2]


def test_a_passphrase_that_another_thread_stretches_can_be_stretched_in_the_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORK_PASSPHRASE", "correct horse battery staple")
    root_key = PassphraseRootKey("passphrase:env:FORK_PASSPHRASE", ENVIRONMENT)
    sealing_key = strongroom.Secret(b"s" * 32)
    inside, go, parent = threading.Event(), threading.Event(), os.getpid()
    stretch = argon2id.stretch

    def slowly(*arguments: Any) -> Any:
        if os.getpid() == parent:
            inside.set()
            assert go.wait(LONGEST_SECONDS)
        return stretch(*arguments)

    monkeypatch.setattr(argon2id, "stretch", slowly)
    thread = threading.Thread(target=lambda: wrap_one(root_key, "k" * 22, sealing_key))
    thread.start()
    assert inside.wait(LONGEST_SECONDS)
    try:
        assert in_child(lambda: wrap_one(root_key, "k" * 22, sealing_key)) == 0
    finally:
        go.set()
        thread.join(LONGEST_SECONDS)


def test_the_end_of_one_fork_lets_nobody_into_another_one() -> None:
    gate = ForkGate()
    gate._before()
    gate._before()
    gate._after()
    entered = threading.Event()

    def enter() -> None:
        with gate:
            entered.set()

    thread = threading.Thread(target=enter)
    thread.start()
    assert not entered.wait(0.2)
    gate._after()
    assert entered.wait(LONGEST_SECONDS)
    join([thread])
