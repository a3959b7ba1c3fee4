"""What values hold reaches a terminal as text: nothing in it is obeyed, hidden or reordered."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable

import pytest

from strongroom.cli.output import CommandOutput, as_json, printable
from testbed.terminal import HOSTILE, OBEYED, SHOWN, Screen

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


ID = "01a2286f-1710-7526-897a-ef1d570930f6"


def test_a_command_in_a_hint_is_one_line_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    command = f"strongroom history restore {ID} --archive-current"
    text = printed(lambda out: out.message(f"Next: `{command}` puts the kept key back, and keeps that text."), Screen)
    assert text.splitlines() == ["Next:", f"    {command}", "puts the kept key back, and keeps that text."]
    assert (
        printed(lambda out: out.message("Next: `strongroom doctor` says."), Screen)
        == "Next: `strongroom doctor` says.\n"
    )


@pytest.mark.parametrize("address", ["0x52151A9578a92Cd613614c027ba99e044BCCF7f8", "bc1p" + "q" * 58])
def test_no_id_and_no_address_of_a_table_is_broken(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    columns = ("Kept (UTC)", "Text", "Address", "Entry id")
    row = ("2026-11-29 17:51:38", "sealed by strongroom", address, ID)
    folded = {"Text": "Kept (UTC)", "Entry id": "Address"}
    text = printed(lambda out: out.table(columns, [row], folded=folded), Screen)
    assert all(cell in text for cell in row)
