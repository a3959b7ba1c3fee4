"""Promise 7: an unknown outcome is resolved, not guessed."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest

import strongroom
from tests.integration.rows import assert_whole
from tests.servers.proxy import Mode, Proxy, runs

# What reaches the server last before the write is committed: the statement itself, or COMMIT where a key is given.
WRITE = runs(r"INSERT INTO strongroom_slot")
COMMIT = runs(r"^\s*COMMIT")


@pytest.fixture
def database(postgresql_vault_url: str) -> str:
    with psycopg.connect(postgresql_vault_url) as connection:
        return str(connection.info.dbname)


@pytest.mark.parametrize("prepared", [True, False], ids=["prepared", "unprepared"])
@pytest.mark.parametrize("mode", ["before", "after", "in_flight"])
@pytest.mark.parametrize("key", [None, "order-1"], ids=["one statement", "transaction with COMMIT"])
def test_a_connection_cut_around_the_commit_gives_the_right_answer(
    proxy: Proxy,
    database: str,
    postgresql_vault_url: str,
    root_key_uri: str,
    mode: Mode,
    key: str | None,
    prepared: bool,
) -> None:
    project = uuid4()
    with strongroom.open(proxy.url(database), root_key=root_key_uri, prepared_statements=prepared) as vault:
        vault.create_wallet(project, "ethereum", label="warm", idempotency_key=key and f"{key}-warm")
        trap = proxy.arm(COMMIT if key else WRITE, mode)
        wallet, created = vault.create_wallet(project, "ethereum", idempotency_key=key)
        assert trap.fired
        assert created
        assert wallet.durable
        assert vault.create_wallet(project, "ethereum", idempotency_key=key) == (wallet, False)
        assert_whole(postgresql_vault_url, 2)
        assert all(result.ok for result in vault.verify())


@pytest.mark.parametrize("mode", ["before", "after", "in_flight"])
@pytest.mark.parametrize("key", [None, "order-1"], ids=["one statement", "transaction with COMMIT"])
def test_a_server_that_stays_away_gives_a_retryable_error_and_the_retry_the_same_wallet(
    proxy: Proxy, database: str, postgresql_vault_url: str, root_key_uri: str, mode: Mode, key: str | None
) -> None:
    project = uuid4()
    with strongroom.open(proxy.url(database), root_key=root_key_uri) as vault:
        trap = proxy.arm(COMMIT if key else WRITE, mode, stay_down=True)
        with pytest.raises(strongroom.OutcomeUnknownError) as caught:
            vault.create_wallet(project, "ethereum", idempotency_key=key)
        assert trap.fired
        assert caught.value.retryable
        proxy.disarm()
        committed = vault.find_wallet(project, "ethereum")
        assert committed is not None or mode != "after"
        wallet, created = vault.create_wallet(project, "ethereum", idempotency_key=key)
        if committed is not None:
            assert (wallet, created) == (committed, False)
        assert_whole(postgresql_vault_url, 1)


def test_what_was_lost_before_its_commit_was_sent_did_not_happen(
    proxy: Proxy, database: str, postgresql_vault_url: str, root_key_uri: str
) -> None:
    project = uuid4()
    with strongroom.open(proxy.url(database), root_key=root_key_uri) as vault:
        trap = proxy.arm(WRITE, "after", stay_down=True)
        with pytest.raises(strongroom.StoreUnavailableError):
            vault.create_wallet(project, "ethereum", idempotency_key="order-1")
        assert trap.fired
        proxy.disarm()
        assert vault.find_wallet(project, "ethereum") is None
        assert vault.create_wallet(project, "ethereum", idempotency_key="order-1").created
        assert_whole(postgresql_vault_url, 1)


@pytest.mark.parametrize("mode", ["before", "after", "in_flight"])
def test_a_read_on_a_cut_connection_is_read_again(proxy: Proxy, database: str, root_key_uri: str, mode: Mode) -> None:
    project = uuid4()
    with strongroom.open(proxy.url(database), root_key=root_key_uri) as vault:
        wallet, _ = vault.create_wallet(project, "ethereum")
        trap = proxy.arm(runs(r"FROM project_credentials"), mode)
        assert vault.get_wallet(wallet.id) == wallet
        assert trap.fired


def test_pooled_connections_that_died_are_replaced_before_anyone_notices(
    proxy: Proxy, database: str, root_key_uri: str
) -> None:
    project = uuid4()
    with strongroom.open(proxy.url(database), root_key=root_key_uri) as vault:
        wallet, _ = vault.create_wallet(project, "ethereum")
        proxy.cut_all()
        assert vault.find_wallet(project, "ethereum") == wallet
        proxy.cut_all()
        assert vault.create_wallet(project, "solana").created


def test_no_log_row_no_plaintext(proxy: Proxy, database: str, postgresql_vault_url: str, root_key_uri: str) -> None:
    with strongroom.open(proxy.url(database), root_key=root_key_uri) as vault:
        wallet, _ = vault.create_wallet(uuid4(), "ethereum")
        proxy.arm(runs(r"INSERT INTO credential_usage_logs"), "before", stay_down=True)
        with pytest.raises(strongroom.StoreError):
            vault.reveal(wallet, actor="auditor", reason="drill")
        proxy.disarm()
        assert vault.reveal(wallet, actor="auditor", reason="drill").private_key is not None
