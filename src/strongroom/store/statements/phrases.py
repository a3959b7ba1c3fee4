"""Phrases of projects, the accounts in which their indices are taken, and wallets written in batches."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from sqlalchemy import Select, delete, func, literal_column, not_, or_, select, tuple_, update
from sqlalchemy import text as text_sql
from sqlalchemy.sql.base import Executable

from strongroom.store.statements import phrase_batch
from strongroom.store.statements.building import Statement, limited
from strongroom.store.statements.column_forms import equals, param
from strongroom.store.statements.phrase_texts import columns_of, is_phrase, phrases_of_project, values_of
from strongroom.store.statements.tables import (
    ACCOUNT,
    ACCOUNT_ROW,
    BRANCH,
    BRANCH_ROW,
    CREDENTIAL,
    HEAD,
    PHRASE,
    PHRASE_ROW,
    REGISTER,
)
from strongroom.store.statements.usage_log import LogStatements


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
    def move_phrase(self) -> Executable:
        """A phrase as ``change_phrase`` writes it, under other ids than it was read under; divided, of its project."""
        changed = ("label", "words", "has_passphrase", "identifier", "status", "version", "kid", "tag")
        names = ("phrase_id",) if self.sharded else ("project_id", "phrase_id")
        ids = {name: param(f"new_{name}", PHRASE.c[name]) for name in names}
        values = {**values_of(PHRASE, PHRASE_ROW, changed), **ids}
        text = PHRASE.c.sealed_text == param("old_text", PHRASE.c.sealed_text)
        return update(PHRASE).values(values).where(*is_phrase(), *_as_read(PHRASE), text)

    @Statement
    def delete_phrase(self) -> Executable:
        """The row of a phrase as it was read, which is made anew in another project: no UPDATE takes it to its node."""
        as_sealed = PHRASE.c.sealed_text == param("old_text", PHRASE.c.sealed_text)
        return delete(PHRASE).where(*is_phrase(), *_as_read(PHRASE), as_sealed)

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
        """A page of a phrase's accounts, after one of them."""
        return _page_of(ACCOUNT, ACCOUNT_ROW, "network", "variant", "template")

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
        """A page of a phrase's branches that something has left, after one of them."""
        return _page_of(BRANCH, BRANCH_ROW, "path")

    @Statement
    def taken_index(self) -> Executable:
        """The record that has a path of a phrase, by the register's unique index."""
        return self._taken().where(equals(REGISTER.c.path, "path"))

    @Statement
    def taken_paths(self) -> Executable:
        """The records that have some paths of a phrase, by the register's unique index."""
        path = "path = ANY (:paths ::text[])" if self.writes_in_one else "path IN (SELECT value FROM json_each(:paths))"
        return self._taken().where(text_sql(f"strongroom_wallet.{path}"))

    @Statement
    def held_elsewhere(self) -> Executable:
        """A record of a project and network that has one of some addresses, and was not derived from a phrase.

        By the index of addresses in ``project_credentials``: the register has none.
        """
        at = CREDENTIAL.c.wallet_address if self.has(CREDENTIAL.c.wallet_address) else CREDENTIAL.c.public_key
        rows = select(self.uuid(CREDENTIAL.c.id)).select_from(CREDENTIAL).where(self._is_one_of(at))
        if self.sharded:
            rows = rows.where(equals(CREDENTIAL.c.project_id, "project_id"))
        others = or_(REGISTER.c.phrase_id.is_(None), not_(equals(REGISTER.c.phrase_id, "phrase_id")))
        own = (equals(REGISTER.c.project_id, "project_id"), equals(REGISTER.c.network, "network"))
        found_there: Any = REGISTER.c.credential_id.in_(rows)
        if self.writes_in_one and not self.sharded:  # first the rows, though no statistics say how few they are
            found_there = REGISTER.c.credential_id == func.any(func.array(rows.scalar_subquery()))
        named = (self._is_one_of(REGISTER.c.address), found_there)
        found = select(*self.record_columns(whole=True)).where(*own, others, *named)
        return limited(found, literal_column("1"))

    def _is_one_of(self, address: Any) -> Any:
        one_of = "= ANY (:addresses ::text[])" if self.writes_in_one else "IN (SELECT value FROM json_each(:addresses))"
        return text_sql(f"{address.table.name}.{address.name} {one_of}")

    def _taken(self) -> Select[Any]:
        """Whole records: only one whose tag fits takes an index. Variants of a network share their keys."""
        own = ("project_id", "phrase_id", "network")
        return select(*self.record_columns(whole=True)).where(*(equals(REGISTER.c[name], name) for name in own))

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
        """Both halves, record and log row of many wallets of one phrase; returns how many of each (PostgreSQL)."""
        return text_sql(phrase_batch.in_one_statement())

    @Statement
    def take_slots_of_account(self) -> Executable:
        """``take_slots`` next to the account's row, which says on which node all of it is; apart from the keyring."""
        return text_sql(phrase_batch.slots_next_to_account())

    @cached_property
    def insert_of_account(self) -> Mapping[str, str]:
        """``insert_batch`` next to the account's row, by table: each is a statement of one node."""
        return {table: self.compiled(text_sql(sql)) for table, sql in phrase_batch.rows_next_to_account().items()}

    def _account(self) -> Select[Any]:
        return select(*columns_of(ACCOUNT, ACCOUNT_ROW)).where(*_account_key())


def _page_of(table: Any, row: Mapping[str, str], *keys: str) -> Executable:
    """A page of the rows of a phrase, after one whose keys are ``after_`` and their names."""
    columns = [table.c[name] for name in keys]
    after = tuple_(*columns) > tuple_(*(param(f"after_{name}", table.c[name]) for name in keys))
    of_phrase = equals(table.c.project_id, "project_id"), equals(table.c.phrase_id, "phrase_id")
    found = select(*columns_of(table, row)).where(*of_phrase, after)
    return limited(found.order_by(*columns), param("limit", HEAD.c.version))


def _account_key() -> tuple[Any, ...]:
    """That an account is the one that parameters name: its primary key."""
    return tuple(equals(column, ACCOUNT_ROW[column.name]) for column in ACCOUNT.primary_key)


def _as_read(table: Any) -> tuple[Any, ...]:
    """That a row has the version and the tag that were read."""
    return equals(table.c.version, "old_version"), equals(table.c.tag, "old_tag")
