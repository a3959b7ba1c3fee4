"""Where tables are divided by project, PostgreSQL's planner says of which projects' parts a statement reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest

import strongroom
from strongroom.store.catalog.profile import read_profile
from strongroom.store.catalog.sharding import TENANTS
from strongroom.store.connection.engine import ConnectionSettings
from strongroom.store.connection.qualified import qualified
from strongroom.store.connection.read_only import ReadOnlyDatabase
from strongroom.store.statements import Statements
from testbed.databases.partitioned import partition
from testbed.servers.postgres import PostgresServer

FAN_OUTS = frozenset(
    {
        # a wallet or a text by its id, or by an address, where no project is given
        *("get", "find_by_address", "find_record", "history", "newest_history", "history_entry", "orphaned_texts"),
        *("kept_otherwise", "of_wallets"),
        # pages and counts of everything: lists, verify, status, doctor, rewrap, upgrade
        *("page", "paged", "projects", "count", "count_by_status", "count_by_custody", "sealed_otherwise"),
        *("unregistered", "count_unregistered", "any_unsealed", "records_without_rows"),
        *("any_sealed", "first_sealed", "last_sealed", "count_sealed"),
        *("retirable_sealing_key", "retire_sealing_key"),
        # a wallet that its own rows and history do not have: its text under another wallet, its vault id
        *("records_holding", "history_holding", "metadata_holding", "record_with_vault_id", "credential_with_vault_id"),
        # other projects' wallets with the same key
        *("shared_keys", "shared_key", "key_of_another_project", "row_of_another_project"),
        *("keys_of_rows", "sealed_texts", "keys_of_records", "records_with_paths", "records_of_wallets"),
        *("wallets_of_other_projects", "any_nonce_of_other_spelling"),
        # many wallets of any projects in one statement, on one server alone
        *("rewrap_many", "authorize several", "authorize several nonces"),
    }
)
"""The statements that ask every part; docs/citus.md lists them by what they are for."""
UPGRADING = frozenset({"find_untagged_nonce", "untagged_nonce_page", "delete_untagged_nonce"})
"""Of tables that an older version left: a vault that is divided has none."""
LEGACY = frozenset({"candidates"})
"""Of legacy tables, which are never divided."""
VALUES: Mapping[str, Any] = {
    "uuid": "00000000-0000-0000-0000-000000000001",
    "text": "x",
    "character varying": "x",
    "integer": 1,
    "bigint": 1,
    "boolean": True,
    "timestamp with time zone": "2026-01-01 00:00:00+00",
    "jsonb": "{}",
}
_PART = re.compile(rf"({'|'.join(TENANTS)})_(\d)")


@pytest.fixture(scope="module")
def sharded_url(postgres: PostgresServer, root_key_uri: str) -> Iterator[str]:
    """A vault whose tables are divided, with the rows of a few projects."""
    url = postgres.create_database("sharded_statements")
    with strongroom.init(url, root_key=root_key_uri) as vault:
        del vault
    partition(url, 8)
    yield url
    postgres.drop_database("sharded_statements")


def texts(url: str) -> tuple[dict[str, str], Mapping[str, str]]:
    """Every statement by its name, and the schema of each table."""
    with ReadOnlyDatabase.open(url, ConnectionSettings(connect_timeout_seconds=5, busy_timeout_seconds=5)) as database:
        profile = read_profile(database)
        assert profile.sharded
        built = Statements(database.engine.dialect, sharded=True)
    found = {name: built[name] for name in built.names() if name not in UPGRADING | LEGACY}
    for several in (False, True):
        for nonces in (False, True):
            name = "authorize" + " several" * several + " nonces" * nonces
            found[name] = built.signing.authorize(several=several, nonces=nonces)
    return found, profile.schemas


def planned(connection: psycopg.Connection[Any], name: str, text: str) -> dict[str, Any]:
    """The plan of a statement with some values, of which those that name a project name the same one."""
    numbered, seen = re.sub(r"%\((\w+)\)[sbt]", r"%(\1)s", text), list[str]()

    def place(found: re.Match[str]) -> str:
        if found[1] not in seen:
            seen.append(found[1])
        return f"${seen.index(found[1]) + 1}"

    prepared = re.sub(r"%\((\w+)\)s", place, numbered).replace("%%", "%")
    connection.execute(f"PREPARE s AS {prepared}".encode())
    (types,) = connection.execute(
        "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 's'"
    ).fetchone() or ([],)
    values = [
        f"ARRAY['{VALUES[kind[:-2]]}']::{kind}" if kind.endswith("[]") else f"'{VALUES[kind]}'::{kind}"
        for kind in types
    ]
    given = f"({', '.join(values)})" if values else ""
    (found,) = connection.execute(f"EXPLAIN (FORMAT JSON) EXECUTE s{given}".encode()).fetchone() or ([],)
    connection.execute("DEALLOCATE s")
    plan: dict[str, Any] = found[0]["Plan"]
    return plan


def parts(plan: Mapping[str, Any]) -> dict[str, set[str]]:
    """By table, the parts of it that a plan reads or writes."""
    found: dict[str, set[str]] = {}
    if (named := _PART.fullmatch(plan.get("Relation Name", ""))) is not None:
        found[named[1]] = {named[2]}
    for child in plan.get("Plans", ()):
        for table, numbers in parts(child).items():
            found.setdefault(table, set()).update(numbers)
    return found


def test_every_statement_asks_one_projects_part_or_is_named_as_one_that_asks_all(sharded_url: str) -> None:
    found, schemas = texts(sharded_url)
    asks_all = {}
    with psycopg.connect(sharded_url, autocommit=True, prepare_threshold=None) as connection:
        connection.execute("SET plan_cache_mode = force_custom_plan")
        for name, text in found.items():
            read = parts(planned(connection, name, qualified(text, schemas)))
            if many := {table: len(numbers) for table, numbers in read.items() if len(numbers) > 1}:
                asks_all[name] = many
    assert {name: many for name, many in asks_all.items() if name not in FAN_OUTS} == {}
    assert FAN_OUTS & set(found) - set(asks_all) == set(), "named, and not found to ask all"


def test_what_asks_all_parts_locks_and_changes_no_row_of_a_project(sharded_url: str) -> None:
    found, _ = texts(sharded_url)
    changing = re.compile(rf"FOR UPDATE|(UPDATE|DELETE FROM) ({'|'.join(TENANTS)})\b")
    assert {name for name in FAN_OUTS & set(found) if changing.search(found[name])} == {"rewrap_many"}
