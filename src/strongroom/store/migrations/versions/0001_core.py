"""The two halves of a wallet where they are missing, the slot that arbitrates, the keyring, the history.

Wallet legacy tables stay as they are: only tables that begin with ``strongroom_`` are added then.

On PostgreSQL row-level security is enabled on every table without a policy: the owner, as which strongroom connects,
is not subject to it, and every other role sees nothing. Where Supabase's roles exist their default grants are revoked.
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UUID = sa.Uuid().with_variant(sa.Text(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
JSON = postgresql.JSONB().with_variant(sa.Text(), "sqlite")

WALLET_TABLES = ("project_credentials", "credential_vault_storage", "credential_usage_logs")
OWN_TABLES = (
    "strongroom_slot",
    "strongroom_idempotency",
    "strongroom_keyring_head",
    "strongroom_keyring",
    "strongroom_keyring_wrap",
    "strongroom_vault_history",
    "strongroom_events",
    "strongroom_migrations",
)
API_ROLES = ("anon", "authenticated")


def upgrade() -> None:
    """Make the tables that are missing."""
    tables = list(OWN_TABLES)
    homes = context.config.attributes["schemas"]
    if not sa.inspect(op.get_bind()).has_table(WALLET_TABLES[0], schema=homes.get(WALLET_TABLES[0])):
        _wallet_tables()
        tables += WALLET_TABLES
    _slot_tables()
    _keyring_tables()
    _history_table()
    if op.get_bind().dialect.name == "postgresql":
        _keep_others_out(tables)


def downgrade() -> None:
    """Refuse: going back would delete keys."""
    raise NotImplementedError("strongroom does not delete tables that hold keys")


def _keep_others_out(tables: list[str]) -> None:
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    present = sa.text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:names)")
    for (role,) in op.get_bind().execute(present, {"names": list(API_ROLES)}).fetchall():
        for table in tables:
            op.execute(f'REVOKE ALL ON TABLE {table} FROM "{role}"')


def _wallet_tables() -> None:
    op.create_table(
        "project_credentials",
        sa.Column("id", UUID, nullable=False),
        sa.Column("project_id", UUID, nullable=False),
        sa.Column("credential_type", sa.String(length=128), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("wallet_address", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("key_vault_id", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("vault_stored", sa.Boolean(), nullable=False),
        sa.Column("vault_backup_date", TIME, nullable=True),
        sa.Column("metadata", JSON, nullable=False),
        sa.Column("created_by", UUID, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("idx_project_credentials_project_id", "project_credentials", ["project_id", "id"], unique=False)
    op.create_index("idx_project_credentials_wallet_address", "project_credentials", ["wallet_address"], unique=False)
    op.create_index(
        "unique_active_project_credentials",
        "project_credentials",
        ["project_id", "credential_type", "network"],
        unique=True,
        postgresql_where=sa.text("is_active AND revoked_at IS NULL"),
        sqlite_where=sa.text("is_active AND revoked_at IS NULL"),
    )
    op.create_table(
        "credential_vault_storage",
        sa.Column("id", UUID, nullable=False),
        sa.Column("project_id", UUID, nullable=False),
        sa.Column("credential_id", UUID, nullable=False),
        sa.Column("vault_id", sa.Text(), nullable=False),
        sa.Column("encrypted_private_key", sa.Text(), nullable=False),
        sa.Column("encryption_method", sa.String(length=32), nullable=False),
        sa.Column("access_level", sa.String(length=32), nullable=False),
        sa.Column("backup_created", sa.Boolean(), nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.Column("revoked_by", UUID, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint("access_level IN ('project_admin', 'project_member', 'revoked')", name="valid_access_level"),
        sa.CheckConstraint(
            "encryption_method IN ('AES-256-GCM', 'ChaCha20-Poly1305', 'AES-256-CBC')", name="valid_encryption_method"
        ),
        sa.ForeignKeyConstraint(
            ["credential_id"],
            ["project_credentials.id"],
            name="credential_vault_storage_credential_id_fkey",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("credential_id", name="credential_vault_storage_credential_id_key"),
        sa.UniqueConstraint("vault_id", name="credential_vault_storage_vault_id_key"),
    )
    op.create_table(
        "credential_usage_logs",
        sa.Column("id", UUID, nullable=False),
        sa.Column("project_id", UUID, nullable=False),
        sa.Column("credential_id", UUID, nullable=False),
        sa.Column("action_type", sa.Text(), nullable=False),
        sa.Column("action_details", JSON, nullable=True),
        sa.Column("performed_by", UUID, nullable=True),
        sa.Column("performed_at", TIME, nullable=False),
        sa.Column("ip_address", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["project_credentials.id"], name="credential_usage_logs_credential_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("idx_credential_usage_logs_credential_id", "credential_usage_logs", ["credential_id"], unique=False)


def _slot_tables() -> None:
    op.create_table(
        "strongroom_slot",
        sa.Column("project_id", UUID, nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("credential_id", UUID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "network", "label", name="strongroom_slot_pkey"),
        comment="Names the live wallet of (project, network, label); its primary key arbitrates.",
    )
    op.create_index("strongroom_slot_credential_id", "strongroom_slot", ["credential_id"])
    op.create_table(
        "strongroom_idempotency",
        sa.Column("project_id", UUID, nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("credential_id", UUID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "key", name="strongroom_idempotency_pkey"),
        comment="What each idempotency key was used for; never expires.",
    )


def _keyring_tables() -> None:
    op.create_table(
        "strongroom_keyring_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name="strongroom_keyring_head_single"),
        sa.PrimaryKeyConstraint("id"),
        comment="One row: arbitrates concurrent inits and changes of the keyring.",
    )
    op.create_table(
        "strongroom_keyring",
        sa.Column("kid", sa.String(length=22), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("state IN ('active', 'opening', 'retired')", name="strongroom_keyring_state"),
        sa.PrimaryKeyConstraint("kid"),
        comment="Sealing keys: active seals and opens, opening only opens.",
    )
    op.create_index(
        "strongroom_keyring_active",
        "strongroom_keyring",
        ["state"],
        unique=True,
        postgresql_where=sa.text("state = 'active'"),
        sqlite_where=sa.text("state = 'active'"),
    )
    op.create_table(
        "strongroom_keyring_wrap",
        sa.Column("kid", sa.String(length=22), nullable=False),
        sa.Column("root_key", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.Text(), nullable=False),
        sa.Column("check_value", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["kid"], ["strongroom_keyring.kid"], name="strongroom_keyring_wrap_kid_fkey"),
        sa.PrimaryKeyConstraint("kid", "root_key", name="strongroom_keyring_wrap_pkey"),
        comment="Each sealing key, wrapped by each root key.",
    )
    op.create_table(
        "strongroom_events",
        sa.Column("id", UUID, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("details", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        comment="What has no credential: init, changes of the keyring.",
    )


def _history_table() -> None:
    op.create_table(
        "strongroom_vault_history",
        sa.Column("id", UUID, nullable=False),
        sa.Column("project_id", UUID, nullable=False),
        sa.Column("credential_id", UUID, nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("vault_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("form", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("form IN ('sealed', 'foreign')", name="strongroom_vault_history_form"),
        sa.PrimaryKeyConstraint("id"),
        comment="Texts that stood in vault records; without foreign keys, so that no cascade reaches them.",
    )
    op.create_index("strongroom_vault_history_credential_id", "strongroom_vault_history", ["credential_id"])
