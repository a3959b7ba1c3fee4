"""Where a passphrase comes from, and that it is the same one whichever way it came."""

from __future__ import annotations

import fcntl
import getpass
import os
import pty
import socket
import subprocess
import sys
import termios
import time
import unicodedata
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from strongroom.crypto.keyring import kid_of, new_sealing_key
from strongroom.crypto.wraps import unwrap_one, wrap_one
from strongroom.errors import RootKeyError, RootKeyInsecureError, RootKeyMalformedError, RootKeyMissingError
from strongroom.host.secret_variables import ENVIRONMENT
from strongroom.rootkeys import argon2id, passphrase_source
from strongroom.rootkeys.argon2id import Parameters
from strongroom.rootkeys.passphrase import PassphraseRootKey
from strongroom.secret import Secret
from testbed.failure_report import failure_report

PASSPHRASE = "correct horse battery staple"
SEALING_KEY = new_sealing_key()
KID = kid_of(SEALING_KEY)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Argon2id in no time; collects the passphrases that it was given."""
    given: list[bytes] = []

    def stretch(secret: Secret, parameters: Parameters) -> Secret:
        given.append(secret.reveal())
        return Secret((secret.reveal() + bytes(32))[:32])

    monkeypatch.setattr(argon2id, "stretch", stretch)
    return given


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.touch(mode=0o600)
    return path


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is typed, one answer after the other."""
    typed: list[str] = []
    monkeypatch.setattr(passphrase_source, "interactive", lambda: True)
    monkeypatch.setattr(getpass, "getpass", lambda prompt: typed.pop(0))
    return typed


def wrap(uri: str) -> bool:
    key = PassphraseRootKey(uri, ENVIRONMENT)
    return unwrap_one(key, wrap_one(key, KID, SEALING_KEY)).reveal() == SEALING_KEY.reveal()


def refused(uri: str) -> type[RootKeyError]:
    with pytest.raises(RootKeyError) as caught:
        wrap_one(PassphraseRootKey(uri, ENVIRONMENT), KID, SEALING_KEY)
    return type(caught.value)


# --- one passphrase, however it was typed -------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_line_end_is_not_part_of_it(file: Path, quick: list[bytes], end: bytes) -> None:
    file.write_bytes(PASSPHRASE.encode() + end)
    assert wrap(f"passphrase:file:{file}")
    assert quick == [PASSPHRASE.encode()]


def test_other_white_space_is_part_of_it(file: Path, quick: list[bytes]) -> None:
    file.write_text(f"  {PASSPHRASE} \n")
    assert wrap(f"passphrase:file:{file}")
    assert quick == [f"  {PASSPHRASE} ".encode()]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_composed_and_decomposed_characters_are_the_same(
    file: Path, quick: list[bytes], form: Literal["NFC", "NFD"]
) -> None:
    text = "Grüße aus Zürich, 각하"
    file.write_text(unicodedata.normalize(form, text), encoding="utf-8")
    assert wrap(f"passphrase:file:{file}")
    assert quick == [unicodedata.normalize("NFC", text).encode()]


@pytest.mark.parametrize("space", ["\xa0", "\u2003", "\u202f", "\u3000"])
def test_every_space_is_a_space(file: Path, quick: list[bytes], space: str) -> None:
    file.write_text(PASSPHRASE.replace(" ", space), encoding="utf-8")
    assert wrap(f"passphrase:file:{file}")
    assert quick == [PASSPHRASE.encode()]


@pytest.mark.parametrize(("one", "other"), [("ﬁsh and chips", "fish and chips"), ("x² + y² = z²", "x2 + y2 = z2")])
def test_characters_that_only_look_alike_stay_different(one: str, other: str) -> None:
    """NFKC would make them one: what somebody typed on purpose counts for nothing then."""
    normal = [passphrase_source.normal(Secret.from_text(text), "It").reveal() for text in (one, other)]
    assert normal[0] != normal[1]


def test_case_counts() -> None:
    assert passphrase_source.normal(Secret(b"Correct"), "It").reveal() == b"Correct"


