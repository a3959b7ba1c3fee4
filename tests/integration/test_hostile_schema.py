"""What goes wrong around a vault: directories, other databases, dying connections, damaged rows, odd arguments."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

import strongroom
from strongroom import AsyncVault, Secret, Vault
from strongroom.settings import Settings
from strongroom.store.wallet_store import SqlWalletStore
from testbed.command_line import call
from testbed.databases.deployments import open_deployment
from testbed.databases.older_versions import begin_upgrade, take_back
from testbed.databases.rows import assert_whole, counts, execute
from testbed.harness.canary import Canary, report
from testbed.servers.postgres import PostgresServer, wait_until
from testbed.servers.proxy import Proxy, runs
from testbed.waiting import join


def test_a_change_of_directory_changes_neither_database_nor_root_key(
    private_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [private_path / name for name in ("one", "two")]
    vaults = []
    for deployment in places:
        deployment.mkdir(mode=0o700)
        monkeypatch.chdir(deployment)
        vaults.append(strongroom.init("sqlite:///vault.db", root_key="file:root.key", pool_size=8))
    project = uuid4()
    threads = [
        threading.Thread(target=vaults[0].create_wallet, args=(project, "ethereum"), kwargs={"label": f"l{i}"})
        for i in range(8)
    ]
    for thread in threads:
        thread.start()
    join(threads)
    vaults[0].rotate_sealing_key()
    for vault in vaults:
        vault.close()
    assert_whole(f"sqlite:///{places[0] / 'vault.db'}", 8)
    assert_whole(f"sqlite:///{places[1] / 'vault.db'}", 0)


@pytest.mark.parametrize("name", ["a%20b.db", "a b.db", "a#b.db", "ключ.db"])
def test_a_file_name_is_taken_as_it_stands(private_path: Path, name: str) -> None:
    with strongroom.init(f"sqlite:///{private_path / name}", root_key=f"file:{private_path / 'root.key'}") as vault:
        vault.create_wallet(uuid4(), "ethereum")
        assert vault.status().store.database == f"sqlite:///{private_path / name}"
    assert sorted(path.name for path in private_path.iterdir()) == sorted([name, "root.key"])


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_may_have_another_encoding(postgres: PostgresServer, private_path: Path, encoding: str) -> None:
    name, project = f"encoded_{encoding.lower()}", uuid4()
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}'".encode())
    try:
        with strongroom.init(postgres.url(name), root_key=f"file:{private_path / 'root.key'}") as vault:
            wallet, _ = vault.create_wallet(project, "ethereum", idempotency_key="caf\xe9")
            assert vault.create_wallet(project, "ethereum", idempotency_key="caf\xe9") == (wallet, False)
            if encoding == "LATIN1":
                with pytest.raises(strongroom.StoreRefusedError):
                    vault.create_wallet(project, "solana", idempotency_key="\u2713")
            assert [result.ok for result in vault.verify()] == [True]
            assert vault.status().store.wallets["active"] == 1
        assert call("doctor", "--database", postgres.url(name), "--json").code == 0
    finally:
        postgres.drop_database(name)


def test_a_place_that_cannot_hold_a_database_is_refused(private_path: Path) -> None:
    for deployment in ("/dev/null/x.db", f"{private_path}/{'x' * 300}.db"):
        with pytest.raises(strongroom.StoreError):
            strongroom.init(f"sqlite:///{deployment}", root_key=f"file:{private_path / 'root.key'}")
    open_to_all = private_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    with pytest.raises(strongroom.InsecureFileError):
        strongroom.init(f"sqlite:///{open_to_all / 'v.db'}", root_key=f"file:{private_path / 'root.key'}")


@pytest.fixture
def elsewhere(engine: str, request: pytest.FixtureRequest, root_key_uri: str, private_path: Path) -> str:
    """Another vault of the same kind, with a keyring of its own under the same root key."""
    if engine == "sqlite":
        url = f"sqlite:///{private_path / 'elsewhere.db'}"
    else:
        url = str(request.getfixturevalue("postgresql_url"))
    strongroom.init(url, root_key=root_key_uri).close()
    return url


@pytest.mark.parametrize("key", [None, "k"])
def test_a_connection_to_another_vaults_database_is_refused(
    vault: Vault, vault_url: str, elsewhere: str, root_key_uri: str, key: str | None
) -> None:
    other = strongroom.create_engine(elsewhere)
    with other.connect() as connection:
        with pytest.raises(strongroom.ConnectionNotSupportedError):
            vault.create_wallet(uuid4(), "ethereum", idempotency_key=key, connection=connection)
        connection.commit()
    other.dispose()
    assert counts(elsewhere) == counts(vault_url) == (0, 0, 0, 0)
    strongroom.open(elsewhere, root_key=root_key_uri).close()


def test_a_database_that_was_made_anew_under_an_open_vault_takes_no_wallet(vault: Vault, vault_url: str) -> None:
    for table in ("strongroom_keyring_wrap", "strongroom_keyring"):
        execute(vault_url, f"DELETE FROM {table}")
    with pytest.raises(strongroom.StrongroomError):
        vault.create_wallet(uuid4(), "ethereum")
    assert counts(vault_url) == (0, 0, 0, 0)


OTHERS = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
   AND left(application_name, 14) <> 'citus_internal'
"""


