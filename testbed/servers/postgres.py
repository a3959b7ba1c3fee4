"""A real PostgreSQL for tests: the binaries come in a wheel, the cluster lives in a temporary directory.

The wheel's own ``get_server()`` is not used: it changes the modes of every directory above
it, and needs useradd.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Literal, Self, TypeVar
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from testbed.servers import pgbouncer, releases
from testbed.servers.memory import memory_folder
from testbed.servers.programs import client_program, others_may_enter, programs_for

T = TypeVar("T")

Setting = str | int | bool
StopMode = Literal["smart", "fast", "immediate"]

_LAUNCHER = Path(__file__).with_name("launch.py")
_PREFIX = "strongroom-pg-"
_SOCKET = ".s.PGSQL.5432"
_SOCKET_PATH_LIMIT = 107
"""Bytes of a socket's path that sockaddr_un holds before its final NUL."""
_TIMEOUT_SECONDS = 60.0
_ENDED = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
_AS_LATER = "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
"""What PostgreSQL 15 changed; tests that want it otherwise grant it."""
_STOP_SIGNALS: Mapping[StopMode, signal.Signals] = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}
_DEFAULTS: Mapping[str, Setting] = {
    "listen_addresses": "",
    "fsync": True,
    "synchronous_commit": True,
    "max_connections": 300,
    "shared_buffers": "64MB",
    "log_line_prefix": "%m [%p] %d ",
    "search_path": '"$user", public, strongroom',
    "jit": False,
}


