"""Slots: what takes one, lets it name another wallet or have another label, and reads those of any project."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select, true, update
from sqlalchemy import text as text_sql
from sqlalchemy.sql.base import Executable

from strongroom.store.statements.building import Statement, StatementBuilder, knows_sealing_key, limited, same
from strongroom.store.statements.column_forms import equals, param
from strongroom.store.statements.tables import HEAD, SLOT, SLOT_ROW
from strongroom.store.statements.text_forms import substring

SLOT_KEY = ("project_id", "network", "label")
"""The columns that say which slot it is: its primary key, which parameters of a statement are named after."""
_LONGEST_TEXT = 65
"""Characters of a slot's texts that are read: one that is longer is none of ours, and as it is read no tag fits."""

_IN_JSON = "strongroom_slot.credential_id IN (SELECT value FROM json_each(:ids))"
_IN_ARRAY = "strongroom_slot.credential_id = ANY (:ids\\:\\:uuid[])"


def is_slot() -> tuple[Any, ...]:
    """That a slot is the one that the parameters ``project_id``, ``network`` and ``label`` name."""
    return tuple(equals(SLOT.c[name], name) for name in SLOT_KEY)


class SlotStatements(StatementBuilder):
    """Slots: taken, moved, renamed, and read by the wallets that they name."""

    @Statement
    def take_slot(self) -> Executable:
        """The slot's row, unless it is taken, or the keyring is not the vault's."""
        statement: Executable = self.insert_from(SLOT, SLOT_ROW, None, arbitrated=True, where=knows_sealing_key())
        return statement

    @Statement
    def name_slot(self) -> Executable:
        """The slot's row for a wallet that is there and that no slot names, unless it is taken."""
        return self.insert(SLOT, SLOT_ROW, arbitrated=True)

    @Statement
    def adopt_slot(self) -> Executable:
        """Let the slot that this transaction took name a wallet that was there."""
        return (
            update(SLOT)
            .values(
                credential_id=param("candidate", SLOT.c.credential_id),
                kid=param("tag_kid", SLOT.c.kid),
                tag=param("slot_tag", SLOT.c.tag),
            )
            .where(*is_slot())
        )

    @Statement
    def move_slot(self) -> Executable:
        """Let a slot name another wallet, if it names this one in the version that was read."""
        return (
            update(SLOT)
            .values(
                credential_id=param("id", SLOT.c.credential_id),
                version=param("new_slot_version", SLOT.c.version),
                kid=param("tag_kid", SLOT.c.kid),
                tag=param("moved_slot_tag", SLOT.c.tag),
            )
            .where(
                *is_slot(),
                equals(SLOT.c.credential_id, "old_id"),
                SLOT.c.version == param("old_slot_version", SLOT.c.version),
            )
        )

    @Statement
    def rename_slot(self) -> Executable:
        """Another label of a slot, if it has the version and the tag that were read."""
        return (
            update(SLOT)
            .values(
                label=param("new_label", SLOT.c.label),
                version=param("new_slot_version", SLOT.c.version),
                kid=param("tag_kid", SLOT.c.kid),
                tag=param("slot_tag", SLOT.c.tag),
            )
            .where(
                *is_slot(),
                equals(SLOT.c.version, "old_slot_version"),
                same(SLOT.c.tag, param("old_tag", SLOT.c.tag)),
            )
        )

    @Statement
    def of_wallets(self) -> Executable:
        """The first slots of any project that name each of some wallets, each with its tag; so many of one at most.

        By a lateral join, which ends after so many of a wallet; Citus has none with its tables, and SQLite none at all.
        """
        names = (substring(each, _LONGEST_TEXT) for each in (SLOT.c.network, SLOT.c.label))
        tag = (substring(each, _LONGEST_TEXT) for each in (SLOT.c.kid, SLOT.c.tag))
        slots = select(SLOT.c.project_id, *names, SLOT.c.credential_id, SLOT.c.version, *tag)
        if not self.writes_in_one:
            return self._numbered(slots, _IN_JSON)
        if self.sharded:
            return self._numbered(slots, _IN_ARRAY)
        limit = param("limit", HEAD.c.version)
        asked = func.unnest(text_sql(":ids\\:\\:uuid[]")).table_valued("id", name="asked").render_derived()
        found = limited(slots.where(SLOT.c.credential_id == asked.c.id).correlate(asked), limit).lateral("found")
        return select(*found.c).select_from(asked.join(found, true()))

    @property
    def lock_adoption(self) -> str:
        """Wait until nobody else adopts a wallet, and keep others from it until the transaction ends (PostgreSQL)."""
        return "SELECT pg_advisory_xact_lock(hashtextextended('strongroom adopts ' || %(id)s::text, 0))"

    @staticmethod
    def _numbered(slots: Select[Any], of_wallets: str) -> Executable:
        """Of the slots of each wallet those with the first numbers."""
        number = func.row_number().over(partition_by=SLOT.c.credential_id).label("number")
        found = slots.add_columns(number).where(text_sql(of_wallets)).subquery("found")
        *columns, numbered = found.c
        return select(*columns).where(numbered <= param("limit", HEAD.c.version))
