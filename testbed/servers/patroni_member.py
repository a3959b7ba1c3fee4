"""A member of a Patroni cluster: what runs on one machine, which is Patroni and the PostgreSQL that Patroni starts."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

from testbed.servers.postgres import server_user

_KEEPER = Path(__file__).with_name("keeper.py")
_REQUEST_SECONDS = 60.0
SETTINGS: Mapping[str, Any] = {
    "ttl": 20,
    "loop_wait": 1,
    "retry_timeout": 3,
    "primary_start_timeout": 0,
    "synchronous_mode": True,
    "synchronous_mode_strict": True,
    "postgresql": {
        "use_pg_rewind": True,
        "remove_data_directory_on_rewind_failure": True,
        "remove_data_directory_on_diverged_timelines": True,
    },
}
"""What docs/high-availability.md recommends; the three times are the shortest ones that Patroni allows."""
_PARAMETERS: Mapping[str, Any] = {
    "fsync": True,
    "synchronous_commit": "on",
    "max_connections": 100,
    "shared_buffers": "32MB",
    "wal_keep_size": "128MB",
    "jit": False,
    "search_path": '"$user", public, strongroom',
    "log_line_prefix": "%m [%p] %d ",
}
_POSTGRES = """\
#!/bin/sh
[ -e {home}/refuses ] && exit 1
exec {python} -I -S {keeper} adopted {postgres} "$@"
"""
_CALLBACK = """\
#!/bin/sh
# Patroni calls it with the event, the role and the name of the cluster.
[ "$2" = primary ] || exit 0
printf '[databases]\\n* = host=127.0.0.1 port={port} user=postgres\\n' > {target}.{name}
mv {target}.{name} {target}
[ -e {directory}/pgbouncer.pid ] && kill -HUP "$(cat {directory}/pgbouncer.pid)"
exit 0
"""


@dataclass
class Member:
    """Patroni and its PostgreSQL, on ports of their own."""

    name: str
    home: Path
    programs: Path
    port: int
    rest_port: int
    raft_port: int
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Where the others reach its Patroni."""
        return f"127.0.0.1:{self.raft_port}"

    @property
    def running(self) -> bool:
        """Whether anything of it is alive."""
        return self._process is not None and self._process.poll() is None

    def url(self, database: str) -> str:
        """The URL of a database of this member, whatever its role is."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{quote(database)}"

    def prepare(self, others: Sequence[Member], pooler: Path) -> None:
        """Write what it is started with; ``pooler`` is the folder of the pgbouncer that it tells of its role."""
        binaries = self.home / "bin"
        binaries.mkdir(parents=True)
        for program in self.programs.iterdir():
            if program.name != "postgres":
                (binaries / program.name).symlink_to(program)
        words = {"home": self.home, "python": sys.executable, "keeper": _KEEPER}
        _script(binaries / "postgres", _POSTGRES.format(**words, postgres=self.programs / "postgres"))
        where = {"port": self.port, "name": self.name, "directory": pooler}
        _script(self.home / "callback", _CALLBACK.format(**where, target=pooler / "pgbouncer-target.ini"))
        settings = _settings(self, [each.address for each in others])
        (self.home / "patroni.json").write_text(json.dumps(settings, indent=1), encoding="utf-8")
        if user := server_user():
            for path in (self.home, *self.home.rglob("*")):
                if not path.is_symlink():
                    shutil.chown(path, user)

    def start(self) -> None:
        """Start Patroni; it starts PostgreSQL, or makes it first."""
        with (self.home / "patroni.log").open("ab") as log:
            keeper = [sys.executable, "-I", "-S", str(_KEEPER), "keep", server_user() or ""]
            self._process = subprocess.Popen(
                [*keeper, sys.executable, "-m", "patroni", str(self.home / "patroni.json")],
                cwd=self.home,
                env={**os.environ, "HOME": str(self.home), "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill9(self) -> None:
        """Kill Patroni, PostgreSQL and its backends with SIGKILL: what is left of a machine is its disk."""
        if self._process is None or not self.running:
            return
        deadline = time.monotonic() + _REQUEST_SECONDS
        keeper = psutil.Process(self._process.pid)
        while self.running:  # the keeper ends when nothing is left; a killed parent's last children are adopted first
            for process in _descendants(keeper):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            assert time.monotonic() < deadline, f"{self.name} does not end"
            time.sleep(0.01)

    @property
    def leads(self) -> bool:
        """Whether its Patroni says that it is the leader and takes writes."""
        with suppress(OSError):
            return self.ask("GET", "/primary")[0] == 200
        return False

    def kill_postmaster(self) -> int:
        """Kill PostgreSQL with SIGKILL, and leave its Patroni; return the process id that it had."""
        postmaster = psutil.Process(self.postmaster)
        for process in (postmaster, *postmaster.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        return postmaster.pid

    @property
    def postmaster(self) -> int:
        """The process id of its PostgreSQL."""
        return int((self.home / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0])

    def refuse(self, refuses: bool) -> None:
        """Let PostgreSQL not start, as where its disk is full; Patroni goes on, and has its vote."""
        path = self.home / "refuses"
        path.touch() if refuses else path.unlink(missing_ok=True)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, str]:
        """Ask its REST API. OSError where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.rest_port, timeout=_REQUEST_SECONDS)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except http.client.HTTPException as error:
            raise OSError(f"{self.name} does not answer") from error
        finally:
            connection.close()

    def read_log(self) -> str:
        """What Patroni and PostgreSQL have said so far."""
        return (self.home / "patroni.log").read_text(encoding="utf-8", errors="replace")


def _settings(member: Member, others: Sequence[str]) -> Mapping[str, Any]:
    """Patroni's settings of one member."""
    own = f"127.0.0.1:{member.port}"
    callback = str(member.home / "callback")
    return {
        "scope": "strongroom",
        "name": member.name,
        "restapi": {"listen": f"127.0.0.1:{member.rest_port}", "connect_address": f"127.0.0.1:{member.rest_port}"},
        "raft": {"data_dir": str(member.home / "raft"), "self_addr": member.address, "partner_addrs": others},
        "bootstrap": {"dcs": SETTINGS, "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "no-sync"]},
        "postgresql": {
            "listen": own,
            "connect_address": own,
            "data_dir": str(member.home / "data"),
            "bin_dir": str(member.home / "bin"),
            "pgpass": str(member.home / "pgpass"),
            "use_unix_socket": True,
            "authentication": {"superuser": {"username": "postgres"}, "replication": {"username": "postgres"}},
            "pg_hba": ["local all all trust"] + [f"host {each} all 127.0.0.1/32 trust" for each in _DATABASES],
            "parameters": {**_PARAMETERS, "unix_socket_directories": str(member.home)},
            "callbacks": {"on_start": callback, "on_role_change": callback},
        },
    }


_DATABASES = ("all", "replication")


def _script(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []
