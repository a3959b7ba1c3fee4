"""The least privileges of each kind of role, as the SQL that the owner of the tables runs (PostgreSQL)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Literal

from strongroom.errors import UnsupportedDatabaseError
from strongroom.store import schema
from strongroom.store.catalog.foreign_checks import quoted
from strongroom.store.catalog.foreign_schema import TABLES
from strongroom.store.catalog.profile import Profile
from strongroom.store.connection.database import CatalogueReader
from strongroom.store.connection.sql_writer import identifier

RoleKind = Literal["reader", "creator", "signer", "operator", "doctor"]

_CREDENTIALS, _VAULT, _LOG = TABLES
_SLOT, _IDEMPOTENCY = schema.strongroom_slot.name, schema.strongroom_idempotency.name
_HEAD, _KEYRING, _WRAP = (
    table.name for table in (schema.strongroom_keyring_head, schema.strongroom_keyring, schema.strongroom_keyring_wrap)
)
_WALLET, _NONCE = schema.strongroom_wallet.name, schema.strongroom_nonce.name
_PHRASE, _ACCOUNT = schema.strongroom_phrase.name, schema.strongroom_phrase_account.name
_BRANCH = schema.strongroom_phrase_branch.name
_HISTORY, _EVENTS = schema.strongroom_vault_history.name, schema.strongroom_events.name
_LOCK = {_HEAD: ("id",)}
"""Anyone who writes locks the keyring's head in the end where an outcome was lost; a lock needs UPDATE on a column.

This one can only be 1: nothing can be changed with it.
"""
_SHARED = {_CREDENTIALS: ("project_id",)}
"""Where nodes have the tables, a signature locks its wallet's row. This column distributes the rows: Citus lets nobody
change it.
"""
_REPLACED_NONCE = {_NONCE: ("digest", "fee", "credential_id", "updated_at", "kid", "tag")}
_ADVANCED = {_ACCOUNT: ("next_index", "version", "kid", "tag")}
"""A wallet of a phrase takes the next index of its account, under a lock of its row."""
_LEFT = {_BRANCH: ("xpub_exported", "key_revealed", "version", "kid", "tag")}
"""What is revealed of a phrase's branch is written down, under a lock of its row."""
_WRITTEN_BY_CREATE = (_CREDENTIALS, _VAULT, _LOG, _SLOT, _IDEMPOTENCY, _WALLET, _NONCE, _ACCOUNT, _BRANCH)
_ADOPTED = {_SLOT: ("credential_id", "kid", "tag"), _IDEMPOTENCY: ("credential_id", "kid", "tag")}
"""In legacy tables a slot and an idempotency key are taken first, and name a wallet that is found under their lock."""
_DELETED_BY_OPERATOR = (_SLOT, _IDEMPOTENCY, _WALLET, _NONCE, _WRAP)
_MADE_ANEW = (_PHRASE,)
"""Where tables are divided by project, a row that a writer put among another one's: no UPDATE takes it back."""
_EXPLAINED = {
    "reader": "reads wallets, lists, the log and `verify`; with the root key it can open what it reads",
    "creator": "creates, imports, signs and exports; changes nothing that is there, but for a replaced nonce",
    "operator": "does every verb of the vault, and makes no table: init, upgrade, migrate and guard are the owner's",
    "doctor": "reads every table, for `strongroom doctor` and backups; no root key is needed",
}


def grants(database: CatalogueReader, profile: Profile, kind: RoleKind, role: str) -> list[str]:
    """The statements that give a role what a kind of work needs and no more: a comment first, then the SQL.

    Policies are among them where row-level security is on, so that the role needs no BYPASSRLS.
    Raises UnsupportedDatabaseError on SQLite.
    """
    if database.engine.dialect.name == "sqlite":
        raise UnsupportedDatabaseError("SQLite has no roles: who may read and write the file may do everything.")
    kind = "creator" if kind == "signer" else kind
    tables = [name for name in (*schema.TABLES, schema.VERSION_TABLE) if name in profile.tables]
    tables += [schema.UNTAGGED_NONCES] if profile.untagged_nonces else []
    secured = {name for (name, on) in database.read(_SECURED, {"names": tables}) if on}
    columns = {
        **_LOCK,
        **_REPLACED_NONCE,
        **_ADVANCED,
        **_LEFT,
        **(_ADOPTED if profile.foreign is not None else {}),
        **(_SHARED if profile.distributed else {}),
    }
    legacy = profile.foreign is not None
    deleted = _DELETED_BY_OPERATOR + (_MADE_ANEW if profile.sharded else ())
    privileges = {table: _privileges(kind, table, columns, deleted, legacy=legacy) for table in tables}
    comment, *statements = _statements(profile.schemas, privileges, secured, kind, role)
    if kind in ("creator", "operator"):
        statements += _calls(profile, role)
    if not profile.distributed:
        return [comment, *statements]
    return [comment, _ONE_BY_ONE, *map(_by_itself, statements)]


