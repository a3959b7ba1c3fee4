"""The register of wallets, and tags on slots, idempotency keys, nonces and the keyring's head.

Rows that are there stay as they are: `strongroom upgrade` tags them, alongside traffic. New rows must carry a tag, so
that a process of an older version fails as a whole instead of writing what the register does not know. What was signed
under a nonce moves to a table whose key names the account instead of the wallet.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UUID = sa.Uuid().with_variant(sa.Text(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
API_ROLES = ("anon", "authenticated")
UNTAGGED_NONCES = "strongroom_nonce_untagged"
_ACTIONS = ", ".join(
    f"'{action}'"
    for action in (
        *("create", "import", "export", "sign", "sign-refused", "rewrap", "replace", "revoke", "fill", "repair"),
    )
)
_TAGGED = "kid IS NOT NULL AND tag IS NOT NULL"
_HEAD_COLUMNS = (
    ("states", sa.Text()),
    ("tags_complete", sa.Boolean()),
    ("accept_foreign", sa.Boolean()),
    ("tagged_version", sa.Integer()),
)
_UNTAGGED = "NEW.kid IS NULL OR NEW.tag IS NULL"
_SQLITE = {
    "strongroom_slot": _UNTAGGED,
    "strongroom_idempotency": _UNTAGGED,
    "strongroom_keyring_head": f"{_UNTAGGED} OR NEW.states IS NULL OR NEW.tags_complete IS NULL "
    "OR NEW.accept_foreign IS NULL OR NEW.tagged_version IS NOT NEW.version",
    "credential_usage_logs": f"NEW.schema_version IS NULL AND NEW.action_type IN ({_ACTIONS})",
    "strongroom_vault_history": "NEW.schema_version IS NULL AND NEW.reason NOT LIKE 'guard-%'",
}
_CHECKS = {
    "strongroom_slot": ("strongroom_slot_tagged", _TAGGED),
    "strongroom_idempotency": ("strongroom_idempotency_tagged", _TAGGED),
    "strongroom_keyring_head": (
        "strongroom_keyring_head_tagged",
        f"{_TAGGED} AND states IS NOT NULL AND tags_complete IS NOT NULL AND accept_foreign IS NOT NULL "
        "AND tagged_version IS NOT NULL AND tagged_version OPERATOR(pg_catalog.=) version",
    ),
    "credential_usage_logs": (
        "credential_usage_logs_schema_version",
        f"schema_version IS NOT NULL OR action_type OPERATOR(pg_catalog.<>) ALL (ARRAY[{_ACTIONS}])",
    ),
    "strongroom_vault_history": (
        "strongroom_vault_history_schema_version",
        "schema_version IS NOT NULL OR reason OPERATOR(pg_catalog.~~) 'guard-%'",
    ),
}


def upgrade() -> None:
    """Add the register, the tags, and what keeps rows without a tag out."""
    bind = op.get_bind()
    postgresql = bind.dialect.name == "postgresql"
    tables = ["strongroom_slot", "strongroom_idempotency", "strongroom_keyring_head", "strongroom_vault_history"]
    if _made_the_wallet_tables(bind):
        tables.append("credential_usage_logs")
    _register()
    _nonces(bind)
    for table in tables:
        _columns(table)
        if postgresql:
            _check(bind, table)
        else:
            _triggers(table)
    if bind.exec_driver_sql("SELECT 1 FROM strongroom_keyring_head").first() is None:
        _complete(postgresql=postgresql)
    if postgresql:
        _keep_others_out(bind, ["strongroom_wallet", "strongroom_nonce"])


def _complete(*, postgresql: bool) -> None:
    """A vault that begins now has tags everywhere: no row may take that back; an upgrade ends with the same."""
    if postgresql:
        op.execute(
            "ALTER TABLE strongroom_keyring_head ADD CONSTRAINT strongroom_keyring_head_complete CHECK (tags_complete)"
        )
        return
    for event in ("INSERT", "UPDATE"):
        op.execute(
            f"CREATE TRIGGER strongroom_keyring_head_complete_{event.lower()} "
            f"BEFORE {event} ON strongroom_keyring_head WHEN NEW.tags_complete IS NOT 1 "
            "BEGIN SELECT RAISE(ABORT, 'the upgrade of this vault has finished'); END"
        )


def downgrade() -> None:
    """Refuse: going back would forget what was signed and what was recorded."""
    raise NotImplementedError("strongroom does not delete tables that tell what was signed")


def _made_the_wallet_tables(bind: sa.Connection) -> bool:
    asked = (
        "SELECT 1 FROM pg_attribute WHERE attrelid = 'credential_vault_storage'::regclass "
        "AND attname = 'project_id' AND NOT attisdropped"
        if bind.dialect.name == "postgresql"
        else "SELECT 1 FROM pragma_table_info('credential_vault_storage') WHERE name = 'project_id'"
    )
    return bind.exec_driver_sql(asked).first() is not None


def _columns(table: str) -> None:
    if table in ("credential_usage_logs", "strongroom_vault_history"):
        op.add_column(table, sa.Column("schema_version", sa.Integer(), nullable=True))
        return
    if table == "strongroom_keyring_head":
        for name, kind in _HEAD_COLUMNS:
            op.add_column(table, sa.Column(name, kind, nullable=True))
    for name in ("kid", "tag"):
        op.add_column(table, sa.Column(name, sa.Text(), nullable=True))


def _check(bind: sa.Connection, table: str) -> None:
    """Of new rows only; where there are no others, of all."""
    name, condition = _CHECKS[table]
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
    if bind.execute(sa.text(f"SELECT 1 FROM {table} LIMIT 1")).first() is None:  # noqa: S608 - our own names
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def _triggers(table: str) -> None:
    for event in ("INSERT", "UPDATE"):
        if event == "UPDATE" and table in ("credential_usage_logs", "strongroom_vault_history"):
            continue
        op.execute(
            f"CREATE TRIGGER {table}_tagged_{event.lower()} BEFORE {event} ON {table} WHEN {_SQLITE[table]} "
            f"BEGIN SELECT RAISE(ABORT, 'an older version of strongroom wrote this'); END"
        )


def _register() -> None:
    op.create_table(
        "strongroom_wallet",
        sa.Column("project_id", UUID, nullable=False),
        sa.Column("credential_id", UUID, nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("vault_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=True),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("access_level", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("phrase_id", UUID, nullable=True),
        sa.Column("phrase_index", sa.BigInteger(), nullable=True),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "credential_id", name="strongroom_wallet_pkey"),
        sa.UniqueConstraint("credential_id", name="strongroom_wallet_credential_id_key"),
        comment="The register: what strongroom recorded of each wallet, with its tag; "
        "rows stay when a wallet is retired.",
    )


def _nonces(bind: sa.Connection) -> None:
    if bind.execute(sa.text("SELECT 1 FROM strongroom_signed_nonce LIMIT 1")).first() is None:
        op.drop_table("strongroom_signed_nonce")
    else:
        op.rename_table("strongroom_signed_nonce", UNTAGGED_NONCES)
    op.create_table(
        "strongroom_nonce",
        sa.Column("project_id", UUID, nullable=False),
        sa.Column("chain_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("credential_id", UUID, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("fee", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "chain_id", "address", "nonce", name="strongroom_nonce_pkey"),
        comment="What was signed under each nonce of an account; its primary key arbitrates.",
    )


def _keep_others_out(bind: sa.Connection, tables: list[str]) -> None:
    present = sa.text("SELECT rolname FROM pg_catalog.pg_roles WHERE rolname = ANY(:names)")
    roles = [role for (role,) in bind.execute(present, {"names": list(API_ROLES)}).fetchall()]
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        for role in roles:
            op.execute(f'REVOKE ALL ON TABLE {table} FROM "{role}"')
