"""The guard's SQL on PostgreSQL, built from the columns that the wallet tables have.

What the legacy application writes is looked at when its statement is done (AFTER), so that what the same statement
put into the history is there by then. A credential is looked at before it is deleted (BEFORE): a cascade deletes its
vault records when its own row is gone. SECURITY DEFINER: the legacy application needs no new rights.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from strongroom.records.vault_texts import SEALED_PREFIX
from strongroom.store.catalog.foreign_schema import CREDENTIALS, VAULT, ForeignSchema
from strongroom.store.connection.qualified import identifier, qualified
from strongroom.store.guard import event_triggers
from strongroom.store.guard.functions import CREDENTIAL, KEEP, OWN_ROW, RECORD, REFUSE_OR_KEEP, TRUNCATE, TRUNCATE_MODES
from strongroom.store.guard.names import INSTALLED, REMOVED, WORDS, Script, fill, mark

_ARGUMENTS = (
    "(wallet {uuid}, project {uuid}, chain {text}, label_ {text}, address_ {text}, public_ {text}, vault {text}, "
    "key {text}, why {text})"
).format(uuid="pg_catalog.uuid", text="pg_catalog.text")
FUNCTIONS = {
    "strongroom_guard_keep": re.sub(r"\b\w+ (?=pg_catalog)", "", _ARGUMENTS),
    "strongroom_guard_record": "()",
    "strongroom_guard_credential": "()",
    "strongroom_guard_truncate": "()",
    **dict.fromkeys(event_triggers.EVENTS, "()"),
}
"""By name: the types of its arguments, as a list in parentheses."""
_BODIES = {
    "strongroom_guard_keep": KEEP,
    "strongroom_guard_record": RECORD,
    "strongroom_guard_credential": CREDENTIAL,
    "strongroom_guard_truncate": TRUNCATE,
    **event_triggers.BODIES,
}
_RETURNS = {"strongroom_guard_keep": "void", **dict.fromkeys(event_triggers.EVENTS, "event_trigger")}
SETTINGS = ("search_path=pg_catalog, pg_temp", "row_security=off")

_ROW, _BEFORE, _DELETE, _UPDATE, _TRUNCATE = 1, 2, 8, 16, 32
TRIGGERS = {
    (VAULT, "strongroom_guard_update"): ("AFTER UPDATE", "record", _ROW | _UPDATE),
    (VAULT, "strongroom_guard_delete"): ("AFTER DELETE", "record", _ROW | _DELETE),
    (VAULT, "strongroom_guard_truncate"): ("BEFORE TRUNCATE", "truncate", _BEFORE | _TRUNCATE),
    (CREDENTIALS, "strongroom_guard_id"): ("BEFORE UPDATE", "credential", _ROW | _BEFORE | _UPDATE),
    (CREDENTIALS, "strongroom_guard_update"): ("AFTER UPDATE", "credential", _ROW | _UPDATE),
    (CREDENTIALS, "strongroom_guard_delete"): ("BEFORE DELETE", "credential", _ROW | _BEFORE | _DELETE),
    (CREDENTIALS, "strongroom_guard_truncate"): ("BEFORE TRUNCATE", "truncate", _BEFORE | _TRUNCATE),
}
"""By table and name: when each trigger fires, the function it runs, and how the catalogue says both in bits."""

_LOCK = """\
DO $guard$ BEGIN
    PERFORM pg_catalog.set_config('lock_timeout', '500ms', true);
    LOCK TABLE {credentials}, {vault} IN {lock} MODE;
END $guard$"""
_FUNCTION = """\
CREATE OR REPLACE FUNCTION {schema}.{function}{arguments} RETURNS {returns}
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = off
    AS $guard${body}$guard$"""
_OWNED = "ALTER FUNCTION {schema}.{function}{types} OWNER TO CURRENT_USER"
_COMMENT = "COMMENT ON FUNCTION {schema}.{function}{types} IS '{mark}'"
_REVOKE = """\
DO $guard$
DECLARE other pg_catalog.record;
BEGIN
    FOR other IN
        SELECT p.oid::pg_catalog.regprocedure AS function, a.grantee
          FROM pg_catalog.pg_proc p,
               pg_catalog.aclexplode(COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
         WHERE p.pronamespace OPERATOR(pg_catalog.=) {schema_text}::pg_catalog.regnamespace
           AND p.proname OPERATOR(pg_catalog.=) ANY (ARRAY[{functions}])
           AND a.grantee OPERATOR(pg_catalog.<>) p.proowner
    LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM %s', other.function,
            CASE WHEN other.grantee OPERATOR(pg_catalog.=) 0 THEN 'PUBLIC'
                 ELSE other.grantee::pg_catalog.regrole::pg_catalog.text END);
    END LOOP;
