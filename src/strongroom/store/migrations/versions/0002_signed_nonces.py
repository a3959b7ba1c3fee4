"""What was signed under each nonce of an account, so that no other payload is signed under it by accident."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UUID = sa.Uuid().with_variant(sa.Text(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
TABLE = "strongroom_signed_nonce"
API_ROLES = ("anon", "authenticated")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        TABLE,
        sa.Column("project_id", UUID, nullable=False),
        sa.Column("credential_id", UUID, nullable=False),
        sa.Column("chain_id", sa.String(length=78), nullable=False),
        sa.Column("nonce", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("fee", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint(
            "project_id", "credential_id", "chain_id", "nonce", name="strongroom_signed_nonce_pkey"
        ),
        comment="What was signed under each nonce; its primary key arbitrates.",
    )
    bind = op.get_bind()
    if bind.dialect.name != "postgresql":
        return
    op.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
    present = sa.text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:names)")
    for (role,) in bind.execute(present, {"names": list(API_ROLES)}).fetchall():
        op.execute(f'REVOKE ALL ON TABLE {TABLE} FROM "{role}"')


def downgrade() -> None:
    """Refuse: going back would forget what was signed."""
    raise NotImplementedError("strongroom does not delete tables that tell what was signed")
