"""Read the usage log and the events, newest first."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, case, func, literal_column, or_, select

from strongroom.store.statements.building import StatementBuilder, limited
from strongroom.store.statements.column_forms import param
from strongroom.store.statements.tables import CREDENTIAL, EVENTS, HEAD, LOG
from strongroom.store.statements.text_forms import substring

_LONGEST = 2_048
_SECONDS = "%Y-%m-%dT%H:%M:%S"


class LogStatements(StatementBuilder):
    """Read the usage log and the events, newest first."""

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
        """A page of the events, in the columns of ``usage_log``."""
        nothing: Any = literal_column("NULL")
        event = substring(EVENTS.c.event, _LONGEST)
        at = self._known(EVENTS.c.created_at)
        columns = (EVENTS.c.id, at, event, *(nothing,) * 3, self.small(EVENTS.c.details), *(nothing,) * 2)
        wanted = {
            "action": EVENTS.c.event == param("action", EVENTS.c.event),
            "actor": self._actor_in(EVENTS.c.details) == param("actor", EVENTS.c.event),
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
            by.append(self._actor_in(LOG.c.action_details) == param("actor", EVENTS.c.event))
        if self.has(LOG.c.performed_by):
            kind = "uuid" if self.foreign is None else self.foreign.columns[LOG.name]["performed_by"].type
            if kind in ("text", "character varying"):
                by.append(LOG.c.performed_by == param("actor", EVENTS.c.event))
            elif kind == "uuid" and "actor_id" in given:
                by.append(LOG.c.performed_by == param("actor_id", LOG.c.performed_by))
        return or_(*by) if by else literal_column("false")

    def _actor_in(self, details: Any) -> Any:
        """The actor that details name; of what is no JSON, nothing."""
        if not self.writes_in_one:
            named = func.json_extract(details, literal_column("'$.actor'"))
            return case((func.json_valid(details) == literal_column("1"), named))
        kind = "jsonb"
        if self.foreign is not None and details.table is LOG:
            kind = self.foreign.columns[LOG.name]["action_details"].type
        if kind not in ("json", "jsonb"):
            return literal_column("NULL")
        read = func.jsonb_extract_path_text if kind == "jsonb" else func.json_extract_path_text
        return read(details, literal_column("'actor'"))
