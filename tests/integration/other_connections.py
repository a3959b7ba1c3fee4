"""Connections as applications have them, of each library and driver."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
import psycopg2
import sqlalchemy as sa
from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

Execute = Callable[[str], Any]
Opened = tuple[Any, Execute, Callable[[], None]]
"""What ``connection=`` is given, what runs a statement of the application, and what commits."""


def url_of(url: str, driver: str) -> str:
    """A URL of PostgreSQL for another driver of SQLAlchemy."""
    return url.replace("postgresql://", f"postgresql+{driver}://", 1)


@contextmanager
def _sqlalchemy(url: str) -> Iterator[Opened]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        yield connection, connection.exec_driver_sql, connection.commit
    engine.dispose()


@contextmanager
def _orm(url: str, kind: Callable[[sa.Engine], Session] = Session, *, itself: bool = False) -> Iterator[Opened]:
    engine = sa.create_engine(url_of(url, "psycopg"))
    with kind(engine) as session:
        given = session if itself else session.connection()
        yield given, lambda sql: session.connection().execute(sa.text(sql)), session.commit
    engine.dispose()


def _sqlmodel(engine: sa.Engine) -> Session:
    import sqlmodel

    return sqlmodel.Session(engine)


@contextmanager
def _psycopg(url: str) -> Iterator[Opened]:
    connection = psycopg.connect(url, row_factory=dict_row, cursor_factory=psycopg.ClientCursor)
    yield connection, connection.execute, connection.commit
    connection.close()


@contextmanager
def _psycopg2(url: str) -> Iterator[Opened]:
    connection = psycopg2.connect(url)
    yield connection, connection.cursor().execute, connection.commit
    connection.close()


WAYS: dict[str, Callable[[str], Any]] = {
    "psycopg2 of SQLAlchemy": lambda url: _sqlalchemy(url_of(url, "psycopg2")),
    "Session.connection()": _orm,
    "Session": lambda url: _orm(url, itself=True),
    "SQLModel": lambda url: _orm(url, _sqlmodel, itself=True),
    "psycopg": _psycopg,
    "psycopg2": _psycopg2,
}


@asynccontextmanager
async def awaited(way: str, url: str) -> AsyncIterator[tuple[Any, AsyncConnection]]:
    """What ``connection=`` is given (``connection`` or ``session``, of a driver), and the connection that it is on."""
    kind, _, driver = way.partition(" ")
    engine = create_async_engine(url_of(url, driver))
    try:
        if kind == "connection":
            async with engine.connect() as connection:
                yield connection, connection
        else:
            async with AsyncSession(engine) as session:
                yield session, await session.connection()
    finally:
        await engine.dispose()


AWAITED = ("connection psycopg", "connection asyncpg", "session psycopg", "session asyncpg")
