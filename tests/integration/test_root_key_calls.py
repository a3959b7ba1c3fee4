"""A root key that a service keeps: which verbs call it, what is open meanwhile, and what its failures leave behind."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from uuid import uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault, rootkeys
from strongroom.takeover import Progress
from testbed.databases.rows import execute, sqlite_path
from testbed.harness.remote_root_key import TOKEN, RemoteKeys, open_remote, remote_keys

_IN_TRANSACTIONS = """
SELECT state, query FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
   AND (state <> 'idle' OR xact_start IS NOT NULL)
"""


def assert_no_transaction(url: str) -> None:
    """Nobody reads or writes in a transaction: on PostgreSQL nobody has one, on SQLite a lock on the file is free."""
    if not url.startswith("sqlite"):
        with psycopg.connect(url, autocommit=True) as server:
            assert server.execute(_IN_TRANSACTIONS).fetchall() == []
        return
    path = sqlite_path(url)
    if not os.path.exists(path):
        return
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert not busy, "somebody reads or writes"
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("ROLLBACK")
    finally:
        connection.close()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[RemoteKeys]:
    """A service with keys, which looks for transactions at each call; ``remote:`` is one more kind of root key."""
    monkeypatch.setitem(rootkeys.PROVIDERS, "remote", open_remote)
    monkeypatch.setenv(TOKEN, "a token that nobody may print")
    with remote_keys() as keys:
        keys.at_call = partial(assert_no_transaction, database_url)
        yield keys
        assert keys.failures == []


@pytest.fixture
def vault(service: RemoteKeys, database_url: str) -> Iterator[Vault]:
    with strongroom.init(database_url, root_key=service.uri()) as opened:
        yield opened


def calls(service: RemoteKeys) -> list[str]:
    """What was called since the last look."""
    made = list(service.calls)
    service.calls.clear()
    return made


def test_the_look_finds_transactions(database_url: str, service: RemoteKeys) -> None:
    with strongroom.init(database_url, root_key=service.uri()):
        pass
    look = partial(assert_no_transaction, database_url)
    look()
    if database_url.startswith("sqlite"):
        for begin in ("BEGIN IMMEDIATE", "BEGIN; SELECT 1 FROM strongroom_keyring"):
            other = sqlite3.connect(sqlite_path(database_url), isolation_level=None)
            for statement in begin.split("; "):
                other.execute(statement).fetchall()
            with pytest.raises((AssertionError, sqlite3.OperationalError)):
                look()
            other.close()
    else:
        with psycopg.connect(database_url) as other_server:
            other_server.execute("SELECT 1")
            with pytest.raises(AssertionError):
                look()


def test_no_transaction_is_open_while_a_root_key_is_called(
    vault: Vault, service: RemoteKeys, database_url: str
) -> None:
    assert calls(service), "init"
    for _ in range(5):
        vault.create_wallet(uuid4(), "ethereum")
    assert calls(service) == [], "keys are in memory"
    with strongroom.open(database_url, root_key=service.uri()):
        assert calls(service) == ["unwrap"]
    vault.add_root_key(service.uri("second"))
    assert {"wrap", "unwrap"} <= set(calls(service))
    vault.check_root_key(service.uri("second"))
    assert calls(service) == ["unwrap"]
    vault.rotate_sealing_key()
    assert calls(service).count("wrap") == 2
    assert all(result.ok for result in vault.rewrap())
    vault.remove_root_key(service.uri("second"))
    assert calls(service)
    assert all(result.ok for result in vault.verify())
    strongroom.init(database_url, root_key=service.uri()).close()
    assert calls(service)


def test_nor_while_another_process_rotates(vault: Vault, service: RemoteKeys, database_url: str) -> None:
    wallets = [vault.create_wallet(uuid4(), "ethereum").wallet for _ in range(9)]
    with strongroom.open(database_url, root_key=service.uri()) as other:
        verifying, rewrapping, listing = vault.verify(), vault.rewrap(), vault.list_wallets(limit=3)
        next(verifying)
        other.rotate_sealing_key()
        other.replace_wallet(wallets[-1].id)
        assert all(result.ok for result in other.rewrap())
        assert all(result.ok for result in verifying)
        other.rotate_sealing_key()
        assert all(result.ok for result in rewrapping)
        assert len(listing.wallets) == 3
        other.rotate_sealing_key()
        vault.create_wallet(uuid4(), "ethereum")
        other.rotate_sealing_key()
        vault.replace_wallet(wallets[0].id)
        other.rotate_sealing_key()
        calls(service)
        vault.create_wallet(uuid4(), "ethereum")
        assert calls(service), "a newer key was met in the middle of it"
        other.rotate_sealing_key()
        vault.revoke_wallet(wallets[1].id)


def rotate_at(vault: Vault, service: RemoteKeys, step: str) -> object:
    """A callback that rotates, and rewraps, once, when a step is reported; it does not look for transactions."""
    done: list[str] = []

    def callback(report: Progress) -> None:
        if report.step == step and not done:
            done.append(step)
            look, service.at_call = service.at_call, lambda: None
            vault.rotate_sealing_key()
            assert all(result.ok for result in vault.rewrap())
            service.at_call = look

    return callback


def test_nor_while_a_database_is_taken_over(vault: Vault, service: RemoteKeys, database_url: str) -> None:
    takeover = strongroom.open_takeover(database_url, root_key=service.uri())
    takeover.install_guard()
    for _ in range(6):
        vault.create_wallet(uuid4(), "ethereum")
    execute(database_url, "UPDATE credential_vault_storage SET encrypted_private_key = ''")
    for _ in range(3):
        vault.create_wallet(uuid4(), "ethereum")
    calls(service)
    with takeover.diagnose() as report:
        assert not report.healthy
    assert calls(service) == ["unwrap"]
    plan = takeover.plan()
    assert takeover.apply(plan).wallets["done"] == 6
    assert calls(service)
    takeover.upgrade()
    assert calls(service)
    with takeover.diagnose() as report:
        assert report.row_findings == 0


@pytest.mark.parametrize("step", ["looking", "planning"])
def test_a_plan_that_a_rotation_overtakes_is_made_again(
    vault: Vault, service: RemoteKeys, database_url: str, step: str
) -> None:
    takeover = strongroom.open_takeover(database_url, root_key=service.uri())
    takeover.install_guard()
    for _ in range(6):
        vault.create_wallet(uuid4(), "ethereum")
    execute(database_url, "UPDATE credential_vault_storage SET encrypted_private_key = ''")
    vault.create_wallet(uuid4(), "ethereum")
    overtaken = pytest.raises(strongroom.ContentionError) if step == "looking" else suppress(strongroom.ContentionError)
    with overtaken:
        takeover.plan(progress=rotate_at(vault, service, step))  # type: ignore[arg-type]
    plan = takeover.plan()
    done = takeover.apply(plan, progress=rotate_at(vault, service, "repairing"))  # type: ignore[arg-type]
    assert done.wallets["done"] == 6
    assert all(result.ok for result in vault.verify())


@pytest.mark.parametrize(
    ("mode", "code"),
    [("denies", "root-key-denied"), ("is busy", "root-key-unavailable"), ("hangs up", "root-key-unavailable")],
)
def test_what_does_not_serve_leaves_everything_as_it_was(
    vault: Vault, service: RemoteKeys, database_url: str, mode: str, code: str
) -> None:
    vault.create_wallet(uuid4(), "ethereum")
    vault.add_root_key(service.uri("second"))
    before = execute(database_url, "SELECT kid, root_key, wrapped FROM strongroom_keyring_wrap ORDER BY 1, 2")
    service.mode = mode
    takeover = strongroom.open_takeover(database_url, root_key=service.uri())
    for verb in (
        lambda: strongroom.open(database_url, root_key=service.uri()),
        lambda: strongroom.init(database_url, root_key=service.uri()),
        vault.rotate_sealing_key,
        lambda: vault.add_root_key(service.uri("third")),
        lambda: vault.check_root_key(service.uri("second")),
        lambda: vault.remove_root_key(service.uri("second")),
        takeover.diagnose,
        takeover.plan,
        takeover.upgrade,
    ):
        with pytest.raises(strongroom.StrongroomError) as caught:
            verb()
        assert caught.value.code == code
    assert execute(database_url, "SELECT kid, root_key, wrapped FROM strongroom_keyring_wrap ORDER BY 1, 2") == before
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    assert all(result.ok for result in vault.verify(wallet)), "what is open goes on"


def test_init_makes_nothing_where_the_root_key_does_not_serve(service: RemoteKeys, database_url: str) -> None:
    service.mode = "denies"
    with pytest.raises(strongroom.StrongroomError) as caught:
        strongroom.init(database_url, root_key=service.uri())
    assert caught.value.code == "root-key-denied"
    with pytest.raises(strongroom.StoreError):
        strongroom.open(database_url, root_key=service.uri())
    service.mode = "answers"
    with strongroom.init(database_url, root_key=service.uri()) as vault:
        assert vault.status().sealing_keys[0].root_keys == (service.uri(),)
