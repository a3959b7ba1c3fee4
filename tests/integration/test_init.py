"""Promise 9: no root key, a wrong one, a keyring that does not fit: refused, and nothing changed."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Engine, event

import strongroom
from strongroom import Vault
from strongroom.rootkeys import local
from strongroom.store.catalog import profile
from strongroom.store.connection.database import CatalogueReader
from strongroom.store.keyring_store import SqlKeyringStore
from testbed.databases.older_versions import take_back, upgrade
from testbed.databases.rows import counts, execute, grant_on_all_tables, sqlite_path
from testbed.harness.fork_server import ForkServer
from testbed.processes import wallets

TABLES = (
    "project_credentials",
    "credential_vault_storage",
    "strongroom_slot",
    "strongroom_keyring",
    "strongroom_keyring_wrap",
    "strongroom_keyring_head",
    "strongroom_events",
)


def contents(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables that an init could change."""
    return {table: sorted(execute(url, f"SELECT * FROM {table}"), key=repr) for table in TABLES}


def assert_refused(
    url: str, root_key: str, error: type[strongroom.StrongroomError], verb: Callable[..., Any] = strongroom.open
) -> None:
    before = contents(url)
    with pytest.raises(error):
        verb(url, root_key=root_key)
    assert contents(url) == before


@pytest.fixture
def other_key(private_path: Path) -> str:
    """A root key that wraps nothing."""
    uri = f"file:{private_path / 'other.key'}"
    strongroom.init(f"sqlite:///{private_path / 'other.db'}", root_key=uri).close()
    return uri


@pytest.fixture
def filled_url(vault_url: str, root_key_uri: str) -> str:
    """An initialised vault with two wallets."""
    with strongroom.open(vault_url, root_key=root_key_uri) as vault:
        vault.create_wallets(uuid4(), ["ethereum", "solana"])
    return vault_url


def test_init_makes_schema_keyring_and_root_key_and_repeats(database_url: str, private_path: Path) -> None:
    uri = f"file:{private_path / 'root.key'}"
    with strongroom.init(database_url, root_key=uri) as vault:
        (key,) = vault.status().sealing_keys
        wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    text = (private_path / "root.key").read_bytes()
    before = contents(database_url)
    with strongroom.init(database_url, root_key=uri) as vault:
        assert [each.kid for each in vault.status().sealing_keys] == [key.kid]
        assert vault.get_wallet(wallet) == wallet
    assert contents(database_url) == before
    assert (private_path / "root.key").read_bytes() == text
    assert stat.S_IMODE((private_path / "root.key").stat().st_mode) == 0o600
    ((name, found),) = execute(database_url, "SELECT event, details FROM strongroom_events")
    details = found if isinstance(found, dict) else json.loads(found)
    assert (name, details["kid"]) == ("init", key.kid)


