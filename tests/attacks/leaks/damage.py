"""Drives for root keys that do not open, wallets that do not prove, and databases that fail."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import psycopg
import sqlalchemy as sa

import strongroom
from strongroom import Secret, Vault, rootkeys
from strongroom.crypto import sealing
from strongroom.records.usage_log import Attribution
from strongroom.settings import Settings
from strongroom.store import schema
from strongroom.store.connection import database as databases
from strongroom.store.connection.session import Session
from strongroom.usecases.proof import identity_of
from strongroom.wiring import open_upgrade
from testbed.databases.foreign import add_project
from testbed.databases.rows import grant_on_all_tables, sqlite_path
from testbed.harness.remote_root_key import TOKEN, open_remote, remote_keys
from testbed.servers.proxy import Proxy, runs
from tests.attacks.leaks.bench import FILE, SERVER, Bench, Damaged, provokes
from tests.attacks.leaks.verbs import WHO, new_root_key

# --- root keys -----------------------------------------------------------------------------------------------


def a_root_key(bench: Bench, text: str, mode: int = 0o600) -> str:
    """The URI of a file with this text."""
    file = bench.scene.folder / f"root_{uuid4().hex[:8]}.key"
    file.write_text(text)
    file.chmod(mode)
    return f"file:{file}"


@provokes("root-key-error")
def no_folder_for_a_root_key(bench: Bench) -> object:
    return strongroom.init(bench.empty(), root_key=f"file:{bench.scene.folder}/none/root.key")


@provokes("root-key-missing")
def no_root_key(bench: Bench) -> object:
    return bench.open(bench.scene.url, root_key=f"file:{bench.scene.folder}/none.key")


@provokes("root-key-malformed")
def a_root_key_without_its_end(bench: Bench) -> object:
    return bench.open(bench.scene.url, root_key=a_root_key(bench, new_root_key(bench.watch)[:-1]))


@provokes("root-key-insecure")
def a_root_key_for_all(bench: Bench) -> object:
    return bench.open(bench.scene.url, root_key=a_root_key(bench, new_root_key(bench.watch), 0o644))


@provokes("root-key-exists")
def a_root_key_twice(bench: Bench) -> None:
    bench.vault.add_root_key(bench.root_key, **WHO)


@provokes("root-key-mismatch")
def another_root_key(bench: Bench) -> object:
    return bench.open(bench.scene.url, root_key=a_root_key(bench, new_root_key(bench.watch)))


@provokes("root-key-mismatch")
def another_passphrase(bench: Bench) -> object:
    file = bench.scene.folder / "passphrase"
    file.write_text(bench.watch.password())
    file.chmod(0o600)
    return bench.open(bench.scene.url, root_key=f"passphrase:file:{file}")


def a_service_that(bench: Bench, behaves: str) -> object:
    """Open a vault whose root key a service keeps, which then behaves so; its token is a secret, too."""
    token = bench.watch.password()
    with (
        remote_keys() as keys,
        mock.patch.dict(rootkeys.PROVIDERS, remote=open_remote),
        mock.patch.dict(os.environ, {TOKEN: token}),
    ):
        keys.token = token
        url = bench.empty()
        strongroom.init(url, root_key=keys.uri()).close()
        keys.mode = behaves
        return bench.open(url, root_key=keys.uri())


@provokes("root-key-denied")
def a_service_that_denies(bench: Bench) -> object:
    return a_service_that(bench, "denies")


@provokes("root-key-unavailable")
def a_service_that_is_busy(bench: Bench) -> object:
    return a_service_that(bench, "is busy")


@provokes("keyring-missing")
def no_keyring(bench: Bench) -> object:
    damaged = bench.damaged
    for table in ("strongroom_keyring", "strongroom_keyring_wrap"):
        rename(damaged, table)
        new = table if bench.server is None else f"strongroom.{table}"
        empty = f"CREATE TABLE {new} AS SELECT * FROM {table}_aside WHERE 1 = 0"
        damaged.change(empty, healed_by=f"DROP TABLE {new}")
    return damaged.open()


@provokes("keyring-corrupt")
def a_damaged_wrap(bench: Bench) -> object:
    damaged = bench.damaged
    (wrapped,) = damaged.execute("SELECT wrapped FROM strongroom_keyring_wrap")[0]
    damaged.put("strongroom_keyring_wrap", "wrapped", wrapped[:-6] + "AAAAAA")
    return damaged.open()


@provokes("last-root-key")
def the_last_root_key(bench: Bench) -> None:
    bench.vault.remove_root_key(bench.root_key, **WHO)


# --- wallets that do not prove -------------------------------------------------------------------------------

RECORD, TEXT = "credential_vault_storage", "encrypted_private_key"


@provokes("unknown-sealing-key")
def a_sealing_key_of_nobody(bench: Bench) -> object:
    damaged, vault = bench.damaged, bench.damaged.open()
    damaged.put(RECORD, TEXT, "eyJraWQiOiJBQUFBQUFBQUFBQUFBQUFBQUFBQUFB" + damaged.text()[40:])
    return vault.reveal(damaged.wallet, **WHO)


@provokes("key-missing")
def a_placeholder(bench: Bench) -> object:
    damaged = bench.damaged
    damaged.put(RECORD, TEXT, "MIGRATION_REQUIRED")
    return bring(damaged.open(), bench, project=damaged.wallet.project_id)


@provokes("identity-mismatch")
def a_key_in_plaintext(bench: Bench) -> object:
    """In tables of ours nobody else writes one."""
    bench.damaged.put(RECORD, TEXT, bench.key())
    return bench.damaged.open().reveal(bench.damaged.wallet, **WHO)


@provokes("wallet-unproved", SERVER)
def a_key_in_plaintext_that_is_not_accepted(bench: Bench) -> object:
    """The legacy application's, and the settings say that nothing unproved is returned."""
    bench.legacy.put(RECORD, TEXT, bench.key())
    return bench.legacy.open(accept_foreign=False).get_wallet(bench.legacy.wallet)


