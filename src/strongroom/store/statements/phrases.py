"""Phrases of projects, the accounts in which their indices are taken, and wallets written in batches."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, literal_column, select, update
from sqlalchemy import text as text_sql
from sqlalchemy.sql.base import Executable

from strongroom.store.statements.building import Statement, limited
from strongroom.store.statements.column_forms import equals, param
from strongroom.store.statements.phrase_texts import columns_of, is_phrase, phrases_of_project, values_of
from strongroom.store.statements.tables import (
    ACCOUNT,
    ACCOUNT_ROW,
    BRANCH,
    BRANCH_ROW,
    HEAD,
    PHRASE,
    PHRASE_ROW,
    REGISTER,
)
from strongroom.store.statements.usage_log import LogStatements
from strongroom.store.write_conditions import SCHEMA_VERSION

_BATCH = {
    "ids": "uuid",
    "networks": "text",
    "labels": "text",
    "credential_types": "text",
    "addresses": "text",
    "public_keys": "text",
    "vault_ids": "text",
    "all_metadata": "text",
    "vault_row_ids": "uuid",
    "sealed_texts": "text",
    "variants": "text",
    "schemes": "text",
    "paths": "text",
    "indices": "bigint",
    "record_tags": "text",
    "log_ids": "uuid",
}
"""The arrays of a batch of wallets, and the type of each one's elements."""
_BATCH_COLUMNS = (
    "id, network, label, credential_type, address, public_key, vault_id, metadata, vault_row_id, sealed_text, variant, "
    "scheme, path, phrase_index, record_tag, log_id"
)


