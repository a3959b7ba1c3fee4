"""What a column of legacy tables takes of what strongroom writes: by its type, and by what the database puts there.

Decided from the catalogue, before anything is written (docs/adr/0027-column-types.md). A value that strongroom writes
has one of eight forms; each form is written into the types that can hold it, and read from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from strongroom.records.wallets import ACCESS_LEVEL, ENCRYPTION_METHOD, REPLACED, REVOKED, STATUS
from strongroom.store.connection.qualified import identifier
from strongroom.store.write_conditions import LOGGED_ACTIONS


class ColumnForm(Enum):
    """What strongroom writes into a column, for people: what holds it."""

    ID = "uuid or text"
    ROW_ID = "uuid, text or a number with a default"
    TEXT = "text"
    NAME = "text or uuid"
    FLAG = "boolean, text or a number"
    TIME = "timestamptz, bigint or text"
    JSON = "jsonb, json or text"
    ACTOR = "uuid or text, which may be NULL"


CREDENTIALS = "project_credentials"
VAULT = "credential_vault_storage"
LOGS = "credential_usage_logs"
FORMS: Mapping[str, Mapping[str, ColumnForm]] = {
    CREDENTIALS: {
        **dict.fromkeys(("id", "project_id"), ColumnForm.ID),
        **dict.fromkeys(("credential_type", "network", "wallet_address", "public_key", "status"), ColumnForm.TEXT),
        "key_vault_id": ColumnForm.NAME,
        **dict.fromkeys(("is_active", "vault_stored"), ColumnForm.FLAG),
        "metadata": ColumnForm.JSON,
        "created_by": ColumnForm.ACTOR,
        **dict.fromkeys(("created_at", "updated_at", "revoked_at"), ColumnForm.TIME),
    },
    VAULT: {
        **dict.fromkeys(("id", "project_id", "credential_id"), ColumnForm.ID),
        **dict.fromkeys(("encrypted_private_key", "encryption_method", "access_level"), ColumnForm.TEXT),
        "vault_id": ColumnForm.NAME,
        "backup_created": ColumnForm.FLAG,
        "revoked_by": ColumnForm.ACTOR,
        **dict.fromkeys(("created_at", "updated_at", "revoked_at"), ColumnForm.TIME),
    },
    LOGS: {
        "id": ColumnForm.ROW_ID,
        **dict.fromkeys(("project_id", "credential_id"), ColumnForm.ID),
        "action_type": ColumnForm.TEXT,
        "action_details": ColumnForm.JSON,
        "performed_by": ColumnForm.ACTOR,
        "performed_at": ColumnForm.TIME,
    },
}
"""The columns of legacy tables that strongroom writes or reads, and what it writes there."""
WORDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    (CREDENTIALS, "status"): (STATUS, REPLACED, REVOKED),
    (VAULT, "access_level"): (ACCESS_LEVEL, REVOKED),
    (VAULT, "encryption_method"): (ENCRYPTION_METHOD,),
    (LOGS, "action_type"): (*LOGGED_ACTIONS, "move-key"),
}
"""What strongroom writes into columns of few values: an enum has to have them."""
LEAST_CHARACTERS: Mapping[tuple[str, str], int] = {
    (CREDENTIALS, "status"): len(STATUS),
    (CREDENTIALS, "key_vault_id"): 42,
    (VAULT, "vault_id"): 42,
    (VAULT, "access_level"): len(ACCESS_LEVEL),
    (VAULT, "encryption_method"): len(ENCRYPTION_METHOD),
    (VAULT, "encrypted_private_key"): 500,
    (LOGS, "action_type"): len("create"),
}
"""What each new wallet has there at the least. How long a label, an address or a sealed text is, its creation says."""
_UUID_CHARACTERS = 36
_TIME_CHARACTERS = 27
_LAST_SECOND = 99_999_999_999
UUID_PATTERN = "'^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'"
_NUMBERS = frozenset({"smallint", "integer", "bigint", "numeric", "real", "double precision"})
_FALSE = "ARRAY['false', 'f', 'no', 'n', 'off', '0', '']"
_ISO = "to_char(timezone('UTC', {}::timestamptz), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
_LOOSE_COLON = re.compile("(?<!:):(?!:)")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a legacy table."""

    type: str
    length: int | None
    default: str | None
    """The expression of its default, or of its value where it is generated."""
    generated: bool = False
    used: tuple[tuple[str, str], ...] = ()
    """What the expression uses beyond PostgreSQL's own: name and schema."""
    base: str = ""
    """The type that a domain is over; else the type itself."""
    category: str = ""
    """PostgreSQL's category of that type: ``S`` for texts, ``E`` for enums."""
    labels: tuple[str, ...] = ()
    """The values of an enum."""
    not_null: bool = False
    identity: str = ""
    """``a`` where the database alone says its value (GENERATED ALWAYS AS IDENTITY), ``d`` where it does by default."""

    @property
    def is_text(self) -> bool:
        """Whether it takes any text of its length."""
        return self.category == "S" and self.base not in ("name", '"char"')

    @property
    def is_enum(self) -> bool:
        """Whether it takes some words only."""
        return self.category == "E"

    @property
    def is_filled(self) -> bool:
        """Whether a row may leave it out."""
        return not self.not_null or self.default is not None or self.generated or bool(self.identity)

    @property
    def is_the_databases(self) -> bool:
        """Whether no INSERT may name it."""
        return self.generated or self.identity == "a"


