"""What is in a database, asked by the bare driver: tests do not trust the product's own view."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg

WHOLE = """
SELECT (SELECT count(*) FROM project_credentials),
       (SELECT count(*) FROM credential_vault_storage),
       (SELECT count(*) FROM strongroom_slot),
       (SELECT count(*) FROM credential_usage_logs WHERE action_type IN ('create', 'import'))
"""
NAMING = ("credential_vault_storage", "strongroom_slot", "credential_usage_logs", "strongroom_idempotency")
"""The tables whose rows name a wallet."""
HALF_WRAPPED = """
SELECT k.kid, r.root_key FROM strongroom_keyring k
 CROSS JOIN (SELECT DISTINCT root_key FROM strongroom_keyring_wrap) r
 WHERE NOT EXISTS (SELECT 1 FROM strongroom_keyring_wrap w WHERE w.kid = k.kid AND w.root_key = r.root_key)
"""
"""Sealing keys that a root key does not wrap although it wraps others."""


def execute(url: str, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Run a statement with ``?`` placeholders in a transaction of its own, and return its rows."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(sqlite_path(url), timeout=30)
        try:
            with connection:
                return connection.execute(sql, parameters).fetchall()
        finally:
            connection.close()
    with psycopg.connect(url) as server:
        cursor = server.execute(sql.replace("?", "%s"), parameters)
        return cursor.fetchall() if cursor.description else []


def grant_on_all_tables(privileges: str, role: str) -> str:
    """SQL that lets a role use every table of a vault, and of the application, in whichever schema they are."""
    return f"""
        GRANT {privileges} ON ALL TABLES IN SCHEMA public TO {role};
        DO $$ BEGIN
            IF to_regnamespace('strongroom') IS NOT NULL THEN
                GRANT USAGE ON SCHEMA strongroom TO {role};
                GRANT {privileges} ON ALL TABLES IN SCHEMA strongroom TO {role};
            END IF;
        END $$;"""


def sqlite_copy(template: Path, folder: Path) -> str:
    """The URL of a copy of a SQLite vault, with what stands next to its file, in another folder."""
    for file in template.parent.glob(f"{template.name}*"):
        shutil.copy2(file, folder)
    return f"sqlite:///{folder / template.name}"


def sqlite_path(url: str) -> Path:
    """The file of a SQLite URL."""
    return Path(url.removeprefix("sqlite:///"))


def counts(url: str) -> tuple[int, int, int, int]:
    """Credentials, vault records, slots, and log rows of creations."""
    return execute(url, WHOLE)[0]


def lonely(url: str) -> tuple[int, ...]:
    """Rows without those that belong to them: six counts, all of them 0.

    Compared here: Citus joins the tables of a vault by their projects alone.
    """
    status = {str(each): state for each, state in execute(url, "SELECT id, status FROM project_credentials")}
    records, slots, logged, keys = (named_in(url, table).keys() for table in NAMING)
    phrases = {str(each) for (each,) in execute(url, "SELECT phrase_id FROM strongroom_phrase")}
    return (
        len(status.keys() - records),
        len({each for each, state in status.items() if state == "active"} - slots),
        len(status.keys() - logged),
        *(len(named - status.keys()) for named in (records, slots, keys - phrases)),
    )


def named_in(url: str, table: str) -> Counter[str]:
    """How many rows of a table name each wallet."""
    return Counter(str(each) for (each,) in execute(url, f"SELECT credential_id FROM {table}"))


def assert_whole(url: str, wallets: int | None = None) -> None:
    """Every wallet has its two halves, its slot and its log row; nothing else is there."""
    assert lonely(url) == (0, 0, 0, 0, 0, 0)
    found = counts(url)
    assert len(set(found)) == 1, f"credentials, vault records, slots, log rows: {found}"
    if wallets is not None:
        assert found[0] == wallets
