"""Databases as older versions of strongroom left them, made from one of this version."""

from __future__ import annotations

from strongroom.records.usage_log import Attribution
from strongroom.settings import Settings
from strongroom.usecases.accept import UpgradeResult
from strongroom.wiring import open_upgrade
from testbed.databases.rows import execute

_COLUMNS = {
    "strongroom_slot": ("kid", "tag"),
    "strongroom_idempotency": ("kid", "tag"),
    "strongroom_keyring_head": ("states", "tags_complete", "accept_foreign", "tagged_version", "kid", "tag"),
    "strongroom_vault_history": ("schema_version",),
    "credential_usage_logs": ("schema_version",),
}
"""What migration 0003 added to tables that were there."""
_HOME = "SELECT schemaname::text FROM pg_tables WHERE tablename = 'strongroom_slot'"


def take_back(url: str, migration: str) -> None:
    """Let a vault be as it was before phrases ("0003"), before the register ("0002"), or in version 0.1 ("0001").

    Wallets of it stay.
    """
    sqlite = url.startswith("sqlite")
    if sqlite:
        for (name,) in execute(url, "SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            execute(url, f"DROP TRIGGER {name}")
    for table in ("strongroom_phrase_branch", "strongroom_phrase_account", "strongroom_phrase"):
        execute(url, f"DROP TABLE {table}")
    execute(url, f"DROP INDEX {_home(url)}.strongroom_wallet_phrase_index")
    if migration == "0003":
        execute(url, "UPDATE strongroom_migrations SET version_num = ?", (migration,))
        return
    drop = "DROP COLUMN" if sqlite else "DROP COLUMN IF EXISTS"  # legacy tables have none of them
    for table, columns in _COLUMNS.items():
        for column in columns:
            execute(url, f"ALTER TABLE {table} {drop} {column}")  # and with it the CHECK that names it
    if migration == "0002":
        execute(
            url,
            f"CREATE TABLE {_home(url)}.strongroom_signed_nonce (project_id uuid NOT NULL, credential_id uuid NOT NULL,"
            " chain_id varchar(78) NOT NULL, nonce varchar(20) NOT NULL, digest varchar(64) NOT NULL,"
            " fee text NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,"
            " CONSTRAINT strongroom_signed_nonce_pkey PRIMARY KEY (project_id, credential_id, chain_id, nonce))",
        )
        execute(
            url,
            "INSERT INTO strongroom_signed_nonce SELECT project_id, credential_id, chain_id, nonce, digest, fee,"
            " created_at, updated_at FROM strongroom_nonce",
        )
    execute(url, "DROP TABLE strongroom_nonce")
    execute(url, "DROP TABLE strongroom_wallet")
    execute(url, "UPDATE strongroom_migrations SET version_num = ?", (migration,))


def _home(url: str) -> str:
    return "main" if url.startswith("sqlite") else str(execute(url, _HOME)[0][0])


def begin_upgrade(url: str, root_key: str) -> None:
    """As an upgrade leaves a vault that was stopped before it tagged anything: records without tags count still."""
    open_upgrade(Settings(database=url, root_key=root_key), Attribution()).vault_context.close()


def upgrade(url: str, root_key: str) -> list[UpgradeResult]:
    """`strongroom upgrade`, whole; what it did to each record."""
    opened = open_upgrade(Settings(database=url, root_key=root_key), Attribution())
    try:
        results = list(opened.upgrade.run())
        opened.upgrade.finish()
    finally:
        opened.vault_context.close()
    return results
