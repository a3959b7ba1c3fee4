"""The reference of the command line says what the command line does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from strongroom.cli import exit_codes
from strongroom.cli.exit_codes import exit_code_of
from strongroom.errors import all_errors
from testbed.command_line import call, commands

DOCS = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()


def options(command: Any) -> set[str]:
    return {
        name for parameter in command.params for name in parameter.opts if name.startswith("--") and name != "--help"
    }


COMMON = {"--database", "--root-key", "--config", "--schema", "--json"}


def sections() -> dict[str, str]:
    parts = re.split(r"^### `strongroom ([a-z -]+?)`$", DOCS, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_has_a_section() -> None:
    assert set(sections()) == {name for name, _ in commands()}


def test_every_option_is_in_its_section() -> None:
    for name, command in commands():
        assert options(command) >= COMMON
        documented = set(re.findall(r"^\| `(--[a-z-]+)", sections()[name], re.MULTILINE))
        assert documented == options(command) - COMMON, name


def test_the_options_of_every_command_are_listed_once() -> None:
    table = DOCS.partition("## Options of every command")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(--[a-z-]+)", table, re.MULTILINE)) == COMMON


def test_the_exit_codes_are_those_of_the_code() -> None:
    table = DOCS.partition("## Exit codes")[2].partition("\n## ")[0]
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    own = {value for name, value in vars(exit_codes).items() if name.startswith("EXIT_") and isinstance(value, int)}
    assert documented == own | {exit_code_of(kind) for kind in all_errors()}


def test_the_codes_of_the_command_line_itself_are_listed() -> None:
    table = DOCS.partition("## Error codes of the command line itself")[2].partition("\n## ")[0]
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE))
    assert documented == {"usage", "file-refused", "internal-error", "interrupted", "no-phrase", "not-confirmed"}
    assert documented.isdisjoint(error.code for error in all_errors())


def test_the_examples_name_real_commands() -> None:
    names = [name for name, _ in commands()]
    names.append("history 0")  # short for `history show`
    for line in re.findall(r"^ *\$ strongroom (.+)$", DOCS, re.MULTILINE):
        words = [word for word in line.split() if word != "--json"]
        assert any(" ".join(words).startswith(name) for name in names), line


def test_help_of_every_command_names_its_options_and_the_common_ones() -> None:
    for name, command in commands():
        answer = call(*name.split(), "--help")
        assert (answer.code, answer.err) == (0, "")
        text = re.sub(r"\x1b\[[0-9;]*m", "", answer.out)
        assert f"Usage: strongroom {name}" in text
        assert all(option in text for option in options(command)), name


def test_help_of_the_program_lists_the_commands_and_exit_codes() -> None:
    text = call("--help").out
    for name, _ in commands():
        assert f" {name.split()[0]} " in text
    assert "6 partly done" in text


def test_version() -> None:
    assert re.fullmatch(r"strongroom \d+\.\d+\.\d+\S*\n", call("--version").out)


def test_help_imports_neither_sql_nor_crypto() -> None:
    heavy = "sqlalchemy|cryptography|wallycore|nacl|alembic|mnemonic|psycopg|pydantic"
    code = (
        "import sys; from strongroom.cli import main; main(['--help']); "
        f"sys.exit(any(name.partition('.')[0] in '{heavy}'.split('|') for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
