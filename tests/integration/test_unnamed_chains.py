"""Wallets of chains that have an id and no name: stored, found, and found again after a release named the chain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import strongroom
from strongroom import Vault
from strongroom.networks import TABLE, NetworkTable
from strongroom.networks.evm.chain import EvmChain
from strongroom.wiring import vaults
from testbed.command_line import call
from testbed.databases.deployments import Deployment
from testbed.databases.foreign import add_credential
from tests.integration.doctors import document

KEY = "0x" + "46" * 32
OTHER_KEY = "0x" + "47" * 32
WHO: dict[str, Any] = {"actor": "a", "reason": "r"}
LATER = NetworkTable((*TABLE.chains, EvmChain("later", 4242)))
"""The table of a release that has a name for a chain."""


@contextmanager
def later_release(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    with monkeypatch.context() as patched:
        patched.setattr(vaults, "TABLE", LATER)
        with deployment.open() as vault:
            yield vault


def types(deployment: Deployment) -> set[tuple[str, str]]:
    return set(deployment.execute("SELECT network, credential_type FROM project_credentials"))


def test_a_wallet_is_found_under_both_names_before_and_after_its_chain_has_one(
    core_deployments: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = core_deployments.project()
    with core_deployments.open() as vault:
        made = vault.create_wallet(project, "evm:4242", idempotency_key="one").wallet
        hot = vault.import_wallet(project, "evm:4242", label="hot", private_key=KEY).wallet
        several = vault.create_wallets(project, ["evm:4242", "evm:8453"], label="b", idempotency_key="all")
    assert (made.network, hot.network) == ("evm:4242", "evm:4242")
    assert {("evm:4242", "evm.4242_wallet"), ("evm:4242", "evm.4242_wallet:hot")} <= types(core_deployments)
    assert ("base", "base_wallet:b") in types(core_deployments)

    with later_release(core_deployments, monkeypatch) as vault:
        for name in ("later", "evm:4242"):
            assert vault.find_wallet(project, name) == made
            assert vault.find_wallet(project, name, "hot") == hot
            assert vault.create_wallet(project, name) == (made, False)
            assert vault.create_wallet(project, name, idempotency_key="one") == (made, False)
            assert vault.import_wallet(project, name, label="hot", private_key=KEY) == (hot, False)
            with pytest.raises(strongroom.KeyConflictError):
                vault.import_wallet(project, name, label="hot", private_key=OTHER_KEY)
            again = vault.create_wallets(project, [name, "base"], label="b", idempotency_key="all")
            assert [each.wallet for each in again] == [each.wallet for each in several]
            assert {each.id for each in vault.list_wallets(project, network=name).wallets} >= {made.id, hot.id}
        new = vault.create_wallet(project, "later", label="new", idempotency_key="two").wallet
        assert new.network == "evm:4242"
        assert vault.find_by_address(new.address) == new
        assert [result for result in vault.verify() if not result.ok] == []
    with core_deployments.open() as vault:  # a process of the release before, while both run
        assert vault.find_wallet(project, "evm:4242", "new") == new
        assert vault.create_wallet(project, "evm:4242", label="new", idempotency_key="two") == (new, False)
        with pytest.raises(strongroom.UnknownNetworkError):
            vault.find_wallet(project, "later")


def test_an_id_of_the_table_is_that_network(core_deployments: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    project = core_deployments.project()
    with core_deployments.open() as vault:
        wallet, created = vault.create_wallet(project, "evm:8453")
        assert (wallet.network, created) == ("base", True)
        assert vault.create_wallet(project, "base") == (wallet, False)
        assert vault.find_wallet(project, "evm:8453") == vault.find_wallet(project, "base") == wallet
    assert types(core_deployments) == {("base", "base_wallet")}
    with later_release(core_deployments, monkeypatch) as vault:
        assert vault.find_wallet(project, "evm:8453") == wallet


def test_a_wallet_of_a_chain_without_a_name_has_every_verb(core_deployments: Deployment, private_path: Path) -> None:
    project = core_deployments.project()
    with core_deployments.open() as vault:
        first = vault.import_wallet(project, "evm:4242", label="hot", private_key=KEY).wallet
        vault.sign_message(first, b"hello")
        payload = {"to": "0x" + "11" * 20, "value": 1, "nonce": 0, "gas": 21_000, "maxFeePerGas": 1, "chainId": 4242}
        vault.sign_transaction(first, {**payload, "maxPriorityFeePerGas": 1})
        with pytest.raises(strongroom.SignatureRefusedError):
            vault.sign_transaction(first, {**payload, "maxPriorityFeePerGas": 1, "chainId": 1, "nonce": 1})
        with pytest.raises(strongroom.SignatureRefusedError, match="limit"):
            vault.sign_transaction(first, {**payload, "maxPriorityFeePerGas": 1, "maxFeePerGas": 10**18, "nonce": 1})
        second = vault.replace_wallet(first).wallet
        assert second.network == "evm:4242"
        assert vault.find_wallet(project, "evm:4242", "hot") == second
        assert vault.reveal(first, actor="a", reason="r").private_key.reveal_text() == KEY
        vault.revoke_wallet(second)
        with pytest.raises(strongroom.WalletRevokedError):
            vault.create_wallet(project, "evm:4242", label="hot")
        vault.create_wallet(project, "evm:4242", label="cold")
    core_deployments.assert_sound()
    found = document(core_deployments.url)
    assert [each for each in found["findings"] if each["code"] != "keyring-not-read"] == []
    with core_deployments.open() as vault:
        assert vault.erase_project(project, actor="operator", reason="17").complete
        assert all(each.label.startswith("erased") for each in vault.list_wallets(project).wallets)
    assert not [kind for _, kind in types(core_deployments) if kind.endswith((":hot", ":cold"))]


def test_keys_of_a_project_phrase_are_those_of_one_network(
    core_deployments: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = core_deployments.project()
    with core_deployments.open() as vault:
        vault.create_phrase(project)
        first = vault.create_wallet(project, "evm:4242", label="a", phrase="default").wallet
    with later_release(core_deployments, monkeypatch) as vault:
        assert vault.create_wallet(project, "later", label="a", phrase="default") == (first, False)
        second = vault.create_wallet(project, "later", label="b", phrase="default").wallet
        assert (second.network, second.phrase_index) == ("evm:4242", 1)
        assert {each.network for each in vault.list_accounts(project)} == {"evm:4242"}
        assert vault.export_xpub(project, "later", **WHO) == vault.export_xpub(project, "evm:4242", **WHO)
    core_deployments.assert_sound()


def test_the_guard_keeps_the_key_of_such_a_wallet_with_its_network_and_label(core_deployments: Deployment) -> None:
    project = core_deployments.project()
    with core_deployments.open() as vault:
        wallet = vault.import_wallet(project, "evm:4242", label="hot", private_key=KEY).wallet
        assert call("guard", "--install", "--database", core_deployments.url).code == 0
        core_deployments.execute("DELETE FROM strongroom_slot")
        core_deployments.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", wallet.id)
        kept = core_deployments.execute("SELECT network, label FROM strongroom_vault_history")
        assert set(kept) == {("evm:4242", "hot")}
        assert vault.restore(wallet.id).wallet.network == "evm:4242"
        assert vault.reveal(wallet, actor="a", reason="r").private_key.reveal_text() == KEY


def test_the_command_line_takes_the_names(core_deployments: Deployment) -> None:
    project = core_deployments.project()
    open_it = ("--database", core_deployments.url, "--root-key", core_deployments.root_key)
    made = call("wallet", "create", "evm:4242", "--project", str(project), "--label", "hot", *open_it, "--json")
    assert made.code == 0, made.err
    shown = call("wallet", "show", f"{project}/evm:4242/hot", *open_it, "--json")
    assert shown.code == 0, shown.err
    assert '"evm:4242"' in shown.out
    listed = call("wallet", "list", "--project", str(project), "--network", "evm:4242", *open_it)
    assert "evm:4242" in listed.out
    assert call("networks", "evm:4242", "--json").code == 0
    assert call("networks", "evm:04242").code == 2


def test_rows_of_the_legacy_application_are_read_by_either_name(
    g4_url: str, root_key_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = Deployment("g4", g4_url, root_key_uri)
    project = deployment.project()
    address = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"
    add_credential(g4_url, project, address.lower(), network="evm:8453")
    with deployment.open() as vault:
        assert [each.network for each in vault.list_wallets(project).wallets] == ["base"]
    other = deployment.project()
    add_credential(g4_url, other, address.lower(), network="later")
    with later_release(deployment, monkeypatch) as vault:
        assert [each.network for each in vault.list_wallets(other).wallets] == ["evm:4242"]


def test_a_wallet_of_rootstock_is_found_by_every_spelling_of_its_address(core_deployments: Deployment) -> None:
    project, other = core_deployments.project(), core_deployments.project()
    with core_deployments.open() as vault:
        wallet = vault.import_wallet(project, "rootstock", private_key=KEY).wallet
        assert wallet.address == "0x9D8A62f656a8d1615C1294Fd71E9Cfb3E4855A4F"
        for spelling in (wallet.address, wallet.address.lower(), "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"):
            assert vault.find_by_address(spelling) == wallet
        payload = {"to": wallet.address, "from": wallet.address, "value": 1, "nonce": 0, "gas": 21_000, "gasPrice": 1}
        vault.sign_transaction(wallet, {**payload, "chainId": 30})
        with pytest.raises(strongroom.SignatureRefusedError, match="limit"):
            vault.sign_transaction(wallet, {**payload, "chainId": 30, "nonce": 1, "gasPrice": 10**12})
        ethereum = vault.import_wallet(other, "ethereum", label="e", private_key=OTHER_KEY).wallet
        with pytest.raises(strongroom.MalformedPayloadError, match="EIP-55"):
            vault.sign_transaction(ethereum, {**payload, "chainId": 1, "from": ethereum.address})
    core_deployments.assert_sound()
    found = document(core_deployments.url)
    assert [each for each in found["findings"] if each["code"] != "keyring-not-read"] == []


def test_a_legacy_row_of_rootstock_may_have_the_address_as_other_libraries_write_it(
    g4_url: str, root_key_uri: str
) -> None:
    deployment = Deployment("g4", g4_url, root_key_uri)
    project = deployment.project()
    wallet_id = add_credential(g4_url, project, "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F", network="rootstock")
    with deployment.open() as vault:
        [listed] = vault.list_wallets(project).wallets
        assert listed.network == "rootstock"
        assert vault.store_key(wallet_id, private_key=KEY).stored
        assert vault.get_wallet(wallet_id).network == "rootstock"
        assert vault.reveal(wallet_id, actor="a", reason="r").private_key.reveal_text() == KEY