def server_connections(url: str) -> int:
    return int(execute(url, OTHERS)[0][0])


def test_lost_connections_are_not_kept(postgresql_vault_url: str, root_key_uri: str) -> None:
    project = uuid4()
    stop = threading.Event()
    most = 0
    with strongroom.open(postgresql_vault_url, root_key=root_key_uri, pool_size=4) as vault:
        vault.create_wallet(project, "ethereum")

        def work() -> None:
            while not stop.is_set():
                try:
                    vault.create_wallet(project, "ethereum")
                except strongroom.StrongroomError as error:
                    assert error.retryable, error

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            time.sleep(0.05)
            most = max(most, server_connections(postgresql_vault_url))
            execute(
                postgresql_vault_url,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() LIMIT 1",
            )
        stop.set()
        join(threads)
        assert vault.create_wallet(project, "solana").created
        assert most <= 12, "at most four in use, alongside those that the server has not let go of yet"
    with psycopg.connect(postgresql_vault_url, autocommit=True) as looking:  # one, which does not count itself
        wait_until(lambda: looking.execute(OTHERS).fetchone() == (0,), "connections are kept")


@pytest.mark.one_server  # the commit comes later there: tests/citus/test_sessions_that_end.py
def test_an_answer_that_cannot_be_asked_for_stays_unknown(
    proxy: Proxy, postgresql_vault_url: str, root_key_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = uuid4()
    with psycopg.connect(postgresql_vault_url) as connection:
        name = str(connection.info.dbname)

    def refuse(*_: object) -> None:
        raise strongroom.StoreRefusedError("The question was refused.")

    with strongroom.open(proxy.url(name), root_key=root_key_uri) as vault:
        proxy.arm(runs(r"INSERT INTO strongroom_slot"), "after")
        with monkeypatch.context() as patched:
            patched.setattr(SqlWalletStore, "get", refuse)
            with pytest.raises(strongroom.OutcomeUnknownError) as caught:
                vault.create_wallet(project, "ethereum")
        assert caught.value.retryable
        assert not vault.create_wallet(project, "ethereum").created, "it had been committed"
    assert_whole(postgresql_vault_url, 1)


def test_one_row_of_another_keyring_does_not_lock_the_vault(vault: Vault, vault_url: str, root_key_uri: str) -> None:
    project = uuid4()
    wallets = [vault.create_wallet(project, "ethereum", label=f"l{i}").wallet for i in range(4)]
    text = execute(vault_url, "SELECT encrypted_private_key FROM credential_vault_storage LIMIT 1")[0][0]
    stranger = "eyJraWQiOiJBQUFBQUFBQUFBQUFBQUFBQUFBQUFB" + text[40:]
    execute(
        vault_url,
        "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?",
        (stranger, str(wallets[-1].id)),
    )
    with strongroom.open(vault_url, root_key=root_key_uri) as again:
        assert [result.code for result in again.verify()] == [None, None, None, "unknown-sealing-key"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("metadata", "garbage"),
        ("metadata", "[]"),
        ("metadata", "null"),
        ("created_at", "yesterday"),
        ("project_id", "nothing"),
        ("id", "nothing"),
        ("network", "atlantis"),
        ("credential_type", ""),
    ],
)
def test_a_damaged_row_is_a_finding_and_the_others_are_proved(
    sqlite_vault_url: str, root_key_uri: str, column: str, value: str
) -> None:
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        project = uuid4()
        wallets = [vault.create_wallet(project, "ethereum", label=f"l{i}").wallet for i in range(3)]
        execute(
            sqlite_vault_url,
            f"UPDATE project_credentials SET {column} = ? WHERE id = ?",
            (value, str(wallets[1].id)),
        )
        results = list(vault.verify())
        assert len(results) == 3
        assert [result.ok for result in results].count(True) >= 2
        if column in ("project_id", "id", "network"):
            assert [result.ok for result in results].count(False) == 1
        vault.status()


