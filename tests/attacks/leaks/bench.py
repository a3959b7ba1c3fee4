"""What the drives that provoke errors work with: an open vault, and new databases for those that do damage."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import strongroom
from strongroom import Vault, Wallet
from testbed.databases.foreign import add_project
from testbed.databases.rows import execute, sqlite_copy
from tests.attacks.leaks.verbs import LeakScene
from tests.attacks.leaks.watch import LOGGED_ON_ERROR, Watch

if TYPE_CHECKING:
    import pytest

    from testbed.servers.postgres import PostgresServer
    from testbed.servers.proxy import Proxy

BOTH = ("sqlite", "fresh")
SERVER = ("fresh",)
FILE = ("sqlite",)


@dataclass
class Bench:
    """A vault with a few wallets in it, and whatever a drive asks for in addition."""

    scene: LeakScene
    backend: str
    server: PostgresServer | None
    request: pytest.FixtureRequest
    healing: ExitStack = field(default_factory=ExitStack)
    """What undoes a drive."""

    @property
    def watch(self) -> Watch:
        """The watch."""
        return self.scene.watch

    @property
    def vault(self) -> Vault:
        """The vault that no drive damages."""
        return self.scene.vault

    @property
    def root_key(self) -> str:
        """The URI of the root key."""
        return self.scene.root_key

    def key(self) -> str:
        """A private key in hexadecimal."""
        return self.watch.key().hex()

    def bring(self, network: str = "base", **how: Any) -> Any:
        """Import a key; by default a good one, to a project of its own."""
        if not {"private_key", "mnemonic", "keystore"} & how.keys():
            how["private_key"] = self.key()
        return self.vault.import_wallet(how.pop("project", uuid4()), network, **how)

    def empty(self) -> str:
        """The URL of a database with nothing in it."""
        if self.server is None:
            return f"sqlite:///{self.scene.folder}/empty_{uuid4().hex[:8]}.db"
        return str(self.request.getfixturevalue("postgresql_url"))

    @cached_property
    def damaged(self) -> Damaged:
        """A second vault with one wallet in it. Drives damage it, and say how it is healed."""
        if self.server is None:
            template: Path = self.request.getfixturevalue("sqlite_template")
            folder = self.scene.folder / "damaged"
            folder.mkdir(mode=0o700)
            return self._damaged(sqlite_copy(template, folder))
        return self._damaged(str(self.request.getfixturevalue("make_postgresql_vault")(**LOGGED_ON_ERROR)))

    @cached_property
    def legacy(self) -> Damaged:
        """A third one, on legacy tables."""
        url = str(self.request.getfixturevalue("make_legacy")("g4", initialised=True))
        self.log_statements(url)
        return self._damaged(url, add_project(url))

    def found(self, generation: str) -> str:
        """The URL of a database of the legacy application, without strongroom; nothing is logged yet."""
        return str(self.request.getfixturevalue("make_legacy")(generation))

    def log_statements(self, url: str) -> None:
        """From now on the server logs the statements of a database."""
        if self.server is not None:
            (name,) = execute(url, "SELECT current_database()::text")[0]
            for setting, value in LOGGED_ON_ERROR.items():
                execute(url, f"ALTER DATABASE {name} SET {setting} = '{value}'")

    def proxy(self) -> Proxy:
        """A proxy in front of the server, for this test alone."""
        proxy: Proxy = self.request.getfixturevalue("proxy")
        proxy.disarm()
        return proxy

    def open(self, url: str, **settings: Any) -> Vault:
        """Open a vault until the drive ends."""
        opened = strongroom.open(url, **{"root_key": self.root_key, **settings})
        self.watch.learn_keyring(opened)
        return self.healing.enter_context(opened)

    def _damaged(self, url: str, project: UUID | None = None) -> Damaged:
        with strongroom.open(url, root_key=self.root_key) as vault:
            self.watch.learn_keyring(vault)
            wallet = vault.import_wallet(project or uuid4(), "ethereum", private_key=self.key()).wallet
        return Damaged(self, url, wallet)


@dataclass(frozen=True)
class Damaged:
    """A database of its own, with one wallet in it."""

    bench: Bench
    url: str
    wallet: Wallet

    def execute(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run a statement by the bare driver."""
        return execute(self.url, sql, parameters)

    def change(self, sql: str, *parameters: object, healed_by: str) -> None:
        """Do damage, until the drive ends."""
        self.execute(sql, *parameters)
        self.bench.healing.callback(self.execute, healed_by)

    def put(self, table: str, column: str, value: object) -> None:
        """Another value in a column of the one row that counts; in no log."""
        (before,) = self.execute(f"SELECT {column} FROM {table}")[0]
        self._quietly(f"UPDATE {table} SET {column} = ?", value)
        self.bench.healing.callback(self._quietly, f"UPDATE {table} SET {column} = ?", before)

    def text(self) -> str:
        """The sealed text of its wallet."""
        return str(self.execute("SELECT encrypted_private_key FROM credential_vault_storage")[0][0])

    def open(self, **settings: Any) -> Vault:
        """Open it until the drive ends."""
        return self.bench.open(self.url, **settings)

    def _quietly(self, sql: str, value: object) -> None:
        silence = "&options=-c%20log_statement%3Dnone%20-c%20log_min_duration_statement%3D-1"
        execute(self.url if self.bench.server is None else self.url + silence, sql, (value,))


@dataclass(frozen=True)
class Drive:
    """How an error is provoked while secrets are about."""

    run: Callable[[Bench], object]
    backends: tuple[str, ...] = BOTH
    frames: bool = True
    """Whether local variables are looked at, too: not where a secret is passed where none belongs."""


ERRORS: dict[str, list[Drive]] = {}
"""By the error's code."""


def provokes(
    code: str, backends: tuple[str, ...] = BOTH, *, frames: bool = True
) -> Callable[[Callable[[Bench], object]], Callable[[Bench], object]]:
    """Register a drive that provokes an error."""

    def register(run: Callable[[Bench], object]) -> Callable[[Bench], object]:
        ERRORS.setdefault(code, []).append(Drive(run, backends, frames))
        return run

    return register
