"""The SQL of what wallet tables lack: ``migrate`` runs it, and ``init`` shows it where it has to refuse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from strongroom.store.catalog.foreign_columns import CREDENTIALS, LOGS, VAULT

UNIQUE_CREDENTIAL = "credential_vault_storage_credential_id_key"
FOREIGN_KEY = "credential_vault_storage_credential_id_fkey"
COLUMNS = {
    "wallet_address": "varchar",
    "network": "varchar",
    "credential_type": "varchar",
    "status": "varchar DEFAULT 'active'",
    "metadata": "jsonb DEFAULT '{}'::jsonb",
    "is_active": "boolean DEFAULT true",
    "revoked_at": "timestamptz",
}
"""What credentials need in addition to what generation 1 has; those without which two wallets cannot be told apart."""
_VAULT_TABLE = f"""\
CREATE TABLE IF NOT EXISTS {VAULT} (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    credential_id uuid NOT NULL,
    vault_id text NOT NULL CONSTRAINT credential_vault_storage_vault_id_key UNIQUE,
    encrypted_private_key text NOT NULL,
    encryption_method text NOT NULL,
    access_level text NOT NULL,
    backup_created boolean NOT NULL DEFAULT false,
    revoked_at timestamptz,
    revoked_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT {UNIQUE_CREDENTIAL} UNIQUE (credential_id),
    CONSTRAINT {FOREIGN_KEY}
        FOREIGN KEY (credential_id) REFERENCES {CREDENTIALS} (id) ON DELETE RESTRICT,
    CONSTRAINT valid_access_level CHECK (access_level IN ('project_admin', 'project_member', 'revoked')),
    CONSTRAINT valid_encryption_method
        CHECK (encryption_method IN ('AES-256-GCM', 'ChaCha20-Poly1305', 'AES-256-CBC'))
)"""
_LOG_TABLE = f"""\
CREATE TABLE IF NOT EXISTS {LOGS} (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    credential_id uuid NOT NULL REFERENCES {CREDENTIALS} (id),
    action_type text NOT NULL,
    action_details jsonb,
    performed_by uuid,
    performed_at timestamptz DEFAULT now(),
    ip_address text,
    user_agent text
)"""
NEW_TABLES: Mapping[str, str] = {VAULT: _VAULT_TABLE, LOGS: _LOG_TABLE}


def add_columns(names: Iterable[str]) -> tuple[str, ...]:
    """Add columns to the credentials."""
    added = ",\n    ".join(f"ADD COLUMN IF NOT EXISTS {name} {COLUMNS[name]}" for name in names)
    return (f"ALTER TABLE {CREDENTIALS}\n    {added}",)


def shut(table: str) -> tuple[str, ...]:
    """Close a new table to everybody but its owner."""
    return f"REVOKE ALL ON TABLE {table} FROM PUBLIC", f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"


def missing_parts(columns: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """What makes the tables and columns that are missing, by the columns of each table that is there."""
    there = set(columns.get(CREDENTIALS, ()))
    names = [name for name in COLUMNS if name not in there]
    added = add_columns(names) if names and there else ()
    return (*added, *(sql for table in NEW_TABLES if table not in columns for sql in (NEW_TABLES[table], *shut(table))))
