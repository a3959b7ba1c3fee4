"""Drives for root keys that do not open, wallets that do not prove, and databases that fail."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import psycopg

import strongroom
from strongroom import Secret, Vault, sealing
from strongroom.store import database as databases
from strongroom.usecases.proof import identity_of
from tests.attacks.leak_bench import FILE, SERVER, Bench, Damaged, provokes
from tests.attacks.leak_verbs import WHO, new_root_key
from tests.integration.foreign import add_project, run_script
from tests.integration.rows import sqlite_path
from tests.servers.proxy import runs

TEXT = "UPDATE credential_vault_storage SET encrypted_private_key = ?"

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
def a_root_key_twice(bench: Bench) -> object:
    return bench.vault.add_root_key(bench.root_key, **WHO)


@provokes("root-key-mismatch")
def another_root_key(bench: Bench) -> object:
    return bench.open(bench.scene.url, root_key=a_root_key(bench, new_root_key(bench.watch)))


@provokes("root-key-mismatch")
def another_passphrase(bench: Bench) -> object:
    file = bench.scene.folder / "passphrase"
    file.write_text(bench.watch.password())
    file.chmod(0o600)
    return bench.open(bench.scene.url, root_key=f"passphrase:file:{file}")


@provokes("keyring-missing")
def no_keyring(bench: Bench) -> object:
    damaged = bench.fresh()
    for table in ("strongroom_keyring_wrap", "strongroom_keyring"):
        damaged.execute(f"DELETE FROM {table}")
    return damaged.open()


@provokes("keyring-corrupt")
def a_damaged_wrap(bench: Bench) -> object:
    damaged = bench.fresh()
    (wrapped,) = damaged.execute("SELECT wrapped FROM strongroom_keyring_wrap")[0]
    damaged.execute("UPDATE strongroom_keyring_wrap SET wrapped = ?", wrapped[:-6] + "AAAAAA")
    return damaged.open()


@provokes("last-root-key")
def the_last_root_key(bench: Bench) -> object:
    return bench.vault.remove_root_key(bench.root_key, **WHO)


@provokes("unknown-sealing-key")
def a_sealing_key_of_nobody(bench: Bench) -> object:
    damaged = bench.fresh()
    vault = damaged.open()
    damaged.execute(TEXT, "eyJraWQiOiJBQUFBQUFBQUFBQUFBQUFBQUFBQUFB" + text_of(damaged)[40:])
    return vault.reveal(damaged.wallet, **WHO)


# --- wallets that do not prove -------------------------------------------------------------------------------


def text_of(damaged: Damaged) -> str:
    return str(damaged.execute("SELECT encrypted_private_key FROM credential_vault_storage")[0][0])


@provokes("key-missing")
def no_vault_record(bench: Bench) -> object:
    damaged = bench.fresh()
    damaged.execute("DELETE FROM credential_vault_storage")
    return damaged.open().import_wallet(damaged.wallet.project_id, "ethereum", private_key=bench.key())


@provokes("not-sealed")
def a_key_in_clear(bench: Bench) -> object:
    """Other code's: it is read, and shown to nobody."""
    damaged = bench.fresh(logged=False)
    damaged.execute(TEXT, bench.key())
    bench.log_statements(damaged.url)
    vault = damaged.open()
    bench.watch.result([vault.get_wallet(damaged.wallet), vault.history(damaged.wallet), vault.status()], "not-sealed")
    return vault.reveal(damaged.wallet, **WHO)


@provokes("sealed-text-corrupt")
def a_changed_text(bench: Bench) -> object:
    damaged = bench.fresh()
    damaged.execute(TEXT, text_of(damaged)[:-6] + "AAAAAA")
    return damaged.open().reveal(damaged.wallet, **WHO)


@provokes("identity-mismatch")
def a_changed_row(bench: Bench) -> object:
    damaged = bench.fresh()
    damaged.execute("UPDATE project_credentials SET wallet_address = lower(wallet_address)")
    return damaged.open().reveal(damaged.wallet.id, **WHO)