@pytest.mark.parametrize("metadata", ["[]", "null", '"x"'])
def test_metadata_of_another_shape_hides_no_key(postgresql_vault_url: str, root_key_uri: str, metadata: str) -> None:
    """Where the register has the wallet, they are not what it says; where it does not yet, they say nothing."""
    with strongroom.open(postgresql_vault_url, root_key=root_key_uri) as vault:
        wallet, _ = vault.create_wallet(uuid4(), "ethereum")
        ((there,),) = execute(postgresql_vault_url, "SELECT metadata::text FROM project_credentials")
        execute(postgresql_vault_url, "UPDATE project_credentials SET metadata = ?::jsonb", (metadata,))
        (result,) = vault.verify(phrases=True)
        assert isinstance(result.error, strongroom.IdentityMismatchError)
        assert result.error.columns == ("metadata",)
        with pytest.raises(strongroom.IdentityMismatchError):
            vault.get_wallet(wallet)
        execute(postgresql_vault_url, "UPDATE project_credentials SET metadata = ?::jsonb", (there,))
        assert [result.ok for result in vault.verify(phrases=True)] == [True]
    take_back(postgresql_vault_url, "0002")
    begin_upgrade(postgresql_vault_url, root_key_uri)
    execute(postgresql_vault_url, "UPDATE project_credentials SET metadata = ?::jsonb", (metadata,))
    with strongroom.open(postgresql_vault_url, root_key=root_key_uri) as vault:
        (result,) = vault.verify(phrases=True)
        assert result.ok
        assert vault.get_wallet(result.id).scheme is None


@pytest.mark.parametrize("registered", [True, False])
@pytest.mark.parametrize("network", ["bitcoin", "ethereum", "solana"])
@pytest.mark.parametrize(
    ("scheme", "path"),
    [
        (["bip84"], "m/84'/0'/0'/0/0"),
        ({"a": 1}, None),
        ("\ud800", 5),
        (5, ["m"]),
        ("bip84", "\ud800"),
        ("bip44", "\ud800"),
        ("bip84", "m" * 20_000),
        ("bip44", "m" * 20_000),
    ],
)
def test_a_derivation_of_another_shape_ends_in_what_is_right_or_in_a_typed_error(
    sqlite_vault_url: str, root_key_uri: str, network: str, scheme: Any, path: Any, registered: bool
) -> None:
    key = "46" * 32
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        wallet, _ = vault.import_wallet(uuid4(), network, private_key=key)
        shown = vault.reveal(wallet, actor="test", reason="drill").private_key.reveal()
    if not registered:
        take_back(sqlite_vault_url, "0002")
        begin_upgrade(sqlite_vault_url, root_key_uri)
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        execute(sqlite_vault_url, "DELETE FROM credential_vault_storage")
        facts = json.dumps({"scheme": scheme, "path": path})
        execute(sqlite_vault_url, "UPDATE project_credentials SET metadata = ?", (facts,))
        stored = answered(lambda: vault.store_key(wallet.id, private_key=key))
        answered(lambda: vault.store_key(wallet.id, mnemonic=" ".join(["abandon"] * 11 + ["about"])))
        answered(lambda: vault.sign_message(wallet.id, "hello"))
        revealed = answered(lambda: vault.reveal(wallet.id, actor="test", reason="drill"))
        assert (stored is None) is (revealed is None)
        assert revealed is None or revealed.private_key.reveal() == shown
        where = ("--database", sqlite_vault_url, "--root-key", root_key_uri)
        answer = call("wallet", "show", str(wallet.id), *where)
        assert (answer.code, "identity-mismatch" in answer.err) == ((1, True) if registered else (0, False))
        assert len(list(vault.verify())) == 1


def answered(verb: Callable[[], Any]) -> Any:
    """What a verb returns; None where it raises an error of ours."""
    try:
        return verb()
    except strongroom.StrongroomError:
        return None


