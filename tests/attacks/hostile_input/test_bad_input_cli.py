"""Hostile arguments, files and standard input for every command: an exit code that is documented, and no traceback."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import typer
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from strongroom.cli import main
from strongroom.cli.app import build
from testbed.command_line import CommandResult
from testbed.harness.canary import report
from testbed.harness.sizes import SIZE, settle_seed
from tests.attacks.hostile_input.parsers import PARSERS
from tests.attacks.hostile_input.strategies import ANY_TEXT, CANARY, KEY, PASSWORD, WORDS, mutated
from tests.attacks.summary import StartTally

PROJECT = "6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11"
EXIT_CODES = {0, 1, 2, 3, 4, 5, 6}
_NAMES = {"--config", "--database", "--root-key", "--plan", "--apply"}
_SHELLS = {"install_completion", "show_completion"}
"""Options that write into the files of anyone who runs the tests."""
_FILES = {
    "phrase.txt": WORDS.encode(),
    "key.txt": KEY.hex().encode(),
    "password.txt": PASSWORD.encode(),
    "bytes.bin": bytes(range(256)),
    "empty": b"",
    "deep.json": b"[" * 100_000,
    "surrogate.json": b'{"format": "strongroom repair plan 1", "database": "\\ud800", "units": []}',
    "bad.toml": b'database = "\\u0000"\n',
    "nul.toml": b'database = "sqlite:///a"\nroot_key = "file:a\\u0000b"\n',
}


@dataclass(frozen=True)
class Command:
    """A command of the tree, and the options and arguments that it takes."""

    path: tuple[str, ...]
    parameters: tuple[Any, ...]

    def __str__(self) -> str:
        return " ".join(self.path) or "strongroom"


def commands() -> Iterator[Command]:
    """Every command there is, the groups too, as the parser has them."""

    def walk(found: Any, path: tuple[str, ...]) -> Iterator[Command]:
        yield Command(path, tuple(each for each in found.params if each.name not in _SHELLS))
        for name, inner in getattr(found, "commands", {}).items():
            yield from walk(inner, (*path, name))

    yield from walk(typer.main.get_command(build()), ())


COMMANDS = tuple(commands())


def call(arguments: list[str], stdin: bytes) -> CommandResult:
    """Run the command line in this process, with streams as a process has them in a UTF-8 locale."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict", write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace", write_through=True)
    given = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), mock.patch("sys.stdin", given):
        code = main(arguments)
    return CommandResult(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))


# --- arguments -----------------------------------------------------------------------------------------------


def tame(text: str) -> str:
    """An argument as an operating system passes it, which leads to no file, server or terminal outside of the test."""
    text = text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
    text = text.replace("\0", "").replace("..", "__").replace("/", "\u2215")
    return re.sub("(?i)postgres|passphrase:|fd:", "elsewhere", text)


def values(places: dict[str, str]) -> st.SearchStrategy[str]:
    """What stands where a value is expected."""
    known = [
        *places.values(),
        *_FILES,
        "missing",
        ".",
        "-",
        "--json",
        "ethereum",
        "solana",
        "default",
        "12",
        "-1",
        "9" * 400,
        "taproot",
        "m/44'/60'/0'/0/0",
        "file:key.txt",
        "file:missing/root.key",
        "env:NOT_THERE",
        "env:",
        "passphrase:env:NOT_THERE",
        "sqlite:///missing.db",
        "sqlite:///:memory:",
        "sqlite:///missing/x.db",
        "postgresql://127.0.0.1:1/vault",
        "mysql://127.0.0.1/vault",
        "keystore",
        "mnemonic",
    ]
    return st.sampled_from(known) | mutated(st.sampled_from(known)).map(tame) | ANY_TEXT.map(tame)


@st.composite
def lines(draw: st.DrawFn, command: Command, places: dict[str, str]) -> list[str]:
    """A command with some of its options and arguments, and things between them that nobody expects."""
    parts: list[list[str]] = []
    some = values(places)
    for parameter in command.parameters:
        wanted = 0.9 if parameter.required else 0.15
        if draw(st.floats(0, 1)) > wanted:
            continue
        known = st.just(places.get(parameter.name, ""))
        value = [] if getattr(parameter, "is_flag", False) else [draw(known | some)]
        joined: bool = draw(st.booleans())
        if parameter.param_type_name == "argument":
            parts.append(value)
        elif value and joined:
            parts.append([f"{parameter.opts[0]}={value[0]}"])
        else:
            parts.append([draw(st.sampled_from(parameter.opts)), *value])
    if draw(st.booleans()):
        parts.append(["--json"])
    parts += [[draw(some)] for _ in range(draw(st.sampled_from((0, 0, 0, 1, 2))))]
    return [*command.path, *(text for part in draw(st.permutations(parts)) for text in part)]


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A vault with a wallet, in a directory with odd files; what a command needs, by the parameter's name."""
    folder = tmp_path / "here"
    folder.mkdir(mode=0o700)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("STRONGROOM_DEBUG", raising=False)
    monkeypatch.setenv("STRONGROOM_DATABASE_URL", f"sqlite:///{folder}/vault.db")
    monkeypatch.setenv("STRONGROOM_ROOT_KEY", f"file:{folder}/root.key")
    for name, content in _FILES.items():
        Path(name).write_bytes(content)
        Path(name).chmod(0o600)
    (plan,) = (parser for parser in PARSERS if parser.name == "plan files")
    Path("plan.json").write_text(plan.valid[0])
    assert call(["init"], b"").code == 0
    made = call(["wallet", "create", "ethereum", "--project", PROJECT, "--json"], b"")
    wallet = json.loads(made.out)["results"][0]["wallet"]
    return {
        "wallet": wallet["id"],
        "name": wallet["address"],
        "project": PROJECT,
        "network": "ethereum",
        "networks": "ethereum",
        "payload": "bytes.bin",
        "apply": "plan.json",
        "uri": f"file:{folder}/root.key",
        "file": "new.key",
    }


