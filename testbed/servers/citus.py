"""The databases of a Citus cluster that is there: a vault's tables are on its nodes, and a copy is made node by node.

``STRONGROOM_DISTRIBUTED=1`` lets every vault of the tests with tables of ours be in one of them. The coordinator is the
one that ``STRONGROOM_CITUS_URL`` names, as a superuser; its nodes trust each other for every database.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

from testbed.servers.postgres import PostgresServer, Setting, as_text, wait_until

URL = (os.environ.get("STRONGROOM_CITUS_URL") or "") if os.environ.get("STRONGROOM_DISTRIBUTED") else ""
"""The coordinator, where the tests are to run on it; empty otherwise."""
_SHARDS = 8
_NODES = "SELECT nodename::text, nodeport FROM pg_dist_node WHERE groupid > 0 ORDER BY nodeport"
_END = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
_PREPARED = "SELECT gid FROM pg_prepared_xacts WHERE database = %s"
_SEARCHED = 'ALTER DATABASE {} SET search_path = "$user", public, strongroom'


class CitusServer(PostgresServer):
    """A coordinator and its workers as one server. What tests do to a server of their own cannot be done to it."""

    def __init__(self, url: str) -> None:
        self._split = urlsplit(url)
        with psycopg.connect(url) as connection:
            found = connection.execute(_NODES).fetchall()
            (folders,) = connection.execute("SHOW unix_socket_directories").fetchone() or ("",)
        self._workers = [(str(host), int(port)) for host, port in found]
        super().__init__(Path(str(folders).partition(",")[0].strip()), Path(), {})

    @property
    def socket_path(self) -> Path:
        return self.directory / f".s.PGSQL.{self._split.port or 5432}"

    def url(self, database: str = "postgres") -> str:
        """With the host among its options, as the URLs of a test's own server have it: each driver takes that."""
        user, host = self._split.netloc.rpartition("@")[0], self._split.hostname or ""
        return f"postgresql://{user}@/{quote(database)}?host={quote(host)}&port={self._split.port or 5432}"

    def close(self) -> None:
        """Leave the cluster as it runs."""

    def create_database(self, name: str, template: str | None = None, **settings: Setting) -> str:
        """A database on every node; with a template a copy of its part there."""
        self.drop_database(name)
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template or "template1")
        )

        def created(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
            if template is not None:  # Citus has a process of its own in every database
                wait_until(lambda: connection.execute(_END, (template,)).fetchone() == (0,), "Sessions do not end")
            try:
                connection.execute(make)
            except psycopg.errors.ObjectInUse:
                return False
            return True

        self._on_nodes(lambda url: wait_until(lambda: _run(url, created), f"{name} is not made"))
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL(_SEARCHED).format(sql.Identifier(name)))
            for setting, value in settings.items():
                wanted = sql.Identifier(name), sql.Identifier(setting), sql.Literal(as_text(value))
                connection.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(*wanted))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))

        def drop_on(url: str) -> None:
            with psycopg.connect(url, autocommit=True) as connection:
                for (gid,) in connection.execute(_PREPARED, (name,)).fetchall():
                    _roll_back(urlsplit(url)._replace(path=f"/{quote(name)}").geturl(), str(gid))
                wait_until(lambda: _dropped(connection, drop), f"{name} is not dropped")

        self._on_nodes(drop_on)

    def drop_owned(self, roles: Sequence[str]) -> None:
        """Take away from roles what they have on the nodes, in every database: Citus does so on the coordinator."""

        def drop_on(url: str) -> None:
            with psycopg.connect(url, autocommit=True) as connection:
                found = connection.execute("SELECT datname::text FROM pg_database WHERE datallowconn").fetchall()
            for (database,) in found:
                with psycopg.connect(urlsplit(url)._replace(path=f"/{quote(database)}").geturl()) as connection:
                    connection.execute("SET citus.enable_ddl_propagation = off")
                    for role in roles:
                        connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(role)))

        self._on_nodes(drop_on)

    def distribute(self, name: str) -> None:
        """Let Citus distribute the tables of an initialised vault."""
        import strongroom

        self._on_nodes(lambda url: _install(urlsplit(url)._replace(path=f"/{quote(name)}").geturl()))
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute("SELECT citus_set_coordinator_host(%s, %s)", (self._split.hostname, self._split.port))
            for node in self._workers:
                connection.execute("SELECT citus_add_node(%s, %s)", node)
            connection.execute(
                sql.SQL("ALTER DATABASE {} SET citus.shard_count = {}").format(sql.Identifier(name), _SHARDS)
            )
        strongroom.open_takeover(self.url(name)).distribute()

    def _on_nodes(self, work: Callable[[str], object]) -> None:
        """Do something with the database ``postgres`` of every node at once."""
        user = self._split.netloc.rpartition("@")[0]
        places = [self.url()] + [
            self._split._replace(netloc=f"{user}@{host}:{port}", path="/postgres").geturl()
            for host, port in self._workers
        ]
        with ThreadPoolExecutor(len(places)) as pool:
            list(pool.map(work, places))


def _run(url: str, work: Callable[[psycopg.Connection[tuple[object, ...]]], bool]) -> bool:
    with psycopg.connect(url, autocommit=True) as connection:
        return work(connection)


def _dropped(connection: psycopg.Connection[tuple[object, ...]], drop: sql.Composed) -> bool:
    try:
        connection.execute(drop)
    except psycopg.errors.ObjectInUse:  # Citus was just about to look after it
        return False
    return True


def _install(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION citus")


def _roll_back(url: str, gid: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("ROLLBACK PREPARED {}").format(sql.Literal(gid)))
