"""A fork while other threads sign: the child signs too, and inherits nobody's place, lock or connection."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

import strongroom
from strongroom import Vault
from strongroom.crypto.wraps import wrap_one
from strongroom.host.fork_gate import ForkGate
from strongroom.host.secret_variables import ENVIRONMENT
from strongroom.rootkeys import argon2id
from strongroom.rootkeys.passphrase import PassphraseRootKey
from strongroom.usecases.group_commit import GroupCommit
from testbed.databases.rows import assert_whole, execute
from testbed.waiting import join

pytestmark = pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")

LONGEST_SECONDS = 30
"""What a child gets before the system ends it: one that hangs must not stay."""


def in_child(work: Callable[[], object]) -> int:
    """Fork, run the work in the child, and return its exit status: 0 where it came to its end."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(LONGEST_SECONDS)
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@contextmanager
def held_up(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Semaphore, threading.Event]]:
    """Threads of this process that sign come into the middle of their group and stay there until they may go."""
    arrived, go, parent = threading.Semaphore(0), threading.Event(), os.getpid()
    store: Any = vault._context.store.signing
    authorize = store.authorize

    def wait(*arguments: Any) -> Any:
        if os.getpid() == parent:
            arrived.release()
            assert go.wait(LONGEST_SECONDS)
        return authorize(*arguments)

    monkeypatch.setattr(store, "authorize", wait)
    try:
        yield arrived, go
    finally:
        go.set()


def test_a_child_that_is_forked_while_others_sign_signs_too(
    vault: Vault, vault_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    lanes, queued = vault._context.store.signing.writers, 3
    signed: list[object] = []
    threads = [
        threading.Thread(target=lambda: signed.append(vault.sign_message(wallet, "in the parent")))
        for _ in range(lanes + queued)
    ]
    with held_up(vault, monkeypatch) as (arrived, _):
        for thread in threads:
            thread.start()
        for _ in range(lanes):
            assert arrived.acquire(timeout=LONGEST_SECONDS)
        status = in_child(lambda: [vault.sign_message(wallet, "in the child") for _ in range(3)])
    for thread in threads:
        thread.join(LONGEST_SECONDS)
    assert status == 0
    assert len(signed) == lanes + queued
    rows = execute(vault_url, "SELECT count(*) FROM credential_usage_logs WHERE action_type = 'sign'")
    assert rows == [(lanes + queued + 3,)]


@pytest.mark.thorough(sample=1)
def test_children_that_are_forked_at_any_moment_of_signing_sign_too(vault: Vault, vault_url: str) -> None:
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    stop = threading.Event()
    counts = [0] * 4

    def work(number: int) -> None:
        while not stop.is_set():
            vault.sign_message(wallet, "in the parent")
            counts[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(counts))]
    for thread in threads:
        thread.start()
    try:
        statuses = [in_child(lambda: vault.sign_message(wallet, "in the child")) for _ in range(12)]
    finally:
        stop.set()
        for thread in threads:
            thread.join(LONGEST_SECONDS)
    assert statuses == [0] * 12
    assert all(counts)
    rows = execute(vault_url, "SELECT count(*) FROM credential_usage_logs WHERE action_type = 'sign'")
    assert rows == [(sum(counts) + 12,)]
    assert_whole(vault_url, 1)


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
