"""Where a wallet's life is tested, what must hold there at any time, and what child processes do there."""

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
from strongroom.store import keyring_store
from tests.harness.child import arm, emit, gate
from tests.integration.rows import HALF_WRAPPED, execute, sqlite_copy
from tests.legacy import schema_sql

if TYPE_CHECKING:
    import pytest

    from tests.servers.postgres import PostgresServer

GROUNDS = ("sqlite", "fresh", "g2", "g3", "g4")
"""SQLite, PostgreSQL with tables of ours, and PostgreSQL with each generation of tables that other code made."""
FEW_GROUNDS = ("sqlite", "fresh", "g4")
"""For the tests that start many processes."""
PAGE = 4
"""How many rows a rewrap takes at once in these tests: boundaries between pages come early."""

_LIVE = "SELECT count(*) FROM project_credentials WHERE project_id = ? AND status = 'active'"
_BROKEN = """
SELECT (SELECT count(*) FROM project_credentials c
         WHERE 1 <> (SELECT count(*) FROM credential_vault_storage v WHERE v.credential_id = c.id)),
       (SELECT count(*) FROM project_credentials c
         WHERE c.status = 'active' AND 1 <> (SELECT count(*) FROM strongroom_slot s WHERE s.credential_id = c.id)),
       (SELECT count(*) FROM project_credentials c
         WHERE NOT EXISTS (SELECT 1 FROM credential_usage_logs l WHERE l.credential_id = c.id)),
       (SELECT count(*) FROM strongroom_slot s
         WHERE NOT EXISTS (SELECT 1 FROM project_credentials c WHERE c.id = s.credential_id)),
       (SELECT count(*) FROM strongroom_idempotency i
         WHERE NOT EXISTS (SELECT 1 FROM project_credentials c WHERE c.id = i.credential_id))
"""
_KEPT = """
SELECT count(*) FROM credential_vault_storage v
 WHERE NOT EXISTS (SELECT 1 FROM strongroom_vault_history h
                    WHERE h.credential_id = v.credential_id AND h.text = v.encrypted_private_key)
"""
_numbers = count(1)
_templates: dict[str, PostgresServer] = {}


@dataclass(frozen=True)
class Place:
    """A new, initialised database: one of ``GROUNDS``."""

    ground: str
    url: str
    root_key: str

    @property
    def foreign(self) -> bool:
        """Whether other code made the wallet tables."""
        return self.ground.startswith("g")

    def open(self, **settings: Any) -> strongroom.Vault:
        """Open the vault once more, with connections of its own."""
        return strongroom.open(self.url, **{"root_key": self.root_key, **settings})

    def project(self) -> UUID:
        """A new project; other code's tables want a row for it."""
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
        assert self.execute(_BROKEN)[0] == (0, 0, 0, 0, 0)
        if self.foreign:
            assert self.execute(_KEPT)[0] == (0,), "texts that are not in the history"
        self.assert_keyring()
        if vault is not None:
            assert [result for result in vault.verify() if not result.ok] == []
        else:
            with self.open() as opened:
                assert [result for result in opened.verify(phrases=True) if not result.ok] == []

    def assert_keyring(self) -> None:
        """One sealing key is active, and every root key wraps every sealing key."""
        assert list(self.states().values()).count("active") == 1
        assert self.execute(HALF_WRAPPED) == []


@contextmanager
def open_place(ground: str, request: pytest.FixtureRequest) -> Iterator[Place]:
    """A new database of a ground, another one at each call, gone afterwards; it is cloned from a template."""
    root_key = str(request.getfixturevalue("root_key_uri"))
    if ground == "sqlite":
        folder = Path(request.getfixturevalue("private_path")) / f"place-{next(_numbers)}"
        folder.mkdir(mode=0o700)
        yield Place(ground, sqlite_copy(request.getfixturevalue("sqlite_template"), folder), root_key)
        shutil.rmtree(folder)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    template = (
        _template(server, ground, root_key)
        if ground.startswith("g")
        else request.getfixturevalue("postgresql_template")
    )
    database = f"life_{ground}_{next(_numbers)}"
    yield Place(ground, server.create_database(database, template=template), root_key)
    server.drop_database(database)


