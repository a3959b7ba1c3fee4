"""The failure that was reported, replayed from start to end: it ends with one sealed, proved record.

A first attempt commits the credential, its vault insert is refused by a CHECK. The constraint is widened. The retry
with the same credential arrives while another writer's empty row is there, and it arrives twice at once. In the
systems that we replace it died on

    duplicate key value violates unique constraint "credential_vault_storage_credential_id_key"
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

import strongroom
from strongroom import Vault
from testbed.concurrency import at_once
from testbed.databases import foreign
from testbed.databases.foreign import (
    GENERATIONS,
    add_credential,
    add_project,
    address_of,
    contents,
    kept_texts,
    put_text,
    run_script,
    texts_of,
)
from testbed.databases.rows import execute
from testbed.harness.fork_server import ForkServer
from testbed.processes import foreign_keys, wallets

KEY = "46" * 32
ADDRESS = address_of("ethereum", KEY)
TIGHTEN = """
ALTER TABLE credential_vault_storage DROP CONSTRAINT valid_encryption_method;
ALTER TABLE credential_vault_storage ADD CONSTRAINT valid_encryption_method
    CHECK (encryption_method IN ('ChaCha20-Poly1305', 'AES-256-CBC', 'AES256')) NOT VALID
"""
EMPTY_ROW = """
INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key, encryption_method)
VALUES (?, ?, '', 'AES-256-CBC') ON CONFLICT DO NOTHING
"""


@pytest.fixture(params=[*GENERATIONS, "fresh"])
def scene(
    request: pytest.FixtureRequest, make_legacy: Callable[..., str], make_postgresql_vault: Callable[..., str]
) -> str:
    """The URL of a vault whose vault table refuses our encryption method."""
    fresh = request.param == "fresh"
    url = make_postgresql_vault() if fresh else make_legacy(request.param, initialised=True)
    if not fresh:
        run_script(url, TIGHTEN)
    return url


def first_attempt(url: str, project: UUID) -> UUID:
    """What the legacy application does: commit the credential, then fail to insert its vault record."""
    credential = add_credential(url, project, ADDRESS)
    with pytest.raises((psycopg.errors.CheckViolation, psycopg.errors.UniqueViolation)) as refused:
        execute(
            url,
            """INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key, encryption_method)
               VALUES (?, ?, 'a text', 'AES-256-GCM')""",
            (credential, f"vault_{credential}"),
        )
    assert "valid_encryption_method" in str(refused.value)
    return credential


@pytest.mark.parametrize("generation", GENERATIONS, indirect=True)
def test_the_reported_failure_ends_with_one_sealed_proved_record(
    generation: str, make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy(generation, initialised=True)
    run_script(url, TIGHTEN)
    project = add_project(url)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        credential = first_attempt(url, project)
        # strongroom is refused by the same constraint, says so before any write, and says what would help.
        before = contents(url)
        with pytest.raises(strongroom.CheckRefusesError, match="valid_encryption_method") as refused:
            vault.store_key(credential, private_key=KEY)
        with pytest.raises(strongroom.KeyMissingError) as missing:
            vault.create_wallet(project, "ethereum")
        assert missing.value.retryable
        assert contents(url) == before
        run_script(url, refused.value.hint.partition(": ")[2])
        # The trigger of g4 wrote its empty row behind the first attempt; elsewhere another retry does it.
        execute(url, EMPTY_ROW, (credential, f"vault_{credential}"))
        assert texts_of(url, credential) == [""]
        # The retry arrives twice at once.
        results = at_once([lambda: vault.store_key(credential, private_key=KEY)] * 2)
        assert sorted(result[1] for result in results if isinstance(result, tuple)) == [False, True], results
        assert_ended_well(vault, url, credential)


def test_the_reported_failure_in_two_processes(
    fork_server: ForkServer, generation: str, make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    fork_server.warm_up(wallets.warm_up)
    url = make_legacy(generation, initialised=True)
    run_script(url, TIGHTEN)
    credential = first_attempt(url, add_project(url))
    run_script(url, TIGHTEN.replace("('ChaCha20", "('AES-256-GCM', 'ChaCha20"))
    execute(url, EMPTY_ROW, (credential, f"vault_{credential}"))
    arguments = {"url": url, "root_key": root_key_uri, "wallet": str(credential), "private_key": KEY}
    reports = fork_server.race(foreign_keys.store_key_at_once, [arguments] * 2)
    assert sorted(report.printed[0]["stored"] for report in reports) == [False, True]
    with strongroom.open(url, root_key=root_key_uri) as vault:
        assert_ended_well(vault, url, credential)


@pytest.mark.one_server
def test_a_whole_creation_that_a_check_refuses_leaves_nothing_and_its_retry_is_whole(
    scene: str, root_key_uri: str
) -> None:
    """Strongroom's own first attempt leaves no credential behind: both halves, or nothing."""
    project = add_project(scene)
    with strongroom.open(scene, root_key=root_key_uri) as vault:
        tight = execute(scene, "SELECT 1 FROM pg_constraint WHERE NOT convalidated") != []
        if not tight:
            run_script(scene, TIGHTEN)  # in a fresh database nobody told us: the server refuses, and all is undone
        before = contents(scene)
        for _ in range(2):
            with pytest.raises(strongroom.StoreRefusedError, match="valid_encryption_method"):
                vault.create_wallet(project, "ethereum", idempotency_key="order-1")
            assert contents(scene) == before
        run_script(scene, "ALTER TABLE credential_vault_storage DROP CONSTRAINT valid_encryption_method")
        results = at_once([lambda: vault.create_wallet(project, "ethereum", idempotency_key="order-1")] * 2)
        assert sorted(result[1] for result in results if isinstance(result, tuple)) == [False, True], results
        assert [result.code for result in vault.verify(phrases=True)] == [None]
    assert execute(scene, "SELECT count(*) FROM credential_vault_storage") == [(1,)]


def test_the_retry_that_arrives_before_the_empty_row_is_whole_too(
    generation: str, make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    """An empty row that another writer adds after ours, if it looks first, changes nothing."""
    url = make_legacy(generation, initialised=True)
    credential = add_credential(url, add_project(url), ADDRESS)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        assert vault.store_key(credential, private_key=KEY).stored
        execute(url, EMPTY_ROW, (credential, f"vault_{credential}"))
        assert_ended_well(vault, url, credential)
        # And the quick cure that overwrites: the key is in the history, and comes back.
        put_text(url, credential, "")
        with pytest.raises(strongroom.KeyMissingError):
            vault.create_wallet(foreign.project_of(url, credential), "ethereum")
        assert vault.restore(credential).stored
        assert [result.code for result in vault.verify()] == [None]


def assert_ended_well(vault: Vault, url: str, credential: UUID) -> None:
    """One sealed record, proved; the caller gets the wallet; the history has the text; the log has one row."""
    (text,) = texts_of(url, credential)
    assert text is not None
    assert text.startswith("eyJ")
    assert kept_texts(url, credential) == [text]
    assert [result.code for result in vault.verify()] == [None]
    wallet, created = vault.create_wallet(foreign.project_of(url, credential), "ethereum")
    assert (wallet.id, wallet.custody, created) == (credential, "ours", False)
    assert vault.reveal(wallet, actor="a", reason="r").private_key.reveal_text() == "0x" + KEY
    assert execute(url, "SELECT count(*) FROM credential_usage_logs WHERE action_type = 'fill'") == [(1,)]
    method = "SELECT encryption_method, access_level FROM credential_vault_storage"
    assert execute(url, method) == [("AES-256-GCM", "project_admin")]
