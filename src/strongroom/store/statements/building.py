"""How statements are built from the schema that is there, and compiled when they are first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, overload

from sqlalchemy import (
    CTE,
    Column,
    Dialect,
    Select,
    Table,
    Text,
    and_,
    case,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.sql.base import Executable

from strongroom.records.vault_texts import SEALED_PREFIX
from strongroom.store.catalog.foreign_schema import ForeignSchema
from strongroom.store.statements.bounds import SQLITE_TEXT, fits
from strongroom.store.statements.column_forms import ColumnForms, equals, param
from strongroom.store.statements.register_rows import RECORD_ONLY
from strongroom.store.statements.tables import CREDENTIAL, HEAD, KEYRING, NAMED_BY, REGISTER, VAULT, WALLET_TABLES
from strongroom.store.statements.text_forms import substring
from strongroom.store.statements.wallet_row import WalletRow

LONGEST_TEXT = 16_385
"""Characters of a vault record that are read: one more than a sealed text may have."""
LONGEST_VALUE = 2_048
"""Characters of other texts that are read: more than any that a wallet can have."""
LONGEST_METADATA_BYTES = 65_536
_LONGEST_PLACEHOLDER = 27
"""Characters of a vault record's text that may be a placeholder: a key is longer in every notation."""
_MOST_VAULT_RECORDS = 256
"""Of one credential, among which the sealed one is looked for; the legacy application writes one or two."""


