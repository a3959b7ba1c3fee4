"""Rows that a writer planted so that reading them page by page never came to an end: it does, in all of them."""

from __future__ import annotations

from itertools import islice
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom import Vault
from strongroom.errors import StoreRefusedError
from strongroom.records.history import HistoryEntry
from strongroom.records.usage_log import Attribution, Event
from strongroom.store.tag_store import SqlTagStore
from strongroom.store.write_conditions import SCHEMA_VERSION
from strongroom.takeover.doctor.phrase_probes import PhraseProbes
from strongroom.takeover.doctor.register_probes import RegisterProbes
from strongroom.usecases.stray_phrases import StrayPhrases
from strongroom.usecases.tagging import next_head
from strongroom.usecases.upgrade import Upgrade
from testbed.databases.rows import execute

PLANTED = 600
MORE_THAN_ALL = 3 * PLANTED
"""Results that are taken at most: of what ends there are fewer."""
LONG = "repeat('1', 20000)"
LONG_ON_SQLITE = "substr(replace(hex(zeroblob(10000)), '0', '1'), 1)"
NUL = "'1' || char(0)"
"""SQLite's substr() ends at a NUL, its comparison does not."""


def _plant(url: str, project_id: UUID, wallet_id: UUID, beginning: str) -> None:
    execute(
        url,
        "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 600) "
        "INSERT INTO strongroom_nonce (project_id, chain_id, address, nonce, credential_id, digest, fee, created_at, "
        f"updated_at, kid, tag) SELECT ?, {beginning} || CAST(i AS text), 'a', '0', ?, '00', '[]', CURRENT_TIMESTAMP, "
        "CURRENT_TIMESTAMP, 'k', 't' FROM numbers",
        (str(project_id), str(wallet_id)),
    )


def _beginnings(engine: str) -> tuple[str, ...]:
    return (LONG_ON_SQLITE, NUL) if engine == "sqlite" else (LONG,)


def test_a_rewrap_ends_whatever_keys_rows_have(vault: Vault, vault_url: str, engine: str) -> None:
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    for beginning in _beginnings(engine):
        _plant(vault_url, wallet.project_id, wallet.id, beginning)
    vault.rotate_sealing_key()
    results = list(islice(vault.rewrap(), MORE_THAN_ALL))
    assert any(result.error is not None for result in results)
    assert len(results) < MORE_THAN_ALL
    assert vault.get_wallet(wallet) == wallet


def test_doctor_ends_whatever_keys_rows_have(vault: Vault, vault_url: str, engine: str) -> None:
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    for beginning in _beginnings(engine):
        _plant(vault_url, wallet.project_id, wallet.id, beginning)
    phrases = PhraseProbes(vault._context, None, StrayPhrases(vault._context))
    findings = list(islice(RegisterProbes(vault._context, None, phrases).findings(), MORE_THAN_ALL))
    assert 0 < len(findings) < MORE_THAN_ALL


def test_rows_of_ordinary_keys_are_all_read_alongside_long_ones(vault: Vault, vault_url: str, engine: str) -> None:
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    for beginning in (*_beginnings(engine), "'2'"):
        _plant(vault_url, wallet.project_id, wallet.id, beginning)
    store = vault._context.store.tags
    pages = list(islice(store.stream_tagged_otherwise(""), 10))
    assert len(pages) < 10
    chains = [row.keys["chain_id"] for page in pages for row in page if row.kind == "nonce"]
    assert {f"2{number}" for number in range(1, PLANTED + 1)} <= set(chains)


def test_pages_that_do_not_go_on_are_an_error(vault: Vault, vault_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a database that orders keys otherwise than it compares them."""
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    _plant(vault_url, wallet.project_id, wallet.id, "'2'")
    store = vault._context.store.tags
    assert isinstance(store, SqlTagStore)
    read = store.context.database.read

    def first_page(sql: str, parameters: dict[str, object]) -> object:
        names = [name for name in parameters if name.startswith("after_")]
        ids = ("after_project_id", "after_credential_id")
        start = {name: UUID(int=0) if name in ids else "" for name in names}
        return read(sql, {**parameters, **start})

    monkeypatch.setattr(store.context.database, "read", first_page)
    with pytest.raises(StoreRefusedError, match="strongroom_nonce"):
        list(islice(store.stream_tagged_otherwise(""), 20))


def test_an_upgrade_ends_with_more_nonces_that_stay_than_a_page(sqlite_vault_url: str, root_key_uri: str) -> None:
    """SQLite takes bytes for any column: what was read is not what stands there, so nothing can be moved."""
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        wallet, _ = vault.create_wallet(uuid4(), "ethereum")
        context = vault._context
        head = context.keyring.head
        assert head is not None
        untagged = next_head(head, context.keyring, tags_complete=False)
        execute(sqlite_vault_url, "DROP TRIGGER IF EXISTS strongroom_keyring_head_complete_insert")
        execute(sqlite_vault_url, "DROP TRIGGER IF EXISTS strongroom_keyring_head_complete_update")
        assert context.store.keyring.change_head(untagged, Event("upgrade", Attribution(), {}), context.clock())
    keys = ("project_id", "credential_id", "chain_id", "nonce")
    columns = ", ".join(f"{name} TEXT NOT NULL" for name in (*keys, "digest", "fee"))
    execute(sqlite_vault_url, f"CREATE TABLE strongroom_nonce_untagged ({columns}, PRIMARY KEY ({', '.join(keys)}))")
    execute(
        sqlite_vault_url,
        "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 600) "
        "INSERT INTO strongroom_nonce_untagged SELECT ?, ?, '1', i, x'aa', '[1]' FROM numbers",
        (str(wallet.project_id), str(wallet.id)),
    )
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        upgrade = Upgrade(vault._context, Attribution())
        results = list(islice(upgrade.run(), MORE_THAN_ALL))
    assert len(results) < MORE_THAN_ALL
    assert not any(result.tagged for result in results)
    assert len(results) == PLANTED, "those beyond the first page, too"


def test_a_history_is_read_page_by_page(vault: Vault, vault_url: str) -> None:
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    for number in range(7):
        execute(
            vault_url,
            "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, public_key, "
            "vault_id, text, form, reason, created_at, schema_version) VALUES "
            f"(?, ?, ?, 'e', 'd', 'a', 'p', 'v', 'text {number}', 'foreign', 'r', '2025-01-0{1 + number // 3}', ?)",
            (str(uuid4()), str(wallet.project_id), str(wallet.id), SCHEMA_VERSION),
        )
    whole = vault.history(wallet)
    assert (len(whole.entries), whole.next) == (7, None)
    assert [entry.created_at for entry in whole.entries] == sorted(entry.created_at for entry in whole.entries)
    assert vault.history(wallet, limit=7) == whole
    paged: list[HistoryEntry] = []
    after: str | None = None
    while True:
        page = vault.history(wallet, limit=3, after=after)
        paged += page.entries
        if (after := page.next) is None:
            break
        assert len(page.entries) == 3
    assert tuple(paged) == whole.entries
    for cursor in ("", "-1", "x", "1" * 10, "1.5"):
        with pytest.raises(strongroom.InvalidCursorError):
            vault.history(wallet, after=cursor)
    for limit in (0, 1001):
        with pytest.raises(strongroom.InvalidLimitError):
            vault.history(wallet, limit=limit)
