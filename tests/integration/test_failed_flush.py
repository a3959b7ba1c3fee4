"""A session of an application whose flush failed: verbs refuse it with an error of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, scoped_session, sessionmaker

import strongroom
from strongroom import AsyncVault, Vault
from testbed.databases.rows import execute
from tests.integration.other_connections import url_of


class Base(DeclarativeBase):
    """The application's models."""


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(primary_key=True)


VERBS: dict[str, Callable[[Any, UUID, Any], Any]] = {
    "create": lambda vault, project, session: vault.create_wallet(project, "ethereum", connection=session),
    "find": lambda vault, project, session: vault.find_wallet(project, "ethereum", connection=session),
}


def assert_told(caught: pytest.ExceptionInfo[strongroom.FailedTransactionError]) -> None:
    assert not caught.value.retryable
    assert isinstance(caught.value.__cause__, sa.exc.PendingRollbackError)
    assert "Roll back" in caught.value.hint


@pytest.fixture
def url(postgresql_vault_url: str) -> str:
    execute(postgresql_vault_url, "CREATE TABLE orders (id text PRIMARY KEY)")
    execute(postgresql_vault_url, "INSERT INTO orders VALUES ('x')")
    return postgresql_vault_url


def refused(vault: Vault, session: Any, verb: str) -> None:
    """The flush fails, the verb is refused, and after the rollback it works."""
    project = uuid4()
    session.add(Order(id="x"))
    with pytest.raises(sa.exc.IntegrityError):
        session.flush()
    with pytest.raises(strongroom.FailedTransactionError) as caught:
        VERBS[verb](vault, project, session)
    assert_told(caught)
    session.rollback()
    VERBS[verb](vault, project, session)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_a_session_whose_flush_failed_is_told_so(url: str, root_key_uri: str, driver: str, verb: str) -> None:
    engine = sa.create_engine(url_of(url, driver))
    with strongroom.open(url, root_key=root_key_uri) as vault:
        with Session(engine) as session:
            refused(vault, session, verb)
        scoped = scoped_session(sessionmaker(engine))
        refused(vault, scoped, verb)
        scoped.remove()
    engine.dispose()


@pytest.mark.parametrize("verb", VERBS)
def test_the_same_on_sqlite(sqlite_vault_url: str, root_key_uri: str, verb: str) -> None:
    engine = strongroom.create_engine(sqlite_vault_url)
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        connection.exec_driver_sql("INSERT INTO orders VALUES ('x')")
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault, Session(engine) as session:
        refused(vault, session, verb)
    engine.dispose()


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_an_async_session_whose_flush_failed_is_told_so(url: str, root_key_uri: str, driver: str, verb: str) -> None:
    async def run() -> None:
        engine = create_async_engine(url_of(url, driver))
        async with await AsyncVault.open(url, root_key=root_key_uri) as vault, AsyncSession(engine) as session:
            session.add(Order(id="x"))
            with pytest.raises(sa.exc.IntegrityError):
                await session.flush()
            with pytest.raises(strongroom.FailedTransactionError) as caught:
                await VERBS[verb](vault, uuid4(), session)
            assert_told(caught)
            await session.rollback()
            await VERBS[verb](vault, uuid4(), session)
        await engine.dispose()

    asyncio.run(run())