_SECURED = """
SELECT c.relname::text, bool_or(c.relrowsecurity) FROM pg_class c
 WHERE c.relname = ANY(%(names)s) AND c.relkind IN ('r', 'p') AND is_located(c) GROUP BY 1
"""
_Privileges = dict[str, tuple[str, ...] | None]
"""Commands, with the columns where not the whole table is meant."""


def _privileges(
    kind: str, table: str, changed: Mapping[str, tuple[str, ...]], deleted: tuple[str, ...], *, legacy: bool
) -> _Privileges:
    found: _Privileges = {"SELECT": None}
    if kind in ("reader", "doctor") or table in (schema.VERSION_TABLE, schema.UNTAGGED_NONCES):
        return found
    if kind == "operator":
        found |= {"INSERT": None, "UPDATE": None}
        return found | ({"DELETE": None} if table in deleted else {})
    if table in _WRITTEN_BY_CREATE or (legacy and table == _HISTORY):
        found["INSERT"] = None
    columns = changed.get(table)
    return found | ({} if columns is None else {"UPDATE": columns})


def _statements(
    schemas: Mapping[str, str], privileges: Mapping[str, _Privileges], secured: set[str], kind: str, role: str
) -> Iterator[str]:
    to = identifier(role)
    yield f"-- {kind}: {_EXPLAINED[kind]}"
    for home in sorted({schemas[table] for table in privileges}):
        yield f"GRANT USAGE ON SCHEMA {identifier(home)} TO {to};"
    for table, commands in sorted(privileges.items()):
        named = f"{identifier(schemas[table])}.{identifier(table)}"
        listed = [
            command if columns is None else f"{command} ({', '.join(map(identifier, columns))})"
            for command, columns in commands.items()
        ]
        yield f"GRANT {', '.join(listed)} ON TABLE {named} TO {to};"
        for command in commands if table in secured else ():
            policy = identifier(policy_name(command, role))
            yield f"DROP POLICY IF EXISTS {policy} ON {named};"
            yield f"CREATE POLICY {policy} ON {named} FOR {command} TO {to} {_CLAUSES[command]};"


def _calls(profile: Profile, role: str) -> Iterator[str]:
    """The right to call what writes a wallet on its node; of functions that others made nothing is said."""
    for found in profile.functions:
        if found.plain and found.trusted:
            name = f"{identifier(found.schema)}.{identifier(found.name)}({found.types})"
            yield f"GRANT EXECUTE ON FUNCTION {name} TO {identifier(role)};"


_ONE_BY_ONE = "SET LOCAL citus.multi_shard_modify_mode TO 'sequential';"
"""Without it Citus refuses a transaction that changes tables on nodes, and those that they refer to on every node."""


def _by_itself(statement: str) -> str:
    """A DROP POLICY as its nodes take it: Citus sends them the text that it came in, which may be the whole script."""
    if not statement.startswith("DROP POLICY"):
        return statement
    return f"DO {quoted(f'BEGIN {statement} END')};"


_CLAUSES = {
    "SELECT": "USING (true)",
    "INSERT": "WITH CHECK (true)",
    "UPDATE": "USING (true) WITH CHECK (true)",
    "DELETE": "USING (true)",
}


def policy_name(command: str, role: str) -> str:
    """The name of the policy of a role for a command; of a long role's name a digest."""
    short = role if len(role.encode()) <= 40 else hashlib.sha256(role.encode()).hexdigest()[:32]
    return f"strongroom_{command.lower()}_{short}"
