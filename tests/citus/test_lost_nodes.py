"""Nodes that are killed, and their sessions, while threads create and sign: what was acknowledged is there, once."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections import Counter
from contextlib import ExitStack
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import strongroom
from strongroom import Vault
from testbed.databases.rows import execute
from testbed.harness.sizes import SIZE
from testbed.processes.signing import transaction
from tests.citus.load import Load

KILLS = 2 * SIZE.server_kills
RESTART = shlex.split(os.environ.get("STRONGROOM_CITUS_RESTART") or "")
_WORKERS = "SELECT nodename, nodeport FROM pg_dist_node WHERE groupid > 0 AND shouldhaveshards ORDER BY nodeport"
_END = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE application_name LIKE 'citus_internal%' AND state <> 'idle' AND random() < 0.3
"""
ROWS = (
    ("project_credentials", "id"),
    ("credential_vault_storage", "credential_id"),
    ("strongroom_wallet", "credential_id"),
    ("strongroom_slot", "credential_id"),
    ("strongroom_idempotency", "credential_id"),
)
_CREATED = "SELECT project_id, credential_id FROM strongroom.credential_usage_logs WHERE action_type = 'create'"
_SIGNED = """
SELECT credential_id, count(*) FROM strongroom.credential_usage_logs WHERE action_type = 'sign' GROUP BY credential_id
"""


def restart(host: str, port: int) -> None:
    """Let the command that was named for it kill a node's server, and start it again."""
    subprocess.run([*RESTART, host, str(port)], check=True, timeout=90, stdin=subprocess.DEVNULL)


def nodes(url: str, which: str) -> list[tuple[str, int]]:
    if which == "coordinator":
        where = conninfo_to_dict(url)
        return [(str(where["host"]), int(where.get("port") or 5432))]
    return [(str(host), int(port)) for host, port in execute(url, _WORKERS)]


def settle(url: str) -> None:
    """Wait for the nodes, then commit or abort what was prepared on them."""
    deadline = time.monotonic() + 60
    while True:
        try:
            execute(url, "SELECT recover_prepared_transactions()")
        except psycopg.Error:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        else:
            return


@pytest.mark.parametrize("which", ["worker", "coordinator"])
def test_what_was_acknowledged_outlives_a_killed_node(which: str, distributed_url: str, root_key_uri: str) -> None:
    with strongroom.open(distributed_url, root_key=root_key_uri) as vault:
        shared = vault.create_wallet(uuid4(), "ethereum", idempotency_key="shared").wallet
        with Load(vault, shared, rotates=True) as load:
            load.wait_for_more()
            for number in range(KILLS):
                found = nodes(distributed_url, which)
                restart(*found[number % len(found)])
                load.wait_for_more()
        assert load.errors, "no call met a node that was killed"
        check(vault, load, distributed_url)
    assert findings(distributed_url, root_key_uri) == []


def test_what_was_acknowledged_outlives_ended_sessions_of_nodes(distributed_url: str, root_key_uri: str) -> None:
    """Of transactions at any point, their COMMIT among them: then the coordinator does not know what became of it."""
    with strongroom.open(distributed_url, root_key=root_key_uri) as vault, ExitStack() as stack:
        shared = vault.create_wallet(uuid4(), "ethereum", idempotency_key="shared").wallet
        workers = [
            stack.enter_context(psycopg.connect(distributed_url, host=host, port=port, autocommit=True))
            for host, port in nodes(distributed_url, "worker")
        ]
        ended = 0
        with Load(vault, shared, rotates=True) as load:
            while ended < 50 * KILLS and not load.failures:
                ended += sum(len(worker.execute(_END).fetchall()) for worker in workers)
                time.sleep(0.03)
        check(vault, load, distributed_url)
    assert findings(distributed_url, root_key_uri) == []


def findings(url: str, root_key: str) -> list[str]:
    """What doctor finds, with the root key."""
    with strongroom.open_takeover(url, root_key=root_key).diagnose() as report:
        return [finding.code for finding in report.findings()]


def check(vault: Vault, load: Load, url: str) -> None:
    """Every call came to its end, what was acknowledged is there once, and nothing else is."""
    assert [(error, error.__cause__) for error in load.failures] == []
    settle(url)
    check_wallets(vault, load)
    check_signatures(vault, load, url)
    check_rows(url, len(load.wallets) + 1)
    assert [result.code for result in vault.verify() if not result.ok] == []


def check_wallets(vault: Vault, load: Load) -> None:
    """Each is there, and a repeat of its request gives it."""
    for project, key, wallet in load.wallets:
        assert vault.get_wallet(wallet.id, project_id=project) == wallet
        assert vault.create_wallet(project, "ethereum", idempotency_key=key) == (wallet, False)
    assert len({made.wallet.address for made in load.wallets}) == len(load.wallets)


def check_signatures(vault: Vault, load: Load, url: str) -> None:
    """One payload has a nonce, each is in the log, and a repeat gives the same signature."""
    assert {len(fees) for fees in _fees(load).values()} == {1}
    logged = dict(execute(url, _SIGNED))
    made = Counter(each.wallet.id for each in load.signatures)
    assert {id_: number for id_, number in made.items() if logged.get(id_, 0) < number} == {}
    for wallet, nonce, fee, raw in load.signatures:
        again = vault.sign_transaction(wallet, transaction(nonce, fee))
        assert bytes(again.raw_transaction) == raw  # type: ignore[attr-defined]
        with pytest.raises(strongroom.NonceConflictError):
            vault.sign_transaction(wallet, transaction(nonce, fee - 1))


def check_rows(url: str, wallets: int) -> None:
    """Every wallet has its rows in each table, and nothing else is there."""
    rows = {table: set(execute(url, f"SELECT project_id, {column} FROM strongroom.{table}")) for table, column in ROWS}
    rows["log"] = set(execute(url, _CREATED))
    assert {table: len(found) for table, found in rows.items()} == dict.fromkeys(rows, wallets)
    assert len({frozenset(found) for found in rows.values()}) == 1


def _fees(load: Load) -> dict[tuple[object, int], set[int]]:
    found: dict[tuple[object, int], set[int]] = {}
    for wallet, nonce, fee, _ in load.signatures:
        found.setdefault((wallet.id, nonce), set()).add(fee)
    return found
