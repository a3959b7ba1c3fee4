"""Promise 4: (project, network, label) names one live wallet, under any number of concurrent callers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from uuid import uuid4

import pytest

import strongroom
from strongroom import Vault, Wallet
from testbed.concurrency import at_once
from testbed.databases.rows import assert_whole, execute
from testbed.harness.fork_server import ForkServer
from testbed.processes import wallets as children

CALLERS = 64


def test_64_threads_get_one_wallet_and_one_of_them_created_it(vault: Vault, vault_url: str) -> None:
    project = uuid4()
    results = at_once([lambda: vault.create_wallet(project, "ethereum")] * CALLERS)
    wallets = [result for result in results if isinstance(result, tuple)]
    assert len(wallets) == CALLERS, results
    assert len({wallet.address for wallet, _ in wallets}) == 1
    assert [created for _, created in wallets].count(True) == 1
    assert_whole(vault_url, 1)


@pytest.mark.thorough(but=("postgresql",))
def test_64_processes_get_one_wallet_and_one_of_them_created_it(
    fork_server: ForkServer, vault_url: str, root_key_uri: str
) -> None:
    fork_server.warm_up(children.warm_up)
    project = str(uuid4())
    arguments = {"url": vault_url, "root_key": root_key_uri, "project": project}
    printed = [report.printed[0] for report in fork_server.race(children.race, [arguments] * CALLERS)]
    assert [line for line in printed if "error" in line] == []
    assert len({line["address"] for line in printed}) == 1
    assert [line["created"] for line in printed].count(True) == 1
    assert_whole(vault_url, 1)


def test_64_threads_with_one_idempotency_key_on_two_networks_leave_one_wallet_and_one_conflict(
    vault: Vault, vault_url: str
) -> None:
    project = uuid4()

    def on(network: str) -> Callable[[], tuple[Wallet, bool]]:
        return lambda: vault.create_wallet(project, network, idempotency_key="order-1")

    results = at_once([on(network) for network in ("ethereum", "bitcoin") for _ in range(CALLERS // 2)])
    wallets = [result for result in results if isinstance(result, tuple)]
    conflicts = [result for result in results if isinstance(result, strongroom.IdempotencyConflictError)]
    assert len(wallets) == len(conflicts) == CALLERS // 2, Counter(map(repr, results))
    assert len({wallet.id for wallet, _ in wallets}) == 1
    assert [created for _, created in wallets].count(True) == 1
    assert {conflict.fields for conflict in conflicts} == {("network",)}
    assert_whole(vault_url, 1)


@pytest.mark.thorough
def test_processes_with_one_idempotency_key_on_two_networks_leave_one_wallet(
    fork_server: ForkServer, vault_url: str, root_key_uri: str
) -> None:
    fork_server.warm_up(children.warm_up)
    common = {"url": vault_url, "root_key": root_key_uri, "project": str(uuid4()), "key": "order-1"}
    arguments = [{**common, "network": network} for network in ("ethereum", "bitcoin")] * (CALLERS // 2)
    printed = [report.printed[0] for report in fork_server.race(children.race, arguments)]
    assert Counter(line.get("error", "wallet") for line in printed) == {
        "wallet": CALLERS // 2,
        "idempotency-conflict": CALLERS // 2,
    }
    assert_whole(vault_url, 1)


def test_many_labels_and_networks_at_once_each_get_their_own_wallet(vault: Vault, vault_url: str) -> None:
    project = uuid4()
    wanted = [(network, f"l{i}") for network in ("ethereum", "bitcoin", "solana") for i in range(4)] * 4

    def call(network: str, label: str) -> Callable[[], tuple[Wallet, bool]]:
        return lambda: vault.create_wallet(project, network, label=label)

    results = at_once([call(*each) for each in wanted])
    wallets = [result[0] for result in results if isinstance(result, tuple)]
    assert len(wallets) == len(wanted), results
    assert len({wallet.address for wallet in wallets}) == 12
    assert_whole(vault_url, 12)


def test_concurrent_imports_of_one_key_leave_one_wallet(vault: Vault, vault_url: str) -> None:
    project = uuid4()
    results = at_once(
        [lambda: vault.import_wallet(project, "solana", mnemonic=children.PHRASE)] * 16,
    )
    assert [result for result in results if not isinstance(result, tuple)] == []
    assert [result[1] for result in results if isinstance(result, tuple)].count(True) == 1
    assert_whole(vault_url, 1)


def test_concurrent_imports_of_different_keys_leave_one_of_them_and_conflicts(vault: Vault, vault_url: str) -> None:
    project = uuid4()

    def call(number: int) -> Callable[[], tuple[Wallet, bool]]:
        return lambda: vault.import_wallet(project, "base", private_key=f"{number:064x}")

    results = at_once([call(number) for number in range(1, 17)])
    assert sum(isinstance(result, tuple) for result in results) == 1
    assert sum(isinstance(result, strongroom.KeyConflictError) for result in results) == 15
    assert_whole(vault_url, 1)


def test_a_repeat_changes_no_row(vault: Vault, vault_url: str) -> None:
    project = uuid4()
    first = vault.create_wallet(project, "ethereum")
    before = (
        execute(vault_url, "SELECT * FROM project_credentials"),
        execute(vault_url, "SELECT * FROM credential_vault_storage"),
    )
    again = [vault.create_wallet(project, "ethereum") for _ in range(20)]
    assert {(wallet, created) for wallet, created in again} == {(first.wallet, False)}
    assert before == (
        execute(vault_url, "SELECT * FROM project_credentials"),
        execute(vault_url, "SELECT * FROM credential_vault_storage"),
    )
    assert_whole(vault_url, 1)


def test_a_wallet_whose_vault_record_is_gone_is_not_made_again(vault: Vault, vault_url: str) -> None:
    project = uuid4()
    wallet, _ = vault.create_wallet(project, "ethereum")
    execute(vault_url, "DELETE FROM credential_vault_storage")
    with pytest.raises(strongroom.KeyMissingError):
        vault.create_wallet(project, "ethereum")
    assert [result.code for result in vault.verify()] == ["key-missing"]
    assert vault.get_wallet(wallet).custody is None


@pytest.mark.parametrize("placeholder", ["", "MIGRATION_REQUIRED", "PRIVATE_KEY_NOT_RECOVERABLE"])
def test_a_placeholder_is_not_a_key(vault: Vault, vault_url: str, placeholder: str) -> None:
    project = uuid4()
    vault.create_wallet(project, "ethereum")
    execute(vault_url, "UPDATE credential_vault_storage SET encrypted_private_key = ?", (placeholder,))
    with pytest.raises(strongroom.KeyMissingError):
        vault.create_wallet(project, "ethereum")
    assert [result.code for result in vault.verify()] == ["not-sealed"]


def test_a_slot_that_names_nothing_is_an_error_not_a_new_wallet(vault: Vault, vault_url: str) -> None:
    project = uuid4()
    vault.create_wallet(project, "ethereum")
    for table in ("credential_vault_storage", "credential_usage_logs", "project_credentials"):
        execute(vault_url, f"DELETE FROM {table}")
    with pytest.raises(strongroom.KeyMissingError):
        vault.create_wallet(project, "ethereum")


def test_a_live_credential_that_no_slot_names_blocks_a_second_one(vault: Vault, vault_url: str) -> None:
    project = uuid4()
    wallet, _ = vault.create_wallet(project, "ethereum")
    execute(vault_url, "DELETE FROM strongroom_slot")
    with pytest.raises(strongroom.StoreRefusedError):
        vault.create_wallet(project, "ethereum")
    assert [row[0] for row in execute(vault_url, "SELECT count(*) FROM strongroom_slot")] == [0]
    assert vault.get_wallet(wallet.id) == wallet