class PhraseStatements(LogStatements):
    """Phrases of projects: made, found, changed; and how far the indices of each are taken."""

    @Statement
    def find_phrase(self) -> Executable:
        """The phrase of a project that wallets are derived from under a label."""
        usable = PHRASE.c.status == literal_column("'active'")
        newest = PHRASE.c.phrase_id.desc()  # where somebody dropped the unique index, and put an older row back
        return phrases_of_project().where(equals(PHRASE.c.label, "label"), usable).order_by(newest)

    @Statement
    def get_phrase(self) -> Executable:
        """A phrase of a project by its id."""
        return phrases_of_project().where(equals(PHRASE.c.phrase_id, "phrase_id"))

    @Statement
    def identified_phrase(self) -> Executable:
        """The phrase of a project whose master key has an identifier."""
        return phrases_of_project().where(equals(PHRASE.c.identifier, "identifier"))

    @Statement
    def page_of_phrases(self) -> Executable:
        """A page of a project's phrases, after an id."""
        key = PHRASE.c.phrase_id
        found = phrases_of_project().where(key > param("after", key)).order_by(key)
        return limited(found, param("limit", HEAD.c.version))

    @Statement
    def insert_phrase(self) -> Executable:
        """A phrase, unless its project has one under its label, or has it under another."""
        return self.insert(PHRASE, PHRASE_ROW, arbitrated=True)

    @Statement
    def change_phrase(self) -> Executable:
        """Another state of a phrase, if it is the one that was read."""
        changed = ("label", "words", "has_passphrase", "identifier", "status", "version", "kid", "tag")
        return update(PHRASE).values(values_of(PHRASE, PHRASE_ROW, changed)).where(*is_phrase(), *_as_read(PHRASE))

    @Statement
    def account(self) -> Executable:
        """How far the indices of a phrase are taken in one account."""
        return self._account()

    @Statement
    def lock_account(self) -> Executable:
        """The same, its row locked: until the transaction ends nobody else takes an index there."""
        return self._account().with_for_update()

    @Statement
    def accounts_of_phrase(self) -> Executable:
        """Every account of a phrase; at most a thousand."""
        found = select(*columns_of(ACCOUNT, ACCOUNT_ROW)).where(
            equals(ACCOUNT.c.project_id, "project_id"), equals(ACCOUNT.c.phrase_id, "phrase_id")
        )
        return limited(found, literal_column("1000"))

    @Statement
    def insert_account(self) -> Executable:
        """An account that takes its first index, unless it is there."""
        return self.insert(ACCOUNT, ACCOUNT_ROW, arbitrated=True)

    @Statement
    def advance_account(self) -> Executable:
        """Another next index of an account, if it is in the state that was read."""
        changed = ("next_index", "version", "kid", "tag")
        values = values_of(ACCOUNT, ACCOUNT_ROW, changed)
        return update(ACCOUNT).values(values).where(*_account_key(), *_as_read(ACCOUNT))

    @Statement
    def insert_branch(self) -> Executable:
        """A branch that nothing has left, unless it is there."""
        return self.insert(BRANCH, BRANCH_ROW, arbitrated=True)

    @Statement
    def lock_branch(self) -> Executable:
        """What has left a branch, its row locked: until the transaction ends nothing else leaves it."""
        key = tuple(equals(column, BRANCH_ROW[column.name]) for column in BRANCH.primary_key)
        return select(*columns_of(BRANCH, BRANCH_ROW)).where(*key).with_for_update()

    @Statement
    def change_branch(self) -> Executable:
        """What has left a branch now, if it is in the state that was read."""
        changed = ("xpub_exported", "key_revealed", "version", "kid", "tag")
        key = tuple(equals(column, BRANCH_ROW[column.name]) for column in BRANCH.primary_key)
        return update(BRANCH).values(values_of(BRANCH, BRANCH_ROW, changed)).where(*key, *_as_read(BRANCH))

    @Statement
    def branches_of_phrase(self) -> Executable:
        """Every branch of a phrase that something has left; at most a thousand."""
        found = select(*columns_of(BRANCH, BRANCH_ROW)).where(
            equals(BRANCH.c.project_id, "project_id"), equals(BRANCH.c.phrase_id, "phrase_id")
        )
        return limited(found, literal_column("1000"))

    @Statement
    def taken_index(self) -> Executable:
        """Whether a wallet of the register has a path of a phrase, by the register's unique index."""
        own = ("project_id", "phrase_id", "network", "variant", "path")
        return (
            select(literal_column("1")).select_from(REGISTER).where(*(equals(REGISTER.c[name], name) for name in own))
        )

    @Statement
    def taken_paths(self) -> Executable:
        """Which of some paths of a phrase wallets of the register have, by the register's unique index."""
        path = "path = ANY (:paths ::text[])" if self.writes_in_one else "path IN (SELECT value FROM json_each(:paths))"
        return text_sql(
            f"SELECT path FROM strongroom_wallet WHERE {path} AND project_id = :project_id AND phrase_id = :phrase_id "  # noqa: S608
            "AND network = :network AND variant = :variant"
        )

    @Statement
    def slots_there(self) -> Executable:
        """Which of some labels of a project and network have a slot."""
        label = (
            "label = ANY (:labels ::text[])"
            if self.writes_in_one
            else "label IN (SELECT value FROM json_each(:labels))"
        )
        return text_sql(
            f"SELECT label FROM strongroom_slot WHERE project_id = :project_id AND network = :network AND {label}"  # noqa: S608
        )

    @Statement
    def take_slots(self) -> Executable:
        """Slots for wallets that are to be made, those that are free, in the order of their labels (PostgreSQL)."""
        return text_sql(
            "INSERT INTO strongroom_slot (project_id, network, label, credential_id, version, kid, tag) "
            "SELECT :project_id ::uuid, :network, i.label, i.id, 1, :tag_kid, i.tag "
            "FROM unnest(:ids ::uuid[], :labels ::text[], :slot_tags ::text[]) AS i (id, label, tag) "
            "ORDER BY i.label ON CONFLICT DO NOTHING RETURNING label"
        )

    @Statement
    def insert_batch(self) -> Executable:
        """Both halves, record and log row of many wallets of one phrase, in one statement (PostgreSQL).

        Returns how many of each were written.
        """
        arrays = ", ".join(f":{name} ::{kind}[]" for name, kind in _BATCH.items())
        return text_sql(
            f"""WITH i AS (SELECT * FROM unnest({arrays}) AS i ({_BATCH_COLUMNS})),
            credential AS (
                INSERT INTO project_credentials (id, project_id, credential_type, network, wallet_address, public_key,
                       key_vault_id, status, is_active, vault_stored, metadata, created_by, created_at, updated_at)
                SELECT i.id, :project_id ::uuid, i.credential_type, i.network, i.address, i.public_key, i.vault_id,
                       'active', true, true, i.metadata::jsonb, :performed_by ::uuid, :now ::timestamptz,
                       :now ::timestamptz
                  FROM i RETURNING 1),
            vault_record AS (
                INSERT INTO credential_vault_storage (id, project_id, credential_id, vault_id, encrypted_private_key,
                       encryption_method, access_level, backup_created, created_at, updated_at)
                SELECT i.vault_row_id, :project_id ::uuid, i.id, i.vault_id, i.sealed_text, :encryption_method,
                       :access_level, false, :now ::timestamptz, :now ::timestamptz
                  FROM i RETURNING 1),
            record AS (
                INSERT INTO strongroom_wallet (project_id, credential_id, network, variant, label, vault_id, address,
                       public_key, scheme, path, access_level, status, version, phrase_id, phrase_index, kid, tag)
                SELECT :project_id ::uuid, i.id, i.network, i.variant, i.label, i.vault_id, i.address, i.public_key,
                       i.scheme, i.path, :access_level, 'active', 1, :phrase_id ::uuid, i.phrase_index, :tag_kid,
                       i.record_tag
                  FROM i RETURNING 1),
            logged AS (
                INSERT INTO credential_usage_logs (id, project_id, credential_id, action_type, action_details,
                       performed_by, performed_at, schema_version)
                SELECT i.log_id, :project_id ::uuid, i.id, 'create', :details ::jsonb, :performed_by ::uuid,
                       :now ::timestamptz, {SCHEMA_VERSION}
                  FROM i RETURNING 1)
            SELECT (SELECT count(*) FROM credential), (SELECT count(*) FROM vault_record),
                   (SELECT count(*) FROM record), (SELECT count(*) FROM logged)"""  # noqa: S608 - our own names
        )

    def _account(self) -> Select[Any]:
        return select(*columns_of(ACCOUNT, ACCOUNT_ROW)).where(*_account_key())


def _account_key() -> tuple[Any, ...]:
    """That an account is the one that parameters name: its primary key."""
    return tuple(equals(column, ACCOUNT_ROW[column.name]) for column in ACCOUNT.primary_key)


def _as_read(table: Any) -> tuple[Any, ...]:
    """That a row has the version and the tag that were read."""
    return equals(table.c.version, "old_version"), equals(table.c.tag, "old_tag")
