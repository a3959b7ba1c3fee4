"""Drivers' errors mean what they mean, and their text stays behind."""

from __future__ import annotations

import sqlite3
from types import SimpleNamespace

import psycopg
import pytest
from psycopg import errors

from strongroom.errors import (
    DiskFailedError,
    DiskFullError,
    NotInitializedError,
    PrivilegeMissingError,
    ReadOnlyStoreError,
    StoreError,
    StoreRefusedError,
    StoreUnavailableError,
    TriggerConflictError,
)
from strongroom.store.connection.driver_errors import Fault, translate

QUOTED = 'DETAIL:  Failing row contains (6f1c, "0xsecret").'


def sqlite_error(code: int, kind: type[sqlite3.Error] = sqlite3.OperationalError, text: str = QUOTED) -> sqlite3.Error:
    error = kind(text)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "fault", "kind"),
    [
        (errors.SerializationFailure(QUOTED), Fault.AGAIN, StoreUnavailableError),
        (errors.DeadlockDetected(QUOTED), Fault.AGAIN, StoreUnavailableError),
        (errors.LockNotAvailable(QUOTED), Fault.AGAIN, StoreUnavailableError),
        (errors.AdminShutdown(QUOTED), Fault.LOST, StoreUnavailableError),
        (errors.CrashShutdown(QUOTED), Fault.LOST, StoreUnavailableError),
        (errors.CannotConnectNow(QUOTED), Fault.LOST, StoreUnavailableError),
        (errors.TooManyConnections(QUOTED), Fault.LOST, StoreUnavailableError),
        (errors.ConnectionFailure(QUOTED), Fault.LOST, StoreUnavailableError),
        (psycopg.OperationalError(QUOTED), Fault.LOST, StoreUnavailableError),
        (psycopg.InterfaceError(QUOTED), Fault.LOST, StoreUnavailableError),
        (psycopg.DataError(QUOTED), Fault.REFUSED, StoreRefusedError),
        (errors.UniqueViolation(QUOTED), Fault.REFUSED, StoreRefusedError),
        (errors.CheckViolation(QUOTED), Fault.REFUSED, StoreRefusedError),
        (errors.InsufficientPrivilege(QUOTED), Fault.REFUSED, PrivilegeMissingError),
        (errors.DiskFull(QUOTED), Fault.REFUSED, DiskFullError),
        (errors.IoError(QUOTED), Fault.REFUSED, DiskFailedError),
        (errors.OutOfMemory(QUOTED), Fault.REFUSED, StoreRefusedError),
        (errors.ReadOnlySqlTransaction(QUOTED), Fault.STALE, ReadOnlyStoreError),
        (errors.FeatureNotSupported(QUOTED), Fault.STALE, StoreRefusedError),
        (errors.QueryCanceled(QUOTED), Fault.AGAIN, StoreUnavailableError),
        (errors.InFailedSqlTransaction(QUOTED), Fault.AGAIN, StoreUnavailableError),
        (errors.IdleInTransactionSessionTimeout(QUOTED), Fault.LOST, StoreUnavailableError),
        (sqlite_error(sqlite3.SQLITE_READONLY_DBMOVED), Fault.STALE, StoreUnavailableError),
        (errors.DivisionByZero(QUOTED), Fault.REFUSED, StoreRefusedError),
        (errors.UndefinedTable(QUOTED), Fault.REFUSED, NotInitializedError),
        (errors.UndefinedColumn(QUOTED), Fault.REFUSED, NotInitializedError),
        (sqlite_error(sqlite3.SQLITE_BUSY), Fault.AGAIN, StoreUnavailableError),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), Fault.AGAIN, StoreUnavailableError),
        (sqlite_error(sqlite3.SQLITE_LOCKED), Fault.AGAIN, StoreUnavailableError),
        (sqlite_error(sqlite3.SQLITE_IOERR_FSYNC), Fault.LOST, DiskFailedError),
        (sqlite_error(sqlite3.SQLITE_CANTOPEN), Fault.LOST, StoreUnavailableError),
        (sqlite_error(sqlite3.SQLITE_FULL), Fault.REFUSED, DiskFullError),
        (sqlite_error(sqlite3.SQLITE_READONLY), Fault.STALE, ReadOnlyStoreError),
        (sqlite_error(sqlite3.SQLITE_CORRUPT, sqlite3.DatabaseError), Fault.REFUSED, StoreRefusedError),
        (sqlite_error(sqlite3.SQLITE_NOTADB, sqlite3.DatabaseError), Fault.REFUSED, StoreRefusedError),
        (
            sqlite_error(sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.IntegrityError),
            Fault.REFUSED,
            StoreRefusedError,
        ),
        (sqlite_error(sqlite3.SQLITE_ERROR, text="no such table: x"), Fault.REFUSED, NotInitializedError),
        (sqlite3.ProgrammingError(QUOTED), Fault.REFUSED, StoreRefusedError),
    ],
)
def test_a_drivers_error_means(error: Exception, fault: Fault, kind: type[StoreError]) -> None:
    found, translated = translate(error)
    assert found is fault
    assert type(translated) is kind
    assert "secret" not in str(translated)
    assert translated.hint


def test_a_closed_connection_is_a_lost_one() -> None:
    class Closed:
        closed = True

    assert translate(errors.UniqueViolation(QUOTED), Closed())[0] is Fault.LOST


@pytest.mark.parametrize(
    ("severity", "fault"), [("PANIC", Fault.LOST), ("FATAL", Fault.LOST), ("ERROR", Fault.REFUSED)]
)
@pytest.mark.parametrize("state", ["58030", "53100"])
def test_after_a_panic_nobody_knows_what_was_written(severity: str, fault: Fault, state: str) -> None:
    assert translate(reported(state, severity=severity))[0] is fault


def test_a_full_disk_is_not_blamed_on_the_trigger_that_met_it() -> None:
    context = "PL/pgSQL function public.keep_text() line 3 at SQL statement"
    assert type(translate(reported("53100", context=context))[1]) is DiskFullError
    assert type(translate(reported("22012", context=context))[1]) is TriggerConflictError


def reported(state: str, *, severity: str = "ERROR", context: str | None = None) -> Exception:
    """A server's error with its fields."""

    class Reported(Exception):
        sqlstate = state
        diag = SimpleNamespace(severity_nonlocalized=severity, context=context, constraint_name=None, table_name=None)

    return Reported(QUOTED)


def test_the_guards_refusal_is_named() -> None:
    refusal = sqlite_error(
        sqlite3.SQLITE_CONSTRAINT_TRIGGER, sqlite3.IntegrityError, text="strongroom guard: a key would be lost"
    )
    other = sqlite_error(sqlite3.SQLITE_CONSTRAINT_TRIGGER, sqlite3.IntegrityError)
    found = [translate(error)[1] for error in (refusal, other)]
    assert [type(each) for each in found] == [StoreRefusedError, StoreRefusedError]
    assert ["guard" in str(each) for each in found] == [True, False]
