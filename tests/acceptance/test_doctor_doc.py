"""The commands of docs/doctor.md run as they stand, and print what the page says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from strongroom.takeover.doctor.findings import MIGRATED, SEVERITIES
from testbed.servers.postgres import PostgresServer
from tests.acceptance import found
from tests.acceptance.pages import DOCS, assert_printed, shell_in_front_of, steps


@pytest.fixture
def shell(make_legacy: Callable[..., str], postgres: PostgresServer, private_path: Path) -> dict[str, str]:
    """A shell in front of the database that the page speaks of."""
    url = make_legacy("g4")
    found.fill(url)
    (private_path / "password.txt").write_text(found.PASSWORD + "\n")
    environment = shell_in_front_of(url, postgres, private_path)
    del environment["STRONGROOM_ROOT_KEY"]
    return environment


def test_the_commands_of_the_page_print_what_it_says(shell: dict[str, str], private_path: Path) -> None:
    for command, output in steps("doctor.md"):
        printed = assert_printed(command, output, shell, private_path)
        assert not [secret for secret in found.SECRETS if secret in printed], command


def test_the_reference_has_every_code_with_its_severity() -> None:
    page = (DOCS / "findings.md").read_text()
    tables = page.partition("## Severities")[0]
    severities = page.partition("## Severities")[2]
    for code, severity in SEVERITIES.items():
        assert tables.count(f"| `{code}` |") == 1, code
        paragraph = severities.partition(f"- `{severity}`:")[2].partition("\n- `")[0]
        assert f"`{code}`" in paragraph, code


def test_what_migrate_ends_is_what_its_page_says() -> None:
    page = (DOCS / "migrate.md").read_text()
    table = page.partition("| step | ends |")[2].partition("\n\n")[0]
    assert {code for code in SEVERITIES if f"`{code}`" in table} - {"not-durable"} == MIGRATED
