"""``connection=`` of other libraries and drivers: sessions, psycopg and psycopg2 themselves, asynchronous ones."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import psycopg2
import pytest
import sqlalchemy as sa
from psycopg.types.string import TextLoader
from psycopg2 import extensions
from sqlalchemy.ext.asyncio import create_async_engine

import strongroom
from strongroom import AsyncVault, Vault
from strongroom.crypto import sealing
from testbed.databases import partitioned
from testbed.databases.deployments import open_deployment
from testbed.databases.rows import assert_whole, execute
from testbed.processes.wallets import PHRASE
from testbed.servers import citus
from tests.integration.other_connections import AWAITED, WAYS, awaited, url_of


@pytest.fixture
def url(postgresql_vault_url: str) -> str:
    """A vault's database with a table of the application's."""
    execute(postgresql_vault_url, "CREATE TABLE orders (id text PRIMARY KEY)")
    return postgresql_vault_url


@pytest.fixture
def vault(url: str, root_key_uri: str) -> Iterator[Vault]:
    """A vault on it."""
    with strongroom.open(url, root_key=root_key_uri) as opened:
        yield opened


def use(vault: Vault, project: Any, connection: Any) -> None:
    """Creates, imports and reads in one transaction."""
    wallet, created = vault.create_wallet(project, "ethereum", idempotency_key="k", connection=connection)
    assert (created, wallet.durable) == (True, False)
    again, created = vault.create_wallet(project, "ethereum", connection=connection)
    assert (again.id, created) == (wallet.id, False)
    vault.import_wallet(project, "solana", mnemonic=PHRASE, connection=connection)
    results = vault.create_wallets(project, ["bitcoin", "base"], connection=connection)
    assert [result.created for result in results] == [True, True]
    found = vault.find_wallet(project, "ethereum", connection=connection)
    assert found is not None
    assert (found.id, found.durable, found.proved) == (wallet.id, False, True)
    assert vault.get_wallet(wallet.id, connection=connection) == found
    assert vault.find_by_address(results[0].wallet.address, connection=connection).network == "bitcoin"  # type: ignore[union-attr]
    assert len(vault.list_wallets(project, limit=2, connection=connection).wallets) == 2
    assert vault.count_wallets(project, connection=connection) == 4
    assert vault.history(wallet, connection=connection).entries == ()
    assert vault.list_projects(connection=connection).projects[0].wallets == 4
    assert vault.list_wallets(search=wallet.address[:8], connection=connection).wallets == (found,)
    assert {record.action for record in vault.list_log(wallet, connection=connection).records} == {"create"}
    assert vault.count_wallets(project) == 0  # not for others


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_of_an_application_carries_wallets(way: str, vault: Vault, url: str) -> None:
    project = uuid4()
    with WAYS[way](url) as (connection, run, _commit):
        run("INSERT INTO orders VALUES ('rolled back')")
        use(vault, project, connection)
    assert_whole(url, 0)
    vault.import_wallet(project, "solana", mnemonic=PHRASE)
    with WAYS[way](url) as (connection, run, commit):
        run("INSERT INTO orders VALUES ('a')")
        with pytest.raises(strongroom.KeyConflictError):
            vault.import_wallet(project, "solana", private_key="11" * 32, connection=connection)
        run("INSERT INTO orders VALUES ('b')")
        vault.create_wallet(project, "ethereum", connection=connection)
        commit()
    assert_whole(url, 2)
    assert execute(url, "SELECT id FROM orders ORDER BY id") == [("a",), ("b",)]
    assert all(result.ok for result in vault.verify())


@pytest.mark.parametrize("way", WAYS)
def test_a_refusal_of_the_database_is_undone_to_the_savepoint(way: str, vault: Vault, url: str) -> None:
    project = uuid4()
    vault.create_wallet(project, "ethereum")
    execute(url, "DELETE FROM strongroom_slot")
    with WAYS[way](url) as (connection, run, commit):
        run("INSERT INTO orders VALUES ('a')")
        with pytest.raises(strongroom.StoreRefusedError) as caught:
            vault.create_wallet(project, "ethereum", connection=connection)
        assert "unique constraint" in caught.value.message
        commit()
    assert execute(url, "SELECT count(*) FROM orders") == [(1,)]
    assert execute(url, "SELECT * FROM strongroom_slot") == []


@pytest.mark.parametrize("way", WAYS)
def test_a_transaction_that_failed_before_is_told_as_such(way: str, vault: Vault, url: str) -> None:
    project = uuid4()
    with WAYS[way](url) as (connection, run, _commit):
        with pytest.raises((psycopg.Error, psycopg2.Error, sa.exc.DBAPIError)):
            run("SELECT 1 / 0")
        for verb in (
            lambda: vault.create_wallet(project, "ethereum", connection=connection),
            lambda: vault.create_wallets(project, ["ethereum", "bitcoin"], connection=connection),
            lambda: vault.find_wallet(project, "ethereum", connection=connection),
        ):
            with pytest.raises(strongroom.FailedTransactionError) as caught:
                verb()
            assert (caught.value.code, caught.value.retryable) == ("failed-transaction", False)
            assert "had failed before this call" in caught.value.message
            assert "Roll back your transaction" in str(caught.value.hint)
        connection.rollback()
        assert vault.create_wallet(project, "ethereum", connection=connection).created


def test_raw_connections_in_autocommit_are_refused(vault: Vault, url: str) -> None:
    for way in ("psycopg", "psycopg2"):
        with WAYS[way](url) as (connection, _run, _commit):
            connection.autocommit = True
            with pytest.raises(strongroom.ConnectionNotSupportedError):
                vault.create_wallet(uuid4(), "ethereum", connection=connection)
            connection.autocommit = False
            connection.close()
            with pytest.raises(strongroom.ConnectionNotSupportedError):
                vault.create_wallet(uuid4(), "ethereum", connection=connection)


@pytest.mark.parametrize("way", AWAITED)
def test_an_asynchronous_connection_carries_wallets(
    way: str, vault: Vault, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = uuid4()
    sealed_in = list[int]()

    def seal(*arguments: Any) -> str:
        sealed_in.append(threading.get_ident())
        return as_before(*arguments)

    as_before = sealing.seal
    monkeypatch.setattr(sealing, "seal", seal)

    async def run() -> None:
        vaults = AsyncVault(vault)
        loop = threading.get_ident()
        async with awaited(way, url) as (given, connection):
            sa.event.listen(connection.sync_connection, "before_cursor_execute", lambda *_: on_loop(loop))
            await connection.execute(sa.text("INSERT INTO orders VALUES ('rolled back')"))
            wallet, created = await vaults.create_wallet(project, "ethereum", connection=given)
            assert (created, wallet.durable) == (True, False)
            assert (await vaults.find_wallet(project, "ethereum", connection=given)) is not None
            await given.rollback()
            await given.run_sync(lambda synchronous: use(vault, project, synchronous))
        assert_whole(url, 0)
        await vaults.import_wallet(project, "solana", mnemonic=PHRASE)
        async with awaited(way, url) as (given, connection):
            with pytest.raises(strongroom.KeyConflictError):
                await vaults.import_wallet(project, "solana", private_key="11" * 32, connection=given)
            await connection.execute(sa.text("INSERT INTO orders VALUES ('a')"))
            sealed_in.clear()
            await vaults.import_wallet(project, "ethereum", mnemonic=PHRASE, connection=given)
            results = await vaults.create_wallets(project, ["bitcoin", "nowhere"], connection=given)
            assert [result.created for result in results] == [True, False]
            await vaults.create_wallet(project, "base", connection=given)
            await given.commit()
        assert len(sealed_in) == 3
        assert loop not in sealed_in, "keys are made in a thread"

    def on_loop(loop: int) -> None:
        assert threading.get_ident() == loop

    asyncio.run(run())
    assert_whole(url, 4)
    assert execute(url, "SELECT id FROM orders ORDER BY id") == [("a",)]
    assert all(result.ok for result in vault.verify())


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_what_the_server_says_means_the_same_of_every_driver(driver: str, vault: Vault, url: str) -> None:
    project = uuid4()
    vaults = AsyncVault(vault)
    slotless = uuid4()
    vault.create_wallet(slotless, "ethereum")
    execute(url, "DELETE FROM strongroom_slot")
    way = f"connection {driver}"

    async def run() -> None:
        async with awaited(way, url) as (given, connection):
            with pytest.raises(strongroom.StoreRefusedError) as refused:
                await vaults.create_wallet(slotless, "ethereum", connection=given)
            name = "project_credentials_" if partitioned.PARTITIONS else "unique_active_project_credentials)"
            assert f"unique constraint ({name}" in refused.value.message
            await connection.execute(sa.text("INSERT INTO orders VALUES ('goes on')"))
            await given.commit()
            await connection.execute(sa.text("SET TRANSACTION READ ONLY"))
            with pytest.raises(strongroom.ReadOnlyTransactionError):
                await vaults.create_wallet(project, "ethereum", connection=given)
            await given.rollback()
            with pytest.raises(sa.exc.DBAPIError):
                await connection.execute(sa.text("SELECT 1 / 0"))
            with pytest.raises(strongroom.FailedTransactionError):
                await vaults.create_wallet(project, "ethereum", connection=given)
            await given.rollback()
            await connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            await connection.execute(sa.text("SELECT * FROM orders"))
            await vaults.create_wallet(project, "ethereum")
            if citus.URL:  # whose nodes read what is committed, whatever the coordinator's level
                assert not (await vaults.create_wallet(project, "ethereum", connection=given)).created
            else:
                with pytest.raises(strongroom.RetryTransactionError):
                    await vaults.create_wallet(project, "ethereum", connection=given)
            await given.rollback()
            pid = (await connection.execute(sa.text("SELECT pg_backend_pid()"))).scalar()
            execute(url, f"SELECT pg_terminate_backend({pid})")
            with pytest.raises(strongroom.RetryTransactionError):
                await vaults.create_wallet(project, "bitcoin", connection=given)
            await given.rollback()
            wallet, created = await vaults.create_wallet(project, "bitcoin", connection=given)
            assert created
            await given.commit()
            assert (await vaults.get_wallet(wallet)).durable

    asyncio.run(run())


def test_what_asyncpg_says_of_itself_is_a_lost_connection(
    vault: Vault, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the server ended the session while it was idle; older versions of SQLAlchemy pass it on as it is."""
    from asyncpg.exceptions import InternalClientError

    def fail(_: sa.Connection) -> None:
        raise InternalClientError("cannot switch to state 11; another operation (2) is in progress")

    async def run() -> None:
        vaults = AsyncVault(vault)
        async with awaited("connection asyncpg", url) as (given, connection):
            await connection.execute(sa.text("SELECT 1"))
            with monkeypatch.context() as patch:
                patch.setattr(sa.Connection, "begin_nested", fail)
                with pytest.raises(strongroom.RetryTransactionError):
                    await vaults.create_wallet(uuid4(), "bitcoin", connection=given)
            await given.rollback()
            assert (await vaults.create_wallet(uuid4(), "bitcoin", connection=given)).created

    asyncio.run(run())


