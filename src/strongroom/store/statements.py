"""Every SQL statement of the store, built from the schema and compiled once.

Statements run on the driver's own connection, with the driver's prepared statements: SQLAlchemy's execution
costs more than the statement itself (docs/adr/0004). No ON CONFLICT names a target: inference over expression
indexes breaks when the server switches to a generic plan, so a lost race is found by reading again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import (
    CTE,
    Column,
    Dialect,
    Executable,
    Select,
    Table,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

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


@dataclass(frozen=True, slots=True)
class Statements:
    """The compiled statements of one dialect, as SQL text with named parameters."""

    find_live: str
    find_idempotent: str
    get: str
    get_in_project: str
    find_by_address: str
    page: str
    page_of_network: str
    stream: str
    stream_project: str
    count: str
    count_project: str
    count_by_status: str
    take_idempotency: str
    take_slot: str
    insert_credential: str
    insert_vault_record: str
    insert_log: str
    read_keyring: str
    read_keyring_head: str
    take_keyring_head: str
    insert_sealing_key: str
    insert_wrap: str
    insert_event: str
    any_sealed: str
    first_sealed: str
    last_sealed: str
    insert_wallet: str | None
    insert_wallet_with_key: str | None
    """The single statements that write a whole wallet; None where the engine has no data-modifying CTEs."""


def compile_for(dialect: Dialect) -> Statements:
    """Compile every statement for a dialect."""
    single = dialect.name == "postgresql"
    built = {
        **_reads(),
        **_writes(dialect),
        "insert_wallet": _insert_wallet(with_key=False) if single else None,
        "insert_wallet_with_key": _insert_wallet(with_key=True) if single else None,
    }
    return Statements(**{field.name: _compile(built[field.name], dialect) for field in fields(Statements)})


def _compile(statement: Executable | None, dialect: Dialect) -> Any:
    return None if statement is None else str(statement.compile(dialect=dialect))  # type: ignore[attr-defined]


def _param(name: str, column: Column[Any]) -> Any:
    return bindparam(name, type_=column.type)


def _values(table: Table, row: Mapping[str, str]) -> dict[str, Any]:
    """The row's columns as parameters; ``true`` and ``false`` are themselves."""
    constants: dict[str, Any] = {"true": literal_column("true"), "false": literal_column("false")}
    return {
        column: constants[name] if name in constants else _param(name, table.c[column]) for column, name in row.items()
    }


def _insert_from(table: Table, row: Mapping[str, str], source: CTE | None) -> Any:
    """INSERT ... SELECT parameters, once for each row of ``source``; without one, once."""
    values = select(*_values(table, row).values())
    if source is not None:
        values = values.select_from(source)
    return postgresql.insert(table).from_select(list(row), values)


def _insert_wallet(*, with_key: bool) -> Select[Any]:
    """One statement that writes a whole wallet, or nothing.

    Each part selects from what the part before it returned: the key's row, the slot's row, the credential. The
    answer is (key taken, slot taken, vault records written). Foreign keys are checked when the statement ends.
    """
    key = (
        _insert_from(IDEMPOTENCY, _IDEMPOTENCY_ROW, None)
        .on_conflict_do_nothing()
        .returning(IDEMPOTENCY.c.credential_id)
        .cte("taken_key")
        if with_key
        else None
    )
    slot = _insert_from(SLOT, _SLOT_ROW, key).on_conflict_do_nothing().returning(SLOT.c.credential_id).cte("taken_slot")
    credential = _insert_from(CREDENTIAL, _CREDENTIAL_ROW, slot).returning(CREDENTIAL.c.id).cte("credential")
    vault = _insert_from(VAULT, _VAULT_ROW, credential).returning(VAULT.c.id).cte("vault_record")
    log = _insert_from(LOG, _LOG_ROW, credential).returning(LOG.c.id).cte("usage_log")

    def rows(part: CTE) -> Any:
        return select(func.count()).select_from(part).scalar_subquery()

    taken_key = rows(key) if key is not None else literal_column("1")
    return select(taken_key, rows(slot), rows(vault)).add_cte(log)


def _limited(query: Select[Any], limit: Any) -> Select[Any]:
    """Without an explicit OFFSET the SQLite dialect would add one as a parameter without a name of ours."""
    return query.limit(limit).offset(literal_column("0"))


