"""Every verb that takes a wallet takes the project that it has to be of: in any other one it is not found."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom import AsyncVault, Vault
from testbed.databases.deployments import Deployment
from testbed.processes.signing import transaction

KEY = "43" * 32
WHY: dict[str, Any] = {"actor": "operator", "reason": "a test"}
TYPED: dict[str, Any] = {
    "types": {"EIP712Domain": [{"name": "chainId", "type": "uint256"}], "Note": [{"name": "text", "type": "string"}]},
    "primaryType": "Note",
    "domain": {"chainId": 1},
    "message": {"text": "hello"},
}
Verb = Callable[[Vault, UUID, UUID], Any]
VERBS: dict[str, Verb] = {
    "get_wallet": lambda vault, wallet, project: vault.get_wallet(wallet, project_id=project),
    "verify": lambda vault, wallet, project: list(vault.verify(wallet, project_id=project)),
    "reveal": lambda vault, wallet, project: vault.reveal(wallet, project_id=project, **WHY),
    "export_keystore": lambda vault, wallet, project: vault.export_keystore(
        wallet, password="x" * 12, project_id=project, **WHY
    ),
    "account": lambda vault, wallet, project: vault.account(wallet, project_id=project),
    "sign": lambda vault, wallet, project: vault.sign(wallet, "message", b"x", project_id=project),
    "sign_message": lambda vault, wallet, project: vault.sign_message(wallet, b"x", project_id=project),
    "sign_typed_data": lambda vault, wallet, project: vault.sign_typed_data(wallet, TYPED, project_id=project),
    "sign_transaction": lambda vault, wallet, project: vault.sign_transaction(
        wallet, transaction(1, 10), project_id=project
    ),
    "sign_authorization": lambda vault, wallet, project: vault.sign_authorization(
        wallet, {"chainId": 1, "address": "0x" + "22" * 20, "nonce": 7}, project_id=project
    ),
    "dangerously_sign_digest": lambda vault, wallet, project: vault.dangerously_sign_digest(
        wallet, b"\x01" * 32, project_id=project
    ),
    "store_key": lambda vault, wallet, project: vault.store_key(wallet, private_key=KEY, project_id=project),
    "restore": lambda vault, wallet, project: vault.restore(wallet, project_id=project),
    "replace_wallet": lambda vault, wallet, project: vault.replace_wallet(wallet, project_id=project),
    "revoke_wallet": lambda vault, wallet, project: vault.revoke_wallet(wallet, project_id=project),
}
"""Each with the project that is given, on a wallet of EVM; in an order in which all succeed."""
ELSEWHERE = {"sign_psbt", "move_key", "history", "list_log", "reveal_kept", "reveal_kept_text"}
"""Of these there is a test each: they need another wallet, or answer with an empty page."""


def test_the_verbs_are_all_that_take_a_wallet() -> None:
    for kind in (Vault, AsyncVault):
        found = {
            name: inspect.signature(member).parameters
            for name, member in inspect.getmembers(kind, callable)
            if not name.startswith("_")
        }
        takes_wallet = {name for name, parameters in found.items() if "wallet" in parameters}
        assert takes_wallet == set(VERBS) | ELSEWHERE
        assert [name for name in takes_wallet if "project_id" not in found[name]] == []


def test_a_wallet_of_another_project_is_not_found_and_nothing_is_done(core_deployments: Deployment) -> None:
    project, other = core_deployments.project(), core_deployments.project()
    with core_deployments.open() as vault:
        wallet = vault.import_wallet(project, "ethereum", private_key=KEY).wallet
        vault.create_wallet(other, "ethereum")
        before = vault.list_log(wallet).records
        for verb in VERBS.values():
            with pytest.raises(strongroom.WalletNotFoundError):
                verb(vault, wallet.id, other)
        assert vault.list_log(wallet).records == before, "not even a refusal is logged under another project's wallet"
        for verb in VERBS.values():
            verb(vault, wallet.id, project)
        assert vault.get_wallet(wallet.id).status == "revoked"


def test_a_wallet_that_a_verb_returned_is_looked_for_in_the_project_that_is_named(
    core_deployments: Deployment,
) -> None:
    project, other = core_deployments.project(), core_deployments.project()
    with core_deployments.open() as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
        assert vault.get_wallet(wallet, project_id=str(project)) == wallet
        vault.sign_message(wallet, b"x", project_id=project)
        anything: Any = vault
        verbs: tuple[Callable[..., Any], ...] = (
            vault.get_wallet,
            lambda *given, **named: anything.sign_message(*given, b"x", **named),
        )
        for verb in verbs:
            with pytest.raises(strongroom.WalletNotFoundError):
                verb(wallet, project_id=other)
            with pytest.raises(strongroom.InvalidProjectError):
                verb(wallet, project_id="none")


def test_a_history_and_a_log_are_those_of_a_wallet_of_the_project(core_deployments: Deployment) -> None:
    project, other = core_deployments.project(), core_deployments.project()
    with core_deployments.open() as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
        vault.rotate_sealing_key()
        assert all(result.ok for result in vault.rewrap())
        assert vault.history(wallet.id, project_id=project) == vault.history(wallet.id)
        assert vault.history(wallet.id).entries
        assert vault.history(wallet.id, project_id=other).entries == ()
        assert vault.list_log(wallet.id, project_id=project).records
        assert vault.list_log(wallet.id, project_id=other).records == ()


def test_other_networks_and_keys_that_are_moved(sqlite_vault_url: str, root_key_uri: str) -> None:
    project, other = uuid4(), uuid4()
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(project, "bitcoin").wallet
        with pytest.raises(strongroom.WalletNotFoundError):
            vault.sign_psbt(wallet.id, b"psbt\xff", project_id=other)
        with pytest.raises(strongroom.MalformedPayloadError):
            vault.sign_psbt(wallet.id, b"psbt\xff", project_id=project)
        with pytest.raises(strongroom.WalletNotFoundError):
            vault.move_key(wallet.id, to="history", project_id=other)
        with pytest.raises(strongroom.StrongroomError) as caught:
            vault.move_key(wallet.id, to="history", project_id=project)
        assert caught.value.code != "wallet-not-found"
    with strongroom.open_unverified(sqlite_vault_url) as unverified:
        assert unverified.get_wallet(wallet.id, project_id=project).id == wallet.id
        with pytest.raises(strongroom.WalletNotFoundError):
            unverified.get_wallet(wallet.id, project_id=other)
