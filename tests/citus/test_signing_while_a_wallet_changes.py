"""A signature that waited for a change of its wallet sees all of it, and takes nothing for what an intruder wrote."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

import strongroom
from strongroom.store.connection.session import Session
from testbed.databases.rows import execute
from testbed.servers.postgres import wait_until

KEY = "43" * 32
_WAITING = "SELECT EXISTS (SELECT 1 FROM citus_lock_waits)"


def signature_during(url: str, change: Callable[[], object], sign: Callable[[], Any]) -> Any:
    """What a signature comes to that waits while a change is about to commit: it, or the error's type."""
    control, changing = Session.control, threading.Event()

    def answer() -> Any:
        changing.wait(60)
        try:
            return sign()
        except strongroom.StrongroomError as error:
            return type(error)

    with ThreadPoolExecutor(1) as pool, pytest.MonkeyPatch.context() as patch:
        signed, changer = pool.submit(answer), threading.current_thread()

        def run(session: Session, sql: str) -> None:
            if sql == "COMMIT" and threading.current_thread() is changer and not changing.is_set():
                changing.set()
                wait_until(lambda: execute(url, _WAITING) == [(True,)], "no signature waits")
            control(session, sql)

        patch.setattr(Session, "control", run)
        change()
        return signed.result(60)


@pytest.mark.parametrize("verb", ["revoke", "replace"])
@pytest.mark.parametrize("retired", [False, True], ids=["live", "retired too"])
def test_a_wallet_that_is_retired_meanwhile(distributed_url: str, root_key_uri: str, verb: str, retired: bool) -> None:
    with (
        strongroom.open(distributed_url, root_key=root_key_uri) as vault,
        strongroom.open(distributed_url, root_key=root_key_uri) as other,
    ):
        wallet = vault.create_wallet(uuid4(), "ethereum").wallet
        assert vault.sign_message(wallet, b"x"), "it knows the wallet, and asks no more than it signs"
        change = other.revoke_wallet if verb == "revoke" else other.replace_wallet
        found = signature_during(
            distributed_url,
            lambda: change(wallet),
            lambda: vault.sign_message(wallet, b"y", allow_retired=retired),
        )
        signs = retired and verb == "replace"
        assert (found is strongroom.WalletRevokedError) != signs, found
        assert len(vault.list_log(wallet, action="sign").records) == 1 + signs


@pytest.mark.parametrize("text", ["", None], ids=["a placeholder", "no record"])
def test_a_wallet_whose_key_is_stored_meanwhile(distributed_url: str, root_key_uri: str, text: str | None) -> None:
    with (
        strongroom.open(distributed_url, root_key=root_key_uri) as vault,
        strongroom.open(distributed_url, root_key=root_key_uri) as other,
    ):
        wallet = vault.import_wallet(uuid4(), "ethereum", private_key=KEY).wallet
        assert vault.sign_message(wallet, b"x")
        record = "strongroom.credential_vault_storage"
        execute(
            distributed_url,
            f"DELETE FROM {record}" if text is None else f"UPDATE {record} SET encrypted_private_key = ''",
        )
        found = signature_during(
            distributed_url,
            lambda: other.store_key(wallet, private_key=KEY),
            lambda: vault.sign_message(wallet, b"y"),
        )
        assert not isinstance(found, type), found
        assert len(vault.list_log(wallet, action="sign").records) == 2
