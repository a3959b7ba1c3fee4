"""Restoring a wallet of which anybody planted kept texts: bounded in texts, characters and phrases, with a way on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom import Vault, Wallet
from strongroom.usecases import history, rescue
from testbed.command_line import call
from testbed.databases.deployments import Deployment
from testbed.databases.guards import install, key_of, put, rows_gone
from testbed.processes.wallets import PHRASE

WHO: dict[str, Any] = {"actor": "test", "reason": "to compare"}


def plant(deployment: Deployment, wallet: Wallet, text: str, form: str, times: int) -> None:
    """Entries that are newer than all that strongroom kept."""
    later = datetime.now(UTC) + timedelta(days=1)
    for number in range(times):
        deployment.execute(
            "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, public_key, "
            "vault_id, text, form, reason, created_at, schema_version) "
            "VALUES (?, ?, ?, 'ethereum', 'default', ?, '', 'x', ?, ?, 'archive', ?, 1)",
            uuid4(),
            wallet.project_id,
            wallet.id,
            wallet.address,
            text,
            form,
            later + timedelta(seconds=number),
        )


def kept(vault: Vault, wallet: Wallet, own: str) -> UUID:
    return next(each.id for each in vault.history(wallet.id).entries if each.text == own)


@pytest.mark.parametrize("gone", [False, True], ids=["emptied", "rows gone"])
@pytest.mark.parametrize("bound", ["MOST_ENTRIES", "MOST_CHARACTERS"])
@pytest.mark.one_server
def test_more_than_is_read_is_told_and_one_entry_is_named(
    core_deployments: Deployment, bound: str, gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(core_deployments)
    with core_deployments.open() as vault:
        wallet = vault.create_wallet(core_deployments.project(), "ethereum").wallet
        key, own = key_of(vault, wallet), core_deployments.texts()[wallet.id]
        if gone:
            rows_gone(core_deployments, wallet.id)
        else:
            put(core_deployments, wallet.id, "")
        plant(core_deployments, wallet, "eyJraWQiOi.planted." + "x" * 200, "sealed", 6)
        monkeypatch.setattr(rescue, bound, 5 if bound == "MOST_ENTRIES" else 1000)
        with pytest.raises(strongroom.KeyMissingError) as caught:
            vault.restore(wallet.id)
        assert f"history restore {wallet.id} --entry ENTRY" in caught.value.hint
        entry = str(kept(vault, wallet, own))
        deployment = ("--database", core_deployments.url, "--root-key", core_deployments.root_key)
        assert call("history", "restore", str(wallet.id), "--entry", entry, *deployment).code == 0
        assert key_of(vault, wallet) == key


@pytest.mark.one_server
def test_of_many_phrases_some_are_tried(core_deployments: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    install(core_deployments)
    monkeypatch.setattr(history, "MOST_PHRASES", 2)
    with core_deployments.open() as vault:
        wallet = vault.create_wallet(core_deployments.project(), "ethereum").wallet
        key, own = key_of(vault, wallet), core_deployments.texts()[wallet.id]
        put(core_deployments, wallet.id, "")
        core_deployments.execute(
            "UPDATE strongroom_vault_history SET form = 'foreign', text = 'gone' WHERE credential_id = ?", wallet.id
        )
        plant(core_deployments, wallet, PHRASE, "foreign", 4)
        with pytest.raises(strongroom.KeyMissingError) as caught:
            vault.restore(wallet.id)
        assert "2 were tried" in caught.value.hint
        core_deployments.execute(
            "UPDATE strongroom_vault_history SET form = 'sealed', text = ? WHERE text = 'gone'", own
        )
        assert vault.restore(wallet.id, entry=kept(vault, wallet, own)).stored
        assert key_of(vault, wallet) == key


@pytest.mark.one_server
def test_an_entry_of_another_wallet_is_no_entry(core_deployments: Deployment) -> None:
    install(core_deployments)
    with core_deployments.open() as vault:
        mine, theirs = (vault.create_wallet(core_deployments.project(), "ethereum").wallet for _ in range(2))
        put(core_deployments, theirs.id, "")
        put(core_deployments, mine.id, "")
        [entry] = [each.id for each in vault.history(theirs.id).entries]
        for unknown in (entry, uuid4(), "no id", 7):
            with pytest.raises(strongroom.WalletNotFoundError):
                vault.restore(mine.id, entry=unknown)  # type: ignore[arg-type]
