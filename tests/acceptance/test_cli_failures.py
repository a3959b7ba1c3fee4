"""Failures at the command line: exit codes, the error document, and no secret in any of it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
from functools import partial
from pathlib import Path
from typing import IO
from unittest import mock
from uuid import uuid4

import pytest

from testbed.command_line import OTHER_KEY, PHRASE, call, spawn
from testbed.servers.postgres import wait_until
from tests.acceptance.cli_errors import SECRET, SECRET_WORD, assert_error, assert_silent

pytestmark = pytest.mark.usefixtures("empty_directory")

PROJECT = "6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11"
SECRET_PHRASE = " ".join([SECRET_WORD] * 11 + ["wrong"])


USAGE = [
    ["wallet"],
    [],
    [SECRET],
    ["wallet", SECRET],
    ["wallet", *SECRET_PHRASE.split()],
    ["wallet", "list", "--limit", "many"],
    ["wallet", "list", "--project"],
    ["wallet", "list", "--limit", SECRET, "--project", "x"],
    ["wallet", "create", "ethereum", "--project", "x", "--words", SECRET],
    ["wallet", "create", "--project", "x"],
    ["wallet", "import", "ethereum", SECRET, "--project", "x", "--private-key-stdin"],
    ["wallet", "import", "ethereum", "--project", "x", *SECRET_PHRASE.split()],
    ["wallet", "import", "ethereum", "--project", "x", "--private-key", SECRET],
    ["wallet", "import", "ethereum", "--project", "x", f"--private-key={SECRET}"],
    ["wallet", "import", "ethereum", "--project", "x", f"--mnemonic-stdin={SECRET}"],
    ["wallet", "import", "ethereum", "--project", "x", f"--{SECRET}"],
    ["wallet", "import", "ethereum", "--project", "x", f"-{SECRET}"],
    ["wallet", "import", "ethereum", "--project", "x"],
    ["wallet", "import", "ethereum", "--project", "x", "--private-key-stdin", "--mnemonic-stdin"],
    ["wallet", "import", "ethereum", "--project", "x", "--private-key-stdin", "--passphrase-stdin"],
    ["wallet", "import", "ethereum", "--project", "x", "--private-key-file", SECRET],
    ["wallet", "import", "ethereum", "--project", "x", "--mnemonic-file", SECRET_PHRASE],
    ["wallet", "export", SECRET],
    ["networks", "ethereum", SECRET],
    ["verify", "--phrases=yes"],
    ["verify", "one", SECRET],
    ["init", SECRET],
]


@pytest.mark.parametrize("arguments", USAGE, ids=lambda arguments: " ".join(arguments)[:60])
def test_usage_errors_are_documents_and_quote_no_secret(arguments: list[str]) -> None:
    for answer in (call("--json", *arguments), call(*arguments, "--json") if arguments else None):
        if answer is not None:
            assert_error(answer, "usage", 2)
            assert_silent(answer)
    human = call(*arguments)
    assert (human.code, human.out) == (2, "")
    assert human.err
    assert_silent(human)


def test_a_command_that_is_nearly_right_is_suggested() -> None:
    assert "Did you mean wallet?" in call("walet").err
    assert "Did you mean --limit?" in call("wallet", "list", "--limt", "3").err


def test_a_missing_command_shows_the_help_to_people() -> None:
    for arguments in ([], ["wallet"], ["root-key"]):
        answer = call(*arguments)
        assert (answer.code, answer.out) == (2, "")
        assert "Usage: strongroom" in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["wallet", "show", SECRET],
        ["wallet", "show", SECRET_PHRASE],
        ["wallet", "export", SECRET, "--reveal"],
        ["verify", SECRET],
        ["wallet", "list", "--project", SECRET],
        ["wallet", "list", "--project", PROJECT, "--after", SECRET],
        ["wallet", "list", "--project", PROJECT, "--network", SECRET],
        ["wallet", "create", "ethereum", "--project", SECRET],
        ["wallet", "create", SECRET, "--project", PROJECT],
        ["wallet", "create", SECRET_PHRASE, SECRET, "--project", PROJECT],
        ["wallet", "create", "ethereum", "--project", PROJECT, "--label", SECRET_PHRASE],
        ["wallet", "create", "bitcoin", "--project", PROJECT, "--variant", SECRET],
    ],
    ids=lambda arguments: " ".join(arguments)[:60],
)
def test_a_secret_in_the_wrong_place_is_not_quoted(initialised: Path, arguments: list[str]) -> None:
    answer = call(*arguments, "--json")
    assert answer.code in (1, 2)
    assert_silent(answer)
    human = call(*arguments)
    assert human.code == answer.code
    assert_silent(human)


@pytest.mark.parametrize(
    ("flag", "stdin", "code"),
    [
        ("--mnemonic-stdin", SECRET_PHRASE + " zoo", "invalid-mnemonic"),
        ("--mnemonic-stdin", SECRET, "invalid-mnemonic"),
        ("--private-key-stdin", SECRET[:-1], "invalid-private-key"),
        ("--private-key-stdin", SECRET_PHRASE, "invalid-private-key"),
        ("--private-key-stdin", "", "usage"),
        ("--private-key-stdin", "\n", "usage"),
        ("--private-key-stdin", f"{SECRET}\n{SECRET}\n", "usage"),
        ("--mnemonic-stdin", SECRET_PHRASE.replace(" ", "\n"), "usage"),
        ("--mnemonic-stdin", SECRET * 200, "usage"),
        ("--mnemonic-stdin", f"{SECRET}\udcff", "usage"),
    ],
    ids=range(10),
)
@pytest.mark.parametrize("debug", ["0", "1"])
def test_a_secret_that_is_refused_is_not_quoted(
    initialised: Path, monkeypatch: pytest.MonkeyPatch, flag: str, stdin: str, code: str, debug: str
) -> None:
    monkeypatch.setenv("STRONGROOM_DEBUG", debug)
    data = stdin.encode(errors="surrogateescape")
    arguments = ("wallet", "import", "ethereum", "--project", str(uuid4()), flag)
    answer = call(*arguments, "--json", stdin=data)
    assert_error(answer, code, 2)
    assert_silent(answer)
    assert_silent(call(*arguments, stdin=data))


def test_a_passphrase_that_is_missing_is_a_usage_error(initialised: Path) -> None:
    arguments = ("wallet", "import", "ethereum", "--project", str(uuid4()), "--mnemonic-stdin", "--passphrase-stdin")
    answer = call(*arguments, "--json", stdin=PHRASE.encode())
    assert_error(answer, "usage", 2)
    assert_silent(answer, PHRASE)


def test_no_settings_are_exit_code_2_and_no_root_key_is_4(initialised: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("root.key").rename("away.key")
    assert_error(call("status", "--json"), "root-key-missing", 4)
    Path("away.key").rename("root.key")
    Path("root.key").chmod(0o644)
    assert_error(call("status", "--json"), "root-key-insecure", 4)
    monkeypatch.delenv("STRONGROOM_ROOT_KEY")
    assert_error(call("status", "--json"), "root-key-missing", 4)
    monkeypatch.delenv("STRONGROOM_DATABASE_URL")
    assert_error(call("status", "--json"), "invalid-setting", 2)


def test_an_uninitialised_database_says_what_to_do(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    call("root-key", "new", "root.key")
    monkeypatch.setenv("STRONGROOM_DATABASE_URL", database_url)
    answer = call("status", "--root-key", "file:root.key", "--json")
    assert_error(answer, "not-initialized", 1)
    assert "strongroom init" in answer.document["error"]["hint"]


def test_a_password_in_an_argument_is_refused() -> None:
    url = f"postgresql://app:{SECRET}@localhost/vault"
    for arguments in (["--database", url, "status"], ["status", "--database", url], ["init", "--database", url]):
        answer = call("--json", *arguments)
        assert_error(answer, "invalid-setting", 2)
        assert_silent(answer)
        assert "STRONGROOM_DATABASE_URL" in answer.document["error"]["hint"]


def test_a_server_that_is_not_there_is_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    call("root-key", "new", "root.key")
    monkeypatch.setenv("STRONGROOM_DATABASE_URL", f"postgresql://app:{SECRET}@127.0.0.1:1/vault")
    answer = call("status", "--root-key", "file:root.key", "--json")
    assert_error(answer, "connection-refused", 1)
    assert_silent(answer)


def test_an_unexpected_exception_shows_no_value_and_no_traceback(
    initialised: Path, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = mock.patch("strongroom.vault.vault.Vault.import_wallet", side_effect=RuntimeError(SECRET))
    arguments = ("wallet", "import", "ethereum", "--project", project, "--private-key-stdin")
    with broken:
        answer = call(*arguments, "--json", stdin=OTHER_KEY.encode())
        assert_error(answer, "internal-error", 1)
        assert "RuntimeError" in answer.document["error"]["message"]
        assert_silent(answer, OTHER_KEY)
        human = call(*arguments, stdin=OTHER_KEY.encode())
        assert_silent(human, OTHER_KEY, "Traceback")
        assert "may be repeated safely" in human.err
        monkeypatch.setenv("STRONGROOM_DEBUG", "1")
        traced = call(*arguments, "--json", stdin=OTHER_KEY.encode())
        assert "Traceback" in traced.err
        assert OTHER_KEY not in traced.err
        assert list(traced.document) == ["error"]


def test_an_interrupt_says_that_the_command_may_be_repeated(initialised: Path, project: str) -> None:
    with mock.patch("strongroom.vault.vault.Vault.create_wallet", side_effect=KeyboardInterrupt):
        answer = call("wallet", "create", "ethereum", "--project", project)
        assert answer.code == 130
        assert "may be repeated safely" in answer.err
        assert_error(call("wallet", "create", "ethereum", "--project", project, "--json"), "interrupted", 130)


def is_empty(pipe: IO[bytes]) -> bool:
    """Whether all that was written into a pipe has been read."""
    return fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)) == bytes(4)


def test_ctrl_c_ends_a_process_with_130(initialised: Path, project: str) -> None:
    command = [sys.executable, "-m", "strongroom", "wallet", "import", "ethereum", "--project", project]
    process = subprocess.Popen(
        [*command, "--private-key-stdin", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # who runs the tests may ignore it
    )
    assert process.stdin is not None
    process.stdin.write(b"4")
    process.stdin.flush()
    wait_until(partial(is_empty, process.stdin), "it does not read its standard input")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert json.loads(out)["error"]["code"] == "interrupted"
    assert b"Traceback" not in err


def test_secrets_are_in_no_argument_of_the_process(initialised: Path, project: str) -> None:
    """What other users of the machine see while an import waits for its secret."""
    command = [sys.executable, "-m", "strongroom", "wallet", "import", "ethereum", "--project", project]
    process = subprocess.Popen(
        [*command, "--private-key-stdin", "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(OTHER_KEY.encode())
    process.stdin.flush()
    visible = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    visible += Path(f"/proc/{process.pid}/environ").read_bytes()
    out, _ = process.communicate(timeout=60)
    assert OTHER_KEY.encode() not in visible + out
    assert json.loads(out)["created"] is True


def test_a_failing_process_prints_no_traceback() -> None:
    answer = spawn("wallet", "show", SECRET, "--database", "sqlite:///none.db", "--root-key", "file:none.key")
    assert answer.code == 1
    assert "Error (not-initialized)" in answer.err
    assert_silent(answer, "Traceback")


# --- odd surroundings: closed streams, full disks, files that are none ---------------------------------------


def shell(command: str, cwd: Path) -> tuple[int, str]:
    """Run a shell command in which PY stands for the interpreter; return its status and its standard error."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("STRONGROOM_")}
    done = subprocess.run(
        ["bash", "-c", command.replace("PY ", f"{sys.executable} ")],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("PY -m strongroom --json networks > /dev/full", 1),
        ("PY -m strongroom --json networks >&-", 1),
        ("PY -m strongroom networks >&-", 1),
        ("PY -m strongroom wallet import ethereum --project PROJECT --private-key-stdin <&-", 2),
        ("mkfifo pipe; PY -m strongroom --config pipe status", 2),
        ("mkfifo pipe; PY -m strongroom wallet import ethereum --project PROJECT --private-key-file pipe", 2),
        ("mkfifo pipe; PY -m strongroom init --database sqlite:///a.db --root-key file:pipe", 4),
        ("PY -c \"print('[' * 100000)\" > bad.toml; PY -m strongroom --config bad.toml status", 2),
        ("PY -c \"print('pool_size = ' + '1' * 5000)\" > bad.toml; PY -m strongroom --config bad.toml status", 2),
        ("PY -m strongroom init --database sqlite:////dev/null/x.db --root-key file:r.key", 1),
    ],
)
def test_odd_surroundings_end_in_a_message_and_an_exit_code(private_path: Path, command: str, status: int) -> None:
    command = command.replace("PROJECT", "6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11")
    prepared = "PY -m strongroom init > /dev/null 2>&1; " if "import" in command else ""
    code, told = shell(prepared + command, private_path)
    assert (code, "Traceback" in told) == (status, False), told
    assert told.strip()