class Statement:
    """A method that builds a statement, read as its SQL text; compiled once for each Statements."""

    def __init__(self, build: Callable[[Any], Executable]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __set_name__(self, owner: type[StatementBuilder], name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type[StatementBuilder]) -> Statement: ...
    @overload
    def __get__(self, instance: StatementBuilder, owner: type[StatementBuilder]) -> str: ...
    def __get__(self, instance: StatementBuilder | None, owner: type[StatementBuilder]) -> Statement | str:
        if instance is None:
            return self
        sql = instance.compiled(self._build(instance))
        instance.__dict__[self.name] = sql
        return sql


class StatementBuilder(ColumnForms):
    """What every statement is built from: the columns that exist, a wallet's rows, inserts."""

    def __init__(
        self,
        dialect: Dialect,
        foreign: ForeignSchema | None = None,
        *,
        untagged_nonces: bool = False,
        sharded: bool = False,
    ) -> None:
        super().__init__(foreign, sharded=sharded)
        self.dialect = dialect
        self.untagged_nonces = untagged_nonces
        """Whether nonces that an older version wrote down are still in a table of their own."""
        self.writes_in_one = dialect.name == "postgresql"

    def compiled(self, statement: Executable) -> str:
        """A statement as SQL text, with named parameters."""
        return str(statement.compile(dialect=self.dialect))  # type: ignore[attr-defined]

    def address(self) -> Any:
        """A credential's address: legacy rows may have it in the column of the public key alone."""
        if self.foreign is None:
            return CREDENTIAL.c.wallet_address
        if not self.has(CREDENTIAL.c.wallet_address):
            return CREDENTIAL.c.public_key
        return func.coalesce(func.nullif(CREDENTIAL.c.wallet_address, literal_column("''")), CREDENTIAL.c.public_key)

    def wallet_row(self, slot: Any) -> WalletRow:
        """A credential and its vault record.

        Of what a writer may have made as large as they liked only a beginning is read, which is longer than what fits.
        """
        nothing: Any = literal_column("NULL")
        return WalletRow(
            id=CREDENTIAL.c.id,
            project_id=CREDENTIAL.c.project_id,
            slot_network=nothing if self.foreign is None else slot.c.network,
            slot_label=nothing if self.foreign is None else slot.c.label,
            network=self.beginning_of(CREDENTIAL.c.network),
            credential_type=self.beginning_of(CREDENTIAL.c.credential_type),
            address=self.cut(CREDENTIAL.c.public_key, self.address()),
            public_key=self.beginning_of(CREDENTIAL.c.public_key),
            key_vault_id=self.beginning_of(CREDENTIAL.c.key_vault_id),
            status=self.beginning_of(CREDENTIAL.c.status),
            is_active=self.short(self.flag(CREDENTIAL.c.is_active)),
            revoked_at=self.short(self.column(CREDENTIAL.c.revoked_at)),
            metadata=self.small_metadata(),
            created_at=self.short(self.column(CREDENTIAL.c.created_at)),
            access_level=self.cut(VAULT.c.access_level, self.vault.c.access_level),
            encryption_method=self.cut(VAULT.c.encryption_method, self.vault.c.encryption_method),
            sealed_text=substring(self.vault.c.encrypted_private_key, LONGEST_TEXT).label("sealed_text"),
        )

    def wallet_columns(self, slot: Any) -> tuple[Any, ...]:
        """What ``stored_wallet`` makes a wallet of: its row, then its record's."""
        return (*self.wallet_row(slot), *self.record_columns())

    def record_columns(self, *, whole: bool = False) -> tuple[Any, ...]:
        """What is read of a wallet's record. Rows of ours say the rest in the same words, or else the tag tells."""
        columns = (REGISTER.c[name] for name in (REGISTER.c.keys() if whole else self.record_names()))
        return tuple(
            substring(each, LONGEST_VALUE) if isinstance(each.type, Text) else self.short(each) for each in columns
        )

    def record_names(self) -> Sequence[str]:
        """The names of the record's columns that are read with a wallet's row."""
        return RECORD_ONLY if self.foreign is None else tuple(REGISTER.c.keys())

    def cuts(self, column: Column[Any]) -> bool:
        """Whether a column may hold a text of any length: on SQLite any may, on PostgreSQL one of a type of texts."""
        if not self.has(column):
            return False
        found = self._found(column)
        return self.foreign is None if found is None else found.is_text

    def beginning_of(self, column: Column[Any]) -> Any:
        """A column's text as far as it can be of use, or NULL where the schema does not have it."""
        return self.cut(column, self.column(column)).label(column.name)

    def cut(self, column: Column[Any], value: Any) -> Any:
        """A value of a column's type, as far as it can be of use."""
        return substring(value, LONGEST_VALUE) if self.cuts(column) else value

    def small_metadata(self) -> Any:
        """The metadata, or NULL where they are larger than any that are looked into."""
        return self.small(CREDENTIAL.c["metadata"]).label("metadata")

    def small(self, column: Column[Any], longest_bytes: int = LONGEST_METADATA_BYTES) -> Any:
        """A column, or NULL where it is larger than any of ours or the schema does not have it."""
        if column.table.name in WALLET_TABLES and not self.has(column):
            return self.column(column)
        return case((self.fits(column, longest_bytes), column))

    def fits(self, column: Column[Any], longest_bytes: int = LONGEST_METADATA_BYTES) -> Any:
        """That a column which the schema has is no larger than any of ours."""
        kind = SQLITE_TEXT
        if self.writes_in_one:
            found = self._found(column)
            kind = found.base if found is not None else "jsonb"
        return literal_column(fits(f"{column.table.name}.{column.name}", kind, longest_bytes))

    @cached_property
    def vault(self) -> Any:
        """The vault record of a credential; of several the sealed one, then one that is no placeholder.

        Of some that are found, where somebody planted many, and by how their texts begin: none is unpacked whole.
        """
        if self.foreign is None:
            return VAULT
        columns = [
            VAULT.c.id,
            VAULT.c.encrypted_private_key,
            self.column(VAULT.c.access_level),
            self.column(VAULT.c.encryption_method),
        ]
        of_one = select(*columns).where(self.of_one_wallet()).correlate_except(VAULT)
        found = of_one.limit(literal_column(str(_MOST_VAULT_RECORDS))).lateral("vault_records")
        text = substring(func.coalesce(found.c.encrypted_private_key, literal_column("''")), _LONGEST_PLACEHOLDER + 1)
        return (
            select(*found.c)
            .order_by(
                text.like(literal_column(f"'{SEALED_PREFIX}%%'")).desc(),
                (func.length(text) > literal_column(str(_LONGEST_PLACEHOLDER))).desc(),
                found.c.id,
            )
            .limit(literal_column("1"))
            .lateral("vault_record")
        )

    def with_vault(self, source: Any, *, paged: bool = False) -> Any:
        """Join the vault record of each credential: at most one. ``paged``: of credentials after an id."""
        if self.foreign is None:
            return source.outerjoin(VAULT, and_(self.of_one_wallet(), *self.next_to_page(VAULT.c.credential_id, paged)))
        return source.outerjoin(self.vault, true())

    @cached_property
    def named_by(self) -> Any:
        """One slot that names a credential, though somebody planted several: a row too many would be a wallet too many.

        It labels wallets that the register does not have; of the others the register knows the label.
        """
        if self.foreign is None:
            return NAMED_BY
        return (
            select(NAMED_BY.c.network, NAMED_BY.c.label, NAMED_BY.c.credential_id)
            .where(
                NAMED_BY.c.credential_id == self.uuid(CREDENTIAL.c.id),
                NAMED_BY.c.project_id == self.uuid(CREDENTIAL.c.project_id),
            )
            .order_by(NAMED_BY.c.network, NAMED_BY.c.label)
            .limit(literal_column("1"))
            .lateral("naming_slot")
        )

    def with_slot(self, source: Any) -> Any:
        """Join what names a credential of legacy tables; in fresh ones its own columns do."""
        if self.foreign is None:
            return source
        return source.outerjoin(self.named_by, true())

    def with_record(self, source: Any, *, paged: bool = False) -> Any:
        """Join the register's record of each credential; ``paged`` as for ``with_vault``."""
        same_project = [REGISTER.c.project_id == CREDENTIAL.c.project_id] if self.sharded else []
        own = and_(*same_project, REGISTER.c.credential_id == self.uuid(CREDENTIAL.c.id))
        return source.outerjoin(REGISTER, and_(own, *self.next_to_page(REGISTER.c.credential_id, paged)))

    @staticmethod
    def tag_of(table: Any) -> tuple[Any, Any]:
        """A record's tag: its kid, and its value."""
        return substring(table.c.kid, LONGEST_VALUE), substring(table.c.tag, LONGEST_VALUE)

    def wallets(self, *, paged: bool = False) -> Select[Any]:
        """Select every wallet with all its columns: credential, vault record, slot, record of the register."""
        rows = self.with_record(self.with_slot(self.with_vault(CREDENTIAL, paged=paged)), paged=paged)
        return select(*self.wallet_columns(self.named_by)).select_from(rows)

    def paged(self, *, of_project: bool = False) -> Select[Any]:
        """A page of wallets of all projects, or of one (which is for the caller to say), in the order of their ids."""
        place, after = self.after_wallet(of_project=of_project)
        return limited(self.wallets(paged=True).where(after).order_by(*place), param("limit", HEAD.c.version))

    def insert(self, table: Table, row: Mapping[str, str], *, arbitrated: bool = False) -> Executable:
        """INSERT ... VALUES; ``arbitrated``: nothing where any unique key is taken."""
        values = self.filled(table, row)
        for key in table.primary_key:  # a row that the database numbers
            values.setdefault(key.name, literal_column("DEFAULT"))
        if not arbitrated:
            return insert(table).values(values).inline()
        return self.dialect_insert(table).values(values).inline().on_conflict_do_nothing()  # type: ignore[no-any-return]

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

    def dialect_insert(self, table: Table) -> Any:
        """The dialect's INSERT, with ON CONFLICT; imported when used, because each dialect takes 30 ms."""
        if self.dialect.name == "sqlite":
            from sqlalchemy.dialects import sqlite

            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)


def same(one: Any, other: Any) -> Any:
    """That two values are equal or both NULL; IS NOT DISTINCT FROM would look its operator up in search_path."""
    return or_(one == other, and_(one.is_(None), other.is_(None)))


def knows_sealing_key() -> Any:
    """That the sealing key of a text that is written is the one that seals now, in the database's own keyring."""
    in_use = KEYRING.c.state == literal_column("'active'")
    return exists(select(literal_column("1")).select_from(KEYRING).where(equals(KEYRING.c.kid, "kid"), in_use))


def limited(query: Select[Any], limit: Any) -> Select[Any]:
    """Without an explicit OFFSET the SQLite dialect would add one as a parameter without a name of ours."""
    return query.limit(limit).offset(literal_column("0"))
