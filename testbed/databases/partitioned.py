"""A vault whose tenants' tables are PARTITION BY HASH (project_id): the keys of a sharded database, on one server.

Citus asks the same of keys and statements, and no registry has it; ``STRONGROOM_PARTITIONED=8`` lets every vault with
tables of ours on PostgreSQL be of this kind.
"""

from __future__ import annotations

import os

import psycopg
from psycopg import sql

from strongroom.store.catalog.sharding import KEYS, TENANTS, changes_of, reference_of

PARTITIONS = int(os.environ.get("STRONGROOM_PARTITIONED") or 0)
"""How many partitions each table has; 0: none."""
_CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
 WHERE conrelid = %s::regclass AND contype IN ('p', 'u', 'c') ORDER BY contype <> 'p'
"""
_INDEXES = """
SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE i.indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
"""
_SECURED = "SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass"


def partition(url: str, partitions: int = PARTITIONS) -> None:
    """Divide the tables of an initialised vault, with the rows that they have."""
    with psycopg.connect(url) as connection:
        (home,) = connection.execute(
            "SELECT schemaname FROM pg_tables WHERE tablename = 'strongroom_slot'"
        ).fetchone() or ("",)
        connection.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(home)))
        found = connection.execute(KEYS.encode(), {"tables": list(TENANTS), "schemas": [home]}).fetchall()
        there = {(str(table), str(name)): tuple(columns) for table, name, columns in found}
        referring = {table: keys for table, keys in TENANTS.items() if keys.reference is not None}
        for table, keys in referring.items():
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {keys.reference}".encode())
        for table, keys in TENANTS.items():
            if changes := changes_of(table, keys, there):
                connection.execute(f"ALTER TABLE {table} {', '.join(changes)}".encode())
            for column in keys.looked_up:
                connection.execute(f"CREATE INDEX {table}_{column}_lookup ON {table} ({column})".encode())
        for table in TENANTS:
            _divide(connection, table, partitions)
        for table, keys in referring.items():
            connection.execute(f"ALTER TABLE {table} {reference_of(keys, 'project_credentials')}".encode())


def _divide(connection: psycopg.Connection[tuple[object, ...]], table: str, partitions: int) -> None:
    constraints = connection.execute(_CONSTRAINTS, (table,)).fetchall()
    indexes = connection.execute(_INDEXES, (table,)).fetchall()
    secured = connection.execute(_SECURED, (table,)).fetchall()
    whole = f"{table}_whole"
    connection.execute(f"ALTER TABLE {table} RENAME TO {whole}".encode())
    for name, _ in constraints:
        connection.execute(f"ALTER TABLE {whole} RENAME CONSTRAINT {name} TO {name}_whole".encode())
    for name, _ in indexes:
        connection.execute(f"ALTER INDEX {name} RENAME TO {name}_whole".encode())
    connection.execute(
        f"CREATE TABLE {table} (LIKE {whole} INCLUDING DEFAULTS INCLUDING COMMENTS) "
        "PARTITION BY HASH (project_id)".encode()
    )
    for number in range(partitions):
        connection.execute(
            f"CREATE TABLE {table}_{number} PARTITION OF {table} "
            f"FOR VALUES WITH (MODULUS {partitions}, REMAINDER {number})".encode()
        )
    for name, definition in constraints:
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}".encode())
    for _, definition in indexes:
        connection.execute(str(definition).encode())
    if secured == [(True,)]:
        connection.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY".encode())
    connection.execute(f"INSERT INTO {table} SELECT * FROM {whole}".encode())
    connection.execute(f"DROP TABLE {whole} CASCADE".encode())
