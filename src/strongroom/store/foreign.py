"""What the catalogue says about wallet tables that other code made: columns, checks, unique keys, triggers.

Read once when a store is opened on PostgreSQL. Statements are built from it, and what a CHECK or a column's length
would refuse is refused before anything is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from strongroom.errors import CheckRefusesError, ColumnTooShortError, ForeignSchemaError
from strongroom.store.database import Reader

CREDENTIALS = "project_credentials"
VAULT = "credential_vault_storage"
LOGS = "credential_usage_logs"
TABLES = (CREDENTIALS, VAULT, LOGS)
NEEDED = {
    CREDENTIALS: ("id", "project_id", "public_key", "key_vault_id", "wallet_address"),
    VAULT: ("id", "credential_id", "vault_id", "encrypted_private_key"),
    LOGS: ("id", "credential_id", "action_type"),
}
VAULT_TABLE_SQL = """\
ALTER TABLE project_credentials
    ADD COLUMN IF NOT EXISTS wallet_address varchar, ADD COLUMN IF NOT EXISTS network varchar,
    ADD COLUMN IF NOT EXISTS credential_type varchar, ADD COLUMN IF NOT EXISTS status varchar DEFAULT 'active',
    ADD COLUMN IF NOT EXISTS metadata jsonb DEFAULT '{}'::jsonb;
CREATE TABLE IF NOT EXISTS credential_vault_storage (
    id uuid PRIMARY KEY,
    credential_id uuid NOT NULL UNIQUE REFERENCES project_credentials (id) ON DELETE RESTRICT,
    vault_id text NOT NULL UNIQUE,
    encrypted_private_key text NOT NULL,
    encryption_method text NOT NULL,
    access_level text NOT NULL,
    backup_created boolean NOT NULL DEFAULT false,
    revoked_at timestamptz, revoked_by uuid, created_at timestamptz, updated_at timestamptz
);"""

_COLUMNS = """
SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL),
       CASE WHEN a.atttypid IN ('varchar'::regtype, 'bpchar'::regtype) AND a.atttypmod > 4 THEN a.atttypmod - 4 END,
       pg_get_expr(d.adbin, d.adrelid), a.attgenerated <> ''
  FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE pg_table_is_visible(c.oid) AND c.relkind IN ('r', 'p') AND c.relname = ANY(%(names)s)
"""
_CHECKS = """
SELECT c.relname::text, k.conname::text, pg_get_expr(k.conbin, k.conrelid),
       ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY(k.conkey)),
       k.convalidated
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
 WHERE k.contype = 'c' AND pg_table_is_visible(c.oid) AND c.relname = ANY(%(names)s)
 ORDER BY 1, 2
"""
_UNIQUE = """
SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
 WHERE i.indisunique AND i.indpred IS NULL AND i.indnkeyatts = 1 AND pg_table_is_visible(c.oid)
   AND c.relname = 'credential_vault_storage'
   AND i.indkey[0] = (SELECT attnum FROM pg_attribute WHERE attrelid = c.oid AND attname = 'credential_id')
"""
_TRIGGERS = """
SELECT c.relname::text, t.tgname::text, p.proname::text, p.prosrc ILIKE '%%credential_vault_storage%%'
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND pg_table_is_visible(c.oid) AND c.relname = ANY(%(names)s)
   AND p.proname NOT LIKE 'strongroom\\_guard\\_%%'
 ORDER BY 1, 2
