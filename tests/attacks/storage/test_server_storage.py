"""A server whose disk is full, fails, or is read-only: a typed error, and all is well when it is over."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psutil
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

import strongroom
from strongroom import Vault
from testbed.databases.deployments import Deployment
from testbed.harness.sizes import SIZE
from testbed.servers.limits import bound_files
from testbed.servers.postgres import PostgresServer, server_user
from testbed.servers.small_disk import NamespacesForbiddenError, SmallDisk
from tests.attacks.audit import audit
from tests.attacks.servers.backends import QUICK, new_deployment, start_quick_server
from tests.attacks.storage.children import VERBS, Verb, create
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally

pytestmark = pytest.mark.sized("rounds")

BACKENDS = ("fresh", "g4")
DISK_BYTES = 96 << 20
MOST_WALLETS = 2_000
"""Not so many fit on what is left of no space."""
BOUNDS = (0, 8 << 10, 64 << 10, 1 << 20, 4 << 20)
DISK_FULL, READ_ONLY, UNKNOWN, UNAVAILABLE = "disk-full", "read-only", "outcome-unknown", "store-unavailable"
NOBODY_THERE = ("connection-refused", "server-busy")
"""What is said while the server is down, and while it comes up."""
REFUSED = "store-refused"
"""PostgreSQL has no SQLSTATE of its own for a file that may not grow."""
BACKEND_PIDS = """
SELECT pid FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()
"""
PANIC = "PANIC:  could not write to file"
USE_LOG = "SELECT pg_logical_emit_message(true, 'attack', repeat('x', 1000)), pg_switch_wal()"


class SmallDiskServer(PostgresServer):
    """A server whose data is on a small disk. ``start`` raises NamespacesForbiddenError."""

    initdb_options = ("--wal-segsize=1",)
    disk: SmallDisk

    def _prepare(self) -> None:
        data = self.directory / "data"
        data.mkdir(mode=0o700)
        if user := server_user():
            shutil.chown(data, user)
        self.disk = SmallDisk.mount(data, DISK_BYTES, server_user())
        self.launcher = self.disk.launcher

    def close(self) -> None:
        super().close()
        if self.launcher is not PostgresServer.launcher:
            self.disk.close()

    def come_back(self) -> None:
        """Wait until it has recovered, or start it where it gave up."""
        try:
            self.wait_until_it_answers()
        except RuntimeError:
            self.restart()


class Attempts:
    """Verbs that are tried on one open vault while something is wrong, and again when it is over."""

    def __init__(self, deployment: Deployment, vault: Vault, row: Tally) -> None:
        self.told: dict[str, str] = {}
        self.deployment, self.vault = deployment, vault
        self.row = row
        self._tried: list[tuple[Verb, UUID, Any]] = []

    def project(self) -> UUID:
        """A project with one wallet."""
        project = self.deployment.project()
        self._tell(self.vault.create_wallet(project, "ethereum", label="first").wallet)
        return project

    def one(self, verb: Verb, project: UUID, what: str, *codes: str) -> str | None:
        """Try a verb; return the code of its error, which is one of these, or None where it went well."""
        try:
            self._tried.append((verb, project, verb(self.vault, project)))
        except strongroom.StrongroomError as error:
            self._tried.append((verb, project, None))
            self.row.fault(f"{what}: {error.code}")
            assert error.code in codes, repr(error)
            assert error.retryable or error.code == REFUSED
            assert error.hint
            return str(error.code)
        return None

    def refused(self, verb: Verb, project: UUID, what: str, *codes: str) -> bool:
        """Try a verb; return whether it failed, with an error that says that nothing was written, which is so."""
        before = self._wallets(project)
        failed = self.one(verb, project, what, *codes) is not None
        assert not failed or self._wallets(project) == before
        return failed

    def again(self) -> None:
        """Everything that was tried succeeds, and a repeat gives the same answer."""
        for verb, project, before in self._tried:
            answer = verb(self.vault, project)
            assert before in (None, answer), "what was acknowledged meanwhile is not what is there"
            assert verb(self.vault, project) == answer
            self._tell(*self.vault.list_wallets(project).wallets)
        self._tried.clear()

    def read(self) -> bool:
        """Whether everything that is stored is read, and proves."""
        return all(result.ok for result in self.vault.verify())

    def _wallets(self, project: UUID) -> object:
        return self.deployment.execute("SELECT count(*) FROM project_credentials WHERE project_id = ?", project)

    def _tell(self, *wallets: strongroom.Wallet) -> None:
        self.told |= {str(wallet.id): wallet.address for wallet in wallets}


@contextmanager
def attempts_at(server: PostgresServer, backend: str, root_key: str, row: Tally) -> Iterator[Attempts]:
    """Attempts at a new database, which is audited when they end."""
    with new_deployment(server, backend, root_key) as deployment:
        with deployment.open(pool_size=1) as vault:
            attempts = Attempts(deployment, vault, row)
            yield attempts
            attempts.again()
        audit(row, deployment.url, root_key, attempts.told, foreign=deployment.foreign)


# --- a full disk ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def confined() -> Iterator[SmallDiskServer | None]:
    """A server on a small disk, or None where the machine forbids namespaces."""
    try:
        server = SmallDiskServer.start(None, min_wal_size="2MB", max_wal_size="4MB", wal_recycle=False, **QUICK)
    except NamespacesForbiddenError:
        yield None
        return
    with server:
        yield server


@pytest.mark.parametrize("backend", BACKENDS)
def test_postgresql_on_a_full_disk(
    confined: SmallDiskServer | None, root_key_uri: str, tally: StartTally, backend: str
) -> None:
    row = tally("storage failed", backend)
    if confined is None:
        with start_quick_server() as server, attempts_at(server, backend, root_key_uri, row) as attempts:
            bounded(server, attempts)
        return
    whole = 0
    for _ in range(3 * SIZE.rounds):
        with attempts_at(confined, backend, root_key_uri, row) as attempts:
            projects = [attempts.project() for _ in VERBS]
            spare = attempts.project()
            confined.disk.fill()
            if fill_tables(attempts) == DISK_FULL:
                for verb, project in zip(VERBS, projects, strict=True):
                    attempts.refused(verb, project, "no space for rows", DISK_FULL)
                assert attempts.read()
                fill_log(confined, attempts.deployment.url)
                attempts.one(create, spare, "no space for the log", DISK_FULL, UNAVAILABLE, UNKNOWN, *NOBODY_THERE)
                whole += 1
            confined.disk.free()
            confined.come_back()
        if whole == SIZE.rounds:
            return
    raise AssertionError("the log was full before the tables, again and again")


def fill_tables(attempts: Attempts) -> str:
    """Create wallets until there is no space for one; now and then the log is full first, and the server panics."""
    for _ in range(MOST_WALLETS):
        try:
            project = attempts.deployment.project()
        except psycopg.OperationalError:  # our own row met it
            return UNKNOWN
        if code := attempts.one(create, project, "no space for rows", DISK_FULL, UNKNOWN):
            return code
    raise AssertionError("the disk did not become full")


def fill_log(server: PostgresServer, url: str) -> None:
    """Use the write-ahead log up, until the server panics; its last words do not always arrive, its log has them."""
    before = server.read_log().count(PANIC)
    with psycopg.connect(url, autocommit=True) as connection:
        while not connection.closed:
            try:
                connection.execute(USE_LOG)
            except psycopg.OperationalError as panic:
                assert panic.sqlstate in ("53100", None)
    assert server.read_log().count(PANIC) > before


# --- a disk that fails ----------------------------------------------------------------------------------------------


@pytest.mark.thorough(but=("fresh",))
@pytest.mark.parametrize("backend", BACKENDS)
def test_postgresql_on_a_disk_that_fails(
    server: PostgresServer, root_key_uri: str, tally: StartTally, backend: str
) -> None:
    row = tally("storage failed", backend)
    for _ in range(SIZE.rounds):
        with attempts_at(server, backend, root_key_uri, row) as attempts:
            bounded(server, attempts)


def bounded(server: PostgresServer, attempts: Attempts) -> None:
    """The process that serves the vault cannot write beyond a bound: rows, or the log, which is a panic."""
    before = attempts.row.faults
    for bound in BOUNDS:
        for verb in VERBS:
            project = attempts.project()
            ((backend_pid,),) = attempts.deployment.execute(BACKEND_PIDS)
            process = psutil.Process(backend_pid)
            bound_files(backend_pid, bound, server_user())
            code = attempts.one(verb, project, "a write failed", REFUSED, UNKNOWN, UNAVAILABLE, *NOBODY_THERE)
            if process.is_running():
                bound_files(backend_pid, None, server_user())
            elif code is None:
                attempts.row.fault("a write failed: the server panicked, and the vault found out what became of it")
            server.wait_until_it_answers()
            attempts.again()
    assert attempts.row.faults > before


# --- read-only ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
def test_postgresql_that_takes_no_writes(
    server: PostgresServer, root_key_uri: str, tally: StartTally, backend: str
) -> None:
    row = tally("storage failed", backend)
    with attempts_at(server, backend, root_key_uri, row) as attempts:
        projects = [attempts.project() for _ in VERBS]
        read_only(server, attempts.deployment, "on")
        for verb, project in zip(VERBS, projects, strict=True):
            assert attempts.refused(verb, project, "read-only server", READ_ONLY)
        assert attempts.read()
        read_only(server, attempts.deployment, "off")


def read_only(server: PostgresServer, deployment: Deployment, state: str) -> None:
    """Let every connection that is made from now on be read-only, or not; those that are there end."""
    name = str(conninfo_to_dict(deployment.url)["dbname"])
    change = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}").format(sql.Identifier(name), state)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(change)
    deployment.execute(f"SELECT pg_terminate_backend(pid) FROM ({BACKEND_PIDS}) others")


def test_postgresql_on_a_read_only_file_system(
    confined: SmallDiskServer | None, server: PostgresServer, root_key_uri: str, tally: StartTally
) -> None:
    """It does not start, and its data are as they were when it does."""
    row = tally("storage failed", "fresh")
    stopped = confined or server
    with attempts_at(stopped, "fresh", root_key_uri, row) as attempts:
        project = attempts.project()
        stopped.stop()
        if confined is not None:
            confined.disk.make_read_only()
            with pytest.raises(RuntimeError, match="Read-only file system"):
                confined.restart()
        assert attempts.one(create, project, "the server cannot start", *NOBODY_THERE)
        if confined is not None:
            confined.disk.make_writable()
        stopped.restart()
