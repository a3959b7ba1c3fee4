"""Fixtures of the watch over secrets: a vault on each backend, with every secret of it watched. Modules bind them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import strongroom
from strongroom import Vault
from strongroom.cli import app
from strongroom.rootkeys import local
from testbed.servers.postgres import PostgresServer
from tests.attacks.leaks import verbs
from tests.attacks.leaks.verbs import ENVIRONMENT_KEY, LeakScene, Verb
from tests.attacks.leaks.watch import LOGGED_ON_ERROR, Watch
from tests.attacks.tally import Tally

Bind = Callable[[Vault, str], Verb]

BACKENDS = ("sqlite", "fresh")


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(backend: str, request: pytest.FixtureRequest) -> PostgresServer | None:
    return None if backend == "sqlite" else request.getfixturevalue("postgres")


@pytest.fixture
def url(backend: str, request: pytest.FixtureRequest) -> str:
    """A new vault, whose server logs every statement with its parameters."""
    if backend == "sqlite":
        return str(request.getfixturevalue("sqlite_vault_url"))
    return str(request.getfixturevalue("make_postgresql_vault")(**LOGGED_ON_ERROR))


@pytest.fixture
def scene(
    watch: Watch, url: str, root_key_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LeakScene]:
    """An open vault; root keys and sealing keys are watched, too."""
    second = verbs.new_root_key(watch)
    monkeypatch.setenv(ENVIRONMENT_KEY, second)
    file = Path(root_key_uri.removeprefix("file:"))
    watch.learn("root key", local.parse_text(strongroom.Secret.from_text(file.read_text()), "it"))
    given = tmp_path / "given"
    given.mkdir(mode=0o700)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        watch.learn_keyring(vault)
        yield LeakScene(watch, vault, url, root_key_uri, given, second)


def at_once(vault: Vault, name: str) -> Verb:
    """A verb as it is."""

    def call(*arguments: Any, **options: Any) -> Any:
        result = getattr(vault, name)(*arguments, **options)
        return list(result) if inspect.isgenerator(result) else result

    return call


def finish(row: Tally, watch: Watch) -> None:
    """Nothing was seen, and it was looked for."""
    row.leaked += len({(leak.rendering, leak.where) for leak in watch.leaks})
    watch.assert_nothing()


@pytest.fixture
def by_hand(scene: LeakScene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LeakScene:
    """The command line finds the vault by its environment, and tells all that it can."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STRONGROOM_DATABASE_URL", scene.url)
    monkeypatch.setenv("STRONGROOM_ROOT_KEY", scene.root_key)
    monkeypatch.setenv("STRONGROOM_DEBUG", "1")
    tree = typer.main.get_command(app.build())
    monkeypatch.setattr(typer.main, "get_command", lambda _: tree)  # to build it takes longer than to run it
    monkeypatch.setattr(app, "build", lambda: None)
    return scene