@provokes("derivation-mismatch")
def another_public_key(bench: Bench) -> object:
    damaged = bench.fresh()
    damaged.execute("UPDATE project_credentials SET public_key = '02'")
    return damaged.open().reveal(damaged.wallet.id, **WHO)


@provokes("phrase-mismatch")
def another_phrase(bench: Bench) -> object:
    damaged = bench.fresh()
    vault = damaged.open()
    wallet = vault.import_wallet(uuid4(), "ethereum", mnemonic=bench.watch.phrase()).wallet
    (text,) = damaged.execute(
        "SELECT encrypted_private_key FROM credential_vault_storage WHERE credential_id = ?", str(wallet.id)
    )[0]
    keys, identity = vault._parts.keyring, identity_of(wallet)
    material = sealing.open_sealed(text, identity, keys)
    wrong = replace(material, mnemonic=Secret.from_text(bench.watch.phrase()))
    changed = sealing.seal(wrong, identity, keys.active_kid, keys)
    damaged.execute(f"{TEXT} WHERE credential_id = ?", changed, str(wallet.id))
    (result,) = vault.verify(wallet, phrases=True)
    bench.watch.result(result, "phrase-mismatch")
    assert result.error is not None
    raise result.error


# --- databases that fail -------------------------------------------------------------------------------------


def bring(vault: Vault, bench: Bench, **how: Any) -> object:
    """Import a key into a vault."""
    return vault.import_wallet(how.pop("project", uuid4()), "ethereum", private_key=bench.key(), **how)


@provokes("not-initialized")
def a_table_that_went(bench: Bench) -> object:
    damaged = bench.fresh()
    vault = damaged.open()
    damaged.execute("ALTER TABLE credential_usage_logs RENAME TO put_aside")
    return bring(vault, bench)


@provokes("foreign-schema")
def tables_of_others(bench: Bench) -> object:
    damaged = bench.fresh()
    damaged.execute("DROP TABLE strongroom_migrations")
    return strongroom.init(damaged.url, root_key=bench.root_key)


@provokes("schema-version")
def another_version(bench: Bench) -> object:
    damaged = bench.fresh()
    damaged.execute("UPDATE strongroom_migrations SET version_num = '9999'")
    return damaged.open()


@provokes("store-unavailable", FILE)
def no_free_connection(bench: Bench) -> object:
    vault = bench.fresh().open(pool_size=1)
    engine: Any = vault._parts.store.database.engine  # type: ignore[attr-defined]
    engine.pool._timeout = 0.01
    with closing(engine.raw_connection()):
        return bring(vault, bench)


@provokes("store-unavailable", SERVER)
def no_server(bench: Bench) -> object:
    damaged, proxy = bench.fresh(), bench.proxy()
    vault = bench.open(proxy.url(damaged.url.partition("?")[0].rpartition("/")[2]))
    proxy.cut_all(stay_down=True)
    return bring(vault, bench)


@provokes("outcome-unknown", SERVER)
def a_lost_answer(bench: Bench) -> object:
    damaged, proxy = bench.fresh(), bench.proxy()
    vault = bench.open(proxy.url(damaged.url.partition("?")[0].rpartition("/")[2]))
    proxy.arm(runs("INSERT INTO project_credentials"), "after", stay_down=True)
    return bring(vault, bench)


@provokes("outcome-unknown", FILE)
def a_disk_that_went(bench: Bench) -> object:
    """After the commit nothing can be read any more."""
    vault = bench.fresh().open()
    control, gone = databases.Session.control, sqlite3.OperationalError("disk I/O error")
    gone.sqlite_errorcode = sqlite3.SQLITE_IOERR  # type: ignore[misc]

    def failing(session: databases.Session, sql: str) -> None:
        control(session, sql)
        if sql == "COMMIT":
            engine = vault._parts.store.database.engine  # type: ignore[attr-defined]
            bench.stack.enter_context(mock.patch.object(engine, "raw_connection", side_effect=gone))
            raise gone

    with mock.patch.object(databases.Session, "control", failing):
        return bring(vault, bench)


