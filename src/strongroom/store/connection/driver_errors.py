"""Drivers' errors, translated once. Messages name constraints and settings, never rows or values."""

from __future__ import annotations

import sqlite3
from enum import Enum
from typing import Any

from sqlalchemy.exc import DBAPIError

from strongroom.errors import (
    DiskFailedError,
    DiskFullError,
    NotInitializedError,
    ReadOnlyStoreError,
    StoreError,
    StoreRefusedError,
    StoreUnavailableError,
    TriggerConflictError,
)
from strongroom.store import schema
from strongroom.store.connection.missing_privilege import LACKS_PRIVILEGE, privilege_error
from strongroom.store.connection.node_errors import constraint_on_a_node, is_node_lost
from strongroom.store.connection.own_functions import LOST_SLOT, SWALLOWED, foreign_function


class DriverFault(Enum):
    """What a driver's error means for the one who runs the transaction."""

    AGAIN = "again"
    """A deadlock, a serialization failure, a busy database: nothing was written, run it again."""
    LOST = "lost"
    """The connection is gone; what was under way may have happened."""
    STALE = "stale"
    """The connection is of yesterday (read-only since, another schema): nothing was written, a new one may do."""
    REFUSED = "refused"
    """The database said no; nothing was written."""


POOLED = frozenset({"42P05", "26000"})
"""A prepared statement of this name is there already, or is not there: a pooler gave us somebody else's session."""
_FAILED_BEFORE = "25P02"
_POSTGRESQL_AGAIN = {"40001", "40P01", "55P03", "57014", _FAILED_BEFORE, *POOLED}
_POSTGRESQL_STALE = {"25006", "0A000"}
_POSTGRESQL_LOST = {"57P01", "57P02", "57P03", "57P05", "53300", "25P03", "25P04"}
_LOST_TO_DRIVERS = {"OperationalError", "InterfaceError", "InternalClientError"}
"""The last one is asyncpg's, for a session that ended while it waited for something else."""
_POSTGRESQL_ENDS = {"FATAL", "PANIC"}
"""Severities after which the connection is gone, and with a panic the server: what was under way may have happened."""
_POSTGRESQL_DISK: dict[str | None, tuple[type[StoreError], str]] = {
    "53100": (DiskFullError, "The server's disk is full."),
    "58030": (DiskFailedError, "The server could not read or write its disk."),
    "25006": (ReadOnlyStoreError, "The transaction is read-only: the server is a standby, or was made read-only."),
}
_POSTGRESQL_MISSING = {"42P01", "42703", "3F000"}
_FOREIGN_KEY = "23503"
_POSTGRESQL_REASONS = {
    "23505": "a unique constraint",
    _FOREIGN_KEY: "a foreign key",
    "23514": "a check constraint",
    "23502": "a NOT NULL constraint",
    "22001": "a column that is too short",
    "22P02": "a value that a column's type does not have, such as a word that is missing in an enum",
    "42804": "a column of another type",
    "42883": "an operator that a column's type does not have",
    "428C9": "a column whose value the database alone says",
    "53200": "the server, out of memory",
    "22012": "a trigger that kept out, or changed, what was written",
    "XX000": "the server met an error that it has no name for; its log says more",
    "XX001": "damaged data; the server's log says where",
    "XX002": "a damaged index; the server's log names it",
    "0A000": "a feature that the server does not have, or a changed schema",
}
_GUARD = "strongroom_guard_"
_GUARDED = "The guard refused to let a key be lost; nothing was written."
_SQLITE_AGAIN = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_SQLITE_LOST: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_IOERR: (DiskFailedError, "The database file could not be read or written."),
    sqlite3.SQLITE_CANTOPEN: (StoreUnavailableError, "The database file, or a journal next to it, cannot be opened."),
}
_SQLITE_HINTS = {
    sqlite3.SQLITE_CANTOPEN: "Check that the file and its directory are there and can be written, then call again.",
}
_SQLITE_REASONS = {
    sqlite3.SQLITE_CONSTRAINT: "a constraint",
    sqlite3.SQLITE_CORRUPT: "a damaged database file",
    sqlite3.SQLITE_NOTADB: "the file, which is not a SQLite database",
}


def driver_error(error: BaseException) -> BaseException:
    """The driver's own error inside SQLAlchemy's."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def is_driver_error(error: BaseException) -> bool:
    """Whether an error came from SQLAlchemy, sqlite3, or a driver of PostgreSQL; no other sends a text that is none."""
    known = isinstance(error, (DBAPIError, sqlite3.Error, UnicodeEncodeError))
    return known or hasattr(error, "sqlstate") or hasattr(error, "pgcode")


def is_of_failed_transaction(error: BaseException) -> bool:
    """Whether the server takes no statement, because an earlier one of the same transaction failed."""
    return bool(_state(driver_error(error)) == _FAILED_BEFORE)


def translate(error: BaseException, connection: Any = None) -> tuple[DriverFault, StoreError]:
    """Say what a driver's error means, and make the StoreError for it (raise it ``from`` the error)."""
    inner = driver_error(error)
    if isinstance(inner, UnicodeEncodeError):
        return DriverFault.REFUSED, StoreRefusedError(
            "A text that would be written is not UTF-8: somebody wrote bytes into a column of text.",
            hint="`strongroom doctor` names the row: put there what belongs there, by hand.",
        )
    if isinstance(inner, sqlite3.Error):
        return _sqlite(inner)
    return _postgresql(inner, connection)


