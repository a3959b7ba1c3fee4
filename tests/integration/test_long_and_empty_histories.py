"""A history of many texts hides no key, and an empty text in any column stops nobody from looking."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import psycopg
import pytest

from strongroom.store.inspection import kept_texts
from strongroom.takeover.doctor import doctor
from testbed.command_line import call
from testbed.databases.attacked import Attacked
from testbed.databases.deployments import Deployment
from testbed.databases.guards import install, put

TEXTS = {
    "project_credentials": (
        *("credential_type", "network", "wallet_address", "public_key", "status", "metadata", "key_vault_id"),
    ),
    "credential_vault_storage": ("encrypted_private_key", "encryption_method", "access_level", "vault_id"),
    "strongroom_vault_history": ("network", "label", "address", "public_key", "vault_id", "text", "form", "reason"),
}
"""The columns that hold texts, and are read by doctor or next to what is read."""


def keys(number: int) -> list[str]:
    return [f"{scalar:064x}" for scalar in range(0x51AB << 8, (0x51AB << 8) + number)]


def overwritten(deployment: Deployment, texts: list[str]) -> str:
    """A wallet whose text was overwritten as often, and then by a placeholder, with the guard installed."""
    with deployment.open() as vault:
        wallet = vault.create_wallet(deployment.project(), "ethereum").wallet.id
        install(deployment)
        for text in texts:
            put(deployment, wallet, text)
        put(deployment, wallet, "MIGRATION_REQUIRED")
    return str(wallet)


@pytest.mark.parametrize("kind", ["keys", "notes"])
@pytest.mark.one_server
def test_a_key_under_many_texts_is_found(core_deployments: Deployment, private_path: Path, kind: str) -> None:
    attacked = Attacked(core_deployments, private_path)
    texts = keys(130) if kind == "keys" else [f"a note of the application {number}" for number in range(130)]
    wallet = overwritten(core_deployments, texts)
    [found] = [each for each in attacked.doctor() if each["code"] == "placeholder"]
    assert (found["repair"], found["automatic"]) == ("fill", True), found
    assert attacked.apply(attacked.plan()).code == 0
    with core_deployments.open() as vault:
        assert [result.ok for result in vault.verify(wallet)] == [True]


@pytest.mark.one_server
def test_what_was_not_read_to_its_end_is_never_lost(
    core_deployments: Deployment, private_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_texts, "MOST_TEXTS", 3)
    attacked = Attacked(core_deployments, private_path)
    with core_deployments.open() as vault:
        other = vault.create_wallet(core_deployments.project(), "ethereum").wallet.id
        wallet = overwritten(core_deployments, [])
        text = core_deployments.texts()[other]
        for _ in range(4):  # newer ones of another wallet, under this one
            attacked.entry(vault.get_wallet(wallet).id, text, other, vault.get_wallet(wallet).address, "sealed")
        core_deployments.execute(
            "UPDATE strongroom_vault_history SET created_at = ? WHERE reason = 'guard-update' AND text = ?",
            "2099-01-01T00:00:00+00:00",
            text,
        )
        [found] = [each for each in attacked.doctor() if each["code"] == "placeholder"]
        assert found["repair"] == "ask", found
        assert "more is kept of the wallet than was read" in found["evidence"]
        told = call("doctor", "--database", core_deployments.url, "--root-key", core_deployments.root_key)
        assert "lost           0" in told.out
        for command in (found["command"], f"strongroom history restore {wallet}"):
            base = ("--database", core_deployments.url, "--root-key", core_deployments.root_key)
            answer = call(*command.split()[1:], *base)
            assert answer.code == 0, answer.err


@pytest.mark.crossed(10)
@pytest.mark.parametrize(("table", "column"), [(table, column) for table in TEXTS for column in TEXTS[table]])
def test_an_empty_text_in_any_column_is_read(
    core_deployments: Deployment, private_path: Path, table: str, column: str
) -> None:
    attacked = Attacked(core_deployments, private_path)
    with core_deployments.open() as vault:
        wallet = vault.create_wallet(core_deployments.project(), "ethereum").wallet
        attacked.entry(wallet.id, "3a" * 32, wallet.project_id, wallet.address, "foreign")
    with contextlib.suppress(
        psycopg.Error, sqlite3.Error
    ):  # where the schema itself refuses it, there is nothing to read
        core_deployments.execute(f"UPDATE {table} SET {column} = '' WHERE true")
    attacked.doctor()
    assert attacked.plan().exists()


@pytest.mark.one_server
def test_notes_that_are_not_told_are_counted(
    core_deployments: Deployment, private_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_MOST_NOTES", 3)
    with core_deployments.open() as vault:
        install(core_deployments)
        wallet = vault.create_wallet(core_deployments.project(), "ethereum").wallet.id
        for number in range(5):
            put(core_deployments, wallet, f"a note of the application, the one numbered {number}")
            vault.restore(wallet, archive_current=True)
    told = call("doctor", "--database", core_deployments.url, "--root-key", core_deployments.root_key, "--json")
    notes = [each for each in json.loads(told.out)["notes"] if each["code"] == "kept-text"]
    assert "2 more of these" in notes[-1]["evidence"], notes
