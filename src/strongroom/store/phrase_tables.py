"""The tables of projects' phrases: part of ``schema``."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from strongroom.store.column_types import TIME, UUID


def phrase_tables(metadata: MetaData) -> tuple[Table, Table, Table]:
    """Phrases, the accounts in which wallets take their indices, and what has left the branches of each phrase."""
    phrase = Table(
        "strongroom_phrase",
        metadata,
        Column("project_id", UUID, nullable=False),
        Column("phrase_id", UUID, nullable=False),
        Column("label", Text, nullable=False),
        Column("words", Integer, nullable=False),
        Column("has_passphrase", Boolean, nullable=False),
        Column("identifier", Text, nullable=False),
        Column("status", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("sealed_text", Text, nullable=False),
        Column("created_at", TIME, nullable=False),
        Column("kid", Text, nullable=False),
        Column("tag", Text, nullable=False),
        PrimaryKeyConstraint("project_id", "phrase_id", name="strongroom_phrase_pkey"),
        UniqueConstraint("project_id", "identifier", name="strongroom_phrase_identifier_key"),
        comment="Phrases that belong to a project, sealed; rows stay when a phrase is replaced.",
    )
    _usable = text("status = 'active'")
    Index(
        "strongroom_phrase_label",
        phrase.c.project_id,
        phrase.c.label,
        unique=True,
        postgresql_where=_usable,
        sqlite_where=_usable,
    )

    account = Table(
        "strongroom_phrase_account",
        metadata,
        Column("project_id", UUID, nullable=False),
        Column("phrase_id", UUID, nullable=False),
        Column("network", Text, nullable=False),
        Column("variant", Text, nullable=False),
        Column("template", Text, nullable=False),
        Column("next_index", BigInteger, nullable=False),
        Column("version", Integer, nullable=False),
        Column("kid", Text, nullable=False),
        Column("tag", Text, nullable=False),
        PrimaryKeyConstraint(
            "project_id", "phrase_id", "network", "variant", "template", name="strongroom_phrase_account_pkey"
        ),
        comment="The index that the next wallet of a phrase takes; its row lock lets one caller take it at a time.",
    )
    return phrase, account, _branch_table(metadata)


def _branch_table(metadata: MetaData) -> Table:
    return Table(
        "strongroom_phrase_branch",
        metadata,
        Column("project_id", UUID, nullable=False),
        Column("phrase_id", UUID, nullable=False),
        Column("path", Text, nullable=False),
        Column("xpub_exported", Boolean, nullable=False),
        Column("key_revealed", Boolean, nullable=False),
        Column("version", Integer, nullable=False),
        Column("kid", Text, nullable=False),
        Column("tag", Text, nullable=False),
        PrimaryKeyConstraint("project_id", "phrase_id", "path", name="strongroom_phrase_branch_pkey"),
        comment="What has left a branch of a phrase: its xpub and a private key together give away all of its keys.",
    )