@provokes("retry-transaction")
def a_transaction_that_ended(bench: Bench) -> object:
    engine = strongroom.create_engine(bench.scene.url)
    bench.stack.callback(engine.dispose)
    with engine.connect() as connection, connection.begin() as transaction:
        transaction.rollback()
        return bring(bench.vault, bench, connection=connection)


@provokes("contention")
def a_lock_that_stays(bench: Bench) -> object:
    damaged = bench.fresh()
    if bench.server is None:
        vault = damaged.open(busy_timeout_seconds=1)
        with closing(sqlite3.connect(sqlite_path(damaged.url), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with mock.patch.object(databases, "ATTEMPTS", 1):
                return bring(vault, bench)
    vault = damaged.open()
    damaged.execute(f"ALTER DATABASE {damaged.execute('SELECT current_database()')[0][0]} SET lock_timeout = '20ms'")
    vault = damaged.open()
    with psycopg.connect(damaged.url) as other:
        other.execute("LOCK TABLE strongroom_slot IN EXCLUSIVE MODE")
        return bring(vault, bench)


@provokes("store-refused")
def a_live_row_without_a_slot(bench: Bench) -> object:
    damaged = bench.fresh()
    damaged.execute("DELETE FROM strongroom_slot")
    return bring(damaged.open(), bench, project=damaged.wallet.project_id)


@provokes("check-refuses", SERVER)
def a_check_of_others(bench: Bench) -> object:
    damaged = bench.legacy("g4")
    check = "ADD CONSTRAINT short CHECK (length(encrypted_private_key) < 100) NOT VALID"
    run_script(damaged.url, f"ALTER TABLE credential_vault_storage {check}")
    return bring(damaged.open(), bench, project=add_project(damaged.url))


@provokes("column-too-short", SERVER)
def a_short_column(bench: Bench) -> object:
    damaged = bench.legacy("g4")
    run_script(damaged.url, "ALTER TABLE project_credentials ALTER credential_type TYPE varchar(20)")
    return bring(damaged.open(), bench, project=add_project(damaged.url), label="longer-than-that")


@provokes("trigger-conflict", SERVER)
def a_trigger_that_raises(bench: Bench) -> object:
    """It raises with the whole row in its message."""
    damaged = bench.legacy("g3")
    run_script(
        damaged.url,
        "CREATE FUNCTION well_meant() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'no: %', NEW; END $$;"
        "CREATE TRIGGER well_meant AFTER INSERT ON credential_vault_storage "
        "FOR EACH ROW EXECUTE FUNCTION well_meant();",
    )
    return bring(damaged.open(), bench, project=add_project(damaged.url))


@provokes("not-durable", SERVER)
def an_unlogged_table(bench: Bench) -> object:
    damaged = bench.fresh()
    damaged.execute("ALTER TABLE strongroom_events SET UNLOGGED")
    return damaged.open()


@provokes("rows-hidden", SERVER)
def a_role_that_sees_nothing(bench: Bench) -> object:
    damaged, name = bench.fresh(), f"app_{uuid4().hex[:8]}"
    for sql in (f"CREATE ROLE {name} LOGIN", f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}"):
        damaged.execute(sql)
    for sql in (f"DROP ROLE {name}", f"DROP OWNED BY {name}"):
        bench.stack.callback(damaged.execute, sql)
    return bench.open(damaged.url.replace("postgres@", f"{name}@", 1))


@provokes("insecure-file", FILE)
def a_file_for_all(bench: Bench) -> object:
    damaged = bench.fresh()
    sqlite_path(damaged.url).chmod(0o644)
    return damaged.open()


@provokes("insecure-file", frames=False)
def a_settings_file_for_all(bench: Bench) -> object:
    from strongroom.settings import Settings

    file = Path(bench.scene.folder) / f"{uuid4().hex[:8]}.toml"
    file.write_text(f'database = "postgresql://app:{bench.watch.password()}@localhost/x"\n')
    file.chmod(0o644)
    return Settings.load(config=file)