def test_the_sqlite_file_and_a_directory_that_init_makes_are_not_readable_by_others(private_path: Path) -> None:
    url = f"sqlite:///{private_path / 'deep' / 'vault.db'}"
    previous = os.umask(0)
    try:
        with strongroom.init(url, root_key=f"file:{private_path / 'root.key'}") as vault:
            vault.create_wallet(uuid4(), "ethereum")
    finally:
        os.umask(previous)
    for path in (private_path / "deep", *(private_path / "deep").iterdir(), private_path / "root.key"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_sqlite_file_that_others_can_read_is_refused(sqlite_vault_url: str, root_key_uri: str) -> None:
    sqlite_path(sqlite_vault_url).chmod(0o644)
    with pytest.raises(strongroom.InsecureFileError):
        strongroom.open(sqlite_vault_url, root_key=root_key_uri)


@pytest.mark.parametrize("callers", [2, 12])
def test_concurrent_inits_with_one_root_key_leave_one_keyring(
    fork_server: ForkServer, database_url: str, private_path: Path, callers: int
) -> None:
    fork_server.warm_up(wallets.warm_up)
    arguments = {"url": database_url, "root_key": f"file:{private_path / 'root.key'}"}
    printed = [report.printed[0] for report in fork_server.race(wallets.initialise, [arguments] * callers)]
    assert [line for line in printed if "error" in line] == []
    assert len({line["kid"] for line in printed}) == 1
    assert len(execute(database_url, "SELECT * FROM strongroom_keyring")) == 1
    assert len(execute(database_url, "SELECT * FROM strongroom_events")) == 1
    assert [path.name for path in private_path.iterdir() if path.suffix not in (".db", ".key")] == []


def test_concurrent_inits_with_different_root_keys_leave_one_keyring_and_one_refusal(
    fork_server: ForkServer, database_url: str, private_path: Path
) -> None:
    fork_server.warm_up(wallets.warm_up)
    arguments = [{"url": database_url, "root_key": f"file:{private_path / name}"} for name in ("a.key", "b.key")]
    printed = [report.printed[0] for report in fork_server.race(wallets.initialise, arguments)]
    outcomes = sorted(line.get("error", "kid").partition(":")[0] for line in printed)
    assert outcomes in (["kid", "root-key-mismatch"], ["kid", "root-key-missing"])  # late: its key is not made
    assert len(execute(database_url, "SELECT * FROM strongroom_keyring")) == 1


@pytest.mark.parametrize("verb", [strongroom.open, strongroom.init])
def test_a_wrong_root_key_is_refused(filled_url: str, other_key: str, verb: Callable[..., Any]) -> None:
    assert_refused(filled_url, other_key, strongroom.RootKeyMismatchError, verb)


@pytest.mark.parametrize("verb", [strongroom.open, strongroom.init])
def test_a_missing_root_key_is_refused_and_not_made(
    filled_url: str, private_path: Path, verb: Callable[..., Any]
) -> None:
    missing = private_path / "missing.key"
    assert_refused(filled_url, f"file:{missing}", strongroom.RootKeyMissingError, verb)
    assert not missing.exists()
    assert_refused(filled_url, "env:STRONGROOM_NO_SUCH_KEY", strongroom.RootKeyMissingError, verb)


def test_an_environment_root_key_opens_what_it_wrapped(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRONGROOM_TEST_KEY", local.new_text().reveal_text())
    with strongroom.init(database_url, root_key="env:STRONGROOM_TEST_KEY") as vault:
        wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    with strongroom.open(database_url, root_key="env:STRONGROOM_TEST_KEY") as vault:
        assert [result.ok for result in vault.verify(wallet)] == [True]


def test_init_without_its_root_key_leaves_nothing_behind(private_path: Path) -> None:
    with pytest.raises(strongroom.RootKeyMissingError):
        strongroom.init(f"sqlite:///{private_path / 'vault.db'}", root_key="env:STRONGROOM_NO_SUCH_KEY")
    assert list(private_path.iterdir()) == []


def test_init_over_sealed_rows_without_a_keyring_is_refused(
    filled_url: str, root_key_uri: str, other_key: str, private_path: Path
) -> None:
    for table in ("strongroom_keyring_wrap", "strongroom_keyring", "strongroom_keyring_head"):
        execute(filled_url, f"DELETE FROM {table}")
    fresh = private_path / "fresh.key"
    for uri in (root_key_uri, other_key, f"file:{fresh}"):
        assert_refused(filled_url, uri, strongroom.KeyringMissingError, strongroom.init)
    assert not fresh.exists()
    assert_refused(filled_url, root_key_uri, strongroom.KeyringMissingError)


def test_a_keyring_without_rows_is_refused(filled_url: str, root_key_uri: str) -> None:
    execute(filled_url, "DELETE FROM strongroom_keyring_wrap")
    assert_refused(filled_url, root_key_uri, strongroom.KeyringCorruptError)
    execute(filled_url, "DELETE FROM strongroom_keyring")
    assert_refused(filled_url, root_key_uri, strongroom.KeyringMissingError)
    assert_refused(filled_url, root_key_uri, strongroom.KeyringMissingError, strongroom.init)


def test_a_damaged_wrap_is_refused(filled_url: str, root_key_uri: str) -> None:
    execute(filled_url, "UPDATE strongroom_keyring_wrap SET wrapped = replace(wrapped, '.', '.A')")
    assert_refused(filled_url, root_key_uri, strongroom.KeyringCorruptError)
    execute(filled_url, "UPDATE strongroom_keyring_wrap SET check_value = 'other'")
    assert_refused(filled_url, root_key_uri, strongroom.RootKeyMismatchError)


def take_keyring(url: str, elsewhere: str) -> None:
    """Put another database's keyring into the place of this one's."""
    (stranger,) = execute(elsewhere, "SELECT kid, wrapped, check_value FROM strongroom_keyring_wrap")
    (created_at,) = execute(url, "SELECT created_at FROM strongroom_keyring")[0]
    (uri,) = execute(url, "SELECT root_key FROM strongroom_keyring_wrap")[0]
    execute(url, "DELETE FROM strongroom_keyring_wrap")
    execute(url, "DELETE FROM strongroom_keyring")
    execute(url, "INSERT INTO strongroom_keyring VALUES (?, 'active', ?)", (stranger[0], created_at))
    execute(
        url,
        "INSERT INTO strongroom_keyring_wrap VALUES (?, ?, ?, ?, ?)",
        (stranger[0], uri, stranger[1], stranger[2], created_at),
    )


@pytest.fixture
def elsewhere(root_key_uri: str, private_path: Path) -> str:
    """Another vault, whose keyring opens with the same root key."""
    url = f"sqlite:///{private_path / 'elsewhere.db'}"
    strongroom.init(url, root_key=root_key_uri).close()
    return url


def test_the_keyring_of_another_database_is_refused(filled_url: str, root_key_uri: str, elsewhere: str) -> None:
    """Both keyrings open with the same root key, and still one is not what the other's head names."""
    take_keyring(filled_url, elsewhere)
    assert_refused(filled_url, root_key_uri, strongroom.KeyringCorruptError)
    assert_refused(filled_url, root_key_uri, strongroom.KeyringCorruptError, strongroom.init)


def test_the_keyring_of_another_database_with_its_head_is_refused(
    filled_url: str, root_key_uri: str, elsewhere: str
) -> None:
    """The keyring is whole, and still it does not fit the other's rows."""
    take_keyring(filled_url, elsewhere)
    columns = ("version", "states", "tags_complete", "accept_foreign", "tagged_version", "kid", "tag")
    (head,) = execute(elsewhere, f"SELECT {', '.join(columns)} FROM strongroom_keyring_head")
    values = [
        bool(value) if name in ("tags_complete", "accept_foreign") else value
        for name, value in zip(columns, head, strict=True)
    ]
    changes = ", ".join(f"{name} = ?" for name in columns)
    execute(filled_url, f"UPDATE strongroom_keyring_head SET {changes}", tuple(values))
    assert_refused(filled_url, root_key_uri, strongroom.UnknownSealingKeyError)
    assert_refused(filled_url, root_key_uri, strongroom.UnknownSealingKeyError, strongroom.init)


def test_a_database_without_strongroom_is_not_opened(
    database_url: str, root_key_uri: str, sqlite_template: Path
) -> None:
    with pytest.raises(strongroom.NotInitializedError):
        strongroom.open(database_url, root_key=root_key_uri)
    if database_url.startswith("sqlite"):
        assert not sqlite_path(database_url).exists()


def test_legacy_wallet_tables_are_refused_and_untouched(database_url: str, private_path: Path) -> None:
    if database_url.startswith("sqlite"):
        sqlite_path(database_url).touch(0o600)
    execute(database_url, "CREATE TABLE project_credentials (id text PRIMARY KEY)")
    key = private_path / "root.key"
    with pytest.raises(strongroom.ForeignSchemaError):
        strongroom.init(database_url, root_key=f"file:{key}")
    assert not key.exists()
    with pytest.raises(strongroom.ForeignSchemaError):
        strongroom.open(database_url, root_key=f"file:{key}")


def test_another_schema_version_is_refused(filled_url: str, root_key_uri: str) -> None:
    for version in ("0000", "9999"):
        execute(filled_url, "UPDATE strongroom_migrations SET version_num = ?", (version,))
        assert_refused(filled_url, root_key_uri, strongroom.SchemaVersionError)
        assert_refused(filled_url, root_key_uri, strongroom.SchemaVersionError, strongroom.init)


def test_unlogged_tables_are_refused(postgresql_vault_url: str, root_key_uri: str) -> None:
    execute(postgresql_vault_url, "ALTER TABLE strongroom_events SET UNLOGGED")
    with pytest.raises(strongroom.NotDurableError, match="strongroom_events"):
        strongroom.open(postgresql_vault_url, root_key=root_key_uri)


def test_a_server_with_fsync_off_is_refused(root_key_uri: str) -> None:
    from testbed.servers.postgres import PostgresServer

    with PostgresServer.start(fsync=False) as server:
        url = server.create_database("vault")
        for verb in (strongroom.init, strongroom.open):
            with pytest.raises((strongroom.NotDurableError, strongroom.NotInitializedError)) as caught:
                verb(url, root_key=root_key_uri)
            assert verb is strongroom.open or isinstance(caught.value, strongroom.NotDurableError)
        assert execute(url, "SELECT count(*) FROM pg_tables WHERE schemaname IN ('public', 'strongroom')") == [(0,)]


def test_a_role_that_row_level_security_applies_to_is_refused(postgresql_vault_url: str, root_key_uri: str) -> None:
    name = f"app_{uuid4().hex[:8]}"
    with psycopg.connect(postgresql_vault_url, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {name} LOGIN")
        owner.execute(grant_on_all_tables("ALL", name).encode())
        try:
            url = postgresql_vault_url.replace("postgres@", f"{name}@", 1)
            with pytest.raises(strongroom.RowsHiddenError):
                strongroom.open(url, root_key=root_key_uri)
            owner.execute(f"ALTER ROLE {name} BYPASSRLS")
            with strongroom.open(url, root_key=root_key_uri) as vault:
                assert vault.create_wallet(uuid4(), "ethereum").created
        finally:
            owner.execute(f"DROP OWNED BY {name}")
            owner.execute(f"DROP ROLE {name}")


def drop_role(url: str, role: str) -> None:
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f"DROP OWNED BY {role}")
        owner.execute(f"DROP ROLE {role}")


def test_the_roles_of_a_public_api_can_read_nothing(
    postgresql_url: str, root_key_uri: str, request: pytest.FixtureRequest
) -> None:
    with psycopg.connect(postgresql_url, autocommit=True) as owner:
        for role in ("anon", "authenticated"):
            owner.execute(f"CREATE ROLE {role}")
            request.addfinalizer(partial(drop_role, postgresql_url, role))
            owner.execute(f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {role}")
            owner.execute(f"ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO {role}, PUBLIC")
        strongroom.init(postgresql_url, root_key=root_key_uri).close()
        tables = [row[0] for row in owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'strongroom'")]
        assert len(tables) == 16
        for role in ("anon", "authenticated"):
            for table in tables:
                readable = owner.execute(
                    "SELECT has_table_privilege(%s, %s, 'SELECT, INSERT, UPDATE, DELETE')", (role, table)
                ).fetchone()
                assert readable == (False,), (role, table)
        hidden = owner.execute("SELECT count(*) FROM pg_class WHERE relrowsecurity AND relkind = 'r'").fetchone()
        assert hidden == (16,)


def test_wallets_made_before_init_again_are_all_there(filled_url: str, root_key_uri: str) -> None:
    before = counts(filled_url)
    strongroom.init(filled_url, root_key=root_key_uri).close()
    assert counts(filled_url) == before


@pytest.mark.parametrize("migration", ["0001", "0002"])
def test_an_upgrade_brings_the_schema_of_an_older_version_up_to_date_and_nothing_else_does(
    database_url: str, private_path: Path, migration: str
) -> None:
    uri = f"file:{private_path / 'root.key'}"
    with strongroom.init(database_url, root_key=uri) as vault:
        wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    take_back(database_url, migration)
    assert_refused(database_url, uri, strongroom.UpgradeNeededError)
    assert_refused(database_url, uri, strongroom.UpgradeNeededError, strongroom.init)
    assert [(each.kind, each.wallet_id, each.tagged) for each in upgrade(database_url, uri)] == [
        ("wallet", wallet.id, True),
        ("slot", wallet.id, True),
    ]
    for verb in (strongroom.open, strongroom.init):
        with verb(database_url, root_key=uri) as vault:
            assert vault.get_wallet(wallet) == wallet
            assert vault.sign_message(wallet, "hello")
            assert all(result.ok for result in vault.verify())


def test_every_connection_of_an_init_is_made_as_the_settings_say(database_url: str, private_path: Path) -> None:
    """Those of its migrations, too, which have an engine of their own."""
    made = list[tuple[Any, ...]]()

    def look(connection: Any, _: Any) -> None:
        if isinstance(connection, psycopg.Connection):
            made.append((connection.prepare_threshold, connection.info.get_parameters()["connect_timeout"]))
        else:
            made.append(connection.execute("PRAGMA busy_timeout").fetchone())

    settings: dict[str, Any] = {"prepared_statements": False, "connect_timeout_seconds": 7, "busy_timeout_seconds": 11}
    event.listen(Engine, "connect", look)
    try:
        strongroom.init(database_url, root_key=f"file:{private_path / 'root.key'}", **settings).close()
    finally:
        event.remove(Engine, "connect", look)
    assert len(made) >= 2
    assert set(made) == ({(None, "7")} if database_url.startswith("postgresql") else {(11_000,)})


def test_a_rotation_and_a_rewrap_while_a_vault_is_opened_do_not_stop_it(
    vault: Vault, vault_url: str, root_key_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.create_wallet(uuid4(), "ethereum")
    genuine = SqlKeyringStore.sample_sealed_kids

    def rotated_meanwhile(self: SqlKeyringStore) -> frozenset[str]:
        monkeypatch.setattr(SqlKeyringStore, "sample_sealed_kids", genuine)
        vault.rotate_sealing_key()
        assert all(result.ok for result in vault.rewrap())
        return genuine(self)

    monkeypatch.setattr(SqlKeyringStore, "sample_sealed_kids", rotated_meanwhile)
    with strongroom.open(vault_url, root_key=root_key_uri) as opened:
        assert all(result.ok for result in opened.verify())


def test_a_schema_that_is_brought_up_to_date_while_it_is_read_is_read_whole(
    vault_url: str, root_key_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which tables there are, and which version: two statements, and a migration is committed between them."""
    take_back(vault_url, "0001")
    genuine, read = profile._read_tables, list[set[str]]()

    def read_tables(database: CatalogueReader) -> profile._Tables:
        found = genuine(database)
        read.append({table.name for table in found.found})
        if len(read) == 1:
            upgrade(vault_url, root_key_uri)
        return found

    monkeypatch.setattr(profile, "_read_tables", read_tables)
    with strongroom.open(vault_url, root_key=root_key_uri) as vault:
        assert vault.sign_message(vault.create_wallet(uuid4(), "ethereum").wallet, "hello")
    assert "strongroom_nonce" not in read[0]
