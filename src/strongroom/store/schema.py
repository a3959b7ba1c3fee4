"""The tables of a fresh database. The migrations make them; a test holds the two equal.

SQLite keeps UUIDs as lower-case canonical text, times as ISO 8601 in UTC, and JSON as text.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from strongroom.store.column_types import JSON, TIME, UUID
from strongroom.store.phrase_tables import phrase_tables
from strongroom.store.write_conditions import COMPLETE, KEPT, LOGGED, TAGGED, TAGGED_HEAD

VERSION_TABLE = "strongroom_migrations"
HEAD = "0004"
"""The newest migration: what ``open`` expects to find."""
MIGRATIONS = ("0001", "0002", "0003", "0004")
"""Every migration, in order."""

metadata = MetaData()


def _check(condition: str, name: str) -> CheckConstraint:
    """A CHECK that came after the rows that it is about; SQLite cannot add one."""
    constraint = CheckConstraint(condition, name=name)
    constraint.ddl_if(dialect="postgresql")
    return constraint


project_credentials = Table(
    "project_credentials",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("project_id", UUID, nullable=False),
    Column("credential_type", String(128), nullable=False),
    Column("network", String(64), nullable=False),
    Column("wallet_address", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("key_vault_id", Text, nullable=False),
    Column("status", String(32), nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("vault_stored", Boolean, nullable=False),
    Column("vault_backup_date", TIME),
    Column("metadata", JSON, nullable=False),
    Column("created_by", UUID),
    Column("created_at", TIME, nullable=False),
    Column("updated_at", TIME, nullable=False),
    Column("revoked_at", TIME),
    Index("idx_project_credentials_project_id", "project_id", "id"),
    Index("idx_project_credentials_wallet_address", "wallet_address"),
)
_live = text("is_active AND revoked_at IS NULL")
Index(
    "unique_active_project_credentials",
    project_credentials.c.project_id,
    project_credentials.c.credential_type,
    project_credentials.c.network,
    unique=True,
    postgresql_where=_live,
    sqlite_where=_live,
)

credential_vault_storage = Table(
    "credential_vault_storage",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("project_id", UUID, nullable=False),
    Column(
        "credential_id",
        UUID,
        ForeignKey("project_credentials.id", name="credential_vault_storage_credential_id_fkey", ondelete="RESTRICT"),
        nullable=False,
    ),
    Column("vault_id", Text, nullable=False),
    Column("encrypted_private_key", Text, nullable=False),
    Column("encryption_method", String(32), nullable=False),
    Column("access_level", String(32), nullable=False),
    Column("backup_created", Boolean, nullable=False),
    Column("revoked_at", TIME),
    Column("revoked_by", UUID),
    Column("created_at", TIME, nullable=False),
    Column("updated_at", TIME, nullable=False),
    UniqueConstraint("credential_id", name="credential_vault_storage_credential_id_key"),
    UniqueConstraint("vault_id", name="credential_vault_storage_vault_id_key"),
    CheckConstraint("access_level IN ('project_admin', 'project_member', 'revoked')", name="valid_access_level"),
    CheckConstraint(
        "encryption_method IN ('AES-256-GCM', 'ChaCha20-Poly1305', 'AES-256-CBC')",
        name="valid_encryption_method",
    ),
)

credential_usage_logs = Table(
    "credential_usage_logs",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("project_id", UUID, nullable=False),
    Column(
        "credential_id",
        UUID,
        ForeignKey("project_credentials.id", name="credential_usage_logs_credential_id_fkey"),
        nullable=False,
    ),
    Column("action_type", Text, nullable=False),
    Column("action_details", JSON),
    Column("performed_by", UUID),
    Column("performed_at", TIME, nullable=False),
    Column("ip_address", Text),
    Column("user_agent", Text),
    Column("schema_version", Integer),
    _check(LOGGED, "credential_usage_logs_schema_version"),
    Index("idx_credential_usage_logs_credential_id", "credential_id"),
)

strongroom_slot = Table(
    "strongroom_slot",
    metadata,
    Column("project_id", UUID, nullable=False),
    Column("network", String(64), nullable=False),
    Column("label", String(64), nullable=False),
    Column("credential_id", UUID, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kid", Text),
    Column("tag", Text),
    PrimaryKeyConstraint("project_id", "network", "label", name="strongroom_slot_pkey"),
    _check(TAGGED, "strongroom_slot_tagged"),
    Index("strongroom_slot_credential_id", "credential_id"),
    comment="Names the live wallet of (project, network, label); its primary key arbitrates.",
)

strongroom_idempotency = Table(
    "strongroom_idempotency",
    metadata,
    Column("project_id", UUID, nullable=False),
    Column("key", String(255), nullable=False),
    Column("request", Text, nullable=False),
    Column("credential_id", UUID, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("kid", Text),
    Column("tag", Text),
    PrimaryKeyConstraint("project_id", "key", name="strongroom_idempotency_pkey"),
    _check(TAGGED, "strongroom_idempotency_tagged"),
    comment="What each idempotency key was used for; never expires.",
)

strongroom_keyring_head = Table(
    "strongroom_keyring_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("states", Text),
    Column("tags_complete", Boolean),
    Column("accept_foreign", Boolean),
    Column("tagged_version", Integer),
    Column("kid", Text),
    Column("tag", Text),
    CheckConstraint("id = 1", name="strongroom_keyring_head_single"),
    _check(TAGGED_HEAD, "strongroom_keyring_head_tagged"),
    _check(COMPLETE, "strongroom_keyring_head_complete"),
    comment="One row: arbitrates concurrent inits and changes of the keyring.",
)

strongroom_keyring = Table(
    "strongroom_keyring",
    metadata,
    Column("kid", String(22), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("created_at", TIME, nullable=False),
    CheckConstraint("state IN ('active', 'opening', 'retired')", name="strongroom_keyring_state"),
    comment="Sealing keys: active seals and opens, opening only opens.",
)
_active = text("state = 'active'")
Index(
    "strongroom_keyring_active",
    strongroom_keyring.c.state,
    unique=True,
    postgresql_where=_active,
    sqlite_where=_active,
)

strongroom_keyring_wrap = Table(
    "strongroom_keyring_wrap",
    metadata,
    Column("kid", String(22), ForeignKey("strongroom_keyring.kid", name="strongroom_keyring_wrap_kid_fkey")),
    Column("root_key", Text, nullable=False),
    Column("wrapped", Text, nullable=False),
    Column("check_value", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    PrimaryKeyConstraint("kid", "root_key", name="strongroom_keyring_wrap_pkey"),
    comment="Each sealing key, wrapped by each root key.",
)

strongroom_vault_history = Table(
    "strongroom_vault_history",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("project_id", UUID, nullable=False),
    Column("credential_id", UUID, nullable=False),
    Column("network", String(64), nullable=False),
    Column("label", String(64), nullable=False),
    Column("address", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("vault_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("form", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("schema_version", Integer),
    CheckConstraint("form IN ('sealed', 'foreign')", name="strongroom_vault_history_form"),
    _check(KEPT, "strongroom_vault_history_schema_version"),
    Index("strongroom_vault_history_credential_id", "credential_id"),
    comment="Texts that stood in vault records; without foreign keys, so that no cascade reaches them.",
)

strongroom_events = Table(
    "strongroom_events",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("event", Text, nullable=False),
    Column("details", JSON, nullable=False),
    Column("created_at", TIME, nullable=False),
    comment="What has no credential: init, changes of the keyring.",
)

strongroom_wallet = Table(
    "strongroom_wallet",
    metadata,
    Column("project_id", UUID, nullable=False),
    Column("credential_id", UUID, nullable=False),
    Column("network", Text, nullable=False),
    Column("variant", Text),
    Column("label", Text, nullable=False),
    Column("vault_id", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("scheme", Text),
    Column("path", Text),
    Column("access_level", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("phrase_id", UUID),
    Column("phrase_index", BigInteger),
    Column("kid", Text, nullable=False),
    Column("tag", Text, nullable=False),
    PrimaryKeyConstraint("project_id", "credential_id", name="strongroom_wallet_pkey"),
    UniqueConstraint("credential_id", name="strongroom_wallet_credential_id_key"),
    comment="The register: what strongroom recorded of each wallet, with its tag; rows stay when a wallet is retired.",
)

strongroom_nonce = Table(
    "strongroom_nonce",
    metadata,
    Column("project_id", UUID, nullable=False),
    Column("chain_id", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("credential_id", UUID, nullable=False),
    Column("digest", Text, nullable=False),
    Column("fee", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("updated_at", TIME, nullable=False),
    Column("kid", Text, nullable=False),
    Column("tag", Text, nullable=False),
    PrimaryKeyConstraint("project_id", "chain_id", "address", "nonce", name="strongroom_nonce_pkey"),
    comment="What was signed under each nonce of an account; its primary key arbitrates.",
)

_derived = text("phrase_id IS NOT NULL")
Index(
    "strongroom_wallet_phrase_index",
    *(strongroom_wallet.c[name] for name in ("project_id", "phrase_id", "network", "path")),
    unique=True,
    postgresql_where=_derived,
    sqlite_where=_derived,
)

strongroom_phrase, strongroom_phrase_account, strongroom_phrase_branch = phrase_tables(metadata)

UNTAGGED_NONCES = "strongroom_nonce_untagged"
"""What older versions signed under nonces, until `strongroom upgrade` has tagged it."""

FORMER_TABLES = ("strongroom_signed_nonce", UNTAGGED_NONCES)
"""What migrations make, rename and drop on the way."""

TABLES = tuple(table.name for table in metadata.sorted_tables)
