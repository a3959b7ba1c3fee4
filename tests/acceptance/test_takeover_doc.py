"""The walk of docs/takeover.md runs as it stands, from the first look to a healthy database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.servers.postgres import PostgresServer
from tests.acceptance import found
from tests.acceptance.pages import assert_printed, shell_in_front_of, steps


@pytest.fixture
def shell(make_legacy: Callable[..., str], postgres: PostgresServer, private_path: Path) -> dict[str, str]:
    """A shell in front of the database that the page speaks of, with a password and a key on paper at hand."""
    url = make_legacy("g4")
    found.fill(url, without="7")
    (private_path / "password.txt").write_text(found.PASSWORD + "\n")
    (private_path / "paper.txt").write_text(found.key("9") + "\n")
    return shell_in_front_of(url, postgres, private_path)


@pytest.mark.thorough
def test_the_walk_leads_to_a_healthy_database(shell: dict[str, str], private_path: Path) -> None:
    root_key = {"STRONGROOM_ROOT_KEY": shell["STRONGROOM_ROOT_KEY"]}
    without = {name: value for name, value in shell.items() if name not in root_key}
    for number, (command, output) in enumerate(steps("takeover.md")):
        environment = without if number == 0 else shell  # the first look needs no root key, and has none
        printed = assert_printed(command, output, environment, private_path)
        assert not [secret for secret in found.SECRETS if secret in printed], command
    written = b"".join(path.read_bytes() for path in private_path.glob("plan*"))
    assert not [secret for secret in found.SECRETS if secret.encode() in written]
