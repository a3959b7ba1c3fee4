"""Connections and servers that die; ``tests/attacks/connections/test_cuts.py`` cuts at every message."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest

import strongroom
from testbed.databases.rows import assert_whole
from testbed.servers.proxy import Proxy, runs

WRITE = runs(r"INSERT INTO strongroom_slot")
"""What reaches the server last before a wallet is written."""


@pytest.fixture
def database(postgresql_vault_url: str) -> str:
    with psycopg.connect(postgresql_vault_url) as connection:
        return str(connection.info.dbname)


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
