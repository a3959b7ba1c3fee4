"""A database of each kind with a vault in it, cloned for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import strongroom
from testbed.databases.rows import HALF_WRAPPED, execute, lonely, named_in, sqlite_copy
from testbed.legacy import schema_sql

if TYPE_CHECKING:
    import pytest

    from testbed.servers.postgres import PostgresServer


BACKENDS = ("sqlite", "fresh", "g2", "g3", "g4")
"""SQLite, PostgreSQL with tables of ours, and PostgreSQL with each generation of legacy tables."""
CORE_BACKENDS = ("sqlite", "fresh", "g4")
"""For the tests that start many processes."""
PAGE = 4
"""How many rows a rewrap takes at once in these tests: boundaries between pages come early."""

_LIVE = "SELECT count(*) FROM project_credentials WHERE project_id = ? AND status = 'active'"
_KEPT = """
SELECT count(*) FROM credential_vault_storage v
 WHERE NOT EXISTS (SELECT 1 FROM strongroom_vault_history h
                    WHERE h.credential_id = v.credential_id AND h.text = v.encrypted_private_key)
"""
_numbers = count(1)
_templates: dict[str, PostgresServer] = {}


@dataclass(frozen=True)
class Deployment:
    """A new, initialised database on one backend."""

    backend: str
    url: str
    root_key: str

    @property
    def foreign(self) -> bool:
        """Whether the legacy application made the wallet tables."""
        return self.backend.startswith("g")

    def open(self, **settings: Any) -> strongroom.Vault:
        """Open the vault once more, with connections of its own."""
        return strongroom.open(self.url, **{"root_key": self.root_key, **settings})

    def project(self) -> UUID:
        """A new project; legacy tables want a row for it."""
        project = uuid4()
        if self.foreign:
            execute(self.url, "INSERT INTO projects (id, name) VALUES (?, 'test')", (str(project),))
        return project

    def execute(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run a statement by the bare driver."""
        return execute(self.url, sql, tuple(str(each) for each in parameters))

    def texts(self) -> dict[UUID, str]:
        """The text of every vault record, by the wallet's id."""
        found = self.execute("SELECT credential_id, encrypted_private_key FROM credential_vault_storage")
        return {UUID(str(wallet_id)): text for wallet_id, text in found}

    def live(self, project: UUID) -> int:
        """How many live wallets a project has."""
        return int(self.execute(_LIVE, project)[0][0])

    def states(self) -> dict[str, str]:
        """The state of every sealing key, by kid."""
        return dict(self.execute("SELECT kid, state FROM strongroom_keyring"))

    def assert_sound(self, vault: strongroom.Vault | None = None) -> None:
        """Every wallet is whole and proves, live ones have their slot, and every root key opens the keyring."""
        self.assert_whole()
        if self.foreign:
            assert self.execute(_KEPT)[0] == (0,), "texts that are not in the history"
        self.assert_keyring()
        if vault is not None:
            assert [result for result in vault.verify() if not result.ok] == []
        else:
            with self.open() as opened:
                assert [result for result in opened.verify(phrases=True) if not result.ok] == []

    def assert_whole(self) -> None:
        """Each wallet has one record and a log row, live ones have one slot, and nothing names one that is gone."""
        assert lonely(self.url) == (0, 0, 0, 0, 0, 0)
        twice = {table: named_in(self.url, table) for table in ("credential_vault_storage", "strongroom_slot")}
        assert [each for named in twice.values() for each, rows in named.items() if rows > 1] == []

    def assert_keyring(self) -> None:
        """One sealing key is active, and every root key wraps every sealing key."""
        assert list(self.states().values()).count("active") == 1
        assert self.execute(HALF_WRAPPED) == []


@contextmanager
def open_deployment(backend: str, request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """A new database of a backend, another one at each call, gone afterwards; it is cloned from a template."""
    root_key = str(request.getfixturevalue("root_key_uri"))
    if backend == "sqlite":
        folder = Path(request.getfixturevalue("private_path")) / f"place-{next(_numbers)}"
        folder.mkdir(mode=0o700)
        yield Deployment(backend, sqlite_copy(request.getfixturevalue("sqlite_template"), folder), root_key)
        shutil.rmtree(folder)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    template = (
        _template(server, backend, root_key)
        if backend.startswith("g")
        else request.getfixturevalue("postgresql_template")
    )
    database = f"life_{backend}_{next(_numbers)}"
    yield Deployment(backend, server.create_database(database, template=template), root_key)
    server.drop_database(database)


def _template(server: PostgresServer, backend: str, root_key: str) -> str:
    """The name of the initialised database with legacy tables that a server's databases are cloned from."""
    template = f"life_template_{backend}"
    if _templates.get(template) is not server:
        url = server.create_database(template)
        execute(url, schema_sql(backend).replace("%", "%%"))
        strongroom.init(url, root_key=root_key).close()
        _templates[template] = server
    return template
