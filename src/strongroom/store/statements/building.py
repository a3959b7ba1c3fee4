"""How statements are built from the schema that is there, and compiled when they are first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, overload

from sqlalchemy import (
    CTE,
    Column,
    Dialect,
    Select,
    Table,
    and_,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    select,
    true,
)
from sqlalchemy.sql.base import Executable

from strongroom.store.foreign import ForeignSchema
from strongroom.store.statements.tables import CREDENTIAL, HEAD, KEYRING, NAMED_BY, VAULT, WALLET_ROWS


class Statement:
    """A method that builds a statement, read as its SQL text; compiled once for each Statements."""

    def __init__(self, build: Callable[[Any], Executable]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __set_name__(self, owner: type[Building], name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type[Building]) -> Statement: ...
    @overload
    def __get__(self, instance: Building, owner: type[Building]) -> str: ...
    def __get__(self, instance: Building | None, owner: type[Building]) -> Statement | str:
        if instance is None:
            return self
        sql = str(self._build(instance).compile(dialect=instance.dialect))  # type: ignore[attr-defined]
        instance.__dict__[self.name] = sql
        return sql


class Building:
    """What every statement is built from: the columns that exist, a wallet's rows, inserts."""

    def __init__(self, dialect: Dialect, foreign: ForeignSchema | None = None) -> None:
        self.dialect = dialect
        self.foreign = foreign
        self.writes_in_one = dialect.name == "postgresql"
        """Whether the engine has data-modifying CTEs, so that one statement writes a whole wallet."""

    def has(self, column: Column[Any]) -> bool:
        return self.foreign is None or self.foreign.has(column.table.name, column.name)

    def column(self, column: Column[Any]) -> Any:
        """A column, or NULL where the schema does not have it."""
        return column if self.has(column) else literal_column("NULL").label(column.name)

    def address(self) -> Any:
        if self.foreign is None:
            return CREDENTIAL.c.wallet_address
        if not self.has(CREDENTIAL.c.wallet_address):
            return CREDENTIAL.c.public_key
        return func.coalesce(func.nullif(CREDENTIAL.c.wallet_address, literal_column("''")), CREDENTIAL.c.public_key)

    def wallet_columns(self, slot: Any) -> tuple[Any, ...]:
        """What a wallet is made of, in the order of ``rows.stored_wallet``."""
        named = (
            (literal_column("NULL"), literal_column("NULL")) if self.foreign is None else (slot.c.network, slot.c.label)
        )
        return (
            CREDENTIAL.c.id,
            CREDENTIAL.c.project_id,
            *named,
            self.column(CREDENTIAL.c.network),
            self.column(CREDENTIAL.c.credential_type),
            self.address(),
            CREDENTIAL.c.public_key,
            CREDENTIAL.c.key_vault_id,
            self.column(CREDENTIAL.c.status),
            self.column(CREDENTIAL.c.is_active),
            self.column(CREDENTIAL.c.revoked_at),
            self.column(CREDENTIAL.c["metadata"]),
            self.column(CREDENTIAL.c.created_at),
            self.vault.c.access_level,
            self.vault.c.encryption_method,
            self.vault.c.encrypted_private_key,
        )

    @cached_property
    def vault(self) -> Any:
        """The vault record of a credential; of several the sealed one, then one that is no placeholder."""
        if self.foreign is None:
            return VAULT
        columns = [
            VAULT.c.id,
            VAULT.c.encrypted_private_key,
            self.column(VAULT.c.access_level),
            self.column(VAULT.c.encryption_method),
        ]
        text = func.coalesce(VAULT.c.encrypted_private_key, literal_column("''"))
        return (
            select(*columns)
            .where(VAULT.c.credential_id == CREDENTIAL.c.id)
            .order_by(
                text.like(literal_column("'eyJraWQiOi%%'")).desc(),
                (func.length(text) > literal_column("27")).desc(),
                VAULT.c.id,
            )
            .limit(literal_column("1"))
            .lateral("vault_record")
        )

    def with_vault(self, source: Any) -> Any:
        if self.foreign is None:
            return source.outerjoin(VAULT, VAULT.c.credential_id == CREDENTIAL.c.id)
        return source.outerjoin(self.vault, true())

    def with_slot(self, source: Any) -> Any:
        if self.foreign is None:
            return source
        return source.outerjoin(
            NAMED_BY,
            and_(NAMED_BY.c.credential_id == CREDENTIAL.c.id, NAMED_BY.c.project_id == CREDENTIAL.c.project_id),
        )

    def wallets(self) -> Select[Any]:
        return select(*self.wallet_columns(NAMED_BY)).select_from(self.with_slot(self.with_vault(CREDENTIAL)))

    def paged(self) -> Select[Any]:
        after = CREDENTIAL.c.id > param("after", CREDENTIAL.c.id)
        return limited(self.wallets().where(after).order_by(CREDENTIAL.c.id), param("limit", HEAD.c.version))

    def insert(self, table: Table, row: Mapping[str, str], *, arbitrated: bool = False) -> Executable:
        """INSERT ... VALUES; ``arbitrated``: nothing where any unique key is taken."""
        if not arbitrated:
            return insert(table).values(self.filled(table, row)).inline()
        return self.dialect_insert(table).values(self.filled(table, row)).inline().on_conflict_do_nothing()  # type: ignore[no-any-return]

    def insert_from(
        self, table: Table, row: Mapping[str, str], source: CTE | None, *, arbitrated: bool = False, where: Any = None
    ) -> Any:
        """INSERT ... SELECT parameters, once for each row of ``source``; without one, once."""
        filled = self.filled(table, row)
        values = select(*filled.values())
        if source is not None:
            values = values.select_from(source)
        if where is not None:
            values = values.where(where)
        statement = self.dialect_insert(table).from_select(list(filled), values)
        return statement.on_conflict_do_nothing() if arbitrated else statement

    def filled(self, table: Table, row: Mapping[str, str]) -> dict[str, Any]:
        """The row's columns that the schema has, as parameters; ``true`` and ``false`` are themselves."""
        constants: dict[str, Any] = {"true": literal_column("true"), "false": literal_column("false")}
        return {
            column: constants[name] if name in constants else param(name, table.c[column])
            for column, name in row.items()
            if self.has(table.c[column]) or table.name not in WALLET_ROWS
        }

    def dialect_insert(self, table: Table) -> Any:
        """The dialect's INSERT, with ON CONFLICT; imported when used, because each dialect takes 30 ms."""
        if self.dialect.name == "sqlite":
            from sqlalchemy.dialects import sqlite

            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)


def param(name: str, column: Column[Any]) -> Any:
    """A parameter of a column's type."""
    return bindparam(name, type_=column.type)


def equals(column: Column[Any], name: str) -> Any:
    """That a column equals a parameter."""
    return column == param(name, column)


def knows_sealing_key() -> Any:
    """That the database's keyring has the sealing key of a text that is written."""
    return exists(select(literal_column("1")).select_from(KEYRING).where(equals(KEYRING.c.kid, "kid")))


def beginnings() -> Select[Any]:
    """What every vault record's text begins with."""
    return select(beginning(VAULT.c.encrypted_private_key))


def beginning(text: Any) -> Any:
    """The forty characters that name a sealed text's sealing key."""
    return func.substr(text, literal_column("1"), literal_column("40"))


def limited(query: Select[Any], limit: Any) -> Select[Any]:
    """Without an explicit OFFSET the SQLite dialect would add one as a parameter without a name of ours."""
    return query.limit(limit).offset(literal_column("0"))
