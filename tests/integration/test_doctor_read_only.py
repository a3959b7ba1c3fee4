"""Doctor changes nothing: not a row, not a counter, not a file; a role that may only SELECT is enough."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

import strongroom
from testbed.command_line import call
from testbed.databases.foreign import (
    add_project,
    add_wallet,
    address_of,
    catalogue,
    contents,
    run_script,
)
from testbed.databases.rows import execute, grant_on_all_tables, sqlite_path
from testbed.servers.postgres import PostgresServer
from testbed.servers.releases import MAJOR
from tests.integration.doctors import codes, document

pytestmark = pytest.mark.usefixtures("empty_directory")

KEY = "46" * 32
ADDRESS = address_of("ethereum", KEY)
WRITES = re.compile(
    r"\b(INSERT|UPDATE|DELETE|MERGE|TRUNCATE|CREATE|ALTER|DROP|GRANT|REVOKE|COMMENT|VACUUM|ANALYZE|REINDEX|LOCK|COPY|"
    r"NOTIFY|LISTEN|PREPARE|FOR\s+UPDATE|FOR\s+SHARE|nextval|setval|pg_advisory\w*)\b",
    re.IGNORECASE,
)


@pytest.fixture(params=["g1", "g2", "g4", "g4 initialised", "fresh"])
def damaged_url(request: pytest.FixtureRequest, make_legacy: Callable[..., str], root_key_uri: str) -> str:
    """A database with things to find."""
    if request.param == "fresh":
        url = str(request.getfixturevalue("postgresql_vault_url"))
    else:
        generation, _, initialised = request.param.partition(" ")
        url = make_legacy(generation, initialised=bool(initialised))
    if "initialised" in request.param or request.param == "fresh":
        with strongroom.open(url, root_key=root_key_uri) as vault:
            for _ in range(3):
                vault.create_wallet(add_project(url), "ethereum")
        execute(
            url,
            "UPDATE credential_vault_storage SET encrypted_private_key = '' WHERE id IN "
            "(SELECT id FROM credential_vault_storage LIMIT 1)",
        )
    elif request.param == "g1":
        project = add_project(url)
        execute(
            url,
            "INSERT INTO project_credentials (project_id, public_key, key_vault_id) VALUES (?, ?, '')",
            (project, ADDRESS),
        )
    else:
        for text in (KEY, "", None, "x"):
            add_wallet(url, ADDRESS, text)
    return url


def rows_and_places(url: str) -> dict[str, list[str]]:
    """Every row with the transaction that wrote it and the place where it stands."""
    return {
        name: [
            row[0]
            for row in execute(url, f"SELECT xmin || ' ' || xmax || ctid::text || t::text FROM {name} t ORDER BY 1")
        ]
        for name in contents(url)
    }


FLUSHED = "SELECT pg_stat_force_next_flush()" if MAJOR >= 15 else "SELECT pg_sleep(1)"
"""What counters need to be those of this moment: PostgreSQL 14 has them twice a second."""


def counters(url: str) -> list[tuple[object, ...]]:
    """What the server counted of writes, and of files."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FLUSHED)
        return connection.execute(
            """SELECT relname::text, n_tup_ins, n_tup_upd, n_tup_del, n_dead_tup, last_vacuum, last_analyze
                 FROM pg_stat_user_tables
               UNION ALL
               SELECT NULL, temp_files, temp_bytes, deadlocks, NULL, NULL, NULL
                 FROM pg_stat_database WHERE datname = current_database() ORDER BY 1"""
        ).fetchall()


def state(url: str) -> list[object]:
    relations = execute(url, "SELECT oid::bigint, relname::text, relfilenode::bigint FROM pg_class ORDER BY 1")
    with psycopg.connect(url, autocommit=True) as connection:
        written = connection.execute(
            "SELECT pg_current_wal_insert_lsn()::text, pg_current_xact_id_if_assigned()"
        ).fetchall()
    return [rows_and_places(url), catalogue(url), relations, counters(url), [row[1] for row in written]]


@pytest.mark.parametrize("with_root_key", [False, True])
def test_nothing_in_postgresql_is_changed(damaged_url: str, root_key_uri: str, with_root_key: bool) -> None:
    before = state(damaged_url)
    found = document(damaged_url, *(("--root-key", root_key_uri) if with_root_key else ()))
    assert found["findings"] or found["generation"] == "g1"
    assert state(damaged_url) == before


def transactions(sent: list[str]) -> tuple[list[str], list[list[str]]]:
    """What was sent outside of transactions, and the statements of each, from BEGIN to ROLLBACK."""
    outside, inside, is_open = list[str](), list[list[str]](), False
    for each in sent:
        if each.startswith("BEGIN"):
            assert not is_open
            inside.append([])
            is_open = True
        (inside[-1] if is_open else outside).append(each)
        is_open = is_open and each != "ROLLBACK"
    return outside, inside


