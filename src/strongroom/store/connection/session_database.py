"""A transaction of our own as a database: what reads there sees what the transaction sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from strongroom.store.connection.database import Database
from strongroom.store.connection.session import Row, Session

T = TypeVar("T")


class SessionDatabase(Database):
    """The vault's database from within a transaction that is running."""

    def __init__(self, own: Database, session: Session) -> None:
        self._own = own
        self.engine = own.engine
        self._session = session

    @property
    def own(self) -> Database:
        """The database on connections of our own."""
        return self._own

    @property
    def durable(self) -> bool:
        """False: it is not committed yet."""
        return False

    def close(self) -> None:
        """Nothing: the transaction ends otherwise."""

    def read(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run one SELECT in the transaction."""
        return self._session.fetch(sql, parameters)

    def write_statement(self, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Run one writing statement in the transaction."""
        return self._session.fetch(sql, parameters)

    def transact(self, unit: Callable[[Session], T]) -> T:
        """Run ``unit`` in the transaction, once."""
        return unit(self._session)
