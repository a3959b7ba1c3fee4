"""Sessions that end at a point that the test chooses, and refusals: what Citus says, and what a caller gets."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import strongroom
from strongroom import Vault
from strongroom.store.connection import database
from strongroom.store.connection.driver_errors import translate
from strongroom.store.connection.own_functions import WRITES_WALLET
from strongroom.store.connection.session import Session
from strongroom.store.statements.keyring import KeyringStatements
from testbed.databases.rows import execute
from testbed.processes.signing import transaction

_NODES = "SELECT nodename, nodeport FROM pg_dist_node WHERE groupid > 0 AND shouldhaveshards ORDER BY nodeport"
_ON_WORKERS = """
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
 WHERE application_name LIKE 'citus_internal%%' AND datname = current_database()
"""
_ON_THE_COORDINATOR = """
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
 WHERE state = 'idle in transaction' AND backend_type = 'client backend' AND datname = current_database()
"""
_FUNCTIONS = f"""
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proname ~ '^{WRITES_WALLET}'
"""
_WAITING = f"FROM pg_stat_activity WHERE query ~ '{WRITES_WALLET}' AND state = 'active' AND pid <> pg_backend_pid()"
BEFORE = "before its first statement"
SLOT, RECORD, EVENT = (
    f"INSERT INTO {table}" for table in ("strongroom_slot", "credential_vault_storage", "strongroom_events")
)
LOST = "connection to the remote node"
UNCOMMITTED = "could not commit transaction for shard"
ESSENTIAL = "failure on connection marked as essential"
ENDED = "terminating connection due to administrator command"


def end_on_workers(url: str) -> int:
    """End the sessions that the coordinator has on the workers; how many there were."""
    return sum(
        int(execute(make_conninfo(url, host=host, port=port), _ON_WORKERS)[0][0]) for host, port in execute(url, _NODES)
    )


def end_on_the_coordinator(url: str) -> int:
    return int(execute(url, _ON_THE_COORDINATOR)[0][0])


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What Citus says from now on where a call fails: SQLSTATE and text."""
    found: list[tuple[str, str]] = []

    def noted(error: BaseException, connection: Any = None) -> Any:
        found.append((str(getattr(error, "sqlstate", "")), str(error)))
        return translate(error, connection)

    monkeypatch.setattr(database, "translate", noted)
    return found


@pytest.fixture
def vault(distributed_url: str, root_key_uri: str) -> Iterator[Vault]:
    with strongroom.open(distributed_url, root_key=root_key_uri) as opened:
        yield opened


@pytest.fixture
def by_statements(distributed_url: str, root_key_uri: str) -> Iterator[Vault]:
    """A vault without the function that writes a wallet."""
    for name in wallet_functions(distributed_url):
        execute(distributed_url, f"DROP FUNCTION {name}")
    with strongroom.open(distributed_url, root_key=root_key_uri) as opened:
        yield opened


def wallet_functions(url: str) -> list[str]:
    """The functions that write a wallet, by name: no other has the name of one."""
    found = execute(url, f"SELECT n.nspname || '.' || p.proname {_FUNCTIONS}")
    return [str(name) for (name,) in found]


@contextmanager
def behind(at: str, do: Callable[[], int]) -> Iterator[list[int]]:
    """Do something once: after the first statement that begins so, or before the first COMMIT."""
    done: list[int] = []
    execute_one, control = Session._execute, Session.control

    def run(session: Session, sql: str, parameters: Any) -> None:
        execute_one(session, sql, parameters)
        if not done and at in sql:
            done.append(do())

    def run_control(session: Session, sql: str) -> None:
        if not done and sql == at:
            done.append(do())
        control(session, sql)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "_execute", run)
        patch.setattr(Session, "control", run_control)
        yield done