@pytest.mark.one_server  # it reads the log of a server of its own
def test_only_selects_are_sent_in_a_read_only_transaction(
    postgres: PostgresServer, make_postgresql_vault: Callable[..., str], root_key_uri: str
) -> None:
    url = make_postgresql_vault(log_statement="all")
    with strongroom.open(url, root_key=root_key_uri) as vault:
        vault.create_wallet(uuid4(), "ethereum")
    already = len(postgres.read_log())
    assert call("doctor", "--database", url, "--root-key", root_key_uri, "--json").code in (0, 3)
    name = url.partition("?")[0].rpartition("/")[2]
    lines = postgres.read_log()[already:]
    sent = re.findall(
        rf"^.*?\] {name} LOG:  (?:statement|execute [^:]*): (.*(?:\n(?!\d{{4}}-).*)*)", lines, re.MULTILINE
    )
    assert len(sent) > 10
    outside, inside = transactions(sent)
    assert len(inside) == 2, "before and after the root key was called"
    assert {each.split()[0].upper() for each in outside} <= {"SELECT", "SET", "SHOW"}
    for statements in inside:
        assert statements[0].startswith("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        kinds = {each.split()[0].upper() for each in statements[1:]}
        assert kinds <= {"SELECT", "WITH", "DECLARE", "FETCH", "CLOSE", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET"}
    writing = [each for each in sent if WRITES.match(each.lstrip())]
    assert writing == []


@pytest.mark.thorough(sample=1)
def test_a_role_that_may_only_select_is_enough(damaged_url: str) -> None:
    role = f"reader_{uuid4().hex[:8]}"
    run_script(damaged_url, f"CREATE ROLE {role} LOGIN BYPASSRLS; {grant_on_all_tables('SELECT', role)}")
    try:
        as_owner = document(damaged_url)
        as_reader = document(damaged_url.replace("postgres@", f"{role}@"))
        assert as_reader["findings"] == as_owner["findings"]
        assert as_reader["summary"] == as_owner["summary"]
        run_script(damaged_url, f"ALTER ROLE {role} SET default_transaction_read_only = on")
        assert document(damaged_url.replace("postgres@", f"{role}@"))["findings"] == as_owner["findings"]
        run_script(damaged_url, f"ALTER ROLE {role} NOBYPASSRLS")
        subject = document(damaged_url.replace("postgres@", f"{role}@"))
        assert ("rls-hides-rows" in subject["summary"]) == (subject["findings"] != as_owner["findings"])
    finally:
        run_script(damaged_url, f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_role_that_may_not_read_is_told_so(make_legacy: Callable[..., str]) -> None:
    url = make_legacy("g3")
    role = f"nobody_{uuid4().hex[:8]}"
    run_script(url, f"CREATE ROLE {role} LOGIN")
    try:
        answer = call("doctor", "--database", url.replace("postgres@", f"{role}@"), "--json")
        assert (answer.code, answer.document["error"]["code"]) == (1, "privilege-missing")
        assert "lacks a privilege on the table project_credentials" in answer.document["error"]["message"]
    finally:
        run_script(url, f"DROP ROLE {role}")


def test_a_database_that_was_not_initialised_stays_so(make_legacy: Callable[..., str], root_key_uri: str) -> None:
    url = make_legacy("g4")
    before = contents(url)
    assert document(url, "--root-key", root_key_uri)["generation"] == "g4"
    assert contents(url) == before
    assert not any(name.startswith("strongroom") for name in before)


# --- SQLite --------------------------------------------------------------------------------------------------


def files(folder: Path) -> dict[str, tuple[str, int, int, int]]:
    """Every file of a folder: its content, mode, inode and the time when it was written."""
    return {
        each.name: (
            hashlib.sha256(each.read_bytes()).hexdigest(),
            stat.S_IMODE(each.stat().st_mode),
            each.stat().st_ino,
            each.stat().st_mtime_ns,
        )
        for each in sorted(folder.iterdir())
    }


@pytest.mark.parametrize("with_root_key", [False, True])
@pytest.mark.parametrize("is_open", [False, True])
def test_no_file_of_sqlite_is_changed_or_made(
    sqlite_vault_url: str, root_key_uri: str, with_root_key: bool, is_open: bool
) -> None:
    """Not while nobody has the database open, and not alongside a process that has."""
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        for _ in range(3):
            vault.create_wallet(uuid4(), "ethereum")
        execute(sqlite_vault_url, "UPDATE credential_vault_storage SET access_level = 'project_member'")
        execute(sqlite_vault_url, "UPDATE project_credentials SET vault_stored = 0")
        if not is_open:
            vault.close()
        folder = sqlite_path(sqlite_vault_url).parent
        before = files(folder)
        found = document(sqlite_vault_url, *(("--root-key", root_key_uri) if with_root_key else ()))
        assert codes(found)["stored-flag-wrong"] == 3
        after = files(folder)
        shared = f"{sqlite_path(sqlite_vault_url).name}-shm"
        if is_open:  # the index of the log, in shared memory: readers mark their place in it
            before.pop(shared, None)
            after.pop(shared, None)
        assert after == before


def test_a_file_and_a_folder_that_cannot_be_written_are_enough(sqlite_vault_url: str, root_key_uri: str) -> None:
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        vault.create_wallet(uuid4(), "ethereum")
    path = sqlite_path(sqlite_vault_url)
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        assert document(sqlite_vault_url)["credentials"] == 1
        assert document(sqlite_vault_url, "--root-key", root_key_uri)["findings"] == []
    finally:
        path.parent.chmod(0o700)


def test_no_settings_file_and_no_root_key_is_made(sqlite_vault_url: str, tmp_path: Path) -> None:
    before = sorted(os.listdir(tmp_path))
    assert document(sqlite_vault_url)["credentials"] == 0
    assert sorted(os.listdir(tmp_path)) == before
