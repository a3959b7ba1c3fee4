"""Every SQL statement of the store, built from the schema and compiled when it is first used.

Statements run on the driver's own connection, with the driver's prepared statements: SQLAlchemy's execution
costs more than the statement itself (docs/adr/0004). No ON CONFLICT names a target: inference over expression
indexes breaks when the server switches to a generic plan, so a lost race is found by reading again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, overload

from sqlalchemy import (
    CTE,
    Column,
    Dialect,
    Select,
    Table,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.sql.base import Executable

from strongroom.store import schema

CREDENTIAL = schema.project_credentials
VAULT = schema.credential_vault_storage
LOG = schema.credential_usage_logs
SLOT = schema.strongroom_slot
IDEMPOTENCY = schema.strongroom_idempotency
HEAD = schema.strongroom_keyring_head
KEYRING = schema.strongroom_keyring
WRAP = schema.strongroom_keyring_wrap
EVENTS = schema.strongroom_events

WALLET_COLUMNS: tuple[Column[Any], ...] = (
    CREDENTIAL.c.id,
    CREDENTIAL.c.project_id,
    CREDENTIAL.c.network,
    CREDENTIAL.c.credential_type,
    CREDENTIAL.c.wallet_address,
    CREDENTIAL.c.public_key,
    CREDENTIAL.c.key_vault_id,
    CREDENTIAL.c.status,
    CREDENTIAL.c["metadata"],
    CREDENTIAL.c.created_at,
    VAULT.c.access_level,
    VAULT.c.encryption_method,
    VAULT.c.encrypted_private_key,
)

# Which parameter fills which column. A parameter's name says what it is, so that one dictionary fills all.
_SLOT_ROW = {
    "project_id": "project_id",
    "network": "network",
    "label": "label",
    "credential_id": "id",
    "version": "version",
}
_CREDENTIAL_ROW = {
    "id": "id",
    "project_id": "project_id",
    "credential_type": "credential_type",
    "network": "network",
    "wallet_address": "address",
    "public_key": "public_key",
    "key_vault_id": "vault_id",
    "status": "status",
    "is_active": "true",
    "vault_stored": "true",
    "metadata": "metadata",
    "created_by": "performed_by",
    "created_at": "now",
    "updated_at": "now",
}
_VAULT_ROW = {
    "id": "vault_row_id",
    "project_id": "project_id",
    "credential_id": "id",
    "vault_id": "vault_id",
    "encrypted_private_key": "sealed_text",
    "encryption_method": "encryption_method",
    "access_level": "access_level",
    "backup_created": "false",
    "created_at": "now",
    "updated_at": "now",
}
_LOG_ROW = {
    "id": "log_id",
    "project_id": "project_id",
    "credential_id": "id",
    "action_type": "action",
    "action_details": "details",
    "performed_by": "performed_by",
    "performed_at": "now",
}
_IDEMPOTENCY_ROW = {
    "project_id": "project_id",
    "key": "idempotency_key",
    "request": "request",
    "credential_id": "id",
    "created_at": "now",
}


_HEAD_ROW = {"id": "id", "version": "version"}
_KEYRING_ROW = {"kid": "kid", "state": "state", "created_at": "now"}
_WRAP_ROW = {
    "kid": "kid",
    "root_key": "root_key",
    "wrapped": "wrapped",
    "check_value": "check_value",
    "created_at": "now",
}
_EVENT_ROW = {"id": "event_id", "event": "event", "details": "details", "created_at": "now"}


class _Statement:
    """A method that builds a statement, read as its SQL text; compiled once for each Statements."""

    def __init__(self, build: Callable[[Statements], Executable]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __set_name__(self, owner: type[Statements], name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type[Statements]) -> _Statement: ...
    @overload
    def __get__(self, instance: Statements, owner: type[Statements]) -> str: ...
    def __get__(self, instance: Statements | None, owner: type[Statements]) -> _Statement | str:
        if instance is None:
            return self
        sql = str(self._build(instance).compile(dialect=instance.dialect))  # type: ignore[attr-defined]
        instance.__dict__[self.name] = sql
        return sql


class Statements:
    """The statements for one dialect, as SQL text with named parameters."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.writes_in_one = dialect.name == "postgresql"
        """Whether the engine has data-modifying CTEs, so that one statement writes a whole wallet."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of all statements."""
        return tuple(name for name, value in vars(cls).items() if isinstance(value, _Statement))

    # --- wallets: read --------------------------------------------------------------------------------------

    @_Statement
    def find_live(self) -> Executable:
        """The slot's credential id, and the wallet; by the slot's primary key."""
        return (
            select(SLOT.c.credential_id, *WALLET_COLUMNS)
            .select_from(
                SLOT.outerjoin(CREDENTIAL, CREDENTIAL.c.id == SLOT.c.credential_id).outerjoin(
                    VAULT, VAULT.c.credential_id == SLOT.c.credential_id
                )
            )
            .where(*(_equals(SLOT.c[name], name) for name in ("project_id", "network", "label")))
        )

    @_Statement
    def find_idempotent(self) -> Executable:
        """The key's request and credential id, and the wallet; by the key's primary key."""
        return (
            select(IDEMPOTENCY.c.request, IDEMPOTENCY.c.credential_id, *WALLET_COLUMNS)
            .select_from(
                IDEMPOTENCY.outerjoin(CREDENTIAL, CREDENTIAL.c.id == IDEMPOTENCY.c.credential_id).outerjoin(
                    VAULT, VAULT.c.credential_id == IDEMPOTENCY.c.credential_id
                )
            )
            .where(_equals(IDEMPOTENCY.c.project_id, "project_id"), _equals(IDEMPOTENCY.c.key, "idempotency_key"))
        )

    @_Statement
    def get(self) -> Executable:
        """A wallet by id."""
        return _wallets().where(_equals(CREDENTIAL.c.id, "id"))

    @_Statement
    def get_in_project(self) -> Executable:
        """A wallet by id, if it is the project's."""
        return _wallets().where(_equals(CREDENTIAL.c.id, "id"), _equals(CREDENTIAL.c.project_id, "project_id"))

    @_Statement
    def find_by_address(self) -> Executable:
        """At most a hundred wallets with an address."""
        by_address = _wallets().where(_equals(CREDENTIAL.c.wallet_address, "address"))
        return _limited(by_address.order_by(CREDENTIAL.c.id), literal_column("100"))

    @_Statement
    def page(self) -> Executable:
        """Wallets after an id."""
        return _page()

    @_Statement
    def page_of_project(self) -> Executable:
        """A project's wallets after an id."""
        return _page().where(_equals(CREDENTIAL.c.project_id, "project_id"))

    @_Statement
    def page_of_network(self) -> Executable:
        """A project's wallets on one network after an id."""
        return _page().where(_equals(CREDENTIAL.c.project_id, "project_id"), _equals(CREDENTIAL.c.network, "network"))

    @_Statement
    def count(self) -> Executable:
        """How many credentials there are."""
        return select(func.count()).select_from(CREDENTIAL)

    @_Statement
    def count_of_project(self) -> Executable:
        """How many credentials a project has."""
        return select(func.count()).select_from(CREDENTIAL).where(_equals(CREDENTIAL.c.project_id, "project_id"))

    @_Statement
    def count_by_status(self) -> Executable:
        """How many credentials there are of each status."""
        return select(CREDENTIAL.c.status, func.count()).group_by(CREDENTIAL.c.status)

    # --- wallets: write -------------------------------------------------------------------------------------

    @_Statement
    def insert_wallet(self) -> Executable:
        """A whole wallet in one statement."""
        return self._insert_wallet(None)

    @_Statement
    def insert_wallet_with_key(self) -> Executable:
        """A whole wallet and its idempotency key in one statement."""
        key = self._insert_from(IDEMPOTENCY, _IDEMPOTENCY_ROW, None, arbitrated=True)
        return self._insert_wallet(key.returning(IDEMPOTENCY.c.credential_id).cte("taken_key"))

    @_Statement
    def take_idempotency(self) -> Executable:
        """The idempotency key's row, unless it is taken."""
        return self._insert(IDEMPOTENCY, _IDEMPOTENCY_ROW, arbitrated=True)

    @_Statement
    def take_slot(self) -> Executable:
        """The slot's row, unless it is taken."""
        return self._insert(SLOT, _SLOT_ROW, arbitrated=True)

    @_Statement
    def insert_credential(self) -> Executable:
        """The public half."""
        return self._insert(CREDENTIAL, _CREDENTIAL_ROW)

    @_Statement
    def insert_vault_record(self) -> Executable:
        """The sealed half."""
        return self._insert(VAULT, _VAULT_ROW)

    @_Statement
    def insert_log(self) -> Executable:
        """A row of the usage log."""
        return self._insert(LOG, _LOG_ROW)

    # --- keyring --------------------------------------------------------------------------------------------

    @_Statement
    def read_keyring(self) -> Executable:
        """Every sealing key with its wraps, in the order of their making."""
        return (
            select(KEYRING.c.kid, KEYRING.c.state, WRAP.c.root_key, WRAP.c.wrapped, WRAP.c.check_value)
            .select_from(KEYRING.outerjoin(WRAP, WRAP.c.kid == KEYRING.c.kid))
            .order_by(KEYRING.c.created_at, KEYRING.c.kid, WRAP.c.created_at)
        )

    @_Statement
    def read_keyring_head(self) -> Executable:
        """The row that says that there is a keyring."""
        return select(HEAD.c.version)

    @_Statement
    def take_keyring_head(self) -> Executable:
        """The row that says that there is a keyring, unless it is taken."""
        return self._insert(HEAD, _HEAD_ROW, arbitrated=True)

    @_Statement
    def insert_sealing_key(self) -> Executable:
        """A sealing key's name."""
        return self._insert(KEYRING, _KEYRING_ROW)

    @_Statement
    def insert_wrap(self) -> Executable:
        """A sealing key as a root key wrapped it."""
        return self._insert(WRAP, _WRAP_ROW)

    @_Statement
    def insert_event(self) -> Executable:
        """What has no credential."""
        return self._insert(EVENTS, _EVENT_ROW)

    @_Statement
    def any_sealed(self) -> Executable:
        """Whether any vault record holds a sealed text."""
        sealed = VAULT.c.encrypted_private_key.like(_param("sealed_pattern", VAULT.c.encrypted_private_key))
        return select(exists(select(literal_column("1")).select_from(VAULT).where(sealed)))

    @_Statement
    def first_sealed(self) -> Executable:
        """What the oldest vault records begin with: forty characters name the sealing key."""
        return _limited(_beginnings().order_by(VAULT.c.credential_id), literal_column("16"))

    @_Statement
    def last_sealed(self) -> Executable:
        """What the newest vault records begin with."""
        return _limited(_beginnings().order_by(VAULT.c.credential_id.desc()), literal_column("16"))

    # --- how inserts are built ------------------------------------------------------------------------------

    def _insert_wallet(self, key: CTE | None) -> Select[Any]:
        """One statement that writes a whole wallet, or nothing.

        Each part selects from what the part before it returned: the key's row, the slot's row, the credential.
        The answer is (keys taken, slots taken, vault records written). Foreign keys are checked at its end.
        """
        slot = (
            self._insert_from(SLOT, _SLOT_ROW, key, arbitrated=True).returning(SLOT.c.credential_id).cte("taken_slot")
        )
        credential = self._insert_from(CREDENTIAL, _CREDENTIAL_ROW, slot).returning(CREDENTIAL.c.id).cte("credential")
        vault = self._insert_from(VAULT, _VAULT_ROW, credential).returning(VAULT.c.id).cte("vault_record")
        log = self._insert_from(LOG, _LOG_ROW, credential).returning(LOG.c.id).cte("usage_log")

        def rows(part: CTE) -> Any:
            return select(func.count()).select_from(part).scalar_subquery()

        taken_key = literal_column("1") if key is None else rows(key)
        return select(taken_key, rows(slot), rows(vault)).add_cte(log)

    def _insert(self, table: Table, row: Mapping[str, str], *, arbitrated: bool = False) -> Executable:
        """INSERT ... VALUES; ``arbitrated``: nothing where any unique key is taken."""
        if not arbitrated:
            return insert(table).values(_values(table, row)).inline()
        return self._dialect_insert(table).values(_values(table, row)).inline().on_conflict_do_nothing()  # type: ignore[no-any-return]

    def _insert_from(
        self, table: Table, row: Mapping[str, str], source: CTE | None, *, arbitrated: bool = False
    ) -> Any:
        """INSERT ... SELECT parameters, once for each row of ``source``; without one, once."""
        values = select(*_values(table, row).values())
        if source is not None:
            values = values.select_from(source)
        statement = self._dialect_insert(table).from_select(list(row), values)
        return statement.on_conflict_do_nothing() if arbitrated else statement

    def _dialect_insert(self, table: Table) -> Any:
        """The dialect's INSERT, with ON CONFLICT; imported when used, because each dialect takes 30 ms."""
        if self.dialect.name == "sqlite":
            from sqlalchemy.dialects import sqlite

            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)