def _reads() -> dict[str, Executable]:
    joined = CREDENTIAL.outerjoin(VAULT, VAULT.c.credential_id == CREDENTIAL.c.id)
    wallets = select(*WALLET_COLUMNS).select_from(joined)
    project = CREDENTIAL.c.project_id == _param("project_id", CREDENTIAL.c.project_id)
    after = CREDENTIAL.c.id > _param("after", CREDENTIAL.c.id)
    limit = bindparam("limit", type_=HEAD.c.version.type)
    paged = _limited(wallets.where(after).order_by(CREDENTIAL.c.id), limit)
    by_id = CREDENTIAL.c.id == _param("id", CREDENTIAL.c.id)
    sealed = VAULT.c.encrypted_private_key.like(_param("sealed_pattern", VAULT.c.encrypted_private_key))
    kids: Select[Any] = select(func.substr(VAULT.c.encrypted_private_key, literal_column("1"), literal_column("40")))
    kids = _limited(kids, literal_column("16"))
    return {
        "find_live": select(SLOT.c.credential_id, *WALLET_COLUMNS)
        .select_from(
            SLOT.outerjoin(CREDENTIAL, CREDENTIAL.c.id == SLOT.c.credential_id).outerjoin(
                VAULT, VAULT.c.credential_id == SLOT.c.credential_id
            )
        )
        .where(
            SLOT.c.project_id == _param("project_id", SLOT.c.project_id),
            SLOT.c.network == _param("network", SLOT.c.network),
            SLOT.c.label == _param("label", SLOT.c.label),
        ),
        "find_idempotent": select(IDEMPOTENCY.c.request, IDEMPOTENCY.c.credential_id, *WALLET_COLUMNS)
        .select_from(
            IDEMPOTENCY.outerjoin(CREDENTIAL, CREDENTIAL.c.id == IDEMPOTENCY.c.credential_id).outerjoin(
                VAULT, VAULT.c.credential_id == IDEMPOTENCY.c.credential_id
            )
        )
        .where(
            IDEMPOTENCY.c.project_id == _param("project_id", IDEMPOTENCY.c.project_id),
            IDEMPOTENCY.c.key == _param("idempotency_key", IDEMPOTENCY.c.key),
        ),
        "get": wallets.where(by_id),
        "get_in_project": wallets.where(by_id, project),
        "find_by_address": _limited(
            wallets.where(CREDENTIAL.c.wallet_address == _param("address", CREDENTIAL.c.wallet_address)).order_by(
                CREDENTIAL.c.id
            ),
            literal_column("100"),
        ),
        "page": paged.where(project),
        "page_of_network": paged.where(project, CREDENTIAL.c.network == _param("network", CREDENTIAL.c.network)),
        "stream": paged,
        "stream_project": paged.where(project),
        "count": select(func.count()).select_from(CREDENTIAL),
        "count_project": select(func.count()).select_from(CREDENTIAL).where(project),
        "count_by_status": select(CREDENTIAL.c.status, func.count()).group_by(CREDENTIAL.c.status),
        "read_keyring": select(KEYRING.c.kid, KEYRING.c.state, WRAP.c.root_key, WRAP.c.wrapped, WRAP.c.check_value)
        .select_from(KEYRING.outerjoin(WRAP, WRAP.c.kid == KEYRING.c.kid))
        .order_by(KEYRING.c.created_at, KEYRING.c.kid, WRAP.c.created_at),
        "read_keyring_head": select(HEAD.c.version),
        "any_sealed": select(exists(select(literal_column("1")).select_from(VAULT).where(sealed))),
        "first_sealed": kids.order_by(VAULT.c.credential_id),
        "last_sealed": kids.order_by(VAULT.c.credential_id.desc()),
    }


def _writes(dialect: Dialect) -> dict[str, Executable]:
    into = sqlite.insert if dialect.name == "sqlite" else postgresql.insert

    def take(table: Table, row: Mapping[str, str]) -> Executable:
        return into(table).values(_values(table, row)).on_conflict_do_nothing().inline()

    def put(table: Table, row: Mapping[str, str]) -> Executable:
        return insert(table).values(_values(table, row)).inline()

    return {
        "take_idempotency": take(IDEMPOTENCY, _IDEMPOTENCY_ROW),
        "take_slot": take(SLOT, _SLOT_ROW),
        "insert_credential": put(CREDENTIAL, _CREDENTIAL_ROW),
        "insert_vault_record": put(VAULT, _VAULT_ROW),
        "insert_log": put(LOG, _LOG_ROW),
        "take_keyring_head": take(HEAD, {"id": "id", "version": "version"}),
        "insert_sealing_key": put(KEYRING, {"kid": "kid", "state": "state", "created_at": "now"}),
        "insert_wrap": put(
            WRAP,
            {
                "kid": "kid",
                "root_key": "root_key",
                "wrapped": "wrapped",
                "check_value": "check_value",
                "created_at": "now",
            },
        ),
        "insert_event": put(EVENTS, {"id": "event_id", "event": "event", "details": "details", "created_at": "now"}),
    }
