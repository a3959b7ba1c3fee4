"""Promise 8: a canary key that comes in through every door is found nowhere."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom import Secret, Vault
from strongroom.crypto.phrase import Phrase
from testbed.databases.rows import execute, sqlite_path
from testbed.harness.canary import Canary, Leak, report
from testbed.networks.known import invalid_order
from testbed.servers.memory import memory_folder
from testbed.servers.postgres import PostgresServer

TALKATIVE: Mapping[str, str | int] = {
    "log_statement": "all",
    "log_min_duration_statement": 0,
    "log_parameter_max_length": -1,
    "max_wal_size": "2MB",
    "min_wal_size": "2MB",
}
"""Settings of a server that logs every statement with its parameters, and keeps little of its write-ahead log."""

Door = Callable[[Vault, str, str], tuple[strongroom.Wallet, Canary]]
"""Bring a key in; return its wallet and what to search for."""


class SmallServer(PostgresServer):
    """A server with small files."""

    initdb_options = ("--wal-segsize=1",)


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything that any library logs, at DEBUG."""
    with caplog.at_level(logging.DEBUG):
        for name in ("sqlalchemy.engine", "sqlalchemy.pool", "alembic", "psycopg"):
            caplog.set_level(logging.DEBUG, logger=name)
        yield caplog


@pytest.fixture
def temporary_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where temporary files go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    for name in ("TMPDIR", "TEMP", "TMP", "SQLITE_TMPDIR"):
        monkeypatch.setenv(name, str(folder))
    return folder


def canary_of(vault: Vault, wallet: strongroom.Wallet) -> Canary:
    """What to search for, from the one way out."""
    revealed = vault.reveal(wallet, actor="test", reason="to know what to search for")
    text = revealed.private_key.reveal_text()
    words = revealed.mnemonic.reveal_text().split() if revealed.mnemonic else []
    raw = bytes.fromhex(text.removeprefix("0x"))
    return Canary(raw, words, {"exported text": text})


def by_create(vault: Vault, url: str, root_key: str) -> tuple[strongroom.Wallet, Canary]:
    wallet, _ = vault.create_wallet(uuid4(), "ethereum", words=24, idempotency_key="k", actor="me", reason="test")
    return wallet, canary_of(vault, wallet)


def by_create_wallets(vault: Vault, url: str, root_key: str) -> tuple[strongroom.Wallet, Canary]:
    (result,) = vault.create_wallets(uuid4(), ["polygon"])
    assert result.wallet is not None
    return result.wallet, canary_of(vault, result.wallet)


def by_private_key(vault: Vault, url: str, root_key: str) -> tuple[strongroom.Wallet, Canary]:
    key = os.urandom(32)
    wallet, _ = vault.import_wallet(uuid4(), "base", private_key=key.hex(), idempotency_key="k")
    return wallet, Canary(key)


def by_mnemonic(vault: Vault, url: str, root_key: str) -> tuple[strongroom.Wallet, Canary]:
    phrase = Phrase.generate()
    passphrase = os.urandom(16).hex()
    wallet, _ = vault.import_wallet(uuid4(), "mantle", mnemonic=phrase.mnemonic.reveal_text(), passphrase=passphrase)
    seen = canary_of(vault, wallet)
    return wallet, Canary(seen.private_key, seen.words, {**(seen.texts or {}), "passphrase": passphrase})


def by_callers_transaction(vault: Vault, url: str, root_key: str) -> tuple[strongroom.Wallet, Canary]:
    key = os.urandom(32)
    engine = strongroom.create_engine(url, echo="debug")
    with engine.begin() as connection:
        wallet, _ = vault.import_wallet(uuid4(), "bnb", private_key=Secret.from_text(key.hex()), connection=connection)
    engine.dispose()
    return wallet, Canary(key)


