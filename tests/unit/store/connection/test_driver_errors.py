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
from strongroom.store.connection.driver_errors import DriverFault, translate

NODE_LOST = (
    "failure on connection marked as essential: 10.0.0.2:5432",
    "connection to the remote node a@b:5432 failed",
    "could not commit transaction for shard 102008 on at least one active node",
    "execution cannot recover from multiple connection failures. Last node failed 10.0.0.2:5432",
    "failed to prepare transaction 'citus_0_1_2_3' on host 10.0.0.2:5432",
    "postmaster was shut down, exiting",
    "terminating connection due to administrator command",
)
"""What Citus 13.2 says of a node that it lost, and of its own server that ends."""
QUOTED = 'DETAIL:  Failing row contains (6f1c, "0xsecret").'


def sqlite_error(code: int, kind: type[sqlite3.Error] = sqlite3.OperationalError, text: str = QUOTED) -> sqlite3.Error:
    error = kind(text)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "fault", "kind"),
    [
        (errors.SerializationFailure(QUOTED), DriverFault.AGAIN, StoreUnavailableError),
        (errors.DeadlockDetected(QUOTED), DriverFault.AGAIN, StoreUnavailableError),
        (errors.LockNotAvailable(QUOTED), DriverFault.AGAIN, StoreUnavailableError),
        (errors.AdminShutdown(QUOTED), DriverFault.LOST, StoreUnavailableError),
        (errors.InternalError_(QUOTED), DriverFault.REFUSED, StoreRefusedError),
        (errors.CrashShutdown(QUOTED), DriverFault.LOST, StoreUnavailableError),
        (errors.CannotConnectNow(QUOTED), DriverFault.LOST, StoreUnavailableError),
        (errors.TooManyConnections(QUOTED), DriverFault.LOST, StoreUnavailableError),
        (errors.ConnectionFailure(QUOTED), DriverFault.LOST, StoreUnavailableError),
        (psycopg.OperationalError(QUOTED), DriverFault.LOST, StoreUnavailableError),
        (psycopg.InterfaceError(QUOTED), DriverFault.LOST, StoreUnavailableError),
        (psycopg.DataError(QUOTED), DriverFault.REFUSED, StoreRefusedError),
        (errors.UniqueViolation(QUOTED), DriverFault.REFUSED, StoreRefusedError),
        (errors.CheckViolation(QUOTED), DriverFault.REFUSED, StoreRefusedError),
        (errors.InsufficientPrivilege(QUOTED), DriverFault.REFUSED, PrivilegeMissingError),
        (errors.DiskFull(QUOTED), DriverFault.REFUSED, DiskFullError),
        (errors.IoError(QUOTED), DriverFault.REFUSED, DiskFailedError),
        (errors.OutOfMemory(QUOTED), DriverFault.REFUSED, StoreRefusedError),
        (errors.ReadOnlySqlTransaction(QUOTED), DriverFault.STALE, ReadOnlyStoreError),
        (errors.FeatureNotSupported(QUOTED), DriverFault.STALE, StoreRefusedError),
        (errors.QueryCanceled(QUOTED), DriverFault.AGAIN, StoreUnavailableError),
        (errors.InFailedSqlTransaction(QUOTED), DriverFault.AGAIN, StoreUnavailableError),
        (errors.IdleInTransactionSessionTimeout(QUOTED), DriverFault.LOST, StoreUnavailableError),
        (sqlite_error(sqlite3.SQLITE_READONLY_DBMOVED), DriverFault.STALE, StoreUnavailableError),
        (errors.DivisionByZero(QUOTED), DriverFault.REFUSED, StoreRefusedError),
        (errors.UndefinedTable(QUOTED), DriverFault.REFUSED, NotInitializedError),
        (errors.UndefinedColumn(QUOTED), DriverFault.REFUSED, NotInitializedError),
        (sqlite_error(sqlite3.SQLITE_BUSY), DriverFault.AGAIN, StoreUnavailableError),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), DriverFault.AGAIN, StoreUnavailableError),
        (sqlite_error(sqlite3.SQLITE_LOCKED), DriverFault.AGAIN, StoreUnavailableError),
        (sqlite_error(sqlite3.SQLITE_IOERR_FSYNC), DriverFault.LOST, DiskFailedError),
        (sqlite_error(sqlite3.SQLITE_CANTOPEN), DriverFault.LOST, StoreUnavailableError),
        (sqlite_error(sqlite3.SQLITE_FULL), DriverFault.REFUSED, DiskFullError),
        (sqlite_error(sqlite3.SQLITE_READONLY), DriverFault.STALE, ReadOnlyStoreError),
        (sqlite_error(sqlite3.SQLITE_CORRUPT, sqlite3.DatabaseError), DriverFault.REFUSED, StoreRefusedError),
        (sqlite_error(sqlite3.SQLITE_NOTADB, sqlite3.DatabaseError), DriverFault.REFUSED, StoreRefusedError),
        (
            sqlite_error(sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.IntegrityError),
            DriverFault.REFUSED,
            StoreRefusedError,
        ),
        (sqlite_error(sqlite3.SQLITE_ERROR, text="no such table: x"), DriverFault.REFUSED, NotInitializedError),
        (sqlite3.ProgrammingError(QUOTED), DriverFault.REFUSED, StoreRefusedError),
    ],
)
def test_a_drivers_error_means(error: Exception, fault: DriverFault, kind: type[StoreError]) -> None:
    found, translated = translate(error)
    assert found is fault
    assert type(translated) is kind
    assert "secret" not in str(translated)
    assert translated.hint


