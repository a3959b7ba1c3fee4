"""The guard alongside concurrent writers, without rights of its own, and where the history cannot be written."""

from __future__ import annotations

import random
import time
from functools import partial
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from strongroom import Vault, Wallet
from strongroom.store.write_conditions import SCHEMA_VERSION
from testbed.concurrency import run_at_once
from testbed.databases.deployments import Deployment
from testbed.databases.foreign import FOREIGN_TEXT, add_credential, add_project, old_application
from testbed.databases.guards import EACH_MODE, FOREIGN, POSTGRESQL, SQLITE, install, put
from testbed.databases.legacy_application import kept
from testbed.databases.rows import execute
from testbed.waiting import join, wait_until_somebody_waits
from tests.integration.event_triggers import OFF

UPDATE = "UPDATE credential_vault_storage SET encrypted_private_key = %s WHERE credential_id = %s"
THREADS = 8
SECONDS = 3


def texts_kept(deployment: Deployment) -> set[str]:
    return {row[0] for row in deployment.execute("SELECT text FROM strongroom_vault_history")}


@FOREIGN
@EACH_MODE
def test_the_legacy_application_needs_no_new_rights(deployment: Deployment, wallet: Wallet, mode: str) -> None:
    put(deployment, wallet.id, FOREIGN_TEXT)
    install(deployment, mode)
    role = f"old_{uuid4().hex}"
    deployment.execute(f"CREATE ROLE {role} LOGIN")
    for table in ("projects", "project_credentials", "credential_vault_storage", "credential_usage_logs"):
        deployment.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON {table} TO {role}")
    deployment.execute(f"GRANT CREATE ON SCHEMA public TO {role}; GRANT USAGE ON SCHEMA strongroom TO {role}")
    url = deployment.url.replace("postgres@", f"{role}@")
    assert url != deployment.url
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT * FROM strongroom_vault_history")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT strongroom_guard_keep(NULL, NULL, '', '', '', '', '', '', '')")
            connection.execute("CREATE TABLE bait AS SELECT * FROM credential_vault_storage")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(
                    "CREATE TRIGGER t AFTER DELETE ON bait FOR EACH ROW EXECUTE FUNCTION strongroom_guard_record()"
                )
            # what a function of theirs, found first, could do
            connection.execute("CREATE FUNCTION public.left(text, int) RETURNS text LANGUAGE sql AS 'SELECT NULL'")
            connection.execute("SET search_path = public, pg_catalog")
            if mode == "refuse":
                with pytest.raises(psycopg.errors.RestrictViolation):
                    connection.execute(UPDATE, ["b", wallet.id])
                return
            connection.execute(UPDATE, ["b", wallet.id])
            connection.execute("DELETE FROM credential_usage_logs")
            connection.execute("DELETE FROM project_credentials WHERE id = %s", [wallet.id])
        assert [row[:2] for row in kept(deployment, wallet)][-2:] == [(FOREIGN_TEXT, "foreign"), ("b", "foreign")]
    finally:
        deployment.execute(f"DROP OWNED BY {role}")
        deployment.execute(f"DROP ROLE {role}")


@FOREIGN
def test_copy_overwrites_nothing(deployment: Deployment, wallet: Wallet) -> None:
    install(deployment)
    before = deployment.texts()
    with psycopg.connect(deployment.url) as connection, connection.cursor() as cursor:
        columns = "id, credential_id, vault_id, encrypted_private_key"
        row = cursor.execute(f"SELECT {columns} FROM credential_vault_storage".encode()).fetchone()
        assert row is not None
        with pytest.raises(psycopg.errors.UniqueViolation):
            with cursor.copy(f"COPY credential_vault_storage ({columns}) FROM STDIN") as copy:
                copy.write_row((*row[:3], "other"))
    assert deployment.texts() == before


@POSTGRESQL
def test_two_that_write_one_row_at_once_lose_neither_text(deployment: Deployment, wallet: Wallet) -> None:
    put(deployment, wallet.id, "a")
    install(deployment)
    with psycopg.connect(deployment.url) as first, psycopg.connect(deployment.url) as second:
        first.execute(UPDATE, ["b", wallet.id])
        waiting = Thread(target=second.execute, args=(UPDATE, ["c", wallet.id]))
        waiting.start()
        wait_until_somebody_waits(deployment.url)
        first.commit()
        join([waiting])
        second.commit()
    assert deployment.texts()[wallet.id] == "c"
    assert {"a", "b"} <= texts_kept(deployment)


