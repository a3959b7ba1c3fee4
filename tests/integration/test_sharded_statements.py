"""Where tables are divided by project, PostgreSQL's planner says of which projects' parts a statement reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest
from sqlalchemy.dialects import postgresql

import strongroom
from strongroom.store.catalog.profile import Profile, read_profile
from strongroom.store.catalog.sharding import TENANTS
from strongroom.store.connection.engine import ConnectionSettings
from strongroom.store.connection.qualified import qualified
from strongroom.store.connection.read_only import ReadOnlyDatabase
from testbed.databases.partitioned import partition
from testbed.servers.postgres import PostgresServer
from tests.integration.every_statement import Built, every_statement, unread_classes, written_elsewhere

FAN_OUTS: Mapping[str, frozenset[str]] = {
    "a wallet, its record, its history or a text by an id or address alone, where no project is given": frozenset(
        {
            *("get", "find_by_address", "find_record", "history", "newest_history", "history_entry", "orphaned_texts"),
            *("kept_otherwise", "of_wallets", "recorded", "places"),
        }
    ),
    "the rows of a wallet as repair sees them, by an id, so that those which another project has by now are seen; then "
    "they are locked, compared and written in the project that they say": frozenset(
        {"wallet", "record", "kept", "kept_entry", "own_vault_id"}
    ),
    "pages and counts of everything: lists, verify, status, doctor, rewrap, upgrade": frozenset(
        {
            *("page", "projects", "count_by_status", "count_by_custody", "sealed_otherwise"),
            *("unregistered", "count_unregistered", "any_unsealed", "records_without_rows"),
            *("any_sealed", "first_sealed", "last_sealed", "count_sealed"),
            *("phrases_sealed_otherwise", "count_phrases_sealed", "lost_phrases", "kept_texts_holding", "kept_phrases"),
            *("any_phrase", "odd_entries", "sealed_elsewhere", "keys_elsewhere", "words_elsewhere"),
            *("retirable_sealing_key", "retire_sealing_key"),
            *("tagged_otherwise", "tagged_beyond", "count_tagged_by", "sealed_beginnings", "exposed"),
        }
    ),
    "a wallet that its own rows and history do not have: its text under another wallet, its vault id": frozenset(
        {
            *("records_holding", "history_holding", "metadata_holding", "record_with_vault_id"),
            *("credential_with_vault_id", "vault_id_taken_elsewhere"),
        }
    ),
    "other projects' wallets with the same key": frozenset(
        {
            *("shared_keys", "shared_key", "key_of_another_project", "row_of_another_project"),
            *("keys_of_rows", "sealed_texts", "keys_of_records", "records_with_paths", "records_of_wallets"),
            *("wallets_of_other_projects", "any_nonce_of_other_spelling"),
            *("records_with_sealed", "entries_with_sealed", "metadata_with_sealed"),
        }
    ),
    "many wallets of any projects in one statement; the second one on one server alone": frozenset(
        {"rewrap_many", "authorize"}
    ),
}
"""The statements that ask every part, by what they are for; docs/citus.md lists them."""
WITHOUT_A_PROJECT = frozenset({"count", "search_page", "unplaced", "unsealed_history", "usage_log", "wallets"})
"""What asks every part where no project is given, and one where one is."""
UPGRADING = frozenset({"find_untagged_nonce", "untagged_nonce_page", "delete_untagged_nonce", "any_untagged_nonce"})
"""Of tables that an older version left: a vault that is divided has none."""
LEGACY = frozenset({"candidates"})
"""Of legacy tables, which are never divided."""
OF_SQLITE = frozenset({"page_of_wallets", "page_of_orphans"})
ELSEWHERE = {
    "store/catalog/foreign_schema.py": "legacy tables: a row of values, which their CHECKs are evaluated on",
    "store/catalog/grants.py": "GRANT",
    "store/catalog/obstacles.py": "asked on one server, before the first step of `distribute`",
    "store/catalog/project_ids.py": "legacy tables",
    "store/catalog/referenced_rows.py": "legacy tables: what they refer to",
    "store/catalog/wallet_tables.py": "legacy tables: those that they lack are made",
    "store/connection/read_only.py": "a cursor",
    "store/guard/functions.py": "triggers, which tables on nodes have none of",
    "store/guard/postgresql.py": "likewise",
    "store/guard/sqlite.py": "SQLite",
    "store/migrations/distribution.py": "tables are distributed, and the coordinator's statistics of them deleted",
    "store/migrations/schema_making.py": "the owner of a schema",
    "store/migrations/schema_move.py": "tables are moved to another schema",
    "store/migrations/versions/0001_core.py": "tables are made, before they can be divided",
    "store/migrations/versions/0002_signed_nonces.py": "likewise",
    "store/migrations/versions/0003_register.py": "likewise",
    "store/migrations/versions/0004_phrases.py": "likewise",
    "takeover/doctor/other_ids.py": "SQL for people, about legacy tables",
}
"""Modules with SQL of their own that names a tenant's table, or one that is not told, and what it is for."""
PROJECT, OTHER = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
_PROJECTS = ("project_id", "stored_project", "kept_project_id", "projects")
"""The parameters that name the project of what a statement is about."""
VALUES: Mapping[str, Any] = {
    "text": "x",
    "character varying": "x",
    "integer": 1,
    "bigint": 1,
    "boolean": True,
    "timestamp with time zone": "2026-01-01 00:00:00+00",
    "jsonb": "{}",
}
_PART = re.compile(rf"({'|'.join(TENANTS)})_(\d)")
_SCHEMA = re.compile(r"ALTER TABLE|DROP TABLE")


