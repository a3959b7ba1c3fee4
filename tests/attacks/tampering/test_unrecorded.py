"""A wallet of legacy tables whose record and history a writer deleted: its row decides nothing that a tag or a person's
setting still says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import strongroom
from strongroom import Vault, Wallet
from strongroom.usecases import elsewhere, rescue
from testbed.command_line import call
from testbed.databases.deployments import Deployment
from testbed.databases.foreign import add_wallet, address_of
from tests.attacks.tampering.planting import keep

KEY = "7a" * 32
ADDRESS = address_of("ethereum", KEY)
PHRASE = "test test test test test test test test test test test junk"


def forget(deployment: Deployment, wallet: Wallet, text: str = "MIGRATION_REQUIRED") -> None:
    """Delete the record and the history of a wallet, and put a text in its vault record."""
    for table in ("strongroom_wallet", "strongroom_vault_history"):
        deployment.execute(f"DELETE FROM {table} WHERE credential_id = ?", wallet.id)
    deployment.execute(
        "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?", text, wallet.id
    )


def state(deployment: Deployment, wallet: Wallet, address: str) -> None:
    """Let a wallet's row state an address."""
    deployment.execute(
        "UPDATE project_credentials SET wallet_address = ?, public_key = ?, metadata = '{}' WHERE id = ?",
        *(address, address, wallet.id),
    )


def test_no_kept_key_becomes_its_own_where_unproved_wallets_are_refused(deployment: Deployment) -> None:
    with deployment.open(accept_foreign=False) as vault:
        wallet = vault.create_wallet(deployment.project(), "ethereum").wallet
        forget(deployment, wallet)
        state(deployment, wallet, ADDRESS)
        keep(deployment, wallet.id, KEY)
        with pytest.raises(strongroom.UnprovedWalletError):
            vault.restore(wallet.id)
        with pytest.raises(strongroom.UnprovedWalletError):
            vault.find_wallet(wallet.project_id, "ethereum")


def test_a_kept_key_of_another_project_is_not_put_back(deployment: Deployment) -> None:
    with deployment.open() as vault:
        project, other = deployment.project(), deployment.project()
        theirs = vault.import_wallet(other, "ethereum", private_key=KEY).wallet
        wallet = vault.create_wallet(project, "ethereum").wallet
        forget(deployment, wallet)
        state(deployment, wallet, theirs.address)
        keep(deployment, wallet.id, KEY)
        with pytest.raises(strongroom.KeyConflictError, match="another project's"):
            vault.restore(wallet.id)
        found = vault.find_wallet(project, "ethereum")
        assert found is not None
        assert not found.proved
        with pytest.raises(strongroom.StrongroomError):
            vault.reveal(wallet.id, actor="operator", reason="x")


RETIRES: dict[str, Callable[[Vault, UUID], Any]] = {
    "replace": lambda vault, wallet: vault.replace_wallet(wallet),
    "revoke": lambda vault, wallet: vault.revoke_wallet(wallet),
}
VERBS: dict[str, Callable[[Vault, UUID], Any]] = {
    **RETIRES,
    "get": lambda vault, wallet: vault.get_wallet(wallet),
    "find by address": lambda vault, wallet: vault.find_by_address(ADDRESS),
    "store key": lambda vault, wallet: vault.store_key(wallet, private_key=KEY),
    "restore": lambda vault, wallet: vault.restore(wallet),
    "move key": lambda vault, wallet: vault.move_key(wallet, to="history"),
}


@pytest.mark.parametrize("made", ["by us", "by the legacy application"])
def test_a_slot_with_a_tag_says_whose_wallet_it_is(deployment: Deployment, made: str, tmp_path: Path) -> None:
    project, other = deployment.project(), deployment.project()
    if made == "by the legacy application":
        add_wallet(deployment.url, ADDRESS, KEY, project_id=project)
    with deployment.open() as vault:
        if made == "by us":
            wallet = vault.import_wallet(project, "ethereum", private_key=KEY).wallet
            forget(deployment, wallet)
        else:
            wallet = vault.create_wallet(project, "ethereum").wallet
        assert wallet.address == ADDRESS
        deployment.execute("UPDATE project_credentials SET project_id = ? WHERE id = ?", other, wallet.id)
        for name, verb in VERBS.items():
            with pytest.raises(strongroom.IdentityMismatchError) as caught:
                verb(vault, wallet.id)
            assert "project_id" in caught.value.columns, name
        opened = ("--database", deployment.url, "--root-key", deployment.root_key)
        found = call("doctor", *opened, "--json")
        assert "register-mismatch" in found.out
        assert str(wallet.id) in found.out
        plan = tmp_path / "plan.json"
        call("repair", *opened, "--plan", str(plan))
        units = json.loads(plan.read_text())["units"]
        assert [each["actions"] for each in units if each["credential_id"] == str(wallet.id) and each["actions"]] == []
        with pytest.raises((strongroom.IdentityMismatchError, strongroom.KeyMissingError)):
            vault.create_wallet(other, "ethereum")
        deployment.execute("UPDATE project_credentials SET project_id = ? WHERE id = ?", project, wallet.id)
        assert vault.get_wallet(wallet.id).address == ADDRESS


