"""The commands of docs/operations.md run as they stand: backups that are proved, and from SQLite to PostgreSQL."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from uuid import uuid4

import strongroom
from testbed.databases.rows import sqlite_path
from testbed.servers.postgres import PostgresServer
from tests.acceptance.pages import DOCS, assert_printed, shell_in_front_of, steps


def of_section(title: str) -> list[tuple[str, str]]:
    """The commands of one section of the page."""
    page = (DOCS / "operations.md").read_text()
    section = page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    found = [step for step in steps("operations.md") if f"$ {step[0]}\n" in section]
    assert found, title
    return found


def test_the_commands_of_the_page_print_what_it_says(
    sqlite_vault_url: str,
    postgresql_vault_url: str,
    postgres: PostgresServer,
    root_key_uri: str,
    private_path: Path,
) -> None:
    keys = {}
    for url in (sqlite_vault_url, postgresql_vault_url):
        with strongroom.open(url, root_key=root_key_uri) as vault:
            project = uuid4()
            for network in ("ethereum", "bitcoin"):
                wallet = vault.create_wallet(project, network, idempotency_key=f"k-{network}", actor="alice").wallet
                keys[wallet.id] = vault.reveal(wallet, actor="a", reason="b").private_key.reveal_text()
            vault.rotate_sealing_key(actor="alice")
            assert sum(result.rewrapped for result in vault.rewrap()) == 2
    shutil.copy2(root_key_uri.removeprefix("file:"), private_path / "root.key")
    shell = shell_in_front_of(postgresql_vault_url, postgres, private_path)
    python = private_path / "bin" / "python3"  # the one that has psycopg
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o700)
    target = postgres.create_database("operations_target")
    database = shell["PGDATABASE"]
    shell |= {
        "STRONGROOM_ROOT_KEY": root_key_uri,
        "VAULT": str(sqlite_path(sqlite_vault_url)),
        "COPY": postgresql_vault_url.replace(f"/{database}?", "/vault_copy?"),
        "TARGET": target,
    }
    script = re.search(r"```python\n# to_postgresql\.py.*?\n(.*?)```", (DOCS / "operations.md").read_text(), re.DOTALL)
    assert script is not None
    (private_path / "to_postgresql.py").write_text(script[1])
    for title in ("Back up SQLite", "Back up PostgreSQL", "Prove the copy", "From SQLite to PostgreSQL"):
        for command, output in of_section(title):
            assert_printed(command, output, shell, private_path)

    for url in (f"sqlite:///{private_path}/copy.db", target):
        with strongroom.open(url, root_key=root_key_uri) as vault:
            wallets = vault.list_wallets().wallets
            assert len(wallets) == 2
            for wallet in wallets:
                assert vault.reveal(wallet, actor="a", reason="b").private_key.reveal_text() == keys[wallet.id]
                repeated = vault.create_wallet(wallet.project_id, wallet.network, idempotency_key=f"k-{wallet.network}")
                assert (repeated.wallet.id, repeated.created) == (wallet.id, False)
                assert {entry.form for entry in vault.history(wallet).entries} <= {"sealed"}
            assert vault.list_log(action="create").records[0].actor == "alice"
    refused = "The target has wallets already."
    assert_printed(
        '(python3 to_postgresql.py "$VAULT" "$TARGET" || echo refused)', f"{refused}\nrefused", shell, private_path
    )
    postgres.drop_database("operations_target")
