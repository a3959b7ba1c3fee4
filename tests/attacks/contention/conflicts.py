"""Databases in which transactions fail that are right, and callers that ask again as long as they are told to."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from unittest import mock

import psycopg

from strongroom import StrongroomError, Vault
from strongroom.store.connection import database
from strongroom.store.connection import driver_errors as translation

MOST_TRIES = 30
_TABLES = (
    "project_credentials",
    "credential_vault_storage",
    "credential_usage_logs",
    "strongroom_slot",
    "strongroom_idempotency",
    "strongroom_nonce",
    "strongroom_vault_history",
    "strongroom_keyring_head",
    "strongroom_events",
)
_FUNCTION = """
CREATE SCHEMA attack;
CREATE SEQUENCE attack.at_statement;
CREATE SEQUENCE attack.at_commit;
CREATE FUNCTION attack.conflict() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    number int := (hashint8(pg_current_xact_id()::text::bigint) & 2147483647) % 100;
BEGIN
    IF number >= {percent} OR (TG_ARGV[0] = 'at_statement' AND random() < 0.6) THEN
        RETURN NULL;
    END IF;
    PERFORM nextval('attack.' || TG_ARGV[0]);
    IF number % 2 = 0 THEN
        RAISE EXCEPTION 'could not serialize access' USING ERRCODE = 'serialization_failure';
    END IF;
    RAISE EXCEPTION 'deadlock detected' USING ERRCODE = 'deadlock_detected';
END $$;
"""
_TRIGGERS = """
CREATE TRIGGER conflict_at_statement AFTER INSERT OR UPDATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION attack.conflict('at_statement');
CREATE CONSTRAINT TRIGGER conflict_at_commit AFTER INSERT OR UPDATE ON {table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION attack.conflict('at_commit');
"""


def let_transactions_fail(url: str, percent: int) -> None:
    """Of all transactions that write, let so many in a hundred fail: at one of their statements, or at their COMMIT."""
    statements = _FUNCTION.format(percent=percent) + "".join(_TRIGGERS.format(table=table) for table in _TABLES)
    with psycopg.connect(url) as connection:
        connection.execute(statements.encode())


def stop_failing(url: str) -> dict[str, int]:
    """Take the triggers away; say how many transactions they let fail, and where."""
    with psycopg.connect(url) as connection:
        counted = connection.execute(
            "SELECT (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM attack.at_statement),"
            "       (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM attack.at_commit)"
        ).fetchone()
        connection.execute("DROP SCHEMA attack CASCADE")
    assert counted is not None
    return {"at a statement": counted[0], "at COMMIT": counted[1]}


def look_for_deadlocks_after(url: str, *, milliseconds: int) -> None:
    """Let the server look for a deadlock once a transaction has waited so long; it waits a second by itself."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET deadlock_timeout = {milliseconds}".encode())


@contextmanager
def conflicts_counted() -> Iterator[Counter[str]]:
    """Which errors the vaults of this process are told to run their transactions again for."""
    met: Counter[str] = Counter()
    lock = threading.Lock()
    genuine = translation.translate

    def translate(error: BaseException, connection: Any = None) -> Any:
        fault, translated = genuine(error, connection)
        if fault is translation.DriverFault.AGAIN:
            inner = translation.driver_error(error)
            with lock:
                met[str(getattr(inner, "sqlstate", None) or getattr(inner, "sqlite_errorname", "?"))] += 1
        return fault, translated

    with mock.patch.object(database, "translate", translate):
        yield met


@contextmanager
def impatient(seconds: float) -> Iterator[None]:
    """Let connections to files of SQLite wait only so long for a lock; settings allow no less than a second."""
    genuine = sqlite3.connect

    def connect(*args: Any, **options: Any) -> Any:
        return genuine(*args, **{**options, "timeout": seconds})

    with mock.patch("strongroom.store.connection.engine.sqlite3.connect", connect):
        yield


class CallerResult(NamedTuple):
    """What a caller got in the end."""

    value: Any
    code: str | None
    tries: int


@dataclass
class Crowd:
    """Callers in threads of their own, spread over a few vaults, who all begin at once."""

    vaults: Sequence[Vault]
    calls: int = 0
    asked_again: int = 0
    """How many of the calls needed their caller to ask again."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def all(self, calls: Sequence[Callable[[Vault], Any]]) -> list[CallerResult]:
        """Run every call in a thread of its own; answers in order."""
        barrier = threading.Barrier(len(calls), timeout=60)

        def run(number: int) -> CallerResult:
            barrier.wait()
            return self.one(calls[number], number)

        with ThreadPoolExecutor(len(calls)) as threads:
            return list(threads.map(run, range(len(calls))))

    def one(self, call: Callable[[Vault], Any], number: int = 0) -> CallerResult:
        """Call as often as the errors allow."""
        for tries in range(1, MOST_TRIES + 1):
            try:
                answer = CallerResult(call(self.vaults[number % len(self.vaults)]), None, tries)
                break
            except StrongroomError as error:
                if not error.retryable:
                    answer = CallerResult(None, error.code, tries)
                    break
        else:
            raise AssertionError(f"{MOST_TRIES} times told to call again")
        with self._lock:
            self.calls += 1
            self.asked_again += tries > 1
        return answer
