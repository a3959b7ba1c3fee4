"""Install, remove and examine the guard. It opens no key, so it needs the database alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from strongroom.errors import (
    ContentionError,
    ForeignSchemaError,
    OutcomeUnknownError,
    StoreUnavailableError,
    TriggerConflictError,
)
from strongroom.records.guard import EventTriggers, GuardPart, GuardStatus
from strongroom.store.catalog.foreign_schema import CREDENTIALS, VAULT
from strongroom.store.catalog.profile import Profile
from strongroom.store.connection.database import Database
from strongroom.store.connection.session import Session
from strongroom.store.guard import postgresql, sqlite
from strongroom.store.guard.names import ARCHIVE, MODES, Script, mark, marked

_ROUNDS = 6
_UUIDS = ((CREDENTIALS, "id"), (CREDENTIALS, "project_id"), (VAULT, "credential_id"))

_EVENT_TRIGGERS = """
SELECT e.evtname::text, e.evtevent::text, e.evtenabled::text, n.nspname::text, p.proname::text, p.prosrc
  FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE e.evtname = ANY(%(names)s::text[])
"""
_FUNCTIONS = """
SELECT p.proname::text, p.prosrc, p.prosecdef AND p.proconfig @> %(settings)s::text[]
       AND has_table_privilege(p.proowner, h.oid, 'SELECT, INSERT')
       AND NOT EXISTS (SELECT FROM aclexplode(COALESCE(p.proacl, acldefault('f', p.proowner))) a
                        WHERE a.grantee <> p.proowner),
       obj_description(p.oid, 'pg_proc')
  FROM pg_proc p JOIN pg_class h ON h.relnamespace = p.pronamespace AND h.relname = 'strongroom_vault_history'
 WHERE is_located(h) AND EXISTS (SELECT 1 FROM unnest(%(names)s::text[], %(types)s::text[]) AS own (name, types)
                                  WHERE own.name = p.proname::text AND own.types = oidvectortypes(p.proargtypes))
"""
_OTHER_FUNCTIONS = """
SELECT p.oid::regprocedure::text, r.rolname::text
  FROM pg_proc p JOIN pg_class h ON h.relnamespace = p.pronamespace AND h.relname = 'strongroom_vault_history'
  JOIN pg_roles r ON r.oid = p.proowner
 WHERE is_located(h) AND p.proname::text = ANY(%(names)s::text[])
   AND NOT EXISTS (SELECT 1 FROM unnest(%(names)s::text[], %(types)s::text[]) AS own (name, types)
                    WHERE own.name = p.proname::text AND own.types = oidvectortypes(p.proargtypes))
 ORDER BY 1
"""
_TRIGGERS = f"""
SELECT c.relname::text, t.tgname::text, t.tgenabled::text, t.tgtype::int, p.proname::text,
       obj_description(t.oid, 'pg_trigger'), {postgresql.CONDITION_MD5}
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE NOT t.tgisinternal AND is_located(c)
   AND c.relname IN ('project_credentials', 'credential_vault_storage')
"""  # noqa: S608 - our own constants
_ROLES = """
SELECT DISTINCT COALESCE(r.rolname::text, 'every role'), COALESCE(d.datname::text, 'every database')
  FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
 WHERE (s.setdatabase = 0 OR d.datname = current_database())
   AND EXISTS (SELECT FROM unnest(s.setconfig) e WHERE e ILIKE 'session_replication_role=replica')
 ORDER BY 1, 2
"""
_OWN_FUNCTIONS = {
    "names": list(postgresql.FUNCTIONS),
    "types": [types.strip("()").replace("pg_catalog.", "") for types in postgresql.FUNCTIONS.values()],
}
"""Of each function of the guard's: its name, and the types of its arguments as the catalogue writes them."""
_SQLITE_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"


def guard_of(profile: Profile) -> postgresql.PostgresqlGuard:
    """The guard's SQL for the tables that a profile found."""
    there = {name: profile.schemas[name] for name in profile.tables}
    return postgresql.PostgresqlGuard(profile.foreign, there)