@pytest.mark.parametrize("backend", ["fresh", "g4"])
@pytest.mark.parametrize("time", ["infinity", "-infinity", "20000-01-01", "0001-01-01 BC"])
def test_a_time_that_python_cannot_hold_hides_no_key(backend: str, time: str, request: pytest.FixtureRequest) -> None:
    with open_deployment(backend, request) as deployment, deployment.open() as vault:
        project = deployment.project()
        wallets = [vault.create_wallet(project, "ethereum", label=f"l{number}").wallet for number in range(3)]
        deployment.execute("UPDATE project_credentials SET created_at = ? WHERE id = ?", time, str(wallets[1].id))
        assert [result.ok for result in vault.verify()] == [True] * 3
        found = vault.get_wallet(wallets[1].id)
        assert (found.address, found.created_at) == (wallets[1].address, None)
        assert vault.create_wallet(project, "ethereum", label="l1") == (found, False)
        assert vault.reveal(found, actor="test", reason="drill").private_key
        where = ("--database", deployment.url, "--root-key", deployment.root_key, "--project", str(project))
        listed = call("wallet", "list", *where)
        assert listed.code == 0
        assert wallets[1].address in listed.out.replace("\n", "")


def test_status_shows_no_password(postgresql_vault_url: str, root_key_uri: str) -> None:
    url = f"{postgresql_vault_url}&password=hidden-1&sslpassword=hidden-2"
    with strongroom.open(url, root_key=root_key_uri) as vault:
        assert "hidden" not in str(vault.status())
        assert "hidden" not in repr(vault.status().as_dict())


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_no_frame_of_an_awaited_call_keeps_plaintext(vault: Vault, anyio_backend: str) -> None:
    key = os.urandom(32)
    with pytest.raises(strongroom.UnknownNetworkError) as caught:
        await AsyncVault(vault).import_wallet(uuid4(), "atlantis", private_key=key.hex())
    leaks = Canary(key).in_exception(caught.value, modules=("strongroom", "anyio", "asyncio"))
    assert leaks == [], report(leaks)


def odd_calls(vault: Vault) -> list[Any]:
    project = uuid4()
    wallet, _ = vault.create_wallet(project, "ethereum", label="even")
    odd: list[Any] = [7, 1.5, b"x", [], {}, object(), "\0", "\ud800", "x" * 100_000, True, 10**5000]
    calls: list[Any] = []
    for value in odd:
        calls += [
            lambda v=value: vault.create_wallet(v, "ethereum"),
            lambda v=value: vault.create_wallet(project, v),
            lambda v=value: vault.create_wallet(project, "ethereum", label=v),
            lambda v=value: vault.create_wallet(project, "ethereum", variant=v),
            lambda v=value: vault.create_wallet(project, "ethereum", words=v),
            lambda v=value: vault.create_wallet(project, "ethereum", idempotency_key=v),
            lambda v=value: vault.create_wallet(project, "ethereum", actor=v),
            lambda v=value: vault.create_wallet(project, "ethereum", reason=v),
            lambda v=value: vault.create_wallet(project, "ethereum", connection=v),
            lambda v=value: vault.create_wallets(project, v),
            lambda v=value: vault.create_wallets(project, [v, "ethereum"], label="?"),
            lambda v=value: vault.import_wallet(project, "ethereum", private_key=v),
            lambda v=value: vault.import_wallet(project, "ethereum", mnemonic=v),
            lambda v=value: vault.import_wallet(project, "ethereum", mnemonic="x", passphrase=v),
            lambda v=value: vault.import_wallet(project, "ethereum", keystore=v, keystore_password=v),
            lambda v=value: vault.import_wallet(project, "ethereum", private_key="11" * 32, address=v),
            lambda v=value: vault.import_wallet(project, "ethereum", mnemonic="x", path=v),
            lambda v=value: vault.get_wallet(v),
            lambda v=value: vault.find_wallet(project, v),
            lambda v=value: vault.find_wallet(project, "ethereum", v),
            lambda v=value: vault.find_by_address(v),
            lambda v=value: vault.list_wallets(project, after=v),
            lambda v=value: vault.list_wallets(project, network=v),
            lambda v=value: vault.list_wallets(v),
            lambda v=value: vault.verify(v),
            lambda v=value: vault.verify(project_id=v),
            lambda v=value: vault.reveal(v, actor="a", reason="r"),
            lambda v=value: vault.store_key(v, private_key="11" * 32),
            lambda v=value: vault.replace_wallet(v),
            lambda v=value: vault.replace_wallet(wallet, words=v),
            lambda v=value: strongroom.open(v, root_key="file:none.key"),
            lambda v=value: Settings.load(config=v),
            lambda v=value: strongroom.create_engine(v),
            lambda v=value: vault.revoke_wallet(v),
            lambda v=value: vault.history(v).entries,
            lambda v=value: vault.restore(v),
            lambda v=value: vault.add_root_key(v),
            lambda v=value: vault.check_root_key(v),
            lambda v=value: vault.remove_root_key(v),
        ]
    limits: list[Any] = [None, "5", 12.0, b"x", [], 10**30]
    calls += [lambda v=value: vault.list_wallets(project, limit=v) for value in limits]
    return calls