class PostgresServer:
    """A PostgreSQL server of our own, on a unix socket, fsync on, user ``postgres`` without a password.

    As root the server runs as ``nobody``, since PostgreSQL refuses root. On Linux it stops with the thread
    that started it, by whatever means that ends: start it from the main thread. Only processes started here
    are ever ended.
    """

    initdb_options: Sequence[str] = ()
    """More options of initdb, for a subclass."""
    launcher: Sequence[str | Path] = (_LAUNCHER,)
    """The script that becomes one of PostgreSQL's programs, for a subclass."""

    def __init__(self, directory: Path, programs: Path, settings: Mapping[str, Setting]) -> None:
        self.directory = directory
        self.settings = {**_DEFAULTS, "unix_socket_directories": str(directory), **settings}
        self.log_path = directory / "server.log"
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None
        self._owner_lock: int | None = None
        self._pooler: pgbouncer.Pgbouncer | None = None

    @classmethod
    def start(cls, directory: Path | None = None, **settings: Setting) -> Self:
        """Make a cluster in a new directory below ``directory`` (default: the system's), start the server."""

        def make(server: Self) -> None:
            server._prepare()
            server._initdb()

        server = cls._made(directory, settings, make)
        if releases.MAJOR < 15:
            with psycopg.connect(server.url("template1")) as connection:
                connection.execute(_AS_LATER)
        return server

    @classmethod
    def copy_of(cls, primary: PostgresServer, **settings: Setting) -> Self:
        """Copy a running server's cluster, and start the copy as its standby: ``primary_conninfo`` must be given."""
        options = ["-h", str(primary.directory), "-U", "postgres", "-c", "fast", "-X", "stream", "--no-sync"]

        def make(server: Self) -> None:
            server._run("pg_basebackup", options)
            (server.directory / "data" / "standby.signal").touch()

        return cls._made(None, settings, make)

    @classmethod
    def _made(cls, directory: Path | None, settings: Mapping[str, Setting], make: Callable[[Self], None]) -> Self:
        """Make a cluster in a new directory, start its server, and leave nothing behind where that fails."""
        home = make_home(directory)
        lock = lock_home(home)
        server = cls(home, programs_for(home), settings)
        server._owner_lock = lock
        try:
            make(server)
            server._launch()
        except BaseException:
            server.close()
            raise
        atexit.register(server.close)
        return server

    @property
    def socket_path(self) -> Path:
        """The unix socket that the server listens on."""
        return self.directory / _SOCKET

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, or None while it is down."""
        return self._process.pid if self.running and self._process is not None else None

    @property
    def running(self) -> bool:
        """Whether the postmaster is alive."""
        return self._process is not None and self._process.poll() is None

    def url(self, database: str = "postgres") -> str:
        """The URL of a database: ``postgresql://postgres@/name?host=...``."""
        return f"postgresql://postgres@/{quote(database)}?host={quote(str(self.directory), safe='/')}"

    def program(self, name: str) -> Path:
        """The path of a program of PostgreSQL's, such as ``pg_receivewal``."""
        found = self._programs / name
        return found if found.exists() else client_program(name)

    def read_log(self) -> str:
        """What the server has logged so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def create_database(self, name: str, template: str | None = None, **settings: Setting) -> str:
        """Create a database, with settings of its own such as ``log_statement="all"``; return its URL.

        Where the run wants a pooler, the URL leads through it.
        """
        database = sql.Identifier(name)
        with psycopg.connect(self.url(), autocommit=True) as connection:
            source = sql.Identifier(template or "template1")
            if template and pgbouncer.WANTED:  # the pooler keeps connections that its clients have left
                wait_until(lambda: connection.execute(_ENDED, (template,)).fetchone() == (0,), "Sessions do not end")
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}{}").format(database, source, self._strategy))
            for setting, value in settings.items():
                connection.execute(
                    sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                        database, sql.Identifier(setting), sql.Literal(as_text(value))
                    )
                )
        return self._pooled(name) if pgbouncer.WANTED else self.url(name)

    @property
    def _strategy(self) -> sql.SQL:
        """Copying files takes half the time of logging their pages, where nobody waits for a disk."""
        in_memory = memory_folder() in self.directory.parents
        return sql.SQL(" STRATEGY file_copy" if in_memory and releases.MAJOR >= 15 else "")

    def _pooled(self, name: str) -> str:
        if self._pooler is None:
            self._pooler = pgbouncer.Pgbouncer(self.directory, server_user() or "")
            wait_until(self._pooler.answers, "pgbouncer does not answer")
        return self._pooler.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database if it is there, with anyone who is still connected to it."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            # Where somebody is just leaving, DROP DATABASE sleeps for a tenth of a second before it looks again.
            wait_until(lambda: connection.execute(_ENDED, (name,)).fetchone() == (0,), "Sessions do not end")
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server and wait for it; the cluster stays, and ``restart`` continues it."""
        if self.running and self._process is not None:
            self._process.send_signal(_STOP_SIGNALS[mode])
            self._process.wait(timeout=_TIMEOUT_SECONDS)

    def kill9(self, *, backends_too: bool = True) -> None:
        """Kill the server and its backends with SIGKILL, as the kernel does when memory runs out.

        Without ``backends_too`` the postmaster alone: its backends finish what they are at, notice, and end.
        """
        if self._process is None or not self.running:
            return
        backends = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        for backend in backends if backends_too else ():
            with suppress(psutil.NoSuchProcess):
                backend.kill()
        self._process.wait(timeout=_TIMEOUT_SECONDS)
        wait_until(lambda: not any(map(_alive, backends)), "PostgreSQL's backends did not end")

    def restart(self, mode: StopMode = "fast", **settings: Setting) -> None:
        """Stop the server if it runs, and start it on the same cluster, with changed settings if given."""
        self.stop(mode)
        self.settings.update(settings)
        self._launch()

    def wait_until_it_answers(self) -> None:
        """Wait until the server takes connections: after a crash it recovers first. RuntimeError where it ended."""
        wait_until(self._answers, "PostgreSQL does not answer")

    def close(self) -> None:
        """Stop the server and remove its directory; closing twice is harmless."""
        atexit.unregister(self.close)
        if self._pooler is not None:
            self._pooler.close()
        self.stop("immediate")
        shutil.rmtree(self.directory, ignore_errors=True)
        if self._owner_lock is not None:
            os.close(self._owner_lock)
            self._owner_lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare(self) -> None:
        """Before anything is made, for a subclass."""

    def _initdb(self) -> None:
        options = ["-U", "postgres", "-E", "utf8", "--locale=C", "--auth=trust", "--no-sync", *self.initdb_options]
        self._run("initdb", options)

    def _run(self, program: str, options: list[str]) -> None:
        with self._spawn(program, options, subprocess.PIPE) as process:
            output, _ = process.communicate(timeout=_TIMEOUT_SECONDS)
        if process.returncode:
            raise RuntimeError(f"{program} failed: {output.decode(errors='replace')}")

    def _launch(self) -> None:
        options = [f"--{name}={as_text(value)}" for name, value in self.settings.items()]
        with self.log_path.open("ab") as log:
            self._process = self._spawn("postgres", options, log)
        try:
            self.wait_until_it_answers()
        except BaseException:
            self.kill9()
            raise

    def _spawn(self, program: str, options: list[str], output: int | IO[bytes]) -> subprocess.Popen[bytes]:
        launcher = [
            sys.executable,
            "-I",
            "-S",
            *self.launcher,
            server_user() or "",
            str(int(signal.SIGQUIT)),
        ]
        return subprocess.Popen(
            [*launcher, self.program(program), "-D", self.directory / "data", *options],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _answers(self) -> bool:
        if not self.running:
            raise RuntimeError(f"PostgreSQL did not start: {self.read_log()[-2000:]}")
        try:
            psycopg.connect(self.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


def wait_until(condition: Callable[[], T], complaint: str) -> T:
    """Return what a server comes to by itself, once it is there; else raise RuntimeError with the complaint."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise RuntimeError(complaint)
        time.sleep(0.002)
    return found


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def server_user() -> str | None:
    """Whom the server runs as, where that is somebody else."""
    return "nobody" if os.geteuid() == 0 else None


def as_text(value: Setting) -> str:
    """A setting as PostgreSQL reads it."""
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def make_home(parent: Path | None) -> Path:
    """A new directory of the server's user, where the paths of its sockets are short enough."""
    parent = Path(tempfile.gettempdir()) if parent is None else parent
    too_long = len(os.fsencode(parent / f"{_PREFIX}12345678" / _SOCKET)) > _SOCKET_PATH_LIMIT
    if too_long or (os.geteuid() == 0 and not others_may_enter(parent)):
        parent = Path("/tmp")
    _remove_abandoned_homes(parent)
    home = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    if user := server_user():
        shutil.chown(home, user)
        home.chmod(0o755)
    return home


def lock_home(home: Path) -> int:
    """Hold a lock for as long as this process lives: by it others see that the directory is in use."""
    lock = os.open(home / "owner.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _remove_abandoned_homes(parent: Path) -> None:
    """Remove the directories of test runs that were killed: nobody holds their locks any more."""
    for home in parent.glob(f"{_PREFIX}*"):
        try:
            lock = os.open(home / "owner.lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:  # not ours, or just being made
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(home, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(lock)
