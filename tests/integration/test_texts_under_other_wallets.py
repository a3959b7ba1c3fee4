"""A sealed text that is stored under another wallet: its own wallet's verbs, or one that names it, get its key out."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import strongroom
from strongroom import Vault, Wallet
from testbed.command_line import CommandResult, call
from testbed.databases.attacked import WHO, Attacked
from testbed.databases.deployments import Deployment
from testbed.databases.guards import install, put, rows_gone

KEYS = iter(range(0x77AA << 16, 0x77AB << 16))


@pytest.fixture
def attacked(core_deployments: Deployment, private_path: Path) -> Attacked:
    return Attacked(core_deployments, private_path)


def imported(vault: Vault, deployment: Deployment, **more: Any) -> tuple[Wallet, str]:
    key = f"{next(KEYS):064x}"
    return vault.import_wallet(deployment.project(), "ethereum", private_key=key, **more).wallet, key


def run(deployment: Deployment, command: str) -> CommandResult:
    words = shlex.split(command)
    assert words.pop(0) == "strongroom", command
    return call(*words, "--json", "--database", deployment.url, "--root-key", deployment.root_key)


def without_history(deployment: Deployment, *wallets: Wallet) -> None:
    for each in wallets:
        deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", each.id)


def gets_out(deployment: Deployment, vault: Vault, wallet: Wallet, key: str, command: str) -> bool:
    """Whether a command works, and the key is printed, or in the wallet."""
    answer = run(deployment, command)
    assert answer.code == 0, (command, answer)
    return key in answer.out or key in vault.reveal(wallet.id, **WHO).private_key.reveal_text()


def misplaced(deployment: Deployment, vault: Vault) -> tuple[Wallet, str, Wallet]:
    """The text of one wallet in the record of another one, and neither has a history."""
    (theirs, key), (holder, _) = imported(vault, deployment), imported(vault, deployment)
    put(deployment, holder.id, deployment.texts()[theirs.id])
    without_history(deployment, theirs, holder)
    return theirs, key, holder


@pytest.mark.parametrize("case", ["there", "gone", "gone, not in the register", "overwritten"])
def test_the_command_gets_the_key_out(attacked: Attacked, core_vault: Vault, case: str) -> None:
    deployment = attacked.deployment
    theirs, key, holder = misplaced(deployment, core_vault)
    if "gone" in case:
        rows_gone(deployment, theirs.id)
    if "register" in case:
        deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", theirs.id)
    if case == "overwritten":
        put(deployment, theirs.id, "MIGRATION_REQUIRED")
    without_history(deployment, theirs)
    found = attacked.doctor()
    [elsewhere] = [each for each in found if each["code"] == "sealed-elsewhere"]
    assert all("no table of this database" not in each["evidence"] for each in found)
    row = elsewhere["row"]
    assert elsewhere["command"] == {
        "there": f"strongroom wallet export {theirs.id} --reveal",
        "gone": f"strongroom history restore {theirs.id}",
    }.get(case, f"strongroom history reveal {row} --wallet {theirs.id} --reveal")
    with pytest.raises(strongroom.IdentityMismatchError) as refused:
        core_vault.reveal_kept(row, **WHO)
    assert f"history reveal {row} --wallet {theirs.id} --reveal" in refused.value.hint
    with pytest.raises(strongroom.IdentityMismatchError):
        core_vault.reveal_kept(row, wallet=holder.id, **WHO)
    assert key in core_vault.reveal_kept(row, wallet=theirs.id, **WHO).revealed.private_key.reveal_text()
    assert gets_out(deployment, core_vault, theirs, key, elsewhere["command"])


@pytest.mark.parametrize("recorded", [True, False])
def test_putting_ones_own_key_back_hides_nobody_elses(attacked: Attacked, core_vault: Vault, recorded: bool) -> None:
    deployment = attacked.deployment
    (theirs, key), (holder, _) = imported(core_vault, deployment), imported(core_vault, deployment)
    text, own = deployment.texts()[theirs.id], deployment.texts()[holder.id]
    put(deployment, holder.id, text)
    rows_gone(deployment, theirs.id)
    if not recorded:
        deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", theirs.id)
    without_history(deployment, theirs, holder)
    attacked.entry(holder.id, own, holder.project_id, holder.address, "sealed")
    [elsewhere] = [each for each in attacked.doctor() if each["code"] == "sealed-elsewhere"]
    assert elsewhere["command"] == f"strongroom history restore {holder.id} --archive-current"
    assert run(deployment, elsewhere["command"]).code == 0
    [gone] = [each for each in attacked.doctor() if each["code"] == "wallet-rows-gone"]
    assert gets_out(deployment, core_vault, theirs, key, gone["command"])


@pytest.mark.parametrize("recorded", [True, False])
def test_a_text_in_the_history_of_another_wallet_is_named(
    attacked: Attacked, core_vault: Vault, recorded: bool
) -> None:
    """The application wrote it there, and over it since: the guard archived it as that wallet's."""
    deployment = attacked.deployment
    (theirs, key), (holder, _) = imported(core_vault, deployment), imported(core_vault, deployment)
    text = deployment.texts()[theirs.id]
    rows_gone(deployment, theirs.id)
    without_history(deployment, theirs)
    if not recorded:
        deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", theirs.id)
    attacked.entry(holder.id, text, holder.project_id, holder.address, "sealed")
    [gone] = [each for each in attacked.doctor() if each["code"] == "wallet-rows-gone"]
    assert gets_out(deployment, core_vault, theirs, key, gone["command"])