@pytest.mark.parametrize(
    ("at", "end", "state", "text"),
    [
        (SLOT, end_on_workers, "08006", LOST),
        (RECORD, end_on_workers, "08006", LOST),
        ("COMMIT", end_on_workers, "XX000", UNCOMMITTED),
        (SLOT, end_on_the_coordinator, "57P01", ENDED),
        ("COMMIT", end_on_the_coordinator, "57P01", ENDED),
    ],
)
def test_a_creation_by_single_statements_comes_to_its_end(
    by_statements: Vault,
    distributed_url: str,
    said: list[tuple[str, str]],
    at: str,
    end: Callable[[str], int],
    state: str,
    text: str,
) -> None:
    vault, project = by_statements, uuid4()
    with behind(at, lambda: end(distributed_url)) as done:
        wallet, created = vault.create_wallet(project, "ethereum")
    assert done[0] >= 1, "no session ended"
    assert [(found, words.startswith(text)) for found, words in said] == [(state, True)]
    assert created
    assert vault.create_wallet(project, "ethereum") == (wallet, False)
    assert vault.list_wallets(project).wallets == (wallet,)
    assert [result.code for result in vault.verify()] == [None]


def nodes_of(url: str) -> list[str]:
    """The workers' URLs."""
    return [make_conninfo(url, host=host, port=port) for host, port in execute(url, _NODES)]


@contextmanager
def waiting(url: str, end: Callable[[], int]) -> Iterator[list[int]]:
    """Let the call of the function wait on its node, where rows of the keyring are locked; then end what is said."""
    done: list[int] = []

    def run() -> None:
        while not any(execute(node, f"SELECT 1 {_WAITING} AND wait_event_type = 'Lock'") for node in nodes_of(url)):
            time.sleep(0.05)
        done.append(end())
        for holder in holders:
            holder.rollback()

    holders = [psycopg.connect(node) for node in nodes_of(url)]
    try:
        for holder in holders:
            holder.execute("SET citus.enable_ddl_propagation = off")
            holder.execute("LOCK TABLE ONLY strongroom.strongroom_keyring IN ACCESS EXCLUSIVE MODE")
        thread = threading.Thread(target=run)
        thread.start()
        yield done
        thread.join(timeout=60)
    finally:
        for holder in holders:
            holder.close()


def end_calls(url: str, how: str) -> int:
    """End sessions in which the function runs, or cancel what runs in them."""
    return int(execute(url, f"SELECT count(pg_{how}_backend(pid)) {_WAITING}")[0][0])


@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize(
    ("where", "how", "state"),
    [
        ("workers", "terminate", "57P01"),
        ("workers", "cancel", "57014"),
        ("coordinator", "terminate", "57P01"),
        ("coordinator", "cancel", "57014"),
    ],
)
def test_a_call_of_the_function_comes_to_its_end(
    vault: Vault, distributed_url: str, said: list[tuple[str, str]], where: str, how: str, state: str, key: str | None
) -> None:
    project = uuid4()
    vault.create_wallet(uuid4(), "ethereum")
    urls = [distributed_url] if where == "coordinator" else nodes_of(distributed_url)
    with waiting(distributed_url, lambda: sum(end_calls(url, how) for url in urls)) as done:
        wallet, created = vault.create_wallet(project, "ethereum", idempotency_key=key)
    assert done[0] >= 1, "no session ended"
    assert [found for found, _ in said] == ([] if how == "cancel" else [state])
    assert created
    assert vault.create_wallet(project, "ethereum", idempotency_key=key) == (wallet, False)
    assert vault.list_wallets(project).wallets == (wallet,)
    assert {result.code for result in vault.verify()} == {None}


@pytest.mark.parametrize("key", [None, "k"])
def test_sessions_that_ended_before_a_call_are_replaced(
    vault: Vault, distributed_url: str, said: list[tuple[str, str]], key: str | None
) -> None:
    projects = [uuid4() for _ in range(8)]
    for project in projects:
        vault.create_wallet(project, "ethereum")
    assert end_on_workers(distributed_url) >= 2
    for project in projects:
        assert vault.create_wallet(project, "solana", idempotency_key=key).created
        assert len(vault.list_wallets(project).wallets) == 2
    assert {state for state, _ in said} <= {"08006", "XX000", "57P01"}


