"""Wallets are replaced and indices are skipped while a caller's transaction holds the account of their phrase."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

import strongroom
from strongroom import Vault
from testbed.databases.deployments import Deployment, open_deployment
from testbed.servers import citus
from testbed.servers.postgres import wait_until

BY: dict[str, Any] = {"actor": "test", "reason": "to compare"}
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture(params=["fresh", "g4"])
def postgresql(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    with open_deployment(request.param, request) as opened:
        yield opened


@pytest.fixture(params=[pytest.param("fresh", id="alone"), "g4"])
def alone(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """On a server of the tests' own: Citus does not pass the setting of a database on to its nodes."""
    with open_deployment(request.param, request) as opened:
        yield opened


@contextmanager
def caller(deployment: Deployment) -> Iterator[sa.Connection]:
    """A transaction of the application's own."""
    engine = strongroom.create_engine(deployment.url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def wait_for(deployment: Deployment, number: int) -> None:
    """Until so many sessions wait for a lock."""
    if citus.URL:  # they wait on a node
        time.sleep(2)
        return
    wait_until(lambda: deployment.execute(_WAITING) == [(number,)], f"{number} sessions do not wait for a lock")


def begun(vault: Vault, project: UUID) -> UUID:
    """The wallet that is replaced: index 0 of three."""
    vault.create_phrase(project)
    return vault.create_many(project, "ethereum", ["old", "b", "c"])[0].wallet.id


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_they_wait_for_the_callers_transaction_and_take_what_comes_next(postgresql: Deployment, end: str) -> None:
    project = postgresql.project()
    with postgresql.open() as vault, ThreadPoolExecutor(3) as others, caller(postgresql) as connection:
        old = begun(vault, project)
        vault.create_many(project, "ethereum", ["d", "e"], connection=connection)
        replaced = others.submit(vault.replace_wallet, old)
        wait_for(postgresql, 1)
        advanced = others.submit(vault.advance_phrase, project, "ethereum", 50, **BY)
        wait_for(postgresql, 2)
        made = others.submit(vault.create_many, project, "ethereum", ["f"])
        wait_for(postgresql, 3)
        assert not any(each.done() for each in (replaced, advanced, made))
        getattr(connection, end)()
        after = 5 if end == "commit" else 3
        index = replaced.result(30).wallet.phrase_index
        assert advanced.result(30).next_index >= 50
        last = made.result(30)[0].wallet.phrase_index
        assert index in (after, after + 1, 50, 51)
        assert last in (after, after + 1, 50, 51)
        assert index != last
        postgresql.assert_sound(vault)


def test_behind_a_lock_timeout_they_end_typed_and_write_nothing(alone: Deployment) -> None:
    project = alone.project()
    with alone.open() as vault:
        old = begun(vault, project)
    name = psycopg.conninfo.conninfo_to_dict(alone.url)["dbname"]
    alone.execute(f"ALTER DATABASE {name} SET lock_timeout = '100ms'")
    with alone.open() as vault, caller(alone) as connection:
        vault.create_many(project, "ethereum", ["d"], connection=connection)
        calls: tuple[Callable[[], object], ...] = (
            lambda: vault.replace_wallet(old, idempotency_key="k"),
            lambda: vault.advance_phrase(project, "ethereum", 50, **BY),
            lambda: vault.create_many(project, "ethereum", ["e"]),
        )
        for call in calls:
            start = time.monotonic()
            with pytest.raises(strongroom.StrongroomError) as caught:
                call()
            assert caught.value.retryable
            assert time.monotonic() - start < 10
        connection.commit()
        assert vault.get_wallet(old).status == "active"
        assert vault.replace_wallet(old, idempotency_key="k").wallet.phrase_index == 4
        assert vault.list_accounts(project)[0].next_index == 5
        alone.assert_sound(vault)


def test_a_deadlock_with_the_callers_own_locks_ends_typed(postgresql: Deployment) -> None:
    """The caller has the slot, and wants the account; the replacement has the account, and wants the slot."""
    project = postgresql.project()
    with postgresql.open() as vault, ThreadPoolExecutor(1) as others, caller(postgresql) as connection:
        old = begun(vault, project)
        slot = "SELECT 1 FROM strongroom_slot WHERE label = 'old' AND project_id = :project FOR UPDATE"
        connection.execute(sa.text(slot), {"project": project})
        replaced = others.submit(vault.replace_wallet, old)
        wait_for(postgresql, 1)
        try:
            made = vault.create_many(project, "ethereum", ["d"], connection=connection)[0].wallet.phrase_index
            connection.commit()
        except strongroom.RetryTransactionError:
            connection.rollback()
            made = None
        index = replaced.result(30).wallet.phrase_index
        assert (made, index) in ((None, 3), (3, 4))
        postgresql.assert_sound(vault)


def test_of_two_callers_who_take_accounts_the_other_way_round_one_is_told(postgresql: Deployment) -> None:
    project = postgresql.project()
    with postgresql.open() as vault, ThreadPoolExecutor(2) as callers:
        vault.create_phrase(project)
        both = threading.Barrier(2, timeout=30)

        def take(first: str, second: str) -> bool:
            with caller(postgresql) as connection:
                vault.create_many(project, first, ["a"], connection=connection)
                both.wait()
                try:
                    vault.create_many(project, second, ["b"], connection=connection)
                except strongroom.RetryTransactionError:
                    connection.rollback()
                    return False
                connection.commit()
                return True

        done = [callers.submit(take, "ethereum", "polygon"), callers.submit(take, "polygon", "ethereum")]
        assert sorted(each.result(30) for each in done) == [False, True]
        assert [each.next_index for each in vault.list_accounts(project)] == [1, 1]
        assert take_again(vault, project) == [("ethereum", 1), ("polygon", 1)]
        postgresql.assert_sound(vault)


def take_again(vault: Vault, project: UUID) -> list[tuple[str, int | None]]:
    made = [vault.create_many(project, network, ["c"])[0].wallet for network in ("ethereum", "polygon")]
    return [(each.network, each.phrase_index) for each in made]


def test_on_sqlite_they_wait_as_long_as_they_may_and_end_typed(request: pytest.FixtureRequest) -> None:
    with open_deployment("sqlite", request) as deployment:
        project = deployment.project()
        with (
            deployment.open() as vault,
            deployment.open(busy_timeout_seconds=1) as impatient,
            ThreadPoolExecutor(4) as others,
        ):
            old = begun(vault, project)
            with caller(deployment) as connection:
                vault.create_many(project, "ethereum", ["d"], connection=connection)
                refused: list[Future[Any]] = [
                    others.submit(impatient.replace_wallet, old),
                    others.submit(impatient.advance_phrase, project, "ethereum", 50, **BY),
                ]
                for each in refused:
                    error = each.exception(30)
                    assert isinstance(error, strongroom.StrongroomError)
                    assert (error.code, error.retryable) in (("contention", True), ("store-unavailable", True)), (
                        error.code
                    )
                waiting = others.submit(vault.replace_wallet, old)
                with pytest.raises(TimeoutError):
                    waiting.result(1)
                connection.commit()
            assert waiting.result(30).wallet.phrase_index == 4
            assert vault.list_accounts(project)[0].next_index == 5
            deployment.assert_sound(vault)


@pytest.mark.parametrize("asked", ["label", "id"])
def test_who_waits_for_the_account_derives_nothing_from_a_phrase_that_was_replaced_meanwhile(
    postgresql: Deployment, asked: str
) -> None:
    project = postgresql.project()
    with postgresql.open() as vault, ThreadPoolExecutor(2) as others, caller(postgresql) as connection:
        old = begun(vault, project)
        phrase = vault.get_phrase(project)
        vault.create_many(project, "ethereum", ["d", "e"], connection=connection)
        named = "default" if asked == "label" else phrase.id
        made = others.submit(vault.create_many, project, "ethereum", ["f", "g"], phrase=named)
        replaced = others.submit(vault.replace_wallet, old)
        wait_for(postgresql, 2)
        new = vault.replace_phrase(project).phrase
        connection.commit()
        assert replaced.result(30).wallet.phrase_id == new.id
        if asked == "label":
            assert [each.wallet.phrase_id for each in made.result(30)] == [new.id, new.id]
        else:
            with pytest.raises(strongroom.PhraseConflictError, match="was replaced"):
                made.result(30)
        assert [each.next_index for each in vault.list_accounts(project, phrase=phrase.id)] == [5]
        postgresql.assert_sound(vault)


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_accounts_that_meet_outside_of_a_callers_snapshot_have_its_transaction_repeated(
    postgresql: Deployment, level: str
) -> None:
    """It never sees the wallet that has the path: to call again in the same transaction is of no use."""
    project = postgresql.project()
    with postgresql.open() as vault, caller(postgresql) as connection:
        begun(vault, project)
        connection.execution_options(isolation_level=level)
        connection.execute(sa.text("SELECT 1 FROM strongroom_wallet LIMIT 1")).all()
        vault.create_many(project, "polygon", ["met"], path="m/44'/60'/1'/0/{index}")
        other = "m/44'/60'/{index}'/0/0"
        with pytest.raises(strongroom.RetryTransactionError):
            vault.create_many(project, "polygon", ["p", "q"], path=other, connection=connection)
        connection.rollback()
        made = vault.create_many(project, "polygon", ["p", "q"], path=other, connection=connection)
        assert [each.wallet.phrase_index for each in made] == [0, 2]
        connection.commit()