def test_the_list_of_spaces_is_that_of_unicode() -> None:
    spaces = {chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Zs"}
    assert {unicodedata.normalize("NFC", space) for space in spaces} | spaces == spaces
    for space in spaces:
        assert passphrase_source.normal(Secret.from_text(space), "It").reveal() == b" "


@pytest.mark.parametrize("text", ["", "\n", "\r\n"])
def test_an_empty_one_is_missing(file: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    file.write_bytes(text.encode())
    monkeypatch.setenv("EMPTY", text)
    assert refused(f"passphrase:file:{file}") is RootKeyMissingError
    assert refused("passphrase:env:EMPTY") is RootKeyMissingError


@pytest.mark.parametrize(
    "text",
    [
        "1234567",
        "é" * 7,
        "e\u0301" * 7,  # seven characters, typed as fourteen
        "correct horse\nbattery staple",
        f"{PASSPHRASE}\n\n",
        "correct\thorse",
        "correct\0horse",
        "\ufeffcorrect horse",
        "correct\u2028horse",
        "correct \u0378 horse",  # not assigned
        "x" * 1025,
    ],
)
def test_what_may_not_come_out_the_same_again_protects_nothing(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    assert refused(f"passphrase:file:{file}") is RootKeyMalformedError


@pytest.mark.parametrize("data", [b"\xff" * 20, "\ud800".encode(errors="surrogatepass") * 10])
def test_what_is_not_utf_8_is_malformed(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    assert refused(f"passphrase:file:{file}") is RootKeyMalformedError


# --- files and variables ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o602, 0o610])
def test_a_file_that_others_can_reach_is_refused(file: Path, mode: int) -> None:
    file.write_text(PASSPHRASE)
    file.chmod(mode)
    assert refused(f"passphrase:file:{file}") is RootKeyInsecureError
    file.chmod(0o400)
    assert wrap(f"passphrase:file://{file}")


def test_a_missing_file_a_directory_and_a_device_are_missing(tmp_path: Path) -> None:
    for place in (tmp_path / "missing", tmp_path, Path(os.devnull)):
        assert refused(f"passphrase:file:{place}") is RootKeyMissingError


def test_a_fifo_that_nobody_writes_to_does_not_hold_the_process(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    assert refused(f"passphrase:file:{tmp_path / 'fifo'}") is RootKeyMissingError


def test_a_huge_file_is_refused_and_not_read_whole(file: Path) -> None:
    with open(file, "wb") as opened:
        opened.truncate(2**40)
    assert refused(f"passphrase:file:{file}") is RootKeyMalformedError


def test_a_variable_is_read(monkeypatch: pytest.MonkeyPatch, quick: list[bytes]) -> None:
    monkeypatch.setenv("STRONGROOM_TEST_PASSPHRASE", PASSPHRASE)
    assert wrap("passphrase:env:STRONGROOM_TEST_PASSPHRASE")
    assert quick == [PASSPHRASE.encode()]
    monkeypatch.delenv("STRONGROOM_TEST_PASSPHRASE")
    assert refused("passphrase:env:STRONGROOM_TEST_PASSPHRASE") is RootKeyMissingError


# --- file descriptors ---------------------------------------------------------------------------------------


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for descriptor in (reader, writer):
        try:
            os.close(descriptor)
        except OSError:
            continue


def test_a_descriptor_is_read_once(pipe: tuple[int, int], quick: list[bytes]) -> None:
    reader, writer = pipe
    os.write(writer, PASSPHRASE.encode() + b"\n")
    os.close(writer)
    key = PassphraseRootKey(f"passphrase:fd:{reader}", ENVIRONMENT)
    wraps = [wrap_one(key, KID, SEALING_KEY) for _ in range(3)]
    assert all(unwrap_one(key, wrap).reveal() == SEALING_KEY.reveal() for wrap in wraps)
    assert quick == [PASSPHRASE.encode()]
    assert refused(f"passphrase:fd:{reader}") is RootKeyMissingError, "nothing is left in it"


def test_a_descriptor_that_comes_in_parts_is_read_to_its_end(pipe: tuple[int, int], quick: list[bytes]) -> None:
    reader, writer = pipe
    script = f"import os, time\nfor part in {PASSPHRASE.split()!r}: os.write(1, part.encode()); time.sleep(0.05)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=writer):
        os.close(writer)
        assert wrap(f"passphrase:fd:{reader}")
    assert quick == [PASSPHRASE.replace(" ", "").encode()]


def test_a_descriptor_stays_open(file: Path) -> None:
    """It may not be ours: closing the database's own file would drop its locks."""
    file.write_text(PASSPHRASE)
    with open(file, "rb") as opened:
        assert wrap(f"passphrase:fd:{opened.fileno()}")
        assert os.fstat(opened.fileno())


def test_a_descriptor_that_is_not_open_is_missing(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.close(reader)
    os.close(writer)
    assert refused(f"passphrase:fd:{reader}") is RootKeyMissingError
    assert refused("passphrase:fd:999999") is RootKeyMissingError


def test_what_gets_the_number_afterwards_is_not_read(file: Path, pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    late, replaced = (
        PassphraseRootKey("passphrase:fd:900", ENVIRONMENT),
        PassphraseRootKey(f"passphrase:fd:{reader}", ENVIRONMENT),
    )
    file.write_text(PASSPHRASE)
    with open(file, "rb") as opened:
        os.dup2(opened.fileno(), 900)
        os.dup2(opened.fileno(), reader)
        try:
            for key in (late, replaced):
                with pytest.raises(RootKeyMissingError):
                    wrap_one(key, KID, SEALING_KEY)
        finally:
            os.close(900)
    assert writer


def test_a_socket_and_a_directory_and_a_write_only_file_are_not_read(tmp_path: Path, file: Path) -> None:
    one, other = socket.socketpair()
    with one, other, open(file, "wb") as write_only:
        other.send(PASSPHRASE.encode())
        directory = os.open(tmp_path, os.O_RDONLY)
        try:
            for descriptor in (one.fileno(), directory, write_only.fileno()):
                assert refused(f"passphrase:fd:{descriptor}") is RootKeyMissingError
        finally:
            os.close(directory)
        assert other.fileno() > 0
        assert one.recv(100) == PASSPHRASE.encode()


def test_an_endless_descriptor_is_refused_and_not_read_on() -> None:
    with open("/dev/zero", "rb") as endless:
        assert refused(f"passphrase:fd:{endless.fileno()}") is RootKeyMalformedError


# --- the terminal -------------------------------------------------------------------------------------------


def test_a_new_passphrase_is_typed_twice_and_an_old_one_once(answers: list[str]) -> None:
    answers += [PASSPHRASE, PASSPHRASE]
    key = PassphraseRootKey("passphrase:", ENVIRONMENT)
    wraps = [wrap_one(key, KID, SEALING_KEY) for _ in range(3)]
    assert answers == []
    answers += [PASSPHRASE]
    later = PassphraseRootKey("passphrase:prompt:break-glass", ENVIRONMENT)
    assert unwrap_one(later, wraps[0]).reveal() == SEALING_KEY.reveal()
    wrap_one(later, KID, SEALING_KEY)
    assert answers == []


def test_two_that_differ_protect_nothing_and_are_asked_for_again(answers: list[str]) -> None:
    answers += [PASSPHRASE, PASSPHRASE + "r", PASSPHRASE, PASSPHRASE]
    key = PassphraseRootKey("passphrase:", ENVIRONMENT)
    report = failure_report(wrap_one, key, KID, SEALING_KEY)
    assert "differ" in report
    assert "battery" not in report
    assert unwrap_one(key, wrap_one(key, KID, SEALING_KEY)).reveal() == SEALING_KEY.reveal()
    assert answers == []


def test_the_prompt_says_which_one(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return PASSPHRASE

    monkeypatch.setattr(passphrase_source, "interactive", lambda: True)
    monkeypatch.setattr(getpass, "getpass", ask)
    wrap("passphrase:prompt:break-glass")
    assert prompts == ["Passphrase break-glass (not shown): ", "Passphrase break-glass (again): "]


@pytest.mark.parametrize(
    "failure",
    [
        EOFError(),
        OSError(5, "Input/output error"),
        UnicodeDecodeError("ascii", PASSPHRASE.encode(), 0, 1, "ordinal not in range"),
        getpass.GetPassWarning("Can not control echo on the terminal."),
    ],
)
def test_an_input_that_fails_is_missing_and_shows_nothing(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def fail(prompt: str) -> str:
        if isinstance(failure, Warning):
            warnings.warn(failure, stacklevel=1)
            return PASSPHRASE
        raise failure

    monkeypatch.setattr(passphrase_source, "interactive", lambda: True)
    monkeypatch.setattr(getpass, "getpass", fail)
    assert refused("passphrase:") is RootKeyMissingError
    assert "battery" not in failure_report(wrap_one, PassphraseRootKey("passphrase:", ENVIRONMENT), KID, SEALING_KEY)


def test_control_c_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(prompt: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(passphrase_source, "interactive", lambda: True)
    monkeypatch.setattr(getpass, "getpass", interrupted)
    with pytest.raises(KeyboardInterrupt):
        wrap("passphrase:")


ASKING = """
import fcntl, sys, termios
if sys.argv[1] == "terminal":
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from strongroom import StrongroomError
from strongroom.rootkeys.passphrase_source import of_uri
from strongroom.host.secret_variables import ENVIRONMENT
try:
    typed = of_uri("passphrase:", ENVIRONMENT).read()
except StrongroomError as error:
    sys.exit(f"{error.code}: {error.message} {error.hint}")
print("length", len(typed.reveal()), flush=True)
"""


def test_without_a_terminal_nobody_is_asked() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASKING, "none"],
        input="typed into standard input\n",
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "root-key-missing" in done.stderr
    assert "passphrase:fd:NUMBER" in done.stderr


def test_on_a_terminal_what_is_typed_is_not_shown() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", ASKING, "terminal"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    shown = b""
    deadline = time.monotonic() + 60
    fcntl.fcntl(ours, fcntl.F_SETFL, os.O_NONBLOCK)
    while b"(not shown): " not in shown and time.monotonic() < deadline and process.poll() is None:
        try:
            shown += os.read(ours, 1000)
        except OSError:
            time.sleep(0.01)
    while termios.tcgetattr(theirs)[3] & termios.ECHO and time.monotonic() < deadline:
        time.sleep(0.01)
    os.write(ours, PASSPHRASE.encode() + b"\n")
    output, errors = process.communicate(timeout=60)
    try:
        shown += os.read(ours, 1000)
    except OSError:
        shown += b""
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0, errors
    assert output == f"length {len(PASSPHRASE)}\n".encode()
    assert shown.startswith(b"Passphrase (not shown): ")
    assert b"horse" not in shown
