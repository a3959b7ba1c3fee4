"""Transactions that fail though they are right, and crowds: each call has a right answer, the same for all."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest

from strongroom import Vault, Wallet
from strongroom.records.wallets import Created
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.rows import sqlite_path
from testbed.harness.sizes import SIZE
from testbed.processes.signing import transaction
from testbed.servers.postgres import wait_until
from testbed.waiting import join
from tests.attacks.audit import audit
from tests.attacks.contention.conflicts import (
    CallerResult,
    Crowd,
    conflicts_counted,
    impatient,
    let_transactions_fail,
    look_for_deadlocks_after,
    stop_failing,
)
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally

pytestmark = pytest.mark.sized("rounds")

BACKENDS = ("sqlite", "fresh", "g4")
WRITERS = 64
VAULTS = 4
PERCENT = 20
MOST_CROWDS = SIZE.rounds + 19
KEY, OTHER_KEY = f"{0x6100:064x}", f"{0x6200:064x}"


# --- what a crowd does, and what must come of it -------------------------------------------------------------------


def crowded(deployment: Deployment, crowd: Crowd, row: Tally) -> dict[str, str]:
    """Sixty-four callers on few keys, verb after verb. Returns the addresses that they were told."""
    project, told = deployment.project(), dict[str, str]()

    def all_of(call: Callable[[Vault, int], Any]) -> list[CallerResult]:
        answers = crowd.all([partial(_numbered, call, number) for number in range(WRITERS)])
        row.acknowledged += sum(answer.code is None for answer in answers)
        return answers

    def tell(answers: Sequence[CallerResult]) -> list[Wallet]:
        made = [answer.value for answer in answers if answer.value is not None]
        told.update({str(wallet.id): wallet.address for wallet, _ in made})
        row.duplicates += max(0, sum(created for _, created in made) - len({wallet.id for wallet, _ in made}))
        return [wallet for wallet, _ in made]

    def create(vault: Vault, number: int) -> Created:
        key = f"order {number % 4}" if number % 2 else None
        return vault.create_wallet(project, "ethereum", label=f"l{number % 4}", idempotency_key=key)

    created = tell(_successful(all_of(create)))
    assert len({wallet.id for wallet in created}) == 4, "one wallet for each label, the same for all callers"

    imported = tell(_successful(all_of(lambda vault, _: vault.import_wallet(project, "base", private_key=KEY))))
    assert len({wallet.id for wallet in imported}) == 1

    def import_either(vault: Vault, number: int) -> Created:
        key = KEY if number % 2 else OTHER_KEY
        return vault.import_wallet(project, "polygon", private_key=key)

    answers = all_of(import_either)
    assert {answer.code for answer in answers} == {None, "key-conflict"}
    assert len({wallet.address for wallet in tell(answers)}) == 1, "one of two keys came first, the other is refused"

    old = created[0]
    replacements = tell(_successful(all_of(lambda vault, _: vault.replace_wallet(old))))
    assert len({wallet.id for wallet in replacements}) == 1

    _sign_in_a_crowd(all_of, imported[0], row)
    revoked = _successful(all_of(lambda vault, _: vault.revoke_wallet(replacements[0])))
    assert {answer.value.status for answer in revoked} == {"revoked"}
    assert {answer.code for answer in all_of(create)} == {None, "wallet-revoked"}
    _change_the_keyring_in_a_crowd(deployment, all_of)
    return told


def _numbered(call: Callable[[Vault, int], Any], number: int, vault: Vault) -> Any:
    return call(vault, number)


def _sign_in_a_crowd(
    all_of: Callable[[Callable[[Vault, int], Any]], list[CallerResult]], wallet: Wallet, row: Tally
) -> None:
    """Four payloads want each of four nonces: one of them gets it."""

    def sign(vault: Vault, number: int) -> tuple[int, str]:
        payload = {**transaction(number % 4, 100 + number // 4 % 4), "chainId": 8453}
        return number % 4, str(vault.sign_transaction(wallet, payload).as_dict())

    answers = all_of(sign)
    assert {answer.code for answer in answers} == {None, "nonce-conflict"}
    signed = [answer.value for answer in answers if answer.value is not None]
    row.duplicates += len(set(signed)) - len({nonce for nonce, _ in signed})
    assert len(set(signed)) == 4

    def replace(vault: Vault, number: int) -> int:
        fee = 1_000 * (1 + number // 4)
        vault.sign_transaction(wallet, {**transaction(number % 4, fee), "chainId": 8453}, replace=True)
        return fee

    answers = all_of(replace)
    assert {answer.code for answer in answers} <= {None, "nonce-conflict"}
    most = 1_000 * WRITERS // 4
    assert {answer.value for answer in answers[-4:]} == {most}, "nothing that pays less keeps out what pays more"

    def outbid(vault: Vault, number: int) -> None:
        vault.sign_transaction(wallet, {**transaction(number % 4, most - 1), "chainId": 8453}, replace=number % 8 < 4)

    assert {answer.code for answer in all_of(outbid)} == {"nonce-conflict"}


def _change_the_keyring_in_a_crowd(
    deployment: Deployment, all_of: Callable[[Callable[[Vault, int], Any]], list[CallerResult]]
) -> None:
    """Some rotate, some rewrap, the others create meanwhile."""
    project = deployment.project()

    def work(vault: Vault, number: int) -> Any:
        if number < 3:
            return vault.rotate_sealing_key()
        if number < 6:
            return [result.code for result in vault.rewrap()]
        return vault.create_wallet(project, "solana", label=f"l{number % 4}")

    answers = all_of(work)
    assert {answer.code for answer in answers} <= {None, "conflict"}
    assert all(answer.value == [None] * len(answer.value) for answer in answers[3:6])
    assert len({answer.value.wallet.id for answer in _successful(answers[6:])}) == 4
    deployment.assert_keyring()


def _successful(answers: list[CallerResult]) -> list[CallerResult]:
    assert {answer.code for answer in answers} == {None}
    return answers


@contextmanager
def several(deployment: Deployment, number: int = VAULTS, **settings: Any) -> Iterator[list[Vault]]:
    """Several vaults on one database."""
    vaults = [deployment.open(**settings) for _ in range(number)]
    try:
        yield vaults
    finally:
        for vault in vaults:
            vault.close()


def _finish(row: Tally, deployment: Deployment, crowd: Crowd, told: dict[str, str]) -> None:
    row.landed["calls"] += crowd.calls
    row.landed["calls that their caller repeated"] += crowd.asked_again
    row.acknowledged -= len(told)  # the audit adds them
    audit(row, deployment.url, deployment.root_key, told, foreign=deployment.foreign)


# --- conflicts -----------------------------------------------------------------------------------------------------


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("backend", ["fresh", "g4"])
def test_five_times_suffice_where_a_fifth_of_all_transactions_fail(
    backend: str, request: pytest.FixtureRequest, tally: StartTally
) -> None:
    row = tally("conflicts in 20%", backend)
    with open_deployment(backend, request) as deployment, conflicts_counted() as met, several(deployment) as vaults:
        let_transactions_fail(deployment.url, PERCENT)
        crowd, told = Crowd(vaults), dict[str, str]()
        for _ in range(SIZE.rounds):
            told |= crowded(deployment, crowd, row)
        for where, times in stop_failing(deployment.url).items():
            row.fault(where, times)
        row.landed.update({f"met {state}": times for state, times in met.items()})
        assert min(met["40001"], met["40P01"]) > 0
        assert min(row.landed["at a statement"], row.landed["at COMMIT"]) > 0
        assert crowd.asked_again <= crowd.calls // 20, "nearly all calls need no help of their callers"
        _finish(row, deployment, crowd, told)


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize(
    ("backend", "isolation"), [("fresh", "serializable"), ("fresh", "repeatable read"), ("g4", "serializable")]
)
def test_a_crowd_under_an_isolation_that_refuses(
    backend: str, isolation: str, request: pytest.FixtureRequest, tally: StartTally
) -> None:
    """A single statement runs at the database's default: where that is a strict one, it is run again.

    Whether two of them meet is chance, more so on legacy tables, where few writes are one statement: crowds
    come until some did.
    """
    row = tally(f"crowd, {isolation}", backend)
    with open_deployment(backend, request) as deployment, conflicts_counted() as met:
        with psycopg.connect(deployment.url, autocommit=True) as connection:
            name = connection.info.dbname
            connection.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = '{isolation}'".encode())
        with several(deployment) as vaults:
            crowd, told = Crowd(vaults), dict[str, str]()
            for number in range(MOST_CROWDS):
                if number >= SIZE.rounds and met["40001"]:
                    break
                told |= crowded(deployment, crowd, row)
        for state, times in met.items():
            row.fault(state, times)
        assert met["40001"] > 0
        _finish(row, deployment, crowd, told)


def test_a_crowd_on_a_file_that_others_lock(request: pytest.FixtureRequest, tally: StartTally) -> None:
    """Vaults without patience, and another process's transactions between theirs: SQLITE_BUSY comes up for real."""
    row = tally("crowd, locked file", "sqlite")
    done = threading.Event()
    with (
        open_deployment("sqlite", request) as deployment,
        conflicts_counted() as met,
        impatient(0.1),
        several(deployment) as vaults,
    ):
        holder = threading.Thread(target=_hold_now_and_then, args=(deployment, done))
        holder.start()
        crowd, told = Crowd(vaults), dict[str, str]()
        try:
            for _ in range(SIZE.rounds):
                told |= crowded(deployment, crowd, row)
        finally:
            done.set()
            join([holder])
        for state, times in met.items():
            row.fault(state, times)
        assert met["SQLITE_BUSY"] > 0
        _finish(row, deployment, crowd, told)


