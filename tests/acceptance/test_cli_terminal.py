"""What rows, plans, URLs and errors hold reaches a terminal as text: nothing in it is obeyed, hidden or reordered."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from strongroom.cli.output import CommandOutput, as_json, printable
from testbed.command_line import CommandResult, call
from testbed.databases.rows import execute

HOSTILE = "\x1b]0;owned\x07\x9b2J\u202egpj.\u2066\x7f\n\r\t[bold red]b[/] [link=https://x.example]l[/link]"
SHOWN = "\\x1b]0;owned\\x07\\x9b2J\\u202egpj.\\u2066\\x7f\\n\\r\\t[bold red]b[/] [link=https://x.example]l[/link]"
OBEYED = ("\x1b]", "\x07", "\x9b", "\u202e", "\u2066", "\x7f", "\r", "\t")
PARTS = {
    "line": lambda out: out.line(HOSTILE),
    "message": lambda out: out.message(HOSTILE),
    "styled message": lambda out: out.message(HOSTILE, style="yellow"),
    "passage": lambda out: out.passage(f"first\n{HOSTILE}"),
    "heading": lambda out: out.heading(HOSTILE),
    "marked": lambda out: out.marked("red", HOSTILE, HOSTILE),
    "facts": lambda out: out.facts([(HOSTILE, HOSTILE)]),
    "table": lambda out: out.table(("A", "B"), [(HOSTILE, "b"), ("a", (HOSTILE, HOSTILE))]),
    "folded table": lambda out: out.table(("A", "B"), [(HOSTILE, HOSTILE)] * 2, folded={"B": "A"}),
    "script": lambda out: out.script(HOSTILE),
}
"""Each way to print for people. A script goes to programs: it is only changed on a terminal."""


class Screen(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def printed(work: Callable[[CommandOutput], None], kind: type[io.TextIOWrapper] = io.TextIOWrapper) -> str:
    buffers = io.BytesIO(), io.BytesIO()
    out, err = (kind(buffer, encoding="utf-8", write_through=True, errors="strict") for buffer in buffers)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        work(CommandOutput(as_json=False))
    return "".join(buffer.getvalue().decode() for buffer in buffers)


@pytest.mark.parametrize("part", PARTS)
def test_nothing_that_a_value_holds_is_obeyed_by_a_terminal(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    text = printed(PARTS[part], Screen)
    assert [each for each in OBEYED if each in text] == []
    assert "[bold red]b[/] [link=https://x.example]l[/link]" in text
    assert "\\x1b]0;owned\\x07" in text


@pytest.mark.parametrize("part", [part for part in PARTS if part != "script"])
def test_nor_by_what_reads_the_pipe_for_people(part: str) -> None:
    text = printed(PARTS[part])
    assert [each for each in OBEYED if each in text] == []
    assert "[bold red]b[/] [link=https://x.example]l[/link]" in text


def test_a_script_for_a_program_stays_as_it_is() -> None:
    assert printed(lambda out: out.script("SELECT 'é\t\u202e';\n-- two")) == "SELECT 'é\t\u202e';\n-- two\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (HOSTILE, SHOWN),
        ("\udc80\ud800", "\\udc80\\ud800"),
        ("\u200b\u2028\u061c\ufeff\U000e0041", "\\u200b\\u2028\\u061c\\ufeff\\U000e0041"),
        (
            "Zürich, 東京, Ωμέγα, 🔑 and [brackets] as they are",
            "Zürich, 東京, Ωμέγα, 🔑 and [brackets] as they are",
        ),
        ("", ""),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_json_holds_every_value_in_characters_that_no_terminal_obeys() -> None:
    value = "".join(map(chr, range(0x2100))) + "\ud800\U000e0041"
    text = as_json({"value": value})
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text) == {"value": value}


def plant(url: str, wallet_id: str) -> None:
    """Hostile text in every column that takes it, as somebody may leave it who writes to the database."""
    row = "id = ?" if not url.startswith("sqlite") else "replace(id, '-', '') = replace(?, '-', '')"
    label = json.dumps({"custom_name": HOSTILE, "label": HOSTILE, "scheme": HOSTILE, "path": HOSTILE})
    sets = {"status": HOSTILE[:32], "wallet_address": HOSTILE, "metadata": label}
    for column, value in sets.items():
        execute(url, f"UPDATE project_credentials SET {column} = ? WHERE {row}", (value, wallet_id))
    execute(url, "UPDATE strongroom_vault_history SET reason = ?, address = ?", (HOSTILE, HOSTILE))
    execute(
        url,
        "INSERT INTO strongroom_keyring_wrap SELECT kid, ?, wrapped, check_value, created_at "
        "FROM strongroom_keyring_wrap",
        (f"file:{HOSTILE}",),
    )


def assert_inert(answer: CommandResult) -> None:
    text = answer.out + answer.err
    assert [each for each in OBEYED if each in text] == []


@pytest.mark.thorough(sample=1)
@pytest.mark.usefixtures("initialised")
def test_rows_with_escape_sequences_are_printed_as_text_by_every_command(
    project: str, vault_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = call("wallet", "create", "ethereum", "bitcoin", "--project", project, "--json").document["results"]
    wallet, other = (each["wallet"]["id"] for each in created)
    assert call("keys", "rotate").code == 0
    assert call("keys", "rewrap").code == 0  # the older texts go into the history
    plant(vault_url, wallet)
    for arguments in (
        ["wallet", "list", "--project", project],
        ["wallet", "show", wallet],
        ["wallet", "show", HOSTILE],
        ["history", wallet],
        ["history", other],
        ["verify"],
        ["verify", wallet],
        ["status"],
        ["keys", "status"],
        ["root-key", "list"],
        ["root-key", "check"],
        ["doctor"],
        ["wallet", "create", "ethereum", "--project", project],
        ["wallet", "revoke", wallet, "--yes"],
    ):
        for given in (arguments, [*arguments, "--json"]):
            assert_inert(call(*given))
    assert SHOWN.encode("ascii", "backslashreplace").decode() in call("root-key", "list").out
    monkeypatch.setenv("STRONGROOM_DEBUG", "1")
    assert_inert(call("wallet", "show", wallet))


@pytest.mark.usefixtures("initialised")
def test_a_question_on_a_terminal_shows_rows_as_text(project: str, vault_url: str) -> None:
    [result] = call("wallet", "create", "ethereum", "--project", project, "--json").document["results"]
    plant(vault_url, result["wallet"]["id"])
    assert_inert(call("wallet", "revoke", result["wallet"]["id"], stdin=b"no\n", terminal=True))


@pytest.mark.usefixtures("initialised")
def test_a_plan_and_a_path_and_a_url_with_escape_sequences_are_printed_as_text(
    project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("wallet", "create", "ethereum", "--project", project)
    plan = Path("plan.json")
    assert call("repair", "--plan", str(plan)).code == 0
    document = json.loads(plan.read_text())
    document["database"] = HOSTILE
    hostile = Path("plan\x1b]0;x\x07\u202e.json")
    hostile.write_text(json.dumps(document))
    answer = call("repair", "--apply", str(hostile))
    assert_inert(answer)
    assert "\\x1b]0;owned" in answer.err
    assert_inert(call("root-key", "new", "key\x1b]0;x\x07\u202e.key"))
    assert_inert(call("--config", f"c{HOSTILE}", "status"))
    monkeypatch.setenv("STRONGROOM_DATABASE_URL", f"sqlite:///{HOSTILE}")
    assert_inert(call("status"))
    monkeypatch.setenv("STRONGROOM_ROOT_KEY", f"file:{HOSTILE}")
    assert_inert(call("status"))