@pytest.mark.parametrize(
    ("end", "state", "text"), [(end_on_workers, "XX000", UNCOMMITTED), (end_on_the_coordinator, "57P01", ENDED)]
)
def test_a_signature_comes_to_its_end(
    vault: Vault,
    distributed_url: str,
    said: list[tuple[str, str]],
    end: Callable[[str], int],
    state: str,
    text: str,
) -> None:
    wallet = vault.create_wallet(uuid4(), "ethereum").wallet
    with behind("COMMIT", lambda: end(distributed_url)) as done:
        signed = vault.sign_transaction(wallet, transaction(0, 10))
    assert done[0] >= 1, "no session ended"
    assert [(found, words.startswith(text)) for found, words in said] == [(state, True)]
    assert vault.sign_transaction(wallet, transaction(0, 10)) == signed
    with pytest.raises(strongroom.NonceConflictError):
        vault.sign_transaction(wallet, transaction(0, 11))
    assert len(vault.list_log(wallet, action="sign").records) == 2, "one for each answer"


@pytest.mark.parametrize(
    ("at", "state", "text"), [(BEFORE, "XX000", ESSENTIAL), (EVENT, "57P01", ENDED), ("COMMIT", "57P01", ENDED)]
)
def test_what_writes_on_every_node_is_done_once(
    vault: Vault, distributed_url: str, root_key_uri: str, said: list[tuple[str, str]], at: str, state: str, text: str
) -> None:
    wallet = vault.create_wallet(uuid4(), "ethereum").wallet
    (first,) = [key.kid for key in vault.status().sealing_keys]
    vault.create_phrase(uuid4())  # so that the coordinator has a session on each node
    if at == BEFORE:
        assert end_on_workers(distributed_url) >= 2
        second = vault.rotate_sealing_key()
    else:
        with behind(at, lambda: end_on_workers(distributed_url)) as done:
            second = vault.rotate_sealing_key()
        assert done[0] >= 2
    assert [(found, words.startswith(text)) for found, words in said] == [(state, True)]
    assert all(result.ok for result in vault.rewrap())
    with strongroom.open(distributed_url, root_key=root_key_uri) as other:
        assert [(key.kid, key.state) for key in other.status().sealing_keys] == [(first, "retired"), (second, "active")]
        assert other.sign_message(wallet, b"x")


def test_a_sealing_key_is_retired_shard_after_shard(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, said: list[tuple[str, str]]
) -> None:
    """Where the shards were asked at once, Citus lets no row of the keyring be changed in the transaction."""
    vault.create_wallet(uuid4(), "ethereum")
    vault.rotate_sealing_key()
    with monkeypatch.context() as patch:
        patch.setattr(KeyringStatements, "one_shard_at_a_time", "SELECT 1")
        with pytest.raises(strongroom.StoreRefusedError):
            list(vault.rewrap())
    assert "parallel" in said[-1][1]
    assert [key.state for key in vault.status().sealing_keys] == ["opening", "active"]
    assert all(result.ok for result in vault.rewrap())
    assert [key.state for key in vault.status().sealing_keys] == ["retired", "active"]


VOLATILE = "UPDATE project_credentials SET status = gen_random_uuid()::text"


def test_what_citus_cannot_do_is_refused_for_good(vault: Vault, said: list[tuple[str, str]]) -> None:
    wallet = vault.create_wallet(uuid4(), "ethereum").wallet
    with pytest.raises(strongroom.StoreRefusedError) as refused:
        vault._context.store.context.database.transact(lambda session: session.change(VOLATILE, {}))  # type: ignore[attr-defined]
    assert {state for state, _ in said} == {"0A000"}
    assert not refused.value.retryable
    assert vault.get_wallet(wallet.id) == wallet
    assert vault.create_wallet(uuid4(), "ethereum").created


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("INSERT INTO strongroom_keyring SELECT * FROM strongroom_keyring", "strongroom_keyring_pkey"),
        ("UPDATE project_credentials SET wallet_address = NULL", "project_credentials.wallet_address"),
        ("UPDATE strongroom_slot SET tag = NULL", "strongroom_slot_tagged"),
    ],
)
def test_what_refused_is_named_as_on_one_server(vault: Vault, statement: str, named: str) -> None:
    vault.create_wallet(uuid4(), "ethereum")
    with pytest.raises(strongroom.StoreRefusedError, match=rf"\({named}\w*\)\.$") as refused:
        vault._context.store.context.database.transact(lambda session: session.change(statement, {}))  # type: ignore[attr-defined]
    assert not re.search(r"_[0-9]{6}", str(refused.value))
