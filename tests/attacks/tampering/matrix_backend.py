"""A database whose every wallet is known, with its rows as they are and as they were before the last changes.

Between the two lie a revocation, a replacement and a replaced transaction: what an older value is. Before that lies a
new sealing key with its rewrap, which retires the one before. Columns and tables come from the catalogue, so that a new
one is part of the matrix.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from strongroom import Vault, Wallet
from testbed.databases.deployments import Deployment
from testbed.databases.rows import execute, sqlite_path
from testbed.processes.signing import transaction

BACKENDS = ("sqlite", "fresh", "g3", "g4")
MESSAGE = "what every wallet of the matrix signs"
HOT_KEY = "11" * 32
KEPT_OUT = (
    sqlite3.IntegrityError,
    sqlite3.OperationalError,
    psycopg.errors.IntegrityError,
    psycopg.errors.DataError,
    psycopg.ProgrammingError,
    psycopg.OperationalError,
)
"""What a database says that does not take a value, no matter who writes it."""
_NOT_OURS = ("projects", "alembic_version")

Statement = tuple[str, tuple[object, ...]]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class MatrixWallet:
    """A wallet, and everything that it answered before anybody touched its rows."""

    name: str
    wallet: Wallet
    key: str
    signature: dict[str, Any] | None
    """None where it signs nothing any more."""


class Table(NamedTuple):
    """A table as the catalogue describes it, with its rows."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    rows: list[dict[str, Any]]
    older: list[dict[str, Any]]
    """Before wallets were retired: genuine."""
    oldest: list[dict[str, Any]]
    """Before the sealing key was changed: tags that do not count any more."""


