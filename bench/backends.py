"""Where the candidates meet: databases that strongroom initialised, each candidate in one of its own."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import strongroom
from bench.bare import Bare, BareExisting, BarePostgresql, BareSqlite
from bench.crypto_baseline import SealingKey
from strongroom.crypto import keyring
from strongroom.crypto.wraps import unwrap_one
from strongroom.networks import TABLE
from strongroom.rootkeys import open_root_key
from strongroom.settings import Settings
from strongroom.store.catalog.profile import read_profile
from strongroom.store.connection.database import Database
from strongroom.store.connection.engine import store_engine
from strongroom.store.context import StoreContext
from strongroom.store.sql_store import SqlStore
from strongroom.takeover.doctor.field_texts import FieldTexts
from strongroom.usecases.context import VaultContext


@dataclass(frozen=True, slots=True)
class Installation:
    """One database with strongroom's schema and keyring in it, and every way into it."""

    kind: str
    database: str
    root_key: str
    vault: strongroom.Vault
    context: VaultContext
    """The vault's parts, on connections of their own."""
    sealing: SealingKey
    """The sealing key of its first day."""
    stack: ExitStack = field(repr=False)
    existing: bool = False
    """Whether the legacy application made the wallet tables."""

    def bare(self, *, prepared: bool = True) -> Bare:
        """A bare driver's connection with the settings that strongroom's own have."""
        if self.kind == "sqlite":
            durability = self.vault.status().store.durability
            connection: Bare = BareSqlite(self.database.removeprefix("sqlite:///"), durability)
        elif self.existing:
            connection = BareExisting(self.database, prepared=prepared)
        else:
            connection = BarePostgresql(self.database, prepared=prepared)
        self.stack.callback(connection.close)
        return connection

    def new_projects(self, number: int) -> list[uuid.UUID]:
        """Projects for wallets; where the legacy application made the tables, each has a row there."""
        projects = [uuid.uuid4() for _ in range(number)]
        if self.existing:
            import psycopg

            with psycopg.connect(self.database) as connection:
                connection.cursor().executemany(
                    "INSERT INTO projects (id, name) VALUES (%s, 'bench')", [(project,) for project in projects]
                )
        return projects

    def rotated(self) -> SealingKey:
        """Make a new sealing key, and return it."""
        return sealing_key_of(self.database, self.root_key, self.vault.rotate_sealing_key())

    def reopened(self, **settings: Any) -> strongroom.Vault:
        """Another vault on the same database, with other settings."""
        vault = strongroom.open(self.database, root_key=self.root_key, **settings)
        self.stack.callback(vault.close)
        return vault

    def default_engine(self) -> sa.Engine:
        """An engine as SQLAlchemy makes it by default, as durable as strongroom's own."""
        if self.kind == "postgresql":
            engine = sa.create_engine(self.database.replace("postgresql:", "postgresql+psycopg:", 1))
        else:
            engine = sa.create_engine(self.database)
            durability = self.vault.status().store.durability

            @sa.event.listens_for(engine, "connect")
            def _durable(connection: Any, _: Any) -> None:
                for name, value in durability.items():
                    connection.execute(f"PRAGMA {name} = {value}").fetchall()

        self.stack.callback(engine.dispose)
        return engine


@dataclass(frozen=True, slots=True)
class Backend:
    """A kind of database, and how to get one with an empty vault: a copy of one that was made before."""

    kind: str
    directory: Path
    server: str = ""
    """The URL of a PostgreSQL server's database ``postgres``; empty for SQLite."""
    _templates: dict[str | None, str] = field(default_factory=dict, compare=False, repr=False)
    """Names of databases with an empty vault, by the generation of the legacy tables in them."""

    @contextmanager
    def installation(self, generation: str | None = None) -> Iterator[Installation]:
        """A new database with a vault in it, removed afterwards; with a generation, alongside legacy tables."""
        template = self._templates.get(generation) or self._make_template(generation)
        root_key = self._root_key(template)
        with ExitStack() as stack:
            database = self._make_database(name := _new_name(), template)
            stack.callback(self._remove, name)
            vault = strongroom.open(database, root_key=root_key)
            stack.callback(vault.close)
            context, sealing = _inside(database, root_key)
            stack.callback(context.store.close)
            yield Installation(self.kind, database, root_key, vault, context, sealing, stack, generation is not None)

    def close(self) -> None:
        """Remove what the copies were made of."""
        for template in self._templates.values():
            self._remove(template)

    def _make_template(self, generation: str | None) -> str:
        name = self._templates[generation] = _new_name()
        database = self._make_database(name, None)
        if generation is not None:
            _make_existing(database, generation)
        strongroom.init(database, root_key=self._root_key(name)).close()
        return name

    def _root_key(self, template: str) -> str:
        return f"file:{self.directory / template}.root"

    def _make_database(self, name: str, template: str | None) -> str:
        """Make a database, or copy one; its URL."""
        if self.kind == "sqlite":
            folder = self.directory / name
            if template is None:
                folder.mkdir(mode=0o700)
            else:
                shutil.copytree(self.directory / template, folder)
            return f"sqlite:///{folder}/vault.db"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template or "template1"}"')
        return sa.make_url(self.server).set(database=name).render_as_string(hide_password=False)

    def _remove(self, name: str) -> None:
        if self.kind == "sqlite":
            shutil.rmtree(self.directory / name)
        else:
            self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(statement.encode())


def _new_name() -> str:
    return f"bench_{uuid.uuid4().hex[:12]}"


@contextmanager
def open_backends(kinds: list[str], server: str | None) -> Iterator[list[Backend]]:
    """SQLite in a temporary directory, and PostgreSQL: the server that is given, or one from the wheel."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="strongroom-bench-")))
        if "postgresql" in kinds and server is None:
            from testbed.servers.postgres import PostgresServer

            server = stack.enter_context(PostgresServer.start()).url()
        backends = [Backend(kind, directory, server or "" if kind == "postgresql" else "") for kind in kinds]
        for backend in backends:
            stack.callback(backend.close)
        yield backends


def _inside(database: str, root_key: str) -> tuple[VaultContext, SealingKey]:
    settings = Settings(database=database, root_key=root_key)
    own = Database(store_engine(settings.database))
    store = SqlStore(StoreContext(own, read_profile(own)))
    opener, rows = open_root_key(root_key), store.keyring.read_keyring()
    if rows is None:
        raise RuntimeError("the vault was not initialised")
    sealing = SealingKey(rows.active_kid, unwrap_one(opener, rows.wraps[0]).reveal())
    context = VaultContext(
        store, keyring.unwrap(rows, opener), TABLE, lambda: datetime.now(UTC), opener, open_root_key, FieldTexts(TABLE)
    )
    return context, sealing


def sealing_key_of(database: str, root_key: str, kid: str) -> SealingKey:
    """A sealing key of a database, unwrapped."""
    own = Database(store_engine(database))
    try:
        rows = SqlStore(StoreContext(own, read_profile(own))).keyring.read_keyring()
    finally:
        own.close()
    if rows is None:
        raise RuntimeError("the vault was not initialised")
    (wrap,) = (wrap for wrap in rows.wraps if wrap.kid == kid)
    return SealingKey(kid, unwrap_one(open_root_key(root_key), wrap).reveal())


def _make_existing(database: str, generation: str) -> None:
    """The wallet tables as the legacy application made them."""
    import psycopg

    from testbed.legacy import schema_sql

    with psycopg.connect(database) as connection:
        connection.execute(schema_sql(generation).encode())
