"""Rows that a writer moved from one project into another, while a record, a sealed text or a slot still says whose the
wallet is: no command gives its key to the other project, from wherever it would come."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from uuid import UUID

import pytest

import strongroom
from strongroom import Vault
from testbed.command_line import call
from testbed.databases.deployments import Deployment
from testbed.databases.foreign import add_credential, add_wallet, address_of, put_text
from testbed.defects.locked import envelope_text
from tests.attacks.tampering.planting import keep

KEY = "5d" * 32
ADDRESS = address_of("ethereum", KEY)
PASSWORD = "an operator's password"
ENVELOPE = envelope_text(KEY, PASSWORD, bytes(16), bytes(16))


def move(deployment: Deployment, wallet: UUID, project: UUID) -> None:
    """Let a wallet's row say a project."""
    deployment.execute("UPDATE project_credentials SET project_id = ? WHERE id = ?", project, wallet)


def repaired(deployment: Deployment, folder: Path, wallet: UUID) -> list[tuple[str, str]]:
    """Plan a repair and carry it out, with the password; what was planned for a wallet."""
    opened = ("--database", deployment.url, "--root-key", deployment.root_key, "--legacy-password-stdin")
    plan = folder / "plan.json"
    call("repair", *opened, "--plan", str(plan), stdin=f"{PASSWORD}\n".encode())
    units = json.loads(plan.read_text())["units"]
    call("repair", *opened, "--apply", str(plan), stdin=f"{PASSWORD}\n".encode())
    return [
        (each["do"], each["code"]) for unit in units if unit["credential_id"] == str(wallet) for each in unit["actions"]
    ]


def assert_not_given(vault: Vault, wallet: UUID, project: UUID) -> None:
    """Nobody of a project has the key: not by a wallet, and not by its name."""
    with pytest.raises(strongroom.StrongroomError):
        vault.reveal(wallet, actor="operator", reason="x")
    assert not any(each.proved and each.address == ADDRESS for each in vault.list_wallets(project).wallets)


def test_a_sealed_text_says_whose_key_it_is_though_its_row_was_moved(deployment: Deployment, tmp_path: Path) -> None:
    project, other = deployment.project(), deployment.project()
    with deployment.open() as vault:
        theirs = vault.import_wallet(project, "ethereum", private_key=KEY).wallet
        planted = add_wallet(
            deployment.url, ADDRESS, ENVELOPE, project_id=other, credential_type="other_wallet", network="ethereum"
        )
        move(deployment, theirs.id, other)
        assert "seal" not in {do for do, _ in repaired(deployment, tmp_path, planted)}
        assert_not_given(vault, planted, other)
        assert vault.get_wallet(theirs.id).project_id == project, "the repair put its own row back"


def test_a_retired_row_has_no_record_that_proves_it(deployment: Deployment, tmp_path: Path) -> None:
    project, other = deployment.project(), deployment.project()
    with deployment.open() as vault:
        vault.create_wallet(other, "ethereum")
        vault.import_wallet(project, "ethereum", private_key=KEY)
        planted = add_wallet(
            deployment.url, ADDRESS, ENVELOPE, project_id=other, credential_type="other_wallet", network="ethereum"
        )
        repaired(deployment, tmp_path, planted)
        assert_not_given(vault, planted, other)