@provokes("not-sealed", SERVER)
def a_key_in_plaintext_of_a_legacy_table(bench: Bench) -> object:
    """It is read, and shown to nobody."""
    damaged = bench.legacy
    damaged.put(RECORD, TEXT, bench.key())
    vault = damaged.open()
    results = [vault.get_wallet(damaged.wallet), vault.history(damaged.wallet).entries, vault.status(), *vault.verify()]
    bench.watch.result(results, "not-sealed")
    return vault.reveal(damaged.wallet, **WHO)


@provokes("sealed-text-corrupt")
def a_changed_text(bench: Bench) -> object:
    bench.damaged.put(RECORD, TEXT, bench.damaged.text()[:-6] + "AAAAAA")
    return bench.damaged.open().reveal(bench.damaged.wallet, **WHO)


@provokes("identity-mismatch")
def a_changed_row(bench: Bench) -> object:
    bench.damaged.put("project_credentials", "wallet_address", bench.damaged.wallet.address.lower())
    return bench.damaged.open().reveal(bench.damaged.wallet.id, **WHO)


@provokes("identity-mismatch")
def another_public_key(bench: Bench) -> object:
    bench.damaged.put("project_credentials", "public_key", "02")
    return bench.damaged.open().reveal(bench.damaged.wallet.id, **WHO)


@provokes("derivation-mismatch")
def another_key_in_the_text(bench: Bench) -> object:
    """Only who has the keyring can seal one."""
    damaged, vault = bench.damaged, bench.damaged.open()
    keys, identity = vault._context.keyring, identity_of(damaged.wallet)
    wrong = replace(sealing.open_sealed(damaged.text(), identity, keys), private_key=Secret(bench.watch.key()))
    damaged.put(RECORD, TEXT, sealing.seal(wrong, identity, keys.active_kid, keys))
    return vault.reveal(damaged.wallet.id, **WHO)