def _sqlite(error: sqlite3.Error) -> tuple[DriverFault, StoreError]:
    extended = getattr(error, "sqlite_errorcode", 0)
    if extended == sqlite3.SQLITE_READONLY_DBMOVED:
        return DriverFault.STALE, StoreUnavailableError("The database file was moved or replaced.")
    code = extended & 0xFF
    if code in _SQLITE_AGAIN:
        return DriverFault.AGAIN, StoreUnavailableError(
            "The database is busy: another process holds its lock.", hint="Call again in a moment."
        )
    if code == sqlite3.SQLITE_FULL:
        return DriverFault.REFUSED, DiskFullError("The disk that the database file is on is full.")
    if code == sqlite3.SQLITE_READONLY:
        return DriverFault.STALE, ReadOnlyStoreError("The database file, or the directory that it is in, is read-only.")
    if code in _SQLITE_LOST:
        kind, message = _SQLITE_LOST[code]
        return DriverFault.LOST, kind(message, hint=_SQLITE_HINTS.get(code))
    if code == sqlite3.SQLITE_ERROR and "no such" in str(error):
        return DriverFault.REFUSED, NotInitializedError("The database lacks a table or column of strongroom.")
    if extended == sqlite3.SQLITE_CONSTRAINT_TRIGGER and str(error).startswith("strongroom guard:"):
        return DriverFault.REFUSED, StoreRefusedError(_GUARDED)
    reason = _SQLITE_REASONS.get(code, getattr(error, "sqlite_errorname", "SQLite"))
    return DriverFault.REFUSED, StoreRefusedError(f"The database refused the statement: {reason}.")


def _postgresql(error: BaseException, connection: Any) -> tuple[DriverFault, StoreError]:
    state = _state(error)
    told = _diagnostics(error)
    if state in _POSTGRESQL_AGAIN:
        return DriverFault.AGAIN, StoreUnavailableError(f"The transaction met another one ({state}).")
    gone = connection is not None and getattr(connection, "closed", False)
    if gone or is_node_lost(error, state, told) or _is_lost(error, state):
        return DriverFault.LOST, StoreUnavailableError("The database cannot be reached, or ended the connection.")
    if state in _POSTGRESQL_DISK:
        kind, message = _POSTGRESQL_DISK[state]
        return DriverFault.STALE if state in _POSTGRESQL_STALE else DriverFault.REFUSED, kind(message)
    if state in _POSTGRESQL_MISSING:
        return DriverFault.REFUSED, NotInitializedError("The database lacks a table or column of strongroom.")
    function = foreign_function(getattr(told, "context", None))
    if function is not None and state == "23001" and function.startswith(_GUARD):
        return DriverFault.REFUSED, StoreRefusedError(_GUARDED)
    if function is not None:
        return DriverFault.REFUSED, TriggerConflictError(
            f"The function {function} of a trigger raised {state}; nothing was written.",
            function=function,
        )
    if state == SWALLOWED:
        return DriverFault.REFUSED, TriggerConflictError("A trigger or rule kept a row out; nothing was written.")
    if state == LOST_SLOT:
        return DriverFault.REFUSED, StoreRefusedError("The slot is taken.", taken=schema.strongroom_slot.name)
    if state == LACKS_PRIVILEGE:
        return DriverFault.REFUSED, privilege_error(error)
    reason = _POSTGRESQL_REASONS.get(state or "", f"SQLSTATE {state}" if state else type(error).__name__)
    fault = DriverFault.STALE if state in _POSTGRESQL_STALE else DriverFault.REFUSED
    name = _refusing(state, told)
    named = f" ({name})" if name else ""
    taken = getattr(told, "table_name", None) if state == "23505" else None
    return fault, StoreRefusedError(f"The database refused the statement: {reason}{named}.", taken=taken or "")


def violated_reference(error: StoreError) -> str | None:
    """The name of the foreign key that refused a statement, where one did."""
    cause = None if error.__cause__ is None else driver_error(error.__cause__)
    if cause is None or _state(cause) != _FOREIGN_KEY:
        return None
    name = getattr(_diagnostics(cause), "constraint_name", None)
    return name if isinstance(name, str) else None


def _state(error: BaseException) -> Any:
    """The SQLSTATE, under each driver's name for it."""
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)


def _refusing(state: str | None, told: object) -> str | None:
    """The constraint that refused, or ``table.column`` where it was NOT NULL."""
    name: str | None = getattr(told, "constraint_name", None)
    if state == "23502" and (column := getattr(told, "column_name", None)):
        name = f"{getattr(told, 'table_name', None)}.{column}"
    return name or constraint_on_a_node(state, told)


def _diagnostics(error: BaseException) -> object:
    """What the server said apart from its message: psycopg has it in ``diag``, asyncpg in the error or its cause."""
    diagnostics = getattr(error, "diag", None)
    return diagnostics if diagnostics is not None else error if hasattr(error, "severity_en") else error.__cause__


def _is_lost(error: BaseException, state: str | None) -> bool:
    """Without a SQLSTATE it is the driver that speaks: of the connection, of a bad call, or of an answer it lost."""
    told = _diagnostics(error)
    if getattr(told, "severity_nonlocalized", getattr(told, "severity_en", None)) in _POSTGRESQL_ENDS:
        return True
    if state is None:
        return any(kind.__name__ in _LOST_TO_DRIVERS for kind in (*type(error).__mro__, *type(error.__cause__).__mro__))
    return state in _POSTGRESQL_LOST or state.startswith("08")
