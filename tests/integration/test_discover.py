"""Addresses of a phrase that are in use become wallets, without gaps, and no transaction is open meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import anyio
import psycopg
import pytest
from eth_account import Account

import strongroom
from strongroom import AsyncVault, DiscoveredWallets, Vault
from strongroom.usecases import discover
from testbed.concurrency import at_once
from testbed.databases.deployments import Deployment

WORDS = "test test test test test test test test test test test junk"
BY: dict[str, Any] = {"actor": "test", "reason": "to find them"}
_IN_TRANSACTIONS = """
SELECT query FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'
"""
Account.enable_unaudited_hdwallet_features()


def address(index: int) -> str:
    """What another library derives."""
    return str(Account.from_mnemonic(WORDS, account_path=f"m/44'/60'/0'/0/{index}").address)


def among(*indices: int) -> Callable[[str], bool]:
    used = {address(index) for index in indices}
    return lambda asked: asked in used


@pytest.fixture
def project(deployment: Deployment, vault_a: Vault) -> UUID:
    """A project with a phrase that comes from elsewhere."""
    made = deployment.project()
    vault_a.import_phrase(made, mnemonic=WORDS)
    return made


def indices(deployment: Deployment, project: UUID) -> list[int]:
    sql = "SELECT phrase_index FROM strongroom_wallet WHERE project_id = ? ORDER BY phrase_index"
    return [int(index) for (index,) in deployment.execute(sql, project)]


def test_wallets_are_made_up_to_the_highest_that_is_used(deployment: Deployment, vault_a: Vault, project: UUID) -> None:
    found = vault_a.discover(project, "ethereum", is_used=among(0, 3, 9), gap=6, **BY)
    assert (found.used, found.asked, found.next_index) == ((0, 3, 9), 16, 10)
    assert [each.wallet.address for each in found.wallets] == [address(index) for index in range(10)]
    assert [each.wallet.label for each in found.wallets] == [f"discovered-{index}" for index in range(10)]
    assert indices(deployment, project) == list(range(10))
    again = vault_a.discover(project, "ethereum", is_used=among(0, 3, 9, 11), gap=6)
    assert [each.wallet.phrase_index for each in again.wallets] == [10, 11]
    assert vault_a.discover(project, "ethereum", is_used=among(0, 3, 9, 11), gap=6).wallets == ()
    assert vault_a.create_wallet(project, "ethereum", label="next", phrase="default").wallet.phrase_index == 12
    deployment.assert_sound(vault_a)


def test_the_search_ends_after_a_gap(deployment: Deployment, vault_a: Vault, project: UUID) -> None:
    found = vault_a.discover(project, "ethereum", is_used=among(20))
    assert (found.used, found.asked, found.next_index, found.wallets) == ((), 20, 0, ())
    assert vault_a.discover(project, "ethereum", is_used=among(20), gap=21).used == (20,)
    assert indices(deployment, project) == list(range(21))


def test_wallets_that_are_there_are_gone_on_from(deployment: Deployment, vault_a: Vault, project: UUID) -> None:
    vault_a.create_many(project, "ethereum", ["a", "b"])
    found = vault_a.discover(project, "ethereum", is_used=among(0, 4), gap=5, label_prefix="old-")
    assert [each.wallet.label for each in found.wallets] == ["old-2", "old-3", "old-4"]
    vault_a.advance_phrase(project, "ethereum", 9, **BY)
    assert vault_a.discover(project, "ethereum", is_used=among(6), gap=9).wallets == ()
    assert indices(deployment, project) == list(range(5))


def test_nothing_is_written_where_no_end_is_in_sight(deployment: Deployment, vault_a: Vault, project: UUID) -> None:
    with pytest.raises(strongroom.DiscoveryLimitError, match="Of 30 addresses"):
        vault_a.discover(project, "ethereum", is_used=lambda _: True, most=30)
    assert vault_a.discover(project, "ethereum", is_used=among(9), most=30).used == (9,)
    wrong: list[dict[str, Any]] = [{"gap": 0}, {"gap": 21, "most": 20}, {"most": 0}, {"gap": True}, {"most": 2_000_000}]
    for how in wrong:
        with pytest.raises(strongroom.InvalidLimitError):
            vault_a.discover(project, "ethereum", is_used=among(0), **how)
    with pytest.raises(strongroom.InvalidLabelError):
        vault_a.discover(project, "ethereum", is_used=among(0), label_prefix="A")
    with pytest.raises(strongroom.InvalidRequestError):
        vault_a.discover(project, "ethereum", is_used=None)  # type: ignore[arg-type]
    assert indices(deployment, project) == list(range(10))


def test_what_is_used_raises_is_passed_on(deployment: Deployment, vault_a: Vault, project: UUID) -> None:
    def fails(asked: str) -> bool:
        if asked == address(3):
            raise ConnectionError("the explorer is away")
        return True

    async def awaited(_: str) -> bool:
        return True

    with pytest.raises(ConnectionError):
        vault_a.discover(project, "ethereum", is_used=fails)
    with pytest.raises(strongroom.InvalidRequestError, match="awaited"):
        vault_a.discover(project, "ethereum", is_used=awaited)
    assert indices(deployment, project) == []


def test_a_label_of_another_wallet_is_in_the_way(deployment: Deployment, vault_a: Vault, project: UUID) -> None:
    vault_a.create_wallet(project, "ethereum", label="discovered-2")
    with pytest.raises(strongroom.PhraseConflictError, match=r"label discovered-2\. No wallet was made\."):
        vault_a.discover(project, "ethereum", is_used=among(3))
    assert vault_a.list_accounts(project) == ()
    assert len(vault_a.discover(project, "ethereum", is_used=among(3), label_prefix="d-").wallets) == 4


def test_what_was_made_before_such_a_label_is_said(
    vault_a: Vault, project: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discover, "LARGEST_BATCH", 2)
    vault_a.create_wallet(project, "ethereum", label="discovered-2")
    with pytest.raises(strongroom.PhraseConflictError, match=r"2 of lower indices were made before, and stay\."):
        vault_a.discover(project, "ethereum", is_used=among(3))
    assert [each.next_index for each in vault_a.list_accounts(project)] == [2]


def test_no_transaction_is_open_while_addresses_are_asked_about(
    deployment: Deployment, vault_a: Vault, project: UUID
) -> None:
    """Another vault creates wallets of the same account meanwhile: it waits for nobody."""
    asked: list[str] = []

    def is_used(each: str) -> bool:
        asked.append(each)
        if deployment.backend != "sqlite":
            with psycopg.connect(deployment.url, autocommit=True) as server:
                assert server.execute(_IN_TRANSACTIONS).fetchall() == []
        if len(asked) == 3:
            with deployment.open() as other:
                other.create_many(project, "ethereum", ["meanwhile", "and-again"])
        return each == address(4)

    found = vault_a.discover(project, "ethereum", is_used=is_used, gap=5)
    assert [each.wallet.phrase_index for each in found.wallets] == [2, 3, 4]
    assert indices(deployment, project) == list(range(5))


def test_many_who_discover_and_create_at_once_leave_no_gaps(
    deployment: Deployment, vault_a: Vault, vault_b: Vault, project: UUID
) -> None:
    calls: list[Callable[[], Any]] = [
        *(partial(vault.discover, project, "ethereum", is_used=among(12)) for vault in (vault_a, vault_b)),
        *(
            partial(vault.create_many, project, "ethereum", count=3, label_prefix=f"m{n}-")
            for n, vault in enumerate((vault_a, vault_b))
        ),
    ]
    results = at_once(calls)
    assert [each for each in results if isinstance(each, strongroom.StrongroomError)] == []
    found = indices(deployment, project)
    assert found == list(range(len(found)))
    assert 13 <= len(found) <= 19
    labels = deployment.execute("SELECT label, phrase_index FROM strongroom_wallet WHERE project_id = ?", project)
    assert all(label == f"discovered-{index}" for label, index in labels if label.startswith("d"))
    deployment.assert_sound(vault_a)


@pytest.mark.parametrize("network", ["bitcoin", "solana"])
def test_other_networks_are_discovered_too(vault_a: Vault, project: UUID, network: str) -> None:
    seen: list[str] = []

    def is_used(each: str) -> bool:
        seen.append(each)
        return len(seen) == 2

    found = vault_a.discover(project, network, is_used=is_used, gap=3)
    assert [each.wallet.address for each in found.wallets] == seen[:2]


@pytest.mark.parametrize("awaits", [True, False])
def test_the_asynchronous_face_takes_either_kind(deployment: Deployment, project: UUID, awaits: bool) -> None:
    used = among(1)

    async def asked(each: str) -> bool:
        await anyio.sleep(0)
        return used(each)

    async def run() -> DiscoveredWallets:
        async with await AsyncVault.open(deployment.url, root_key=deployment.root_key) as vault:
            return await vault.discover(project, "ethereum", is_used=asked if awaits else used, gap=3, **BY)

    found = anyio.run(run)
    assert [each.wallet.address for each in found.wallets] == [address(0), address(1)]


def test_a_cancelled_task_asks_no_more_and_writes_nothing(deployment: Deployment, project: UUID) -> None:
    asked: list[str] = []

    async def forever(each: str) -> bool:
        asked.append(each)
        await anyio.sleep(600)
        return True

    async def run() -> None:
        async with await AsyncVault.open(deployment.url, root_key=deployment.root_key) as vault:
            with anyio.move_on_after(0.2) as scope:
                await vault.discover(project, "ethereum", is_used=forever)
            assert scope.cancelled_caught

    anyio.run(run)
    assert len(asked) == 1
    assert indices(deployment, project) == []