END $guard$"""
_TRIGGER = """\
CREATE OR REPLACE TRIGGER {name} {moment} ON {table}
    {rows}EXECUTE FUNCTION {schema}.{function}()"""
_ENABLE = "ALTER TABLE {table} ENABLE TRIGGER {name}"
CONDITION_MD5 = (
    "pg_catalog.md5(pg_catalog.substring(pg_catalog.pg_get_triggerdef(t.oid), ' WHEN (.*) EXECUTE FUNCTION '))"
)
"""A trigger's condition as the server writes it. The comment on the trigger remembers the one that was installed."""
_REMEMBER = """\
DO $guard$
DECLARE part pg_catalog.record;
BEGIN
    FOR part IN
        SELECT t.tgname, t.tgrelid::pg_catalog.regclass AS name, {condition} AS condition
          FROM pg_catalog.pg_trigger t
         WHERE t.tgrelid OPERATOR(pg_catalog.=) ANY (ARRAY[{credentials_text}::pg_catalog.regclass,
                                                           {vault_text}::pg_catalog.regclass])
           AND t.tgname OPERATOR(pg_catalog.~~) 'strongroom\\_guard\\_%'
    LOOP
        EXECUTE pg_catalog.format('COMMENT ON TRIGGER %I ON %s IS %L', part.tgname, part.name,
            pg_catalog.concat('{mark}', ', when ' OPERATOR(pg_catalog.||) part.condition));
    END LOOP;
END $guard$"""
_EVENT = """\
INSERT INTO {events} (id, event, details, created_at)
VALUES (pg_catalog.gen_random_uuid(), '{event}', '{details}', pg_catalog.clock_timestamp())"""


