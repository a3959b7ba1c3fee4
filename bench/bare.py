"""The floor's statements: the best that one can send by hand over the bare drivers, on strongroom's own schema."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from bench.crypto_baseline import NETWORK, PATH, SCHEME, BareWallet, new_id
from bench.registering import SCHEMA_VERSION, TAG_COLUMNS, TAG_VALUES

PAGE = 500
LABEL = "bench"
Row = tuple[Any, ...]

_SLOT = f"project_id, network, label, credential_id, version, {TAG_COLUMNS}"
_CREDENTIAL = (
    "id, project_id, credential_type, network, wallet_address, public_key, key_vault_id, status, is_active, "
    "vault_stored, metadata, created_at, updated_at"
)
_VAULT = (
    "id, project_id, credential_id, vault_id, encrypted_private_key, encryption_method, access_level, "
    "backup_created, created_at, updated_at"
)
_LOG = "id, project_id, credential_id, action_type, action_details, performed_at, schema_version"

_WALLET_COLUMNS = (
    "c.id, c.project_id, c.network, c.credential_type, c.wallet_address, c.public_key, c.key_vault_id, c.status, "
    "c.metadata, c.created_at, v.access_level, v.encryption_method, v.encrypted_private_key"
)
_JOINED = "project_credentials c LEFT JOIN credential_vault_storage v ON v.credential_id = c.id"
_FIND = (
    f"SELECT s.credential_id, {_WALLET_COLUMNS} FROM strongroom_slot s "
    "LEFT JOIN project_credentials c ON c.id = s.credential_id "
    "LEFT JOIN credential_vault_storage v ON v.credential_id = s.credential_id "
    "WHERE s.project_id = {0} AND s.network = {1} AND s.label = {2}"
)
_PAGE = f"SELECT {_WALLET_COLUMNS} FROM {_JOINED} WHERE c.id > {{0}} AND c.project_id = {{1}} ORDER BY c.id LIMIT {{2}}"
_STREAM = (
    "SELECT c.id, c.project_id, c.wallet_address, c.public_key, v.encrypted_private_key "
    f"FROM {_JOINED} WHERE c.id > {{0}} ORDER BY c.id LIMIT {{1}}"
)
_WHOLE = f"SELECT {_WALLET_COLUMNS} FROM {_JOINED} WHERE c.id > {{0}} ORDER BY c.id LIMIT {{1}}"
_HISTORY = (
    "id, project_id, credential_id, network, label, address, public_key, vault_id, text, form, reason, created_at, "
    "schema_version"
)
_KEEP_NEW = f""", kept_new AS (
    INSERT INTO strongroom_vault_history ({_HISTORY})
    SELECT history_new, project_id, id, network, '{LABEL}', wallet_address, public_key, key_vault_id, new, 'sealed',
           'rewrap', %(now)s, {SCHEMA_VERSION}
      FROM moved
)"""
_REWRAP = f"""
WITH input AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(old)s::text[], %(new)s::text[], %(history)s::uuid[],
                         %(history_new)s::uuid[], %(log)s::uuid[]) AS i (id, old, new, history, history_new, log)
), updated AS (
    UPDATE credential_vault_storage v SET encrypted_private_key = i.new, updated_at = %(now)s FROM input i
     WHERE v.credential_id = i.id AND v.encrypted_private_key = i.old RETURNING v.credential_id
), moved AS (
    SELECT c.project_id, c.network, c.wallet_address, c.public_key, c.key_vault_id, i.*
      FROM updated u JOIN input i ON i.id = u.credential_id JOIN project_credentials c ON c.id = i.id
), kept AS (
    INSERT INTO strongroom_vault_history ({_HISTORY})
    SELECT history, project_id, id, network, '{LABEL}', wallet_address, public_key, key_vault_id, old, 'sealed',
           'rewrap', %(now)s, {SCHEMA_VERSION}
      FROM moved
){{keep_new}}
INSERT INTO credential_usage_logs ({{log}})
SELECT log, {{log_project}}id, 'rewrap', '{{{{}}}}'::jsonb, %(now)s{{log_version}} FROM moved
"""


class Bare(Protocol):
    """What the floor does on a database."""

    def write(self, wallet: BareWallet) -> None:
        """Write a whole wallet and commit it."""

    def write_all(self, wallets: Iterable[BareWallet]) -> None:
        """Write many wallets and commit once."""

    def find(self, slot: tuple[UUID, str]) -> Row:
        """The wallet of (project, label) by one joined SELECT."""

    def page(self, project_id: UUID, limit: int) -> list[Row]:
        """The first wallets of a project."""

    def stream(self, *, whole: bool = False) -> Iterator[list[Row]]:
        """Every wallet, a page at a time: (id, project id, address, public key, sealed text), or all that a page of a
        project has."""

    def rewrap(self, rows: list[Row], texts: list[str]) -> None:
        """Put new texts in the place of those of a page of ``stream``, old ones into the history; commit."""

    @property
    def connection(self) -> Any:
        """The driver's connection."""

    def run(self, sql: str) -> list[Row]:
        """Any other statement, for the proofs after a run."""

    def close(self) -> None:
        """Close the connection."""