@provokes("phrase-mismatch")
def another_phrase(bench: Bench) -> object:
    damaged, vault = bench.damaged, bench.damaged.open()
    keys, identity = vault._context.keyring, identity_of(damaged.wallet)
    material = sealing.open_sealed(damaged.text(), identity, keys)
    wrong = replace(material, mnemonic=Secret.from_text(bench.watch.phrase()))
    damaged.put(RECORD, TEXT, sealing.seal(wrong, identity, keys.active_kid, keys))
    (result,) = vault.verify(damaged.wallet, phrases=True)
    bench.watch.result(result, "phrase-mismatch")
    assert result.error is not None
    raise result.error


# --- databases that fail -------------------------------------------------------------------------------------


def rename(damaged: Damaged, table: str) -> None:
    """Put a table aside."""
    aside = f"{table}_aside"
    damaged.change(f"ALTER TABLE {table} RENAME TO {aside}", healed_by=f"ALTER TABLE {aside} RENAME TO {table}")


def through_a_proxy(bench: Bench) -> tuple[Vault, Proxy]:
    """A vault whose connections can be cut."""
    proxy = bench.proxy()
    return bench.open(proxy.url(bench.damaged.url.partition("?")[0].rpartition("/")[2])), proxy


def bring(vault: Vault, bench: Bench, **how: Any) -> object:
    """Import a key into a vault."""
    return vault.import_wallet(how.pop("project", uuid4()), "ethereum", private_key=bench.key(), **how)


@provokes("not-initialized")
def a_table_that_went(bench: Bench) -> object:
    damaged, vault = bench.damaged, bench.damaged.open()
    rename(damaged, "credential_usage_logs")
    return bring(vault, bench)


@provokes("tables-missing")
def a_table_that_was_dropped(bench: Bench) -> object:
    rename(bench.damaged, "credential_usage_logs")
    return bench.damaged.open()


@provokes("schema-not-named", SERVER)
def a_schema_without_the_vault(bench: Bench) -> object:
    return bench.open(bench.damaged.url, schema="elsewhere")


@provokes("schema-refused", SERVER)
def a_role_that_may_not_use_the_schema(bench: Bench) -> object:
    damaged, name = bench.damaged, f"app_{uuid4().hex[:8]}"
    damaged.change(f"CREATE ROLE {name} LOGIN", healed_by=f"DROP ROLE {name}")
    return bench.open(damaged.url.replace("postgres@", f"{name}@", 1))


@provokes("schema-refused", FILE)
def a_schema_in_a_file(bench: Bench) -> object:
    return open_upgrade(
        Settings(database=bench.damaged.url, root_key=bench.root_key), Attribution(), move_to="elsewhere"
    )


@provokes("foreign-schema")
def tables_of_others(bench: Bench) -> object:
    for table in (schema.VERSION_TABLE, *(name for name in schema.TABLES if name.startswith("strongroom_"))):
        rename(bench.damaged, table)
    return strongroom.init(bench.damaged.url, root_key=bench.root_key)


@provokes("schema-version")
def another_version(bench: Bench) -> object:
    bench.damaged.put("strongroom_migrations", "version_num", "9999")
    return bench.damaged.open()


@provokes("upgrade-needed")
def an_older_version(bench: Bench) -> object:
    bench.damaged.put("strongroom_migrations", "version_num", "0002")
    return bench.damaged.open()


@provokes("store-unavailable", FILE)
def no_free_connection(bench: Bench) -> object:
    vault = bench.damaged.open(pool_size=1)
    engine: Any = vault._context.store.context.database.engine  # type: ignore[attr-defined]
    engine.pool._timeout = 0.01
    with closing(engine.raw_connection()):
        return bring(vault, bench)


