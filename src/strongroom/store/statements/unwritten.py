"""What tells a write whose row was changed meanwhile from one that a trigger or rule kept out: the row is as it was."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sqlalchemy import Column, func, literal_column, select
from sqlalchemy.sql.base import Executable

from strongroom.store.statements.building import Statement, StatementBuilder, same
from strongroom.store.statements.column_forms import equals, param
from strongroom.store.statements.erase import is_under_another_label
from strongroom.store.statements.slots import is_slot
from strongroom.store.statements.tables import CREDENTIAL, HEAD, HISTORY, LOG, SLOT, TAGGED, VAULT

_ONE: Any = literal_column("1")


class UnwrittenStatements(StatementBuilder):
    """Asked in the transaction of a write that changed too few rows: what is left that it would have changed."""

    @cached_property
    def as_read(self) -> dict[str, str]:
        """By table: a row that carries a tag, if it still has the one that was read."""
        return {name: self.compiled(self._as_read(table)) for name, table in TAGGED.items()}

    @staticmethod
    def _as_read(table: Any) -> Any:
        keys = [equals(column, column.name) for column in table.primary_key]
        return select(_ONE).select_from(table).where(*keys, same(table.c.tag, param("old_tag", table.c.tag)))

    @Statement
    def head_as_read(self) -> Executable:
        """Whether the keyring's head is in the version that was read."""
        return select(_ONE).select_from(HEAD).where(equals(HEAD.c.version, "old_version"))

    @Statement
    def slot_there(self) -> Executable:
        """Whether anything is in a slot."""
        return select(_ONE).select_from(SLOT).where(*is_slot())

    @Statement
    def count_vault_records(self) -> Executable:
        """How many vault records a wallet has."""
        found = select(func.count()).select_from(VAULT)
        return found.where(self.is_id(VAULT.c.credential_id, "old_id"), *self.of_project(VAULT))

    @Statement
    def labelled_history(self) -> Any:
        """How many texts are kept of a wallet under another label than the new one."""
        return select(func.count()).select_from(HISTORY).where(*is_under_another_label())

    @Statement
    def named_creator(self) -> Any:
        """How many credentials of an id name their creator."""
        return self._named(CREDENTIAL.c.created_by, CREDENTIAL.c.id)

    @Statement
    def named_revoker(self) -> Any:
        """How many vault records of a wallet name who revoked it."""
        return self._named(VAULT.c.revoked_by, VAULT.c.credential_id)

    def _named(self, column: Column[Any], key: Column[Any]) -> Any:
        of_wallet = (self.is_id(key, "id"), *self.of_project(column.table))
        return select(func.count()).select_from(column.table).where(*of_wallet, column.is_not(None))

    @Statement
    def log_there(self) -> Executable:
        """Whether a row of a wallet's usage log is there."""
        key = self.sorted_id(LOG.c.id)
        of_wallet = (self.is_id(LOG.c.credential_id, "id"), *self.of_project(LOG))
        return select(_ONE).select_from(LOG).where(key == self.id_param("log_id", key), *of_wallet)