def test_every_odd_argument_is_a_typed_error(vault: Vault, vault_url: str) -> None:
    """True is 1, and an empty list of networks is no request at all: the two that are no errors."""
    untyped = []
    for number, odd in enumerate(odd_calls(vault)):
        try:
            odd()
        except strongroom.StrongroomError:
            continue
        except Exception as error:
            untyped.append((number, repr(error)[:200]))
    assert untyped == []
    made = {row[0] for row in execute(vault_url, "SELECT network FROM project_credentials")}
    assert made <= {"ethereum"}
    assert_whole(vault_url)


def test_an_address_in_many_projects_is_found_in_each(vault: Vault) -> None:
    wallets = [vault.import_wallet(uuid4(), "ethereum", private_key="11" * 32).wallet for _ in range(103)]
    assert vault.find_by_address(wallets[-1].address, project_id=wallets[-1].project_id) == wallets[-1]


def test_a_closed_vault_is_closed(vault_url: str, root_key_uri: str) -> None:
    vault = strongroom.open(vault_url, root_key=root_key_uri)
    vault.create_wallet(uuid4(), "ethereum")
    vault.close()
    with pytest.raises(strongroom.StoreRefusedError):
        vault.create_wallet(uuid4(), "ethereum")
    assert counts(vault_url)[0] == 1


def test_a_callers_transaction_that_has_ended_is_to_be_run_again(vault: Vault, vault_url: str) -> None:
    engine = strongroom.create_engine(vault_url)
    with engine.connect() as connection:
        with connection.begin() as transaction:
            transaction.rollback()
            with pytest.raises(strongroom.RetryTransactionError):
                vault.create_wallet(uuid4(), "ethereum", connection=connection)
    engine.dispose()
    assert counts(vault_url) == (0, 0, 0, 0)


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_forks_wait_for_a_sqlite_transaction(sqlite_vault_url: str, root_key_uri: str) -> None:
    project = uuid4()
    stop = threading.Event()
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri, busy_timeout_seconds=5) as vault:

        def work(name: str) -> None:
            number = 0
            while not stop.is_set():
                vault.create_wallet(project, "ethereum", label=f"{name}{number}")
                number += 1

        threads = [threading.Thread(target=work, args=(f"t{i}-",)) for i in range(3)]
        for thread in threads:
            thread.start()
        try:
            for number in range(5):
                time.sleep(0.02)
                child = os.fork()
                if child == 0:
                    status = 1
                    try:
                        vault.create_wallet(project, "solana", label=f"f{number}")
                        status = 0
                    finally:
                        os._exit(status)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        finally:
            stop.set()
            join(threads)
    assert_whole(sqlite_vault_url)


@pytest.mark.one_server
def test_a_trigger_that_swallows_one_half_leaves_nothing(postgresql_vault_url: str, root_key_uri: str) -> None:
    execute(
        postgresql_vault_url,
        "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER swallow BEFORE INSERT ON credential_vault_storage FOR EACH ROW EXECUTE FUNCTION swallow()",
    )
    with strongroom.open(postgresql_vault_url, root_key=root_key_uri) as vault:
        with pytest.raises(strongroom.StoreRefusedError):
            vault.create_wallet(uuid4(), "ethereum")
    assert counts(postgresql_vault_url) == (0, 0, 0, 0)


def test_the_engine_of_another_driver_is_refused(vault: Vault) -> None:
    memory = sa.create_engine("sqlite://")
    with memory.connect() as connection, pytest.raises(strongroom.ConnectionNotSupportedError):
        vault.import_wallet(uuid4(), "ethereum", private_key=Secret(b"11" * 32), connection=connection)
    memory.dispose()
