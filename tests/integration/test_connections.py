"""How connections are set up, lent and given back."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

import strongroom
from strongroom import Vault
from strongroom.store.connection import engine as engines
from strongroom.store.connection.engine import ConnectionSettings
from strongroom.store.connection.read_only import ReadOnlyDatabase
from strongroom.store.connection.session import Session
from testbed.databases.rows import assert_whole, execute, sqlite_path
from testbed.harness.owners import give_away
from testbed.waiting import join


def pragma(connection: sa.Connection, name: str) -> Any:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


@pytest.fixture
def version(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int, int]:
    """Pretend that the SQLite library is of another version: only our own choice depends on it."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", request.param)
    return request.param  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("version", "journal", "synchronous"),
    [((3, 51, 2), "delete", 3), ((3, 51, 3), "wal", 2), ((4, 0, 0), "wal", 2)],
    indirect=["version"],
)
def test_the_journal_fits_the_version_of_sqlite(
    version: tuple[int, int, int], journal: str, synchronous: int, private_path: Path
) -> None:
    url = f"sqlite:///{private_path / 'vault.db'}"
    with strongroom.init(url, root_key=f"file:{private_path / 'root.key'}") as vault:
        project = uuid4()
        wallet, _ = vault.create_wallet(project, "ethereum")
        assert vault.create_wallet(project, "ethereum") == (wallet, False)
        assert vault.status().store.durability == {"journal_mode": journal, "synchronous": str(synchronous)}
        for path in private_path.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        engine = strongroom.create_engine(url)
        with engine.connect() as connection:
            assert pragma(connection, "foreign_keys") == 1
            assert pragma(connection, "journal_mode") == journal
            assert pragma(connection, "synchronous") == synchronous
            assert pragma(connection, "busy_timeout") == 30_000
        engine.dispose()


def test_an_old_sqlite_does_not_write_to_a_write_ahead_log_that_others_use(
    sqlite_vault_url: str, root_key_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as newer:
        newer.create_wallet(uuid4(), "ethereum")
        monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
        with pytest.raises(strongroom.StoreError) as caught:
            strongroom.open(sqlite_vault_url, root_key=root_key_uri, busy_timeout_seconds=1)
        assert caught.value.retryable


def test_a_busy_database_is_waited_for_and_then_reported(sqlite_vault_url: str, root_key_uri: str) -> None:
    project = uuid4()
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri, busy_timeout_seconds=1) as vault:
        other = sqlite3.connect(sqlite_path(sqlite_vault_url), isolation_level=None, check_same_thread=False)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(strongroom.ContentionError) as caught:
            vault.create_wallet(project, "ethereum")
        assert caught.value.retryable
        later = threading.Timer(0.3, lambda: other.execute("COMMIT"))
        later.start()
        assert vault.create_wallet(project, "ethereum").created
        join([later])
        other.close()


def test_a_connection_of_the_parent_is_not_used_by_its_fork(vault: Vault, vault_url: str) -> None:
    project = uuid4()
    vault.create_wallet(project, "ethereum")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            vault.create_wallet(project, "solana")
            status = 0
        finally:
            os._exit(status)
    vault.create_wallet(project, "bitcoin")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(vault.list_wallets(project).wallets) == 3
    assert_whole(vault_url, 3)


def prepared_statements(vault: Vault) -> int:
    """How many statements the server keeps for the connections of a vault's pool."""
    lent = vault._context.store.context.database.engine.raw_connection()  # type: ignore[attr-defined]
    (count,) = lent.dbapi_connection.execute(
        "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%strongroom_slot%%'", prepare=False
    ).fetchone()
    lent.close()
    return int(count)


@pytest.mark.parametrize(("setting", "kept"), [(True, True), (False, False)])
def test_behind_a_pooler_nothing_is_prepared_on_the_server(
    postgresql_vault_url: str, root_key_uri: str, setting: bool, kept: bool
) -> None:
    project = uuid4()
    with strongroom.open(postgresql_vault_url, root_key=root_key_uri, prepared_statements=setting) as vault:
        for number in range(8):
            vault.create_wallet(project, "ethereum", label=f"l{number}")
            vault.create_wallet(project, "ethereum", label="l0", idempotency_key="k")
        assert (prepared_statements(vault) > 0) is kept
    engine = strongroom.create_engine(postgresql_vault_url, prepared_statements=False)
    with engine.connect() as connection:
        assert connection.connection.dbapi_connection.prepare_threshold is None  # type: ignore[union-attr]
    engine.dispose()


def test_no_more_connections_are_open_than_the_pool_may_have(postgresql_vault_url: str, root_key_uri: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    project = uuid4()
    with strongroom.open(postgresql_vault_url, root_key=root_key_uri, pool_size=3) as vault:
        with ThreadPoolExecutor(12) as threads:
            made = list(threads.map(lambda n: vault.create_wallet(project, "ethereum", label=f"l{n}"), range(48)))
        assert all(created for _, created in made)
        with psycopg.connect(postgresql_vault_url) as connection:
            (count,) = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND application_name !~* '^citus'"
            ).fetchone() or (0,)
        assert 1 <= count <= 3