def _param(name: str, column: Column[Any]) -> Any:
    return bindparam(name, type_=column.type)


def _equals(column: Column[Any], name: str) -> Any:
    return column == _param(name, column)


def _values(table: Table, row: Mapping[str, str]) -> dict[str, Any]:
    """The row's columns as parameters; ``true`` and ``false`` are themselves."""
    constants: dict[str, Any] = {"true": literal_column("true"), "false": literal_column("false")}
    return {
        column: constants[name] if name in constants else _param(name, table.c[column]) for column, name in row.items()
    }


def _wallets() -> Select[Any]:
    return select(*WALLET_COLUMNS).select_from(CREDENTIAL.outerjoin(VAULT, VAULT.c.credential_id == CREDENTIAL.c.id))


def _page() -> Select[Any]:
    after = CREDENTIAL.c.id > _param("after", CREDENTIAL.c.id)
    return _limited(_wallets().where(after).order_by(CREDENTIAL.c.id), _param("limit", HEAD.c.version))


def _beginnings() -> Select[Any]:
    return select(func.substr(VAULT.c.encrypted_private_key, literal_column("1"), literal_column("40")))


def _limited(query: Select[Any], limit: Any) -> Select[Any]:
    """Without an explicit OFFSET the SQLite dialect would add one as a parameter without a name of ours."""
    return query.limit(limit).offset(literal_column("0"))
