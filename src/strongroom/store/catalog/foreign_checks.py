"""CHECKs of legacy tables: what they allow, and the SQL that also allows our rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from strongroom.records.vault_texts import SEALED_PREFIX
from strongroom.store.catalog.foreign_columns import CREDENTIALS, VAULT
from strongroom.store.connection.qualified import NotQualifiableError, identifier, qualified

_PINNED = ("network", "status", "encryption_method", "access_level", "action_type")
_CONSTANT = {"is_active": "true", "vault_stored": "true", "backup_created": "false"}
OURS = {
    CREDENTIALS: "key_vault_id = ('vault_' || id::text)",
    VAULT: f"encrypted_private_key LIKE '{SEALED_PREFIX}%'",
}
"""What is true of every row that we write."""


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

    def widened(self, values: Mapping[str, Any]) -> str:
        """SQL that also allows our rows: by what all of them say, never by one row's values."""
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


@lru_cache(maxsize=1000)
def qualified_condition(expression: str, used: tuple[tuple[str, str], ...]) -> str | None:
    """An expression of the catalogue with a schema for everything in it; None where that cannot be written."""
    try:
        return qualified(expression, others=dict(used))
    except NotQualifiableError:
        return None


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


def add_words(type_: str, words: Iterable[str]) -> str:
    """SQL that adds values to an enum."""
    return " ".join(f"ALTER TYPE {type_} ADD VALUE IF NOT EXISTS {quoted(word)};" for word in words)


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
