"""``connection=``: all or nothing with the caller's own rows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

import strongroom
from strongroom import Vault
from testbed.databases.rows import assert_whole, counts, execute
from testbed.processes.wallets import PHRASE
from testbed.servers import citus
from testbed.waiting import join


@pytest.fixture
def callers(vault_url: str) -> Iterator[Engine]:
    """An engine as an application has it, with a table of its own."""
    engine = strongroom.create_engine(vault_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE orders (id text PRIMARY KEY)")
    yield engine
    engine.dispose()


def order(connection: sa.Connection, name: str) -> None:
    connection.exec_driver_sql(f"INSERT INTO orders VALUES ('{name}')")


def test_wallets_commit_with_the_callers_rows(vault: Vault, callers: Engine, vault_url: str) -> None:
    project = uuid4()
    with callers.begin() as connection:
        order(connection, "a")
        created = vault.create_wallet(project, "ethereum", connection=connection)
        imported = vault.import_wallet(project, "bitcoin", mnemonic=PHRASE, connection=connection)
        results = vault.create_wallets(project, ["solana", "base", "nowhere"], connection=connection)
        assert not created.wallet.durable
        assert not imported.wallet.durable
        assert [result.wallet.durable for result in results if result.wallet] == [False, False]
        assert [result.created for result in results] == [True, True, False]
        repeated = vault.create_wallet(project, "ethereum", connection=connection)
        assert (repeated.wallet.id, repeated.created) == (created.wallet.id, False)
        assert not repeated.wallet.durable
    found = vault.find_wallet(project, "ethereum")
    assert found is not None
    assert found.durable
    assert found.address == created.wallet.address
    assert_whole(vault_url, 4)
    assert execute(vault_url, "SELECT id FROM orders") == [("a",)]
    assert all(result.ok for result in vault.verify())


def test_nothing_stays_when_the_caller_rolls_back(vault: Vault, callers: Engine, vault_url: str) -> None:
    project = uuid4()
    with callers.connect() as connection:
        order(connection, "a")
        vault.create_wallet(project, "ethereum", connection=connection)
        vault.create_wallet(project, "bitcoin", idempotency_key="k", connection=connection)
        vault.import_wallet(project, "solana", mnemonic=PHRASE, connection=connection)
        connection.rollback()
    assert counts(vault_url) == (0, 0, 0, 0)
    assert execute(vault_url, "SELECT * FROM strongroom_idempotency") == []
    assert execute(vault_url, "SELECT * FROM orders") == []
    assert vault.create_wallet(project, "bitcoin", idempotency_key="k").created


def test_a_failure_inside_leaves_the_callers_transaction_usable(vault: Vault, callers: Engine, vault_url: str) -> None:
    project = uuid4()
    vault.import_wallet(project, "solana", mnemonic=PHRASE)
    with callers.begin() as connection:
        order(connection, "a")
        with pytest.raises(strongroom.KeyConflictError):
            vault.import_wallet(project, "solana", private_key="11" * 32, connection=connection)
        with pytest.raises(strongroom.UnknownNetworkError):
            vault.create_wallet(project, "nowhere", connection=connection)
        order(connection, "b")
        vault.create_wallet(project, "ethereum", connection=connection)
    assert execute(vault_url, "SELECT id FROM orders ORDER BY id") == [("a",), ("b",)]
    assert_whole(vault_url, 2)


def test_a_refusal_of_the_database_is_undone_to_the_savepoint(vault: Vault, callers: Engine, vault_url: str) -> None:
    project = uuid4()
    vault.create_wallet(project, "ethereum")
    execute(vault_url, "DELETE FROM strongroom_slot")
    with callers.begin() as connection:
        order(connection, "a")
        with pytest.raises(strongroom.StoreRefusedError):
            vault.create_wallet(project, "ethereum", connection=connection)
        order(connection, "b")
    assert len(execute(vault_url, "SELECT id FROM orders")) == 2
    assert execute(vault_url, "SELECT * FROM strongroom_slot") == []


def test_idempotency_keys_are_bound_in_the_callers_transaction(vault: Vault, callers: Engine, vault_url: str) -> None:
    project = uuid4()
    wallet, _ = vault.create_wallet(project, "ethereum")
    with callers.connect() as connection:
        found, created = vault.create_wallet(project, "ethereum", idempotency_key="k", connection=connection)
        assert (found.id, created) == (wallet.id, False)
        connection.rollback()
    assert execute(vault_url, "SELECT * FROM strongroom_idempotency") == []


def test_an_autocommit_connection_is_refused(vault: Vault, callers: Engine, vault_url: str) -> None:
    with callers.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        with pytest.raises(strongroom.ConnectionNotSupportedError):
            vault.create_wallet(uuid4(), "ethereum", connection=connection)
    assert counts(vault_url) == (0, 0, 0, 0)


def test_what_is_not_a_connection_of_ours_is_refused(vault: Vault, vault_url: str, engine: str) -> None:
    with pytest.raises(strongroom.ConnectionNotSupportedError):
        vault.create_wallet(uuid4(), "ethereum", connection=object())
    memory = sa.create_engine("sqlite://")
    with memory.connect() as connection, pytest.raises(strongroom.ConnectionNotSupportedError):
        vault.create_wallet(uuid4(), "ethereum", connection=connection)
    memory.dispose()
    assert counts(vault_url) == (0, 0, 0, 0)


def test_a_serialization_failure_asks_the_caller_to_run_again(postgresql_vault_url: str, root_key_uri: str) -> None:
    project = uuid4()
    engine = strongroom.create_engine(postgresql_vault_url, isolation_level="REPEATABLE READ")
    with strongroom.open(postgresql_vault_url, root_key=root_key_uri) as vault:
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
            wallet, _ = vault.create_wallet(project, "ethereum")
            if not citus.URL:  # whose nodes read what is committed, whatever the coordinator's level
                with pytest.raises(strongroom.RetryTransactionError) as caught:
                    vault.create_wallet(project, "ethereum", connection=connection)
                assert caught.value.retryable
                connection.rollback()
            found, created = vault.create_wallet(project, "ethereum", connection=connection)
            assert (found.id, created) == (wallet.id, False)
            connection.commit()
    engine.dispose()


def test_a_deadlock_asks_the_caller_to_run_again(postgresql_vault_url: str, root_key_uri: str) -> None:
    project = uuid4()
    engine = strongroom.create_engine(postgresql_vault_url)
    gate = threading.Barrier(2, timeout=60)
    outcomes: list[str] = []

    def run(vault: Vault, networks: tuple[str, str]) -> None:
        with engine.connect() as connection:
            try:
                vault.create_wallet(project, networks[0], connection=connection)
                gate.wait()
                vault.create_wallet(project, networks[1], connection=connection)
                connection.commit()
                outcomes.append("committed")
            except strongroom.RetryTransactionError:
                connection.rollback()
                outcomes.append("retry")

    with strongroom.open(postgresql_vault_url, root_key=root_key_uri) as vault:
        threads = [
            threading.Thread(target=run, args=(vault, networks))
            for networks in (("ethereum", "bitcoin"), ("bitcoin", "ethereum"))
        ]
        for thread in threads:
            thread.start()
        join(threads)
    engine.dispose()
    assert sorted(outcomes) == ["committed", "retry"]
    assert_whole(postgresql_vault_url, 2)


def test_our_own_write_waits_for_a_callers_transaction_and_finds_its_wallet(
    vault: Vault, callers: Engine, vault_url: str
) -> None:
    project = uuid4()
    found: list[tuple[strongroom.Wallet, bool]] = []
    other = threading.Thread(target=lambda: found.append(vault.create_wallet(project, "ethereum")))
    with callers.begin() as connection:
        wallet, created = vault.create_wallet(project, "ethereum", connection=connection)
        assert created
        other.start()
        time.sleep(0.2)
        assert found == []
    join([other])
    assert [(each.id, made) for each, made in found] == [(wallet.id, False)]
    assert_whole(vault_url, 1)


READ_ONLY = {
    "default_transaction_read_only": ("?options=-c%20default_transaction_read_only%3Don", {}),
    "postgresql_readonly": ("", {"postgresql_readonly": True}),
}


@pytest.mark.parametrize("way", READ_ONLY)
def test_a_read_only_transaction_of_a_caller_is_not_said_to_be_worth_another_try(
    way: str, postgresql_vault_url: str, root_key_uri: str
) -> None:
    project = uuid4()
    more, options = READ_ONLY[way]
    engine = strongroom.create_engine(f"{postgresql_vault_url}{more.replace('?', '&', 1)}").execution_options(**options)
    with strongroom.open(postgresql_vault_url, root_key=root_key_uri) as vault, engine.connect() as connection:
        vault.create_wallet(project, "ethereum")
        writes: list[Callable[[], object]] = [
            lambda: vault.create_wallet(project, "bitcoin", connection=connection),
            lambda: vault.import_wallet(project, "solana", mnemonic=PHRASE, connection=connection),
        ]
        for write in writes:
            with pytest.raises(strongroom.ReadOnlyTransactionError) as caught:
                write()
            assert not caught.value.retryable
            assert "default_transaction_read_only" in caught.value.hint
        [result] = vault.create_wallets(project, ["base"], connection=connection)
        assert isinstance(result.error, strongroom.ReadOnlyTransactionError)
        assert connection.exec_driver_sql("SELECT count(*) FROM project_credentials").scalar() == 1  # goes on
    engine.dispose()
    assert_whole(postgresql_vault_url, 1)


def test_a_read_only_connection_of_a_caller_is_told_so_on_sqlite_too(sqlite_vault_url: str, root_key_uri: str) -> None:
    engine = strongroom.create_engine(sqlite_vault_url)
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault, engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
        with pytest.raises(strongroom.ReadOnlyTransactionError) as caught:
            vault.create_wallet(uuid4(), "ethereum", connection=connection)
        assert not caught.value.retryable
    engine.dispose()
    assert_whole(sqlite_vault_url, 0)


def test_a_clone_of_the_schema_on_the_callers_path_does_not_take_the_wallet(
    postgresql_vault_url: str, root_key_uri: str
) -> None:
    clone = """
        CREATE SCHEMA clone;
        DO $$ DECLARE each name; BEGIN
            FOR each IN SELECT tablename FROM pg_tables WHERE schemaname = 'strongroom' LOOP
                EXECUTE format('CREATE TABLE clone.%I (LIKE strongroom.%I INCLUDING ALL)', each, each);
                EXECUTE format('INSERT INTO clone.%I SELECT * FROM strongroom.%I', each, each);
            END LOOP;
        END $$"""
    with psycopg.connect(postgresql_vault_url) as made:
        made.execute(clone.encode())
    engine = strongroom.create_engine(postgresql_vault_url)
    project = uuid4()
    with strongroom.open(postgresql_vault_url, root_key=root_key_uri) as vault:
        for key in (None, "a key"):
            with engine.begin() as connection:
                connection.exec_driver_sql("SET LOCAL search_path = clone, strongroom")
                label = "plain" if key is None else "keyed"
                vault.create_wallet(project, "solana", label=label, idempotency_key=key, connection=connection)
        assert vault.count_wallets(project) == 2
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM clone.project_credentials").scalar() == 0
    engine.dispose()


def test_a_snapshot_from_before_a_rotation_asks_the_caller_to_run_again(
    postgresql_vault_url: str, root_key_uri: str
) -> None:
    project = uuid4()
    engine = strongroom.create_engine(postgresql_vault_url, isolation_level="REPEATABLE READ")
    with (
        strongroom.open(postgresql_vault_url, root_key=root_key_uri) as vault,
        strongroom.open(postgresql_vault_url, root_key=root_key_uri) as other,
        engine.connect() as connection,
    ):
        connection.exec_driver_sql("SELECT 1")
        other.rotate_sealing_key()
        vault.create_wallet(project, "solana")  # it learns of the rotation
        with pytest.raises(strongroom.RetryTransactionError):
            vault.create_wallet(project, "ethereum", connection=connection)
        with pytest.raises(strongroom.RetryTransactionError):
            vault.import_wallet(project, "bitcoin", mnemonic=PHRASE, connection=connection)
        connection.rollback()
        assert vault.create_wallet(project, "ethereum", connection=connection).created
        connection.commit()
    engine.dispose()
