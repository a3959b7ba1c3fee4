"""A primary and a standby that streams from it, both of our own; the standby takes over when it is told to.

The standby is made by ``pg_basebackup`` over the primary's Unix socket. Clients name both directories as hosts.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

import strongroom
from testbed.databases.rows import execute
from testbed.legacy import schema_sql
from testbed.servers.postgres import PostgresServer, Setting, wait_until


def make_vault(cluster: Cluster, backend: str, root_key: str) -> None:
    """A new vault in a database that is called as the backend is."""
    url = cluster.primary.create_database(backend)
    if backend != "fresh":
        execute(url, schema_sql(backend).replace("%", "%%"))
    strongroom.init(url, root_key=root_key).close()


_STANDBY = "standby"
"""The name by which the primary knows its standby."""
_REPLICATION: dict[str, Setting] = {"wal_level": "replica", "max_wal_senders": 5, "wal_keep_size": "256MB"}
_PATIENT: dict[str, Setting] = {"wal_receiver_timeout": 0, "wal_sender_timeout": 0, "hot_standby": True}


class Cluster:
    """A primary, and a standby while there is one. Start it from the main thread; close it."""

    def __init__(self, primary: PostgresServer) -> None:
        self.primary = primary
        self.standby: PostgresServer | None = None

    @classmethod
    def start(cls, directory: Path | None = None, **settings: Setting) -> Self:
        """Start a primary that standbys can stream from."""
        return cls(PostgresServer.start(directory, **{**_REPLICATION, **settings}))

    def add_standby(self, *, synchronous: bool) -> PostgresServer:
        """Copy the primary and let the copy follow it; synchronous: from now on commits wait for it."""
        conninfo = f"host={self.primary.directory} user=postgres application_name={_STANDBY}"
        self.standby = PostgresServer.copy_of(self.primary, primary_conninfo=conninfo, **_PATIENT)
        wait_until(lambda: self._state() is not None, "the standby does not stream")
        if synchronous:
            self.require(f"FIRST 1 ({_STANDBY})")
            wait_until(lambda: self._state() == "sync", "the standby does not become synchronous")
        return self.standby

    def require(self, names: str) -> None:
        """Set ``synchronous_standby_names`` on the primary; a copy that is made later does not take it along."""
        with psycopg.connect(self.primary.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER SYSTEM SET synchronous_standby_names = {}").format(sql.Literal(names)))
            connection.execute("SELECT pg_reload_conf()")
            shown = "SELECT current_setting('synchronous_standby_names')"
            wait_until(lambda: connection.execute(shown).fetchone() == (names,), "the setting was not read")

    def url(self, database: str, *, standby_first: bool = False) -> str:
        """The URL of a database for clients, with the hosts of both servers."""
        servers = [server for server in (self.primary, self.standby) if server is not None]
        directories = [str(server.directory) for server in (reversed(servers) if standby_first else servers)]
        return f"postgresql://postgres@/{quote(database)}?host={quote(','.join(directories), safe='/,')}"

    def wait_for_replay(self) -> None:
        """Wait until the standby shows all that the primary has committed.

        What is flushed may end in the middle of a record, which no standby replays before the next flush: there is one.
        """
        with psycopg.connect(self.primary.url(), autocommit=True) as connection:
            (position,) = connection.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone() or ("",)
            connection.execute("SELECT pg_logical_emit_message(true, 'test', 'go on')")
        assert self.standby is not None
        with psycopg.connect(self.standby.url(), autocommit=True) as connection:
            replayed = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
            wait_until(
                lambda: connection.execute(replayed, [position]).fetchone() == (True,), "the standby does not follow"
            )

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Stop what sends the log to the standby: what commits from now on, the standby does not get."""
        with psycopg.connect(self.primary.url()) as connection:
            senders = [row[0] for row in connection.execute("SELECT pid FROM pg_stat_replication").fetchall()]
        ours = {process.pid for process in psutil.Process(self.primary.pid).children()}
        for sender in senders:
            assert sender in ours
            os.kill(sender, signal.SIGSTOP)
        try:
            yield
        finally:
            if self.primary.running:
                for sender in senders:
                    os.kill(sender, signal.SIGCONT)

    def waiting_commits(self) -> list[int]:
        """The backends of the primary whose commits wait for the standby."""
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        with psycopg.connect(self.primary.url(), autocommit=True) as connection:
            return [row[0] for row in connection.execute(waiting).fetchall()]

    def end_waiting_commits(self) -> None:
        """End the connections of those backends, as somebody does for whom everything hangs: what they did stays."""
        waiting = wait_until(self.waiting_commits, "no commit waits")
        with psycopg.connect(self.primary.url(), autocommit=True) as connection:
            ended = "SELECT pg_terminate_backend(pid, 30000) FROM unnest(%s) AS p (pid)"
            assert connection.execute(ended, [waiting]).fetchall() == [(True,)] * len(waiting)

    def promote(self) -> None:
        """Let the standby take the place of a primary that was killed, whose directory is removed."""
        assert self.standby is not None
        assert not self.primary.running
        with psycopg.connect(self.standby.url(), autocommit=True) as connection:
            assert connection.execute("SELECT pg_promote(true, 60)").fetchone() == (True,)
        old, self.primary, self.standby = self.primary, self.standby, None
        old.close()

    def close(self) -> None:
        """Stop both; closing twice is harmless."""
        self.primary.close()
        if self.standby is not None:
            self.standby.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _state(self) -> str | None:
        """How the standby replicates, as the primary sees it; None while it does not stream."""
        with psycopg.connect(self.primary.url()) as connection:
            streaming = "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming' AND application_name = %s"
            found = connection.execute(streaming, [_STANDBY]).fetchone()
        return None if found is None else str(found[0])
