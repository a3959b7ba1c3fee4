"""Fill, replace, revoke."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    Select,
    String,
    false,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql.base import Executable

from strongroom.store.statements.building import (
    LONGEST_TEXT,
    LONGEST_VALUE,
    Statement,
    limited,
    same,
)
from strongroom.store.statements.column_forms import equals, param
from strongroom.store.statements.tables import (
    CREDENTIAL,
    FILL_ROW,
    HEAD,
    HISTORY,
    HISTORY_ROW,
    REGISTER,
    REMADE_ROW,
    VAULT,
    VAULT_ROW,
    WALLET_TABLES,
)
from strongroom.store.statements.text_forms import place_of, substring
from strongroom.store.statements.usage_log import LogStatements

_SEARCHED = 1 << 20
"""Characters of a text, or of all metadata of a credential, in which a sealed text is looked for."""


class LifecycleStatements(LogStatements):
    """Statements that fill a record, replace or revoke a wallet, and read its history."""

    @Statement
    def lock_wallet(self) -> Executable:
        """A wallet by id, its credential's row locked until the transaction ends."""
        return self._held(shared=False)

    @Statement
    def share_wallet(self) -> Executable:
        """A wallet by id; nobody retires it until the transaction ends."""
        return self._held(shared=True)

    def _held(self, *, shared: bool) -> Select[Any]:
        wallet = self.wallets().where(self.is_id(CREDENTIAL.c.id, "id"), *self.of_project(CREDENTIAL))
        return wallet.with_for_update(read=shared, of=CREDENTIAL) if self.writes_in_one else wallet

    @Statement
    def history(self) -> Executable:
        """A page of the texts that were kept of a wallet, oldest first."""
        return self._history(HISTORY.c.created_at, HISTORY.c.id)

    @Statement
    def history_in_project(self) -> Executable:
        """The same, of a wallet of a project."""
        return self._history(HISTORY.c.created_at, HISTORY.c.id, in_project=True)

    @Statement
    def newest_history(self) -> Executable:
        """A page of the texts that were kept of a wallet, newest first."""
        return self._history(HISTORY.c.created_at.desc(), HISTORY.c.id.desc())

    @Statement
    def newest_history_in_project(self) -> Executable:
        """The same, of a wallet of a project."""
        return self._history(HISTORY.c.created_at.desc(), HISTORY.c.id.desc(), in_project=True)

    @Statement
    def count_history(self) -> Executable:
        """How many texts were kept of a wallet."""
        of_wallet = (*self.of_project(HISTORY), equals(HISTORY.c.credential_id, "id"))
        return select(func.count()).select_from(HISTORY).where(*of_wallet)

    @Statement
    def kept_otherwise(self) -> Executable:
        """Whether a sealed text was kept of it under another network or label."""
        other = or_(
            HISTORY.c.network != param("network", HISTORY.c.network), HISTORY.c.label != param("label", HISTORY.c.label)
        )
        sealed = HISTORY.c.form == literal_column("'sealed'")
        found: Select[Any] = select(literal_column("1")).where(equals(HISTORY.c.credential_id, "id"), sealed, other)
        return limited(found, literal_column("1"))

    @Statement
    def history_entry(self) -> Executable:
        """One text that was kept, by its own id."""
        return self._entries().where(equals(HISTORY.c.id, "id"))

    @Statement
    def history_entry_in_project(self) -> Executable:
        """The same, if it is of a project."""
        return self._entries().where(*self.of_project(HISTORY), equals(HISTORY.c.id, "id"))

    @Statement
    def records_holding(self) -> Executable:
        """Vault records that hold a text which begins as a parameter says; whoever asks compares the texts."""
        return self._holding(VAULT.c.id, VAULT.c.encrypted_private_key)

    @Statement
    def history_holding(self) -> Executable:
        """The same of texts that were kept."""
        return self._holding(HISTORY.c.id, HISTORY.c.text)

    @Statement
    def metadata_holding(self) -> Executable:
        """The same of the metadata of credentials."""
        column = CREDENTIAL.c["metadata"]
        return self._holding(CREDENTIAL.c.id, column)

    def _holding(self, row: Column[Any], column: Column[Any]) -> Select[Any]:
        cast = "::text" if self.writes_in_one else ""
        lacking = row.table.name in WALLET_TABLES and not self.has(column)
        whole: Any = literal_column(f"NULL{cast}" if lacking else f"{column.table.name}.{column.name}{cast}")
        text = substring(whole, _SEARCHED)
        named = param("beginning", VAULT.c.encrypted_private_key)
        from_there = place_of(text, named, postgresql=self.writes_in_one)
        found: Select[Any] = select(row, func.substr(text, from_there, literal_column(str(LONGEST_TEXT))))
        found = found.select_from(row.table)
        return limited(found.where(from_there > literal_column("0")), literal_column("100"))

    @Statement
    def record_with_vault_id(self) -> Executable:
        """Whether a vault record has a vault id."""
        return self._with_vault_id(VAULT.c.vault_id)

    @Statement
    def credential_with_vault_id(self) -> Executable:
        """Whether a credential has it."""
        return self._with_vault_id(CREDENTIAL.c.key_vault_id)

    def _with_vault_id(self, column: Any) -> Select[Any]:
        found: Select[Any] = select(literal_column("1")).select_from(column.table)
        if not self.has(column):
            return found.where(false())
        return limited(found.where(self.text(column) == param("vault_id", VAULT.c.vault_id)), literal_column("1"))

    def _history(self, *order: Any, in_project: bool = False) -> Select[Any]:
        kept = self._entries().where(equals(HISTORY.c.credential_id, "id"))
        if in_project:
            kept = kept.where(equals(HISTORY.c.project_id, "project_id"))
        page = (param("limit", HEAD.c.version), param("skipped", HEAD.c.version))
        return kept.order_by(*order).limit(page[0]).offset(page[1])

    @staticmethod
    def _entries() -> Select[Any]:
        """Texts that were kept, each cut; the guard's ids do not sort by time."""
        columns = (HISTORY.c[name] for name in HISTORY_ROW if name != "schema_version")
        cut = (
            substring(each, LONGEST_TEXT if each.name == "text" else LONGEST_VALUE)
            if isinstance(each.type, String)
            else each
            for each in columns
        )
        return select(*cut)

    @Statement
    def lock_record(self) -> Executable:
        """The whole record of a wallet, its row locked until the transaction ends."""
        return self._record().with_for_update(of=REGISTER) if self.writes_in_one else self._record()

    @Statement
    def find_record_in_project(self) -> Executable:
        """The whole record of a wallet of a project, by its id."""
        return self._record()

    def _record(self) -> Select[Any]:
        of_wallet = (*self.of_project(REGISTER), equals(REGISTER.c.credential_id, "id"))
        return select(*self.record_columns(whole=True)).where(*of_wallet)

    @Statement
    def insert_remade_credential(self) -> Executable:
        """The public half of a wallet whose rows are gone, in the state that its record says."""
        return self.insert(CREDENTIAL, REMADE_ROW)

    @Statement
    def insert_remade_halves(self) -> Executable:
        """Both halves and the log row in one statement: a trigger's own vault record comes after it (PostgreSQL)."""
        credential = self.insert_from(CREDENTIAL, REMADE_ROW, None).returning(CREDENTIAL.c.id).cte("credential")
        vault = self.insert_from(VAULT, VAULT_ROW, credential).returning(VAULT.c.id).cte("vault_record")
        log = self.insert_log_from(credential)
        return select(*(select(func.count()).select_from(part).scalar_subquery() for part in (vault, log)))

    @Statement
    def fill_placeholder(self) -> Executable:
        """A sealed text in the place of exactly one placeholder; NULL is one, too."""
        return (
            update(VAULT)
            .values(self.filled(VAULT, FILL_ROW))
            .where(
                self.is_id(VAULT.c.credential_id, "id"),
                *self.of_project(VAULT),
                same(VAULT.c.encrypted_private_key, param("placeholder", VAULT.c.encrypted_private_key)),
            )
        )

    @Statement
    def insert_missing_vault_record(self) -> Executable:
        """The sealed half, unless a unique key says that one is there."""
        return self.insert(VAULT, VAULT_ROW, arbitrated=True)

    @Statement
    def retire_credential(self) -> Executable:
        """Mark a credential as not live, unless it is revoked."""
        return self._update_credential(status="status", is_active="false", updated_at="now")

    @Statement
    def revoke_credential(self) -> Executable:
        """Mark a credential as revoked, unless it is."""
        return self._update_credential(status="status", is_active="false", revoked_at="now", updated_at="now")

    def _update_credential(self, **row: str) -> Executable:
        values = self.filled(CREDENTIAL, row)
        own = (self.is_id(CREDENTIAL.c.id, "old_id"), *self.of_project(CREDENTIAL))
        statement = update(CREDENTIAL).values(values).where(*own)
        if self.has(CREDENTIAL.c.status):
            return statement.where(
                or_(CREDENTIAL.c.status.is_(None), self.text(CREDENTIAL.c.status) != literal_column("'revoked'"))
            )
        return statement.where(CREDENTIAL.c.revoked_at.is_(None))

    @Statement
    def revoke_vault_record(self) -> Executable:
        """Mark a vault record as revoked; its text stays."""
        row = {"access_level": "access_level", "revoked_at": "now", "revoked_by": "performed_by", "updated_at": "now"}
        own = (self.is_id(VAULT.c.credential_id, "old_id"), *self.of_project(VAULT))
        return update(VAULT).values(self.filled(VAULT, row)).where(*own)
