"""The usage log: its row, the values of one, every INSERT of one; and how it and the events are read, newest first.

A statement that writes more than log rows embeds ``insert_log_from`` (an expression) or ``insert_logs`` (text).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, and_, case, func, literal_column, or_, select
from sqlalchemy.sql.base import Executable

from strongroom.records.identifiers import new_id
from strongroom.records.usage_log import LogEntry
from strongroom.store.statements.building import Statement, StatementBuilder, limited
from strongroom.store.statements.column_forms import param
from strongroom.store.statements.register_rows import uuid_or_none
from strongroom.store.statements.tables import CREDENTIAL, EVENTS, HEAD, LOG
from strongroom.store.statements.text_forms import substring
from strongroom.store.write_conditions import SCHEMA_VERSION

LOG_ROW = {
    "id": "log_id",
    "project_id": "project_id",
    "credential_id": "id",
    "action_type": "action",
    "action_details": "details",
    "performed_by": "performed_by",
    "performed_at": "now",
    "schema_version": "schema_version",
}
"""Which parameter fills which column."""

_LONGEST = 2_048
_SECONDS = "%Y-%m-%dT%H:%M:%S"


def log_values(entry: LogEntry, now: datetime) -> dict[str, Any]:
    """The values of a row, by the parameters of ``LOG_ROW``; an actor that is not a UUID goes into the details."""
    actor = uuid_or_none(entry.actor.actor)
    details = dict(entry.details)
    if entry.actor.actor is not None and actor is None:
        details["actor"] = entry.actor.actor
    if entry.actor.reason is not None:
        details["reason"] = entry.actor.reason
    return {
        "log_id": new_id(now),
        "action": entry.action,
        "details": json.dumps(details),
        "performed_by": actor,
        "now": now,
        "schema_version": SCHEMA_VERSION,
    }


class LogStatements(StatementBuilder):
    """Write rows of the usage log; read it and the events, newest first."""

    @Statement
    def insert_log(self) -> Executable:
        """A row of the usage log."""
        return self.insert(LOG, LOG_ROW)

    def insert_log_from(self, source: CTE) -> CTE:
        """A row of the usage log for each row of ``source``, as a part of a larger statement: the ids written."""
        inserted: CTE = self.insert_from(LOG, LOG_ROW, source).returning(LOG.c.id).cte("usage_log")
        return inserted

    def insert_logs(self, values: Mapping[str, str], source: str, *, as_text: bool = False) -> str:
        """The same as text. ``values`` is SQL over ``source``, by the parameters of ``LOG_ROW``.

        Columns without a value are left out. ``as_text``: for sqlalchemy.text.
        """
        given = dict(values)
        if "details" in given:
            details = given["details"]
            given["details"] = (
                f"{details}::jsonb" if self.foreign is None else self.log_details(details, given["performed_by"])
            )
        row = {column: given[name] for column, name in LOG_ROW.items() if name in given}
        filled = self.written_as(LOG, row, as_text=as_text)
        if self.foreign is None:
            filled["schema_version"] = str(SCHEMA_VERSION)
        return (
            f"INSERT INTO {LOG.name} ({', '.join(filled)}) "  # noqa: S608 - our own names
            f"SELECT {', '.join(filled.values())} FROM {source}"
        )

    def usage_log(self, given: frozenset[str]) -> str:
        """A page of the usage log. ``given`` names what is asked for: parameters that narrow it.

        They are ``wallet``, ``project_id``, ``actor``, ``actor_id``, ``action``, ``since``, ``until`` and ``before``.
        """
        at = self._log_time()
        owner: Any = LOG.c.project_id
        source: Any = LOG
        if self.foreign is not None:
            owner, source = (
                CREDENTIAL.c.project_id,
                LOG.outerjoin(CREDENTIAL, self.same_id(CREDENTIAL.c.id, LOG.c.credential_id)),
            )
        columns = (
            LOG.c.id,
            at,
            substring(LOG.c.action_type, _LONGEST) if self.cuts(LOG.c.action_type) else LOG.c.action_type,
            LOG.c.credential_id,
            owner,
            self._who(),
            self.small(LOG.c.action_details),
            self.cut(LOG.c.ip_address, self.column(LOG.c.ip_address)),
            self.cut(LOG.c.user_agent, self.column(LOG.c.user_agent)),
        )
        wanted = {
            "wallet": self.is_id(LOG.c.credential_id, "wallet"),
            "project_id": self.is_id(owner, "project_id"),
            "action": self.text(LOG.c.action_type) == param("action", LOG.c.action_type),
            "actor": self._by(given),
        }
        return self._newest(select(*columns).select_from(source), wanted, at, self.sorted_id(LOG.c.id), given)

    def events(self, given: frozenset[str]) -> str:
        """A page of the events, in the columns of ``usage_log``. ``phrase_id`` and ``named_project`` narrow it, too."""
        nothing: Any = literal_column("NULL")
        event = substring(EVENTS.c.event, _LONGEST)
        at = self._known(EVENTS.c.created_at)
        columns = (EVENTS.c.id, at, event, *(nothing,) * 3, self.small(EVENTS.c.details), *(nothing,) * 2)
        wanted = {
            "action": EVENTS.c.event == param("action", EVENTS.c.event),
            "actor": self._named_in(EVENTS.c.details) == param("actor", EVENTS.c.event),
            "phrase_id": self._named_in(EVENTS.c.details, "phrase_id") == param("phrase_id", EVENTS.c.event),
            "named_project": or_(
                *(
                    self._named_in(EVENTS.c.details, member) == param("named_project", EVENTS.c.event)
                    for member in ("project_id", "project")
                )
            ),
        }
        return self._newest(select(*columns).select_from(EVENTS), wanted, at, EVENTS.c.id, given)

    def _newest(self, query: Any, wanted: dict[str, Any], at: Any, key: Any, given: frozenset[str]) -> str:
        time = EVENTS.c.created_at
        wanted["since"] = at >= param("since", time)
        wanted["until"] = and_(at < param("until", time), at > self._never())
        before = (param("before_time", time), self.id_param("before_id", key))
        wanted["before"] = or_(at < before[0], and_(at == before[0], key < before[1]))
        conditions = [wanted[name] for name in sorted(given) if name in wanted]
        if not self.writes_in_one:  # as BLOBs they would sort after what the cursor says of them
            conditions.append(literal_column(f"(typeof({key.table.name}.{key.name}) = 'text')"))
        query = query.where(*conditions).order_by(at.desc(), key.desc())
        return self.compiled(limited(query, param("limit", HEAD.c.version)))

    def _log_time(self) -> Any:
        """When it was, or the first moment of 1970 where the row holds no time: rows without one come last."""
        column = LOG.c.performed_at
        if self.foreign is not None and self.time(column) is not column:
            return self._known(self.time(column))
        return self._known(column) if self._is_time() else self._never()

    def _known(self, at: Any) -> Any:
        """A time as pages go on after it; what Python cannot say, or SQLite holds in another spelling, is none."""
        if self.writes_in_one:
            last: Any = literal_column("'9999-12-31 00:00:00+00'::timestamptz")
            return case((and_(at > self._never(), at < last), at), else_=self._never())
        name = f"{at.table.name}.{at.name}"
        spelled = (
            f"typeof({name}) = 'text'",
            f"length(CAST({name} AS BLOB)) IN (25, 32)",
            f"strftime('{_SECONDS}', {name}, '+0 days') = substr({name}, 1, 19)",
            f"(substr({name}, 20) = '+00:00' OR substr({name}, 20) GLOB '.{'[0-9]' * 6}+00:00')",
        )
        known: list[Any] = [literal_column(f"({condition})") for condition in spelled]
        return case((and_(*known, at > self._never()), at), else_=self._never())

    def _never(self) -> Any:
        """The first moment of 1970, in a form that fits every column of times."""
        if not self.writes_in_one:
            return literal_column("'1970-01-01T00:00:00+00:00'")
        return literal_column("'1970-01-01 00:00:00+00'::timestamptz")

    def _who(self) -> Any:
        column = LOG.c.performed_by
        ours = self.foreign is None and self.writes_in_one
        return column if ours else self.cut(column, self.column(column))

    def _is_time(self) -> bool:
        if self.foreign is None:
            return True
        columns = self.foreign.columns.get(LOG.name, {})
        return "performed_at" in columns and columns["performed_at"].type.startswith("timestamp")

    def _by(self, given: frozenset[str]) -> Any:
        """Who: in the column where that takes such a value, or in the details."""
        by = []
        if self.has(LOG.c.action_details):
            by.append(self._named_in(LOG.c.action_details) == param("actor", EVENTS.c.event))
        if self.has(LOG.c.performed_by):
            kind = "uuid" if self.foreign is None else self.foreign.columns[LOG.name]["performed_by"].type
            if kind in ("text", "character varying"):
                by.append(LOG.c.performed_by == param("actor", EVENTS.c.event))
            elif kind == "uuid" and "actor_id" in given:
                by.append(LOG.c.performed_by == param("actor_id", LOG.c.performed_by))
        return or_(*by) if by else literal_column("false")

    def _named_in(self, details: Any, member: str = "actor") -> Any:
        """The actor that details name, or another member of them; of what is no JSON, nothing."""
        if not self.writes_in_one:
            named = func.json_extract(details, literal_column(f"'$.{member}'"))
            return case((func.json_valid(details) == literal_column("1"), named))
        kind = "jsonb"
        if self.foreign is not None and details.table is LOG:
            kind = self.foreign.columns[LOG.name]["action_details"].type
        if kind not in ("json", "jsonb"):
            return literal_column("NULL")
        read = func.jsonb_extract_path_text if kind == "jsonb" else func.json_extract_path_text
        return read(details, literal_column(f"'{member}'"))
