"""A call of AsyncVault that is cancelled at an await: each of them, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterator
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import anyio
import pytest
import sqlalchemy as sa

import strongroom
from strongroom import AsyncVault, Vault
from testbed.databases.rows import assert_whole, execute
from tests.integration.other_connections import awaited

Verb = Callable[[AsyncVault, UUID, Any], Awaitable[Any]]
Cancel = Callable[[], object]
MOST_AWAITS = 200
KEY = "46" * 32
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND left(state, 7) = 'idle in'"


async def create(vault: AsyncVault, project: UUID, connection: Any) -> Any:
    """A creation with a key, which is in a transaction of its own otherwise."""
    return await vault.create_wallet(project, "ethereum", idempotency_key="k", connection=connection)


async def look(vault: AsyncVault, project: UUID, connection: Any) -> Any:
    """A read."""
    return await vault.find_wallet(project, "bitcoin", connection=connection)


async def bring(vault: AsyncVault, project: UUID, connection: Any) -> Any:
    """An import, whose key is read in a thread."""
    return await vault.import_wallet(
        project, "ethereum", private_key=repr({"key": KEY}), idempotency_key="k", connection=connection
    )


async def several(vault: AsyncVault, project: UUID, connection: Any) -> Any:
    """Creations of several wallets in one call; the first of them is looked at."""
    return (await vault.create_wallets(project, ["solana", "ethereum"], connection=connection))[0]


class Counted:
    """Awaits a call, and cancels it when it waits for the n-th time."""

    def __init__(self, call: Awaitable[Any], cancel_at: int, cancel: Cancel) -> None:
        self.call = call
        self.left = cancel_at
        self.cancel = cancel

    def __await__(self) -> Generator[Any, Any, Any]:
        inner = self.call.__await__()
        step: Callable[[], Any] = partial(inner.send, None)
        while True:
            try:
                waits = step()
            except StopIteration as end:
                return end.value
            self.left -= 1
            if self.left == 0:
                asyncio.get_running_loop().call_soon(self.cancel)
            try:
                step = partial(inner.send, (yield waits))
            except BaseException as error:
                step = partial(inner.throw, error)


async def cancelled(call: Awaitable[Any], at: int, *, scope: bool) -> bool:
    """Whether a call was cancelled at its n-th await: by its task, once, or by a scope of anyio, at every await."""
    if scope:
        with anyio.CancelScope() as entered:
            await Counted(call, at, entered.cancel)
        return entered.cancelled_caught
    own = asyncio.current_task()
    assert own is not None
    try:
        await Counted(call, at, own.cancel)
    except asyncio.CancelledError:
        own.uncancel()
        return True
    return False


@pytest.fixture
def url(postgresql_vault_url: str) -> str:
    """A vault's database with a table of the application's."""
    execute(postgresql_vault_url, "CREATE TABLE orders (id text PRIMARY KEY)")
    return postgresql_vault_url


@pytest.fixture
def vault(url: str, root_key_uri: str) -> Iterator[Vault]:
    """A vault on it."""
    with strongroom.open(url, root_key=root_key_uri) as opened:
        yield opened


@pytest.mark.parametrize("scope", [False, True], ids=["task", "scope"])
@pytest.mark.parametrize("way", ["connection asyncpg", "session psycopg"])
@pytest.mark.parametrize("verb", [create, bring, several, look])
def test_a_call_that_is_cancelled_leaves_nothing_behind(
    verb: Verb, way: str, scope: bool, vault: Vault, url: str
) -> None:
    ends: list[str] = []

    async def attempt(at: int) -> bool:
        project = uuid4()
        async with awaited(way, url) as (given, connection):
            await connection.execute(sa.text(f"INSERT INTO orders VALUES ('{at}')"))
            was = await cancelled(verb(AsyncVault(vault), project, given), at, scope=scope)
            if not was:
                return False
            if connection.invalidated:
                ends.append("invalidated")
                await given.rollback()
            else:
                ends.append("rolled back")
                await connection.execute(sa.text(f"INSERT INTO orders VALUES ('{at} goes on')"))
                await given.commit()
            found = await verb(AsyncVault(vault), project, given)  # the same connection takes the retry
            assert found is None or found.created
            await given.rollback()
        return True

    async def run() -> None:
        for at in range(1, MOST_AWAITS):
            if not await attempt(at):
                return
        raise AssertionError("the call never came to its end")

    asyncio.run(run())
    # The key is made in a thread before the first statement: until then the connection was not touched.
    assert set(ends) == ({"invalidated"} if verb is look else {"rolled back", "invalidated"})
    assert_whole(url, 0)
    assert execute(url, WAITING) == [(0,)]
    kept = execute(url, "SELECT count(*) FROM orders")
    assert kept == [(2 * ends.count("rolled back"),)]
