"""A key in plaintext that repair seals is found nowhere that repair writes to: no statement, file, message or
exception."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

import strongroom
from strongroom.crypto.phrase import Phrase
from testbed.command_line import CommandResult, call
from testbed.databases.rows import execute
from testbed.harness.canary import Canary, Leak, report
from testbed.servers.postgres import PostgresServer

_CLEAR = "UPDATE credential_vault_storage SET encrypted_private_key = '{text}' WHERE credential_id = '{wallet}'"
_METADATA = (
    'UPDATE project_credentials SET metadata = metadata || \'{{"private_key_encrypted": "{text}"}}\' '
    "WHERE id = '{wallet}'"
)
_FOREIGN = (
    "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, public_key, "
    "vault_id, text, form, reason, created_at) SELECT '{row}', project_id, id, network, 'default', wallet_address, "
    "public_key, key_vault_id, '{text}', 'foreign', 'guard-update', created_at FROM project_credentials "
    "WHERE id = '{wallet}'"
)


@pytest.fixture
def canaries(
    make_postgresql_vault: Callable[..., str], postgres: PostgresServer, root_key_uri: str
) -> tuple[str, list[Canary], int]:
    """Keys in plaintext in record, metadata and history, planted before the server begins to log statements."""
    url = make_postgresql_vault()
    found = []
    with strongroom.open(url, root_key=root_key_uri) as vault:
        for template in (_CLEAR, _METADATA, _FOREIGN):
            key = os.urandom(32)
            wallet = vault.import_wallet(uuid4(), "ethereum", private_key=key.hex()).wallet
            execute(url, template.format(text=key.hex(), wallet=wallet.id, row=uuid4()))
            found.append(Canary(key))
        phrase = Phrase.generate().mnemonic.reveal_text()
        wallet = vault.import_wallet(uuid4(), "ethereum", mnemonic=phrase).wallet
        shown = vault.reveal(wallet, actor="test", reason="to know it").private_key.reveal_text()
        execute(url, _CLEAR.format(text=phrase, wallet=wallet.id))
        found.append(Canary(bytes.fromhex(shown.removeprefix("0x")), phrase.split()))
    name = url.split("?")[0].rsplit("/", 1)[1]
    for setting in ("log_statement = 'all'", "log_min_duration_statement = 0", "log_parameter_max_length = -1"):
        execute(url, f"ALTER DATABASE {name} SET {setting}")
    execute(url, f"ALTER DATABASE {name} SET log_parameter_max_length_on_error = -1")
    return url, found, len(postgres.read_log())


@pytest.mark.parametrize("column", ["project_id", "credential_id"])
def test_an_entry_of_nobody_stops_no_repair(
    sqlite_vault_url: str, root_key_uri: str, private_path: Path, column: str
) -> None:
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        wallets = [vault.import_wallet(uuid4(), "ethereum", private_key=f"{each:064x}").wallet for each in (5, 6)]
    gone, kept = wallets
    execute(sqlite_vault_url, _FOREIGN.format(text=f"{5:064x}", wallet=gone.id, row=uuid4()))
    execute(sqlite_vault_url, _CLEAR.format(text=f"{6:064x}", wallet=kept.id))
    execute(sqlite_vault_url, f"UPDATE strongroom_vault_history SET {column} = 'nobody' WHERE form = 'foreign'")
    execute(sqlite_vault_url, "PRAGMA foreign_keys = OFF")
    for table, name in (("strongroom_slot", "credential_id"), ("project_credentials", "id")):
        execute(sqlite_vault_url, f"DELETE FROM {table} WHERE {name} = ?", (str(gone.id),))
    where, plan = ("--database", sqlite_vault_url, "--root-key", root_key_uri), str(private_path / "plan.json")
    assert call("repair", *where, "--plan", plan).code == 0
    answer = call("repair", *where, "--apply", plan)
    assert "internal-error" not in answer.err
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        assert [result.ok for result in vault.verify(kept)] == [True]


def test_a_key_that_is_sealed_is_seen_nowhere(
    canaries: tuple[str, list[Canary], int],
    postgres: PostgresServer,
    root_key_uri: str,
    private_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url, found, before = canaries
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("STRONGROOM_DEBUG", "1")
    caplog.set_level("DEBUG")

    def repair(*options: str) -> CommandResult:
        return call("repair", "--database", url, "--root-key", root_key_uri, *options)

    plan = private_path / "plan.json"
    answers = [repair("--plan", str(plan)), refused(url, repair, plan), repair("--apply", str(plan))]
    answers.append(repair("--apply", str(plan)))
    assert [answer.code for answer in answers] == [0, 6, 0, 0], answers[-1].err
    log = postgres.read_log()[before:]
    assert re.search(r"UPDATE \S*credential_vault_storage", log), "the server logs statements"
    assert "eyJraWQiOi" in log, "and their parameters"
    leaks: list[Leak] = []
    for canary in found:
        leaks += canary.in_text(log, "the server's log") + canary.in_text(caplog.text, "the logs")
        leaks += canary.in_tree(private_path) + canary.in_tree(temporary)
        for answer in answers:
            leaks += canary.in_text(answer.out + answer.err, "the output")
    assert leaks == [], report(leaks)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        assert all(result.ok for result in vault.verify())


def refused(url: str, repair: Callable[..., CommandResult], plan: Path) -> CommandResult:
    """A run that the database refuses in the middle of every unit, with all that it says of it."""
    execute(url, "ALTER TABLE credential_usage_logs ADD CONSTRAINT no_repair CHECK (action_type <> 'repair') NOT VALID")
    answer = repair("--apply", str(plan))
    execute(url, "ALTER TABLE credential_usage_logs DROP CONSTRAINT no_repair")
    return answer


def test_nothing_that_repair_keeps_is_in_plaintext(
    canaries: tuple[str, list[Canary], int], root_key_uri: str, private_path: Path
) -> None:
    """Nor in any table afterwards."""
    url, found, _ = canaries
    plan = str(private_path / "plan.json")
    for option in ("--plan", "--apply"):
        assert call("repair", "--database", url, "--root-key", root_key_uri, option, plan).code == 0
    tables = execute(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = "\n".join(str(execute(url, f"SELECT t::text FROM {name} t")) for (name,) in tables)
    assert [leak for canary in found for leak in canary.in_text(rows, "a table")] == []
