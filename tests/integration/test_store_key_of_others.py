"""A row that anyone may have written gets no key of another project's wallet: and doctor leads nobody there."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

import strongroom
from testbed.command_line import call
from testbed.databases.attacked import WHO, Attacked, address_of, units
from testbed.databases.guards import key_of, rows_gone
from tests.integration.test_keys_that_phrases_have import PATHS, WORDS, key_at

pytestmark = pytest.mark.parametrize("attacked", ["g2", "g4"], indirect=True)
PHRASE_KEY = key_at("ethereum", PATHS["ethereum"])


def about_the_key(attacked: Attacked, wallet: UUID) -> dict[str, Any]:
    """The finding that says where a wallet's missing key is."""
    codes = ("missing-vault-record", "placeholder")
    [found] = [each for each in attacked.doctor() if each["credential_id"] == str(wallet) and each["code"] in codes]
    return found


def test_a_planted_row_gets_no_key_of_another_projects_wallet(attacked: Attacked) -> None:
    deployment = attacked.deployment
    mine, theirs = deployment.project(), deployment.project()
    with deployment.open() as vault:
        wallet = vault.create_wallet(theirs, "ethereum").wallet
        key = key_of(vault, wallet)
        planted = attacked.credential(mine, wallet.address)
        for archive in (False, True):
            with pytest.raises(strongroom.KeyConflictError, match=str(wallet.id)) as refused:
                vault.store_key(planted, private_key=key, archive_current=archive)
    attacked.assert_keyless(planted)
    found = about_the_key(attacked, planted)
    assert (found["repair"], found["command"]) == ("ask", ""), "no command prints the key for this row"
    assert "wallet import" in found["evidence"]
    without = json.loads(call("doctor", "--database", deployment.url, "--json").out)["findings"]
    [found] = [each for each in without if each["row"] == found["row"] and each["code"] == found["code"]]
    assert found["command"] == "strongroom doctor --root-key URI", "without the root key nobody can tell"
    assert {each["do"] for each in units(attacked.plan()).get(str(planted), [])} <= {"relabel"}
    named = refused.value.hint.split("`")[1].replace("LABEL", "ours").split()[1:]
    base = ("--database", deployment.url, "--root-key", deployment.root_key)
    answer = call(*named, "--private-key-stdin", *base, stdin=key.encode())
    assert answer.code == 0, "who holds the key gives it to another project so"
    assert "each may sign under the other's nonces" in answer.err


def test_the_same_of_a_phrase_that_another_project_has(attacked: Attacked) -> None:
    """Before any wallet of it has the address."""
    deployment = attacked.deployment
    mine, theirs = deployment.project(), deployment.project()
    with deployment.open() as vault:
        vault.import_phrase(theirs, mnemonic=WORDS)
        planted = attacked.credential(mine, address_of(PHRASE_KEY))
        with pytest.raises(strongroom.KeyConflictError, match="another of its phrase") as refused:
            vault.store_key(planted, mnemonic=WORDS)
        assert "alone" not in refused.value.hint, "which would lead to the same key"
        with pytest.raises(strongroom.KeyConflictError, match="The key is that of another project"):
            vault.store_key(planted, private_key=PHRASE_KEY)
    found = about_the_key(attacked, planted)
    assert (found["repair"], found["command"]) == ("ask", "")


def test_a_wallet_that_is_proved_gets_its_key_back_whoever_has_it_too(attacked: Attacked) -> None:
    deployment = attacked.deployment
    mine, theirs = deployment.project(), deployment.project()
    with deployment.open() as vault:
        wallet = vault.import_wallet(mine, "ethereum", private_key=PHRASE_KEY).wallet
        with pytest.warns(strongroom.SharedKeyWarning):
            vault.import_wallet(theirs, "ethereum", private_key=PHRASE_KEY)
        vault.import_phrase(theirs, mnemonic=WORDS)
        for table in ("credential_vault_storage", "strongroom_vault_history"):
            deployment.execute(f"DELETE FROM {table} WHERE credential_id = ?", wallet.id)
        found = about_the_key(attacked, wallet.id)
        assert "history reveal" in found["command"]
        assert vault.store_key(wallet.id, private_key=PHRASE_KEY).stored


def test_a_row_whose_key_nobody_else_has_takes_it(attacked: Attacked) -> None:
    """And where only another key of the phrase is another project's, the key alone."""
    deployment = attacked.deployment
    mine, theirs = deployment.project(), deployment.project()
    with deployment.open() as vault:
        vault.import_wallet(theirs, "ethereum", mnemonic=WORDS, path="m/44'/60'/0'/0/7")
        wallet = attacked.credential(mine, address_of(PHRASE_KEY))
        with pytest.raises(strongroom.KeyConflictError, match="another of its phrase"):
            vault.store_key(wallet, mnemonic=WORDS)
        assert vault.store_key(wallet, private_key=PHRASE_KEY).stored


def test_nor_do_the_rows_that_are_gone_of_a_wallet_that_was_taken_as_it_was_found(attacked: Attacked) -> None:
    deployment = attacked.deployment
    mine, theirs = deployment.project(), deployment.project()
    with deployment.open() as vault:
        wallet = vault.create_wallet(theirs, "ethereum").wallet
        key = key_of(vault, wallet)
        planted = attacked.credential(mine, wallet.address, kind="ETHEREUM_WALLET")
        attacked.record(planted, "U2FsdGVkX18xMjM0NTY3OKbtMtQwrYvkCmRqSGLkZEY=", mine)
        vault.revoke_wallet(planted, **WHO)
        assert deployment.execute("SELECT count(*) FROM strongroom_wallet WHERE credential_id = ?", planted) == [(1,)]
        rows_gone(deployment, planted)
        deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", planted)
        with pytest.raises(strongroom.KeyConflictError, match=str(wallet.id)):
            vault.store_key(planted, private_key=key)
    [found] = [each for each in attacked.doctor() if each["code"] == "wallet-rows-gone"]
    assert (found["credential_id"], found["command"]) == (str(planted), "")
