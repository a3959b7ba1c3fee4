"""Every SQL statement of the store, built from the schema and compiled when it is first used.

Statements run on the driver's own connection, with the driver's prepared statements: SQLAlchemy's execution
costs more than the statement itself (docs/adr/0004). No ON CONFLICT names a target: inference over expression
indexes breaks when the server switches to a generic plan, so a lost race is found by reading again.
"""

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
    case,
    delete,
    exists,
    false,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy import text as text_sql
from sqlalchemy.sql.base import Executable

from strongroom.model import PLACEHOLDERS
from strongroom.store import schema
from strongroom.store.foreign import ForeignSchema

CREDENTIAL = schema.project_credentials
VAULT = schema.credential_vault_storage
LOG = schema.credential_usage_logs
SLOT = schema.strongroom_slot
NAMED_BY = SLOT.alias("named_by")
IDEMPOTENCY = schema.strongroom_idempotency
HEAD = schema.strongroom_keyring_head
KEYRING = schema.strongroom_keyring
WRAP = schema.strongroom_keyring_wrap
EVENTS = schema.strongroom_events
HISTORY = schema.strongroom_vault_history

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
_FILL_ROW = {
    "encrypted_private_key": "sealed_text",
    "encryption_method": "encryption_method",
    "access_level": "access_level",
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


_HISTORY_ROW = {
    "id": "history_id",
    "project_id": "project_id",
    "credential_id": "id",
    "network": "network",
    "label": "label",
    "address": "address",
    "public_key": "public_key",
    "vault_id": "vault_id",
    "text": "sealed_text",
    "form": "form",
    "reason": "action",
    "created_at": "now",
}
WALLET_ROWS = {CREDENTIAL.name: _CREDENTIAL_ROW, VAULT.name: _VAULT_ROW, LOG.name: _LOG_ROW}
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
    """The statements for one dialect and schema, as SQL text with named parameters."""

    def __init__(self, dialect: Dialect, foreign: ForeignSchema | None = None) -> None:
        self.dialect = dialect
        self.foreign = foreign
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
            select(SLOT.c.credential_id, *self._wallet_columns(SLOT))
            .select_from(self._with_vault(SLOT.outerjoin(CREDENTIAL, CREDENTIAL.c.id == SLOT.c.credential_id)))
            .where(*(_equals(SLOT.c[name], name) for name in ("project_id", "network", "label")))
        )

    @_Statement
    def find_idempotent(self) -> Executable:
        """The key's request and credential id, and the wallet; by the key's primary key."""
        return (
            select(IDEMPOTENCY.c.request, IDEMPOTENCY.c.credential_id, *self._wallet_columns(NAMED_BY))
            .select_from(
                self._with_slot(
                    self._with_vault(IDEMPOTENCY.outerjoin(CREDENTIAL, CREDENTIAL.c.id == IDEMPOTENCY.c.credential_id))
                )
            )
            .where(_equals(IDEMPOTENCY.c.project_id, "project_id"), _equals(IDEMPOTENCY.c.key, "idempotency_key"))
        )

    @_Statement
    def get(self) -> Executable:
        """A wallet by id."""
        return self._wallets().where(_equals(CREDENTIAL.c.id, "id"))

    @_Statement
    def get_in_project(self) -> Executable:
        """A wallet by id, if it is the project's."""
        return self._wallets().where(_equals(CREDENTIAL.c.id, "id"), _equals(CREDENTIAL.c.project_id, "project_id"))

    @_Statement
    def find_by_address(self) -> Executable:
        """At most a hundred wallets with an address."""
        by_address = self._wallets().where(self._address() == _param("address", CREDENTIAL.c.wallet_address))
        return _limited(by_address.order_by(CREDENTIAL.c.id), literal_column("100"))

    @_Statement
    def page(self) -> Executable:
        """Wallets after an id."""
        return self._page()

    @_Statement
    def page_of_project(self) -> Executable:
        """A project's wallets after an id."""
        return self._page().where(_equals(CREDENTIAL.c.project_id, "project_id"))

    @_Statement
    def page_of_network(self) -> Executable:
        """A project's wallets on one network after an id; where other code wrote rows, on any network."""
        if self.foreign is not None:
            return self._page().where(_equals(CREDENTIAL.c.project_id, "project_id"))
        return self._page().where(
            _equals(CREDENTIAL.c.project_id, "project_id"), _equals(CREDENTIAL.c.network, "network")
        )

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
        status = self._read(CREDENTIAL.c.status)
        return select(status, func.count()).select_from(CREDENTIAL).group_by(status)

    @_Statement
    def candidates(self) -> Executable:
        """A project's rows that are not definitely retired and that no slot names."""
        query = self._wallets().where(
            _equals(CREDENTIAL.c.project_id, "project_id"),
            NAMED_BY.c.credential_id.is_(None),
        )
        if self._has(CREDENTIAL.c.is_active):
            query = query.where(CREDENTIAL.c.is_active.is_not(false()))
        if self._has(CREDENTIAL.c.revoked_at):
            query = query.where(CREDENTIAL.c.revoked_at.is_(None))
        return _limited(query.order_by(CREDENTIAL.c.id), literal_column("1000"))

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
    def adopt_slot(self) -> Executable:
        """Let the slot that this transaction took name a wallet that was there."""
        return (
            update(SLOT)
            .values(credential_id=_param("candidate", SLOT.c.credential_id))
            .where(*(_equals(SLOT.c[name], name) for name in ("project_id", "network", "label")))
        )

    @_Statement
    def adopt_idempotency(self) -> Executable:
        """Let the key that this transaction took name a wallet that was there."""
        return (
            update(IDEMPOTENCY)
            .values(credential_id=_param("candidate", IDEMPOTENCY.c.credential_id))
            .where(_equals(IDEMPOTENCY.c.project_id, "project_id"), _equals(IDEMPOTENCY.c.key, "idempotency_key"))
        )

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

    @_Statement
    def insert_history(self) -> Executable:
        """A text that stands, or stood, in a vault record."""
        return self._insert(HISTORY, _HISTORY_ROW)

    @_Statement
    def insert_halves(self) -> Executable:
        """Both halves, log and history in one statement; a trigger's own vault record comes after it."""
        credential = self._insert_from(CREDENTIAL, _CREDENTIAL_ROW, None).returning(CREDENTIAL.c.id).cte("credential")
        vault = self._insert_from(VAULT, _VAULT_ROW, credential).returning(VAULT.c.id).cte("vault_record")
        log = self._insert_from(LOG, _LOG_ROW, credential).returning(LOG.c.id).cte("usage_log")
        history = self._insert_from(HISTORY, _HISTORY_ROW, credential).returning(HISTORY.c.id).cte("history")
        return select(func.count()).select_from(vault).add_cte(log, history)

    @_Statement
    def lock_wallet(self) -> Executable:
        """A wallet by id, its credential's row locked until the transaction ends."""
        wallet = self._wallets().where(_equals(CREDENTIAL.c.id, "id"))
        return wallet.with_for_update(of=CREDENTIAL) if self.writes_in_one else wallet

    @_Statement
    def fill_placeholder(self) -> Executable:
        """A sealed text in the place of exactly one placeholder."""
        return (
            update(VAULT)
            .values(
                {
                    column: _param(name, VAULT.c[column])
                    for column, name in _FILL_ROW.items()
                    if self._has(VAULT.c[column])
                }
            )
            .where(
                _equals(VAULT.c.credential_id, "id"),
                VAULT.c.encrypted_private_key == _param("placeholder", VAULT.c.encrypted_private_key),
            )
        )

    @_Statement
    def insert_missing_vault_record(self) -> Executable:
        """The sealed half, unless a unique key says that one is there."""
        return self._insert(VAULT, _VAULT_ROW, arbitrated=True)

    @_Statement
    def move_slot(self) -> Executable:
        """Let a slot name another wallet, if it names this one."""
        return (
            update(SLOT)
            .values(credential_id=_param("id", SLOT.c.credential_id), version=SLOT.c.version + literal_column("1"))
            .where(
                *(_equals(SLOT.c[name], name) for name in ("project_id", "network", "label")),
                _equals(SLOT.c.credential_id, "old_id"),
            )
        )

    @_Statement
    def retire_credential(self) -> Executable:
        """Mark a credential as not live, unless it is revoked."""
        return self._update_credential(status="status", is_active="false", updated_at="now")

    @_Statement
    def revoke_credential(self) -> Executable:
        """Mark a credential as revoked, unless it is."""
        return self._update_credential(status="status", is_active="false", revoked_at="now", updated_at="now")

    def _update_credential(self, **row: str) -> Executable:
        values = self._values(CREDENTIAL, row)
        statement = update(CREDENTIAL).values(values).where(_equals(CREDENTIAL.c.id, "old_id"))
        if self._has(CREDENTIAL.c.status):
            return statement.where(
                or_(CREDENTIAL.c.status.is_(None), CREDENTIAL.c.status != literal_column("'revoked'"))
            )
        return statement.where(CREDENTIAL.c.revoked_at.is_(None))

    @_Statement
    def revoke_vault_record(self) -> Executable:
        """Mark a vault record as revoked; its text stays."""
        row = {"access_level": "access_level", "revoked_at": "now", "revoked_by": "performed_by", "updated_at": "now"}
        return update(VAULT).values(self._values(VAULT, row)).where(_equals(VAULT.c.credential_id, "old_id"))

    @_Statement
    def history(self) -> Executable:
        """Every text that was kept of a wallet, oldest first."""
        return select(*HISTORY.c).where(_equals(HISTORY.c.credential_id, "id")).order_by(HISTORY.c.id)

    @_Statement
    def vault_texts(self) -> Executable:
        """Every text that stands in a credential's vault records."""
        return select(VAULT.c.encrypted_private_key).where(_equals(VAULT.c.credential_id, "id"))

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
    def change_keyring_head(self) -> Executable:
        """Count a change of the keyring, if it is the one that was read."""
        return (
            update(HEAD).values(version=HEAD.c.version + literal_column("1")).where(_equals(HEAD.c.version, "version"))
        )

    @_Statement
    def end_active_sealing_key(self) -> Executable:
        """Let the active sealing key only open."""
        active = KEYRING.c.state == literal_column("'active'")
        return update(KEYRING).values(state=literal_column("'opening'")).where(active)

    @_Statement
    def retire_sealing_key(self) -> Executable:
        """Mark a sealing key that only opens, and that no vault record names, as retired."""
        named = exists(select(literal_column("1")).select_from(VAULT).where(self._sealed_by()))
        return (
            update(KEYRING)
            .values(state=literal_column("'retired'"))
            .where(_equals(KEYRING.c.kid, "kid"), KEYRING.c.state == literal_column("'opening'"), ~named)
        )

    @_Statement
    def delete_wraps(self) -> Executable:
        """The wraps of one root key."""
        return delete(WRAP).where(_equals(WRAP.c.root_key, "root_key"))

    @_Statement
    def count_sealed(self) -> Executable:
        """How many vault records begin with a sealing key's forty characters."""
        return select(func.count()).select_from(VAULT).where(self._sealed_by())

    @_Statement
    def count_by_custody(self) -> Executable:
        """How many credentials have a sealed text, another one, a placeholder, or nothing."""
        text = self._vault.c.encrypted_private_key
        custody = case(
            (text.is_(None), literal_column("'missing'")),
            (text.like(_param("sealed_pattern", VAULT.c.encrypted_private_key)), literal_column("'ours'")),
            (text.in_([literal_column(f"'{each}'") for each in sorted(PLACEHOLDERS)]), literal_column("'placeholder'")),
            else_=literal_column("'foreign'"),
        ).label("custody")
        return select(custody, func.count()).select_from(self._with_vault(CREDENTIAL)).group_by(custody)

    @_Statement
    def sealed_otherwise(self) -> Executable:
        """Wallets after an id whose text another sealing key sealed."""
        return self._page().where(*self._otherwise())

    @_Statement
    def sealed_otherwise_in_project(self) -> Executable:
        """A project's wallets after an id whose text another sealing key sealed."""
        return self._page().where(*self._otherwise(), _equals(CREDENTIAL.c.project_id, "project_id"))

    def _otherwise(self) -> tuple[Any, ...]:
        text = self._vault.c.encrypted_private_key
        return (
            text.like(_param("sealed_pattern", VAULT.c.encrypted_private_key)),
            _beginning(text) != _param("beginning", VAULT.c.encrypted_private_key),
        )

    @staticmethod
    def _sealed_by() -> Any:
        text = VAULT.c.encrypted_private_key
        return _beginning(text) == _param("beginning", text)

    @_Statement
    def rewrap_text(self) -> Executable:
        """A new text in the place of exactly the old one."""
        row = {"encrypted_private_key": "sealed_text", "updated_at": "now"}
        return (
            update(VAULT)
            .values(self._values(VAULT, row))
            .where(
                _equals(VAULT.c.credential_id, "id"),
                VAULT.c.encrypted_private_key == _param("old_text", VAULT.c.encrypted_private_key),
            )
        )

    @_Statement
    def rewrap_many(self) -> Executable:
        """Compare-and-set of many texts in one statement: history, log row, and the ids that were written."""
        history_columns = "id, project_id, credential_id, network, label, address, public_key, vault_id"
        log_project = "" if self.foreign else "project_id, "
        log_value = "" if self.foreign else "i.project_id, "
        updated_at = ", updated_at = :now" if self._has(VAULT.c.updated_at) else ""
        # What we write into tables of other code is kept in the history, too.
        new_kept = (
            f""", kept_new AS (
                INSERT INTO strongroom_vault_history ({history_columns}, text, form, reason, created_at)
                SELECT i.new_history_id, i.project_id, i.id, i.network, i.label, i.address, i.public_key, i.vault_id,
                       i.new_text, 'sealed', 'rewrap', :now
                  FROM updated u JOIN input i ON i.id = u.credential_id)"""  # noqa: S608 - our own names
            if self.foreign
            else ""
        )
        return text_sql(
            f"""WITH input AS (
                SELECT * FROM unnest(:ids ::uuid[], :projects ::uuid[], :old_texts ::text[], :new_texts ::text[],
                                     :networks ::text[], :labels ::text[], :addresses ::text[], :public_keys ::text[],
                                     :vault_ids ::text[], :history_ids ::uuid[], :new_history_ids ::uuid[],
                                     :log_ids ::uuid[])
                    AS i (id, project_id, old_text, new_text, network, label, address, public_key, vault_id,
                          history_id, new_history_id, log_id)),
            updated AS (
                UPDATE credential_vault_storage v SET encrypted_private_key = i.new_text{updated_at}
                  FROM input i WHERE v.credential_id = i.id AND v.encrypted_private_key = i.old_text
                RETURNING v.credential_id),
            kept AS (
                INSERT INTO strongroom_vault_history ({history_columns}, text, form, reason, created_at)
                SELECT i.history_id, i.project_id, i.id, i.network, i.label, i.address, i.public_key, i.vault_id,
                       i.old_text, 'sealed', 'rewrap', :now
                  FROM updated u JOIN input i ON i.id = u.credential_id){new_kept},
            logged AS (
                INSERT INTO credential_usage_logs (id, {log_project}credential_id, action_type, performed_at)
                SELECT i.log_id, {log_value}i.id, 'rewrap', :now FROM updated u JOIN input i ON i.id = u.credential_id)
            SELECT credential_id FROM updated"""  # noqa: S608 - our own names
        )

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

    # --- how reads are built --------------------------------------------------------------------------------

    def _has(self, column: Column[Any]) -> bool:
        return self.foreign is None or self.foreign.has(column.table.name, column.name)

    def _read(self, column: Column[Any]) -> Any:
        """A column, or NULL where the schema does not have it."""
        return column if self._has(column) else literal_column("NULL").label(column.name)

    def _address(self) -> Any:
        if self.foreign is None:
            return CREDENTIAL.c.wallet_address
        if not self._has(CREDENTIAL.c.wallet_address):
            return CREDENTIAL.c.public_key
        return func.coalesce(func.nullif(CREDENTIAL.c.wallet_address, literal_column("''")), CREDENTIAL.c.public_key)

    def _wallet_columns(self, slot: Any) -> tuple[Any, ...]:
        """What a wallet is made of, in the order of ``rows.stored_wallet``."""
        named = (
            (literal_column("NULL"), literal_column("NULL")) if self.foreign is None else (slot.c.network, slot.c.label)
        )
        return (
            CREDENTIAL.c.id,
            CREDENTIAL.c.project_id,
            *named,
            self._read(CREDENTIAL.c.network),
            self._read(CREDENTIAL.c.credential_type),
            self._address(),
            CREDENTIAL.c.public_key,
            CREDENTIAL.c.key_vault_id,
            self._read(CREDENTIAL.c.status),
            self._read(CREDENTIAL.c.is_active),
            self._read(CREDENTIAL.c.revoked_at),
            self._read(CREDENTIAL.c["metadata"]),
            self._read(CREDENTIAL.c.created_at),
            self._vault.c.access_level,
            self._vault.c.encryption_method,
            self._vault.c.encrypted_private_key,
        )

    @cached_property
    def _vault(self) -> Any:
        """The vault record of a credential; of several the sealed one, then one that is no placeholder."""
        if self.foreign is None:
            return VAULT
        columns = [
            VAULT.c.id,
            VAULT.c.encrypted_private_key,
            self._read(VAULT.c.access_level),
            self._read(VAULT.c.encryption_method),
        ]
        text = VAULT.c.encrypted_private_key
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

    def _with_vault(self, source: Any) -> Any:
        if self.foreign is None:
            return source.outerjoin(VAULT, VAULT.c.credential_id == CREDENTIAL.c.id)
        return source.outerjoin(self._vault, true())

    def _with_slot(self, source: Any) -> Any:
        if self.foreign is None:
            return source
        return source.outerjoin(
            NAMED_BY,
            and_(NAMED_BY.c.credential_id == CREDENTIAL.c.id, NAMED_BY.c.project_id == CREDENTIAL.c.project_id),
        )

    def _wallets(self) -> Select[Any]:
        return select(*self._wallet_columns(NAMED_BY)).select_from(self._with_slot(self._with_vault(CREDENTIAL)))

    def _page(self) -> Select[Any]:
        after = CREDENTIAL.c.id > _param("after", CREDENTIAL.c.id)
        return _limited(self._wallets().where(after).order_by(CREDENTIAL.c.id), _param("limit", HEAD.c.version))

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
        # A slot without its vault record must not commit: the division fails, and with it the statement.
        guard = case((rows(slot) > literal_column("0"), literal_column("1") / rows(vault)), else_=literal_column("0"))
        return select(taken_key, rows(slot), rows(vault), guard).add_cte(log)

    def _insert(self, table: Table, row: Mapping[str, str], *, arbitrated: bool = False) -> Executable:
        """INSERT ... VALUES; ``arbitrated``: nothing where any unique key is taken."""
        if not arbitrated:
            return insert(table).values(self._values(table, row)).inline()
        return self._dialect_insert(table).values(self._values(table, row)).inline().on_conflict_do_nothing()  # type: ignore[no-any-return]

    def _insert_from(
        self, table: Table, row: Mapping[str, str], source: CTE | None, *, arbitrated: bool = False
    ) -> Any:
        """INSERT ... SELECT parameters, once for each row of ``source``; without one, once."""
        filled = self._values(table, row)
        values = select(*filled.values())
        if source is not None:
            values = values.select_from(source)
        statement = self._dialect_insert(table).from_select(list(filled), values)
        return statement.on_conflict_do_nothing() if arbitrated else statement

    def _values(self, table: Table, row: Mapping[str, str]) -> dict[str, Any]:
        """The row's columns that the schema has, as parameters; ``true`` and ``false`` are themselves."""
        constants: dict[str, Any] = {"true": literal_column("true"), "false": literal_column("false")}
        return {
            column: constants[name] if name in constants else _param(name, table.c[column])
            for column, name in row.items()
            if self._has(table.c[column]) or table.name not in WALLET_ROWS
        }

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


def _beginnings() -> Select[Any]:
    return select(_beginning(VAULT.c.encrypted_private_key))


def _beginning(text: Any) -> Any:
    """The forty characters that name a sealed text's sealing key."""
    return func.substr(text, literal_column("1"), literal_column("40"))


def _limited(query: Select[Any], limit: Any) -> Select[Any]:
    """Without an explicit OFFSET the SQLite dialect would add one as a parameter without a name of ours."""
    return query.limit(limit).offset(literal_column("0"))
