"""Rows that a writer made as large as he liked: reading them takes memory of ours in bounds, and ends typed."""

from __future__ import annotations

import sqlite3
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom import Vault, Wallet
from strongroom.store.write_conditions import SCHEMA_VERSION
from testbed.databases.foreign import add_project
from testbed.databases.rows import execute, sqlite_path

MEGABYTES = 32
KEPT = (
    "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, public_key, "
    "vault_id, text, form, reason, created_at, schema_version) "
    f"VALUES (?, ?, ?, 'e', 'd', 'a', 'p', 'v', 't', 'sealed', 'r', CURRENT_TIMESTAMP, {SCHEMA_VERSION})"
)
BOUND = 4 * 2**20
LARGE = {
    "sqlite": f"substr(hex(zeroblob({MEGABYTES // 2 * 2**20})), 1)",
    "postgresql": f"repeat('0', {MEGABYTES * 2**20})",
}
STORED_SMALL = {
    "a text that compresses": "jsonb_build_object('scheme', repeat('x', 5000000))",
    "numbers of many digits": "jsonb_build_object('scheme', (SELECT jsonb_agg((1 + mod(i, 9)) * 10::numeric ^ 130000) "
    "FROM generate_series(1, 300) i))",
    "numbers of many zeros": "jsonb_build_object('scheme', (SELECT jsonb_agg((1 + mod(i, 9))::numeric(1000, 999)) "
    "FROM generate_series(1, 3000) i))",
}
"""What PostgreSQL stores in less than 64 KB, and sends as many megabytes."""
FATTENED = {
    "sqlite": "substr(metadata, 1, length(metadata) - 1) || ', \"x\": \"😀\"' || printf('%60000s', '') || '}'",
    "postgresql": "metadata || (SELECT jsonb_object_agg('a' || i, true) || '{\"x\":\"😀\"}' "
    "FROM generate_series(1, 4000) i)",
}
"""Metadata that fit the record, as large as any that are read, in characters of four bytes."""
PLACES = (
    ("credential_vault_storage", "encrypted_private_key"),
    ("project_credentials", "public_key"),
    ("project_credentials", "key_vault_id"),
    ("project_credentials", "metadata"),
    ("strongroom_wallet", "path"),
    ("strongroom_wallet", "tag"),
    ("strongroom_wallet", "public_key"),
    ("credential_usage_logs", "action_type"),
    ("credential_usage_logs", "user_agent"),
    ("strongroom_events", "event"),
    ("strongroom_slot", "tag"),
    ("strongroom_idempotency", "request"),
    ("strongroom_nonce", "fee"),
    ("strongroom_nonce", "digest"),
    ("strongroom_vault_history", "text"),
    ("strongroom_vault_history", "reason"),
)
TRANSACTION = {
    "type": 2,
    "chainId": 1,
    "nonce": 0,
    "to": "0x" + "11" * 20,
    "value": 1,
    "gas": 21_000,
    "maxFeePerGas": 10**9,
    "maxPriorityFeePerGas": 1,
    "data": "0x",
}
READS: dict[str, Callable[[Vault, Wallet], Any]] = {
    "get": lambda vault, wallet: vault.get_wallet(wallet),
    "find": lambda vault, wallet: vault.find_wallet(wallet.project_id, "ethereum"),
    "list": lambda vault, wallet: vault.list_wallets(wallet.project_id),
    "create again": lambda vault, wallet: vault.create_wallet(wallet.project_id, "ethereum", idempotency_key="k"),
    "verify": lambda vault, wallet: list(vault.verify(project_id=wallet.project_id)),
    "sign": lambda vault, wallet: vault.sign_message(wallet, "hello"),
    "sign under a nonce": lambda vault, wallet: vault.sign_transaction(wallet, TRANSACTION),
    "history": lambda vault, wallet: vault.history(wallet).entries,
    "restore": lambda vault, wallet: vault.restore(wallet),
    "log": lambda vault, wallet: vault.list_log(wallet=wallet),
    "whole log": lambda vault, wallet: vault.list_log(),
    "revoke": lambda vault, wallet: vault.revoke_wallet(wallet),
    "erase": lambda vault, wallet: vault.erase_project(wallet.project_id, actor="a test", reason="to see"),
}


