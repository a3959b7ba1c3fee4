"""A primary with a standby: what doctor and status say of it, and which of the two is asked."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault
from testbed.databases.rows import execute, grant_on_all_tables
from testbed.servers.cluster import Cluster, make_vault
from testbed.servers.postgres import wait_until
from testbed.servers.proxy import Mode, Proxy, runs
from tests.integration.doctors import found, read

DATABASE = "fresh"
PGOUTPUT = ("-P", "pgoutput", "-o", "proto_version=1", "-o", "publication_names=none")
FINDING = ("standby-not-synchronous", None)
WATCHER = "watcher"
"""A role that reads every table, and is no monitor."""


@pytest.fixture(scope="module")
def cluster(root_key_uri: str) -> Iterator[Cluster]:
    """A primary with a vault and one standby, which is asynchronous at first."""
    with Cluster.start(wal_level="logical") as started:
        make_vault(started, DATABASE, root_key_uri)
        execute(started.primary.url(), f"CREATE ROLE {WATCHER} LOGIN BYPASSRLS IN ROLE pg_read_all_data")
        started.add_standby(synchronous=False)
        yield started


@pytest.fixture
def url(cluster: Cluster) -> str:
    """The primary's vault."""
    return cluster.primary.url(DATABASE)


@contextmanager
def required(cluster: Cluster, names: str) -> Iterator[None]:
    """Commits wait for these standbys meanwhile."""
    cluster.require(names)
    try:
        yield
    finally:
        cluster.require("")


@pytest.fixture(params=["postgres", WATCHER])
def seen(request: pytest.FixtureRequest, url: str) -> str:
    """The URL for doctor, as a superuser and as a role that is not shown how a standby replicates."""
    return url.replace("postgres@", f"{request.param}@")


def warnings(url: str, root_key: str) -> tuple[str, ...]:
    with strongroom.open(url, root_key=root_key) as vault:
        return about_standbys(vault)


def about_standbys(vault: Vault) -> tuple[str, ...]:
    """The warnings of ``status`` but for that of the role, which is a superuser."""
    return tuple(text for text in vault.status().store.warnings if "superuser" not in text)


@pytest.mark.thorough(sample=1)
def test_a_standby_that_no_commit_waits_for_is_found_by_any_role(seen: str) -> None:
    assert found(seen) == {FINDING}


def test_a_standby_that_commits_wait_for_is_nothing(cluster: Cluster, seen: str) -> None:
    with required(cluster, "*"):
        assert found(seen) == set()


def test_status_warns_while_it_is_so(cluster: Cluster, url: str, root_key_uri: str) -> None:
    with strongroom.open(url, root_key=root_key_uri) as vault:
        (warning,) = about_standbys(vault)
        assert warning.startswith("A standby follows this server, and no commit waits for one")
        with required(cluster, "*"):
            assert about_standbys(vault) == ()
        assert about_standbys(vault) == (warning,)


def test_a_role_whose_commits_wait_for_no_standby_is_told_so(cluster: Cluster, url: str, root_key_uri: str) -> None:
    with required(cluster, "*"):
        (warning,) = warnings(f"{url}&options=-csynchronous_commit%3Dlocal", root_key_uri)
        assert "synchronous_commit is local" in warning


def test_a_standby_says_nothing_of_others(cluster: Cluster) -> None:
    cluster.wait_for_replay()
    assert cluster.standby is not None
    assert found(cluster.standby.url(DATABASE)) == set()


def test_a_role_that_may_not_look_is_told_nothing(cluster: Cluster, url: str) -> None:
    watcher = url.replace("postgres@", f"{WATCHER}@")
    execute(url, "REVOKE SELECT ON pg_stat_replication FROM PUBLIC")
    execute(url, f"REVOKE pg_read_all_data FROM {WATCHER}")
    execute(url, grant_on_all_tables("SELECT", WATCHER))
    try:
        assert found(watcher) == set()
    finally:
        execute(url, "GRANT SELECT ON pg_stat_replication TO PUBLIC")
        execute(url, f"GRANT pg_read_all_data TO {WATCHER}")


@pytest.mark.parametrize(
    "command",
    [
        ("pg_recvlogical", "-d", DATABASE, "-S", "s", "--create-slot", "--start", "-f", "-", *PGOUTPUT),
        ("pg_receivewal", "-D", "."),
    ],
    ids=lambda command: command[0],
)
def test_what_receives_the_log_and_cannot_take_over_is_no_standby(
    cluster: Cluster, url: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    connected = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
    wait_until(lambda: execute(url, connected) == [(1,)], "the standby does not stream")
    program, *options = command
    with subprocess.Popen(
        [cluster.primary.program(program), "-h", cluster.primary.directory, "-U", "postgres", "--no-loop", *options],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
    ) as receiver:
        try:
            wait_until(lambda: execute(url, connected) == [(2,)], f"{program} does not connect")
            assert read(url).standbys.number == 1
        finally:
            receiver.terminate()


@pytest.mark.parametrize("mode", ["after", "in_flight"])
def test_an_outcome_that_got_lost_is_asked_for_on_the_primary(cluster: Cluster, root_key_uri: str, mode: Mode) -> None:
    """The standby comes first in the URL, confirms every commit, and shows none of them."""
    assert cluster.standby is not None
    standby = cluster.standby
    with psycopg.connect(standby.url(), autocommit=True) as connection, Proxy(cluster.primary.socket_path) as proxy:
        hosts = f"{standby.directory},127.0.0.1&port=5432,{proxy.port}"
        url = f"postgresql://postgres@/{DATABASE}?host={hosts}&sslmode=disable"
        connection.execute("SELECT pg_wal_replay_pause()")
        try:
            with required(cluster, "*"), strongroom.open(url, root_key=root_key_uri) as vault:
                trap = proxy.arm(runs(r"INSERT INTO strongroom_slot"), mode)
                wallet, created = vault.create_wallet(project := uuid4(), "ethereum")
                assert (trap.fired, created) == (True, True)
                assert vault.create_wallet(project, "ethereum") == (wallet, False)
            there = "SELECT count(*) FROM project_credentials WHERE id = ?"
            assert execute(standby.url(DATABASE), there, (str(wallet.id),)) == [(0,)], "it would have said: not there"
        finally:
            connection.execute("SELECT pg_wal_replay_resume()")