def by_command_line(vault: Vault, url: str, root_key: str) -> tuple[strongroom.Wallet, Canary]:
    key = os.urandom(32)
    project = str(uuid4())
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "strongroom",
            "wallet",
            "import",
            "optimism",
            "--project",
            project,
            "--private-key-stdin",
        ],
        input=key.hex(),
        env={**os.environ, "STRONGROOM_DATABASE_URL": url, "STRONGROOM_ROOT_KEY": root_key, "STRONGROOM_DEBUG": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    canary = Canary(key)
    assert_nowhere(canary.in_text(done.stdout + done.stderr, "the output of the command line"))
    wallet = vault.find_wallet(project, "optimism")
    assert wallet is not None
    return wallet, canary


def by_awaiting(vault: Vault, url: str, root_key: str) -> tuple[strongroom.Wallet, Canary]:
    key = os.urandom(32)

    async def bring() -> strongroom.Wallet:
        return (await strongroom.AsyncVault(vault).import_wallet(uuid4(), "arbitrum", private_key=key.hex())).wallet

    return asyncio.run(bring()), Canary(key)


def by_keystore(vault: Vault, url: str, root_key: str) -> tuple[strongroom.Wallet, Canary]:
    key = os.urandom(32)
    first, _ = vault.import_wallet(uuid4(), "base", private_key=key.hex())
    password = os.urandom(16).hex()
    document = vault.export_keystore(first, password=password, actor="test", reason="drill")
    wallet, _ = vault.import_wallet(uuid4(), "base", keystore=document, keystore_password=password)
    return wallet, Canary(key, texts={"password": password})


def by_life(vault: Vault, url: str, root_key: str) -> tuple[strongroom.Wallet, Canary]:
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    canary = canary_of(vault, wallet)
    vault.rotate_sealing_key()
    assert all(result.rewrapped for result in vault.rewrap())
    execute(url, "UPDATE credential_vault_storage SET encrypted_private_key = ''")
    assert vault.restore(wallet).stored
    vault.replace_wallet(wallet)
    vault.revoke_wallet(wallet)
    return vault.get_wallet(wallet), canary


DOORS = [
    by_create,
    by_create_wallets,
    by_private_key,
    by_mnemonic,
    by_callers_transaction,
    by_command_line,
    by_awaiting,
    by_keystore,
    by_life,
]


def assert_nowhere(leaks: list[Leak]) -> None:
    assert leaks == [], report(leaks)


def search_database(canary: Canary, url: str, server: PostgresServer | None) -> list[Leak]:
    """The database's files as they are, and after VACUUM."""
    if server is None:
        folder = sqlite_path(url).parent
        leaks = canary.in_tree(folder)
        connection = sqlite3.connect(sqlite_path(url))
        connection.execute("VACUUM")
        connection.close()
        return leaks + canary.in_tree(folder)
    with psycopg.connect(url, autocommit=True) as administrator:
        administrator.execute("CHECKPOINT")
        leaks = canary.in_tree(server.directory)
        administrator.execute("VACUUM FULL")
        administrator.execute("CHECKPOINT")
    return leaks + canary.in_tree(server.directory)


@pytest.fixture
def server(engine: str) -> Iterator[PostgresServer | None]:
    """A server of the test's own, since all its files are searched: those of a worker's server grow all the time."""
    if engine == "sqlite":
        yield None
        return
    with SmallServer.start(memory_folder(), **TALKATIVE) as started:
        yield started


@pytest.fixture
def logged_url(server: PostgresServer | None, request: pytest.FixtureRequest, root_key_uri: str) -> str:
    """A vault whose server logs every statement with its parameters."""
    if server is None:
        return str(request.getfixturevalue("sqlite_vault_url"))
    url = server.create_database("vault")
    strongroom.init(url, root_key=root_key_uri).close()
    return url


@pytest.mark.thorough(but=("sqlite", "by_mnemonic"))
@pytest.mark.parametrize("door", DOORS)
def test_a_key_that_came_in_is_found_nowhere(
    door: Door,
    logged_url: str,
    server: PostgresServer | None,
    root_key_uri: str,
    logs: pytest.LogCaptureFixture,
    temporary_files: Path,
) -> None:
    with strongroom.open(logged_url, root_key=root_key_uri) as vault:
        wallet, canary = door(vault, logged_url, root_key_uri)
        results = list(vault.verify(phrases=True))
        revealed = vault.reveal(wallet, actor="test", reason="drill")
        leaks = [
            *canary.in_object(vault, "the vault"),
            *canary.in_object(wallet, "the wallet"),
            *canary.in_object(wallet.as_dict(), "the wallet's dictionary"),
            *canary.in_object(results, "the results of verify"),
            *canary.in_object(revealed, "what reveal returned"),
            *canary.in_object(vault.list_wallets(wallet.project_id), "the list"),
            *canary.in_object(vault.status(), "the status"),
        ]
    leaks += canary.in_text(logs.text, "the logs")
    leaks += canary.in_bytes(Path("/proc/self/cmdline").read_bytes(), "argv")
    leaks += canary.in_tree(temporary_files)
    leaks += search_database(canary, logged_url, server)
    if server is not None:
        assert 'INSERT INTO "strongroom".project_credentials' in server.read_log(), "the server logs statements"
        assert str(wallet.vault_id) in server.read_log(), "the server logs parameters"
        leaks += canary.in_text(server.read_log(), "the server's log")
    assert_nowhere(leaks)


@pytest.mark.thorough(sample=1)
def test_the_search_finds_what_is_planted(
    logged_url: str, server: PostgresServer | None, logs: pytest.LogCaptureFixture, root_key_uri: str
) -> None:
    """Were a key stored in plaintext, logged, or raised, the test above would see it."""
    canary = Canary(os.urandom(32), Phrase.generate().mnemonic.reveal_text().split())
    text = canary.private_key.hex()
    with strongroom.open(logged_url, root_key=root_key_uri) as vault:
        vault.create_wallet(uuid4(), "ethereum")
    execute(logged_url, "UPDATE credential_vault_storage SET encrypted_private_key = ?", (text,))
    assert search_database(canary, logged_url, server)
    logging.getLogger("strongroom").debug("%s", " ".join(canary.words))
    assert canary.in_text(logs.text, "the logs")
    if server is not None:
        assert canary.in_text(server.read_log(), "the server's log")


def failing_calls(vault: Vault, project: UUID, key: Secret, phrase: Secret) -> dict[str, Callable[[], object]]:
    """Every way in which bringing a key in can fail."""
    half = key.reveal_text()[:62]
    swapped = invalid_order(phrase.reveal_text())
    other = "0x" + "00" * 19 + "01"
    return {
        "key of the wrong length": lambda: vault.import_wallet(project, "base", private_key=half),
        "key that is not hex": lambda: vault.import_wallet(project, "base", private_key=key.reveal_text() + "zz"),
        "key of another network": lambda: vault.import_wallet(project, "bitcoin", private_key="L" + key.reveal_text()),
        "phrase in the wrong order": lambda: vault.import_wallet(project, "base", mnemonic=swapped),
        "phrase with a word too many": lambda: vault.import_wallet(
            project, "base", mnemonic=phrase.reveal_text() + " zoo"
        ),
        "phrase as a key": lambda: vault.import_wallet(project, "base", private_key=phrase.reveal_text()),
        "key as a phrase": lambda: vault.import_wallet(project, "base", mnemonic=key.reveal_text()),
        "path that ed25519 cannot follow": lambda: vault.import_wallet(
            project, "solana", mnemonic=phrase, path="m/44/501"
        ),
        "passphrase with a key": lambda: vault.import_wallet(
            project, "base", private_key=key, passphrase=phrase.reveal_text()
        ),
        "both": lambda: vault.import_wallet(project, "base", private_key=key, mnemonic=phrase),
        "another address": lambda: vault.import_wallet(project, "base", private_key=key.reveal_text(), address=other),
        "a number as a key": lambda: vault.import_wallet(
            project,
            "base",
            private_key=int(key.reveal_text(), 16),  # type: ignore[arg-type]
        ),
        "bytes as a phrase": lambda: vault.import_wallet(
            project,
            "base",
            mnemonic=key.reveal(),  # type: ignore[arg-type]
        ),
        "key in a keystore": lambda: vault.import_wallet(
            project, "base", keystore=key.reveal_text(), keystore_password=phrase.reveal_text()
        ),
        "address that is none": lambda: vault.import_wallet(project, "base", private_key=key, address="0x12"),
        "unknown network": lambda: vault.import_wallet(project, "nowhere", private_key=key),
        "bad label": lambda: vault.import_wallet(project, "base", private_key=key, label="ä"),
        "key conflict": lambda: vault.import_wallet(project, "ethereum", private_key=key),
        "phrase conflict": lambda: vault.import_wallet(project, "ethereum", mnemonic=phrase),
        "not a connection": lambda: vault.import_wallet(project, "base", private_key=key, connection=object()),
        "refused by the database": lambda: vault.import_wallet(project, "zksync", private_key=key),
    }


def test_no_error_shows_a_key(vault: Vault, vault_url: str, logs: pytest.LogCaptureFixture) -> None:
    project = uuid4()
    key = os.urandom(32)
    phrase = Phrase.generate().mnemonic
    canary = Canary(key, phrase.reveal_text().split())
    vault.create_wallet(project, "ethereum")
    vault.create_wallet(project, "zksync")
    execute(vault_url, "DELETE FROM strongroom_slot WHERE network = 'zksync'")
    leaks = []
    calls = failing_calls(vault, project, Secret.from_text(key.hex()), phrase)
    for name, call in calls.items():
        with pytest.raises(strongroom.StrongroomError) as caught:
            call()
        leaks += [Leak(leak.rendering, f"{name}: {leak.where}") for leak in canary.in_exception(caught.value)]
        leaks += canary.in_object(caught.value, name)
    assert_nowhere(leaks + canary.in_text(logs.text, "the logs"))


def test_a_damaged_wallet_shows_nothing_of_its_key(vault: Vault, vault_url: str) -> None:
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    canary = canary_of(vault, wallet)
    execute(vault_url, "UPDATE project_credentials SET wallet_address = lower(wallet_address), public_key = '02'")
    with pytest.raises(strongroom.IdentityMismatchError) as caught:
        vault.reveal(wallet, actor="test", reason="drill")
    (result,) = vault.verify()
    assert result.error is not None
    assert_nowhere(canary.in_exception(caught.value) + canary.in_exception(result.error))


def test_a_key_is_not_in_the_write_ahead_log(private_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SQLite is new enough for one; searched while it is there, with a planted positive in it."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))
    key = os.urandom(32)
    url = f"sqlite:///{private_path / 'vault.db'}"
    with strongroom.init(url, root_key=f"file:{private_path / 'root.key'}") as vault:
        vault.import_wallet(uuid4(), "base", private_key=key.hex())
        log = private_path / "vault.db-wal"
        assert log.stat().st_size > 0
        assert_nowhere(Canary(key).in_tree(private_path))
        execute(url, "UPDATE credential_vault_storage SET encrypted_private_key = ?", (key.hex(),))
        assert Canary(key).in_bytes(log.read_bytes(), "the write-ahead log")