@pytest.mark.crossed(10)
@pytest.mark.parametrize(("table", "column"), PLACES, ids=[f"{table}.{column}" for table, column in PLACES])
def test_a_large_value_is_read_in_bounded_memory(
    vault: Vault, vault_url: str, engine: str, table: str, column: str
) -> None:
    wallet, _ = vault.create_wallet(uuid4(), "ethereum", idempotency_key="k")
    vault.create_wallet(wallet.project_id, "ethereum", label="twin")
    vault.sign_transaction(wallet, TRANSACTION)
    execute(vault_url, KEPT, (str(uuid4()), str(wallet.project_id), str(wallet.id)))
    value = LARGE[engine] if column != "metadata" or engine == "sqlite" else f"to_jsonb({LARGE[engine]})"
    execute(vault_url, f"UPDATE {table} SET {column} = {value}")
    for name, read in READS.items():
        assert (peak := _peak(partial(read, vault, wallet))) < BOUND, (name, peak)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        *(("project_credentials", column) for column in ("created_at", "revoked_at", "is_active")),
        *(("strongroom_wallet", column) for column in ("version", "phrase_id", "phrase_index")),
        *(("strongroom_slot", column) for column in ("version", "credential_id")),
        ("strongroom_idempotency", "credential_id"),
    ],
)
def test_a_text_where_a_number_a_time_or_an_id_belongs_is_read_in_bounded_memory(
    sqlite_vault_url: str, root_key_uri: str, table: str, column: str
) -> None:
    """SQLite takes one; of what was read before nothing of it stays."""
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        wallet, _ = vault.create_wallet(uuid4(), "ethereum", idempotency_key="k")
        _update_unchecked(sqlite_vault_url, f"UPDATE {table} SET {column} = {LARGE['sqlite']}")
        for name in ("get", "find", "list", "create again", "sign"):
            assert (peak := _peak(partial(READS[name], vault, wallet))) < BOUND, (name, peak)


def test_many_wallets_with_large_metadata_do_not_stay_in_memory(vault: Vault, vault_url: str, engine: str) -> None:
    project = uuid4()
    vault.create_phrase(project)
    vault.create_many(project, "ethereum", count=300, label_prefix="customer-")
    execute(vault_url, f"UPDATE project_credentials SET metadata = {FATTENED[engine]}")
    tracemalloc.start()
    try:
        vault.list_wallets(project, limit=1)
        before, _ = tracemalloc.get_traced_memory()
        found = sum(1 for page in _pages(vault, project) for _ in page)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == 300
    assert after - before < BOUND


def _update_unchecked(url: str, sql: str) -> None:
    with closing(sqlite3.connect(sqlite_path(url), timeout=30)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(sql)


def _pages(vault: Vault, project: UUID) -> Iterator[tuple[Wallet, ...]]:
    page = vault.list_wallets(project, limit=20)
    while True:
        yield page.wallets
        if page.next is None:
            return
        page = vault.list_wallets(project, limit=20, after=page.next)


def test_who_used_a_wallet_is_read_in_bounded_memory(sqlite_vault_url: str, root_key_uri: str) -> None:
    """SQLite takes a text where an id belongs."""
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        vault.create_wallet(uuid4(), "ethereum")
        execute(sqlite_vault_url, f"UPDATE credential_usage_logs SET performed_by = {LARGE['sqlite']}")
        assert _peak(vault.list_log) < BOUND


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("project_credentials", "metadata"),
        ("credential_usage_logs", "action_details"),
        ("strongroom_events", "details"),
    ],
)
@pytest.mark.parametrize("shape", STORED_SMALL)
@pytest.mark.parametrize("backend", ["fresh", "g3"])
def test_what_is_stored_in_little_is_read_in_bounded_memory_too(
    shape: str, table: str, column: str, backend: str, request: pytest.FixtureRequest, root_key_uri: str
) -> None:
    if backend == "fresh":
        url = request.getfixturevalue("postgresql_vault_url")
    else:
        url = request.getfixturevalue("make_legacy")(backend, initialised=True)
    project = uuid4() if backend == "fresh" else add_project(url)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        wallet, _ = vault.create_wallet(project, "ethereum", idempotency_key="k")
        execute(url, f"UPDATE {table} SET {column} = {STORED_SMALL[shape]}")
        assert execute(url, f"SELECT max(pg_column_size({column})) < 65536 FROM {table}") == [(True,)]
        for name, read in READS.items():
            assert (peak := _peak(partial(read, vault, wallet))) < BOUND, (name, peak)


def test_the_right_wallet_is_returned_where_the_large_value_is_none_of_its_record(
    vault: Vault, vault_url: str, engine: str
) -> None:
    """A page of rows with large texts alongside it does not change an answer."""
    wallet, _ = vault.create_wallet(uuid4(), "ethereum", idempotency_key="k")
    execute(vault_url, f"UPDATE strongroom_events SET event = {LARGE[engine]}")
    assert vault.get_wallet(wallet) == wallet
    assert isinstance(vault.list_wallets(wallet.project_id).wallets[0].id, UUID)


