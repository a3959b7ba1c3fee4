"""How statements name columns and values, whatever types legacy tables give them: docs/adr/0027-column-types.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Table, Text, and_, bindparam, case, func, literal_column, tuple_
from sqlalchemy import text as text_sql

from strongroom.store.catalog import foreign_columns
from strongroom.store.catalog.foreign_columns import for_sqlalchemy
from strongroom.store.catalog.foreign_schema import ForeignSchema
from strongroom.store.statements.tables import CREDENTIAL, LOG, VAULT, WALLET_TABLES

_CONSTANTS = ("true", "false")
_LONGEST_WORD = 64
"""Characters of a time with its zone, or of a UUID, and some more."""


class ColumnForms:
    """Columns of the wallet tables and values for them, of one schema."""

    writes_in_one: bool
    """Whether the engine has data-modifying CTEs, so that one statement writes a whole wallet: PostgreSQL."""

    def __init__(self, foreign: ForeignSchema | None, *, sharded: bool = False) -> None:
        self.foreign = foreign
        self.sharded = sharded and foreign is None
        """Whether tables are divided by project, so that joins name it. Elsewhere an id alone says more to a planner
        that has no statistics: of a project's id it does not know how many rows have it."""

    def has(self, column: Column[Any]) -> bool:
        """Whether the schema has a column."""
        return self.foreign is None or self.foreign.has(column.table.name, column.name)

    def column(self, column: Column[Any]) -> Any:
        """A column, or NULL where the schema does not have it."""
        return column if self.has(column) else literal_column("NULL").label(column.name)

    def writes(self, table: Table, column: str) -> bool:
        """Whether strongroom writes a column: one that is there, and that takes what it would write."""
        if self.foreign is None or table.name not in WALLET_TABLES:
            return True
        return self.foreign.written(table.name, column) is not None

    def written_as(self, table: Table, values: Mapping[str, str], *, as_text: bool = False) -> dict[str, str]:
        """SQL of values for the columns of a wallet table that strongroom writes; ``as_text``: for sqlalchemy.text."""
        found: dict[str, str] = {}
        for column, value in values.items():
            template = "{}" if self.foreign is None else self.foreign.written(table.name, column)
            if template is not None:
                found[column] = (for_sqlalchemy(template) if as_text else template).format(value)
        return found

    def filled(self, table: Table, row: Mapping[str, str]) -> dict[str, Any]:
        """The row's columns that strongroom writes, as parameters; ``true`` and ``false`` are themselves."""
        return {column: self.value(table.c[column], name) for column, name in row.items() if self.writes(table, column)}

    def value(self, column: Column[Any], name: str, *, names_actor: bool = True) -> Any:
        """A parameter as a value of a column; ``true`` and ``false`` are themselves.

        The details of a log row name the actor where no column does, unless ``names_actor`` is false.
        """
        table = column.table.name
        template = self.foreign.written(table, column.name) if self.foreign and table in WALLET_TABLES else None
        if template is not None:
            value = name if name in _CONSTANTS else f"(:{name})"
            if names_actor and column is LOG.c.action_details:
                value = self.log_details(value, "(:performed_by)")
            return text_sql(for_sqlalchemy(template).format(value))
        return literal_column(name) if name in _CONSTANTS else param(name, column)

    def log_details(self, details: str, actor: str) -> str:
        """SQL of a log row's details: with the actor, where the schema has no column that takes it."""
        if self.foreign is None or self.foreign.written(LOG.name, "performed_by") is not None:
            return details
        named = f"jsonb_build_object('actor', {actor}::uuid::text)"
        return f"({details}::text::jsonb || CASE WHEN {actor}::uuid IS NULL THEN '{{}}'::jsonb ELSE {named} END)"

    def text(self, column: Column[Any]) -> Any:
        """A column as text that is compared with words of ours: an enum compares with its own values alone."""
        found = self._found(column)
        if found is None or found.base in ("text", "character varying"):
            return column
        return literal_column(f"{column.table.name}.{column.name}::text")

    def flag(self, column: Column[Any]) -> Any:
        """A column as true or false, or NULL where the schema does not have it."""
        found = self._found(column)
        if found is None or found.base == "boolean":
            return self.column(column)
        flag = foreign_columns.as_flag(f"{column.table.name}.{column.name}", found)
        return literal_column(flag).label(column.name)

    def short(self, value: Any) -> Any:
        """A number, a time or an id; SQLite takes a text of any length for one, of which no more is read than fits."""
        if self.writes_in_one:
            return value
        beginning = func.substr(value, literal_column("1"), literal_column(str(_LONGEST_WORD)))
        return case((func.typeof(value) == literal_column("'integer'"), value), else_=beginning)

    def uuid(self, column: Column[Any]) -> Any:
        """An id as a UUID, to be looked for among ours; NULL where it is none."""
        return column if self._is_uuid(column) else literal_column(foreign_columns.as_uuid(_name(column)))

    def is_ours(self, column: Column[Any], own: Column[Any]) -> Any:
        """That an id, which an index finds, is one of ours."""
        return column == (own if self._is_uuid(column) else literal_column(f"{_name(own)}::text"))

    def id_param(self, name: str, column: Column[Any]) -> Any:
        """A parameter that an id is compared with."""
        return param(name, column) if self._is_uuid(column) else bindparam(name, type_=Text())

    def is_id(self, column: Column[Any], name: str) -> Any:
        """That an id equals a parameter."""
        return column == self.id_param(name, column)

    def of_project(self, table: Table) -> tuple[Any, ...]:
        """That a row is one of the project that is named; of legacy tables, whose columns are theirs, nothing is asked.

        Tables are sharded by project: a statement that names none asks every shard (docs/adr/0035).
        """
        if self.foreign is not None and table.name in WALLET_TABLES:
            return ()
        return (equals(table.c.project_id, "project_id"),)

    def is_named_by(self, table: Table) -> Any:
        """That a credential is the one that a slot or a key names, in the project of either."""
        named = self.is_ours(CREDENTIAL.c.id, table.c.credential_id)
        return and_(CREDENTIAL.c.project_id == table.c.project_id, named) if self.sharded else named

    def of_one_wallet(self) -> Any:
        """That a vault record names a credential."""
        of_one = self.same_id(VAULT.c.credential_id, CREDENTIAL.c.id)
        return and_(VAULT.c.project_id == CREDENTIAL.c.project_id, of_one) if self.sharded else of_one

    def after_wallet(self, *, of_project: bool) -> tuple[tuple[Any, ...], Any]:
        """What wallets are paged by, and that one comes after the parameters ``after`` and ``after_project_id``.

        By ids, which are unique in a project; where tables are divided, copied rows of several may have one.
        """
        key, project = CREDENTIAL.c.id, CREDENTIAL.c.project_id
        after = self.id_param("after", key)
        if of_project or not self.sharded:
            return (key,), key > after
        return (key, project), tuple_(key, project) > tuple_(after, param("after_project_id", project))

    def next_to_page(self, column: Column[Any], paged: bool) -> list[Any]:
        """That what is joined to the wallets after an id comes after it, too: a plan that merges both begins there.

        It would else begin with the first row of all for each page, and a page of a million wallets take a second.
        """
        return [column >= self.id_param("after", CREDENTIAL.c.id)] if paged and self._is_uuid(CREDENTIAL.c.id) else []

    def same_id(self, one: Column[Any], other: Column[Any]) -> Any:
        """That two ids of wallet tables are one; as text where legacy tables give them other types."""
        if self._is_uuid(one) == self._is_uuid(other):
            return one == other
        return literal_column(f"{_name(one)}::text = {_name(other)}::text")

    def sorted_id(self, column: Column[Any]) -> Any:
        """An id as rows are sorted by it, and pages continued: as it is, or as text, byte for byte."""
        return column if self._is_uuid(column) else literal_column(f'({_name(column)}::text COLLATE "C")')

    def time(self, column: Column[Any]) -> Any:
        """A time as a timestamptz, or NULL where a number says none; the column itself where it is one of times."""
        found = self._found(column)
        if found is None or self.foreign is None:
            return column
        moment = foreign_columns.as_time(_name(column), found, self.foreign.columns[column.table.name])
        return column if moment is None else literal_column(moment)

    def _is_uuid(self, column: Any) -> bool:
        if not isinstance(column, Column):  # an expression, see sorted_id
            return False
        found = self._found(column)
        return found is None or found.base == "uuid"

    def _found(self, column: Column[Any]) -> foreign_columns.Column | None:
        """What a legacy schema says of a column; None where the tables are ours, and where it is not there."""
        return None if self.foreign is None else self.foreign.columns.get(column.table.name, {}).get(column.name)


def param(name: str, column: Column[Any]) -> Any:
    """A parameter of a column's type."""
    return bindparam(name, type_=column.type)


def equals(column: Column[Any], name: str) -> Any:
    """That a column equals a parameter."""
    return column == param(name, column)


def _name(column: Column[Any]) -> str:
    return f"{column.table.name}.{column.name}"
