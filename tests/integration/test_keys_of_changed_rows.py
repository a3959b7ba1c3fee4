"""A wallet's key is missing and its rows, or its slot, say something else: what doctor names is not refused."""

from __future__ import annotations

import json
import shlex
from typing import Any
from uuid import UUID, uuid4

import pytest

from strongroom import ProjectPhrase, Wallet
from testbed.command_line import call
from testbed.databases.attacked import WHO, Attacked
from testbed.databases.guards import rows_gone
from testbed.databases.moved_rows import divided, move

pytestmark = pytest.mark.parametrize("attacked", ["sqlite", "fresh", "g4"], indirect=True)


def derived(attacked: Attacked, *, kept: bool = False) -> tuple[Wallet, ProjectPhrase]:
    """A wallet of a phrase; ``kept``: the history has a text of the phrase."""
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        phrase = vault.create_phrase(project).phrase
        wallet = vault.create_wallet(project, "ethereum", phrase="default").wallet
        if kept:
            vault.rotate_sealing_key(**WHO)
            assert all(each.ok for each in vault.rewrap())
    return wallet, phrase


def lose(attacked: Attacked, wallet: Wallet) -> None:
    for table in ("credential_vault_storage", "strongroom_vault_history"):
        attacked.deployment.execute(f"DELETE FROM {table} WHERE credential_id = ?", wallet.id)


def about(attacked: Attacked, wallet: Wallet) -> dict[str, Any]:
    codes = ("missing-vault-record", "placeholder", "wallet-rows-gone")
    found = [each for each in attacked.doctor() if each["credential_id"] == str(wallet.id) and each["code"] in codes]
    assert len({each["command"] for each in found}) == 1  # of rows in another part than their record it is told twice
    return found[0]


def run(attacked: Attacked, command: str) -> Any:
    base = ("--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)
    return call(*shlex.split(command)[1:], *base)


@pytest.mark.parametrize("column", ["project_id", "public_key", "status"])
def test_a_row_that_was_changed_has_its_phrase_printed(attacked: Attacked, column: str) -> None:
    wallet, phrase = derived(attacked)
    lose(attacked, wallet)
    value = attacked.deployment.project() if column == "project_id" else "inactive" if column == "status" else "zz"
    if isinstance(value, UUID) and divided(attacked.deployment):
        move(attacked.deployment, wallet.id, value)
    else:
        attacked.deployment.execute(f"UPDATE project_credentials SET {column} = ? WHERE id = ?", value, wallet.id)
    found = about(attacked, wallet)
    answer = run(attacked, found["command"])
    assert answer.code == 0, (found, answer.err)
    if "phrase export" in found["command"]:
        assert f"`strongroom history restore {wallet.id}` is refused" in found["evidence"]
        assert str(phrase.id) in found["command"]
        assert run(attacked, f"strongroom history restore {wallet.id}").code != 0


def test_a_wallet_whose_project_is_gone_has_its_phrase_printed(attacked: Attacked) -> None:
    wallet, _ = derived(attacked)
    rows_gone(attacked.deployment, wallet.id)
    lose(attacked, wallet)
    if attacked.deployment.foreign:
        attacked.deployment.execute("DELETE FROM projects WHERE id = ?", wallet.project_id)
    found = about(attacked, wallet)
    assert ("phrase export" in found["command"]) == attacked.deployment.foreign
    assert ("its project's row is gone, too" in found["evidence"]) == attacked.deployment.foreign
    assert run(attacked, found["command"]).code == 0


def test_of_a_slot_that_names_nobody_the_evidence_promises_no_rows(attacked: Attacked) -> None:
    """The phrase comes back first; its words have the key, and no rows are made anew."""
    wallet, phrase = derived(attacked, kept=True)
    rows_gone(attacked.deployment, wallet.id)
    lose(attacked, wallet)
    attacked.deployment.execute("UPDATE strongroom_slot SET credential_id = ?", uuid4())
    attacked.deployment.execute("UPDATE strongroom_phrase SET sealed_text = '' WHERE phrase_id = ?", phrase.id)
    found = about(attacked, wallet)
    assert f"history restore {wallet.id}" not in found["evidence"]
    words = f"strongroom phrase export {phrase.id} --project {wallet.project_id} --reveal"
    assert words in found["evidence"]
    assert "repair --plan" in found["command"]
    assert attacked.apply(attacked.plan()).code == 0
    assert run(attacked, words).code == 0
    assert about(attacked, wallet)["command"] == words


def test_a_row_with_the_address_of_another_wallet_gets_no_key_of_it(attacked: Attacked) -> None:
    """The register says which address is its own; that one's key is looked for."""
    wallet, phrase = derived(attacked)
    with attacked.deployment.open() as vault:
        other = vault.create_wallet(wallet.project_id, "ethereum", label="other").wallet
    lose(attacked, wallet)
    sql = "UPDATE project_credentials SET wallet_address = ? WHERE id = ?"
    attacked.deployment.execute(sql, other.address, wallet.id)
    found = about(attacked, wallet)
    assert (found["repair"], found["automatic"]) == ("ask", False)
    assert found["command"].startswith(f"strongroom phrase export {phrase.id}")
    assert run(attacked, found["command"]).code == 0
    plan = json.loads(attacked.plan().read_text())
    planned = [action["code"] for unit in plan["units"] for action in unit["actions"]]
    assert not {"missing-vault-record", "placeholder"} & set(planned)
    left = [each["code"] for each in plan["left_to_people"] if each["credential_id"] == str(wallet.id)]
    assert found["code"] in left


def test_its_own_key_is_found_under_another_wallet(attacked: Attacked) -> None:
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
        other = vault.create_wallet(project, "ethereum", label="other").wallet
        key = vault.reveal(wallet.id, **WHO).private_key.reveal_text()
    lose(attacked, wallet)
    attacked.entry(other.id, key, project, other.address, "foreign")
    sql = "UPDATE project_credentials SET wallet_address = ? WHERE id = ?"
    attacked.deployment.execute(sql, other.address, wallet.id)
    found = about(attacked, wallet)
    assert found["automatic"] is False
    answer = run(attacked, found["command"])
    assert answer.code == 0, (found, answer.err)
    assert key.removeprefix("0x") in answer.out
