"""What a legacy application does to vault records: every statement that would lose a key, on every backend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from strongroom import Wallet
from testbed.databases.deployments import Deployment
from testbed.servers.releases import MAJOR

RECORD = (
    "id",
    "project_id",
    "credential_id",
    "vault_id",
    "encrypted_private_key",
    "encryption_method",
    "access_level",
    "backup_created",
    "created_at",
    "updated_at",
)
OTHER = "the legacy application's text"
NOBODY = "'00000000-0000-4000-8000-000000000000'"


@dataclass(frozen=True)
class Verb:
    """Statements that run in this order, each in a transaction of its own; ``?`` is the wallet's id."""

    reason: str
    statements: tuple[str, ...]


def copied(backend: str, command: str, **values: str) -> str:
    """An INSERT of the wallet's own vault record with some columns replaced."""
    columns = [column for column in RECORD if column != "project_id" or backend in ("sqlite", "fresh")]
    chosen = ", ".join(values.get(column, f"v.{column}") for column in columns)
    return (
        f"{command} INTO credential_vault_storage ({', '.join(columns)}) "
        f"SELECT {chosen} FROM credential_vault_storage v WHERE credential_id = ?"
    )


def verbs(backend: str) -> Mapping[str, Verb]:
    """Every verb that the backend knows."""
    found = {
        "update": Verb(
            "guard-update",
            (f"UPDATE credential_vault_storage SET encrypted_private_key = '{quoted()}' WHERE credential_id = ?",),
        ),
        "empty": Verb(
            "guard-update",
            ("UPDATE credential_vault_storage SET encrypted_private_key = '' WHERE credential_id = ?",),
        ),
        "delete": Verb("guard-delete", ("DELETE FROM credential_vault_storage WHERE credential_id = ?",)),
    }
    upsert = f"ON CONFLICT (id) DO UPDATE SET encrypted_private_key = '{quoted()}'"
    if backend == "sqlite":
        found["upsert"] = Verb(
            "guard-replace", (f"{copied(backend, 'INSERT', encrypted_private_key=text())} {upsert}",)
        )
        return found | sqlite_verbs(backend)
    found["upsert"] = Verb("guard-update", (f"{copied(backend, 'INSERT')} {upsert}",))
    if MAJOR >= 15:
        found["merge"] = Verb(
            "guard-update",
            (
                "MERGE INTO credential_vault_storage v USING (SELECT ?::uuid AS id) i ON v.credential_id = i.id "
                f"WHEN MATCHED THEN UPDATE SET encrypted_private_key = '{quoted()}'",
            ),
        )
    found["truncate"] = Verb("guard-truncate", ("TRUNCATE credential_vault_storage",))
    found["truncate cascade"] = Verb("guard-truncate", ("TRUNCATE project_credentials CASCADE",))
    if backend != "fresh":
        found |= cascades()
    return found


def cascades() -> dict[str, Verb]:
    """Deletes that reach the vault record through foreign keys."""
    unlogged = "DELETE FROM credential_usage_logs WHERE credential_id = ?"
    return {
        "delete credential": Verb("guard-delete", (unlogged, "DELETE FROM project_credentials WHERE id = ?")),
        "delete project": Verb(
            "guard-delete",
            (
                unlogged,
                "DELETE FROM projects WHERE id = (SELECT project_id FROM project_credentials WHERE id = ?)",
            ),
        ),
        "truncate projects": Verb("guard-truncate", ("TRUNCATE projects CASCADE",)),
    }


def sqlite_verbs(backend: str) -> dict[str, Verb]:
    """What only SQLite knows: REPLACE, and deletes without foreign keys."""
    new = {"id": "'new'", "encrypted_private_key": text()}
    return {
        "replace by id": Verb("guard-replace", (copied(backend, "REPLACE", encrypted_private_key=text()),)),
        "insert or replace": Verb("guard-replace", (copied(backend, "INSERT OR REPLACE", vault_id="'new'", **new),)),
        "replace by vault id": Verb(
            "guard-replace", (copied(backend, "INSERT OR REPLACE", credential_id=NOBODY, **new),)
        ),
        "update or replace": Verb(
            "guard-replace",
            (
                copied(backend, "INSERT", credential_id=NOBODY, vault_id="'x'", **new),
                f"UPDATE OR REPLACE credential_vault_storage SET credential_id = ? WHERE credential_id = {NOBODY}",
            ),
        ),
        "update or ignore": Verb(
            "guard-update",
            (
                f"UPDATE OR IGNORE credential_vault_storage SET encrypted_private_key = {text()} "
                "WHERE credential_id = ?",
            ),
        ),
        "delete credential": Verb(
            "guard-delete",
            (
                "DELETE FROM project_credentials WHERE id = ?",
                "DELETE FROM credential_vault_storage WHERE credential_id = ?",
            ),
        ),
    }


def quoted() -> str:
    """The other text, for SQL."""
    return OTHER.replace("'", "''")


def text() -> str:
    """The other text as a literal."""
    return f"'{quoted()}'"


def run(deployment: Deployment, verb: Verb, wallet: UUID) -> None:
    """Run a verb's statements."""
    for statement in verb.statements:
        deployment.execute(statement, *[wallet] * statement.count("?"))


def everything(deployment: Deployment) -> list[list[tuple[Any, ...]]]:
    """Every row of the tables that the legacy application and the guard write, in the order of its text."""
    tables = ("project_credentials", "credential_vault_storage", "strongroom_vault_history")
    return [sorted(deployment.execute(f"SELECT * FROM {table}"), key=repr) for table in tables]


def kept(deployment: Deployment, wallet: Wallet) -> list[tuple[str, ...]]:
    """What the history has of a wallet's texts that have its whole identity: text, form, reason; oldest first."""
    sql = (
        "SELECT text, form, reason FROM strongroom_vault_history WHERE credential_id = ? AND project_id = ? "
        "AND network = ? AND label = ? AND address = ? AND public_key = ? AND vault_id = ? ORDER BY created_at, id"
    )
    identity = (wallet.id, wallet.project_id, wallet.network, wallet.label, wallet.address, wallet.public_key)
    return deployment.execute(sql, *identity, wallet.vault_id)
