"""Doctor looks at the register: records, slots and a keyring that somebody changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

import strongroom
from strongroom import Vault
from testbed.databases.foreign import add_project
from testbed.databases.older_versions import take_back
from testbed.databases.rows import execute
from tests.integration.doctors import codes, document

HEAD = "strongroom_keyring_head"


def schema_codes(found: dict[str, Any]) -> set[str]:
    return {each["code"] for each in found["schema"]}


def head_of(url: str) -> tuple[Any, ...]:
    (row,) = execute(
        url, f"SELECT version, states, tags_complete, accept_foreign, tagged_version, kid, tag FROM {HEAD}"
    )
    return row


@pytest.fixture
def legacy_vault(g3_url: str, root_key_uri: str) -> Iterator[Vault]:
    with strongroom.open(g3_url, root_key=root_key_uri) as vault:
        yield vault


def test_what_strongroom_wrote_is_no_finding(vault: Vault, vault_url: str, root_key_uri: str) -> None:
    project = uuid4()
    wallet = vault.create_wallet(project, "ethereum", idempotency_key="a").wallet
    vault.revoke_wallet(vault.create_wallet(project, "solana").wallet)
    vault.replace_wallet(wallet)
    vault.rotate_sealing_key()
    found = document(vault_url, "--root-key", root_key_uri)
    assert (found["findings"], schema_codes(found) & {"keyring-changed"}) == ([], set())


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM strongroom_wallet",
        "UPDATE strongroom_wallet SET version = version + 1",
        "UPDATE strongroom_wallet SET tag = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'",
        "UPDATE project_credentials SET public_key = '02'",
        "UPDATE project_credentials SET status = 'revoked'",
        "UPDATE credential_vault_storage SET access_level = 'project_member'",
    ],
)
def test_a_record_or_row_that_was_changed_is_a_mismatch(
    vault: Vault, vault_url: str, root_key_uri: str, change: str
) -> None:
    wallet = vault.create_wallet(uuid4(), "ethereum").wallet
    execute(vault_url, change)
    found = document(vault_url, "--root-key", root_key_uri)
    assert codes(found, wallet.id)["register-mismatch"] == 1
    assert codes(document(vault_url))["register-mismatch"] == 0, "without the root key no tag can be checked"


def test_a_slot_that_was_repointed_is_a_mismatch(vault: Vault, vault_url: str, root_key_uri: str) -> None:
    one, other = (vault.create_wallet(uuid4(), "ethereum").wallet for _ in range(2))
    execute(
        vault_url, "UPDATE strongroom_slot SET credential_id = ? WHERE credential_id = ?", (str(other.id), str(one.id))
    )
    found = document(vault_url, "--root-key", root_key_uri)
    assert [(each["table"], each["credential_id"]) for each in found["findings"]] == [
        ("strongroom_slot", str(other.id))
    ]


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("row", ["revoked", "register"])
def test_states_that_differ_on_legacy_tables_are_reported(
    legacy_vault: Vault, g3_url: str, root_key_uri: str, row: str
) -> None:
    wallet = legacy_vault.create_wallet(add_project(g3_url), "ethereum").wallet
    if row == "revoked":
        execute(g3_url, "UPDATE project_credentials SET is_active = false, status = 'revoked', revoked_at = now()")
    else:
        legacy_vault.revoke_wallet(wallet)
        execute(g3_url, "UPDATE project_credentials SET is_active = true, status = 'active', revoked_at = NULL")
    found = document(g3_url, "--root-key", root_key_uri)
    assert codes(found, wallet.id)["status-differs"] == 1
    assert legacy_vault.get_wallet(wallet.id).status == "revoked", "the one that allows less counts"


# --- the keyring ---------------------------------------------------------------------------------------------


def _states(vault: Vault, url: str) -> None:
    execute(url, "UPDATE strongroom_keyring SET state = 'retired' WHERE state = 'opening'")


def _version(vault: Vault, url: str) -> None:
    execute(url, f"UPDATE {HEAD} SET version = version + 1, tagged_version = tagged_version + 1")


def _older(vault: Vault, url: str) -> None:
    before = head_of(url)
    vault.rotate_sealing_key()
    names = ("version", "states", "tags_complete", "accept_foreign", "tagged_version", "kid", "tag")
    execute(url, f"UPDATE {HEAD} SET {', '.join(f'{name} = ?' for name in names)}", before)


def _accepting(vault: Vault, url: str) -> None:
    execute(url, f"UPDATE {HEAD} SET accept_foreign = NOT accept_foreign")


@pytest.mark.parametrize("change", [_states, _version, _older, _accepting])
def test_a_keyring_that_was_changed_is_a_finding(
    vault: Vault, vault_url: str, root_key_uri: str, change: Callable[[Vault, str], None]
) -> None:
    vault.create_wallet(uuid4(), "ethereum")
    vault.rotate_sealing_key()
    change(vault, vault_url)
    found = document(vault_url, "--root-key", root_key_uri)
    assert "keyring-changed" in schema_codes(found)
    assert codes(found)["register-mismatch"] == 0, "nothing is said of a register whose keyring is not believed"


@pytest.mark.parametrize("migration", ["0001", "0002"])
def test_a_vault_of_an_older_version_wants_an_upgrade_and_is_healthy(
    vault: Vault, vault_url: str, root_key_uri: str, migration: str
) -> None:
    vault.create_wallet(uuid4(), "ethereum")
    vault.close()
    take_back(vault_url, migration)
    found = document(vault_url, "--root-key", root_key_uri)
    assert [each["code"] for each in found["notes"] if each["code"] == "upgrade-needed"] == ["upgrade-needed"]
    assert (found["findings"], schema_codes(found) & {"keyring-changed"}) == ([], set())


def rows_of(url: str, wallet_id: Any) -> None:
    for table, column in (
        ("credential_usage_logs", "credential_id"),
        ("credential_vault_storage", "credential_id"),
        ("project_credentials", "id"),
    ):
        execute(url, f"DELETE FROM {table} WHERE {column} = ?", (str(wallet_id),))


def test_a_wallet_of_the_register_of_which_nothing_is_left_is_a_finding(
    vault: Vault, vault_url: str, root_key_uri: str
) -> None:
    projects = [uuid4() for _ in range(3)]
    wallets = [vault.create_wallet(project, "ethereum").wallet for project in projects]
    for wallet in wallets[:2]:
        rows_of(vault_url, wallet.id)
    found = document(vault_url, "--root-key", root_key_uri)
    told = [each for each in found["findings"] if each["code"] == "wallet-rows-gone"]
    assert {(each["table"], each["row"], each["command"], each["repair"]) for each in told} == {
        ("strongroom_wallet", str(wallet.id), f"strongroom wallet store-key {wallet.id}", "none")
        for wallet in wallets[:2]
    }
    assert len(told) == len(found["findings"])
    assert all("backup" in each["evidence"] for each in told)
    assert wallets[0].address in str(told)
    one = document(vault_url, "--root-key", root_key_uri, "--project", str(projects[0]))["findings"]
    assert [each["row"] for each in one] == [str(wallets[0].id)]
    with pytest.raises(strongroom.KeyMissingError) as refused:
        vault.create_wallet(projects[0], "ethereum")
    assert "strongroom doctor" in refused.value.hint
    assert "rows-gone" in refused.value.hint


def test_a_record_that_nobody_authenticated_makes_no_wallet_gone(
    vault: Vault, vault_url: str, root_key_uri: str
) -> None:
    wallet = vault.create_wallet(uuid4(), "ethereum").wallet
    execute(vault_url, "UPDATE strongroom_wallet SET address = 'x'")
    rows_of(vault_url, wallet.id)
    found = document(vault_url, "--root-key", root_key_uri)["findings"]
    assert "wallet-rows-gone" not in {each["code"] for each in found}


def test_more_records_without_rows_than_a_page_are_all_found(vault: Vault, vault_url: str, root_key_uri: str) -> None:
    networks = ["ethereum", "polygon", "base", "arbitrum", "optimism", "solana"]
    wallets = [each for _ in range(90) for each in vault.create_wallets(uuid4(), networks)]
    for table in ("credential_usage_logs", "credential_vault_storage", "project_credentials"):
        execute(vault_url, f"DELETE FROM {table}")
    found = document(vault_url, "--root-key", root_key_uri)["findings"]
    assert {each["row"] for each in found} == {str(each.wallet.id) for each in wallets if each.wallet is not None}


def test_a_wallet_that_the_history_keeps_is_told_once(legacy_vault: Vault, g3_url: str, root_key_uri: str) -> None:
    project = add_project(g3_url)
    wallet = legacy_vault.create_wallet(project, "ethereum").wallet
    rows_of(g3_url, wallet.id)
    found = document(g3_url, "--root-key", root_key_uri)["findings"]
    mine = [each for each in found if each["credential_id"] == str(wallet.id)]
    assert [(each["code"], each["table"]) for each in mine] == [("wallet-rows-gone", "strongroom_vault_history")]
    execute(g3_url, "UPDATE strongroom_vault_history SET text = 'gone', form = 'foreign'")
    found = document(g3_url, "--root-key", root_key_uri)["findings"]
    mine = [each for each in found if each["table"] == "strongroom_wallet"]
    assert [each["command"] for each in mine] == [f"strongroom history {wallet.id}"]