"""

_PINNED = ("network", "status", "encryption_method", "access_level", "action_type")
_CONSTANT = {"is_active": "true", "vault_stored": "true", "backup_created": "false"}
OURS = {
    CREDENTIALS: "key_vault_id = 'vault_' || id::text",
    VAULT: "encrypted_private_key LIKE 'eyJraWQiOi%'",
}
"""What is true of every row that we write."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a foreign table."""

    type: str
    length: int | None
    default: str | None
    """The expression of its default, or of its value where it is generated."""
    generated: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """A CHECK constraint of a foreign table."""

    table: str
    name: str
    expression: str
    columns: tuple[str, ...]
    validated: bool = True

    def allowed(self) -> str:
        """The values that it names, for people."""
        return ", ".join(re.findall(r"'([^']*)'", self.expression)) or self.expression

    def widened(self, values: Mapping[str, Any]) -> str:
        """SQL that lets our rows in beside what is allowed now: by what all of them say, never by one row's values."""
        pins = {column: pin(column, values) for column in self.columns}
        ours = [said for said in pins.values() if said is not None]
        drop = f"ALTER TABLE {self.table} DROP CONSTRAINT {identifier(self.name)};"
        if None in pins.values() or not pins:
            if self.table not in OURS:
                return drop
            ours.append(OURS[self.table])
        return (
            f"{drop} ALTER TABLE {self.table} ADD CONSTRAINT {identifier(self.name)} "
            f"CHECK (({self.expression}) OR ({' AND '.join(ours)})){'' if self.validated else ' NOT VALID'};"
        )


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger on a foreign table."""

    table: str
    name: str
    function: str
    writes_vault: bool


@dataclass(frozen=True, slots=True)
class ForeignSchema:
    """Wallet tables that other code made."""

    columns: Mapping[str, Mapping[str, Column]]
    checks: tuple[Check, ...]
    triggers: tuple[Trigger, ...]
    unique_credential: bool

    @property
    def generation(self) -> str:
        """Which of the generations found in the field it is: g1 to g4."""
        if VAULT not in self.columns:
            return "g1"
        if any(trigger.table == CREDENTIALS and trigger.writes_vault for trigger in self.triggers):
            return "g4"
        return "g3" if self.unique_credential else "g2"

    def has(self, table: str, column: str) -> bool:
        """Whether a table has a column."""
        return column in self.columns.get(table, {})

    def require_wallets(self) -> None:
        """Raise ForeignSchemaError, with SQL that would help, where a wallet cannot be kept."""
        missing = [
            f"{table}.{column}" if table in self.columns else table
            for table, columns in NEEDED.items()
            for column in columns
            if not self.has(table, column)
        ]
        if missing:
            raise ForeignSchemaError(
                f"The wallet tables are of generation {self.generation} and lack: "
                f"{', '.join(dict.fromkeys(missing))}. Nothing was changed.",
                hint=f"This SQL would help; read it, then run it as the tables' owner:\n{VAULT_TABLE_SQL}",
            )

    def require_lengths(self, table: str, values: Mapping[str, Any]) -> None:
        """Raise ColumnTooShortError for a value that is longer than its column."""
        for name, value in values.items():
            column = self.columns[table][name]
            if column.length is not None and isinstance(value, str) and len(value) > column.length:
                raise ColumnTooShortError(
                    f"The column {table}.{name} takes {column.length} characters, {len(value)} are needed."
                )

    def checks_query(self, table: str, names: Mapping[str, str]) -> str | None:
        """A SELECT of the names of the CHECKs that a row would violate; ``names`` is column to parameter.

        PostgreSQL itself evaluates each expression over the row as it would be written, defaults included.
        """
        checks = [check for check in self.checks if check.table == table]
        if not checks:
            return None
        cases = ", ".join(
            f"CASE WHEN NOT ({check.expression}) THEN {quoted(check.name)} END" for check in checks
        ).replace("%", "%%")
        values = ", ".join(
            f"{_value(names.get(name), column)} AS {identifier(name)}"
            for name, column in self.columns[table].items()
            if not column.generated
        )
        row = f"(SELECT {values}) AS {table}"
        generated = ", ".join(
            f"{_value(None, column)} AS {identifier(name)}"
            for name, column in self.columns[table].items()
            if column.generated
        )
        if generated:
            row = f"(SELECT {table}.*, {generated} FROM {row}) AS {table}"  # noqa: S608
        return f"SELECT array_remove(ARRAY[{cases}], NULL) FROM {row}"  # noqa: S608

    def refuse(self, table: str, violated: list[str], values: Mapping[str, Any]) -> None:
        """Raise CheckRefusesError for the first violated CHECK."""
        for check in self.checks:
            if check.table == table and check.name in violated:
                raise CheckRefusesError(
                    f"The constraint {check.name} of {table} refuses what strongroom writes; it allows: "
                    f"{check.allowed()}. Nothing was written.",
                    hint=f"This SQL widens it: {check.widened(values)}",
                )

    def triggers_of(self, function: str) -> str:
        """The names of the triggers that run a function."""
        return ", ".join(trigger.name for trigger in self.triggers if trigger.function == function)


def read_foreign_schema(database: Reader) -> ForeignSchema:
    """Read the catalogue of the wallet tables; nothing is written."""
    names = {"names": list(TABLES)}
    columns: dict[str, dict[str, Column]] = {}
    for table, name, *column in database.read(_COLUMNS, names):
        columns.setdefault(table, {})[name] = Column(*column)
    return ForeignSchema(
        columns=columns,
        checks=tuple(
            Check(table, name, expression, tuple(columns_of), validated)
            for table, name, expression, columns_of, validated in database.read(_CHECKS, names)
        ),
        triggers=tuple(Trigger(*row) for row in database.read(_TRIGGERS, names)),
        unique_credential=bool(database.read(_UNIQUE, {})[0][0]),
    )


def _value(parameter: str | None, column: Column) -> str:
    if parameter in ("true", "false"):
        return str(parameter)
    if parameter is not None:
        return f"%({parameter})s::{column.type}"
    default = (column.default or "NULL").replace("%", "%%")
    return f"({default})::{column.type}"


def pin(column: str, values: Mapping[str, Any]) -> str | None:
    """What a column says in all our rows of one kind, as SQL; None where each row has its own value."""
    if column in _CONSTANT:
        return f"{column} = {_CONSTANT[column]}"
    value = values.get(column)
    if column == "credential_type" and isinstance(value, str):
        return f"{column} ~ {quoted('^' + value.partition(':')[0] + '(:|$)')}"
    if column in _PINNED and isinstance(value, str):
        return f"{column} = {quoted(value)}"
    return None


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'