def _constants() -> tuple[str, str]:
    return json.dumps({"scheme": SCHEME, "path": PATH}), json.dumps({})


class BareSqlite:
    """sqlite3: four inserts between BEGIN IMMEDIATE and COMMIT; its own cache keeps them prepared."""

    _FIND = _FIND.format("?", "?", "?")
    _PAGE = _PAGE.format("?", "?", "?")
    _STREAM, _WHOLE = (each.format("?", "?") for each in (_STREAM, _WHOLE))
    _WRITES = (
        f"INSERT INTO strongroom_slot ({_SLOT}) VALUES (?2, '{NETWORK}', ?3, ?1, 1, {TAG_VALUES}) "
        "ON CONFLICT DO NOTHING",
        f"INSERT INTO project_credentials ({_CREDENTIAL}) VALUES "
        "(?1, ?2, ?3, ?4, ?5, ?6, ?7, 'active', true, true, ?8, ?9, ?9)",
        f"INSERT INTO credential_vault_storage ({_VAULT}) VALUES "
        "(?1, ?2, ?3, ?4, ?5, 'AES-256-GCM', 'project_admin', false, ?6, ?6)",
        f"INSERT INTO credential_usage_logs ({_LOG}) VALUES (?1, ?2, ?3, 'create', ?4, ?5, {SCHEMA_VERSION})",
    )

    _REWRAP = (
        "UPDATE credential_vault_storage SET encrypted_private_key = :new, updated_at = :now "
        "WHERE credential_id = :id AND encrypted_private_key = :old",
        "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, public_key, "
        f"vault_id, text, form, reason, created_at, schema_version) "
        f"SELECT :history, project_id, id, network, '{LABEL}', "
        f"wallet_address, public_key, key_vault_id, :old, 'sealed', 'rewrap', :now, {SCHEMA_VERSION} "
        "FROM project_credentials WHERE id = :id",
        f"INSERT INTO credential_usage_logs ({_LOG}) "
        f"SELECT :log, project_id, id, 'rewrap', '{{}}', :now, {SCHEMA_VERSION} "
        "FROM project_credentials WHERE id = :id",
    )

    def __init__(self, file: str, durability: Mapping[str, str]) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None)
        self._connection.execute("PRAGMA foreign_keys = ON")
        for name, value in durability.items():
            self._connection.execute(f"PRAGMA {name} = {value}").fetchall()
        self._run = self._connection.execute
        self._metadata, self._details = _constants()

    def write(self, wallet: BareWallet) -> None:
        """Write a whole wallet in one transaction."""
        self._run("BEGIN IMMEDIATE")
        self._write(wallet)
        self._run("COMMIT")

    def write_all(self, wallets: Iterable[BareWallet]) -> None:
        """Write many wallets in one transaction."""
        self._run("BEGIN IMMEDIATE")
        for wallet in wallets:
            self._write(wallet)
        self._run("COMMIT")

    def _write(self, wallet: BareWallet) -> None:
        run, (slot, credential, vault_record, log) = self._run, self._WRITES
        wallet_id, project_id, label, key, sealed_text = wallet
        now, name, project = datetime.now(UTC).isoformat(), str(wallet_id), str(project_id)
        vault_id = f"vault_{name}"
        run(slot, (name, project, label))
        run(
            credential,
            (
                name,
                project,
                f"{NETWORK}_wallet:{label}",
                NETWORK,
                key.address,
                key.public_key,
                vault_id,
                self._metadata,
                now,
            ),
        )
        run(vault_record, (str(new_id()), project, name, vault_id, sealed_text, now))
        run(log, (str(new_id()), project, name, self._details, now))

    def find(self, slot: tuple[UUID, str]) -> Row:
        """One joined SELECT."""
        project_id, label = slot
        return self._run(self._FIND, (str(project_id), NETWORK, label)).fetchall()[0]  # type: ignore[no-any-return]

    def page(self, project_id: UUID, limit: int) -> list[Row]:
        """One SELECT by keyset."""
        return self._run(self._PAGE, ("", str(project_id), limit)).fetchall()

    def stream(self, *, whole: bool = False) -> Iterator[list[Row]]:
        """A SELECT a page."""
        after, full, statement = "", True, self._WHOLE if whole else self._STREAM
        while full:
            rows = self._run(statement, (after, PAGE)).fetchall()
            yield rows
            full = len(rows) == PAGE
            after = rows[-1][0] if full else after

    def rewrap(self, rows: list[Row], texts: list[str]) -> None:
        """Three statements, each for all rows, in one transaction."""
        now = datetime.now(UTC).isoformat()
        values = [
            {"id": row[0], "old": row[4], "new": text, "now": now, "history": str(new_id()), "log": str(new_id())}
            for row, text in zip(rows, texts, strict=True)
        ]
        self._run("BEGIN IMMEDIATE")
        for statement in self._REWRAP:
            self._connection.executemany(statement, values)
        self._run("COMMIT")

    @property
    def connection(self) -> Any:
        return self._connection

    def run(self, sql: str) -> list[Row]:
        """Any other statement."""
        return self._run(sql).fetchall()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class BarePostgresql:
    """psycopg in autocommit: one prepared statement of data-modifying CTEs, one round trip."""

    _FIND = _FIND.format("%s", "%s", "%s")
    _PAGE = _PAGE.format("%s", "%s", "%s")
    _STREAM, _WHOLE = (each.format("%s", "%s") for each in (_STREAM, _WHOLE))
    _WRITE = f"""
    WITH slot AS (
        INSERT INTO strongroom_slot ({_SLOT})
        VALUES (%(project)s, '{NETWORK}', %(label)s, %(id)s, 1, {TAG_VALUES})
            ON CONFLICT DO NOTHING RETURNING credential_id
    ), credential AS (
        INSERT INTO project_credentials ({_CREDENTIAL})
        SELECT %(id)s, %(project)s, %(type)s, '{NETWORK}', %(address)s, %(public_key)s, %(vault_id)s, 'active', true,
               true, %(metadata)s::jsonb, %(now)s, %(now)s
          FROM slot RETURNING id
    ), vault_record AS (
        INSERT INTO credential_vault_storage ({_VAULT})
        SELECT %(vault_row)s, %(project)s, %(id)s, %(vault_id)s, %(sealed)s, 'AES-256-GCM', 'project_admin', false,
               %(now)s, %(now)s
          FROM credential RETURNING id
    ), usage_log AS (
        INSERT INTO credential_usage_logs ({_LOG})
        SELECT %(log)s, %(project)s, %(id)s, 'create', %(details)s::jsonb, %(now)s, {SCHEMA_VERSION} FROM credential
    )
    SELECT count(*) FROM vault_record
    """

    _REWRAP = _REWRAP.format(log=_LOG, log_project="project_id, ", log_version=f", {SCHEMA_VERSION}", keep_new="")

    def __init__(self, url: str, *, prepared: bool = True) -> None:
        import psycopg

        self._connection = psycopg.connect(url, autocommit=True)
        if not prepared:
            self._connection.prepare_threshold = None
        self._prepare = prepared
        self._cursor = self._connection.cursor()
        self._metadata, self._details = _constants()

    def write(self, wallet: BareWallet) -> None:
        """One statement, which is its own transaction."""
        wallet_id, project_id, label, key, sealed_text = wallet
        parameters = {
            "history": new_id(),
            "project": project_id,
            "label": label,
            "id": wallet_id,
            "type": f"{NETWORK}_wallet:{label}",
            "address": key.address,
            "public_key": key.public_key,
            "vault_id": f"vault_{wallet_id}",
            "metadata": self._metadata,
            "now": datetime.now(UTC),
            "vault_row": new_id(),
            "sealed": sealed_text,
            "log": new_id(),
            "details": self._details,
        }
        if self._run(self._WRITE, parameters)[0][0] != 1:
            raise RuntimeError("the floor lost a race that nobody else runs")

    def write_all(self, wallets: Iterable[BareWallet]) -> None:
        """The same statement, many times in one transaction."""
        with self._connection.transaction():
            for wallet in wallets:
                self.write(wallet)

    def find(self, slot: tuple[UUID, str]) -> Row:
        """One joined SELECT."""
        project_id, label = slot
        return self._run(self._FIND, (project_id, NETWORK, label))[0]

    def page(self, project_id: UUID, limit: int) -> list[Row]:
        """One SELECT by keyset."""
        return self._run(self._PAGE, (UUID(int=0), project_id, limit))

    def stream(self, *, whole: bool = False) -> Iterator[list[Row]]:
        """A SELECT a page."""
        after, full, statement = UUID(int=0), True, self._WHOLE if whole else self._STREAM
        while full:
            rows = self._run(statement, (after, PAGE))
            yield rows
            full = len(rows) == PAGE
            after = rows[-1][0] if full else after

    def rewrap(self, rows: list[Row], texts: list[str]) -> None:
        """One statement, with an array for each column."""
        number = len(rows)
        self._cursor.execute(
            self._REWRAP,
            {
                "ids": [row[0] for row in rows],
                "old": [row[4] for row in rows],
                "new": texts,
                "history": [new_id() for _ in range(number)],
                "history_new": [new_id() for _ in range(number)],
                "log": [new_id() for _ in range(number)],
                "now": datetime.now(UTC),
            },
            prepare=self._prepare,
        )

    @property
    def connection(self) -> Any:
        return self._connection

    def run(self, sql: str) -> list[Row]:
        """Any other statement."""
        return self._run(sql)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _run(self, sql: str, parameters: Any = None) -> list[Row]:
        return self._cursor.execute(sql, parameters, prepare=self._prepare).fetchall()