def test_a_wallet_whose_text_is_in_anothers_history_is_not_lost(attacked: Attacked, core_vault: Vault) -> None:
    deployment = attacked.deployment
    (theirs, key), (holder, _) = imported(core_vault, deployment), imported(core_vault, deployment)
    attacked.entry(holder.id, deployment.texts()[theirs.id], holder.project_id, holder.address, "sealed")
    put(deployment, theirs.id, "")
    without_history(deployment, theirs)
    [missing] = [each for each in attacked.doctor() if each["code"] == "placeholder"]
    assert (missing["repair"], missing["command"]) == ("ask", f"strongroom history restore {theirs.id}")
    told = call("doctor", "--database", deployment.url, "--root-key", deployment.root_key)
    assert "lost           0" in told.out
    assert gets_out(deployment, core_vault, theirs, key, missing["command"])


def orphaned(deployment: Deployment, wallet: Wallet) -> None:
    deployment.execute("DELETE FROM credential_usage_logs WHERE credential_id = ?", wallet.id)
    if deployment.backend != "sqlite":
        constraint = "credential_vault_storage_credential_id_fkey"
        deployment.execute(f"ALTER TABLE credential_vault_storage DROP CONSTRAINT IF EXISTS {constraint}")
    deployment.execute("DELETE FROM project_credentials WHERE id = ?", wallet.id)


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("text", ["its own", "a key in plaintext", "a note"])
def test_the_finding_about_an_orphan_names_a_command_that_works(
    attacked: Attacked, core_vault: Vault, text: str, recorded: bool
) -> None:
    deployment = attacked.deployment
    wallet, key = imported(core_vault, deployment)
    without_history(deployment, wallet)
    stored = {"its own": deployment.texts()[wallet.id], "a key in plaintext": key, "a note": f"a note of {key}"}[text]
    put(deployment, wallet.id, stored)
    orphaned(deployment, wallet)
    without_history(deployment, wallet)
    if not recorded:
        deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    [found] = [each for each in attacked.doctor() if each["code"] == "orphan-vault-record"]
    assert ("restore" in found["command"]) == (recorded and text == "its own")
    assert gets_out(deployment, core_vault, wallet, key, found["command"])