def _template(server: PostgresServer, ground: str, root_key: str) -> str:
    """The name of the initialised database beside other code's tables that a server's databases are cloned from."""
    template = f"life_template_{ground}"
    if _templates.get(template) is not server:
        url = server.create_database(template)
        execute(url, schema_sql(ground).replace("%", "%%"))
        strongroom.init(url, root_key=root_key).close()
        _templates[template] = server
    return template


# --- children ------------------------------------------------------------------------------------------------


def replace(url: str, root_key: str, wallet: str, key: str | None = None) -> None:
    """Replace a wallet, stopped or killed from the first statement on."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        successor, created = vault.replace_wallet(wallet, idempotency_key=key)
        emit({"id": str(successor.id), "address": successor.address, "created": created})


def race_to_replace(url: str, root_key: str, wallet: str) -> None:
    """Replace a wallet at the same moment as every other child."""
    with strongroom.open(url, root_key=root_key) as vault:
        gate()
        successor, created = vault.replace_wallet(wallet)
        emit({"id": str(successor.id), "created": created})


def revoke(url: str, root_key: str, wallet: str) -> None:
    """Revoke a wallet."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        emit({"status": vault.revoke_wallet(wallet).status})


def rotate(url: str, root_key: str) -> None:
    """Make a new sealing key."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        emit({"kid": vault.rotate_sealing_key()})


def rewrap(url: str, root_key: str) -> None:
    """Rewrap everything, a few rows at a time."""
    keyring_store._PAGE = PAGE
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        results = list(vault.rewrap())
        emit({"rewrapped": sum(result.rewrapped for result in results), "codes": [each.code for each in results]})


def race_to_rewrap(url: str, root_key: str) -> None:
    """Rewrap everything at the same moment as every other child."""
    keyring_store._PAGE = PAGE
    with strongroom.open(url, root_key=root_key) as vault:
        gate()
        results = list(vault.rewrap())
        emit({"rewrapped": sum(result.rewrapped for result in results), "failed": sum(not r.ok for r in results)})


def race_to_rotate(url: str, root_key: str) -> None:
    """Rotate at the same moment as every other child; emit the kid, or the error's code."""
    with strongroom.open(url, root_key=root_key) as vault:
        gate()
        try:
            emit({"kid": vault.rotate_sealing_key()})
        except strongroom.StrongroomError as error:
            emit({"error": error.code})


def add_root_key(url: str, root_key: str, uri: str) -> None:
    """Add a root key."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        vault.add_root_key(uri)
        emit({"added": uri})


def remove_root_key(url: str, root_key: str, uri: str) -> None:
    """Remove a root key."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        vault.remove_root_key(uri)
        emit({"removed": uri})


def seal_after_a_look(url: str, root_key: str, wallet: str, project: str) -> None:
    """In a process of its own: read one wallet, then create another; emit what seals by then."""
    with strongroom.open(url, root_key=root_key) as vault:
        gate()
        ok = all(result.ok for result in vault.verify(wallet))
        created, _ = vault.create_wallet(project, "ethereum", label="later")
        emit({"ok": ok, "id": str(created.id)})


def erase(url: str, root_key: str, project: str) -> None:
    """Erase a project, stopped from the first statement on."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        erased = vault.erase_project(project, actor="operator", reason="request 17")
        emit({"wallets": erased.wallets, "complete": erased.complete})


def race_to_erase(url: str, root_key: str, project: str) -> None:
    """Erase a project at the same moment as every other child."""
    with strongroom.open(url, root_key=root_key) as vault:
        gate()
        erased = vault.erase_project(project, actor="operator", reason="request 17")
        emit({"wallets": erased.wallets, "complete": erased.complete})