class BareExisting(BarePostgresql):
    """The same in legacy tables, generation 4: what is written is also kept in the history."""

    _LOG = "id, credential_id, action_type, action_details, performed_at"
    _WRITE = f"""
    WITH slot AS (
        INSERT INTO strongroom_slot ({_SLOT})
        VALUES (%(project)s, '{NETWORK}', %(label)s, %(id)s, 1, {TAG_VALUES})
            ON CONFLICT DO NOTHING RETURNING credential_id
    ), credential AS (
        INSERT INTO project_credentials ({_CREDENTIAL})
        SELECT %(id)s, %(project)s, %(type)s, '{NETWORK}', %(address)s, %(public_key)s, %(vault_id)s, 'active', true,
               true, %(metadata)s::jsonb, %(now)s, %(now)s
          FROM slot RETURNING id
    ), vault_record AS (
        INSERT INTO credential_vault_storage ({_VAULT.replace("project_id, ", "")})
        SELECT %(vault_row)s, %(id)s, %(vault_id)s, %(sealed)s, 'AES-256-GCM', 'project_admin', false, %(now)s, %(now)s
          FROM credential RETURNING id
    ), usage_log AS (
        INSERT INTO credential_usage_logs ({_LOG})
        SELECT %(log)s, %(id)s, 'create', %(details)s::jsonb, %(now)s FROM credential
    ), kept AS (
        INSERT INTO strongroom_vault_history ({_HISTORY})
        SELECT %(history)s, %(project)s, %(id)s, '{NETWORK}', %(label)s, %(address)s, %(public_key)s, %(vault_id)s,
               %(sealed)s, 'sealed', 'create', %(now)s, {SCHEMA_VERSION}
          FROM credential
    )
    SELECT count(*) FROM vault_record
    """
    _REWRAP = _REWRAP.format(log=_LOG, log_project="", log_version="", keep_new=_KEEP_NEW)
