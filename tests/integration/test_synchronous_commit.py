"""Where synchronous_commit is off, what strongroom commits survives a killed server nevertheless."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault, Wallet
from strongroom.store.connection import engine as engines
from strongroom.store.connection.database import Database
from testbed.databases.rows import execute
from testbed.processes.signing import transaction
from testbed.servers.postgres import PostgresServer

_numbers = count(1)
_keys = count(88_000)
SETTING = "SELECT current_setting('synchronous_commit')"


@pytest.fixture(scope="module")
def lazy() -> Iterator[PostgresServer]:
    """A server whose commits wait for nothing, and whose log is written late: a kill loses what nobody waited for."""
    server = PostgresServer.start(synchronous_commit=False, wal_writer_delay="10s", autovacuum=False)
    yield server
    server.close()


@pytest.fixture
def lazy_url(lazy: PostgresServer) -> str:
    return lazy.create_database(f"lazy_{next(_numbers)}")


def kill(server: PostgresServer) -> None:
    server.kill9()
    server.restart()
    server.wait_until_it_answers()


def create(vault: Vault, project: UUID, _: Wallet) -> str:
    vault.import_wallet(project, "ethereum", label="new", private_key=f"{next(_keys):064x}")
    return "SELECT count(*) FROM strongroom_slot WHERE label = 'new'"


def create_with_a_key(vault: Vault, project: UUID, _: Wallet) -> str:
    key = f"{next(_keys):064x}"
    vault.import_wallet(project, "ethereum", label="new", private_key=key, idempotency_key="a key")
    return "SELECT count(*) FROM strongroom_idempotency"


def sign(vault: Vault, project: UUID, wallet: Wallet) -> str:
    vault.sign_transaction(wallet, transaction(1, 10))
    return "SELECT count(*) FROM credential_usage_logs WHERE action_type = 'sign'"


def revoke(vault: Vault, project: UUID, wallet: Wallet) -> str:
    vault.revoke_wallet(wallet)
    return "SELECT count(*) FROM project_credentials WHERE status = 'revoked'"


def rewrap(vault: Vault, project: UUID, wallet: Wallet) -> str:
    vault.rotate_sealing_key()
    assert sum(1 for _ in vault.rewrap()) == 1
    return "SELECT count(*) FROM strongroom_vault_history WHERE reason = 'rewrap'"


def replace(vault: Vault, project: UUID, wallet: Wallet) -> str:
    vault.replace_wallet(wallet)
    return "SELECT count(*) FROM project_credentials WHERE status = 'replaced'"


def rotate(vault: Vault, project: UUID, _: Wallet) -> str:
    vault.rotate_sealing_key()
    return "SELECT count(*) FROM strongroom_events WHERE event = 'rotate'"


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("verb", [create, create_with_a_key, sign, revoke, replace, rotate, rewrap])
def test_what_was_acknowledged_survives_a_killed_server(
    verb: Callable[[Vault, UUID, Wallet], str], lazy: PostgresServer, lazy_url: str, root_key_uri: str
) -> None:
    with strongroom.init(lazy_url, root_key=root_key_uri) as vault:
        project = uuid4()
        wallet, _ = vault.import_wallet(project, "ethereum", private_key=f"{next(_keys):064x}")
        asked = verb(vault, project, wallet)
        kill(lazy)
    assert execute(lazy_url, asked) == [(1,)]


def test_without_it_the_kill_loses_what_was_acknowledged(lazy: PostgresServer, lazy_url: str) -> None:
    execute(lazy_url, "CREATE TABLE t (n int)")
    lazy.restart()  # all of this is on the disk
    with psycopg.connect(lazy_url, autocommit=True) as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        kill(lazy)
    assert execute(lazy_url, "SELECT count(*) FROM t") == [(0,)]


@pytest.mark.parametrize("value", ["off", "local", "remote_write", "remote_apply", "on"])
def test_off_alone_is_raised_and_until_the_end_of_the_transaction(value: str, postgresql_url: str) -> None:
    engine = engines.store_engine(f"{postgresql_url}&options=-csynchronous_commit%3D{value}", pool_size=1)
    with closing(Database(engine)) as database:
        raised = "on" if value == "off" else value
        assert database.transact(lambda session: session.fetch(SETTING, {})) == [(raised,)]
        assert database.read(SETTING, {}) == [(value,)]
        # The row is worked out after the OFFSET.
        assert database.write_statement(SETTING, {}) == [(raised,)]
        assert database.read(SETTING, {}) == [(value,)]


def test_a_callers_transaction_keeps_its_setting(make_postgresql_vault: Callable[..., str], root_key_uri: str) -> None:
    url = make_postgresql_vault(synchronous_commit=False)
    engine = strongroom.create_engine(url)
    with strongroom.open(url, root_key=root_key_uri) as vault, engine.begin() as connection:
        wallet, _ = vault.import_wallet(uuid4(), "ethereum", private_key=f"{next(_keys):064x}", connection=connection)
        assert connection.exec_driver_sql(SETTING).scalar() == "off"
        assert not wallet.durable
    engine.dispose()


def test_status_says_whose_commits_are_lost(make_postgresql_vault: Callable[..., str], root_key_uri: str) -> None:
    url = make_postgresql_vault(synchronous_commit=False)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        warnings = vault.status().store.warnings
    assert sum("strongroom's own commits wait for the disk" in warning for warning in warnings) == 1
