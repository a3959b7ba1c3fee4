"""What the catalogue says about legacy wallet tables: columns, checks, unique keys, triggers.

Read once when a store is opened on PostgreSQL. Statements are built from it, and what a CHECK or a column's length
would refuse is refused before anything is written.

What is done about the trigger of generation g4, and where: docs/existing-databases.md, a section of that name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from strongroom.errors import CheckRefusesError, ColumnTooShortError, ForeignSchemaError
from strongroom.store.catalog import foreign_catalog
from strongroom.store.catalog.foreign_checks import Check, add_words, qualified_condition, quoted
from strongroom.store.catalog.foreign_columns import (
    CREDENTIALS,
    FORMS,
    LOGS,
    VAULT,
    WORDS,
    Column,
    ColumnForm,
    Problem,
    has_plain_vault_ids,
    microseconds_of,
    problems,
    written,
)
from strongroom.store.catalog.wallet_tables import missing_parts
from strongroom.store.connection.database import CatalogueReader
from strongroom.store.connection.qualified import identifier

__all__ = ["CREDENTIALS", "LOGS", "TABLES", "VAULT", "ForeignSchema", "add_words", "read_foreign_schema"]

TABLES = (CREDENTIALS, VAULT, LOGS)
NEEDED = {
    CREDENTIALS: ("id", "project_id", "public_key", "key_vault_id", "wallet_address"),
    VAULT: ("id", "credential_id", "vault_id", "encrypted_private_key"),
    LOGS: ("id", "credential_id", "action_type"),
}


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger on a foreign table."""

    table: str
    name: str
    function: str
    writes_vault: bool
    fills: bool = False
    """Whether it runs before each row that is inserted, and may fill its columns."""


