"""The tables of a fresh database. The migrations make them; a test holds the two equal.

SQLite keeps UUIDs as lower-case canonical text, times as ISO 8601 in UTC, and JSON as text.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.types import UserDefinedType


class Jsonb(UserDefinedType[str]):
    """PostgreSQL's jsonb, written as text; SQLAlchemy's own type would import its PostgreSQL dialect everywhere."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_: object) -> str:
        """The type's name in DDL and casts."""
        return "JSONB"


VERSION_TABLE = "strongroom_migrations"
HEAD = "0002"
"""The newest migration: what ``open`` expects to find."""
MIGRATIONS = ("0001", "0002")
"""Every migration, in order."""

UUID = Uuid().with_variant(Text(), "sqlite")
TIME = DateTime(timezone=True).with_variant(Text(), "sqlite")
JSON = Jsonb().with_variant(Text(), "sqlite")

metadata = MetaData()

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
    PrimaryKeyConstraint("project_id", "network", "label", name="strongroom_slot_pkey"),
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
    PrimaryKeyConstraint("project_id", "key", name="strongroom_idempotency_pkey"),
    comment="What each idempotency key was used for; never expires.",
)

strongroom_keyring_head = Table(
    "strongroom_keyring_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    CheckConstraint("id = 1", name="strongroom_keyring_head_single"),
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
    CheckConstraint("form IN ('sealed', 'foreign')", name="strongroom_vault_history_form"),
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

strongroom_signed_nonce = Table(
    "strongroom_signed_nonce",
    metadata,
    Column("project_id", UUID, nullable=False),
    Column("credential_id", UUID, nullable=False),
    Column("chain_id", String(78), nullable=False),
    Column("nonce", String(20), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("fee", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("updated_at", TIME, nullable=False),
    PrimaryKeyConstraint("project_id", "credential_id", "chain_id", "nonce", name="strongroom_signed_nonce_pkey"),
    comment="What was signed under each nonce; its primary key arbitrates.",
)

TABLES = tuple(table.name for table in metadata.sorted_tables)
