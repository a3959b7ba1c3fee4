"""A writer of the database lets the rows of a wallet be another project's, also where tables are divided by project."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import psycopg

from testbed.databases.deployments import Deployment

WALLET_ROWS = ("project_credentials", "credential_vault_storage", "credential_usage_logs")
"""The tables that have rows of a wallet, those first that others refer to."""
_MOVES = """
WITH moved AS (UPDATE project_credentials SET project_id = ? WHERE id = ?),
     record AS (UPDATE credential_vault_storage SET project_id = ? WHERE credential_id = ?)
UPDATE credential_usage_logs SET project_id = ? WHERE credential_id = ?
"""


def divided(place: Deployment) -> bool:
    """Whether each row is in its project's part."""
    with place.open() as vault:
        return bool(vault._context.store.divided)


def move(place: Deployment, wallet: UUID, project: UUID) -> None:
    """Let the rows of a wallet be another project's (PostgreSQL, tables of ours); on nodes they are made anew there."""
    if not _on_nodes(place):
        place.execute(_MOVES, *(project, wallet) * 3)
        return
    with psycopg.connect(place.url) as connection:
        rows = {}
        for table in WALLET_ROWS:
            found = connection.execute(
                f"SELECT to_jsonb(t)::text FROM {table} t WHERE {_names_wallet(table)} = %s".encode(), (wallet,)
            )
            rows[table] = [{**json.loads(row), "project_id": str(project)} for (row,) in found]
        for table in reversed(WALLET_ROWS):
            connection.execute(f"DELETE FROM {table} WHERE {_names_wallet(table)} = %s".encode(), (wallet,))
        for table, made in rows.items():
            for row in made:
                put_row(connection, table, row)


def move_all(place: Deployment, table: str, project: UUID) -> None:
    """Let all rows of a table be another project's; on nodes they are made anew there."""
    if not _on_nodes(place):
        place.execute(f"UPDATE {table} SET project_id = ?", project)
        return
    with psycopg.connect(place.url) as connection:
        found = connection.execute(f"SELECT to_jsonb(t)::text FROM {table} t".encode()).fetchall()
        connection.execute(f"DELETE FROM {table}".encode())
        for (row,) in found:
            put_row(connection, table, {**json.loads(row), "project_id": str(project)})


def put_row(connection: psycopg.Connection[Any], table: str, row: dict[str, Any]) -> None:
    """Insert a row by its columns."""
    values = [json.dumps(each) if isinstance(each, dict) else each for each in row.values()]
    marks = ", ".join(["%s"] * len(row))
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})".encode(), values)


def _on_nodes(place: Deployment) -> bool:
    return place.backend != "sqlite" and bool(place.execute("SELECT 1 FROM pg_extension WHERE extname = 'citus'"))


def _names_wallet(table: str) -> str:
    return "id" if table == "project_credentials" else "credential_id"