@pytest.fixture(scope="module")
def sharded_url(postgres: PostgresServer, root_key_uri: str) -> Iterator[str]:
    """A vault whose tables are divided."""
    url = postgres.create_database("sharded_statements")
    with strongroom.init(url, root_key=root_key_uri) as vault:
        del vault
    partition(url, 8)
    yield url
    postgres.drop_database("sharded_statements")


def profile_of(url: str) -> Profile:
    with ReadOnlyDatabase.open(url, ConnectionSettings(connect_timeout_seconds=5, busy_timeout_seconds=5)) as database:
        profile = read_profile(database)
    assert profile.sharded
    return profile


def statements(profile: Profile) -> Iterator[Built]:
    """Every statement that is of tables which a divided vault has, with the schemas that they are in."""
    for each in every_statement(postgresql.psycopg.dialect(), profile):  # type: ignore[no-untyped-call]
        if each.name in UPGRADING | LEGACY | OF_SQLITE:
            continue
        if _SCHEMA.match(each.text):
            assert not re.search(rf"\b({'|'.join(TENANTS)})\b", each.text)
            continue
        yield each._replace(text=qualified(each.text, profile.schemas))


def planned(connection: psycopg.Connection[Any], text: str) -> dict[str, Any]:
    """The plan of a statement with some values; those that name the project name ``PROJECT``, other ids another one."""
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
    values = [_value(name, kind) for name, kind in zip(seen, types, strict=True)]
    given = f"({', '.join(values)})" if values else ""
    (found,) = connection.execute(f"EXPLAIN (FORMAT JSON) EXECUTE s{given}".encode()).fetchone() or ([],)
    connection.execute("DEALLOCATE s")
    plan: dict[str, Any] = found[0]["Plan"]
    return plan


def _value(name: str, kind: str) -> str:
    bare = kind.removesuffix("[]")
    value = (PROJECT if name in _PROJECTS else OTHER) if bare == "uuid" else VALUES[bare]
    return f"ARRAY['{value}']::{kind}" if kind.endswith("[]") else f"'{value}'::{kind}"


def parts(plan: Mapping[str, Any]) -> dict[str, set[str]]:
    """By table, the parts of it that a plan reads or writes."""
    found: dict[str, set[str]] = {}
    if (named := _PART.fullmatch(plan.get("Relation Name", ""))) is not None:
        found[named[1]] = {named[2]}
    for child in plan.get("Plans", ()):
        for table, numbers in parts(child).items():
            found.setdefault(table, set()).update(numbers)
    return found


def changes(plan: Mapping[str, Any]) -> bool:
    """Whether a plan locks, updates or deletes rows that are there, of a tenant's table."""
    here = plan["Node Type"] == "LockRows" or plan.get("Operation") in ("Update", "Delete")
    table = str(plan.get("Relation Name", "strongroom_slot"))
    tenants = table in TENANTS or _PART.fullmatch(table) is not None
    return (here and tenants) or any(map(changes, plan.get("Plans", ())))


def plans(url: str) -> Iterator[tuple[Built, dict[str, Any]]]:
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        connection.execute("SET plan_cache_mode = force_custom_plan")
        for each in statements(profile_of(url)):
            try:
                yield each, planned(connection, each.text)
            except psycopg.Error as error:
                raise AssertionError(f"{each.name} cannot be planned: {error}") from error


def test_every_statement_asks_its_own_projects_part_or_is_named_as_one_that_asks_all(sharded_url: str) -> None:
    named = frozenset[str]().union(*FAN_OUTS.values())
    with psycopg.connect(sharded_url) as connection:
        ((own,),) = parts(
            planned(connection, "SELECT FROM strongroom.project_credentials WHERE project_id = %(project_id)s")
        ).values()
    asks_all, unnamed, read = set(), dict[str, Any](), set()
    for each, plan in plans(sharded_url):
        read.add(each.name)
        found = parts(plan)
        if all(numbers <= {own} for numbers in found.values()):
            continue
        asks_all.add(each.name)
        if each.name not in named and (each.of_project or each.name not in WITHOUT_A_PROJECT):
            unnamed[each.name] = found
    assert len(read) > 150
    assert unnamed == {}
    assert (named | WITHOUT_A_PROJECT) - asks_all == set(), "named, and not found to ask all"


def test_what_asks_all_parts_locks_and_changes_no_row_of_a_project(sharded_url: str) -> None:
    named = frozenset[str]().union(*FAN_OUTS.values()) | WITHOUT_A_PROJECT
    found = {each.name for each, plan in plans(sharded_url) if each.name in named and changes(plan)}
    assert found == {"rewrap_many"}


def test_no_statement_lets_a_row_become_another_projects(sharded_url: str) -> None:
    """Citus refuses an UPDATE that writes the column that distributes rows, whatever it writes there."""
    tables = "|".join(TENANTS)
    changed = re.compile(rf'UPDATE (?:"?\w+"?\.)?(?:{tables})\b(.*?)\bSET\b(?P<set>.*?)(?:\bWHERE\b|$)', re.S)
    read = [
        (each.name, found["set"])
        for each in statements(profile_of(sharded_url))
        for found in changed.finditer(each.text)
    ]
    assert len(read) > 15
    assert {name for name, written in read if re.search(r"\bproject_id\s*=", written)} == set()


def test_no_statement_is_left_unread(sharded_url: str) -> None:
    assert unread_classes(postgresql.psycopg.dialect(), profile_of(sharded_url)) == set()  # type: ignore[no-untyped-call]
    assert written_elsewhere() == ELSEWHERE.keys()
