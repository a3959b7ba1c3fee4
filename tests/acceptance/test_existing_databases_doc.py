"""The commands of pages about existing databases run as they stand, and print what the pages say."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from testbed.databases.foreign import FOREIGN_TEXT, add_credential, address_of, put_text
from testbed.databases.rows import execute
from testbed.servers.postgres import PostgresServer
from tests.acceptance.pages import assert_printed, numbered, shell_in_front_of, steps, wallet_numbered

KEY, OTHER_KEY = "46" * 32, "47" * 32


def add_wallet_numbered(url: str, project: str, digit: str, key: str) -> UUID:
    """A credential with an id as the page writes it, and the trigger's empty record."""
    address, when = address_of("ethereum", key), "2024-01-01T00:00:00Z"
    return add_credential(url, numbered(project), address, id=wallet_numbered(digit), created_at=when)


@pytest.fixture
def shell(make_legacy: Callable[..., str], postgres: PostgresServer, private_path: Path) -> dict[str, str]:
    """The environment of a shell in front of a database of generation 4, with the rows that the page speaks of."""
    url = make_legacy("g4")
    for digit in "1234":
        execute(url, "INSERT INTO projects (id, name) VALUES (?, 'a project')", (numbered(digit),))
    for project, digit, key in (("2", "2", OTHER_KEY), ("3", "5", "5" * 64), ("3", "6", "6" * 64)):
        put_text(url, add_wallet_numbered(url, project, digit, key), FOREIGN_TEXT)
    add_wallet_numbered(url, "4", "4", KEY)
    for name, key in (("key.txt", KEY), ("other.txt", OTHER_KEY)):
        (private_path / name).write_text(key + "\n")
        (private_path / name).chmod(0o600)
    return shell_in_front_of(url, postgres, private_path)


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("page", ["existing-databases.md", "migrate.md", "guard.md"])
def test_the_commands_of_the_page_print_what_it_says(page: str, shell: dict[str, str], private_path: Path) -> None:
    if page == "guard.md":  # which begins where the vault is there
        done = subprocess.run(["strongroom", "init"], cwd=private_path, env=shell, capture_output=True, check=False)
        assert done.returncode == 0
    for command, output in steps(page):
        assert KEY not in assert_printed(command, output, shell, private_path)
