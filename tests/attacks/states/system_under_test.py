"""One database under the state machine: two vaults on it, a bare connection alongside them, and drivers that fail."""

from __future__ import annotations

import base64
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar
from unittest import mock
from uuid import UUID, uuid4

import psycopg
import sqlalchemy as sa

import strongroom
from strongroom import StrongroomError, Vault
from strongroom.rootkeys.file import FileRootKey
from strongroom.store.connection import database
from testbed.databases.deployments import Deployment
from testbed.databases.rows import sqlite_path
from testbed.harness.drivers import watched
from tests.attacks.states.faults import BETWEEN, FaultyDriver, KilledError
from tests.attacks.tally import Tally

T = TypeVar("T")
_MOST_TRIES = 3
_CUT = """
SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


class CallOutcome(NamedTuple, Generic[T]):
    """What a call came to."""

    value: T | None
    code: str | None
    """The code of the error that it raised."""
    repeated: bool
    """Whether a fault made the caller ask again: the first time may have been enough."""


class SystemUnderTest:
    """What examples share: they differ by their projects."""

    def __init__(self, deployment: Deployment, folder: Path, row: Tally, *, guarded: bool) -> None:
        self.deployment = deployment
        self.row = row
        self.guarded = guarded
        self.steps: Counter[str] = Counter()
        self.told: dict[str, str] = {}
        self.main_key = deployment.root_key
        self.spare_keys = [f"file:{folder / name}.key" for name in ("spare", "other")]
        for uri in self.spare_keys:
            FileRootKey(uri).create()
        self.root_keys = {self.main_key}
        self._bare = _bare_connection(deployment.url)
        self.folder = folder
        self.plans = 0
        """How many plans of repair were made while rows were tampered with."""
        self.driver = FaultyDriver(postgresql=deployment.backend != "sqlite", cut=self.cut)
        self.vaults: list[Vault] = []
        self._finding_out: set[int] = set()
        """The vaults that have had no connection since every one was cut."""
        self.opened_with = [self.main_key, self.main_key]
        self.callers: sa.Engine

    @contextmanager
    def open(self) -> Iterator[None]:
        """Have both vaults open, their drivers watched."""
        with watched(self.driver), mock.patch.object(database, "_BACKOFF_SECONDS", 0):
            self.callers = strongroom.create_engine(self.deployment.url, poolclass=sa.NullPool)
            self.vaults = [self.deployment.open(), self.deployment.open()]
            try:
                yield
            finally:
                for vault in self.vaults:
                    vault.close()
                self.callers.dispose()
                self._bare.close()

    def project(self) -> UUID:
        """A new project; legacy tables want a row for it."""
        project = uuid4()
        if self.deployment.foreign:
            self.bare("INSERT INTO projects (id, name) VALUES (?, 'test')", project)
        return project

    def bare(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run a statement by the bare driver, on one connection that no fault reaches."""
        values = tuple(str(each) for each in parameters)
        text = sql if self.deployment.backend == "sqlite" else sql.replace("?", "%s")
        cursor = self._bare.execute(text, values)
        return list(cursor.fetchall()) if cursor.description else []

    @property
    def bare_connection(self) -> Any:
        """The connection that no fault reaches, in autocommit mode."""
        return self._bare

    def cut(self) -> None:
        """End every connection but the bare one, at the server."""
        self.bare(_CUT)

    def cut_between_calls(self) -> None:
        """The same while nobody is asked: vaults find out for themselves. SQLite's are closed and opened, no fault."""
        if self._is_sqlite:
            self.reopen(0)
            self.reopen(1)
            self.row.landed["reopened"] += 1
            return
        [[ended]] = self.bare(_CUT)
        self._finding_out = {0, 1} if ended else set()
        if ended:
            self.row.fault(BETWEEN)

    def reopen(self, which: int, root_key: str | None = None) -> None:
        """Close a vault and open it again."""
        self.vaults[which].close()
        self.opened_with[which] = root_key or self.opened_with[which]
        self.vaults[which] = self.deployment.open(root_key=self.opened_with[which])

    def ask(self, turn: int, call: Callable[[Vault], T]) -> CallOutcome[T]:
        """Ask a vault, and again where a fault fell and the answer was lost or was an error that allows it."""
        for number in range(_MOST_TRIES):
            try:
                with self.driver.watching():
                    value = call(self.vaults[turn])
            except KilledError:
                self.reopen(turn)
            except StrongroomError as error:
                if not ((self.driver.fell or turn in self._finding_out) and error.retryable):
                    return CallOutcome(None, error.code, number > 0)
            except (sa.exc.DBAPIError, sqlite3.Error, psycopg.Error):  # in the caller's own statements
                if not self.driver.fell:
                    raise
            else:
                self.row.acknowledged += 1
                return CallOutcome(value, None, number > 0)
            finally:
                self._count_faults()
                self._finding_out.discard(turn)
        raise AssertionError("it failed again, without a fault")

    def _count_faults(self) -> None:
        for where in self.driver.fell:
            self.row.fault(where)
        self.driver.fell.clear()

    # --- what the bare driver says ---------------------------------------------------------------------------

    def active_kid(self) -> str:
        """The one sealing key that seals."""
        [[kid]] = self.bare("SELECT kid FROM strongroom_keyring WHERE state = 'active'")
        return str(kid)

    def sealed_otherwise(self, project: UUID) -> set[UUID]:
        """A project's wallets whose text another sealing key sealed."""
        beginning = base64.urlsafe_b64encode(f'{{"kid":"{self.active_kid()}'.encode()).decode()
        found = self.bare(
            "SELECT v.credential_id FROM credential_vault_storage v JOIN project_credentials c ON c.id = "
            "v.credential_id WHERE c.project_id = ? AND v.encrypted_private_key LIKE 'eyJ%%' "
            "AND substr(v.encrypted_private_key, 1, 40) <> ?".replace("%%", "%" if self._is_sqlite else "%%"),
            project,
            beginning,
        )
        return {UUID(str(wallet_id)) for (wallet_id,) in found}

    @property
    def _is_sqlite(self) -> bool:
        return self.deployment.backend == "sqlite"


def _bare_connection(url: str) -> Any:
    if url.startswith("sqlite"):
        return sqlite3.connect(sqlite_path(url), isolation_level=None, timeout=30)
    return psycopg.connect(url, autocommit=True)
