"""A transaction as a database: what reads there sees what the transaction sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from strongroom.store.connection.database import Database
from strongroom.store.connection.session import Row, Session

T = TypeVar("T")


class RunningTransaction(Database):
    """The vault's database within a transaction that somebody else ends."""

    def __init__(self, own: Database) -> None:
        self._own = own
        self.engine = own.engine

    @property
    def own(self) -> Database:
        """The database on connections of our own."""
        return self._own

    @property
    def durable(self) -> bool:
        """False: it is not committed yet, and may be rolled back."""
        return False

    def close(self) -> None:
        """Nothing: the transaction ends otherwise."""


class SessionDatabase(RunningTransaction):
    """The vault's database as a session of our own sees it."""

    def __init__(self, own: Database, session: Session) -> None:
        super().__init__(own)
        self._session = session

    def read(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run one SELECT in the transaction."""
        return self._session.fetch(sql, parameters)

    def write_statement(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run one writing statement in the transaction."""
        return self._session.fetch(sql, parameters)

    def transact(self, unit: Callable[[Session], T]) -> T:
        """Run ``unit`` in the transaction, once."""
        return unit(self._session)
