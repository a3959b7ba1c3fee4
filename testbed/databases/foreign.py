"""Databases that the legacy application made, and what it does in them."""

from __future__ import annotations

import json
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import psycopg

import strongroom
from strongroom.networks import TABLE
from strongroom.secret import Secret
from testbed.databases.rows import execute
from testbed.legacy import schema_sql
from testbed.servers.postgres import PostgresServer

GENERATIONS = ("g2", "g3", "g4")
PLACEHOLDERS = ("", "MIGRATION_REQUIRED", "PRIVATE_KEY_NOT_RECOVERABLE")
FOREIGN_TEXT = "U2FsdGVkX1+anything that the legacy application may have written"
WALLET_TABLES = ("project_credentials", "credential_vault_storage", "credential_usage_logs")
OWN_TABLES = ("strongroom_slot", "strongroom_idempotency", "strongroom_vault_history", "strongroom_events")

_numbers = count(1)
_made: dict[tuple[str, str, bool], str] = {}

# --- databases ----------------------------------------------------------------------------------------------


def legacy_template(postgres: PostgresServer, root_key: str, generation: str, *, initialised: bool) -> str:
    """The name of a database of a generation, initialised or not; made when it is first asked for."""
    key = (postgres.url(), generation, initialised)
    if key not in _made:
        name = f"legacy_{generation}_{'vault' if initialised else 'found'}"
        found = legacy_template(postgres, root_key, generation, initialised=False) if initialised else None
        url = postgres.create_database(name, template=found)
        if initialised:
            strongroom.init(url, root_key=root_key).close()
        else:
            with psycopg.connect(url) as connection:
                connection.execute(schema_sql(generation))
        _made[key] = name
    return _made[key]


# --- what the legacy application writes ----------------------------------------------------------------------


def run_script(url: str, script: str) -> None:
    """Run SQL as the owner of the tables, without parameters."""
    with psycopg.connect(url) as connection:
        connection.execute(script.encode())


def add_project(url: str) -> UUID:
    """A project's row, which the credentials of the legacy application refer to; nothing in a fresh database."""
    project = uuid4()
    if execute(url, "SELECT to_regclass('projects') IS NOT NULL")[0][0]:
        execute(url, "INSERT INTO projects (id, name) VALUES (?, 'a project')", (project,))
    return project


def add_credential(url: str, project: UUID, address: str | None, **columns: Any) -> UUID:
    """A credential as the legacy application writes one; ``columns`` override. The trigger of g4 adds its empty
    record."""
    credential: UUID = columns.pop("id", None) or uuid4()
    row: dict[str, Any] = {
        "id": credential,
        "project_id": project,
        "wallet_address": address,
        "public_key": address or "",
        "key_vault_id": f"vault_{credential}",
        **columns,
    }
    names, values = ", ".join(row), ", ".join("?" * len(row))
    parameters = tuple(json.dumps(value) if isinstance(value, dict) else value for value in row.values())
    execute(url, f"INSERT INTO project_credentials ({names}) VALUES ({values})", parameters)
    return credential


def put_text(url: str, credential: UUID, text: str | None, **columns: Any) -> None:
    """The legacy application's cure: update the vault record if it exists, else insert one."""
    with psycopg.connect(url) as connection:
        old_application(connection, credential, text, **columns)


def old_application(connection: psycopg.Connection[Any], credential: UUID, text: str | None, **columns: Any) -> None:
    """Look first, then update or insert: the cure with the race in it."""
    found = connection.execute("SELECT 1 FROM credential_vault_storage WHERE credential_id = %s", [credential])
    if found.fetchone():
        connection.execute(
            "UPDATE credential_vault_storage SET encrypted_private_key = %s WHERE credential_id = %s",
            [text, credential],
        )
        return
    row = {"credential_id": credential, "vault_id": f"vault_{credential}", "encrypted_private_key": text, **columns}
    connection.execute(
        f"INSERT INTO credential_vault_storage ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})".encode(),
        list(row.values()),
    )


def drop_record(url: str, credential: UUID) -> None:
    """Take the vault record away, such as the trigger's of g4."""
    execute(url, "DELETE FROM credential_vault_storage WHERE credential_id = ?", (credential,))


def add_wallet(url: str, address: str | None, text: str | None = None, **columns: Any) -> UUID:
    """A project with one credential; ``text`` None: without a vault record. Returns the credential's id."""
    credential = add_credential(url, columns.pop("project_id", None) or add_project(url), address, **columns)
    if text is None:
        drop_record(url, credential)
    else:
        put_text(url, credential, text)
    return credential


