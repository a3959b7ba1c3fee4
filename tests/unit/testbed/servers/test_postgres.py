"""The PostgreSQL of the tests is a real one, and goes when it is no longer needed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from testbed.servers.postgres import PostgresServer
from testbed.servers.programs import copy_programs, package_directory

_ROOT = Path(__file__).parents[4]


def test_it_commits_durably_and_allows_many_connections(postgres: PostgresServer, postgresql_url: str) -> None:
    with psycopg.connect(postgresql_url) as connection:
        for setting, value in (("fsync", "on"), ("synchronous_commit", "on"), ("max_connections", "300")):
            assert connection.execute(f"SHOW {setting}").fetchone() == (value,)
        assert connection.execute("SHOW server_version").fetchone() is not None
    assert postgres.socket_path.is_socket()


def test_a_database_is_cloned_from_a_template_with_settings_of_its_own(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.create_database("original"), autocommit=True) as connection:
        connection.execute("CREATE TABLE marker AS SELECT 42 AS answer")
    with psycopg.connect(postgres.create_database("clone", "original", log_statement="all")) as connection:
        assert connection.execute("SELECT answer, 'seen-in-the-log' FROM marker").fetchone() == (42, "seen-in-the-log")
    assert "seen-in-the-log" in postgres.read_log()
    postgres.drop_database("clone")
    postgres.drop_database("original")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres.url("clone"))


def test_what_was_committed_survives_kill_9_and_a_restart() -> None:
    with PostgresServer.start() as server:
        connection = psycopg.connect(server.url(), autocommit=True)
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        server.kill9()
        assert not server.running
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        connection.close()
        server.restart(log_statement="all")
        with psycopg.connect(server.url()) as again:
            assert again.execute("SELECT one FROM kept").fetchone() == (1,)
            assert again.execute("SHOW log_statement").fetchone() == ("all",)
    assert not server.directory.exists()


def test_programs_work_where_they_are_copied_to(tmp_path: Path) -> None:
    programs = copy_programs(package_directory(), tmp_path)
    for program in ("initdb", "postgres"):
        done = subprocess.run([programs / program, "--version"], capture_output=True, text=True, check=True)
        assert "(PostgreSQL) 18" in done.stdout


def test_it_ends_with_the_process_that_started_it_and_leaves_nothing_for_long() -> None:
    program = (
        "from testbed.servers.postgres import PostgresServer\n"
        "server = PostgresServer.start()\n"
        "print(server.pid, server.directory, flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        pid, directory = owner.stdout.readline().split()
        server = psutil.Process(int(pid))
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait(60)
    deadline = time.monotonic() + 20
    while server.is_running() and server.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the server outlived the process that started it"
        time.sleep(0.02)
    with PostgresServer.start():
        assert not Path(directory).exists()
