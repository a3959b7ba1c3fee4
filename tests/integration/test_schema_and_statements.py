"""The schema equals its migrations; every statement survives a generic plan."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import strongroom
from strongroom.store import schema
from strongroom.store.connection.qualified import qualified
from strongroom.store.migrations.migrate import qualify_statements
from strongroom.store.statements import TAGGED, Statements
from strongroom.store.write_conditions import SCHEMA_VERSION
from testbed.databases.rows import execute as query
from testbed.servers.postgres import PostgresServer

RUNS = 20


def catalogue(engine: sa.Engine) -> dict[str, Any]:
    """Everything that reflection sees of a schema."""
    inspector = sa.inspect(engine)
    return {
        table: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            ],
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": sorted(map(repr, inspector.get_foreign_keys(table))),
            "unique": sorted(map(repr, inspector.get_unique_constraints(table))),
            "checks": sorted(map(repr, inspector.get_check_constraints(table))),
            "indexes": sorted(
                repr({**index, "dialect_options": {k: str(v) for k, v in index.get("dialect_options", {}).items()}})
                for index in inspector.get_indexes(table)
            ),
        }
        for table in sorted(inspector.get_table_names())
        if table != schema.VERSION_TABLE
    }


@pytest.fixture
def migrated(vault_url: str) -> Iterator[sa.Engine]:
    engine = strongroom.create_engine(vault_url)
    yield engine
    engine.dispose()


@pytest.fixture
def declared(engine: str, private_path: Path, postgres: PostgresServer) -> Iterator[sa.Engine]:
    """A database made from the metadata instead of the migrations."""
    if engine == "sqlite":
        (private_path / "declared.db").touch(0o600)
        made = strongroom.create_engine(f"sqlite:///{private_path / 'declared.db'}")
    else:
        made = strongroom.create_engine(postgres.create_database("declared"))
    with made.begin() as connection:
        qualify_statements(connection, {})  # as the migrations' are: the text of a CHECK shows how it was written
        schema.metadata.create_all(connection)
    yield made
    made.dispose()
    if engine == "postgresql":
        postgres.drop_database("declared")


@pytest.mark.one_node
def test_the_schema_equals_the_sum_of_its_migrations(migrated: sa.Engine, declared: sa.Engine) -> None:
    found = catalogue(migrated)
    assert set(found) == set(schema.TABLES)
    assert found == catalogue(declared)
    with migrated.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": False}
        )
        assert compare_metadata(context, schema.metadata) == []


IDS = (
    "id",
    "vault_row_id",
    "log_id",
    "event_id",
    "history_id",
    "old_id",
    "candidate",
    "performed_by",
    "after",
    "before",
    "phrase_id",
    "after_project_id",
    "after_credential_id",
    "after_phrase_id",
    "after_project",
)
TAGS = (
    *("record_tag", "slot_tag", "moved_slot_tag", "key_tag", "nonce_tag", "head_tag"),
    *("old_tag", "new_tag", "phrase_tag", "account_tag", "branch_tag"),
)
LISTS = (
    *("old_texts", "new_texts", "networks", "labels", "addresses", "public_keys", "vault_ids", "spellings"),
    *("old_tags", "new_kids", "new_tags", "every_network", "every_label", "every_key", "every_chain_id"),
    *("every_address", "every_nonce", "every_variant", "every_template", "every_path", "slot_tags", "paths"),
)


def parameters(number: int, project: UUID) -> dict[str, Any]:
    """A value for every parameter of every statement; unique ones differ by number."""
    now = datetime.now(UTC)
    return {
        **{name: uuid4() for name in IDS},
        **{
            name: [uuid4()]
            for name in (
                "ids",
                "projects",
                "history_ids",
                "new_history_ids",
                "log_ids",
                "every_credential_id",
                "every_phrase_id",
            )
        },
        **{name: ["text"] for name in LISTS},
        **of_a_batch(number),
        **of_a_phrase(number),
        "project_id": project,
        "network": "ethereum",
        **dict.fromkeys(("after_network", "after_variant", "after_template", "after_path"), "text"),
        "label": f"l{number}",
        "version": 1,
        "credential_type": f"ethereum_wallet:l{number}",
        "address": f"0x{number:040x}",
        "public_key": "02" * 33,
        "vault_id": f"vault_{uuid4()}",
        "status": "active",
        "is_active": True,
        "revoked_at": None,
        "metadata": json.dumps({"scheme": "bip44", "path": None}),
        "sealed_text": "sealed",
        "encryption_method": "AES-256-GCM",
        "access_level": "project_admin",
        "idempotency_key": f"k{number}",
        "request": "{}",
        "action": "create",
        "details": "{}",
        "now": now,
        "limit": 10,
        "skipped": 0,
        "spaces": " ",
        "sealed_pattern": "eyJraWQiOi%",
        "kid": f"{number:022}",
        "state": "opening",
        "root_key": "file:root.key",
        "wrapped": "wrapped",
        "check_value": "check",
        "event": "init",
        "form": "sealed",
        "placeholder": "",
        "old_text": "sealed",
        "new_project_id": project,
        "new_phrase_id": uuid4(),
        "beginning": "e" * 40,
        "chain_id": "1",
        "nonce": str(number),
        "digest": "ab" * 32,
        "old_digest": "cd" * 32,
        "fee": "[1]",
        "schema_version": SCHEMA_VERSION,
        "variant": None,
        "scheme": "bip44",
        "path": "m/44'/60'/0'/0/0",
        "phrase_index": number,
        "record_version": 1,
        "old_version": 1,
        "old_slot_version": 1,
        "new_slot_version": 2,
        "states": "{}",
        "tags_complete": True,
        "accept_foreign": False,
        "tag_kid": "k" * 22,
        **dict.fromkeys(TAGS, "t" * 43),
        **dict.fromkeys(("after_network", "after_label", "after_key", "after_chain_id"), ""),
        **dict.fromkeys(("after_address", "after_nonce"), ""),
        "key": f"k{number}",
        "new_key": f"e{number}",
        "new_label": f"e{number}",
        "credential_id": uuid4(),
    }


def of_a_phrase(number: int) -> dict[str, Any]:
    """Values for what is stored of phrases and their accounts."""
    return {
        "words": 12,
        "has_passphrase": False,
        "identifier": f"{number:040x}",
        "template": "m/44'/60'/0'/0/{index}",
        "next_index": number,
        "xpub_exported": False,
        "key_revealed": True,
        **dict.fromkeys(("after_variant", "after_template", "after_path"), ""),
    }


def of_a_batch(number: int) -> dict[str, Any]:
    """Values for a batch of one wallet."""
    return {
        "credential_types": [f"ethereum_wallet:b{number}"],
        "all_metadata": ["{}"],
        "vault_row_ids": [uuid4()],
        "sealed_texts": ["sealed"],
        "variants": ["default"],
        "schemes": ["bip44"],
        "paths": ["m/44'/60'/0'/0/0"],
        "indices": [number],
        "record_tags": ["t" * 43],
    }


OF_EACH_TABLE = (
    "tagged_otherwise",
    "tagged_otherwise_in_project",
    "count_tagged_by",
    "retag",
    "as_read",
    "retag_in_project",
)
"""Statements that there is one of for each table whose rows carry tags."""
NAMES = (*Statements.names(), *(f"{name} {table}" for name in OF_EACH_TABLE for table in TAGGED))
UNTAGGED = ("find_untagged_nonce", "untagged_nonce_page", "delete_untagged_nonce")
"""Statements about a table that is there only where an older version signed, and until an upgrade has finished."""


def sql_of(statements: Statements, name: str) -> str:
    """A statement by its name, and where there are several by its table's."""
    name, _, table = name.partition(" ")
    found = statements[name]
    return str(found[table] if table else found)