@provokes("store-unavailable", SERVER)
def no_server(bench: Bench) -> object:
    vault, proxy = through_a_proxy(bench)
    proxy.cut_all(stay_down=True)
    return bring(vault, bench)


@provokes("outcome-unknown", SERVER)
def a_lost_answer(bench: Bench) -> object:
    vault, proxy = through_a_proxy(bench)
    proxy.arm(runs("INSERT INTO project_credentials"), "after", stay_down=True)
    return bring(vault, bench)


@provokes("outcome-unknown", FILE)
def a_disk_that_went(bench: Bench) -> object:
    """After the commit nothing can be read any more."""
    vault = bench.damaged.open()
    control, gone = Session.control, sqlite3.OperationalError("disk I/O error")
    gone.sqlite_errorcode = sqlite3.SQLITE_IOERR

    def failing(session: Session, sql: str) -> None:
        control(session, sql)
        if sql == "COMMIT":
            engine = vault._context.store.context.database.engine  # type: ignore[attr-defined]
            bench.healing.enter_context(mock.patch.object(engine, "raw_connection", side_effect=gone))
            raise gone

    with mock.patch.object(Session, "control", failing):
        return bring(vault, bench)


@provokes("disk-full", FILE)
def no_space(bench: Bench) -> object:
    vault = bench.damaged.open(pool_size=1)
    engine: Any = vault._context.store.context.database.engine  # type: ignore[attr-defined]
    with closing(engine.raw_connection()) as connection:
        connection.execute("PRAGMA max_page_count = 1")
    return [bring(vault, bench) for _ in range(20)]


@provokes("disk-failed", FILE)
def a_disk_that_fails(bench: Bench) -> object:
    vault, failed = bench.damaged.open(), sqlite3.OperationalError("disk I/O error")
    failed.sqlite_errorcode = sqlite3.SQLITE_IOERR
    with mock.patch.object(Session, "control", side_effect=failed):
        return bring(vault, bench)


@provokes("read-only", SERVER)
def a_server_that_takes_no_writes(bench: Bench) -> object:
    return bring(bench.open(f"{bench.damaged.url}&options=-c%20default_transaction_read_only%3Don"), bench)


@provokes("read-only-transaction", SERVER)
def a_callers_transaction_that_takes_no_writes(bench: Bench) -> object:
    engine = strongroom.create_engine(bench.scene.url).execution_options(postgresql_readonly=True)
    bench.healing.callback(engine.dispose)
    with engine.connect() as connection:
        return bring(bench.vault, bench, connection=connection)


@provokes("vault-closed")
def a_vault_that_was_closed(bench: Bench) -> object:
    vault = bench.damaged.open()
    vault.close()
    return bring(vault, bench)


@provokes("insecure-connection", frames=False)
def a_server_elsewhere_without_tls(bench: Bench) -> object:
    return strongroom.create_engine(f"postgresql://app:{bench.watch.password()}@db.example/x")


@provokes("retry-transaction")
def a_transaction_that_ended(bench: Bench) -> object:
    engine = strongroom.create_engine(bench.scene.url)
    bench.healing.callback(engine.dispose)
    with engine.connect() as connection, connection.begin() as transaction:
        transaction.rollback()
        return bring(bench.vault, bench, connection=connection)


@provokes("failed-transaction", SERVER)
def a_transaction_that_failed_before(bench: Bench) -> object:
    engine = strongroom.create_engine(bench.scene.url)
    bench.healing.callback(engine.dispose)
    with engine.connect() as connection:
        with suppress(sa.exc.DBAPIError):
            connection.exec_driver_sql("SELECT 1 / 0")
        return bring(bench.vault, bench, connection=connection)


