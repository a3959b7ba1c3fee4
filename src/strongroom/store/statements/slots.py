"""Slots of any project, read to tell whose a wallet is that the register does not have."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.sql.base import Executable

from strongroom.store.statements.building import LONGEST_VALUE, Statement, StatementBuilder, limited
from strongroom.store.statements.column_forms import equals, param
from strongroom.store.statements.tables import CREDENTIAL, HEAD, REGISTER, SLOT
from strongroom.store.statements.text_forms import substring


class SlotStatements(StatementBuilder):
    """Slots by the wallet that they name."""

    @Statement
    def of_wallet(self) -> Executable:
        """The first slots of any project that name a wallet, each with its tag."""
        return limited(self._slots().where(equals(SLOT.c.credential_id, "id")), param("limit", HEAD.c.version))

    @property
    def lock_adoption(self) -> str:
        """Wait until nobody else adopts a wallet, and keep others from it until the transaction ends (PostgreSQL)."""
        return "SELECT pg_advisory_xact_lock(hashtextextended('strongroom adopts ' || %(id)s::text, 0))"

    @Statement
    def elsewhere(self) -> Executable:
        """The first slots that name a wallet without a record whose row says another project."""
        named = SLOT.join(CREDENTIAL, self.is_ours(CREDENTIAL.c.id, SLOT.c.credential_id))
        owner = self.uuid(CREDENTIAL.c.project_id)
        rows = self._slots().select_from(named.outerjoin(REGISTER, REGISTER.c.credential_id == SLOT.c.credential_id))
        elsewhere = (REGISTER.c.credential_id.is_(None), or_(owner.is_(None), owner != SLOT.c.project_id))
        return limited(rows.where(*elsewhere), param("limit", HEAD.c.version))

    def _slots(self) -> Select[Any]:
        names = (substring(each, LONGEST_VALUE) for each in (SLOT.c.network, SLOT.c.label))
        return select(SLOT.c.project_id, *names, SLOT.c.credential_id, SLOT.c.version, *self.tag_of(SLOT))