@pytest.mark.parametrize("verb", RETIRES.values(), ids=RETIRES)
def test_what_a_row_alone_says_is_not_retired_where_unproved_wallets_are_refused(
    deployment: Deployment, verb: Callable[[Vault, UUID], Any]
) -> None:
    with deployment.open(accept_foreign=False) as vault:
        wallet = vault.create_wallet(deployment.project(), "ethereum").wallet
        forget(deployment, wallet, "no key at all")
        deployment.execute("DELETE FROM strongroom_slot WHERE credential_id = ?", wallet.id)
        other = deployment.project()
        deployment.execute("UPDATE project_credentials SET project_id = ? WHERE id = ?", other, wallet.id)
        with pytest.raises(strongroom.UnprovedWalletError):
            verb(vault, wallet.id)
        assert vault.find_wallet(other, "ethereum") is None
    with deployment.open() as vault:
        verb(vault, wallet.id)


def test_planted_slots_do_not_hide_the_genuine_one(deployment: Deployment) -> None:
    with deployment.open() as vault:
        wallet = vault.create_wallet(deployment.project(), "ethereum").wallet
        forget(deployment, wallet)
        other = deployment.project()
        deployment.execute(
            "INSERT INTO strongroom_slot (project_id, network, label, credential_id, version, kid, tag) "
            "SELECT ?, network, 'x' || n, credential_id, version, kid, tag FROM strongroom_slot, "
            "generate_series(1, 300) n WHERE credential_id = ?",
            *(other, wallet.id),
        )
        deployment.execute("UPDATE project_credentials SET project_id = ? WHERE id = ?", other, wallet.id)
        with pytest.raises(strongroom.IdentityMismatchError) as caught:
            vault.store_key(wallet.id, private_key=KEY)
        assert "project_id" in caught.value.columns


def test_planted_paths_cost_a_call_no_more_than_its_budget(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    derived = []
    half_at = elsewhere._at

    def counted(network: Any, phrase: Any, place: Any) -> Any:
        derived.append(place.path or "")
        return half_at(network, phrase, place)

    monkeypatch.setattr(elsewhere, "_at", counted)
    monkeypatch.setattr("strongroom.crypto.tags.fits_record", lambda *_: True)  # else the first one ends it
    with deployment.open() as vault:
        wallet = vault.create_wallet(deployment.project(), "ethereum").wallet
        keep(deployment, wallet.id, PHRASE)
        deployment.execute(
            "INSERT INTO strongroom_wallet (project_id, credential_id, network, label, vault_id, address, public_key, "
            "scheme, path, access_level, status, version, kid, tag) SELECT gen_random_uuid(), gen_random_uuid(), "
            "network, label, vault_id, address, public_key, scheme, 'm/' || n || repeat('/1', 200), access_level, "
            "status, version, kid, tag FROM strongroom_wallet, generate_series(1, 1000) n WHERE credential_id = ?",
            wallet.id,
        )
        (entry,) = [each for each in vault.history(wallet.id).entries if each.text == PHRASE]
        with pytest.raises(strongroom.KeyConflictError, match="more derivation paths"):
            vault.reveal_kept(entry.id, actor="operator", reason="x")
        assert sum(path.count("/") for path in derived) <= elsewhere.MOST_LEVELS


def test_a_wallet_with_more_kept_texts_than_are_read_is_not_accepted(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescue, "MOST_ENTRIES", 20)
    with deployment.open() as vault:
        wallet = vault.create_wallet(deployment.project(), "ethereum").wallet
        keep(deployment, wallet.id, "x", 21)
    takeover = strongroom.open_takeover(deployment.url, root_key=deployment.root_key)
    with pytest.raises(strongroom.KeyMissingError, match="than is read"):
        takeover.upgrade(accept=[wallet.id], actor="operator")
    deployment.execute("DELETE FROM strongroom_vault_history WHERE text = 'x'")
    takeover.upgrade(accept=[wallet.id], actor="operator")
