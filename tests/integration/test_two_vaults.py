"""Two vaults under one root key, whose rows a writer exchanges; and a writer who holds locks."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

import strongroom
from testbed.databases.rows import sqlite_path

EXCHANGED = (
    "strongroom_keyring",
    "strongroom_keyring_wrap",
    "strongroom_keyring_head",
    "project_credentials",
    "credential_vault_storage",
    "strongroom_slot",
    "strongroom_wallet",
)


def put_in_the_place_of(url: str, other: Path) -> None:
    """Give one vault the keyring, the wallets and the slots of another one."""
    with closing(sqlite3.connect(sqlite_path(url))) as connection, connection:
        connection.execute("ATTACH ? AS other", (str(other),))
        connection.execute("DELETE FROM credential_usage_logs")
        for table in reversed(EXCHANGED):
            connection.execute(f"DELETE FROM main.{table}")
        for table in EXCHANGED:
            connection.execute(f"INSERT INTO main.{table} SELECT * FROM other.{table}")


def test_an_open_vault_refuses_the_keyring_of_another_one_under_its_root_key(
    sqlite_vault_url: str, root_key_uri: str, private_path: Path
) -> None:
    project, second = uuid4(), private_path / "second.db"
    with strongroom.init(f"sqlite:///{second}", root_key=root_key_uri) as other:
        other.import_wallet(project, "ethereum", private_key="42" * 32)
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
        put_in_the_place_of(sqlite_vault_url, second)
        for verb in (
            lambda: vault.find_wallet(project, "ethereum"),
            lambda: vault.create_wallet(project, "ethereum"),
            lambda: list(vault.rewrap()),
        ):
            with pytest.raises(strongroom.KeyringCorruptError, match="another vault's") as caught:
                verb()
            assert "its own" in str(caught.value.hint)
        with pytest.raises(strongroom.StrongroomError):
            vault.sign_message(wallet, b"x")


def test_a_vault_whose_sealing_key_is_named_is_not_exchanged_while_nobody_looks(
    sqlite_vault_url: str, root_key_uri: str, private_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, second = uuid4(), private_path / "second.db"
    with strongroom.init(f"sqlite:///{second}", root_key=root_key_uri) as other:
        other.import_wallet(project, "ethereum", private_key="42" * 32)
        theirs = other.status().sealing_keys[0].kid
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        kid = vault.status().sealing_keys[0].kid
        wallet = vault.create_wallet(project, "ethereum").wallet
        vault.rotate_sealing_key()
    monkeypatch.setenv("STRONGROOM_KEYRING_KID", kid)
    with strongroom.init(sqlite_vault_url, root_key=root_key_uri) as vault:
        assert vault.find_wallet(project, "ethereum") == wallet, "a key that seals no more names its vault"
    put_in_the_place_of(sqlite_vault_url, second)
    for opener in (strongroom.open, strongroom.init):
        with pytest.raises(strongroom.KeyringCorruptError, match="keyring_kid"):
            opener(sqlite_vault_url, root_key=root_key_uri)
    takeover = strongroom.open_takeover(sqlite_vault_url, root_key=root_key_uri)
    with takeover.diagnose() as report:
        assert "keyring-changed" in {finding.code for finding in report.schema}
    with pytest.raises(strongroom.KeyringCorruptError):
        takeover.upgrade(actor="operator")
    monkeypatch.setenv("STRONGROOM_KEYRING_KID", theirs)
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        assert vault.find_wallet(project, "ethereum") not in (None, wallet)


def test_where_a_sealing_key_is_named_no_new_vault_is_made(private_path: Path, root_key_uri: str) -> None:
    for place in (private_path / "none.db", private_path / "empty.db"):
        if place.name == "empty.db":
            place.touch(0o600)
        with pytest.raises(strongroom.StrongroomError) as caught:
            strongroom.init(f"sqlite:///{place}", root_key=root_key_uri, keyring_kid="A" * 22)
        assert caught.value.code == "not-initialized"
        assert "keyring_kid" in str(caught.value.hint)
        assert place.exists() == (place.name == "empty.db")
        assert not place.exists() or place.stat().st_size == 0


def test_with_a_lock_timeout_a_call_behind_a_lock_ends_typed_and_can_be_retried(
    make_postgresql_vault: Callable[..., str], root_key_uri: str
) -> None:
    url = make_postgresql_vault(lock_timeout="100ms")
    project = uuid4()
    with strongroom.open(url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
        with psycopg.connect(url) as holder:
            holder.execute("LOCK TABLE strongroom.strongroom_slot, strongroom.project_credentials")
            for verb in (
                lambda: vault.find_wallet(project, "ethereum"),
                lambda: vault.create_wallet(project, "bitcoin"),
                lambda: vault.sign_message(wallet, b"x"),
            ):
                with pytest.raises(strongroom.StrongroomError) as caught:
                    verb()
                assert caught.value.retryable
        assert vault.create_wallet(project, "bitcoin").created
        assert vault.sign_message(wallet, b"x")