def _peak(call: Callable[[], Any]) -> int:
    """Bytes of memory that a call takes at most, whether it succeeds or ends in an error of ours."""
    tracemalloc.start()
    try:
        call()
    except strongroom.StrongroomError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak


def test_a_project_of_many_legacy_rows_is_looked_through_in_pages(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy("g3", initialised=True)
    project = add_project(url)
    _plant_wallets(url, project, "'note ' || i")
    with strongroom.open(url, root_key=root_key_uri) as vault:
        assert _peak(lambda: vault.create_wallet(project, "ethereum")) < 4 * BOUND
        assert vault.find_wallet(project, "ethereum") is not None


def test_of_many_rows_that_may_be_the_wallet_a_hundred_are_named(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy("g3", initialised=True)
    project = add_project(url)
    _plant_wallets(url, project, "'0x' || lpad(to_hex(i), 40, '0')")
    with strongroom.open(url, root_key=root_key_uri) as vault:
        with pytest.raises(strongroom.AmbiguousWalletError) as ambiguous:
            vault.create_wallet(project, "ethereum")
        assert ambiguous.value.message.count(", ") == 99
        assert _peak(lambda: vault.create_wallet(project, "ethereum")) < 4 * BOUND


def _plant_wallets(url: str, project: UUID, address: str) -> None:
    """Three thousand live legacy wallets, with texts of the length of the longest that are read."""
    execute(
        url,
        "WITH planted AS (INSERT INTO project_credentials "
        "(id, project_id, credential_type, public_key, key_vault_id, wallet_address, network, status) "
        f"SELECT gen_random_uuid(), ?, 'type ' || i, {address}, 'vault ' || i, {address}, 'ethereum', 'active' "
        "FROM generate_series(1, 3000) i RETURNING id, key_vault_id) "
        "INSERT INTO credential_vault_storage (id, credential_id, vault_id, encrypted_private_key, encryption_method, "
        "access_level) SELECT gen_random_uuid(), id, key_vault_id, repeat('x', 16384), 'AES-256-GCM', 'project_admin' "
        "FROM planted",
        (str(project),),
    )


def _plant_wraps(url: str, number: int, wrapped: str = "'w'") -> None:
    execute(
        url,
        f"WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {number}) "
        "INSERT INTO strongroom_keyring_wrap (kid, root_key, wrapped, check_value, created_at) "
        f"SELECT k.kid, 'file:/x' || CAST(i AS text), {wrapped}, 'c', k.created_at FROM strongroom_keyring k, numbers",
    )


def test_texts_that_compress_are_not_unpacked_to_choose_a_vault_record(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    """Twenty texts of 100 MB, stored as one megabyte each: unpacking them all takes some twenty seconds."""
    url = make_legacy("g2", initialised=True)
    project = add_project(url)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
        for number in range(20):
            execute(
                url,
                "INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key) SELECT ?, ?, "
                + (
                    "repeat('x', 100000000)"
                    if number == 0
                    else "encrypted_private_key FROM credential_vault_storage WHERE vault_id = 'large-0'"
                ),
                (wallet.id, f"large-{number}"),
            )
        start = time.monotonic()
        assert vault.get_wallet(wallet) == wallet
        assert vault.find_wallet(project, "ethereum") == wallet
        assert vault.status().store.custody == {"ours": 1}
        assert time.monotonic() - start < 5


def test_a_keyring_of_more_wraps_than_there_ever_are_is_not_read(vault: Vault, vault_url: str) -> None:
    _plant_wraps(vault_url, 40_000)
    with pytest.raises(strongroom.KeyringCorruptError, match="16384"):
        vault._context.store.keyring.read_keyring()


def test_large_wraps_are_read_in_bounded_memory(vault: Vault, vault_url: str, engine: str) -> None:
    _plant_wraps(vault_url, 2, LARGE[engine])
    assert _peak(vault._context.store.keyring.read_keyring) < BOUND


def test_the_head_is_read_once_however_many_wraps_there_are(vault: Vault, vault_url: str, engine: str) -> None:
    _plant_wraps(vault_url, 500)
    execute(vault_url, f"UPDATE strongroom_keyring_head SET states = {LARGE[engine]}")
    assert _peak(vault._context.store.keyring.read_keyring) < BOUND


def test_a_kept_text_that_is_too_long_is_an_error_and_no_part_of_it(vault: Vault, vault_url: str, engine: str) -> None:
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    execute(vault_url, KEPT, (str(uuid4()), str(wallet.project_id), str(wallet.id)))
    execute(vault_url, f"UPDATE strongroom_vault_history SET text = {LARGE[engine]}")
    with pytest.raises(strongroom.SealedTextCorruptError, match="longer"):
        vault.history(wallet)