def project_of(url: str, credential: UUID) -> UUID:
    """The project of a credential."""
    return UUID(str(execute(url, "SELECT project_id FROM project_credentials WHERE id = ?", (credential,))[0][0]))


def address_of(network: str, private_key: str, variant: str | None = None) -> str:
    """The address that a private key derives."""
    chain = TABLE.get(network)
    return chain.public_half(chain.parse_private_key(Secret.from_text(private_key)), chain.scheme(variant)).address


# --- what is there -------------------------------------------------------------------------------------------


def texts_of(url: str, credential: UUID) -> list[str | None]:
    """Every text in a credential's vault records."""
    sql = "SELECT encrypted_private_key FROM credential_vault_storage WHERE credential_id = ? ORDER BY id"
    return [row[0] for row in execute(url, sql, (credential,))]


def kept_texts(url: str, credential: UUID) -> list[str]:
    """Every text that the history keeps of a credential."""
    sql = "SELECT text FROM strongroom_vault_history WHERE credential_id = ? ORDER BY id"
    return [row[0] for row in execute(url, sql, (credential,))]


def contents(url: str) -> dict[str, list[str]]:
    """Every row of every table, as text: two equal answers mean that nothing was changed."""
    names = [
        row[0]
        for row in execute(
            url, "SELECT tablename::text FROM pg_tables WHERE schemaname = ANY(current_schemas(false)) ORDER BY 1"
        )
    ]
    return {name: [row[0] for row in execute(url, f"SELECT t::text FROM {name} t ORDER BY 1")] for name in names}


_CATALOGUE = {
    "relations": """
        SELECT relname, relkind, relowner, relacl, relrowsecurity, relpersistence, relhastriggers FROM {class}""",
    "columns": """
        SELECT c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attisdropped,
               pg_get_expr(d.adbin, d.adrelid)
          FROM {class} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum""",
    "constraints": """
        SELECT c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated
          FROM {class} JOIN pg_constraint k ON k.conrelid = c.oid""",
    "indexes": "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM {class} JOIN pg_index i ON i.indrelid = c.oid",
    "triggers": """
        SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled
          FROM {class} JOIN pg_trigger t ON t.tgrelid = c.oid""",
    "functions": """
        SELECT p.proname, pg_get_functiondef(p.oid), p.proacl FROM pg_proc p
         WHERE p.pronamespace::regnamespace::name = ANY(current_schemas(false))""",
    "policies": "SELECT c.relname, p.polname FROM {class} JOIN pg_policy p ON p.polrelid = c.oid",
}
_CLASS = "(SELECT * FROM pg_class WHERE relnamespace::regnamespace::name = ANY(current_schemas(false))) c"


def catalogue(url: str) -> dict[str, list[str]]:
    """The definition of everything in a schema that does not begin with ``strongroom_``, as text."""
    return {
        part: sorted(
            repr(row)
            for row in execute(url, sql.replace("{class}", _CLASS))
            if not str(row[0]).startswith("strongroom_")
        )
        for part, sql in _CATALOGUE.items()
    }


def tables(url: str) -> set[str]:
    """The names of the tables."""
    return {
        row[0]
        for row in execute(url, "SELECT tablename::text FROM pg_tables WHERE schemaname = ANY(current_schemas(false))")
    }


def assert_one_live_wallet(url: str, project: UUID, wallet: UUID) -> None:
    """A project has this wallet alone: two halves, one record, one slot, one kept text, nothing of any loser."""
    assert execute(url, "SELECT id FROM project_credentials WHERE project_id = ?", (project,)) == [(wallet,)]
    assert len(texts_of(url, wallet)) == 1
    assert execute(url, "SELECT credential_id FROM strongroom_slot WHERE project_id = ?", (project,)) == [(wallet,)]
    assert kept_texts(url, wallet) == texts_of(url, wallet)
    lost = """SELECT count(*) FROM credential_vault_storage v
               WHERE NOT EXISTS (SELECT 1 FROM project_credentials c WHERE c.id = v.credential_id)"""
    assert execute(url, lost) == [(0,)]
    stray = "SELECT count(*) FROM strongroom_vault_history WHERE project_id = ? AND credential_id <> ?"
    assert execute(url, stray, (project, wallet)) == [(0,)]