@dataclass(frozen=True, slots=True)
class Problem:
    """A column that does not take what strongroom writes, or that strongroom knows nothing for."""

    table: str
    column: str
    is_: str
    """Its type, and what else stands in the way."""
    works: str
    """Types or defaults that would work there, for people."""
    sql: str = ""
    """What would change it, where a statement does."""
    of_an_id: bool = False
    """Whether an id is of a type that can hold none of ours."""
    too_short: bool = False
    """Whether its type would do, and its length takes no value of a new wallet."""

    def __str__(self) -> str:
        return f"{self.table}.{self.column} is {self.is_}; {self.works}"


def written(form: ColumnForm, column: Column, columns: Mapping[str, Column]) -> str | None:
    """SQL that turns a value of ours into one of the column's, with ``{}`` for the value; None where nothing does.

    A value of ours is a uuid, a text, ``true`` or ``false``, or a timestamptz. ``columns`` are those of its table.
    """
    text, base = column.is_text, column.base
    if form in (ColumnForm.ID, ColumnForm.ROW_ID, ColumnForm.ACTOR):
        if base == "uuid":
            return "{}::uuid"
        return "({}::uuid)::text" if text and not _shorter(column, _UUID_CHARACTERS) else None
    if form is ColumnForm.NAME:
        return "{}::text" if text else "{}::uuid" if base == "uuid" else None
    if form is ColumnForm.TEXT:
        return "{}::text" if text else f"({{}}::text)::{base}" if column.is_enum else None
    if form is ColumnForm.FLAG:
        return "{}" if base == "boolean" else "({})::text" if text else "({})::int" if base in _NUMBERS else None
    if form is ColumnForm.JSON:
        return f"({{}}::text)::{base}" if base in ("jsonb", "json") else "{}::text" if text else None
    if base in ("timestamp with time zone", "timestamp without time zone", "date"):
        return "{}::timestamptz"
    if text:
        return None if _shorter(column, _TIME_CHARACTERS) else _ISO
    if base not in _NUMBERS:
        return None
    return f"floor(date_part('epoch', {{}}::timestamptz) * {_units_a_second(column, columns)})::{base}"


def _shorter(column: Column, characters: int) -> bool:
    return column.length is not None and column.length < characters


def _units_a_second(column: Column, columns: Mapping[str, Column]) -> int:
    """1000 or 1: what its own default does, or another column's of the table; without one milliseconds, if they fit."""
    if column.base in ("smallint", "integer", "real"):
        return 1
    defaults = [column.default, *(each.default for each in columns.values() if each.base == column.base)]
    told = [default for default in defaults if default is not None and "epoch" in default.lower()]
    return 1 if told and "1000" not in told[0] else 1000


def microseconds_of(column: Column, columns: Mapping[str, Column]) -> int:
    """How exactly a column keeps a time: 1, unless it is a number of larger units."""
    return 1_000_000 // _units_a_second(column, columns) if column.base in _NUMBERS else 1


def as_flag(name: str, column: Column) -> str:
    """SQL that is true, false or NULL, from a column that the legacy application may have made a text or a number."""
    if column.base == "boolean":
        return name
    if column.base in _NUMBERS:
        return f"({name} <> 0)"
    return f"(lower({name}::text) <> ALL ({_FALSE}))"


