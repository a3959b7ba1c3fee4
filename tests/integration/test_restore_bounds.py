"""Restoring a wallet of which anybody planted kept texts: bounded in texts, characters and phrases, with a way on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom import Vault, Wallet
from strongroom.usecases import history, rescue
from tests.acceptance.test_cli import call
from tests.integration.children import PHRASE
from tests.integration.children_lifecycle import Place
from tests.integration.test_guard import install, put
from tests.integration.test_kept_keys import key_of, rows_gone

WHO = {"actor": "test", "reason": "to compare"}


def plant(place: Place, wallet: Wallet, text: str, form: str, times: int) -> None:
    """Entries that are newer than all that strongroom kept."""
    later = datetime.now(UTC) + timedelta(days=1)
    for number in range(times):
        place.execute(
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
def test_more_than_is_read_is_told_and_one_entry_is_named(
    few: Place, bound: str, gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(few)
    with few.open() as vault:
        wallet = vault.create_wallet(few.project(), "ethereum").wallet
        key, own = key_of(vault, wallet), few.texts()[wallet.id]
        if gone:
            rows_gone(few, wallet.id)
        else:
            put(few, wallet.id, "")
        plant(few, wallet, "eyJraWQiOi.planted." + "x" * 200, "sealed", 6)
        monkeypatch.setattr(rescue, bound, 5 if bound == "MOST_ENTRIES" else 1000)
        with pytest.raises(strongroom.KeyMissingError) as caught:
            vault.restore(wallet.id)
        assert f"history restore {wallet.id} --entry ENTRY" in caught.value.hint
        entry = str(kept(vault, wallet, own))
        place = ("--database", few.url, "--root-key", few.root_key)
        assert call("history", "restore", str(wallet.id), "--entry", entry, *place).code == 0
        assert key_of(vault, wallet) == key


def test_of_many_phrases_some_are_tried(few: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    install(few)
    monkeypatch.setattr(history, "MOST_PHRASES", 2)
    with few.open() as vault:
        wallet = vault.create_wallet(few.project(), "ethereum").wallet
        key, own = key_of(vault, wallet), few.texts()[wallet.id]
        put(few, wallet.id, "")
        few.execute("UPDATE strongroom_vault_history SET form = 'foreign' WHERE credential_id = ?", wallet.id)
        plant(few, wallet, PHRASE, "foreign", 4)
        with pytest.raises(strongroom.KeyMissingError) as caught:
            vault.restore(wallet.id)
        assert "2 were tried" in caught.value.hint
        few.execute("UPDATE strongroom_vault_history SET form = 'sealed' WHERE text = ?", own)
        assert vault.restore(wallet.id, entry=kept(vault, wallet, own)).stored
        assert key_of(vault, wallet) == key


def test_an_entry_of_another_wallet_is_no_entry(few: Place) -> None:
    install(few)
    with few.open() as vault:
        mine, theirs = (vault.create_wallet(few.project(), "ethereum").wallet for _ in range(2))
        put(few, theirs.id, "")
        put(few, mine.id, "")
        [entry] = [each.id for each in vault.history(theirs.id).entries]
        for unknown in (entry, uuid4(), "no id", 7):
            with pytest.raises(strongroom.WalletNotFoundError):
                vault.restore(mine.id, entry=unknown)  # type: ignore[arg-type]
