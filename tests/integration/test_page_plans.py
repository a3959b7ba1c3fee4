"""A page of wallets is read from its place on, however the server joins: a million of them are no million scans."""

from __future__ import annotations

import re
from uuid import uuid4

import psycopg
import pytest

import strongroom
from strongroom.store.catalog.profile import read_profile
from strongroom.store.connection.database import Database
from strongroom.store.connection.engine import store_engine
from strongroom.store.context import StoreContext

_MERGES = ("enable_nestloop", "enable_hashjoin", "enable_seqscan", "enable_bitmapscan", "enable_material")
_SCAN = re.compile(r"Index (?:Only )?Scan using \w+ on (\w+)")
_JOINED = {"project_credentials", "credential_vault_storage", "strongroom_wallet"}


@pytest.mark.parametrize(
    "name",
    [
        "wallets.page",
        "wallets.page_of_project",
        "keyring.sealed_otherwise",
        "keyring.sealed_otherwise_in_project",
        "pages.keys_of_rows",
        "pages.records_without_rows",
        "register.unregistered",
    ],
)
@pytest.mark.one_node
def test_no_table_is_read_from_its_first_row_on(name: str, postgresql_vault_url: str, root_key_uri: str) -> None:
    with strongroom.open(postgresql_vault_url, root_key=root_key_uri) as vault:
        wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    database = Database(store_engine(postgresql_vault_url))
    context = StoreContext(database, read_profile(database))
    group, _, statement = name.partition(".")
    sql = database.texts[getattr(getattr(context.sql, group), statement)]
    database.close()
    parameters: dict[str, object] = {
        "after": wallet.id,
        "after_project_id": wallet.project_id,
        "project_id": wallet.project_id,
    }
    parameters |= {"limit": 1000, "beginning": "eyJraWQiOiJ", "sealed_pattern": "eyJraWQiOi%"}
    with psycopg.connect(postgresql_vault_url) as connection:
        for setting in _MERGES:
            connection.execute(f"SET {setting} = off".encode())
        plan = [line for (line,) in connection.execute(f"EXPLAIN {sql}".encode(), parameters)]
    scans = {found[1]: number for number, line in enumerate(plan) if (found := _SCAN.search(line))}
    joined = _JOINED & scans.keys()
    assert len(joined) > 1, plan
    for table in joined:
        assert "Index Cond" in plan[scans[table] + 1], plan
