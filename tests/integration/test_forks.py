"""A fork while other threads sign: the child signs too, and inherits nobody's place, lock or connection."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from strongroom import Vault
from testbed.databases.rows import assert_whole, execute
from testbed.harness.forked_child import LONGEST_SECONDS, in_child

pytestmark = pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")


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
