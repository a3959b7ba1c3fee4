"""Three members of a Patroni cluster, with Raft among them, and a pgbouncer that follows their leader.

A member is what runs on one machine: Patroni, and the PostgreSQL that Patroni starts. Members talk over loopback. The
pooler is told of a new leader by Patroni's callback, which rewrites the pooler's target and lets it be read again: what
consul-template and GitLab's ``pgb-notify`` do. All of it ends with the thread that started it.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

import psycopg

from testbed.servers import pgbouncer
from testbed.servers.memory import memory_folder
from testbed.servers.patroni_member import Member
from testbed.servers.postgres import lock_home, make_home, server_user
from testbed.servers.programs import programs_for

T = TypeVar("T")

_WAIT_SECONDS = 180.0


class PatroniCluster:
    """Members, and the pooler in front of them. Start it from the main thread; close it."""

    def __init__(self, home: Path, members: Sequence[Member]) -> None:
        self.home = home
        self.members = members
        self._lock = lock_home(home)
        self._pooler: pgbouncer.Pgbouncer | None = None

    @classmethod
    def start(cls, size: int = 3) -> Self:
        """Make the members, and wait until two follow a leader, one of them synchronously."""
        home = make_home(memory_folder())
        programs = programs_for(home)
        ports = iter(_free_ports(3 * size))
        members = [
            Member(f"member-{number + 1}", home / f"m{number + 1}", programs, next(ports), next(ports), next(ports))
            for number in range(size)
        ]
        cluster = cls(home, members)
        atexit.register(cluster.close)
        try:
            for member in members:
                member.prepare([each for each in members if each is not member], home)
            cluster._pooler = pgbouncer.Pgbouncer(home, server_user() or "", ("127.0.0.1", members[0].port))
            for member in members:
                member.start()
            cluster.wait_until_whole()
        except BaseException:
            cluster.close()
            raise
        return cluster

    @property
    def pooler(self) -> pgbouncer.Pgbouncer:
        """The pooler that follows the leader."""
        assert self._pooler is not None
        return self._pooler

    def url(self, database: str) -> str:
        """The URL of a database that names all members, and not which of them leads."""
        hosts = ",".join(f"127.0.0.1:{member.port}" for member in self.members)
        return f"postgresql://postgres@{hosts}/{quote(database)}?target_session_attrs=read-write"

    def views(self) -> Mapping[str, Mapping[str, tuple[str, str]]]:
        """The role and the state of each member, as each Patroni that answers sees them.

        One that has just been started sees the cluster of the time when it ended, until it has heard of the others.
        """
        views = {}
        for member in self.members:
            with suppress(OSError, ValueError):
                status, text = member.ask("GET", "/cluster")
                if status == 200:
                    found = json.loads(text)["members"]
                    views[member.name] = {each["name"]: (each["role"], each["state"]) for each in found}
        return views

    def leader(self, *, other_than: Member | None = None) -> Member:
        """Wait for a leader that takes writes, and return it."""

        def found() -> Member | None:
            for member in self.members:
                if member is not other_than and member.running and member.leads:
                    return member
            return None

        return self.wait(found, "there is no leader")

    def leader_after_kill(self, former: Member, postmaster: int) -> Member:
        """Wait for a leader after the former one's server was killed: another member, or the same with a new server."""

        def found() -> Member | None:
            with suppress(OSError, IndexError, ValueError):
                leader = next((each for each in self.members if each.running and each.leads), None)
                return None if leader is former and leader.postmaster == postmaster else leader
            return None

        return self.wait(found, "there is no leader")

    def wait_until_whole(self) -> Member:
        """Wait until all members see the same leader and follow it, one of them synchronously; return the leader."""

        def whole() -> Member | None:
            first, *others = (self.views().get(member.name) for member in self.members)
            if first is None or any(view != first for view in others):
                return None
            roles = sorted(role for role, _ in first.values())
            expected = sorted(["leader", "sync_standby", *["replica"] * (len(self.members) - 2)])
            if roles != expected or any(state != "streaming" for role, state in first.values() if role != "leader"):
                return None
            return next((each for each in self.members if first[each.name][0] == "leader" and each.leads), None)

        return self.wait(whole, "the members do not come together")

    def switchover(self) -> Member:
        """Ask for another leader, and return it once it leads."""
        former = self.leader()
        status, text = former.ask("POST", "/switchover", {"leader": former.name})
        assert status == 200, f"{status} {text}"
        return self.leader(other_than=former)

    def configure(self, **settings: Any) -> None:
        """Change settings of the whole cluster."""
        status, text = self.leader().ask("PATCH", "/config", settings)
        assert status == 200, text

    def create_database(self, name: str) -> None:
        """Create an empty database."""
        with psycopg.connect(self.leader().url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())

    def wait(self, condition: Callable[[], T | None], complaint: str) -> T:
        """Return what the cluster comes to by itself; RuntimeError with what the members said where it does not."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while not (found := condition()):
            if time.monotonic() > deadline:
                said = "\n".join(f"{each.name}: {each.read_log()[-1500:]}" for each in self.members)
                raise RuntimeError(f"{complaint}: {self.views()}\n{said}")
            time.sleep(0.05)
        return found

    def close(self) -> None:
        """End everything and remove its directory; closing twice is harmless."""
        atexit.unregister(self.close)
        if self._pooler is not None:
            self._pooler.close()
        for member in self.members:
            member.kill9()
        shutil.rmtree(self.home, ignore_errors=True)
        with suppress(OSError):
            os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _free_ports(number: int) -> list[int]:
    """Ports of loopback that nobody has just now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