def test_json_codecs_that_an_application_gave_asyncpg_change_nothing(vault: Vault, url: str) -> None:
    async def run() -> None:
        engine = create_async_engine(url_of(url, "asyncpg"))

        @sa.event.listens_for(engine.sync_engine, "connect")
        def set_codec(lent: Any, _record: Any) -> None:
            for name in ("json", "jsonb"):
                lent.run_async(
                    lambda driver, name=name: driver.set_type_codec(
                        name, schema="pg_catalog", encoder=json.dumps, decoder=json.loads
                    )
                )

        async with engine.begin() as connection:
            wallet, _ = await AsyncVault(vault).create_wallet(uuid4(), "ethereum", connection=connection)
            assert await AsyncVault(vault).get_wallet(wallet, connection=connection) == wallet
        await engine.dispose()
        assert vault.get_wallet(wallet).path == wallet.path

    asyncio.run(run())
    assert execute(url, "SELECT jsonb_typeof(metadata) FROM project_credentials") == [("object",)]


def _with_loader(url: str, kind: str) -> psycopg.Connection[Any]:
    connection = psycopg.connect(url)
    connection.adapters.register_loader(kind, TextLoader)
    return connection


def _with_typecaster(url: str, kind: str) -> Any:
    connection = psycopg2.connect(url)
    number = psycopg.adapters.types[kind].oid
    extensions.register_type(extensions.new_type((number,), "TEXT", lambda text, _cursor: text), connection)
    return connection


@pytest.mark.parametrize("kind", ["int8", "int4", "bool", "uuid", "text", "varchar", "timestamptz"])
@pytest.mark.parametrize("connect", [_with_loader, _with_typecaster])
def test_types_that_an_application_reads_in_its_own_way_change_nothing(
    vault: Vault, url: str, connect: Callable[[str, str], Any], kind: str
) -> None:
    """Else a repeat is taken for a new wallet, whose address is returned and whose key is nowhere."""
    project, found = uuid4(), []
    for _ in range(2):
        connection = connect(url, kind)
        found.append(vault.create_wallet(project, "ethereum", idempotency_key="order-1", connection=connection))
        connection.commit()
        connection.close()
    (first, created), (again, created_again) = found
    assert (created, created_again) == (True, False)
    assert first.address == again.address == vault.get_wallet(first).address


@pytest.mark.parametrize(("kind", "refused"), [("int8", True), ("bool", True), ("text", True), ("uuid", False)])
def test_a_codec_of_asyncpg_that_makes_other_values_is_refused(
    vault: Vault, url: str, kind: str, refused: bool
) -> None:
    async def run() -> None:
        engine = create_async_engine(url_of(url, "asyncpg"))

        @sa.event.listens_for(engine.sync_engine, "connect")
        def set_codec(lent: Any, _record: Any) -> None:
            def decoded(value: str) -> Any:
                return value if kind == "uuid" else f"<{value}>"

            lent.run_async(
                lambda driver: driver.set_type_codec(kind, schema="pg_catalog", encoder=str, decoder=decoded)
            )

        expected: Any = pytest.raises(strongroom.ConnectionNotSupportedError) if refused else nullcontext()
        async with engine.connect() as connection:
            await connection.execute(sa.text("INSERT INTO orders VALUES ('goes on')"))
            with expected:
                await AsyncVault(vault).create_wallet(uuid4(), "ethereum", connection=connection)
            await connection.commit()
        await engine.dispose()

    asyncio.run(run())
    assert vault.count_wallets() == (0 if refused else 1)
    assert execute(url, "SELECT count(*) FROM orders") == [(1,)]


