"""What people meet every day: what was meant, what the shell completes, how lines end, and the pages in the package."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import zipfile
from pathlib import Path
from uuid import uuid4

import pytest

from strongroom.cli.pages import page_names, read_page
from strongroom.networks import TABLE
from strongroom.store.connection.urls import parse_url, shown_url
from testbed.command_line import call

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("walet list", "Did you mean wallet?"),
        ("wallet creat", "Did you mean create"),
        ("docter", "Did you mean doctor?"),
        ("wallet stor-key", "Did you mean store-key?"),
        ("phrase exprt", "Did you mean export?"),
        ("history reveel", "Did you mean reveal?"),
        ("history restor 0190c3f2-7a51-7c68-8d3f-6a2f7e1b9c04", "Did you mean restore?"),
        ("repair --plna x", "Did you mean --plan?"),
        ("wallet list --unverifed", "Did you mean --unverified?"),
        ("wallet create --project x --network y", "NETWORK is given without an option."),
        ("create", "Did you mean wallet create"),
        ("rotate", "Did you mean keys rotate"),
        ("keys show", "Commands: status, rotate, rewrap. Did you mean wallet show or phrase show"),
        ("root-key rotate", "Commands: new, list, add, check, remove. Did you mean keys rotate"),
        ("1ab42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b727", "Commands: init"),
    ],
)
def test_a_command_that_may_be_meant_is_named(words: str, meant: str) -> None:
    answer = call(*words.split())
    assert answer.code == 2
    assert meant in answer.err
    assert "1ab42cc4" not in answer.err


@pytest.mark.parametrize("quote", ['"', "'"])
def test_quotes_around_a_setting_are_named(quote: str) -> None:
    url = f"{quote}postgresql://app@127.0.0.1/vault{quote}"
    answer = call("status", "--database", url, "--root-key", "env:NAME")
    assert (answer.code, "password" in answer.err) == (2, False)
    assert "The database URL cannot be read." in answer.err
    assert "It begins with a quote or a space: leave out what is around the URL." in answer.err
    answer = call("status", "--database", "sqlite:///none.db", "--root-key", f"{quote}env:NAME{quote}")
    assert "such as file:root.key, without quotes around it" in answer.err


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("eth", "ethereum"),
        ("Etherium", "ethereum"),
        ("bsc", "bnb"),
        ("bitcoin-tesnet", "bitcoin-testnet"),
        ("sepola", "ethereum-sepolia"),
        ("Sepollia", "ethereum-sepolia"),
        ("testnt", "bitcoin-testnet"),
        ("maticc", "polygon"),
        ("solona", "solana"),
        ("avaxx", "avalanche"),
        ("poligon", "polygon"),
        ("arbitrun", "arbitrum"),
        ("q", None),
    ],
)
def test_a_network_that_may_be_meant_is_named(initialised: Path, name: str, meant: str | None) -> None:
    answer = call("wallet", "list", "--network", name)
    assert answer.code == 2
    assert (f"Did you mean {meant}? The networks are: ethereum" in answer.err) is (meant is not None)


def completed(line: str) -> list[str]:
    words = line.split(" ")
    environment = {**os.environ, "_STRONGROOM_COMPLETE": "complete_bash", "COMP_WORDS": line}
    done = subprocess.run(
        [sys.executable, "-m", "strongroom"],
        env={**environment, "COMP_CWORD": str(len(words) - 1)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_shell_completes_networks_variants_formats_labels_and_pages(
    initialised: Path, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("wallet", "create", "ethereum", "--project", project, "--label", "treasury").code == 0
    assert completed("strongroom wallet create eth") == [name for name in TABLE.names if name.startswith("eth")]
    assert completed("strongroom wallet create xr") == ["xrp", "xrp-testnet"]
    assert completed("strongroom wallet list --network sol") == ["solana"]
    assert completed("strongroom wallet create bitcoin --variant ta") == ["taproot"]
    assert completed("strongroom wallet export x --format k") == ["key", "keystore"]
    assert completed("strongroom docs sig") == ["signing"]
    assert completed(f"strongroom wallet create ethereum --project {project} --label tr") == ["treasury"]
    assert completed(f"strongroom wallet create ethereum --project {uuid4()} --label tr") == []
    monkeypatch.setenv("STRONGROOM_DATABASE_URL", "sqlite:///nowhere/vault.db")
    assert completed(f"strongroom wallet create ethereum --project {project} --label tr") == []


@pytest.mark.parametrize("engine", ["sqlite"])
def test_no_line_in_a_pipe_ends_in_blanks(initialised: Path, project: str) -> None:
    assert call("wallet", "create", "ethereum", "bitcoin", "--project", project).code == 0
    tables = ("wallet list", "keys status", "networks", "projects list", "log list", "docs", "root-key list")
    for words in ("status", *tables):
        out = call(*words.split()).out
        assert out
        assert [line for line in out.splitlines() if line != line.rstrip()] == [], words


def on_a_terminal(columns: int, *arguments: str) -> list[str]:
    """What a command prints on a terminal of so many columns."""
    leader, follower = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "strongroom", *arguments], cwd=ROOT, stdout=follower, stderr=follower, stdin=follower
    ) as process:
        os.close(follower)
        text = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:
                break
            if not part:
                break
            text += part
        process.wait(60)
    os.close(leader)
    return text.decode().replace("\r\n", "\n").splitlines()


def test_messages_end_their_lines_between_words_on_a_terminal() -> None:
    lines = on_a_terminal(50, "docs", "nope")
    assert len(lines) > 4
    assert all(len(line) <= 60 for line in lines)
    joined = " ".join(lines)
    assert all(name in joined for name in page_names())
    assert any("There is no such page" in line for line in lines)


def test_a_root_key_comes_out_on_standard_output_and_never_on_a_terminal() -> None:
    answer = call("root-key", "new", "-")
    assert answer.out.startswith("STRONGROOM-ROOT-KEY-1-")
    assert len(answer.out) == 71
    assert call("root-key", "new", "-").out != answer.out
    assert call("root-key", "new", "-", "--json").code == 2
    shown = on_a_terminal(80, "root-key", "new", "-")
    assert not any("STRONGROOM-ROOT-KEY" in line for line in shown)


def test_a_database_url_has_one_form() -> None:
    for given, shown in (
        ("postgresql://app:secret@db/vault", "postgresql://app@db/vault"),
        ("postgres://app@db:5433/vault?sslmode=require", "postgresql://app@db:5433/vault?sslmode=require"),
        ("postgresql+psycopg://app@db/vault?password=secret", "postgresql://app@db/vault"),
        ("sqlite:////srv/vault.db", "sqlite:////srv/vault.db"),
    ):
        assert shown_url(parse_url(given)) == shown


@pytest.mark.parametrize("engine", ["sqlite"])
def test_init_and_status_say_one_url(initialised: Path) -> None:
    assert call("init", "--json").document["database"] == call("status", "--json").document["database"]


def test_every_page_is_shown() -> None:
    assert page_names() == sorted(path.stem for path in (ROOT / "docs").glob("*.md"))
    assert call("docs", "signing").out == (ROOT / "docs" / "signing.md").read_text()
    assert call("docs", "docs/signing.md").out == read_page("signing")
    assert call("docs", "--json").document["pages"][1] == {"name": "command-line", "title": "The command line"}
    assert call("docs", "../../etc/passwd").code == 2


def test_the_pages_are_in_the_wheel(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {f"strongroom/pages/{name}.md" for name in page_names()} <= names