@pytest.mark.one_server
@pytest.mark.parametrize("case", ["another text is in its record", "its vault id is taken", "its slot names nothing"])
def test_where_restore_would_refuse_another_command_is_named(attacked: Attacked, core_vault: Vault, case: str) -> None:
    deployment = attacked.deployment
    wallet, key = imported(core_vault, deployment)
    install(deployment)
    if case == "another text is in its record":
        put(deployment, wallet.id, "a note of the application, which is no key")
        orphaned(deployment, wallet)
    else:
        rows_gone(deployment, wallet.id)
    if case == "its slot names nothing":
        deployment.execute("UPDATE strongroom_slot SET credential_id = ? WHERE credential_id = ?", uuid4(), wallet.id)
    if case == "its vault id is taken":
        other = imported(core_vault, deployment)[0]
        vault_id = wallet.vault_id
        deployment.execute(
            "UPDATE credential_vault_storage SET vault_id = ? WHERE credential_id = ?", vault_id, other.id
        )
        deployment.execute("UPDATE project_credentials SET key_vault_id = ? WHERE id = ?", vault_id, other.id)
    [found] = [each for each in attacked.doctor() if each["code"] == "wallet-rows-gone"]
    try:
        core_vault.restore(wallet.id)
    except strongroom.StrongroomError as error:
        assert "history restore" in error.hint or "history reveal" in error.hint
    assert gets_out(deployment, core_vault, wallet, key, found["command"])


@pytest.mark.parametrize("place", ["history", "record", "metadata"])
def test_of_the_key_of_another_projects_wallet_that_wallets_verb_is_named(
    attacked: Attacked, core_vault: Vault, place: str
) -> None:
    deployment = attacked.deployment
    (owner, key), (holder, _) = imported(core_vault, deployment), imported(core_vault, deployment)
    if place == "history":
        attacked.entry(holder.id, key, holder.project_id, holder.address, "foreign")
    elif place == "record":
        put(deployment, holder.id, key)
        without_history(deployment, holder)
    else:
        value = "metadata::jsonb || jsonb_build_object('private_key_encrypted', ?::text)"
        if deployment.backend == "sqlite":
            value = "json_set(metadata, '$.private_key_encrypted', ?)"
        deployment.execute(f"UPDATE project_credentials SET metadata = {value} WHERE id = ?", key, holder.id)
    code = {"history": "foreign-history", "record": "plaintext-key", "metadata": "key-in-metadata"}[place]
    [found] = [each for each in attacked.doctor() if each["code"] == code]
    assert "another project" in found["evidence"], found
    assert found["command"] == f"strongroom wallet export {owner.id} --reveal"
    assert key in run(deployment, found["command"]).out


def test_of_zeros_no_command_that_moves_them_is_named(attacked: Attacked, core_vault: Vault) -> None:
    wallet, _ = imported(core_vault, attacked.deployment)
    without_history(attacked.deployment, wallet)
    put(attacked.deployment, wallet.id, "0" * 64)
    without_history(attacked.deployment, wallet)
    assert [each for each in attacked.doctor() if "move-key" in each["command"]] == []


def test_hints_of_a_changed_row_fit_the_case(attacked: Attacked, core_vault: Vault) -> None:
    deployment = attacked.deployment
    wallet, _ = imported(core_vault, deployment)
    deployment.execute("UPDATE project_credentials SET wallet_address = ? WHERE id = ?", "0x" + "ab" * 20, wallet.id)
    with pytest.raises(strongroom.IdentityMismatchError) as caught:
        core_vault.get_wallet(wallet.id)
    assert "--accept" not in caught.value.hint
    assert "strongroom doctor" in caught.value.hint


def test_a_text_is_given_out_as_that_of_the_wallet_and_project_that_are_named(
    attacked: Attacked, core_vault: Vault
) -> None:
    deployment = attacked.deployment
    theirs, key, holder = misplaced(deployment, core_vault)
    [(record,)] = deployment.execute("SELECT id FROM credential_vault_storage WHERE credential_id = ?", holder.id)
    for named in (
        {"wallet": holder},
        {"wallet": theirs, "project_id": holder.project_id},
        {"wallet": uuid4()},
    ):
        with pytest.raises((strongroom.WalletNotFoundError, strongroom.IdentityMismatchError)):
            core_vault.reveal_kept(str(record), **named, **WHO)
        assert [each.action for each in core_vault.list_log(theirs.id).records] == ["import"]
    kept = core_vault.reveal_kept(str(record), wallet=theirs, project_id=theirs.project_id, **WHO)
    assert key in kept.revealed.private_key.reveal_text()
    refused = run(
        deployment,
        f"strongroom history reveal {record} --wallet {theirs.id} --project {holder.project_id} --reveal",
    )
    assert (refused.code, "wallet-not-found" in refused.out) == (1, True)