class MatrixBackend:
    """Wallets of two projects on a place, and the means to change their rows behind the vault's back."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.sqlite = deployment.backend == "sqlite"
        self.settings: dict[str, Any] = {"accept_foreign": False} if deployment.backend == "g4" else {}
        """On g3 the vault accepts wallets that nothing proves, on g4 it does not."""
        self.projects = {name: deployment.project() for name in ("first", "second")}
        first, second = self.projects.values()
        with deployment.open() as vault:
            made = {
                "one": vault.create_wallet(first, "ethereum", idempotency_key="key of one")[0],
                "hot": vault.import_wallet(first, "ethereum", label="hot", private_key=HOT_KEY)[0],
                "revoked": vault.create_wallet(first, "ethereum", label="revoked", idempotency_key="key of it")[0],
                "replaced": vault.create_wallet(first, "ethereum", label="replaced")[0],
                "other": vault.create_wallet(second, "ethereum", idempotency_key="key of one")[0],
                "sol": vault.create_wallet(second, "solana")[0],
            }
            self.phrases = {name: vault.create_phrase(project).phrase for name, project in self.projects.items()}
            self.words = {name: words_of(vault, project) for name, project in self.projects.items()}
            for name, project in (("derived", first), ("derived elsewhere", second)):
                made[name] = vault.create_wallet(project, "ethereum", label="derived", phrase="default")[0]
            for name in ("one", "other"):
                vault.sign_transaction(made[name].id, transaction(1, 10))
            oldest = self._everything()
            vault.rotate_sealing_key()
            assert all(result.ok for result in vault.rewrap())
            older = self._everything()
            self.signed = {
                name: vault.sign_transaction(made[name].id, transaction(1, 20), replace=True).as_dict()
                for name in ("one", "other")
            }
            vault.sign_transaction(made["hot"].id, transaction(2, 20))
            vault.advance_phrase(first, "ethereum", 2, actor="test", reason="what an older row does not know")
            signatures = {name: vault.sign_message(wallet.id, MESSAGE).as_dict() for name, wallet in made.items()}
            vault.revoke_wallet(made["revoked"].id)
            made["successor"] = vault.replace_wallet(made["replaced"].id)[0]
            signatures["successor"] = vault.sign_message(made["successor"].id, MESSAGE).as_dict()
            for name in ("revoked", "replaced"):
                signatures.pop(name)
            self.known = {name: _known(vault, name, wallet, signatures) for name, wallet in made.items()}
        self.by_id = {known.wallet.id: known for known in self.known.values()}
        now = self._everything()
        self.tables = {
            name: Table(name, columns, key, now[name], older[name], oldest[name])
            for name, columns, key in self._described()
        }
        self._triggers = self._trigger_texts()
        self._keep()

    def __getitem__(self, name: str) -> MatrixWallet:
        return self.known[name]

    def open(self) -> Vault:
        """Open the vault once more."""
        return self.deployment.open(**self.settings)

    # --- what there is --------------------------------------------------------------------------------------

    def _described(self) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        for name in self._names():
            if self.sqlite:
                found = self.deployment.execute(f"SELECT name, pk FROM pragma_table_info('{name}') ORDER BY cid")
            else:
                found = execute(self.deployment.url, _COLUMNS, (name,))
            key = tuple(str(column) for column, part in sorted(found, key=lambda row: int(row[1])) if part)
            yield name, tuple(str(column) for column, _ in found), key or (str(found[0][0]),)

    def _names(self) -> list[str]:
        sql = (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            if self.sqlite
            else "SELECT table_name FROM information_schema.tables WHERE table_schema IN ('public', 'strongroom')"
        )
        found = [str(name) for (name,) in execute(self.deployment.url, sql)]
        return sorted(name for name in found if name not in _NOT_OURS and not name.startswith("kept_"))

    def _everything(self) -> dict[str, list[dict[str, Any]]]:
        described = {name: columns for name, columns, _ in self._described()}
        return {
            name: [dict(zip(columns, row, strict=True)) for row in self._rows(name, columns)]
            for name, columns in described.items()
        }

    def _rows(self, name: str, columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
        shown = [column if self.sqlite else f"{column}::text" for column in columns]
        return execute(self.deployment.url, f"SELECT {', '.join(shown)} FROM {name}")

    def project_of(self, row: Row) -> str | None:
        """The name of the project that a row belongs to; None where it belongs to none."""
        wallet = self._wallet_of(row)
        if wallet is not None:
            return "first" if wallet.wallet.project_id == self.projects["first"] else "second"
        return next((name for name, each in self.projects.items() if str(each) == str(row.get("project_id"))), None)

    def name_of(self, row: Row) -> str | None:
        """The name of the wallet that a row belongs to; None where it belongs to none."""
        wallet = self._wallet_of(row)
        return None if wallet is None else wallet.name

    def _wallet_of(self, row: Row) -> MatrixWallet | None:
        value = row.get("credential_id") or row.get("id")
        try:
            return self.by_id.get(UUID(str(value)))
        except ValueError:
            return None

    # --- changing it ----------------------------------------------------------------------------------------

    def _keep(self) -> None:
        if not self.sqlite:
            execute(self.deployment.url, "CREATE SCHEMA kept")
        kept = "kept_" if self.sqlite else "kept."
        for table in self.tables:
            execute(self.deployment.url, f"CREATE TABLE {kept}{table} AS SELECT * FROM {table}")
        undo = [f"DELETE FROM {table}" for table in self.tables]
        columns = {name: ", ".join(table.columns) for name, table in self.tables.items()}
        self._undo = [
            *undo,
            *(
                f"INSERT INTO {table} ({columns[table]}) SELECT {columns[table]} FROM {kept}{table}"
                for table in columns
            ),
        ]

    def restore(self) -> None:
        """Put every row back."""
        if self.sqlite:
            self.tamper([(sql, ()) for sql in self._undo])
            return
        with psycopg.connect(self.deployment.url) as server:
            server.execute("; ".join(["SET LOCAL session_replication_role = replica", *self._undo]).encode())

    def tamper(self, statements: Iterable[Statement]) -> None:
        """Run statements in one transaction, where neither foreign keys nor triggers stand in the way."""
        url = self.deployment.url
        if self.sqlite:
            connection = sqlite3.connect(sqlite_path(url), timeout=30)  # foreign keys are off unless asked for
            with closing(connection):
                connection.execute("PRAGMA ignore_check_constraints = ON")
                connection.isolation_level = None
                connection.execute("BEGIN IMMEDIATE")
                for name in self._triggers:
                    connection.execute(f"DROP TRIGGER {name}")
                for sql, parameters in statements:
                    connection.execute(sql, parameters)
                for text in self._triggers.values():
                    connection.execute(text)
                connection.execute("COMMIT")
            return
        with psycopg.connect(url) as server:
            server.execute("SET LOCAL session_replication_role = replica")
            for sql, parameters in statements:
                server.execute(sql.replace("?", "%s").encode(), parameters)

    @contextmanager
    def tampered(self, statements: Iterable[Statement]) -> Iterator[None]:
        """Rows are as the statements leave them, until the block ends."""
        try:
            self.tamper(statements)
            yield
        finally:
            self.restore()

    def update(self, table: str, row: Row, values: Mapping[str, object]) -> Statement:
        """A statement that changes one row, whatever type its columns have."""
        described = self.tables[table]
        cast = "?" if self.sqlite else "?::text"
        where = " AND ".join(f"{self._text(column)} = {cast}" for column in described.key)
        keys = tuple(row[column] for column in described.key)
        assigned = ", ".join(f"{column} = ?" for column in values)
        return f"UPDATE {table} SET {assigned} WHERE {where}", (*values.values(), *keys)

    def delete(self, table: str, row: Row) -> Statement:
        """A statement that removes one row."""
        sql, parameters = self.update(table, row, {})
        return f"DELETE FROM {table} WHERE{sql.split(' WHERE', 1)[1]}", parameters

    def _text(self, column: str) -> str:
        return column if self.sqlite else f"{column}::text"

    def _trigger_texts(self) -> dict[str, str]:
        if not self.sqlite:
            return {}
        return dict(execute(self.deployment.url, "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))


_COLUMNS = """
SELECT c.column_name,
       coalesce((SELECT array_position(i.indkey::int2[], c.ordinal_position::int2) + 1 FROM pg_index i
                  WHERE i.indrelid = c.table_name::regclass AND i.indisprimary), 0)
  FROM information_schema.columns c WHERE c.table_schema IN ('public', 'strongroom') AND c.table_name = ?
 ORDER BY c.ordinal_position
"""


def words_of(vault: Vault, project: UUID) -> str:
    """The words of a project's phrase."""
    return vault.reveal_phrase(project, actor="test", reason="to know them").mnemonic.reveal_text()


def _known(vault: Vault, name: str, wallet: Wallet, signatures: Mapping[str, dict[str, Any]]) -> MatrixWallet:
    revealed = vault.reveal(wallet.id, actor="test", reason="to know it")
    return MatrixWallet(name, vault.get_wallet(wallet.id), revealed.private_key.reveal_text(), signatures.get(name))
