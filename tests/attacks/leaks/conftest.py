"""A vault on each backend, with every secret of it watched."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import strongroom
from strongroom.cli import app
from strongroom.rootkeys import local
from testbed.harness.sizes import seeded
from testbed.servers.postgres import PostgresServer
from tests.attacks.leaks import verbs
from tests.attacks.leaks.verbs import ENVIRONMENT_KEY, LeakScene
from tests.attacks.leaks.watch import LOGGED_ON_ERROR, LOGGERS, Watch

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


@pytest.fixture
def watch(
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Watch]:
    """A watch that learns everything, with all logs at DEBUG and temporary files in a directory of its own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    for name in ("TMPDIR", "TEMP", "TMP", "SQLITE_TMPDIR"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    for name in [name for name in os.environ if name.startswith("STRONGROOM_") and "TEST" not in name]:
        monkeypatch.delenv(name)
    made = Watch(seeded(request.node.name), caplog, capfd, folder)
    made.learn_everything(monkeypatch)
    with caplog.at_level(logging.DEBUG):
        for name in LOGGERS:
            caplog.set_level(logging.DEBUG, logger=name)
        yield made