@dataclass(frozen=True, slots=True)
class ForeignSchema:
    """The columns, CHECKs and triggers of legacy wallet tables, as the catalogue describes them."""

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
                hint=self._what_would_help,
            )

    @property
    def _what_would_help(self) -> str:
        sql = "".join(f"\n{statement};" for statement in missing_parts(self.columns))
        return "`strongroom migrate` prints what the tables lack, and `strongroom migrate --apply` adds it" + (
            f". Of its SQL this is enough for now; read it, then run it as the tables' owner:{sql}" if sql else "."
        )

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What stands in the way of writing a whole wallet, by the types of the columns."""
        filling = frozenset(trigger.table for trigger in self.triggers if trigger.fills)
        return tuple(problems(self.columns, filling))

    @property
    def plain_vault_ids(self) -> bool:
        """Whether a vault id is the wallet's id alone, because a column for it is a uuid."""
        return has_plain_vault_ids(self.columns)

    @property
    def time_step_microseconds(self) -> int:
        """How exactly ``created_at`` keeps a time: 1, unless it is a number of larger units."""
        column = self.columns[CREDENTIALS].get("created_at")
        return 1 if column is None else microseconds_of(column, self.columns[CREDENTIALS])

    @property
    def has_other_ids(self) -> bool:
        """Whether an id is of a type that can hold none of ours: then the register has none of these wallets."""
        return any(each.of_an_id for each in self.problems)

    def require_columns(self, *, all_of: bool, tables: Collection[str] = TABLES, lengths: bool = True) -> None:
        """Raise ForeignSchemaError, with table, column, its type and the type that works.

        ``all_of`` False: only where an id cannot be one of ours, so that nothing at all works. ``lengths`` False: not
        for what is too short, where each value's own length is looked at.
        """
        found = [
            each
            for each in self.problems
            if each.table in tables and (all_of or each.of_an_id) and (lengths or not each.too_short)
        ]
        if not found:
            return
        sql = "".join(f"\n{each.sql};" for each in found if each.sql)
        raise ForeignSchemaError(
            f"The wallet tables cannot be used as they are: {'; '.join(map(str, found))}. Nothing was changed.",
            hint=f"This SQL would help; read it, then run it as the tables' owner:{sql}" if sql else None,
        )

    def written(self, table: str, column: str) -> str | None:
        """SQL that makes one of the column's values of ours, ``{}``; None where strongroom writes nothing there."""
        found, form = self.columns.get(table, {}).get(column), FORMS.get(table, {}).get(column)
        if found is None or found.is_the_databases:
            return None
        if form is None:
            return f"{{}}::{found.type}"
        template = written(form, found, self.columns[table])
        return None if form is ColumnForm.ACTOR and found.not_null else template

    def missing_words(self) -> dict[str, tuple[str, ...]]:
        """By the name of an enum: what strongroom writes that is not among its values, for people to add."""
        found: dict[str, dict[str, None]] = {}
        for (table, name), words in WORDS.items():
            column = self.columns.get(table, {}).get(name)
            if column is not None and column.is_enum:
                found.setdefault(column.base, {}).update(dict.fromkeys(w for w in words if w not in column.labels))
        return {name: tuple(words) for name, words in found.items() if words}

    def words_missing(self) -> list[tuple[str, str]]:
        """By table: what an enum lacks, for people, with the SQL that adds it."""
        missing, told = self.missing_words(), dict[str, tuple[str, str]]()
        for table, name in WORDS:
            base = self.columns[table][name].base if self.has(table, name) else ""
            if base in missing and base not in told:
                lacks = f"{table}.{name} is of the enum {base}, which lacks: {', '.join(missing[base])}"
                told[base] = (table, f"{lacks}. What writes it is refused. {add_words(base, missing[base])}")
        return list(told.values())

    def require_words(self, table: str, values: Mapping[str, Any]) -> None:
        """Raise CheckRefusesError for a word that is not among the values of its enum."""
        for name, value in values.items():
            column = self.columns[table][name]
            if column.is_enum and isinstance(value, str) and value not in column.labels:
                raise CheckRefusesError(
                    f"The type {column.base} of {table}.{name} lacks a value that strongroom writes; it has: "
                    f"{', '.join(column.labels)}. Nothing was written.",
                    hint=f"This SQL adds it: {add_words(column.base, (value,))}",
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
        conditions = {check.name: check.condition for check in checks}
        cases = ", ".join(
            f"CASE WHEN NOT ({condition}) THEN {quoted(name)} END"
            for name, condition in conditions.items()
            if condition is not None  # the INSERT itself will be refused then
        ).replace("%", "%%")
        if not cases:
            return None
        values = ", ".join(
            f"{self._value(table, name, names.get(name))} AS {identifier(name)}"
            for name, column in self.columns[table].items()
            if not column.generated
        )
        row = f"(SELECT {values}) AS {table}"
        generated = ", ".join(
            f"{self._value(table, name, None)} AS {identifier(name)}"
            for name, column in self.columns[table].items()
            if column.generated
        )
        if generated:
            row = f"(SELECT {table}.*, {generated} FROM {row}) AS {table}"  # noqa: S608
        return f"SELECT array_remove(ARRAY[{cases}], NULL) FROM {row}"  # noqa: S608

    def _value(self, table: str, name: str, parameter: str | None) -> str:
        """A column of a row as it would be written: a parameter's value, else its default."""
        column = self.columns[table][name]
        template = None if parameter is None else self.written(table, name)
        if template is not None:
            value = str(parameter) if parameter in ("true", "false") else f"%({parameter})s"
            return f"({template.format(value)})::{column.type}"
        default = (qualified_condition(column.default or "NULL", column.used) or "NULL").replace("%", "%%")
        return f"({default})::{column.type}"

    def refuse(self, table: str, violated: list[str], values: Mapping[str, Any]) -> None:
        """Raise CheckRefusesError for the first violated CHECK."""
        for check in self.checks:
            if check.table == table and check.name in violated:
                raise CheckRefusesError(
                    f"The constraint {check.name} of {table} refuses what strongroom writes; it allows: "
                    f"{check.allowed()}. Nothing was written.",
                    hint=f"This SQL widens it: {check.widened(values, self.columns[table])}",
                )

    def triggers_of(self, function: str) -> str:
        """The names of the triggers that run a function."""
        return ", ".join(trigger.name for trigger in self.triggers if trigger.function == function)


def read_foreign_schema(database: CatalogueReader) -> ForeignSchema:
    """Read the catalogue of the wallet tables; nothing is written."""
    names = {"names": list(TABLES)}
    columns: dict[str, dict[str, Column]] = {}
    for table, name, *column in database.read(foreign_catalog.COLUMNS, names):
        columns.setdefault(table, {})[name] = _column(*column)
    return ForeignSchema(
        columns=columns,
        checks=tuple(
            Check(table, name, expression, tuple(columns_of), validated, _pairs(used))
            for table, name, expression, columns_of, validated, used in database.read(foreign_catalog.CHECKS, names)
        ),
        triggers=tuple(Trigger(*row) for row in database.read(foreign_catalog.TRIGGERS, names)),
        unique_credential=bool(database.read(foreign_catalog.UNIQUE, {})[0][0]),
    )


def _column(
    kind: str, length: int | None, default: str | None, generated: bool, used: list[list[str]], *rest: Any
) -> Column:
    base, category, labels, not_null, identity = rest
    return Column(kind, length, default, generated, _pairs(used), base, category, tuple(labels), not_null, identity)


def _pairs(used: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, home) for name, home in used)