def test_a_row_is_not_retired_where_unproved_wallets_are_refused(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRONGROOM_ACCEPT_FOREIGN", "false")
    other = deployment.project()
    with deployment.open() as vault:
        vault.create_wallet(other, "ethereum")
    planted = add_wallet(
        deployment.url, ADDRESS, ENVELOPE, project_id=other, credential_type="other_wallet", network="ethereum"
    )
    assert {do for do, _ in repaired(deployment, tmp_path, planted)} <= {"relabel"}
    assert deployment.execute("SELECT 1 FROM strongroom_wallet WHERE credential_id = ?", planted) == []


@pytest.mark.parametrize("place", ["its own record", "the history"])
def test_a_slot_says_whose_key_it_is_that_another_row_asks_for(
    deployment: Deployment, tmp_path: Path, place: str
) -> None:
    project, other = deployment.project(), deployment.project()
    adopted = add_wallet(deployment.url, ADDRESS, KEY, project_id=project)
    with deployment.open() as vault:
        assert vault.create_wallet(project, "ethereum").wallet.id == adopted
        move(deployment, adopted, other)
        planted = add_credential(deployment.url, other, ADDRESS, credential_type="other_wallet")
        if deployment.backend != "g4":
            put_text(deployment.url, planted, "MIGRATION_REQUIRED")
        if place == "the history":
            keep(deployment, planted, KEY)
        assert "fill" not in {do for do, _ in repaired(deployment, tmp_path, planted)}
        with pytest.raises(strongroom.StrongroomError):
            vault.restore(planted)
        assert_not_given(vault, planted, other)
        move(deployment, adopted, project)
        assert vault.get_wallet(adopted).address == ADDRESS


@pytest.mark.parametrize("deployment", ["sqlite", "fresh", "g4"], indirect=True)
def test_a_key_is_not_moved_out_of_an_envelope_where_its_wallet_was_moved(deployment: Deployment) -> None:
    project, other = deployment.project(), deployment.project()
    with deployment.open() as vault:
        theirs = vault.import_wallet(project, "ethereum", private_key=KEY).wallet
        mine = vault.create_wallet(other, "ethereum", label="mine").wallet
        deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", theirs.id)
        deployment.execute(
            "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?", ENVELOPE, mine.id
        )
        move(deployment, theirs.id, other)
        with pytest.raises(strongroom.KeyConflictError, match="another project's"):
            vault.move_key(mine.id, to="wallet", label="stolen", legacy_password=PASSWORD)
        (record,) = deployment.execute("SELECT id FROM credential_vault_storage WHERE credential_id = ?", mine.id)
        with pytest.raises(strongroom.IdentityMismatchError):
            vault.reveal_kept(str(record[0]), legacy_password=PASSWORD, actor="operator", reason="x")


def test_a_kept_text_is_not_given_out_in_the_project_that_a_row_was_moved_to(deployment: Deployment) -> None:
    project, other = deployment.project(), deployment.project()
    adopted = add_wallet(deployment.url, ADDRESS, KEY, project_id=project)
    with deployment.open() as vault:
        vault.create_wallet(project, "ethereum")
        move(deployment, adopted, other)
        ((record,),) = deployment.execute("SELECT id FROM credential_vault_storage WHERE credential_id = ?", adopted)
        for verb in (vault.reveal_kept, vault.reveal_kept_text):
            with pytest.raises(strongroom.IdentityMismatchError):
                verb(str(record), actor="operator", reason="x")
        assert vault.list_wallets(other).wallets == ()


@pytest.mark.parametrize("first", ["replace", "revoke"])
def test_a_record_that_was_made_of_a_row_proves_nothing_afterwards(deployment: Deployment, first: str) -> None:
    project, other = deployment.project(), deployment.project()
    with deployment.open() as vault:
        vault.import_wallet(project, "ethereum", private_key=KEY)
        planted = add_credential(deployment.url, other, ADDRESS, network="ethereum")
        if deployment.backend != "g4":
            put_text(deployment.url, planted, "MIGRATION_REQUIRED")
        (vault.replace_wallet if first == "replace" else vault.revoke_wallet)(planted)
        keep(deployment, planted, KEY)
        with pytest.raises(strongroom.KeyConflictError, match="another project's"):
            vault.restore(planted)
        assert_not_given(vault, planted, other)


def test_an_erasure_records_nothing_where_unproved_wallets_are_refused(deployment: Deployment) -> None:
    other = deployment.project()
    planted = add_wallet(deployment.url, ADDRESS, KEY, project_id=other)
    with deployment.open(accept_foreign=False) as vault:
        erased = vault.erase_project(other, actor="operator", reason="x")
        assert [(wallet, error.code) for wallet, error in erased.failed] == [(planted, "wallet-unproved")]
    assert deployment.execute("SELECT 1 FROM strongroom_wallet WHERE credential_id = ?", planted) == []


def test_as_many_threads_as_connections_adopt_at_once(deployment: Deployment) -> None:
    threads = 4
    projects = [deployment.project() for _ in range(threads)]
    keys = [f"{number + 1:064x}" for number in range(threads)]
    wallets = [
        add_wallet(deployment.url, address_of("ethereum", key), key, project_id=project)
        for key, project in zip(keys, projects, strict=True)
    ]
    together, found = threading.Barrier(threads), dict[int, UUID]()
    with deployment.open(pool_size=threads) as vault:

        def adopt(number: int) -> None:
            together.wait(timeout=60)
            found[number] = vault.create_wallet(projects[number], "ethereum").wallet.id

        callers = [threading.Thread(target=adopt, args=(number,)) for number in range(threads)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(timeout=20)  # a connection more for each would be waited for until the pool gives up
        assert not any(caller.is_alive() for caller in callers)
    assert [found[number] for number in range(threads)] == wallets


def test_of_two_projects_that_adopt_one_wallet_one_gets_it(deployment: Deployment) -> None:
    project, other = deployment.project(), deployment.project()
    adopted = add_wallet(deployment.url, ADDRESS, KEY, project_id=project)
    with deployment.open() as vault:
        assert vault.create_wallet(project, "ethereum").wallet.id == adopted
        move(deployment, adopted, other)
        with pytest.raises(strongroom.IdentityMismatchError):
            vault.create_wallet(other, "ethereum")
