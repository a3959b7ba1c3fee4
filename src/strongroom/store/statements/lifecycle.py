"""Fill, replace, revoke."""

from __future__ import annotations

from sqlalchemy import (
    literal_column,
    or_,
    update,
)
from sqlalchemy.sql.base import Executable

from strongroom.store.statements.building import Building, Statement, equals, param
from strongroom.store.statements.tables import CREDENTIAL, FILL_ROW, SLOT, SLOT_ROW, VAULT, VAULT_ROW


class LifecycleStatements(Building):
    """Fill, replace, revoke."""

    @Statement
    def lock_wallet(self) -> Executable:
        """A wallet by id, its credential's row locked until the transaction ends."""
        wallet = self.wallets().where(equals(CREDENTIAL.c.id, "id"))
        return wallet.with_for_update(of=CREDENTIAL) if self.writes_in_one else wallet

    @Statement
    def fill_placeholder(self) -> Executable:
        """A sealed text in the place of exactly one placeholder; NULL is one, too."""
        return (
            update(VAULT)
            .values(
                {column: param(name, VAULT.c[column]) for column, name in FILL_ROW.items() if self.has(VAULT.c[column])}
            )
            .where(
                equals(VAULT.c.credential_id, "id"),
                VAULT.c.encrypted_private_key.is_not_distinct_from(param("placeholder", VAULT.c.encrypted_private_key)),
            )
        )

    @Statement
    def insert_missing_vault_record(self) -> Executable:
        """The sealed half, unless a unique key says that one is there."""
        return self.insert(VAULT, VAULT_ROW, arbitrated=True)

    @Statement
    def name_slot(self) -> Executable:
        """The slot's row for a wallet that is there and that no slot names, unless it is taken."""
        return self.insert(SLOT, SLOT_ROW, arbitrated=True)

    @Statement
    def move_slot(self) -> Executable:
        """Let a slot name another wallet, if it names this one."""
        return (
            update(SLOT)
            .values(credential_id=param("id", SLOT.c.credential_id), version=SLOT.c.version + literal_column("1"))
            .where(
                *(equals(SLOT.c[name], name) for name in ("project_id", "network", "label")),
                equals(SLOT.c.credential_id, "old_id"),
            )
        )

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
        statement = update(CREDENTIAL).values(values).where(equals(CREDENTIAL.c.id, "old_id"))
        if self.has(CREDENTIAL.c.status):
            return statement.where(
                or_(CREDENTIAL.c.status.is_(None), CREDENTIAL.c.status != literal_column("'revoked'"))
            )
        return statement.where(CREDENTIAL.c.revoked_at.is_(None))

    @Statement
    def revoke_vault_record(self) -> Executable:
        """Mark a vault record as revoked; its text stays."""
        row = {"access_level": "access_level", "revoked_at": "now", "revoked_by": "performed_by", "updated_at": "now"}
        return update(VAULT).values(self.filled(VAULT, row)).where(equals(VAULT.c.credential_id, "old_id"))
