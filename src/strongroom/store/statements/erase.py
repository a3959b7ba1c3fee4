"""Erase what may name a person from the rows of a project; keys, addresses and what was done stay."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, func, literal_column, not_, or_, select, update
from sqlalchemy.sql.base import Executable

from strongroom.records.phrases import EVENTS as PHRASE_EVENTS
from strongroom.store.statements.building import LONGEST_TEXT, Statement, StatementBuilder, limited, same
from strongroom.store.statements.column_forms import equals, param
from strongroom.store.statements.tables import (
    CREDENTIAL,
    EVENTS,
    HEAD,
    HISTORY,
    IDEMPOTENCY,
    LOG,
    REGISTER,
    SLOT,
    VAULT,
)
from strongroom.store.statements.text_forms import substring

LONGEST_KEY = 255
"""Characters of an idempotency key: callers can ask for none that is longer."""


def is_under_another_label() -> tuple[Any, ...]:
    """That a text is kept of a wallet under another label than its new one."""
    of_wallet = equals(HISTORY.c.credential_id, "id"), equals(HISTORY.c.project_id, "project_id")
    return *of_wallet, HISTORY.c.label != param("new_label", HISTORY.c.label)


class EraseStatements(StatementBuilder):
    """Erase what may name a person from the rows of a project."""

    @Statement
    def slots_naming(self) -> Any:
        """The first slots of a project that name a wallet."""
        found = self._slots().where(equals(SLOT.c.credential_id, "id"))
        return limited(found, param("limit", HEAD.c.version))

    @Statement
    def other_slots(self) -> Executable:
        """A page of a project's slots whose labels were not erased, after a wallet's id."""
        wallet = SLOT.c.credential_id
        found = self._slots().where(self._speaks(SLOT.c.label), wallet > param("after", wallet))
        return limited(found.order_by(wallet), param("limit", HEAD.c.version))

    def _slots(self) -> Any:
        names = (self.cut(SLOT.c.network, SLOT.c.network), self.cut(SLOT.c.label, SLOT.c.label))
        return select(*names, SLOT.c.credential_id, SLOT.c.version, *self.tag_of(SLOT)).where(
            equals(SLOT.c.project_id, "project_id")
        )

    @Statement
    def records_of_project(self) -> Executable:
        """A page of a project's records in the register, after an id."""
        after = REGISTER.c.credential_id > param("after", REGISTER.c.credential_id)
        found = select(*self.record_columns(whole=True)).where(equals(REGISTER.c.project_id, "project_id"), after)
        return limited(found.order_by(REGISTER.c.credential_id), param("limit", HEAD.c.version))

    @Statement
    def speaking_keys(self) -> Executable:
        """A page of a project's idempotency keys that were not erased, after a key.

        Only keys that are read as they are stored: a page is continued after its last one. Others are none of ours.
        """
        key = IDEMPOTENCY.c.key
        erased = func.substr(key, literal_column("1"), literal_column("18")) == literal_column("'strongroom:erased:'")
        request = substring(IDEMPOTENCY.c.request, LONGEST_TEXT)
        found = (
            select(substring(key, LONGEST_TEXT), request, IDEMPOTENCY.c.credential_id, *self.tag_of(IDEMPOTENCY))
            .where(equals(IDEMPOTENCY.c.project_id, "project_id"), key > param("after_key", key))
            .where(not_(erased), substring(key, LONGEST_KEY) == key)
        )
        if not self.writes_in_one:  # SQLite takes bytes for any column
            found = found.where(func.typeof(key) == literal_column("'text'"))
        return limited(found.order_by(key), param("limit", HEAD.c.version))

    @Statement
    def count_key(self) -> Executable:
        """Whether an idempotency key is there."""
        found = select(func.count()).select_from(IDEMPOTENCY)
        return found.where(equals(IDEMPOTENCY.c.project_id, "project_id"), equals(IDEMPOTENCY.c.key, "new_key"))

    @Statement
    def rename_key(self) -> Executable:
        """Another key and request in the place of an idempotency key's, if it is the one that was read."""
        return (
            update(IDEMPOTENCY)
            .values(
                key=param("new_key", IDEMPOTENCY.c.key),
                request=param("request", IDEMPOTENCY.c.request),
                kid=param("tag_kid", IDEMPOTENCY.c.kid),
                tag=param("key_tag", IDEMPOTENCY.c.tag),
            )
            .where(
                equals(IDEMPOTENCY.c.project_id, "project_id"),
                equals(IDEMPOTENCY.c.key, "idempotency_key"),
                same(IDEMPOTENCY.c.tag, param("old_tag", IDEMPOTENCY.c.tag)),
            )
        )

    @Statement
    def erase_names(self) -> Executable:
        """Another credential type; in tables of ours metadata that say scheme and path alone."""
        names = ("credential_type", "metadata") if self.foreign is None else ("credential_type",)
        return (
            update(CREDENTIAL)
            .values(self.filled(CREDENTIAL, dict(zip(names, names, strict=True))))
            .where(*self._credential())
        )

    def _credential(self) -> tuple[Any, ...]:
        """That a credential is the one of an id, in its project."""
        return self.is_id(CREDENTIAL.c.id, "id"), *self.of_project(CREDENTIAL)

    @Statement
    def locked_metadata(self) -> Executable:
        """The metadata of a credential, NULL where they are too large to look into; its row is locked."""
        return select(self.small_metadata()).where(*self._credential()).with_for_update()

    @Statement
    def erase_creator(self) -> Any:
        """No creator of a credential."""
        return self._emptied(CREDENTIAL.c.created_by).where(*self._credential())

    @Statement
    def erase_revoker(self) -> Any:
        """Nobody who revoked a vault record."""
        return self._emptied(VAULT.c.revoked_by).where(self.is_id(VAULT.c.credential_id, "id"), *self.of_project(VAULT))

    @staticmethod
    def _emptied(column: Column[Any]) -> Any:
        return update(column.table).values({column.name: literal_column("NULL")}).where(column.is_not(None))

    @Statement
    def erase_history(self) -> Executable:
        """Another label of what was kept of a wallet."""
        return (
            update(HISTORY)
            .values(
                label=param("new_label", HISTORY.c.label),
                schema_version=param("schema_version", HISTORY.c.schema_version),
            )
            .where(*is_under_another_label())
        )

    @Statement
    def speaking_history(self) -> Executable:
        """A page of a project's wallets, after an id, of which something was kept under a label that was not erased."""
        wallet = HISTORY.c.credential_id
        found = (
            select(wallet)
            .distinct()
            .where(equals(HISTORY.c.project_id, "project_id"), self._speaks(HISTORY.c.label))
            .where(wallet > param("after", wallet))
        )
        return limited(found.order_by(wallet), param("limit", HEAD.c.version))

    @staticmethod
    def _speaks(label: Any) -> Any:
        """That a label is not one that an erasure left."""
        return func.substr(label, literal_column("1"), literal_column("7")) != literal_column("'erased-'")

    @Statement
    def log_of_wallet(self) -> Executable:
        """A page of a wallet's usage log, after an id: what may name a person."""
        details = LOG.c.action_details
        small = self.fits(details) if self.has(details) else literal_column("true")
        columns = [self.column(LOG.c[name]).is_not(None) for name in ("performed_by", "ip_address", "user_agent")]
        key = self.sorted_id(LOG.c.id)
        of_wallet = (self.is_id(LOG.c.credential_id, "id"), *self.of_project(LOG))
        found = select(key, small, or_(*columns), self.small(details)).where(*of_wallet)
        after = key > self.id_param("after", key)
        return limited(found.where(after).order_by(key), param("limit", HEAD.c.version))

    @Statement
    def erase_log(self) -> Executable:
        """A row of the usage log without what may name a person."""
        empty: dict[str, Any] = {name: literal_column("NULL") for name in ("performed_by", "ip_address", "user_agent")}
        values: dict[str, Any] = {
            **empty,
            "action_details": self.value(LOG.c.action_details, "details", names_actor=False),
        }
        values["schema_version"] = param("schema_version", LOG.c.schema_version)
        there = {name: value for name, value in values.items() if self.has(LOG.c[name])}
        key = self.sorted_id(LOG.c.id)
        of_wallet = (self.is_id(LOG.c.credential_id, "id"), *self.of_project(LOG))
        return update(LOG).values(there).where(key == self.id_param("log_id", key), *of_wallet)

    @Statement
    def events_page(self) -> Executable:
        """A page of the events that may name a wallet or phrase, after an id; NULL where one says too much for ours."""
        names = ("accept", "nonce-collision", "export", *PHRASE_EVENTS)
        about = EVENTS.c.event.in_([literal_column(f"'{name}'") for name in names])
        after = EVENTS.c.id > param("after", EVENTS.c.id)
        found = select(EVENTS.c.id, self.small(EVENTS.c.details, LONGEST_TEXT)).where(about, after)
        return limited(found.order_by(EVENTS.c.id), param("limit", HEAD.c.version))

    @Statement
    def erase_event(self) -> Executable:
        """Other details of an event."""
        return update(EVENTS).values(details=param("details", EVENTS.c.details)).where(equals(EVENTS.c.id, "event_id"))