def tables_that_must_exist(name: str, url: str) -> None:
    """Make the table that only an upgrade of an older version's database has."""
    if name in UNTAGGED:
        query(
            url,
            f"CREATE TABLE {schema.UNTAGGED_NONCES} (project_id uuid, credential_id uuid,"
            " chain_id varchar(78), nonce varchar(20), digest varchar(64), fee text)",
        )


def rows_that_must_exist(name: str, statements: Statements, execute: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Make what a statement's foreign keys point at; return the parameters that name it."""
    if name in ("insert_vault_record", "insert_missing_vault_record", "insert_log"):
        execute(statements.wallets.insert_credential, values)
    if name == "insert_wrap":
        execute(statements.keyring.insert_sealing_key, values)
    if name in WHOLE:  # nothing is written under a key that is not the active one
        ((kid,),) = execute("SELECT kid FROM strongroom_keyring WHERE state = 'active'", {}).fetchall()
        return {**values, "kid": kid}
    if name == "take_keyring_head":
        return {**values, "id": 1}
    if name == "insert_batch":
        return {**values, "vault_ids": [f"vault_{uuid4()}"]}
    if name in ("insert_account", "lock_account", "account", "advance_account", "taken_paths"):
        return {**values, "variant": "default"}
    return values


WHOLE = {"insert_wallet", "insert_wallet_with_key"}
POSTGRESQL_ONLY = {
    *(*WHOLE, "insert_halves", "insert_remade_halves"),
    *("take_slots", "take_slots_of_account", "insert_batch"),
    *("rewrap_many", "lock_in_project", "rewrap_in_project", "keep_in_project", "log_in_project"),
    "retag_in_project",
}


@pytest.mark.crossed(1_000)
@pytest.mark.parametrize("name", NAMES)
def test_each_statement_runs_20_times_on_one_prepared_connection(name: str, postgresql_vault_url: str) -> None:
    made = strongroom.create_engine(postgresql_vault_url)
    statements = Statements(made.dialect)
    made.dispose()
    project = uuid4()
    tables_that_must_exist(name, postgresql_vault_url)
    with psycopg.connect(postgresql_vault_url, autocommit=True) as connection:

        def execute(sql: str, values: dict[str, Any]) -> Any:
            return connection.execute(qualified(sql).encode(), values, prepare=True)

        for number in range(RUNS):
            if number == RUNS // 2:  # the server may prefer custom plans indefinitely: half of the runs are generic
                connection.execute("SET plan_cache_mode = force_generic_plan")
            values = rows_that_must_exist(name, statements, execute, parameters(number, project))
            cursor = execute(sql_of(statements, name), values)
            if name in WHOLE:
                assert cursor.fetchone() == (1, 1, 1, 1)
        sent = re.sub(r"%\(\w+\)s", "?", qualified(sql_of(statements, name)))
        plans = [
            (generic, custom)
            for text, generic, custom in connection.execute(
                "SELECT statement, generic_plans, custom_plans FROM pg_prepared_statements"
            )
            if re.sub(r"\$\d+", "?", text) == sent
        ]
        assert [generic + custom for generic, custom in plans] == [RUNS], plans
        assert plans[0][0] >= RUNS // 2, "half of the runs at least used a generic plan"


@pytest.mark.crossed(1_000)
@pytest.mark.parametrize("name", [name for name in NAMES if name.partition(" ")[0] not in POSTGRESQL_ONLY])
def test_each_statement_runs_20_times_on_sqlite(name: str, sqlite_vault_url: str) -> None:
    made = strongroom.create_engine(sqlite_vault_url)
    statements = Statements(made.dialect)
    made.dispose()
    project = uuid4()
    tables_that_must_exist(name, sqlite_vault_url)
    connection = sqlite3.connect(sqlite_vault_url.removeprefix("sqlite:///"))

    def execute(sql: str, values: dict[str, Any]) -> Any:
        lists = ("spellings", "ids", "labels", "paths", "addresses")
        values = {**values, **{name: json.dumps(values[name], default=str) for name in lists}}
        return connection.execute(
            sql,
            {
                key: str(value) if isinstance(value, (UUID, datetime)) else value
                for key, value in values.items()
                if not isinstance(value, list)
            },
        )

    for number in range(RUNS):
        values = rows_that_must_exist(name, statements, execute, parameters(number, project))
        cursor = execute(sql_of(statements, name), values)
        rows = cursor.fetchall()
        assert cursor.rowcount >= 0 or cursor.description is not None, "it wrote, or it answered"
        if name.startswith("insert_"):
            assert (cursor.rowcount, rows) == (1, [])
    connection.close()


@pytest.mark.one_server  # statements of tables that are not divided
@pytest.mark.parametrize("name", ["find_live", "find_idempotent", "get", "find_sealing_key"])
def test_a_key_over_varchar_columns_is_found_by_its_index(name: str, postgresql_vault_url: str) -> None:
    made = strongroom.create_engine(postgresql_vault_url)
    statements = Statements(made.dialect)
    made.dispose()
    with psycopg.connect(postgresql_vault_url) as connection:
        connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        sql = f"EXPLAIN {qualified(statements[name])}"
        plan = "\n".join(row[0] for row in connection.execute(sql.encode(), parameters(1, uuid4())))
    assert ("Index" in plan, "Seq Scan" in plan) == (True, False), plan
    for line in plan.splitlines():
        if "Filter" in line:
            assert "network" not in line, plan
