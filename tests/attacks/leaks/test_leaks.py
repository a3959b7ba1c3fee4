"""Promise 8, systematically: every verb, every command and every error, with secrets in play, seen nowhere."""

from __future__ import annotations

import ast
import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest

import strongroom
from strongroom import AsyncVault, Vault
from strongroom.errors import all_errors
from strongroom.vault import async_vault
from testbed.command_line import call, commands
from testbed.databases.rows import execute
from testbed.servers.postgres import PostgresServer
from tests.attacks.leaks import damage, refused_connections, requests, verbs
from tests.attacks.leaks.bench import ERRORS, Bench
from tests.attacks.leaks.commands import COMMANDS
from tests.attacks.leaks.verbs import TAKES_SECRETS, LeakScene, Verb, at_once
from tests.attacks.leaks.watch import Since, finish
from tests.attacks.summary import StartTally

__all__ = [
    "damage",
    "refused_connections",
    "requests",
]


def verbs_of(kind: type) -> set[str]:
    """The public verbs of a class."""
    return {name for name, value in inspect.getmembers(kind, callable) if name[0] != "_"}


def awaited(vault: Vault, name: str) -> Verb:
    """A verb of the same vault's AsyncVault, in an event loop of its own."""

    def call(*arguments: Any, **options: Any) -> Any:
        async def run() -> Any:
            result = getattr(AsyncVault(vault), name)(*arguments, **options)
            if inspect.isasyncgen(result):
                return [each async for each in result]
            return await result if inspect.isawaitable(result) else result

        return asyncio.run(run())

    return call


@pytest.mark.parametrize(
    ("bind", "backend"), [(at_once, "sqlite"), (at_once, "fresh"), (awaited, "sqlite")], indirect=["backend"]
)
def test_no_verb_shows_a_secret(
    bind: Any, scene: LeakScene, backend: str, server: PostgresServer | None, tally: StartTally
) -> None:
    row, watch, since = tally("canary", backend), scene.watch, Since.now(scene.url, server)
    for name, drive in verbs.DRIVES.items():
        for result in drive(scene, bind(scene.vault, name)):
            watch.result(result, name)
        watch.streams(name)
        row.fault(name)
    watch.process("all verbs")
    watch.database(scene.url, server, since, "all verbs")
    finish(row, watch)
    assert sum(execute(scene.url, "SELECT count(*) FROM credential_usage_logs")[0]) > 40
    if server is not None:
        assert 'INSERT INTO "strongroom".strongroom_vault_history' in server.read_log()[since.log_bytes :]


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_an_async_vault_that_opens_itself_shows_no_secret(scene: LeakScene) -> None:
    """``open`` is no verb of a vault that is there: it is driven here."""

    async def opened() -> AsyncVault:
        return await AsyncVault.open(scene.url, root_key=scene.root_key)

    vault = asyncio.run(opened())
    scene.watch.learn_keyring(vault.vault)
    scene.watch.result(vault, "open")
    vault.vault.close()
    scene.watch.streams("open")
    scene.watch.process("open")
    scene.watch.assert_nothing()


NEVER_RAISED = {"strongroom-error", "signing", "proof-failed", "store-error"}
"""Errors that group others: no secret can be near what is never raised."""


ON_CITUS = {"distribution-refused"}
"""What only a cluster says; tests/citus provokes it, and no key is open then."""


@pytest.fixture
def bench(scene: LeakScene, backend: str, server: PostgresServer | None, request: pytest.FixtureRequest) -> Bench:
    """What drives of errors work with."""
    return Bench(scene, backend, server, request)


def test_no_error_shows_a_secret(bench: Bench, backend: str, tally: StartTally) -> None:
    row, watch, since = tally("canary", backend), bench.watch, Since.now(bench.scene.url, bench.server)
    for code, drives in ERRORS.items():
        for drive in drives:
            if backend not in drive.backends:
                continue
            during = f"{code}, {drive.run.__name__}"
            with bench.healing, pytest.raises(strongroom.StrongroomError) as caught:
                drive.run(bench)
            assert caught.value.code == code, during
            watch.error(caught.value, during, frames=drive.frames)
            watch.streams(during)
            row.fault(code)
    watch.process("all errors")
    watch.database(bench.scene.url, bench.server, since, "all errors", written_ahead=False)
    finish(row, watch)


def test_every_error_is_provoked() -> None:
    """On SQLite or PostgreSQL; what groups others is not raised anywhere."""
    codes = {kind.code: kind for kind in all_errors()}
    assert set(ERRORS) | NEVER_RAISED | ON_CITUS == set(codes)
    assert set(ERRORS) & (NEVER_RAISED | ON_CITUS) == set()
    groups = {codes[code].__name__ for code in NEVER_RAISED}
    for file in Path(strongroom.__file__).parent.rglob("*.py"):
        calls = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
        called = {node.func.id for node in calls if isinstance(node.func, ast.Name)}
        assert called & groups == set(), file


def test_no_command_shows_a_secret(
    by_hand: LeakScene, backend: str, server: PostgresServer | None, tally: StartTally
) -> None:
    scene, row = by_hand, tally("canary", backend)
    watch, since = scene.watch, Since.now(scene.url, server)
    revealed = 0
    for name, drive in COMMANDS.items():
        for number, each in enumerate(drive(scene)):
            during = f"{name}, {number}"
            options = ("--json",) if number % 2 else ()
            answer = call(*name.split(), *each.arguments, *options, stdin=each.stdin.encode())
            assert answer.code == each.code, f"{during}: {answer.err}"
            if each.reveals:
                revealed += bool(watch.flock.in_text(answer.out, "standard output"))
            else:
                watch.said(answer.out, "standard output", during)
            watch.said(answer.err, "standard error", during)
            watch.streams(during)
            row.fault(name)
    assert revealed == 4
    watch.process("all commands")
    watch.database(scene.url, server, since, "all commands")
    finish(row, watch)


def test_every_command_is_driven() -> None:
    assert set(COMMANDS) == {name for name, _ in commands()}


def test_every_verb_is_driven() -> None:
    assert set(verbs.DRIVES) == verbs_of(Vault) == verbs_of(AsyncVault) - {"open"}
    assert list(verbs.DRIVES)[-1] == "close"


def test_an_async_vault_wraps_every_secret_that_a_verb_takes() -> None:
    """The threads' frames hold its arguments."""
    taken = {name for verb in verbs_of(Vault) for name in inspect.signature(getattr(Vault, verb)).parameters}
    assert TAKES_SECRETS & taken == async_vault._SECRETS
    assert {name for name in taken if "password" in name or "passphrase" in name} <= async_vault._SECRETS