@FOREIGN
def test_a_text_that_comes_while_its_project_is_deleted_is_kept(deployment: Deployment, wallet: Wallet) -> None:
    put(deployment, wallet.id, "a")
    install(deployment)
    deployment.execute("DELETE FROM credential_usage_logs")
    with psycopg.connect(deployment.url) as first, psycopg.connect(deployment.url) as second:
        first.execute(UPDATE, ["b", wallet.id])
        waiting = Thread(target=second.execute, args=("DELETE FROM projects WHERE id = %s", [wallet.project_id]))
        waiting.start()
        wait_until_somebody_waits(deployment.url)
        first.commit()
        join([waiting])
        second.commit()
    assert wallet.id not in deployment.texts()
    assert [row[0] for row in kept(deployment, wallet)][-2:] == ["a", "b"], "with the whole identity"


@POSTGRESQL
def test_truncate_is_refused_where_its_snapshot_would_not_show_every_row(
    deployment: Deployment, wallet: Wallet
) -> None:
    install(deployment)
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        with psycopg.connect(deployment.url) as connection:
            connection.execute(f"SET TRANSACTION ISOLATION LEVEL {level}".encode())
            connection.execute("SELECT 1")
            with pytest.raises(psycopg.errors.RestrictViolation, match="isolation level"):
                connection.execute("TRUNCATE credential_vault_storage")
            connection.rollback()


@POSTGRESQL
@pytest.mark.parametrize(
    "obstacle",
    [
        f"{OFF} DROP TABLE strongroom_vault_history",
        "CREATE RULE no AS ON INSERT TO strongroom_vault_history DO INSTEAD NOTHING",
        "ALTER TABLE strongroom_vault_history ADD CONSTRAINT no CHECK (reason NOT LIKE 'guard%%') NOT VALID",
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER no BEFORE INSERT ON strongroom_vault_history FOR EACH ROW EXECUTE FUNCTION no()",
    ],
)
def test_what_cannot_be_kept_is_not_written(deployment: Deployment, wallet: Wallet, obstacle: str) -> None:
    put(deployment, wallet.id, FOREIGN_TEXT)
    install(deployment)
    execute(deployment.url, obstacle)
    for statement in (
        "UPDATE credential_vault_storage SET encrypted_private_key = 'x'",
        "DELETE FROM credential_vault_storage",
        "TRUNCATE credential_vault_storage",
    ):
        with pytest.raises(psycopg.Error):
            deployment.execute(statement)
    assert deployment.texts() == {wallet.id: FOREIGN_TEXT}


@SQLITE
def test_an_outer_or_ignore_does_not_lose_what_the_history_refuses(deployment: Deployment, wallet: Wallet) -> None:
    install(deployment)
    text = deployment.texts()[wallet.id]
    deployment.execute("DROP TABLE strongroom_vault_history")
    deployment.execute(
        "CREATE TABLE strongroom_vault_history AS SELECT 1 AS id, 'x' AS text, '' AS credential_id LIMIT 0"
    )
    for column in ("project_id", "network", "label", "address", "public_key", "vault_id", "form", "reason"):
        deployment.execute(f"ALTER TABLE strongroom_vault_history ADD COLUMN {column} TEXT")
    deployment.execute("ALTER TABLE strongroom_vault_history ADD COLUMN created_at TEXT CHECK (created_at IS NULL)")
    for verb in ("UPDATE OR IGNORE", "UPDATE", "UPDATE OR REPLACE"):
        with pytest.raises(Exception, match=r"strongroom guard|CHECK"):
            deployment.execute(f"{verb} credential_vault_storage SET encrypted_private_key = 'x'")
    assert deployment.texts()[wallet.id] == text


@POSTGRESQL
def test_a_value_that_is_too_long_for_the_history_is_cut_and_the_key_kept(
    deployment: Deployment, vault_a: Vault
) -> None:
    wallet, _ = vault_a.create_wallet(deployment.project(), "solana")
    if not deployment.foreign:
        deployment.execute("ALTER TABLE project_credentials ALTER network TYPE text")
    deployment.execute("DELETE FROM strongroom_slot")
    deployment.execute("UPDATE project_credentials SET network = ?", "n" * 500)
    put(deployment, wallet.id, FOREIGN_TEXT)
    install(deployment)
    put(deployment, wallet.id, "x")
    sql = "SELECT network, label, address FROM strongroom_vault_history WHERE text = ?"
    assert deployment.execute(sql, FOREIGN_TEXT) == [("n" * 64, "default", wallet.address)]


