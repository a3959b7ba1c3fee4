"""Connections and servers that die; ``tests/attacks/test_cuts.py`` cuts at every message."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest

import strongroom
from tests.integration.rows import assert_whole
from tests.servers.postgres import PostgresServer
from tests.servers.proxy import Proxy, runs


@pytest.fixture
def database(postgresql_vault_url: str) -> str:
    with psycopg.connect(postgresql_vault_url) as connection:
        return str(connection.info.dbname)


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


def test_a_server_killed_under_load_loses_nothing_acknowledged(root_key_uri: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with PostgresServer.start() as server:
        url = server.create_database("vault")
        project = uuid4()
        with strongroom.init(url, root_key=root_key_uri) as vault:

            def create(number: int) -> strongroom.Wallet | None:
                try:
                    return vault.create_wallet(project, "ethereum", label=f"l{number}")[0]
                except strongroom.StrongroomError as error:
                    assert error.retryable, error.code
                    return None

            with ThreadPoolExecutor(8) as threads:
                pending = [threads.submit(create, number) for number in range(300)]
                pending[100].result()
                server.kill9()
                server.restart()
                acknowledged = [wallet for each in pending if (wallet := each.result()) is not None]
            stored = {result.id for result in vault.verify() if result.ok}
            assert {wallet.id for wallet in acknowledged} <= stored
            assert len(acknowledged) >= 100
        assert_whole(url, len(stored))