def as_time(name: str, column: Column, columns: Mapping[str, Column]) -> str | None:
    """SQL that is the time in a number, or NULL where it holds none of this age; None for columns of other types."""
    if column.base not in _NUMBERS:
        return None
    units = _units_a_second(column, columns)
    this_age = f"{name} >= 0 AND {name} < {_LAST_SECOND * units}"
    return f"(CASE WHEN {this_age} THEN to_timestamp(({name}::double precision) / {units}) END)"


def as_uuid(name: str) -> str:
    """SQL that is the UUID in a text, or NULL: other ids are none that strongroom has."""
    return f"(CASE WHEN {name}::text ~ {UUID_PATTERN} THEN ({name}::text)::uuid END)"


def for_sqlalchemy(template: str) -> str:
    """A template as ``sqlalchemy.text`` takes it: no colon of its own begins a parameter."""
    return _LOOSE_COLON.sub(r"\\:", template)


def problems(columns: Mapping[str, Mapping[str, Column]], filled_by_triggers: frozenset[str]) -> Iterator[Problem]:
    """The columns of legacy tables that stand in the way of a wallet; ``filled_by_triggers`` are tables.

    A BEFORE INSERT trigger may fill a column that has neither NULL nor a default: there nothing is said about it.
    """
    for table, forms in FORMS.items():
        for name, column in columns.get(table, {}).items():
            form = forms.get(name)
            found = _unfilled(table, name, column) if form is None else _untaken(table, name, column, form, columns)
            if found is not None and not (form is None and table in filled_by_triggers):
                yield found


def _unfilled(table: str, name: str, column: Column) -> Problem | None:
    if column.is_filled:
        return None
    sql = f"ALTER TABLE {table} ALTER COLUMN {identifier(name)} DROP NOT NULL"
    works = "strongroom knows no value for it: it works with a default, or where NULL is allowed"
    return Problem(table, name, f"{column.type} NOT NULL without a default", works, sql)


def _untaken(
    table: str, name: str, column: Column, form: ColumnForm, columns: Mapping[str, Mapping[str, Column]]
) -> Problem | None:
    alter = f"ALTER TABLE {table} ALTER COLUMN {identifier(name)}"
    takes = written(form, column, columns[table]) is not None
    if form is ColumnForm.ROW_ID and not takes and column.is_filled:
        return None  # it is left out: the database numbers the rows
    if form is ColumnForm.ACTOR:
        if column.is_filled:
            return None  # it is left out, where a UUID cannot be written or NULL is not allowed
        works = "strongroom often has no value for it: it works where NULL is allowed"
        return Problem(table, name, f"{column.type} NOT NULL without a default", works, f"{alter} DROP NOT NULL")
    if takes and not column.is_the_databases:
        return _too_short(table, name, column, columns, alter)
    if (
        takes
        and form in (ColumnForm.ID, ColumnForm.NAME, ColumnForm.TEXT)
        and name not in ("network", "credential_type")
    ):
        drop = "DROP EXPRESSION" if column.generated else "DROP IDENTITY"
        return Problem(table, name, f"{column.type} GENERATED ALWAYS", "a plain column works", f"{alter} {drop}")
    if takes or (form is ColumnForm.TIME and name != "revoked_at" and column.is_filled):
        return None
    length = "" if column.length is None else f"({column.length})"
    sql = f"{alter} TYPE text" if form is ColumnForm.TEXT and column.base == "uuid" else ""
    return Problem(table, name, f"{column.type}{length}", f"{form.value} works", sql, of_an_id=form is ColumnForm.ID)


def _too_short(
    table: str, name: str, column: Column, columns: Mapping[str, Mapping[str, Column]], alter: str
) -> Problem | None:
    least = LEAST_CHARACTERS.get((table, name), 0)
    if FORMS[table][name] is ColumnForm.NAME and has_plain_vault_ids(columns):
        least = _UUID_CHARACTERS
    if not _shorter(column, least):
        return None
    works = f"{least} characters or more work"
    return Problem(table, name, f"{column.type}({column.length})", works, f"{alter} TYPE text", too_short=True)


def has_plain_vault_ids(columns: Mapping[str, Mapping[str, Column]]) -> bool:
    """Whether a vault id is the wallet's id alone, because a column for it is a uuid."""
    places = ((CREDENTIALS, "key_vault_id"), (VAULT, "vault_id"))
    found = (columns.get(table, {}).get(name) for table, name in places)
    return any(column is not None and column.base == "uuid" for column in found)