def test_an_asynchronous_connection_in_the_wrong_place_is_refused(vault: Vault, url: str) -> None:
    async def run() -> None:
        async with awaited("session asyncpg", url) as (session, connection):
            for given in (session, connection, connection.sync_connection):
                with pytest.raises(strongroom.ConnectionNotSupportedError) as caught:
                    vault.create_wallet(uuid4(), "ethereum", connection=given)
                assert "AsyncVault" in caught.value.hint
        with pytest.raises(strongroom.ConnectionNotSupportedError):
            await AsyncVault(vault).create_wallet(uuid4(), "ethereum", connection=connection)  # closed
        engine = sa.create_engine(url_of(url, "psycopg"))
        with engine.connect() as synchronous, pytest.raises(strongroom.ConnectionNotSupportedError):
            await AsyncVault(vault).create_wallet(uuid4(), "ethereum", connection=synchronous)
        engine.dispose()

    asyncio.run(run())
    with pytest.raises(strongroom.ConnectionNotSupportedError) as caught:
        vault.create_wallet(uuid4(), "ethereum", connection=object())
    assert "psycopg2" in caught.value.hint
    assert_whole(url, 0)


def test_legacy_tables_take_wallets_of_every_driver(request: pytest.FixtureRequest) -> None:

    with open_deployment("g4", request) as deployment, deployment.open() as vault:
        project = deployment.project()
        for number, way in enumerate(("psycopg2", "psycopg2 of SQLAlchemy", "psycopg")):
            with WAYS[way](deployment.url) as (connection, _run, commit):
                wallet, created = vault.create_wallet(project, "ethereum", label=f"l{number}", connection=connection)
                assert created
                commit()
            assert vault.find_wallet(project, "ethereum", f"l{number}") == replace(wallet, durable=True)

        async def run() -> None:
            for number, way in enumerate(("connection psycopg", "session asyncpg")):
                async with awaited(way, deployment.url) as (given, _connection):
                    label = f"a{number}"
                    wallet, created = await AsyncVault(vault).create_wallet(
                        project, "bitcoin", label=label, connection=given
                    )
                    assert created
                    await given.commit()
                assert await AsyncVault(vault).find_wallet(project, "bitcoin", label) == replace(wallet, durable=True)

        asyncio.run(run())
