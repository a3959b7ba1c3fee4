"""pgbouncer in transaction mode, in front of a PostgreSQL server: ``STRONGROOM_POOLER=pgbouncer`` puts it there.

The program and the libraries that it needs come from Debian's packages, without root: ``apt-get download`` and
``dpkg-deb`` put them into a cache folder once. Where the machine has a pgbouncer of its own, that one is used.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

import psycopg

from testbed.servers.releases import cache_folder

WANTED = os.environ.get("STRONGROOM_POOLER") == "pgbouncer"
"""Whether this run's servers are reached through pgbouncer."""
_LAUNCHER = Path(__file__).with_name("launch.py")
_PACKAGES = ("pgbouncer", "libc-ares2", "libevent-2.1-7*")
_PROGRAM = Path("usr", "sbin", "pgbouncer")
_INSTALL_SECONDS = 300
_SETTINGS = """\
%include {directory}/pgbouncer-target.ini
[pgbouncer]
pool_mode = transaction
listen_port = 6432
unix_socket_dir = {directory}
auth_type = any
logfile = {directory}/pgbouncer.log
pidfile = {directory}/pgbouncer.pid
default_pool_size = 20
max_client_conn = 500
server_idle_timeout = 2
server_login_retry = 1
server_reset_query =
"""
TARGET = """\
[databases]
* = host={host} port={port} user=postgres
"""
"""The file ``pgbouncer-target.ini``: which server the pooler talks to."""


class Pgbouncer:
    """A pgbouncer on a Unix socket in the directory of its server; it ends with the thread that started it.

    Who wants another server than the one there names it with ``retarget``.
    """

    def __init__(self, directory: Path, user: str, target: tuple[str, int] | None = None) -> None:
        program, libraries = install()
        settings = directory / "pgbouncer.ini"
        settings.write_text(_SETTINGS.format(directory=directory), encoding="utf-8")
        self.directory = directory
        self._write_target(*(target or (str(directory), 5432)))
        if user:
            shutil.chown(self.target_path, user)
        launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), user, str(int(signal.SIGQUIT))]
        self._process = subprocess.Popen(
            [*launcher, program, "-q", settings],
            cwd=directory,
            env={**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries))},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def target_path(self) -> Path:
        """The file that names the server; its reader reads it again at SIGHUP."""
        return self.directory / "pgbouncer-target.ini"

    def retarget(self, host: str, port: int) -> None:
        """Talk to another server from now on: connections to the former one are closed as transactions end."""
        self._write_target(host, port)
        self._process.send_signal(signal.SIGHUP)

    def _write_target(self, host: str, port: int) -> None:
        self.target_path.write_text(TARGET.format(host=host, port=port), encoding="utf-8")

    def url(self, database: str) -> str:
        """The URL of a database by way of the pooler."""
        return f"postgresql://postgres@:6432/{quote(database)}?host={quote(str(self.directory), safe='/')}"

    def answers(self) -> bool:
        """Whether connections come through. RuntimeError where it ended."""
        if self._process.poll() is not None:
            log = self.directory / "pgbouncer.log"
            raise RuntimeError(f"pgbouncer ended: {log.read_text()[-2000:] if log.exists() else 'without a word'}")
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def close(self) -> None:
        """End it; closing twice is harmless."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(timeout=60)


def install() -> tuple[Path, list[Path]]:
    """Return the program and the folders of its libraries, after unpacking Debian's packages where they are not yet."""
    if found := shutil.which("pgbouncer"):
        return Path(found), []
    folder = cache_folder() / "pgbouncer"
    if not folder.exists():
        _unpack(folder)
    libraries = sorted({each.parent for each in folder.rglob("*.so.*")})
    return folder / _PROGRAM, libraries


def _unpack(folder: Path) -> None:
    """Several processes may do so at once; the first one wins."""
    if shutil.which("apt-get") is None:
        raise RuntimeError("pgbouncer comes from Debian's packages; elsewhere install it, so that PATH has it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        root = Path(temporary) / "root"
        _download(Path(temporary))
        for archive in Path(temporary).glob("*.deb"):
            _run(["dpkg-deb", "-x", str(archive), str(root)], temporary)
        root.chmod(0o755)
        try:
            root.rename(folder)
        except OSError:
            if not folder.exists():
                raise


def _download(folder: Path) -> None:
    """Fetch the packages; where this machine has no lists of packages, or old ones, by lists of our own."""
    command = ["apt-get", "download", *_PACKAGES]
    try:
        _run(command, folder)
    except RuntimeError:
        (folder / "lists" / "partial").mkdir(parents=True)
        own = ["-o", f"Dir::State::lists={folder / 'lists'}", "-o", f"Dir::Cache={folder}", "-o", "APT::Sandbox::User="]
        _run([command[0], *own, "update"], folder)
        _run([command[0], *own, *command[1:]], folder)


def _run(command: list[str], folder: str | Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")


if __name__ == "__main__":
    print(install()[0])
