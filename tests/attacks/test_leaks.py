"""Promise 8, systematically: every verb, every command and every error, with secrets in play, seen nowhere."""

from __future__ import annotations

import ast
import asyncio
import inspect
import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import strongroom
from strongroom import AsyncVault, Vault
from strongroom.errors import all_errors
from strongroom.rootkeys import local
from tests.acceptance.test_cli import call
from tests.acceptance.test_cli_docs import commands
from tests.attacks import leak_commands, leak_damage, leak_requests, leak_verbs
from tests.attacks.leak_bench import ERRORS, Bench
from tests.attacks.leak_verbs import ENVIRONMENT_KEY, Scene, Verb
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally
from tests.attacks.watch import LOGGED_ON_ERROR, Since, Watch, watch
from tests.integration.foreign import legacy_templates, make_legacy
from tests.integration.rows import execute
from tests.servers.postgres import PostgresServer

__all__ = ["leak_damage", "leak_requests", "legacy_templates", "make_legacy", "watch"]

GROUNDS = ("sqlite", "fresh")


def verbs_of(kind: type) -> set[str]:
    """The public verbs of a class."""
    return {name for name, value in inspect.getmembers(kind, callable) if name[0] != "_"}


@pytest.fixture(params=GROUNDS)
def ground(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(ground: str, request: pytest.FixtureRequest) -> PostgresServer | None:
    return None if ground == "sqlite" else request.getfixturevalue("postgres")


@pytest.fixture
def url(ground: str, request: pytest.FixtureRequest) -> str:
    """A new vault, whose server logs every statement with its parameters."""
    if ground == "sqlite":
        return str(request.getfixturevalue("sqlite_vault_url"))
    return str(request.getfixturevalue("make_postgresql_vault")(**LOGGED_ON_ERROR))


@pytest.fixture
def scene(
    watch: Watch, url: str, root_key_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    """An open vault; root keys and sealing keys are watched, too."""
    second = leak_verbs.new_root_key(watch)
    monkeypatch.setenv(ENVIRONMENT_KEY, second)
    file = Path(root_key_uri.removeprefix("file:"))
    watch.learn("root key", local.parse_text(strongroom.Secret.from_text(file.read_text()), "it"))
    given = tmp_path / "given"
    given.mkdir(mode=0o700)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        watch.learn_keyring(vault)
        yield Scene(watch, vault, url, root_key_uri, given, second)


def at_once(vault: Vault, name: str) -> Verb:
    """A verb as it is."""

    def call(*arguments: Any, **options: Any) -> Any:
        result = getattr(vault, name)(*arguments, **options)
        return list(result) if inspect.isgenerator(result) else result

    return call


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


@pytest.mark.parametrize("bind", [at_once, awaited])
def test_no_verb_shows_a_secret(
    bind: Any, scene: Scene, ground: str, server: PostgresServer | None, tally: StartTally
) -> None:
    row, watch, since = tally("canary", ground), scene.watch, Since.now(scene.url, server)
    for name, drive in leak_verbs.DRIVES.items():
        for result in drive(scene, bind(scene.vault, name)):
            watch.result(result, name)
        watch.streams(name)
        row.fault(name)
    watch.process("all verbs")
    watch.database(scene.url, server, since, "all verbs")
    finish(row, watch)
    assert sum(execute(scene.url, "SELECT count(*) FROM credential_usage_logs")[0]) > 40
    if server is not None:
        assert "INSERT INTO strongroom_vault_history" in server.read_log()[since.log_bytes :]


def finish(row: Tally, watch: Watch) -> None:
    """Nothing was seen, and it was looked for."""
    row.leaked += len({(leak.rendering, leak.where) for leak in watch.leaks})
    watch.assert_nothing()


NEVER_RAISED = {"strongroom-error", "signing", "proof-failed", "store-error"}
"""Errors that group others: no secret can be near what is never raised."""


@pytest.fixture
def bench(scene: Scene, ground: str, server: PostgresServer | None, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """What drives of errors work with."""
    made = Bench(scene, ground, server, request)
    with made.stack:
        yield made


def test_no_error_shows_a_secret(bench: Bench, ground: str, tally: StartTally) -> None:
    row, watch, since = tally("canary", ground), bench.watch, Since.now(bench.scene.url, bench.server)
    for code, drives in ERRORS.items():
        for drive in drives:
            if ground not in drive.grounds:
                continue
            during = f"{code}, {drive.run.__name__}"
            with pytest.raises(strongroom.StrongroomError) as caught:
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
    assert set(ERRORS) | NEVER_RAISED == set(codes)
    assert set(ERRORS) & NEVER_RAISED == set()
    groups = {codes[code].__name__ for code in NEVER_RAISED}
    for file in Path(strongroom.__file__).parent.rglob("*.py"):
        calls = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
        called = {node.func.id for node in calls if isinstance(node.func, ast.Name)}
        assert called & groups == set(), file


@pytest.fixture
def by_hand(scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scene:
    """The command line finds the vault by its environment, and tells all that it can."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STRONGROOM_DATABASE_URL", scene.url)
    monkeypatch.setenv("STRONGROOM_ROOT_KEY", scene.root_key)
    monkeypatch.setenv("STRONGROOM_DEBUG", "1")
    return scene


def test_no_command_shows_a_secret(
    by_hand: Scene, ground: str, server: PostgresServer | None, tally: StartTally
) -> None:
    scene, row = by_hand, tally("canary", ground)
    watch, since = scene.watch, Since.now(scene.url, server)
    revealed = 0
    for name, drive in leak_commands.COMMANDS.items():
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
    assert revealed == 2
    watch.process("all commands")
    watch.database(scene.url, server, since, "all commands")
    finish(row, watch)


def test_every_command_is_driven() -> None:
    assert set(leak_commands.COMMANDS) == {name for name, _ in commands()}


def test_every_verb_is_driven() -> None:
    assert set(leak_verbs.DRIVES) == verbs_of(Vault) == verbs_of(AsyncVault)
    assert list(leak_verbs.DRIVES)[-1] == "close"


# --- a secret where none belongs -----------------------------------------------------------------------------

TAKES_SECRETS = {"private_key", "mnemonic", "passphrase", "keystore", "keystore_password", "password"}
KEPT_BY_DESIGN = {"actor", "reason", "idempotency_key", "connection"}
"""What callers say of themselves, and of what they ask; it stands in the logs."""


def misplaced(verb: Verb, name: str, told: Any, secret: str) -> Verb:
    """The verb, called with a secret in the place of each argument before it is called as it should be."""
    signature = inspect.signature(getattr(Vault, name))

    def call(*arguments: Any, **options: Any) -> Any:
        given = signature.bind_partial(None, *arguments, **options)
        for place in set(signature.parameters) - TAKES_SECRETS - KEPT_BY_DESIGN - {"self"}:
            changed = inspect.BoundArguments(signature, given.arguments.copy())
            if signature.parameters[place].kind is inspect.Parameter.VAR_KEYWORD:
                changed.arguments[place] = {"option": secret}
            else:
                changed.arguments[place] = secret
            try:
                verb(*changed.args[1:], **changed.kwargs)
            except strongroom.StrongroomError as error:
                told(error, f"{name}, {place}")
        return verb(*arguments, **options)

    return call


def test_a_secret_in_the_wrong_place_is_not_repeated(
    scene: Scene, ground: str, server: PostgresServer | None, tally: StartTally
) -> None:
    """A phrase where a wallet, a network or a path belongs: no message quotes it, and nothing keeps it."""
    row, watch, since = tally("canary misplaced", ground), scene.watch, Since.now(scene.url, server)

    def told(error: BaseException, during: str) -> None:
        watch.error(error, during, frames=False)
        row.fault(type(error).__name__)

    for name, drive in leak_verbs.DRIVES.items():
        drive(scene, misplaced(at_once(scene.vault, name), name, told, watch.phrase()))
        watch.streams(name)
    assert row.faults > 60
    watch.database(scene.url, server, since, "a misplaced secret")
    finish(row, watch)


def test_no_command_repeats_what_stands_in_the_wrong_place(by_hand: Scene, tally: StartTally) -> None:
    """For every argument and every option of every command; names of files that are written are told."""
    row, watch = tally("canary misplaced", "-"), by_hand.watch
    phrase = watch.phrase()
    for name, command in commands():
        first = next(leak_commands.COMMANDS[name](by_hand)).arguments
        for parameter in command.params:
            option = next((each for each in parameter.opts if each.startswith("--")), None)
            if (name, option) in WRITES_FILES or getattr(parameter, "is_flag", False):
                continue
            arguments = [*first, option, phrase] if option else [phrase, *first[1:]]
            answer = call(*name.split(), *arguments)
            watch.said(f"{answer.out}\n{answer.err}", f"{name} {option}", "a misplaced secret")
            row.fault(name)
    finish(row, watch)


WRITES_FILES = {("root-key new", None), ("repair", "--plan"), ("init", "--config"), ("init", "--root-key")}


# --- the watch sees ------------------------------------------------------------------------------------------


def plant_in_a_log(scene: Scene, secret: str) -> None:
    logging.getLogger("strongroom.planted").debug("opened %s", secret)
    scene.watch.streams("planted")


def plant_in_the_output(scene: Scene, secret: str) -> None:
    print(secret)
    scene.watch.streams("planted")


def plant_in_a_result(scene: Scene, secret: str) -> None:
    scene.watch.result({"key": bytes.fromhex(secret)}, "planted")


def plant_in_a_message(scene: Scene, secret: str) -> None:
    scene.watch.error(strongroom.InvalidPrivateKeyError(f"{secret} is not a key"), "planted", frames=False)


def plant_in_a_hint(scene: Scene, secret: str) -> None:
    scene.watch.error(strongroom.InvalidPrivateKeyError("No.", hint=secret.upper()), "planted", frames=False)


def plant_in_a_cause(scene: Scene, secret: str) -> None:
    try:
        try:
            raise ValueError(secret)
        except ValueError as error:
            raise strongroom.InvalidPrivateKeyError("No.") from error
    except strongroom.StrongroomError as error:
        scene.watch.error(error, "planted")


def plant_in_a_frame(scene: Scene, secret: str) -> None:
    with pytest.raises(strongroom.UnknownNetworkError) as caught:
        scene.vault.create_wallet(uuid4(), secret)
    scene.watch.error(caught.value, "planted")


def plant_in_a_temporary_file(scene: Scene, secret: str) -> None:
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(secret)
        file.flush()
        scene.watch.process("planted")


PLANTS = [
    plant_in_a_log,
    plant_in_the_output,
    plant_in_a_result,
    plant_in_a_message,
    plant_in_a_hint,
    plant_in_a_cause,
    plant_in_a_frame,
    plant_in_a_temporary_file,
]


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("ground", ["sqlite"], indirect=True)
def test_a_leak_that_is_planted_is_seen(scene: Scene, plant: Any) -> None:
    plant(scene, scene.watch.key().hex())
    assert scene.watch.leaks
    with pytest.raises(AssertionError, match="private key: "):
        scene.watch.assert_nothing()


@pytest.mark.parametrize("kind", ["a private key", "a key of the vault's own", "a sealing key", "a root key"])
def test_a_secret_that_is_kept_in_clear_is_seen(scene: Scene, server: PostgresServer | None, kind: str) -> None:
    """In a row, in the file, in the log that is written ahead, and in the server's log."""
    since, watch = Since.now(scene.url, server), scene.watch
    made = scene.vault.reveal(scene.vault.create_wallet(uuid4(), "ethereum").wallet, **leak_verbs.WHO)
    clear = {
        "a private key": watch.key().hex(),
        "a key of the vault's own": made.private_key.reveal_text(),
        "a sealing key": scene.vault._parts.keyring._keys[scene.vault._parts.keyring.active_kid].reveal().hex(),
        "a root key": scene.second_root_key,
    }[kind]
    scene.execute("UPDATE credential_usage_logs SET ip_address = ?", clear)
    watch.database(scene.url, server, since, "planted")
    places = {leak.where for leak in watch.leaks}
    assert "planted: rows" in places
    if server is not None:
        assert "planted: the server's log" in places
        assert any(len(place.split()[-1]) == 24 for place in places), "a segment of the write-ahead log"
    assert len(places) >= (2 if server is None else 4), places


def test_the_command_line_of_a_process_shows_no_secret(by_hand: Scene, ground: str) -> None:
    """As others on the machine see it, while the process waits for its standard input."""
    watch, key = by_hand.watch, by_hand.watch.key().hex()
    command = [sys.executable, "-m", "strongroom", "wallet", "import", "base", "--project", str(uuid4())]
    with subprocess.Popen(
        [*command, "--private-key-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        shown = [Path(f"/proc/{process.pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
        out, err = process.communicate(key.encode(), timeout=60)
    assert process.returncode == 0, err
    assert b"strongroom" in shown[0]
    for what in (shown[0], out, err):
        watch.found(watch.flock.in_bytes(what, "the process"), "process", "wallet import")
    assert key.encode() not in shown[1]
    watch.assert_nothing()