class Guard:
    """The guard of one database whose profile was found usable.

    Raises ForeignSchemaError where the wallet tables' ids are not UUIDs, and where tables are distributed over nodes.
    """

    def __init__(self, database: Database, profile: Profile) -> None:
        self._database = database
        self._postgresql: postgresql.PostgresqlGuard | None = None
        if database.engine.dialect.name == "sqlite":
            return
        if profile.distributed:
            raise ForeignSchemaError(
                "The tables of this vault are distributed over nodes, where no trigger can guard them.",
                hint="Let one role own the tables, and applications use another one that may not DELETE in them.",
            )
        foreign = self._foreign = profile.foreign
        self._tables = profile.tables
        self._superuser = profile.superuser
        if foreign is not None:
            wrong = [f"{table}.{name}" for table, name in _UUIDS if foreign.columns[table][name].type != "uuid"]
            if wrong:
                raise ForeignSchemaError(f"The guard needs columns of type uuid: {', '.join(wrong)}.")
        self._postgresql = guard_of(profile)

    def script(self, mode: str) -> Script:
        """The SQL that ``install`` runs."""
        return sqlite.install(mode) if self._postgresql is None else self._postgresql.install(mode)

    def install(self, mode: str) -> GuardStatus:
        """Install this version in a mode, in one transaction; again, it repairs what is missing or was changed.

        Waits half a second at a time for the tables' locks, so that no traffic queues up behind it for longer.
        Raises ContentionError where it did not get them.
        """
        self._run(self.script(mode))
        try:
            return self.status()
        except StoreUnavailableError as error:
            raise OutcomeUnknownError("The guard was installed, and then the database could not be reached.") from error

    def remove(self) -> bool:
        """Drop what was installed, in one transaction; False where nothing was."""
        if self.status().state == "absent":
            return False
        self._run(sqlite.remove() if self._postgresql is None else self._postgresql.remove())
        return True

    def scripts_around_move(self, schemas: Mapping[str, str]) -> tuple[Script, Script] | None:
        """What removes the guard before its tables are moved, and installs it around them in ``schemas`` afterwards.

        None where there is no guard, or on SQLite.
        """
        status = self.status()
        if self._postgresql is None or status.state == "absent":
            return None
        after = postgresql.PostgresqlGuard(self._foreign, {name: schemas[name] for name in self._tables})
        return self._postgresql.remove(), after.install(status.mode or ARCHIVE)

    def status(self) -> GuardStatus:
        """Compare every trigger and function with what this version would install."""
        if self._postgresql is None:
            return _sqlite_status(dict(self._database.read(_SQLITE_TRIGGERS, {})))
        mode, functions = self._functions(self._postgresql)
        found = _status(mode, functions, self._triggers(), self._warnings())
        return replace(found, event_triggers=self._event_triggers(self._postgresql, found))

    def _event_triggers(self, expected: postgresql.PostgresqlGuard, found: GuardStatus) -> EventTriggers:
        mode = found.mode or ARCHIVE
        names = list(expected.event_trigger_states({}, mode))
        rows = {name: tuple(row) for name, *row in self._database.read(_EVENT_TRIGGERS, {"names": names})}
        states = expected.event_trigger_states(rows, mode)
        whole = set(states.values()) == {"intact"}
        return EventTriggers(states, None if whole else expected.script_for_superuser(mode), self._superuser)

    def close(self) -> None:
        """Give every connection back to the driver."""
        self._database.close()

    def _run(self, script: Script) -> None:
        def unit(session: Session) -> None:
            for statement in script.statements:
                session.control(statement)
            if session.cursor.rowcount != 1:  # of the last statement, which writes the event
                raise TriggerConflictError("A trigger or rule kept the event out; nothing was changed.")

        for left in reversed(range(_ROUNDS)):
            try:
                return self._database.transact(unit)
            except ContentionError as error:
                if not left:
                    raise ContentionError(
                        "Other transactions held the locks of the wallet tables; nothing was changed.",
                        hint="Run it again, best while no long transaction writes wallets.",
                    ) from error
        raise AssertionError("unreachable")

    def _functions(self, expected: postgresql.PostgresqlGuard) -> tuple[str | None, list[GuardPart]]:
        parameters = {**_OWN_FUNCTIONS, "settings": list(postgresql.SETTINGS)}
        found = {row[0]: row[1:] for row in self._database.read(_FUNCTIONS, parameters)}
        modes = {mode for *_, comment in found.values() if (mode := marked(comment))}
        mode = modes.pop() if len(modes) == 1 else None
        bodies = expected.bodies(mode or ARCHIVE)

        def state(name: str) -> str:
            if name not in found:
                return "missing"
            body, safe, comment = found[name]
            intact = safe and body == bodies[name] and comment == mark(mode or ARCHIVE)
            return "intact" if intact else "altered"

        return mode, [GuardPart("function", "", name, state(name)) for name in postgresql.FUNCTIONS]

    def _triggers(self) -> list[GuardPart]:
        found = {(row[0], row[1]): row[2:] for row in self._database.read(_TRIGGERS, {})}

        def state(key: tuple[str, str]) -> str:
            if key not in found:
                return "missing"
            enabled, kind, function, comment, condition = found[key]
            _, expected, expected_kind = postgresql.TRIGGERS[key]
            when = "" if condition is None else f", when {condition}"
            remembered = [f"{mark(mode)}{when}" for mode in MODES]
            if (kind, function) != (expected_kind, f"strongroom_guard_{expected}") or comment not in remembered:
                return "altered"
            return "intact" if enabled in ("O", "A") else "disabled"

        return [GuardPart("trigger", table, name, state((table, name))) for table, name in postgresql.TRIGGERS]

    def _warnings(self) -> tuple[str, ...]:
        replicas = (
            f"session_replication_role is replica for {role} in {database}: no trigger fires there."
            for role, database in self._database.read(_ROLES, {})
        )
        strangers = (
            f"The role {owner} made {function}, which has the name of a function of the guard's and is not called. "
            f"Look at why, and drop it: DROP FUNCTION {function};"
            for function, owner in self._database.read(_OTHER_FUNCTIONS, _OWN_FUNCTIONS)
        )
        return (*replicas, *strangers)


def _sqlite_status(found: dict[str, Any]) -> GuardStatus:
    modes = {mode for name in sqlite.TRIGGERS if (mode := marked(found.get(name)))}
    mode = modes.pop() if len(modes) == 1 else None
    expected = sqlite.definitions(mode or ARCHIVE)

    def state(name: str) -> str:
        if name not in found:
            return "missing"
        return "intact" if found[name] == expected[name] else "altered"

    parts = [GuardPart("trigger", table, name, state(name)) for name, (table, *_) in sqlite.TRIGGERS.items()]
    return _status(mode, [], parts, ())


def _status(
    mode: str | None, functions: list[GuardPart], triggers: list[GuardPart], warnings: tuple[str, ...]
) -> GuardStatus:
    parts = (*triggers, *functions)
    states = {part.state for part in parts}
    state = "installed" if states == {"intact"} else "absent" if states == {"missing"} else "partly"
    return GuardStatus(state, mode, parts, warnings)
