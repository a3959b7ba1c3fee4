"""Vaults that older versions made, brought up to date and then distributed: with rows that their constraints refuse."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

import strongroom
from strongroom.store.migrations.distribution import DistributionStep, Distributor
from testbed.command_line import call
from testbed.databases.citus_functions import CHECKS, STATEMENT
from testbed.databases.older_versions import take_back
from testbed.processes.signing import transaction
from testbed.versions.earlier import EarlierVersion, unpacked
from tests.citus.conftest import CITUS_URL, drop_vault

IN_SCHEMA = f"{CITUS_URL}?options=-csearch_path%3Dstrongroom"
"""The same database for versions that knew no schema of their own."""
OLD_ROWS = (
    "SELECT (SELECT count(*) FROM strongroom.credential_usage_logs WHERE schema_version IS NULL), "
    "(SELECT count(*) FROM strongroom.strongroom_vault_history WHERE schema_version IS NULL)"
)
PLACED = (
    "SELECT logicalrelid::text, partmethod::text, repmodel::text, count(*) FROM pg_dist_partition "
    "JOIN pg_dist_shard USING (logicalrelid) GROUP BY 1, 2, 3 ORDER BY 1"
)
KEYS = (
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'strongroom'::regnamespace AND contype <> 'c' AND conname !~ '_[0-9]+$' "
    "AND conrelid::regclass::text !~ 'untagged' ORDER BY 1, 2"
)


def ask(sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(CITUS_URL) as connection:
        return connection.execute(sql.encode()).fetchall()


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked(tmp_path_factory.mktemp("last-version"))


@pytest.fixture
def made_by_the_last_version(packages: Path, root_key_uri: str) -> Iterator[str]:
    """A vault of version 0.1 with three wallets and a signature, upgraded."""
    drop_vault()
    with psycopg.connect(CITUS_URL, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA strongroom")
    with EarlierVersion(packages, IN_SCHEMA, root_key_uri, "init") as process:
        assert process.opened == {"ready": True}
        project = str(uuid4())
        for network in ("ethereum", "bitcoin"):
            wallet = process.made("create_wallet", project, network, idempotency_key=network)[0]
            process.made("sign_message", wallet["id"], "hello")
        process.made("replace_wallet", wallet["id"])
        process.made("rotate_sealing_key")
        process.made("rewrap")
    assert call("upgrade", "--database", CITUS_URL, "--root-key", root_key_uri).code == 0
    yield CITUS_URL
    drop_vault()


@pytest.fixture(params=["0001", "0002"])
def taken_back(request: pytest.FixtureRequest, citus_url: str, root_key_uri: str) -> str:
    """A vault as version 0.1 or 0.2 left it, upgraded."""
    with strongroom.open(citus_url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(uuid4(), "ethereum").wallet
        vault.sign_transaction(wallet, transaction(1, 10))
        vault.rotate_sealing_key()
        assert all(result.ok for result in vault.rewrap())
    take_back(IN_SCHEMA, request.param)
    assert call("upgrade", "--database", citus_url, "--root-key", root_key_uri).code == 0
    return citus_url


def assert_works(url: str, root_key_uri: str) -> None:
    """Every wallet is what it was, and goes on."""
    with strongroom.open(url, root_key=root_key_uri) as vault:
        assert all(result.ok for result in vault.verify(phrases=True))
        project = vault.list_projects().projects[0].id
        wallet = vault.find_wallet(project, "ethereum")
        assert wallet is not None
        assert wallet.proved
        assert vault.create_wallet(project, "ethereum") == (wallet, False)
        assert vault.sign_transaction(wallet, transaction(7, 10))
        assert vault.replace_wallet(wallet).created
        assert vault.history(wallet).entries
    assert call("doctor", "--database", url, "--root-key", root_key_uri).code == 0


def test_a_vault_of_the_last_version_is_distributed_with_the_constraints_that_it_had(
    made_by_the_last_version: str, root_key_uri: str
) -> None:
    before, old = ask(CHECKS), ask(OLD_ROWS)
    assert old[0][0] >= 4
    assert "credential_usage_logs_schema_version" in [name for _, name, _, validated, _ in before if not validated]
    assert call("distribute", "--apply", "--database", made_by_the_last_version).code == 0
    assert (ask(CHECKS), ask(OLD_ROWS)) == (before, old)
    with psycopg.connect(CITUS_URL) as connection, pytest.raises(psycopg.Error, match="check constraint"):
        connection.execute(  # rows that come now are held to them, on the nodes
            "INSERT INTO strongroom.strongroom_slot SELECT project_id, network, 'new', credential_id, version "
            "FROM strongroom.strongroom_slot LIMIT 1"
        )
    assert_works(made_by_the_last_version, root_key_uri)


def test_what_is_printed_can_be_run_a_statement_at_a_time(taken_back: str, root_key_uri: str) -> None:
    before, old = ask(CHECKS), ask(OLD_ROWS)
    printed = call("distribute", "--print", "--database", taken_back).out
    with psycopg.connect(taken_back, autocommit=True) as connection:
        for statement in STATEMENT.findall(printed):
            connection.execute(statement.encode())
    assert strongroom.open_takeover(taken_back).distribution_steps() == []
    assert (ask(CHECKS), ask(OLD_ROWS)) == (before, old)
    assert_works(taken_back, root_key_uri)


def test_what_ended_in_the_middle_before_constraints_were_taken_away_goes_on(
    taken_back: str, root_key_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ask(CHECKS)
    with monkeypatch.context() as patch:
        patch.setattr(Distributor, "_around", lambda _, table, about, sql: DistributionStep(table + about, (sql,)))
        with pytest.raises(strongroom.StoreRefusedError, match="before it are done, and stay"):
            strongroom.open_takeover(taken_back).distribute()
    assert call("distribute", "--apply", "--database", taken_back).code == 0
    assert ask(CHECKS) == before
    assert_works(taken_back, root_key_uri)


def test_each_step_can_be_the_last_one_of_a_run(taken_back: str, root_key_uri: str) -> None:
    before, old, runs = ask(CHECKS), ask(OLD_ROWS), 0

    def stop(_: Any) -> None:
        raise KeyboardInterrupt

    while strongroom.open_takeover(taken_back).distribution_steps() and runs < 100:
        with pytest.raises(KeyboardInterrupt):
            strongroom.open_takeover(taken_back).distribute(stop)
        assert ask(CHECKS) == before
        runs += 1
    assert 20 < runs < 100
    assert ask(OLD_ROWS) == old
    assert_works(taken_back, root_key_uri)


@pytest.mark.parametrize("taken_back", ["0002"], indirect=True)
def test_a_run_that_is_killed_at_any_moment_is_continued(taken_back: str, root_key_uri: str) -> None:
    before, old, killed = ask(CHECKS), ask(OLD_ROWS), 0
    command = [sys.executable, "-m", "strongroom", "distribute", "--apply", "--database", taken_back]
    while strongroom.open_takeover(taken_back).distribution_steps() and killed < 100:
        with subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ) as process:
            assert process.stderr is not None
            for _ in range(1 + killed % 5):
                process.stderr.readline()  # a step is done, or was refused: the run before still had its locks
            process.send_signal(signal.SIGKILL)
        killed += 1
        assert [row for row in ask(CHECKS) if row not in before] == []
    assert 5 < killed < 100
    assert (ask(CHECKS), ask(OLD_ROWS)) == (before, old)
    ends = ask(PLACED), ask(KEYS)
    assert_works(taken_back, root_key_uri)
    drop_vault()
    strongroom.init(taken_back, root_key=root_key_uri).close()
    assert call("distribute", "--apply", "--database", taken_back).code == 0
    assert (ask(PLACED), ask(KEYS)) == ends


def test_what_the_page_says_moves_the_rows_of_an_old_vault(taken_back: str, root_key_uri: str) -> None:
    page = (Path(strongroom.__file__).parents[2] / "docs" / "citus.md").read_text()
    drop, add = (
        block.replace("\n    ", "\n").strip().removesuffix(";")
        for block in page.split("<!-- old rows -->")[1].split("\n\n")
        if block.startswith("    SELECT format")
    )
    assert call("distribute", "--apply", "--database", taken_back).code == 0
    before = ask(CHECKS)
    shard = (
        "SELECT p.shardid, f.nodename, f.nodeport, t.nodename, t.nodeport FROM pg_dist_placement p "
        "JOIN pg_dist_node f ON f.groupid = p.groupid JOIN pg_dist_node t ON t.groupid NOT IN (0, p.groupid) "
        "WHERE p.shardid = (SELECT get_shard_id_for_distribution_column('strongroom.credential_usage_logs', project_id)"
        " FROM strongroom.credential_usage_logs WHERE schema_version IS NULL LIMIT 1) LIMIT 1"
    )
    ((shardid, *places),) = ask(shard)
    move = "SELECT citus_move_shard_placement(%s, %s, %s, %s, %s, 'block_writes')"
    with psycopg.connect(taken_back, autocommit=True) as connection:
        with pytest.raises(psycopg.Error, match="check constraint"):
            connection.execute(move, (shardid, *places))
        dropped, added = (connection.execute(sql.encode()).fetchall() for sql in (drop, add))
        for (sql,) in dropped:
            connection.execute(sql)
        connection.execute(move, (shardid, *places))
        for (sql,) in added:
            connection.execute(sql)
    assert ask(CHECKS) == before
    assert_works(taken_back, root_key_uri)
