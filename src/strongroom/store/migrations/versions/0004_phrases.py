"""Phrases of projects, how far the indices of each are taken, and what has left their branches.

Wallets that are derived from a phrase have its id and their index in the register already; its unique index is what
keeps two of them from having one key.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UUID = sa.Uuid().with_variant(sa.Text(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
API_ROLES = ("anon", "authenticated")


def upgrade() -> None:
    """Make the tables, and the index."""
    op.create_table(
        "strongroom_phrase",
        sa.Column("project_id", UUID, nullable=False),
        sa.Column("phrase_id", UUID, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("has_passphrase", sa.Boolean(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed_text", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "phrase_id", name="strongroom_phrase_pkey"),
        sa.UniqueConstraint("project_id", "identifier", name="strongroom_phrase_identifier_key"),
        comment="Phrases that belong to a project, sealed; rows stay when a phrase is replaced.",
    )
    active = sa.text("status = 'active'")
    op.create_index(
        "strongroom_phrase_label",
        "strongroom_phrase",
        ["project_id", "label"],
        unique=True,
        postgresql_where=active,
        sqlite_where=active,
    )
    op.create_table(
        "strongroom_phrase_account",
        sa.Column("project_id", UUID, nullable=False),
        sa.Column("phrase_id", UUID, nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("next_index", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "project_id", "phrase_id", "network", "variant", "template", name="strongroom_phrase_account_pkey"
        ),
        comment="The index that the next wallet of a phrase takes; its row lock lets one caller take it at a time.",
    )
    op.create_table(
        "strongroom_phrase_branch",
        sa.Column("project_id", UUID, nullable=False),
        sa.Column("phrase_id", UUID, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("xpub_exported", sa.Boolean(), nullable=False),
        sa.Column("key_revealed", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "phrase_id", "path", name="strongroom_phrase_branch_pkey"),
        comment="What has left a branch of a phrase: its xpub and a private key together give away all of its keys.",
    )
    derived = sa.text("phrase_id IS NOT NULL")
    op.create_index(
        "strongroom_wallet_phrase_index",
        "strongroom_wallet",
        ["project_id", "phrase_id", "network", "path"],
        unique=True,
        postgresql_where=derived,
        sqlite_where=derived,
    )
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        _keep_others_out(bind, ["strongroom_phrase", "strongroom_phrase_account", "strongroom_phrase_branch"])


def downgrade() -> None:
    """Refuse: going back would lose phrases."""
    raise NotImplementedError("strongroom does not delete tables that hold phrases")


def _keep_others_out(bind: sa.Connection, tables: list[str]) -> None:
    present = sa.text("SELECT rolname FROM pg_catalog.pg_roles WHERE rolname = ANY(:names)")
    roles = [role for (role,) in bind.execute(present, {"names": list(API_ROLES)}).fetchall()]
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        for role in roles:
            op.execute(f'REVOKE ALL ON TABLE {table} FROM "{role}"')
