"""Reading the usage log and the events. Nothing in them carries a tag: they say what the database says."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.usage_log import Event, LogEntry, LogPage, LogQuery, LogRecord
from strongroom.store.context import StoreContext, retry_after_schema_change
from strongroom.store.statements import rows
from strongroom.store.statements.register_rows import text_of, uuid_or_none
from strongroom.store.statements.usage_log import log_values

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class SqlLogStore:
    """What was done with wallets, and with the vault."""

    def __init__(self, context: StoreContext) -> None:
        self.context = context

    @retry_after_schema_change
    def list_log(self, query: LogQuery) -> LogPage:
        """One page of the usage log and the events, newest first. Events concern no wallet; some name a project."""
        asked: dict[str, Any] = {
            "wallet": query.wallet_id,
            "project_id": query.project_id,
            "named_project": None if query.project_id is None else str(query.project_id),
            "actor": query.actor,
            "actor_id": uuid_or_none(query.actor),
            "action": query.action,
            "phrase_id": None if query.phrase_id is None else str(query.phrase_id),
            "since": query.since,
            "until": query.until,
        }
        if query.before is not None:
            asked |= {"before": True, "before_time": query.before[0], "before_id": query.before[1]}
        given = frozenset(name for name, value in asked.items() if value is not None)
        parameters = {**asked, "limit": query.limit + 1}
        found = []
        if query.phrase_id is None:
            found.append(self._page(self.context.sql.log.usage_log, "usage", given, parameters))
        if query.wallet_id is None:
            found.append(self._page(self.context.sql.log.events, "event", given, parameters))
        merged = list(heapq.merge(*found, key=_order, reverse=True))
        shown = tuple(merged[: query.limit])
        return LogPage(shown, _cursor(shown[-1]) if len(merged) > query.limit else None)

    @retry_after_schema_change
    def write_log(self, stored: StoredWallet, entry: LogEntry, now: datetime) -> None:
        parameters = {
            "project_id": stored.wallet.project_id,
            "id": stored.wallet.id,
            **log_values(entry, now),
        }
        self.context.transact(lambda session: session.write(self.context.sql.log.insert_log, parameters))

    def write_event(self, event: Event, now: datetime) -> None:
        parameters = rows.event_parameters(event, now)
        self.context.transact(lambda session: session.write(self.context.sql.keyring.insert_event, parameters))

    def _page(
        self, statement: Callable[[frozenset[str]], str], source: str, given: frozenset[str], parameters: dict[str, Any]
    ) -> list[LogRecord]:
        found = self.context.read(statement(given), parameters)
        return [_record(source, rows.readable(row)) for row in found]


def _record(source: str, row: Sequence[Any]) -> LogRecord:
    key, at, action, wallet_id, project_id, performed_by, details, ip_address, user_agent = row
    facts = dict(rows.facts(details))
    named = facts.pop("actor", None)
    reason = facts.pop("reason", None)
    moment = rows.time_of(at)
    return LogRecord(
        id=text_of(key) or "",
        source=source,
        at=None if moment == _NEVER else moment,
        action=text_of(action) or "",
        wallet_id=text_of(wallet_id),
        project_id=_project_in(facts) if source == "event" else text_of(project_id),
        actor=text_of(performed_by) if performed_by is not None else text_of(named),
        reason=text_of(reason),
        details=facts,
        ip_address=text_of(ip_address),
        user_agent=text_of(user_agent),
    )


def _project_in(facts: Mapping[str, Any]) -> str | None:
    """The project that an event names, as of a phrase or of an erasure."""
    named = facts.get("project_id", facts.get("project"))
    return named if isinstance(named, str) else None


def _order(record: LogRecord) -> tuple[datetime, str]:
    return record.at or _NEVER, record.id


def _cursor(record: LogRecord) -> str:
    return f"{(record.at or _NEVER).isoformat()}~{record.id}"
