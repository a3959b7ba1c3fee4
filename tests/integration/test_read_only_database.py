"""A connection on which nothing can be written, and which reads whatever is there."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

import strongroom
from strongroom.store import schema
from strongroom.store.catalog.profile import read_profile
from strongroom.store.connection.engine import ConnectionSettings
from strongroom.store.connection.read_only import ReadOnlyDatabase
from testbed.databases.rows import execute, sqlite_path
from testbed.servers.postgres import PostgresServer
from testbed.servers.proxy import Proxy


def opened(url: str, busy_timeout_seconds: int = 1) -> ReadOnlyDatabase:
    return ReadOnlyDatabase.open(
        url, ConnectionSettings(connect_timeout_seconds=5, busy_timeout_seconds=busy_timeout_seconds)
    )


def files(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO strongroom_keyring_head (id, version) VALUES (1, 7) RETURNING id",
        "UPDATE strongroom_keyring SET state = 'retired' RETURNING kid",
        "DELETE FROM strongroom_keyring_wrap RETURNING kid",
        "CREATE TABLE left_behind (id integer)",
        "DROP TABLE strongroom_events",
    ],
)
def test_nothing_can_be_written(vault_url: str, statement: str) -> None:
    with opened(vault_url) as database:
        before = database.read("SELECT count(*) FROM strongroom_keyring", {})
        with pytest.raises(strongroom.StoreRefusedError, match="read-only"), database.contained():
            database.read(statement, {})
        assert database.read("SELECT count(*) FROM strongroom_keyring", {}) == before
        assert read_profile(database).version == schema.HEAD


def test_what_was_read_is_one_moment_on_postgresql(postgresql_vault_url: str) -> None:
    query = "SELECT count(*) FROM strongroom_events"
    with opened(postgresql_vault_url) as database:
        before = database.read(query, {})
        execute(postgresql_vault_url, "DELETE FROM strongroom_events")
        assert database.read(query, {}) == before
        assert database.read("SELECT current_setting('row_security')", {}) == [("off",)]
    with opened(postgresql_vault_url) as database:
        assert database.read(query, {}) == [(0,)]


def test_streams_and_reads_interleave(vault_url: str) -> None:
    numbers = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n"
    with opened(vault_url) as database:
        named = "%(least)s" if not database.sqlite else ":least"
        one = database.stream(numbers, {}, page=100)
        two = database.stream(f"{numbers} WHERE i > {named}", {"least": 500}, page=7)
        for number, (left, right) in enumerate(zip(one, two, strict=False), 1):
            assert (left, right) == ((number,), (number + 500,))
            if number % 100 == 0:
                assert database.read("SELECT 1", {}) == [(1,)]
        assert number == 500
        assert len(list(one)) == 499  # zip took one more than it had a partner for
        assert list(database.stream("SELECT 1 WHERE 1 = 0", {})) == []


def test_a_stream_that_is_abandoned_disturbs_nothing(vault_url: str) -> None:
    with opened(vault_url) as database:
        abandoned = database.stream("SELECT 1 UNION ALL SELECT 2", {}, page=1)
        assert next(abandoned) == (1,)
        del abandoned
        kept = database.stream("SELECT 1 UNION ALL SELECT 2", {}, page=1)
        assert next(kept) == (1,)
    del kept
    database.close()
    with pytest.raises(strongroom.StoreRefusedError):
        database.read("SELECT 1", {})


def test_an_error_ends_what_is_contained_only(postgresql_vault_url: str) -> None:
    with opened(postgresql_vault_url) as database:
        stream = database.stream("SELECT * FROM generate_series(1, 1000)", {}, page=10)
        assert next(stream) == (1,)
        with pytest.raises(strongroom.StoreRefusedError, match="trigger"), database.contained():
            database.read("SELECT 1 / 0", {})
        assert len(list(stream)) == 999
        with pytest.raises(strongroom.NotInitializedError):
            database.read("SELECT * FROM nothing", {})
        with pytest.raises(strongroom.StoreError):
            database.read("SELECT 1", {})


def test_a_lost_connection_is_said(proxy: Proxy, postgres: PostgresServer) -> None:
    with opened(proxy.url("postgres")) as database:
        (pid,) = database.read("SELECT pg_backend_pid()", {})[0]
        execute(postgres.url(), "SELECT pg_terminate_backend(?)", (pid,))
        with pytest.raises(strongroom.StoreUnavailableError):
            database.read("SELECT 1", {})


def test_a_server_that_is_not_there_is_said(private_path: Path) -> None:
    with pytest.raises(strongroom.StoreUnavailableError):
        opened(f"postgresql://postgres@/none?host={private_path}")


@pytest.fixture
def reader(postgres: PostgresServer) -> Iterator[str]:
    name = f"reader_{uuid4().hex[:8]}"
    execute(postgres.url(), f"CREATE ROLE {name} LOGIN IN ROLE pg_read_all_data")
    yield name
    execute(postgres.url(), f"DROP ROLE {name}")


def test_a_role_that_may_only_read_is_enough(postgresql_vault_url: str, reader: str) -> None:
    with opened(postgresql_vault_url.replace("postgres@", f"{reader}@")) as database:
        profile = read_profile(database)
        assert profile.hidden == tuple(sorted(profile.tables))
        assert profile.version is None, "row-level security: not asked for"
        with pytest.raises(strongroom.StoreRefusedError, match="row-level security"), database.contained():
            database.read("SELECT * FROM strongroom_keyring", {})  # an error, not an empty answer


# --- text that is not text --------------------------------------------------------------------------------------


def test_text_that_is_not_utf_8_comes_through_on_sqlite(sqlite_vault_url: str) -> None:
    execute(
        sqlite_vault_url,
        "INSERT INTO strongroom_events VALUES ('1', CAST(x'41ff' AS TEXT), CAST(x'c328' AS TEXT), '')",
    )
    with opened(sqlite_vault_url) as database:
        found = database.read("SELECT event, details FROM strongroom_events WHERE id = :id", {"id": "1"})
        assert found == [("A\udcff", "\udcc3(")]
        assert list(database.stream("SELECT event FROM strongroom_events WHERE id = '1'", {})) == [("A\udcff",)]


def test_text_of_no_encoding_comes_through_on_postgresql(postgres: PostgresServer) -> None:
    name = "without_encoding"
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'SQL_ASCII'")
        connection.execute(made.format(sql.Identifier(name)))
    url = postgres.url(name)
    try:
        execute(
            url,
            r"""
            CREATE TABLE odd AS SELECT convert_from('\x41ff'::bytea, 'SQL_ASCII') AS a,
                   convert_from('\xc328'::bytea, 'SQL_ASCII')::varchar AS b, '\xff00'::bytea AS c,
                   '{"a": 1, "a": 2}'::json AS d, 'infinity'::timestamptz AS e, '4713-01-01 BC'::date AS f
            """,
        )
        with opened(url) as database:
            expected = ("A\udcff", "\udcc3(", b"\xff\x00", '{"a": 1, "a": 2}', "infinity", "4713-01-01 BC")
            assert database.read("SELECT * FROM odd", {}) == [expected]
            assert list(database.stream("SELECT * FROM odd", {})) == [expected]
            assert database.read("SELECT 1 WHERE 'A\udcff' = (SELECT a FROM odd)", {}) == [(1,)]
            assert read_profile(database).tables == frozenset()
    finally:
        postgres.drop_database(name)


@pytest.mark.parametrize("encoding", ["LATIN1", "WIN1252"])
def test_text_of_another_encoding_is_read_as_it_is_meant(postgres: PostgresServer, encoding: str) -> None:
    name = f"in_{encoding.lower()}"
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {}")
        connection.execute(made.format(sql.Identifier(name), sql.Literal(encoding)))
    try:
        execute(postgres.url(name), "CREATE TABLE odd AS SELECT 'Grüße' AS a")
        with opened(postgres.url(name)) as database:
            assert database.read("SELECT a FROM odd WHERE a = %(a)s", {"a": "Grüße"}) == [("Grüße",)]
    finally:
        postgres.drop_database(name)


# --- SQLite's files ---------------------------------------------------------------------------------------------


@pytest.fixture
def folder(sqlite_vault_url: str, private_path: Path) -> Path:
    assert sqlite_path(sqlite_vault_url).parent == private_path
    return private_path


@pytest.mark.parametrize("journal", ["delete", "truncate", "persist", "wal"])
def test_no_file_is_changed_or_left_behind(folder: Path, sqlite_vault_url: str, journal: str) -> None:
    connection = sqlite3.connect(sqlite_path(sqlite_vault_url))
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.execute("DELETE FROM strongroom_events")
    connection.commit()
    connection.close()
    before = files(folder)
    with opened(sqlite_vault_url) as database:
        read_profile(database)
        assert list(database.stream("SELECT count(*) FROM strongroom_events", {})) == [(0,)]
        assert files(folder) == before
    assert files(folder) == before


def test_what_is_written_meanwhile_alongside_a_log_is_read(sqlite_vault_url: str) -> None:
    path, count = sqlite_path(sqlite_vault_url), "SELECT count(*) FROM strongroom_events"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    connection.close()
    with opened(sqlite_vault_url) as database:
        (found,) = database.read(count, {})[0]
        assert found > 0
        writer = sqlite3.connect(path, isolation_level=None)
        writer.execute("DELETE FROM strongroom_events")
        assert database.read(count, {}) == [(0,)]
        writer.execute("INSERT INTO strongroom_events VALUES ('1', '', '', '')")
        assert database.read(count, {}) == [(1,)]
        writer.close()
        assert database.read(count, {}) == [(1,)]


def test_a_file_that_was_changed_under_a_stream_is_said(sqlite_vault_url: str) -> None:
    path = sqlite_path(sqlite_vault_url)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    for number in range(10):
        connection.execute("INSERT INTO strongroom_events VALUES (?, '', '', '')", (str(number),))
    connection.close()
    with opened(sqlite_vault_url) as database:
        stream = database.stream("SELECT id FROM strongroom_events", {}, page=1)
        next(stream)
        execute(sqlite_vault_url, "DELETE FROM strongroom_events")
        with pytest.raises(strongroom.StoreUnavailableError, match="changed"):
            list(stream)


def test_looking_at_a_file_gives_up_no_lock_of_this_process(sqlite_vault_url: str) -> None:
    """POSIX: closing any descriptor of a file drops the locks of all others."""
    path = sqlite_path(sqlite_vault_url)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with opened(sqlite_vault_url) as database:
        database.read("SELECT count(*) FROM strongroom_events", {})
    script = (
        "import sqlite3, sys\n"
        "other = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n"
        "other.execute('BEGIN IMMEDIATE')\n"
    )
    other = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=False)
    assert "database is locked" in other.stderr, "another process got the lock"
    writer.close()


def test_a_journal_that_was_cut_off_is_said_and_not_rolled_back(folder: Path, sqlite_vault_url: str) -> None:
    script = (
        "import os, sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('PRAGMA cache_size = 1')\n"
        "connection.execute('BEGIN')\n"
        "for number in range(2000):\n"
        "    connection.execute(\"INSERT INTO strongroom_events VALUES (?, '', ?, '')\", (number, 'x' * 200))\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", script, sqlite_path(sqlite_vault_url)], check=True)
    before = files(folder)
    assert "vault.db-journal" in before
    with pytest.raises(strongroom.StoreRefusedError, match="journal") as caught:
        opened(sqlite_vault_url)
    assert "strongroom status" in caught.value.hint
    assert files(folder) == before
    execute(sqlite_vault_url, "SELECT count(*) FROM strongroom_events")  # a writer rolls it back
    with opened(sqlite_vault_url) as database:
        assert database.read("SELECT count(*) FROM strongroom_events WHERE id = '1'", {}) == [(0,)]


def test_a_reader_waits_for_a_writer_and_holds_none_up(sqlite_vault_url: str) -> None:
    writer = sqlite3.connect(sqlite_path(sqlite_vault_url), isolation_level=None, check_same_thread=False)
    with opened(sqlite_vault_url, busy_timeout_seconds=5) as database:
        database.read("SELECT count(*) FROM strongroom_events", {})
        writer.execute("BEGIN EXCLUSIVE")
        threading.Timer(0.2, lambda: writer.execute("COMMIT")).start()
        database.read("SELECT count(*) FROM strongroom_events", {})
    with opened(sqlite_vault_url, busy_timeout_seconds=0) as database:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(strongroom.StoreUnavailableError, match="busy"):
            database.read("SELECT count(*) FROM strongroom_events", {})
        writer.execute("ROLLBACK")
    writer.close()


def test_a_file_that_is_missing_or_open_to_others_is_refused(folder: Path, sqlite_vault_url: str) -> None:
    with pytest.raises(strongroom.NotInitializedError):
        opened(f"sqlite:///{folder / 'none.db'}")
    assert not (folder / "none.db").exists()
    sqlite_path(sqlite_vault_url).chmod(0o644)
    with pytest.raises(strongroom.InsecureFileError):
        opened(sqlite_vault_url)


def test_what_is_not_a_database_is_said(folder: Path) -> None:
    path = folder / "text.db"
    path.write_text("not a database" * 1000)
    path.chmod(0o600)
    with pytest.raises(strongroom.StoreRefusedError):
        opened(f"sqlite:///{path}")
