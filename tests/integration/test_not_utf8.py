"""Bytes in columns of text, which SQLite takes: one row is told of, and every other one is read as always."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import strongroom
from strongroom import Vault, Wallet
from strongroom.errors import StoreRefusedError
from strongroom.settings import Settings
from strongroom.store import register_store
from strongroom.store.connection.session import Session
from strongroom.usecases.context import VaultContext
from strongroom.usecases.texts_anywhere import texts_anywhere
from strongroom.wiring.vaults import open_context
from testbed.command_line import CommandResult, call
from testbed.databases.attacked import WHO, Attacked

pytestmark = pytest.mark.parametrize("attacked", ["sqlite"], indirect=True)
FORMS = {"blob": "x'ff00fe'", "text": "CAST(x'ff00fe' AS TEXT)", "inside": "CAST(x'30ff' || coalesce({}, '') AS TEXT)"}
CREDENTIALS, VAULT = "project_credentials", "credential_vault_storage"
MENDED = {(CREDENTIALS, each) for each in ("project_id", "network", "wallet_address", "public_key")}
"""What a repair puts back, since sealed text and register say it."""
UNREADABLE = {
    *((CREDENTIALS, each) for each in ("wallet_address", "public_key", "network", "key_vault_id", "status")),
    *((CREDENTIALS, "credential_type"), (VAULT, "encrypted_private_key")),
}
"""What doctor says of that it is no text."""
UNTOLD = {(CREDENTIALS, each) for each in ("vault_stored", "vault_backup_date", "created_by", "created_at")} | {
    (CREDENTIALS, "updated_at"),
    *((VAULT, each) for each in ("id", "project_id", "vault_id", "backup_created", "revoked_at", "revoked_by")),
    *((VAULT, each) for each in ("created_at", "updated_at")),
}
"""What nobody relies on: the wallet is as good as before."""
COLUMNS = [
    *((CREDENTIALS, each) for each in ("id", "project_id", "credential_type", "network", "wallet_address")),
    *((CREDENTIALS, each) for each in ("public_key", "key_vault_id", "status", "is_active", "metadata", "revoked_at")),
    *((VAULT, each) for each in ("credential_id", "encrypted_private_key")),
    *sorted(UNTOLD),
]
CHECKED = {(VAULT, "encryption_method"), (VAULT, "access_level")}
"""Whose CHECKs take none."""


def path_of(attacked: Attacked) -> str:
    return attacked.deployment.url.removeprefix("sqlite:///")


def spoil(attacked: Attacked, table: str, column: str, form: str, wallet: UUID) -> None:
    own = "id" if table == CREDENTIALS else "credential_id"
    with closing(sqlite3.connect(path_of(attacked))) as database, database:
        sql = f"UPDATE {table} SET {column} = {FORMS[form].format(column)} WHERE {own} = ?"
        assert database.execute(sql, (str(wallet),)).rowcount == 1


def run(attacked: Attacked, *words: str) -> CommandResult:
    return call(*words, "--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)


@contextmanager
def opened(attacked: Attacked) -> Iterator[VaultContext]:
    context = open_context(Settings(database=attacked.deployment.url, root_key=attacked.deployment.root_key))
    try:
        yield context
    finally:
        context.close()


def two(attacked: Attacked) -> tuple[Wallet, Wallet]:
    with attacked.deployment.open() as vault:
        project = attacked.deployment.project()
        return (
            vault.create_wallet(project, "ethereum", label="a").wallet,
            vault.create_wallet(project, "ethereum", label="b").wallet,
        )


def asked(vault: Vault, wallet: Wallet) -> Iterator[Any]:
    """What each verb about a wallet answers."""
    for verb in (
        lambda: vault.get_wallet(wallet.id),
        lambda: vault.find_wallet(wallet.project_id, "ethereum", label=wallet.label),
        lambda: vault.find_by_address(wallet.address),
        lambda: vault.reveal(wallet.id, **WHO),
        lambda: vault.list_wallets(project_id=wallet.project_id),
        lambda: list(vault.verify()),
        vault.status,
    ):
        try:
            yield verb()
        except strongroom.StrongroomError as error:
            yield error


def test_every_column_is_tried(attacked: Attacked) -> None:
    with closing(sqlite3.connect(path_of(attacked))) as database:
        for table in (CREDENTIALS, VAULT):
            names = {(table, row[1]) for row in database.execute(f"PRAGMA table_info({table})")}
            assert names == {each for each in (*COLUMNS, *CHECKED) if each[0] == table}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_one_row_is_told_of_and_the_others_are_read(
    attacked: Attacked, table: str, column: str, form: str, tmp_path: Path
) -> None:
    spoilt, other = two(attacked)
    spoil(attacked, table, column, form, spoilt.id)
    findings = attacked.doctor()
    assert not any(str(other.id) in json.dumps(each) for each in findings)
    assert bool(findings) == ((table, column) not in UNTOLD)
    if (table, column) in UNREADABLE:
        named = f"{column} (bytes that are no text)"
        assert any(named in each["evidence"] and each["row"] == str(spoilt.id) for each in findings)
    if findings and column not in ("id", "credential_id"):
        assert any(each["row"] and column in each["evidence"] and each["table"] == CREDENTIALS for each in findings)
    with attacked.deployment.open() as vault:
        told = list(asked(vault, spoilt))
        assert not any(isinstance(each, StoreRefusedError) for each in told)
        assert vault.get_wallet(other.id).address == other.address
        assert vault.reveal(other.id, **WHO).private_key.reveal_text()
        assert [each.ok for each in vault.verify() if each.id == other.id] == [True]
    plan = tmp_path / "plan.json"
    assert run(attacked, "repair", "--plan", str(plan)).code == 0
    applied = run(attacked, "repair", "--apply", str(plan), "--actor", "test", "--reason", "test")
    assert applied.code == (6 if column == "credential_id" and form != "blob" else 0), applied.err
    if (table, column) in MENDED | UNTOLD:
        assert attacked.doctor() == []
        with attacked.deployment.open() as vault:
            assert vault.get_wallet(spoilt.id).address == spoilt.address


@pytest.mark.parametrize("form", FORMS)
def test_pages_go_on_behind_such_an_id(attacked: Attacked, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spoilt, other = two(attacked)
    third = two(attacked)[0]
    spoil(attacked, CREDENTIALS, "id", form, spoilt.id)
    spoil(attacked, VAULT, "id", form, spoilt.id)
    monkeypatch.setattr(register_store, "_PAGE_OF_TEXTS", 1)
    monkeypatch.setattr(register_store, "_PAGE", 1)
    with opened(attacked) as context:
        assert {spoilt.id, other.id, third.id} <= {found.header.id for found in texts_anywhere(context)}
        holders = [each.address for page in context.store.register.stream_key_holders() for each in page]
        assert {spoilt.address, other.address, third.address} <= set(holders)


def test_what_would_write_such_a_text_is_refused(attacked: Attacked) -> None:
    with closing(sqlite3.connect(path_of(attacked))) as database:
        session = Session(database.cursor(), True, False)
        with pytest.raises(UnicodeEncodeError):
            session.change("UPDATE project_credentials SET network = :network", {"network": "\udcff"})
        assert session.fetch("SELECT CAST(x'ff' AS TEXT), :network = CAST(x'ff' AS TEXT)", {"network": "\udcff"}) == [
            ("\udcff", 1)
        ]
        assert database.text_factory is str
    with attacked.deployment.open() as vault, pytest.raises(strongroom.StrongroomError):
        vault.create_wallet(attacked.deployment.project(), "ethereum", label="\udcff")
