"""Whatever ids and values are in rows: lists, doctor and erasure end, and none of them reads a large value whole."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

import strongroom
from strongroom.store import erase_store
from testbed.command_line import call
from testbed.databases.foreign import add_credential, add_project
from testbed.databases.rows import execute, sqlite_path

COPIES = 130
LARGE = 40_000_000


def copies_of_a_wallet(path: Path, ids: Callable[[int], str | bytes]) -> None:
    """Rows like that of the one wallet, under other ids; whatever CHECK and UNIQUE let pass."""
    with sqlite3.connect(path) as connection:
        for table, own in (("project_credentials", "id"), ("strongroom_wallet", "credential_id")):
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            row = dict(zip(columns, connection.execute(f"SELECT * FROM {table}").fetchone(), strict=True))
            for number in range(COPIES):
                row |= {own: ids(number)}
                if own == "id":
                    row |= {"key_vault_id": f"k{number}", "credential_type": f"x{number}", "is_active": 0}
                connection.execute(
                    f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values())
                )


def spelled(wallet_id: str) -> Callable[[int], str]:
    """Other spellings of one UUID, which sort before and after it."""
    digits = wallet_id.replace("-", "")

    def spell(number: int) -> str:
        at = number % 31 + 1
        return "{" + "-" * (number // 31) + digits[:at] + "-" + digits[at:] + "}"

    return spell


def test_spellings_of_one_id_are_told_and_send_no_list_round(sqlite_vault_url: str, root_key_uri: str) -> None:
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(uuid4(), "ethereum").wallet
        copies_of_a_wallet(sqlite_path(sqlite_vault_url), spelled(str(wallet.id)))
        for asked in ({}, {"search": "0x"}, {"limit": 1000}):
            with pytest.raises(strongroom.StoreError, match="not spelled"):
                vault.list_wallets(**asked)
        assert vault.get_wallet(wallet.id) == wallet


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("prefix", [b"zz", b"\xff\xfe"], ids=["text", "no text"])
def test_ids_that_are_bytes_name_nothing_and_everything_ends(
    sqlite_vault_url: str, root_key_uri: str, prefix: bytes
) -> None:
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(uuid4(), "ethereum").wallet
        copies_of_a_wallet(sqlite_path(sqlite_vault_url), lambda number: prefix + b"%d" % number)
        assert vault.list_wallets(limit=100).wallets == (wallet,)
    done = subprocess.run(
        [sys.executable, "-m", "strongroom", "doctor", "--database", sqlite_vault_url, "--root-key", root_key_uri],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "safe           1 sealed" in done.stdout, done.stderr


def test_ids_that_are_longer_than_any_hide_no_wallet_from_doctor(sqlite_vault_url: str, root_key_uri: str) -> None:
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        vault.create_wallet(uuid4(), "ethereum")
    copies_of_a_wallet(sqlite_path(sqlite_vault_url), lambda number: f"{'0' * 3000}{number:04}")
    with sqlite3.connect(sqlite_path(sqlite_vault_url)) as connection:
        for number in range(COPIES):
            connection.execute(
                "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, "
                "public_key, vault_id, text, form, reason, created_at, schema_version) VALUES "
                "(?, 'x', ?, 'ethereum', 'x', 'x', '', 'x', 'x', 'foreign', 'guard-update', '2026-01-01', 1)",
                (f"{'z' * 3000}{number:04}", f"{'z' * 3000}{number:04}"),
            )
    done = subprocess.run(
        [sys.executable, "-m", "strongroom", "doctor", "--database", sqlite_vault_url, "--root-key", root_key_uri],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "safe           1 sealed" in done.stdout, done.stderr


@pytest.mark.parametrize("ends", ["\u00ea%05d", "a\0%05d"], ids=["other letters", "after a NUL"])
def test_idempotency_keys_that_are_no_text_send_no_erasure_round(
    sqlite_vault_url: str, root_key_uri: str, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read as text, bytes sort before what they came after: a page after such a key would be the one before."""
    pages = []
    advanced = erase_store._advanced

    def counted(before: object, after: object) -> object:
        pages.append(after)
        assert len(pages) < 20, "the pages do not end"
        return advanced(before, after)

    monkeypatch.setattr(erase_store, "_advanced", counted)
    keys: list[str | bytes] = [b"\x80%05d" % number for number in range(495)]
    keys += [b"\xc3\xa9%05d" % number for number in range(50)]
    keys += [ends % number for number in range(505)]
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(uuid4(), "ethereum", idempotency_key="jane").wallet
        with sqlite3.connect(sqlite_path(sqlite_vault_url)) as connection:
            connection.executemany(
                "INSERT INTO strongroom_idempotency (project_id, key, request, credential_id, created_at, kid, tag) "
                "VALUES (?, ?, '{}', ?, '2026-01-01T00:00:00+00:00', 'k', 't')",
                [(str(wallet.project_id), key, str(wallet.id)) for key in keys],
            )
        assert vault.erase_project(wallet.project_id, actor="a test", reason="to see").idempotency_keys >= 1
    left = execute(sqlite_vault_url, "SELECT count(*) FROM strongroom_idempotency WHERE key = 'jane'")
    assert left == [(0,)]


def test_text_ids_of_others_that_are_no_uuids_are_passed_over(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy("text_times_and_ids", initialised=True)
    project = add_project(url)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
        for number in range(COPIES):
            address = "1" * 32
            add_credential(
                url,
                project,
                address,
                id=f"zz{number:04}",
                key_vault_id=str(uuid4()),
                network="solana",
                credential_type=f"w{number}",
            )
        page = vault.list_wallets(project, limit=100)
        assert (page.wallets, page.next) == ((wallet,), None)
        assert vault.list_wallets(project, network="bitcoin", limit=100).wallets == ()


def test_statuses_are_told_as_far_as_they_can_be_words(make_legacy: Callable[..., str], root_key_uri: str) -> None:
    url = make_legacy("g3", initialised=True)
    project = add_project(url)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        for number in range(60):
            add_credential(
                url, project, "", status=f"{number}" + "s" * 200, credential_type=f"w{number}", is_active=False
            )
        statuses = vault.status().store.wallets
    assert len(statuses) == 50
    assert {len(status) for status in statuses} == {64}


def test_events_and_log_rows_are_read_as_far_as_they_can_be_ours(postgresql_vault_url: str, root_key_uri: str) -> None:
    """The server cuts them: a value of 40 MB compresses to half of one, so that its stored size says nothing."""
    url = postgresql_vault_url
    with strongroom.open(url, root_key=root_key_uri) as vault:
        execute(
            url,
            "INSERT INTO strongroom_events (id, event, details, created_at) VALUES "
            f"(?, 'acknowledge', jsonb_build_object('a', repeat('x', {LARGE})), now())",
            (uuid4(),),
        )
        other = vault.create_wallet(uuid4(), "ethereum").wallet
        large = f"jsonb_build_object('a', repeat('x', {LARGE}))"
        execute(url, f"UPDATE credential_usage_logs SET action_details = {large}")
        tracemalloc.start()
        call("doctor", "--database", url, "--root-key", root_key_uri)
        erased = vault.erase_project(other.project_id, actor="a test", reason="to see")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert erased.complete
        assert peak < LARGE, "no value was read whole"
    assert execute(url, "SELECT max(length(action_details::text)) < 1000 FROM credential_usage_logs") == [(True,)]
