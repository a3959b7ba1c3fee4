"""Databases of every generation, written to by the bare drivers: COPY where there are many rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

import strongroom
from strongroom.records.register import SlotRecord
from strongroom.settings import Settings
from strongroom.store.write_conditions import SCHEMA_VERSION
from strongroom.usecases.tagging import tag_slot
from strongroom.wiring import open_context
from testbed.databases.rows import sqlite_path
from testbed.defects.database_builder import GENERATIONS, SchemaTraits
from testbed.defects.ground_truth import CredentialRow, Entry, GroundTruth, Record
from testbed.legacy import schema_sql

_NOW = datetime(2025, 1, 1, tzinfo=UTC)
_DEFAULTS = {"created_at": _NOW, "updated_at": _NOW, "backup_created": False}
_MOST_BY_TRIGGER = 200
_WITHOUT_FOREIGN_KEY = """
ALTER TABLE credential_vault_storage DROP CONSTRAINT credential_vault_storage_credential_id_fkey;
ALTER TABLE credential_vault_storage ALTER COLUMN encrypted_private_key DROP NOT NULL;
"""
Row = dict[str, Any]


class TargetDatabase:
    """One database that defects are written into."""

    def __init__(self, url: str, traits: SchemaTraits, root_key: str | None = None) -> None:
        self.url, self.traits, self._root_key = url, traits, root_key

    @classmethod
    def prepare(cls, url: str, generation: str, root_key: str | None) -> TargetDatabase:
        """Make the wallet tables in an empty database, and a vault where the generation has one."""
        traits = GENERATIONS[generation]
        if not traits.ours:
            with psycopg.connect(url) as connection:
                connection.execute(schema_sql(traits.base).encode())
                if traits.nulls:
                    connection.execute(_WITHOUT_FOREIGN_KEY.encode())
        if traits.initialised:
            if root_key is None:
                raise ValueError(f"{generation} is initialised, and wants a root key")
            strongroom.init(url, root_key=root_key).close()
        return cls(url, traits, root_key)

    def rows(self, table: str) -> list[Row]:
        """Every row of a table."""
        if self.traits.base == "sqlite":
            with closing(self._sqlite()) as connection:
                connection.row_factory = sqlite3.Row
                return [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
        with psycopg.connect(self.url, row_factory=dict_row) as server:
            return server.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))).fetchall()

    def after_growth(self, truth: GroundTruth) -> None:
        """Remember the names of the sealing keys."""
        truth.kids = frozenset(str(row["kid"]) for row in self.rows("strongroom_keyring"))

    def add_projects(self, projects: Iterable[UUID]) -> None:
        """The rows that credentials of the legacy application refer to."""
        if not self.traits.ours:
            with psycopg.connect(self.url) as server:
                _copy_projects(server, projects)

    def write(
        self,
        credentials: Sequence[CredentialRow],
        records: Sequence[Record],
        entries: Sequence[Entry],
        slots: Sequence[tuple[UUID, str, str, UUID]],
    ) -> None:
        """Write rows; those that are there already under the same ids are replaced."""
        projects = {credential.id: credential.project for credential in credentials}
        tables = {
            "project_credentials": [_credential_row(each) for each in credentials if not each.by_trigger],
            "credential_vault_storage": [_record_row(each, projects) for each in records],
            "strongroom_vault_history": [_entry_row(each) for each in entries],
            "strongroom_slot": self._slot_rows(slots),
        }
        if self.traits.base == "sqlite":
            self._write_sqlite(tables)
            return
        with psycopg.connect(self.url) as server:
            if not self.traits.ours:
                _copy_projects(server, projects.values())
            server.execute("SET session_replication_role = replica")  # no trigger, no foreign key looks on
            for table, rows in tables.items():
                _copy(server, table, rows)

    def remove(self, credentials: Iterable[UUID], entries: Iterable[UUID]) -> None:
        """Take rows out, so that they can be written again as they should be."""
        conditions = (
            ("credential_vault_storage", "credential_id", list(credentials)),
            ("project_credentials", "id", list(credentials)),
            ("strongroom_vault_history", "id", list(entries)),
        )
        if self.traits.base == "sqlite":
            with closing(self._sqlite()) as connection, connection:
                for table, column, ids in conditions:
                    connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", [(str(each),) for each in ids])
            return
        with psycopg.connect(self.url) as server:
            server.execute("SET session_replication_role = replica")
            for table, column, ids in conditions:
                if ids:
                    statement = sql.SQL("DELETE FROM {} WHERE {} = ANY(%s)")
                    server.execute(statement.format(sql.Identifier(table), sql.Identifier(column)), [ids])

    def write_by_trigger(self, pairs: Sequence[tuple[CredentialRow, Record]]) -> None:
        """Write as applications do: the credential, then the text over the placeholder of the trigger."""
        if not pairs:
            return
        with psycopg.connect(self.url) as server:
            _copy_projects(server, {credential.project for credential, _ in pairs})
            rows = [_credential_row(credential) for credential, _ in pairs]
            names = _columns(server, "project_credentials")
            statement = sql.SQL("INSERT INTO project_credentials ({}) VALUES ({})").format(
                sql.SQL(", ").join(map(sql.Identifier, names)), sql.SQL(", ").join(sql.Placeholder() * len(names))
            )
            cursor = server.cursor()
            cursor.executemany(statement, [_values(row, names) for row in rows])
            cursor.executemany(
                """UPDATE credential_vault_storage SET encrypted_private_key = %s, encryption_method = %s,
                          access_level = %s WHERE credential_id = %s""",
                [
                    (record.text.value, record.method, record.access_level, credential.id)
                    for credential, record in pairs
                ],
            )
            found = cursor.execute("SELECT credential_id, id FROM credential_vault_storage").fetchall()
        ids: dict[UUID, UUID] = dict(found)
        for credential, record in pairs:
            record.id = ids[credential.id]

    def _slot_rows(self, slots: Sequence[tuple[UUID, str, str, UUID]]) -> list[Row]:
        """Slots as strongroom takes them: each with its tag."""
        if not slots:
            return []
        context = open_context(Settings(database=self.url, root_key=self._root_key))
        try:
            records = [SlotRecord(*slot, version=1) for slot in slots]
            tags = [tag_slot(context, record) for record in records]
        finally:
            context.close()
        return [
            {**record._asdict(), "kid": tag.kid, "tag": tag.value} for record, tag in zip(records, tags, strict=True)
        ]

    def _sqlite(self) -> sqlite3.Connection:
        return sqlite3.connect(sqlite_path(self.url), timeout=30)

    def _write_sqlite(self, tables: dict[str, list[Row]]) -> None:
        with closing(self._sqlite()) as connection, connection:
            for table, rows in tables.items():
                names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
                marks = ", ".join("?" * len(names))
                connection.executemany(
                    f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",
                    [[_as_sqlite(value) for value in _values(row, names)] for row in rows],
                )


def by_trigger(traits: SchemaTraits, truth: GroundTruth, touched: Iterable[UUID]) -> list[tuple[CredentialRow, Record]]:
    """Which new credentials are written as applications write them; they are marked."""
    if traits.base != "g4":
        return []
    made_before = {each.id for each in truth.credentials if each.columns} | set(touched)
    index = truth.index()
    chosen: list[tuple[CredentialRow, Record]] = []
    for credential in truth.credentials[::3]:
        records = index.records[credential.id]
        fits = len(records) == 1 and records[0].vault_id == credential.vault_id
        if fits and credential.id not in made_before and len(chosen) < _MOST_BY_TRIGGER:
            credential.by_trigger = True
            chosen.append((credential, records[0]))
    return chosen


# --- rows ----------------------------------------------------------------------------------------------------


def _credential_row(credential: CredentialRow) -> Row:
    metadata: Row | None = dict(credential.metadata or {})
    for member, text in credential.members.items():
        assert metadata is not None
        inner = {"encrypted_private_key": text.value, "encryption_method": "AES-256-GCM"}
        metadata[member] = inner if member == "vault_storage" else text.value
    return {
        **credential.columns,
        "id": credential.id,
        "project_id": credential.project,
        "credential_type": credential.credential_type,
        "network": credential.network,
        "wallet_address": credential.wallet_address,
        "public_key": credential.public_key,
        "key_vault_id": credential.vault_id,
        "status": credential.status,
        "is_active": credential.is_active,
        "vault_stored": credential.vault_stored,
        "revoked_at": credential.revoked_at,
        "metadata": None if credential.metadata is None and not credential.members else json.dumps(metadata),
    }


def _record_row(record: Record, projects: dict[UUID, UUID]) -> Row:
    project = record.columns.get("project_id") or projects.get(record.credential) or UUID(int=0)
    return {
        **record.columns,
        "id": record.id,
        "project_id": project,
        "credential_id": record.credential,
        "vault_id": record.vault_id,
        "encrypted_private_key": record.text.value,
        "encryption_method": record.method,
        "access_level": record.access_level,
    }


def _entry_row(entry: Entry) -> Row:
    fresh = {"label": "default", "public_key": "", "vault_id": f"vault_{entry.credential}", "reason": "seal"}
    return {
        "schema_version": SCHEMA_VERSION,
        **(entry.columns or fresh),
        "id": entry.id,
        "project_id": entry.project,
        "credential_id": entry.credential,
        "network": entry.network,
        "address": entry.address,
        "text": entry.text.value,
        "form": entry.form,
    }


def _values(row: Row, names: Sequence[str]) -> list[Any]:
    return [row[name] if row.get(name) is not None else _DEFAULTS.get(name) for name in names]


def _as_sqlite(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value


def _columns(server: psycopg.Connection[Any], table: str) -> list[str]:
    found = server.execute(
        """SELECT attname FROM pg_attribute
            WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum""",
        [table],
    )
    return [str(name) for (name,) in found]


def _copy(server: psycopg.Connection[Any], table: str, rows: Sequence[Row]) -> None:
    if not rows:
        return
    names = _columns(server, table)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with server.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row(_values(row, names))


def _copy_projects(server: psycopg.Connection[Any], projects: Iterable[UUID]) -> None:
    there = {row[0] for row in server.execute("SELECT id FROM projects")}
    _copy(server, "projects", [{"id": each, "name": "a project"} for each in sorted(set(projects) - there)])