@provokes("contention", FILE)
def a_writer_that_stays(bench: Bench) -> object:
    vault = bench.damaged.open(busy_timeout_seconds=1)
    with closing(sqlite3.connect(sqlite_path(bench.damaged.url), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with mock.patch.object(databases, "ATTEMPTS", 1):
            return bring(vault, bench)


@provokes("contention", SERVER)
def a_lock_that_stays(bench: Bench) -> object:
    vault = bench.open(f"{bench.damaged.url}&options=-c%20lock_timeout%3D20ms")
    with psycopg.connect(bench.damaged.url) as other:
        other.execute("LOCK TABLE strongroom_slot IN EXCLUSIVE MODE")
        return bring(vault, bench)


@provokes("store-refused")
def a_live_row_without_a_slot(bench: Bench) -> object:
    vault, project = bench.damaged.open(), uuid4()
    bring(vault, bench, project=project)
    bench.damaged.execute("DELETE FROM strongroom_slot WHERE project_id = ?", str(project))
    return bring(vault, bench, project=project)


@provokes("referenced-row-missing", SERVER)
def a_project_that_is_gone(bench: Bench) -> object:
    return bring(bench.legacy.open(), bench, project=uuid4())


@provokes("check-refuses", SERVER)
def a_check_of_others(bench: Bench) -> object:
    bench.legacy.change(
        "ALTER TABLE credential_vault_storage ADD CONSTRAINT c CHECK (length(encrypted_private_key) < 100) NOT VALID",
        healed_by="ALTER TABLE credential_vault_storage DROP CONSTRAINT c",
    )
    return bring(bench.legacy.open(), bench, project=add_project(bench.legacy.url))


@provokes("column-too-short", SERVER)
def a_short_column(bench: Bench) -> object:
    change = "ALTER TABLE project_credentials ALTER credential_type TYPE varchar"
    bench.legacy.change(f"{change}(20)", healed_by=change)
    return bring(bench.legacy.open(), bench, project=add_project(bench.legacy.url), label="longer-than-that")


@provokes("trigger-conflict", SERVER)
def a_trigger_that_raises(bench: Bench) -> object:
    """It raises with the whole row in its message."""
    bench.legacy.change(
        "CREATE FUNCTION well_meant() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION USING MESSAGE = 'no: ' || NEW; END $$",
        healed_by="DROP FUNCTION well_meant CASCADE",
    )
    bench.legacy.execute(
        "CREATE TRIGGER well_meant AFTER INSERT ON credential_vault_storage FOR EACH ROW EXECUTE FUNCTION well_meant()"
    )
    return bring(bench.legacy.open(), bench, project=add_project(bench.legacy.url))


@provokes("not-durable", SERVER)
def an_unlogged_table(bench: Bench) -> object:
    change = "ALTER TABLE strongroom_events SET"
    bench.damaged.change(f"{change} UNLOGGED", healed_by=f"{change} LOGGED")
    return bench.damaged.open()


@provokes("rows-hidden", SERVER)
def a_role_that_sees_nothing(bench: Bench) -> object:
    damaged, name = bench.damaged, f"app_{uuid4().hex[:8]}"
    damaged.change(f"CREATE ROLE {name} LOGIN", healed_by=f"DROP ROLE {name}")
    damaged.change(grant_on_all_tables("ALL", name), healed_by=f"DROP OWNED BY {name}")
    return bench.open(damaged.url.replace("postgres@", f"{name}@", 1))


@provokes("insecure-file", FILE)
def a_file_for_all(bench: Bench) -> object:
    file = sqlite_path(bench.damaged.url)
    file.chmod(0o644)
    bench.healing.callback(file.chmod, 0o600)
    return bench.damaged.open()


@provokes("insecure-file", frames=False)
def a_settings_file_for_all(bench: Bench) -> object:
    file = Path(bench.scene.folder) / f"{uuid4().hex[:8]}.toml"
    file.write_text(f'database = "postgresql://app:{bench.watch.password()}@localhost/x"\n')
    file.chmod(0o644)
    return Settings.load(config=file)