class PostgresqlGuard:
    """The guard's SQL for one database: its columns, and the schema that each of its tables is in."""

    def __init__(self, foreign: ForeignSchema | None, schemas: Mapping[str, str]) -> None:
        self._foreign = foreign
        tables = {
            "credentials": CREDENTIALS,
            "vault": VAULT,
            "slot": "strongroom_slot",
            "history": "strongroom_vault_history",
            "events": "strongroom_events",
        }
        names = {name: f"{identifier(schemas[table])}.{table}" for name, table in tables.items()}
        names["schema"] = identifier(schemas["strongroom_vault_history"])
        self._names = {
            **names,
            **{f"{name}_text": "'" + text.replace("'", "''") + "'" for name, text in names.items()},
            "nobody": "'00000000-0000-0000-0000-000000000000'::uuid",
            "sealed_prefix": SEALED_PREFIX,
            "sealed_prefix_length": str(len(SEALED_PREFIX)),
            "guarded": _guarded("v"),
            "key_of_v": _key("v"),
            "key_of_old": _key("OLD"),
            "key_of_new": _key("NEW"),
            "network": self._network("c"),
            "network_of_old": self._network("OLD"),
            "label": self._label("c"),
            "label_of_old": self._label("OLD"),
            "address": _address("c"),
            "address_of_old": _address("OLD"),
            "record_project": "OLD.project_id, " if self._has(VAULT, "project_id") else "",
            "vault_project": "v.project_id, " if self._has(VAULT, "project_id") else "",
            "condition": CONDITION_MD5,
            "own_row": OWN_ROW,
            **event_triggers.names(schemas, foreign, list(TRIGGERS)),
        }
        self._home = schemas["strongroom_vault_history"]

    def _has(self, table: str, column: str) -> bool:
        return self._foreign is None or self._foreign.has(table, column)

    def _network(self, row: str) -> str:
        """The network that the slot says, else the row's columns; as long as the history takes it."""
        parts = ["s.network"]
        if self._has(CREDENTIALS, "network"):
            parts.append(f"NULLIF({row}.network::text, '')")
        if self._has(CREDENTIALS, "credential_type"):
            parts.append(f"replace(split_part({row}.credential_type::text, '_wallet', 1), '.', ':')")
        return f"left(COALESCE({', '.join(parts)}, ''), 64)"

    def _label(self, row: str) -> str:
        if not self._has(CREDENTIALS, "credential_type"):
            return "COALESCE(s.label, 'default')"
        form = "^(?:[a-z0-9-]+|[a-z]+[.][A-Za-z0-9._-]+)_wallet:([a-z0-9._-]{1,64})$"
        own = f"substring({row}.credential_type::text FROM '{form}')"
        return f"COALESCE(s.label, {own}, 'default')"

    def _conditions(self) -> dict[tuple[str, str], str]:
        """What a trigger looks for: a key that is no placeholder, or an identity, that changes."""
        record = [_changes(_key), _changes("{}.credential_id".format)]
        if self._has(VAULT, "project_id"):
            record.append(_changes("{}.project_id".format))
        identity = [
            _changes("{}.id".format),
            _changes("{}.project_id".format),
            _changes('{}.public_key::text COLLATE pg_catalog."C"'.format),
            _changes(lambda row: f'{_address(row)} COLLATE pg_catalog."C"'),
        ]
        if self._foreign is None:  # elsewhere the slot says it, and the column is a default as often as a fact
            identity.append(_changes("{}.network".format))
        return {
            (VAULT, "strongroom_guard_update"): f"{_guarded('OLD')} AND ({' OR '.join(record)})",
            (VAULT, "strongroom_guard_delete"): _guarded("OLD"),
            (CREDENTIALS, "strongroom_guard_id"): identity[0],
            (CREDENTIALS, "strongroom_guard_update"): " OR ".join(identity),
        }

    def bodies(self, mode: str) -> dict[str, str]:
        """The body of each function."""
        names = {**self._names, "refuse_or_keep": REFUSE_OR_KEEP[mode], "truncate_or_keep": TRUNCATE_MODES[mode]}
        return {name: fill(body, names) for name, body in _BODIES.items()}

    def install(self, mode: str) -> Script:
        """Make what is missing, and bring what is there to this version and mode."""
        statements = [self._fill(_LOCK, lock="SHARE ROW EXCLUSIVE")]
        for name, body in self.bodies(mode).items():
            values = {"function": name, "types": FUNCTIONS[name], "mark": mark(mode)}
            keeps = name == "strongroom_guard_keep"
            made = {
                "arguments": _ARGUMENTS if keeps else "()",
                "returns": f"pg_catalog.{_RETURNS.get(name, 'trigger')}",
            }
            statements.append(self._fill(_FUNCTION, **values, **made, body=body))
            statements += [self._fill(_OWNED, **values), self._fill(_COMMENT, **values)]
        functions = ", ".join(f"'{name}'" for name in FUNCTIONS)
        statements.append(self._fill(_REVOKE, functions=functions))
        conditions = self._conditions()
        for (table, name), (moment, function, _) in TRIGGERS.items():
            condition = conditions.get((table, name))
            rows = "FOR EACH STATEMENT " if function == "truncate" else "FOR EACH ROW "
            rows += f"WHEN ({condition})\n    " if condition else ""
            values = {"name": name, "table": f"{{{_SHORT[table]}}}", "function": f"strongroom_guard_{function}"}
            statements.append(self._fill(_TRIGGER, moment=moment, rows=rows, **values))
            statements.append(self._fill(_ENABLE, **values))
        statements.append(self._fill(_REMEMBER, mark=mark(mode)))
        statements.append(event_triggers.statement_to_make(self._home, mark(mode), self.bodies(mode)))
        statements.append(self._fill(_EVENT, event=INSTALLED, details=f'{{"mode": "{mode}"}}'))
        return Script(tuple(map(qualified, statements)))

    def event_trigger_states(self, found: Mapping[str, tuple[str, ...]], mode: str) -> dict[str, str]:
        """The state of each event trigger. Of those that are there by name: the event, whether it is enabled, and the
        schema, the name and the body of the function."""
        bodies = self.bodies(mode)

        def state(name: str, event: str, function: str, schema: str) -> str:
            if name not in found:
                return "missing"
            its_event, enabled, *runs = found[name]
            if (its_event, *runs) != (event, schema, function, bodies[function]):
                return "altered"
            return "intact" if enabled in ("O", "A") else "disabled"

        return {name: state(name, *part) for name, part in event_triggers.parts(self._home).items()}

    def script_for_superuser(self, mode: str) -> str:
        """The SQL that makes the event triggers."""
        return event_triggers.script_to_make(self._home, mark(mode), self.bodies(mode))

    def remove(self) -> Script:
        """Drop exactly what ``install`` makes."""
        statements = [self._fill(_LOCK, lock="ACCESS EXCLUSIVE"), *event_triggers.statements_to_drop(self._home)]
        statements += [
            self._fill("DROP TRIGGER IF EXISTS {name} ON {table}", name=name, table=f"{{{_SHORT[table]}}}")
            for table, name in TRIGGERS
        ]
        statements += [
            self._fill("DROP FUNCTION IF EXISTS {schema}.{function}{types}", function=name, types=types)
            for name, types in reversed(FUNCTIONS.items())
        ]
        statements.append(self._fill(_EVENT, event=REMOVED, details="{}"))
        return Script(tuple(map(qualified, statements)))

    def _fill(self, sql: str, **values: str) -> str:
        return fill(sql, {**self._names, **values})


_SHORT = {CREDENTIALS: "credentials", VAULT: "vault"}


def _key(row: str) -> str:
    """A row's key as text that is compared byte for byte, whatever the column's type and collation."""
    return f'{row}.encrypted_private_key::text COLLATE pg_catalog."C"'


def _guarded(row: str) -> str:
    """That a row's key is no placeholder."""
    return f"{row}.encrypted_private_key IS NOT NULL AND {_key(row)} NOT IN ({WORDS})"


def _changes(written: Callable[[str], str]) -> str:
    """That OLD and NEW differ in what ``written`` writes of a row."""
    old, new = written("OLD"), written("NEW")
    return f"(({old} = {new}) IS NOT TRUE AND NOT ({old} IS NULL AND {new} IS NULL))"


def _address(row: str) -> str:
    return f"COALESCE(NULLIF({row}.wallet_address::text, ''), {row}.public_key::text, '')"
