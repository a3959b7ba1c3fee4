"""The isolation level that a database gives by default does not matter: keys and row locks carry every write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

import strongroom
from strongroom import Vault
from strongroom.store.connection.session import Session
from testbed.databases.deployments import Deployment, open_deployment
from testbed.processes.signing import transaction
from testbed.servers.postgres import wait_until
from testbed.waiting import join, somebody_waits

ISOLATIONS = ("read committed", "repeatable read", "serializable")
CALLERS = 12
KEY = "11" * 32


@pytest.fixture(params=["fresh", "g2", "g4"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=ISOLATIONS)
def deployment(backend: str, request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """A database whose transactions have another isolation level unless they say theirs."""
    with open_deployment(backend, request) as opened:
        with psycopg.connect(opened.url, autocommit=True) as administrator:
            name = administrator.info.dbname
            setting = f"ALTER DATABASE {name} SET default_transaction_isolation = '{request.param}'"
            administrator.execute(setting.encode())
        yield opened


def at_once(work: Callable[[Vault, int], object], vaults: list[Vault]) -> list[Any]:
    """What each of many callers got: a result, or an error."""
    barrier = threading.Barrier(CALLERS, timeout=60)

    def run(number: int) -> object:
        barrier.wait()
        try:
            return work(vaults[number % len(vaults)], number)
        except strongroom.StrongroomError as error:
            return error

    with ThreadPoolExecutor(CALLERS) as threads:
        return list(threads.map(run, range(CALLERS)))


def test_every_write_is_safe_at_every_level(deployment: Deployment) -> None:
    """Many callers in two vaults: one wallet, one conflict less than keys, one successor, one signature a nonce."""
    project = deployment.project()
    with deployment.open() as vault_a, deployment.open() as vault_b:
        both = [vault_a, vault_b]
        created = at_once(lambda vault, _: vault.create_wallet(project, "ethereum", idempotency_key="k"), both)
        assert {str(each.wallet.id) for each in created} == {str(created[0].wallet.id)}
        assert [each.created for each in created].count(True) == 1
        brought = at_once(
            lambda vault, number: vault.import_wallet(project, "solana", private_key=f"{number + 1:064x}"), both
        )
        assert sum(isinstance(each, strongroom.KeyConflictError) for each in brought) == CALLERS - 1
        wallet = created[0].wallet
        signed = at_once(lambda vault, number: vault.sign_transaction(wallet, transaction(0, 100 + number)), both)
        assert sum(isinstance(each, strongroom.NonceConflictError) for each in signed) == CALLERS - 1
        replaced = at_once(lambda vault, _: vault.replace_wallet(wallet), both)
        assert len({str(each.wallet.id) for each in replaced}) == 1
        turned = at_once(lambda vault, _: vault.rotate_sealing_key(), both)
        assert {type(each) for each in turned} <= {str, strongroom.ConflictError}
        moved = at_once(lambda vault, _: [*vault.rewrap()], both)
        assert sum(result.rewrapped for each in moved for result in each) == len(deployment.texts())
        at_once(lambda vault, _: vault.revoke_wallet(replaced[0].wallet), both)
        revocations = "SELECT count(*) FROM credential_usage_logs WHERE action_type = 'revoke'"
        assert deployment.execute(revocations) == [(1,)]
    deployment.assert_sound()


def paused(
    thread: threading.Thread, at: str, until: Callable[[], bool], change: Callable[..., int]
) -> Callable[..., int]:
    """``Session.change``, which lets a thread wait after a statement until something has come about."""

    def run(session: Session, sql: str, parameters: Any) -> int:
        changed = change(session, sql, parameters)
        if at in sql and threading.current_thread() is thread:
            wait_until(until, "what the thread waits for does not come about")
        return changed

    return run


@pytest.mark.parametrize("missing", [True, False], ids=["missing", "placeholder"])
def test_a_fill_that_waited_for_another_one_sees_it(
    deployment: Deployment, backend: str, missing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where no unique constraint keeps a second record out (g2)."""
    with deployment.open() as vault_a, deployment.open() as vault_b:
        wallet = vault_a.import_wallet(deployment.project(), "ethereum", private_key=KEY).wallet
        if backend == "g2":  # where not even the vault id is unique
            deployment.execute(
                "ALTER TABLE credential_vault_storage DROP CONSTRAINT credential_vault_storage_vault_id_key"
            )
        if missing:
            deployment.execute("DELETE FROM credential_vault_storage")
        else:
            deployment.execute("UPDATE credential_vault_storage SET encrypted_private_key = ''")
        answers: dict[Vault, Any] = {}

        def fill(vault: Vault) -> None:
            try:
                answers[vault] = vault.store_key(wallet, private_key=KEY).stored
            except strongroom.StrongroomError as error:
                answers[vault] = error

        first, second = (threading.Thread(target=fill, args=(vault,)) for vault in (vault_a, vault_b))

        def waits() -> bool:
            if not second.ident:
                second.start()
            return somebody_waits(deployment.url)

        at = "INSERT INTO credential_vault_storage" if missing else "UPDATE credential_vault_storage"
        monkeypatch.setattr(Session, "change", paused(first, at, waits, Session.change))
        first.start()
        join([first, second])
        assert answers == {vault_a: True, vault_b: False}
        assert len(deployment.texts()) == 1
        assert deployment.execute("SELECT count(*) FROM credential_vault_storage") == [(1,)]
        deployment.assert_sound()
