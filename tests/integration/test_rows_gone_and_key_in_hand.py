"""A wallet whose rows are gone and of which nothing was kept: `store-key` takes the key that somebody has."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

import pytest

from strongroom import AddressMismatchError, KeyConflictError, Secret, Vault, Wallet, WalletNotFoundError
from testbed.command_line import call
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.guards import put, rows_gone
from testbed.processes.wallets import PHRASE
from tests.integration.doctors import finding
from tests.integration.test_keys_in_metadata import ask
from tests.integration.test_keys_under_other_wallets import orphan

KEY, OTHER = "6d" * 32, "6e" * 32


@pytest.fixture(params=["sqlite", "postgresql", "g3", "g4"])
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    with open_deployment(request.param, request) as opened:
        yield opened


def gone(deployment: Deployment, vault: Vault, **given: str) -> Wallet:
    """A wallet of which the register's record is left alone."""
    wallet = vault.import_wallet(deployment.project(), "ethereum", **({"private_key": KEY} | given)).wallet
    rows_gone(deployment, wallet.id)
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", wallet.id)
    return wallet


def test_the_command_of_the_finding_takes_the_key_and_makes_the_rows_anew(
    deployment: Deployment, vault_a: Vault
) -> None:
    wallet = gone(deployment, vault_a)
    told = finding(ask(deployment), "wallet-rows-gone", wallet.id)
    assert (told["repair"], told["command"]) == ("none", f"strongroom wallet store-key {wallet.id}")
    words = (*shlex.split(told["command"])[1:], "--private-key-stdin", "--json")
    options = ("--database", deployment.url, "--root-key", deployment.root_key)
    answer = call(*words, *options, stdin=KEY.encode())
    assert (answer.code, answer.document["stored"]) == (0, True), answer
    assert vault_a.get_wallet(wallet.id).as_dict() | {"created_at": ""} == wallet.as_dict() | {"created_at": ""}
    assert vault_a.find_wallet(wallet.project_id, "ethereum") is not None
    assert vault_a.reveal(wallet.id, actor="test", reason="is it there?").private_key.reveal_text().endswith(KEY)
    assert not [each for each in ask(deployment)["findings"] if each["credential_id"] == str(wallet.id)]
    assert not vault_a.store_key(wallet.id, private_key=KEY).stored


def test_a_phrase_is_taken_too_and_derives_as_the_register_says(deployment: Deployment, vault_a: Vault) -> None:
    wallet = vault_a.import_wallet(deployment.project(), "ethereum", mnemonic=PHRASE, path="m/44'/60'/7'/0/0").wallet
    rows_gone(deployment, wallet.id)
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", wallet.id)
    assert vault_a.store_key(wallet.id, mnemonic=Secret.from_text(PHRASE)).stored
    assert [each.code for each in vault_a.verify(wallet.id)] == [None]
    assert vault_a.get_wallet(wallet.id).path == "m/44'/60'/7'/0/0"


def test_another_key_is_refused_and_nothing_is_written(deployment: Deployment, vault_a: Vault) -> None:
    wallet = gone(deployment, vault_a)
    with pytest.raises(AddressMismatchError):
        vault_a.store_key(wallet.id, private_key=OTHER)
    assert deployment.execute("SELECT count(*) FROM project_credentials WHERE id = ?", wallet.id) == [(0,)]


@pytest.mark.one_node  # the record's foreign key has another name where tables are divided
def test_a_text_in_its_vault_record_stays_until_a_person_says_otherwise(deployment: Deployment, vault_a: Vault) -> None:
    wallet = vault_a.import_wallet(deployment.project(), "ethereum", private_key=KEY).wallet
    others = "a text of somebody"
    put(deployment, wallet.id, others)
    orphan(deployment, wallet)
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", wallet.id)
    with pytest.raises(KeyConflictError, match="another text") as caught:
        vault_a.store_key(wallet.id, private_key=KEY)
    assert f"store-key {wallet.id} --archive-current" in str(caught.value.hint)
    assert vault_a.store_key(wallet.id, private_key=KEY, archive_current=True).stored
    assert [each.code for each in vault_a.verify(wallet.id)] == [None]
    texts = json.dumps([text for (text,) in deployment.execute("SELECT text FROM strongroom_vault_history")])
    assert others not in texts, "kept sealed"


def test_without_a_record_nothing_says_what_the_rows_were(deployment: Deployment, vault_a: Vault) -> None:
    wallet = gone(deployment, vault_a)
    deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    with pytest.raises(WalletNotFoundError):
        vault_a.store_key(wallet.id, private_key=KEY)


def test_a_wallet_that_another_one_followed_comes_back_as_replaced(deployment: Deployment, vault_a: Vault) -> None:
    wallet = gone(deployment, vault_a)
    deployment.execute("DELETE FROM strongroom_slot WHERE credential_id = ?", wallet.id)
    live = vault_a.create_wallet(wallet.project_id, "ethereum").wallet
    assert vault_a.store_key(wallet.id, private_key=KEY).wallet.status == "replaced"
    found = vault_a.find_wallet(wallet.project_id, "ethereum")
    assert found is not None
    assert found.id == live.id
