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


def test_an_open_vault_refuses_the_keyring_of_another_one_under_its_root_key(
    sqlite_vault_url: str, root_key_uri: str, private_path: Path
) -> None:
    project, second = uuid4(), private_path / "second.db"
    with strongroom.init(f"sqlite:///{second}", root_key=root_key_uri) as other:
        other.import_wallet(project, "ethereum", private_key="42" * 32)
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
        with closing(sqlite3.connect(sqlite_path(sqlite_vault_url))) as connection, connection:
            connection.execute("ATTACH ? AS other", (str(second),))
            connection.execute("DELETE FROM credential_usage_logs")
            for table in reversed(EXCHANGED):
                connection.execute(f"DELETE FROM main.{table}")
            for table in EXCHANGED:
                connection.execute(f"INSERT INTO main.{table} SELECT * FROM other.{table}")
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