def test_a_server_that_is_not_there_is_a_retryable_error(root_key_uri: str, tmp_path: Path) -> None:
    with pytest.raises(strongroom.StoreUnavailableError) as caught:
        strongroom.open(f"postgresql://postgres@/x?host={tmp_path}", root_key=root_key_uri)
    assert caught.value.retryable


def test_who_is_interrupted_while_reading_leaves_no_lock_on_the_file(
    sqlite_vault_url: str, root_key_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = uuid4()
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        vault.create_wallet(project, "ethereum")

        def interrupted(session: Session, sql: str, parameters: Any) -> Any:
            session.cursor.execute(sql, {name: str(value) for name, value in parameters.items()})
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Session, "fetch", interrupted)
            with pytest.raises(KeyboardInterrupt) as kept:
                vault.find_wallet(project, "ethereum")
        with sqlite3.connect(sqlite_path(sqlite_vault_url), isolation_level=None, timeout=0) as other:
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
            other.execute("BEGIN EXCLUSIVE")
            other.execute("ROLLBACK")
        other.close()
        assert kept.value is not None
        assert vault.find_wallet(project, "ethereum") is not None


def test_no_connection_of_ours_trusts_the_schema_of_a_sqlite_file(sqlite_vault_url: str, root_key_uri: str) -> None:
    """A trigger or view of the file calls no function that has effects outside of the file."""
    ran: list[str] = []
    execute(
        sqlite_vault_url,
        "CREATE TRIGGER planted AFTER INSERT ON project_credentials BEGIN SELECT effect(NEW.id); END",
    )
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        lent = vault._context.store.context.database.engine.raw_connection()  # type: ignore[attr-defined]
        assert lent.dbapi_connection.execute("PRAGMA trusted_schema").fetchone() == (0,)
        lent.close()
        engine = strongroom.create_engine(sqlite_vault_url)
        with engine.connect() as connection:
            driver: Any = connection.connection.dbapi_connection
            driver.create_function("effect", 1, ran.append)
            assert pragma(connection, "trusted_schema") == 0
            with pytest.raises(strongroom.StoreRefusedError):
                vault.create_wallet(uuid4(), "ethereum", connection=connection)
        engine.dispose()
    reader = engines.read_only_engine(sqlite_vault_url, engines.DEFAULTS)
    read = reader.raw_connection()
    assert read.dbapi_connection.execute("PRAGMA trusted_schema").fetchone() == (0,)  # type: ignore[union-attr]
    read.close()
    reader.dispose()
    assert ran == []


@pytest.mark.parametrize("end", ["", "-wal", "-shm", "-journal"])
def test_a_database_file_of_another_user_is_not_opened(
    end: str, sqlite_vault_url: str, root_key_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sqlite_path(sqlite_vault_url)
    given = path.with_name(path.name + end)
    given.touch(0o600)
    engine = strongroom.create_engine(sqlite_vault_url)
    give_away(given, monkeypatch)
    with pytest.raises(strongroom.InsecureFileError):
        strongroom.open(sqlite_vault_url, root_key=root_key_uri)
    with pytest.raises(strongroom.InsecureFileError):
        engine.connect()
    with pytest.raises(strongroom.InsecureFileError):
        ReadOnlyDatabase.open(sqlite_vault_url, ConnectionSettings(busy_timeout_seconds=1))
    engine.dispose()


@pytest.mark.parametrize("verb", ["get", "find", "list", "sign", "create"])
def test_a_row_that_cannot_be_read_keeps_no_other_process_out(
    verb: str, sqlite_vault_url: str, root_key_uri: str
) -> None:
    """A SELECT that failed while it was read would keep its lock until the connection's next statement."""
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        project = uuid4()
        wallet, _ = vault.create_wallet(project, "ethereum")
        execute(sqlite_vault_url, "UPDATE strongroom_wallet SET label = CAST(x'ff' AS TEXT), kid = CAST(x'ff' AS TEXT)")
        verbs: dict[str, Callable[[], object]] = {
            "get": lambda: vault.get_wallet(wallet.id),
            "find": lambda: vault.find_wallet(project, "ethereum"),
            "list": lambda: vault.list_wallets(project),
            "sign": lambda: vault.sign_message(wallet.id, "hello"),
            "create": lambda: vault.create_wallet(project, "ethereum"),
        }
        with pytest.raises(strongroom.IdentityMismatchError):
            verbs[verb]()
        with closing(sqlite3.connect(sqlite_path(sqlite_vault_url), timeout=1)) as other, other:
            assert other.execute("DELETE FROM strongroom_wallet").rowcount == 1