def assert_answered(answer: CommandResult, arguments: list[str]) -> None:
    told = f"{arguments!r:.2000}\n{answer}"
    assert answer.code in EXIT_CODES, told
    assert "Traceback" not in answer.out + answer.err, told
    assert "internal-error" not in answer.out + answer.err, told
    if "--json" in arguments and answer.code and "--" not in arguments:
        assert answer.out.count("\n") == 1, told
        json.loads(answer.out)


def without_names(text: str, arguments: list[str]) -> str:
    """The text without names of files and URIs, which errors say: what stands there is no place for a secret."""
    named = [after for option, after in pairwise(arguments) if option in _NAMES]
    named += [each.partition("=")[2] for each in arguments if each.partition("=")[0] in _NAMES]
    if arguments[:1] == ["root-key"]:
        named += arguments[2:]
    for name in sorted(filter(None, named), key=len, reverse=True):
        text = text.replace(name, "").replace(json.dumps(name)[1:-1], "")
    return text


@pytest.mark.sized("examples")
@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("part", range(2))
def test_hostile_arguments_and_standard_input(places: dict[str, str], tally: StartTally, part: int) -> None:
    row = tally("hostile input")
    mine = [command for number, command in enumerate(COMMANDS) if number % 2 == part]
    for command in mine:

        @seed(settle_seed())
        @settings(
            max_examples=max(5, SIZE.examples // 20),
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        )
        @given(
            lines(command, places),
            mutated(st.sampled_from((b"", WORDS.encode() + b"\n", KEY.hex().encode(), b"\xff\n"))),
        )
        def attack(arguments: list[str], stdin: bytes) -> None:
            row.fault("command line")
            answer = call(arguments, stdin)
            assert_answered(answer, arguments)
            leaks = CANARY.in_text(without_names(answer.out + answer.err, arguments), " ".join(arguments[:2]))
            row.leaked += len(leaks)
            assert not leaks, report(leaks)

        attack()
    assert row.faults >= 5 * len(mine)


def test_every_command_of_the_tree_is_attacked() -> None:
    """They are found by walking it, so that a new one is attacked, too."""
    assert {command.path[0] for command in COMMANDS if command.path} >= {"init", "wallet", "sign", "repair", "keys"}
    assert ("wallet", "import") in {command.path for command in COMMANDS}
    assert len(COMMANDS) >= 30


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["init", "--config", "9" * 400], "file-refused"),
        (["init", "--database", "sqlite:///new.db", "--config", "9" * 400], "file-refused"),
        (["init", "--database", "sqlite:///new.db", "--config", "missing/x.toml"], "root-key-error"),
        (["status", "--config", "9" * 400], "invalid-setting"),
        (["status", "--config", "nul.toml"], "invalid-setting"),
        (["repair", "--apply", "9" * 400], "invalid-plan"),
        (["root-key", "add", "file:\udcff.key"], "invalid-setting"),
        (["root-key", "new", "\udcff.key"], "invalid-setting"),
        (["status", "--database", "sqlite:///vault.db", "--root-key", "file:" + "a/" * 5000], "invalid-setting"),
        (["status", "--database", "sqlite:///" + "a/" * 5000], "invalid-setting"),
    ],
    ids=lambda given: "" if isinstance(given, str) else " ".join(given)[:40],
)
def test_names_that_no_file_can_have_are_refused(
    places: dict[str, str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: str
) -> None:
    kept = {"add": ("DATABASE_URL", "ROOT_KEY"), "repair": ("DATABASE_URL", "ROOT_KEY")}
    for name in {"DATABASE_URL", "ROOT_KEY"} - set(kept.get(arguments[1], kept.get(arguments[0], ()))):
        monkeypatch.delenv(f"STRONGROOM_{name}")
    answer = call([*arguments, "--json"], b"")
    assert json.loads(answer.out)["error"]["code"] == code
    assert answer.code in (1, 2, 4)
