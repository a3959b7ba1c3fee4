"""CHECKs of legacy tables: what they allow, and the SQL that also allows our rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from strongroom.records.vault_texts import SEALED_PREFIX
from strongroom.store.catalog.foreign_columns import CREDENTIALS, VAULT, Column, as_flag
from strongroom.store.connection.qualified import NotQualifiableError, identifier, qualified

_PINNED = ("credential_type", "network", "status", "encryption_method", "access_level", "action_type")
_CONSTANT = {"is_active": "true", "vault_stored": "true", "backup_created": "false"}
OURS = {
    CREDENTIALS: "key_vault_id = ('vault_' || id::text)",
    VAULT: f"encrypted_private_key LIKE '{SEALED_PREFIX}%'",
}
"""What is true of every row that we write."""
_OURS_BY_UUID = {CREDENTIALS: "key_vault_id::text = id::text"}
"""The same where a column for the vault id is a uuid."""


@dataclass(frozen=True, slots=True)
class Check:
    """A CHECK constraint of a foreign table."""

    table: str
    name: str
    expression: str
    columns: tuple[str, ...]
    validated: bool = True
    used: tuple[tuple[str, str], ...] = ()
    """What it uses beyond PostgreSQL's own: operators, functions, types; name and schema."""

    @property
    def condition(self) -> str | None:
        """The expression with a schema for everything in it; None where that cannot be written."""
        return qualified_condition(self.expression, self.used)

    def allowed(self) -> str:
        """The values that it names, for people."""
        return ", ".join(re.findall(r"'([^']*)'", self.expression)) or self.expression

    def widened(self, values: Mapping[str, Any], columns: Mapping[str, Column]) -> str:
        """SQL that also allows our rows: by what all of them say, never by one row's values.

        ``columns`` are those of its table.
        """
        pins = {column: pin(column, values, columns) for column in self.columns}
        said = [each for each in pins.values() if each is not None]
        drop = f"ALTER TABLE {self.table} DROP CONSTRAINT {identifier(self.name)};"
        if None in pins.values() or not pins:
            if self.table not in OURS:
                return drop
            said.append(ours(self.table, columns))
        return (
            f"{drop} ALTER TABLE {self.table} ADD CONSTRAINT {identifier(self.name)} "
            f"CHECK (({self.expression}) OR ({' AND '.join(said)})){'' if self.validated else ' NOT VALID'};"
        )


@lru_cache(maxsize=1000)
def qualified_condition(expression: str, used: tuple[tuple[str, str], ...]) -> str | None:
    """An expression of the catalogue with a schema for everything in it; None where that cannot be written."""
    try:
        return qualified(expression, others=dict(used))
    except NotQualifiableError:
        return None


def ours(table: str, columns: Mapping[str, Column]) -> str:
    """What is true of every row that we write into a table, as its columns are."""
    vault_id = columns.get("key_vault_id")
    by_uuid = vault_id is not None and vault_id.base == "uuid"
    return _OURS_BY_UUID.get(table, OURS[table]) if by_uuid else OURS[table]


def flag_is(column: str, value: str, columns: Mapping[str, Column]) -> str:
    """That a flag is ``true`` or ``false``, whatever type the legacy application made it."""
    found = columns.get(column)
    if found is None or found.base == "boolean":
        return f"{column} = {value}"
    return as_flag(column, found) if value == "true" else f"NOT {as_flag(column, found)}"


def pin(column: str, values: Mapping[str, Any], columns: Mapping[str, Column]) -> str | None:
    """What a column says in all our rows of one kind, as SQL; None where each row has its own value."""
    if column in _CONSTANT:
        return flag_is(column, _CONSTANT[column], columns)
    value, found = values.get(column), columns.get(column)
    if column == "credential_type" and isinstance(value, str) and not (found is not None and found.is_enum):
        return f"{column} ~ {quoted('^' + value.partition(':')[0] + '(:|$)')}"
    if column in _PINNED and isinstance(value, str):
        return f"{column} = {quoted(value)}"
    return None


def add_words(type_: str, words: Iterable[str]) -> str:
    """SQL that adds values to an enum."""
    return " ".join(f"ALTER TYPE {type_} ADD VALUE IF NOT EXISTS {quoted(word)};" for word in words)


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