@pytest.mark.parametrize("text", NODE_LOST)
def test_what_was_under_way_on_a_lost_node_may_have_happened(text: str) -> None:
    found, translated = translate(errors.InternalError_(text))
    assert found is DriverFault.LOST
    assert type(translated) is StoreUnavailableError
    assert translated.retryable


def test_a_node_that_did_not_answer_is_known_by_the_context_in_any_language() -> None:
    assert translate(reported("XX000", context="while executing command on 10.0.0.2:5432"))[0] is DriverFault.LOST
    assert translate(reported("XX000"))[0] is DriverFault.REFUSED
    assert translate(reported("23505", context="while executing command on 10.0.0.2:5432"))[0] is DriverFault.REFUSED


@pytest.mark.parametrize(
    ("state", "message", "named"),
    [
        (
            "23505",
            'duplicate key value violates unique constraint "strongroom_slot_pkey_102034"',
            "strongroom_slot_pkey",
        ),
        ("23505", "doppelter Schlüsselwert verletzt Unique-Constraint »slot_pkey_102034«", "slot_pkey"),
        ("23514", 'new row for relation "slots_102034" violates check constraint "ck_2_102034"', "ck_2"),
        ("23503", 'insert or update on table "a_102034" violates foreign key constraint "fk_102040"', "fk"),
        ("23502", 'null value in column "kid" of relation "a_slot_102034" violates not-null constraint', "a_slot.kid"),
        ("23505", "", None),
        ("23502", "", None),
        ("22P02", 'invalid input value for enum kinds: "secret"', None),
    ],
)
def test_what_refused_on_a_node_is_named_without_the_number_of_its_shard(
    state: str, message: str, named: str | None
) -> None:
    """Citus passes on a node's message, and no field of it; the message of a value names the value."""
    for context in ("while executing command on 10.0.0.2:5432", None):
        found = str(translate(reported(state, context=context, message=message))[1])
        assert (f" ({named})." in found) == (named is not None and context is not None), found
        assert "None" not in found
        assert "secret" not in found
        assert "1020" not in found


def test_a_closed_connection_is_a_lost_one() -> None:
    class Closed:
        closed = True

    assert translate(errors.UniqueViolation(QUOTED), Closed())[0] is DriverFault.LOST


@pytest.mark.parametrize(
    ("severity", "fault"), [("PANIC", DriverFault.LOST), ("FATAL", DriverFault.LOST), ("ERROR", DriverFault.REFUSED)]
)
@pytest.mark.parametrize("state", ["58030", "53100"])
def test_after_a_panic_nobody_knows_what_was_written(severity: str, fault: DriverFault, state: str) -> None:
    assert translate(reported(state, severity=severity))[0] is fault


def test_a_full_disk_is_not_blamed_on_the_trigger_that_met_it() -> None:
    context = "PL/pgSQL function public.keep_text() line 3 at SQL statement"
    assert type(translate(reported("53100", context=context))[1]) is DiskFullError
    assert type(translate(reported("22012", context=context))[1]) is TriggerConflictError


def reported(state: str, *, severity: str = "ERROR", context: str | None = None, message: str = "") -> Exception:
    """A server's error with its fields."""

    class Reported(Exception):
        sqlstate = state
        diag = SimpleNamespace(
            severity_nonlocalized=severity,
            context=context,
            constraint_name=None,
            table_name=None,
            column_name=None,
            message_primary=message,
        )

    return Reported(QUOTED)


def test_the_guards_refusal_is_named() -> None:
    refusal = sqlite_error(
        sqlite3.SQLITE_CONSTRAINT_TRIGGER, sqlite3.IntegrityError, text="strongroom guard: a key would be lost"
    )
    other = sqlite_error(sqlite3.SQLITE_CONSTRAINT_TRIGGER, sqlite3.IntegrityError)
    found = [translate(error)[1] for error in (refusal, other)]
    assert [type(each) for each in found] == [StoreRefusedError, StoreRefusedError]
    assert ["guard" in str(each) for each in found] == [True, False]
