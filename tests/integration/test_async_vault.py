"""AsyncVault: the same verbs, awaited."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import anyio
import pytest

import strongroom
from strongroom import AsyncVault, Vault, VaultClosedError
from testbed.databases.rows import assert_whole
from testbed.processes.wallets import PHRASE

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def awaited(vault_url: str, root_key_uri: str) -> AsyncIterator[AsyncVault]:
    async with AsyncVault(strongroom.open(vault_url, root_key=root_key_uri)) as opened:
        yield opened


async def test_every_verb_can_be_awaited(awaited: AsyncVault) -> None:
    project = uuid4()
    wallet, created = await awaited.create_wallet(project, "ethereum", actor="me", reason="test")
    assert created
    results = await awaited.create_wallets(project, ["ethereum", "bitcoin"])
    assert [result.created for result in results] == [False, True]
    imported, _ = await awaited.import_wallet(project, "solana", mnemonic=PHRASE)
    assert await awaited.get_wallet(wallet.id) == wallet
    assert await awaited.find_wallet(project, "ethereum") == wallet
    assert await awaited.find_by_address(imported.address) == imported
    page = await awaited.list_wallets(project, limit=2)
    assert len(page.wallets) == 2
    assert await awaited.count_wallets(project) == 3
    assert [result.ok async for result in awaited.verify(project_id=project)] == [True] * 3
    revealed = await awaited.reveal(imported, actor="me", reason="test")
    assert revealed.mnemonic is not None
    assert revealed.mnemonic.reveal_text() == PHRASE
    assert (await awaited.status()).store.wallets == {"active": 3}
    assert "ethereum" in [network.name for network in awaited.networks()]


async def test_errors_are_the_same(awaited: AsyncVault) -> None:
    with pytest.raises(strongroom.UnknownNetworkError):
        await awaited.create_wallet(uuid4(), "nowhere")
    with pytest.raises(strongroom.ConnectionNotSupportedError):
        await awaited.create_wallet(uuid4(), "ethereum", connection=object())


async def test_64_tasks_get_one_wallet(awaited: AsyncVault, vault_url: str) -> None:
    project = uuid4()
    results: list[tuple[strongroom.Wallet, bool]] = []

    async def create() -> None:
        results.append(await awaited.create_wallet(project, "ethereum"))

    async with anyio.create_task_group() as tasks:
        for _ in range(64):
            tasks.start_soon(create)
    assert len({wallet.id for wallet, _ in results}) == 1
    assert [created for _, created in results].count(True) == 1
    assert_whole(vault_url, 1)


async def test_a_cancelled_creation_is_whole_and_its_retry_returns_it(awaited: AsyncVault, vault_url: str) -> None:
    project = uuid4()
    with anyio.move_on_after(0.0005):
        await awaited.create_wallet(project, "ethereum")
    assert_whole(vault_url)
    wallet, _ = await awaited.create_wallet(project, "ethereum")
    assert [result.ok async for result in awaited.verify(wallet)] == [True]
    assert_whole(vault_url, 1)


async def test_no_verb_of_vault_is_missing() -> None:
    def verbs(kind: type) -> set[str]:
        return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}

    assert verbs(Vault) == verbs(AsyncVault)


@pytest.mark.parametrize("name", ["discover", "verify", "verify_phrases", "rewrap"])
def test_a_verb_that_is_written_twice_takes_the_same(name: str) -> None:
    mine, theirs = (inspect.signature(getattr(kind, name)).parameters for kind in (AsyncVault, Vault))
    assert list(mine.values()) == list(theirs.values())


@pytest.mark.parametrize("cancelled", ["before", "after"])
async def test_an_opening_that_is_cancelled_leaves_no_open_vault(
    vault_url: str, root_key_uri: str, monkeypatch: pytest.MonkeyPatch, cancelled: str
) -> None:
    opened: list[Vault] = []
    loop, done = asyncio.get_running_loop(), threading.Event()

    def slowly(*args: Any, **kwargs: Any) -> Vault:
        if cancelled == "before":
            loop.call_soon_threadsafe(task.cancel)
            done.wait(10)
        opened.append(open_vault(*args, **kwargs))
        if cancelled == "after":
            loop.call_soon_threadsafe(task.cancel)
        return opened[0]

    open_vault = strongroom.open
    monkeypatch.setattr(strongroom, "open", slowly)
    task = asyncio.ensure_future(AsyncVault.open(vault_url, root_key=root_key_uri))
    with pytest.raises(asyncio.CancelledError):
        await task
    done.set()
    with anyio.fail_after(20):
        while not (opened and _is_closed(opened[0])):
            await anyio.sleep(0.01)


def _is_closed(vault: Vault) -> bool:
    try:
        vault.count_wallets()
    except VaultClosedError:
        return True
    return False