@POSTGRESQL
def test_a_record_without_a_credential_is_kept_with_what_is_known(deployment: Deployment, wallet: Wallet) -> None:
    name = "credential_vault_storage_credential_id_fkey"
    deployment.execute(f"ALTER TABLE credential_vault_storage DROP CONSTRAINT {name}")
    deployment.execute("DELETE FROM credential_usage_logs")
    put(deployment, wallet.id, "a")
    deployment.execute("DELETE FROM project_credentials")
    install(deployment)
    put(deployment, wallet.id, "b")
    put(deployment, wallet.id, "")
    sql = "SELECT text, project_id, network, label FROM strongroom_vault_history WHERE reason = 'guard-update'"
    assert deployment.execute(f"{sql} ORDER BY created_at") == [
        (text, wallet.project_id, "solana", "hot") for text in ("a", "b")
    ]


@POSTGRESQL
def test_only_what_the_same_transaction_kept_passes_in_refuse_mode(deployment: Deployment, wallet: Wallet) -> None:
    put(deployment, wallet.id, FOREIGN_TEXT)
    install(deployment, "refuse")
    keep = f"""INSERT INTO strongroom_vault_history
              SELECT gen_random_uuid(), project_id, id, 'solana', 'hot', wallet_address, public_key, key_vault_id, %s,
                     'foreign', 'repair', now(), {SCHEMA_VERSION} FROM project_credentials WHERE id = %s"""
    with psycopg.connect(deployment.url) as connection:
        connection.execute(keep.encode(), [FOREIGN_TEXT, wallet.id])
        connection.commit()
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(UPDATE, ["b", wallet.id])
        connection.rollback()
        connection.execute("SAVEPOINT one")
        connection.execute(keep.encode(), [FOREIGN_TEXT, wallet.id])
        connection.execute("RELEASE one")
        connection.execute(UPDATE, ["b", wallet.id])
    assert deployment.texts()[wallet.id] == "b"


@pytest.mark.parametrize("deployment", ["g3"], indirect=True)
def test_every_text_that_was_ever_committed_is_in_the_row_or_in_the_history(
    deployment: Deployment, rng: random.Random
) -> None:
    """The legacy application's look-then-write, deletions of projects and TRUNCATE, from several threads."""
    install(deployment)
    projects = [add_project(deployment.url) for _ in range(4)]
    wallets = [
        add_credential(deployment.url, project, f"address {n}", is_active=False)
        for n, project in enumerate(projects * 3)
    ]
    committed: set[str] = set()
    end = time.monotonic() + SECONDS
    seeds = [rng.random() for _ in range(THREADS)]

    def old(number: int) -> None:
        own = random.Random(seeds[number])
        with psycopg.connect(deployment.url) as connection:
            while time.monotonic() < end:
                text = uuid4().hex
                try:
                    if own.random() < 0.05:
                        delete_and_make_again(connection, own)
                        connection.commit()
                        continue
                    old_application(connection, own.choice(wallets), text)
                    found = connection.execute(
                        "SELECT 1 FROM credential_vault_storage WHERE encrypted_private_key = %s", [text]
                    ).fetchone()
                    if own.random() < 0.1:
                        connection.rollback()
                        continue
                    connection.commit()
                    if found is not None:  # an UPDATE may have met a row that was gone by then
                        committed.add(text)
                except psycopg.Error:
                    connection.rollback()

    def delete_and_make_again(connection: psycopg.Connection[Any], own: random.Random) -> None:
        project: UUID = own.choice(projects)
        if own.random() < 0.2:
            connection.execute("TRUNCATE credential_vault_storage")
            return
        found = connection.execute("SELECT id, public_key FROM project_credentials WHERE project_id = %s", [project])
        rows = found.fetchall()
        connection.execute("DELETE FROM projects WHERE id = %s", [project])
        connection.execute("INSERT INTO projects (id, name) VALUES (%s, 'again')", [project])
        for credential, address in rows:
            connection.execute(
                "INSERT INTO project_credentials (id, project_id, wallet_address, public_key, key_vault_id, is_active) "
                "VALUES (%s, %s, %s, %s, %s, false)",
                [credential, project, address, address, f"vault_{credential}"],
            )

    run_at_once([partial(old, number) for number in range(THREADS)])
    rows = {row[0] for row in deployment.execute("SELECT encrypted_private_key FROM credential_vault_storage")}
    written = rows | texts_kept(deployment)
    assert len(committed) > 10 * THREADS
    assert committed - written == set()