def _hold_now_and_then(deployment: Deployment, done: threading.Event) -> None:
    connection = sqlite3.connect(sqlite_path(deployment.url), isolation_level=None)
    connection.execute("PRAGMA busy_timeout = 30000")
    while not done.wait(0.1):
        connection.execute("BEGIN IMMEDIATE")
        done.wait(0.25)
        connection.execute("COMMIT")
    connection.close()


@pytest.mark.parametrize("backend", ["fresh", "g4"])
def test_the_victim_of_a_deadlock_runs_again(backend: str, request: pytest.FixtureRequest, tally: StartTally) -> None:
    """The legacy application locks the vault record first, and then the credential; the vault the other way round."""
    row = tally("deadlock", backend)
    with open_deployment(backend, request) as deployment, conflicts_counted() as met:
        look_for_deadlocks_after(deployment.url, milliseconds=1000)
        with deployment.open() as vault:
            project, told = deployment.project(), dict[str, str]()
            for number in range(3 * SIZE.rounds):
                wallet, _ = vault.create_wallet(project, "ethereum", label=f"l{number}")
                told[str(wallet.id)] = wallet.address
                crowd = Crowd([vault])
                with psycopg.connect(deployment.url) as other:
                    revoking = threading.Thread(target=crowd.one, args=(partial(_revoke, wallet),))
                    _lock_the_other_way_round(deployment, other, wallet.id, revoking)
                join([revoking])
                assert vault.get_wallet(wallet).status == "revoked"
        row.fault("40P01", met["40P01"])
        assert met["40P01"] > 0
        audit(row, deployment.url, deployment.root_key, told, foreign=deployment.foreign)


def _revoke(wallet: Wallet, vault: Vault) -> Wallet:
    return vault.revoke_wallet(wallet)


def _one_waits(connection: psycopg.Connection[Any]) -> bool:
    found = connection.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)").fetchone()
    return found == (True,)


def _lock_the_other_way_round(
    deployment: Deployment, other: psycopg.Connection[Any], wallet: UUID, vault_at_work: threading.Thread
) -> None:
    other.execute("SET deadlock_timeout = '20s'")  # the one that looks first is the victim
    other.execute("SELECT 1 FROM credential_vault_storage WHERE credential_id = %s FOR UPDATE", (wallet,))
    vault_at_work.start()
    with psycopg.connect(deployment.url, autocommit=True) as watching:
        wait_until(lambda: _one_waits(watching) or not vault_at_work.is_alive(), "nobody waits for the vault record")
    assert vault_at_work.is_alive(), "it came to its end, and did not have to wait"
    other.execute("UPDATE project_credentials SET created_at = created_at WHERE id = %s", (wallet,))
    other.commit()
