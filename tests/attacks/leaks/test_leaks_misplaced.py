"""A secret where none belongs is not repeated; and the watch, of which all of this is worth as much, sees a leak."""

from __future__ import annotations

import inspect
import logging
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import strongroom
from strongroom import Vault
from testbed.command_line import call, commands
from testbed.servers.postgres import PostgresServer
from tests.attacks.leaks import verbs
from tests.attacks.leaks.commands import COMMANDS
from tests.attacks.leaks.verbs import TAKES_SECRETS, LeakScene, Verb, at_once
from tests.attacks.leaks.watch import Since, finish
from tests.attacks.summary import StartTally

# --- a secret where none belongs -----------------------------------------------------------------------------

KEPT_BY_DESIGN = {"actor", "reason", "idempotency_key", "connection"}
"""What callers say of themselves, and of what they ask; it is in the logs."""


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
    scene: LeakScene, backend: str, server: PostgresServer | None, tally: StartTally
) -> None:
    """A phrase where a wallet, a network or a path belongs: no message quotes it, and nothing keeps it."""
    row, watch, since = tally("canary misplaced", backend), scene.watch, Since.now(scene.url, server)

    def told(error: BaseException, during: str) -> None:
        watch.error(error, during, frames=False)
        row.fault(type(error).__name__)

    for name, drive in verbs.DRIVES.items():
        drive(scene, misplaced(at_once(scene.vault, name), name, told, watch.phrase()))
        watch.streams(name)
    assert row.faults > 60
    watch.database(scene.url, server, since, "a misplaced secret")
    finish(row, watch)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_no_command_repeats_what_stands_in_the_wrong_place(by_hand: LeakScene, tally: StartTally) -> None:
    """For every argument and every option of every command; paths of files are named."""
    row, watch = tally("canary misplaced", "-"), by_hand.watch
    phrase = watch.phrase()
    for name, each_command in list(commands()):
        first = next(COMMANDS[name](by_hand)).arguments
        positional = [each for each in each_command.params if each.param_type_name == "argument"]
        for parameter in each_command.params:
            option = next((each for each in parameter.opts if each.startswith("--")), None)
            named = option or parameter.name
            if option == "--config" or (name, named) in NAMES_FILES or getattr(parameter, "is_flag", False):
                continue
            place = 0 if option else positional.index(parameter)
            arguments = [*first, option, phrase] if option else [*first[:place], phrase, *first[place + 1 :]]
            answer = call(*name.split(), *arguments)
            watch.said(f"{answer.out}\n{answer.err}", f"{name} {option}", "a misplaced secret")
            row.fault(name)
    finish(row, watch)


NAMES_FILES = {
    ("root-key new", "file"),
    ("repair", "--plan"),
    ("repair", "--apply"),
    ("init", "--root-key"),
    *((f"sign {what}", "payload") for what in ("message", "typed-data", "transaction", "psbt")),
}


# --- the watch sees ------------------------------------------------------------------------------------------


def plant_in_a_log(scene: LeakScene, secret: str) -> None:
    logging.getLogger("strongroom.planted").debug("opened %s", secret)
    scene.watch.streams("planted")


def plant_in_the_output(scene: LeakScene, secret: str) -> None:
    print(secret)
    scene.watch.streams("planted")


def plant_in_a_result(scene: LeakScene, secret: str) -> None:
    scene.watch.result({"key": bytes.fromhex(secret)}, "planted")


def plant_in_a_message(scene: LeakScene, secret: str) -> None:
    scene.watch.error(strongroom.InvalidPrivateKeyError(f"{secret} is not a key"), "planted", frames=False)


def plant_in_a_hint(scene: LeakScene, secret: str) -> None:
    scene.watch.error(strongroom.InvalidPrivateKeyError("No.", hint=secret.upper()), "planted", frames=False)


def plant_in_a_cause(scene: LeakScene, secret: str) -> None:
    try:
        try:
            raise ValueError(secret)
        except ValueError as error:
            raise strongroom.InvalidPrivateKeyError("No.") from error
    except strongroom.StrongroomError as error:
        scene.watch.error(error, "planted")


def plant_in_a_frame(scene: LeakScene, secret: str) -> None:
    with pytest.raises(strongroom.UnknownNetworkError) as caught:
        scene.vault.create_wallet(uuid4(), secret)
    scene.watch.error(caught.value, "planted")


def plant_in_a_temporary_file(scene: LeakScene, secret: str) -> None:
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
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_leak_that_is_planted_is_seen(scene: LeakScene, plant: Any) -> None:
    plant(scene, scene.watch.key().hex())
    assert scene.watch.leaks
    with pytest.raises(AssertionError, match="private key: "):
        scene.watch.assert_nothing()


@pytest.mark.parametrize("kind", ["a private key", "a key of the vault's own", "a sealing key", "a root key"])
def test_a_secret_that_is_kept_in_plaintext_is_seen(scene: LeakScene, server: PostgresServer | None, kind: str) -> None:
    """In a row, in the file, in the log that is written ahead, and in the server's log."""
    since, watch = Since.now(scene.url, server), scene.watch
    made = scene.vault.reveal(scene.vault.create_wallet(uuid4(), "ethereum").wallet, **verbs.WHO)
    clear = {
        "a private key": watch.key().hex(),
        "a key of the vault's own": made.private_key.reveal_text(),
        "a sealing key": scene.vault._context.keyring._now.keys[scene.vault._context.keyring.active_kid].reveal().hex(),
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


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_the_command_line_of_a_process_shows_no_secret(by_hand: LeakScene) -> None:
    """As others on the machine see it, while the process waits for its standard input."""
    watch, key = by_hand.watch, by_hand.watch.key().hex()
    command = [sys.executable, "-m", "strongroom", "wallet", "import", "base", "--project", str(uuid4())]
    with subprocess.Popen(
        [*command, "--private-key-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        give_up = time.monotonic() + 60
        while b"strongroom" not in Path(f"/proc/{process.pid}/cmdline").read_bytes():
            assert process.poll() is None
            assert time.monotonic() < give_up
        shown = [Path(f"/proc/{process.pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
        out, err = process.communicate(key.encode(), timeout=60)
    assert process.returncode == 0, err
    for what in (shown[0], out, err):
        watch.found(watch.flock.in_bytes(what, "the process"), "process", "wallet import")
    assert key.encode() not in shown[1]
    watch.assert_nothing()