CREATED = """PY -m strongroom init > /dev/null 2>&1
PY -m strongroom --json wallet create ethereum --project 6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11 > made
id=$(PY -c "import json; print(json.load(open('made'))['results'][0]['wallet']['id'])")
"""


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("PY -m strongroom status 2>&-", 2),
        (CREATED + "PY -m strongroom wallet show $id 2>&-", 0),
        (CREATED + "PY -m strongroom wallet revoke $id <&-", 0),
        (CREATED + "PY -m strongroom wallet export $id --reveal --actor me --reason drill >&-", 1),
        (CREATED + "PYTHONIOENCODING=utf-8:strict PY -m strongroom repair --plan $'pl\\xe4n.json'", 0),
        (CREATED + "PYTHONIOENCODING=ascii:strict PY -m strongroom repair --plan pl\u00e4n.json", 0),
    ],
)
def test_streams_that_are_closed_or_narrow_change_no_exit_code(private_path: Path, command: str, status: int) -> None:
    code, told = shell(command, private_path)
    assert (code, "Traceback" in told, "internal-error" in told) == (status, False, False), told


def test_a_settings_file_that_init_wrote_can_be_read(private_path: Path) -> None:
    name = "sqlite:///" + '\N{KEY} \\ " ключ.db'
    code, told = shell(f"PY -m strongroom init --database '{name}' && PY -m strongroom status", private_path)
    assert code == 0, told
