"""The part of the guard that stands between others' DDL and the vault: event triggers of PostgreSQL.

Only a superuser may create them (on Supabase ``postgres`` may), so what makes them passes over the lack of that right,
and the status says so. Their functions are SECURITY DEFINER: a superuser whose DDL they look at runs nothing of the
vault's role as himself. What was altered is told by the catalogue's own rows: this very transaction wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from strongroom.store import schema
from strongroom.store.catalog.foreign_schema import CREDENTIALS, VAULT, ForeignSchema
from strongroom.store.connection.sql_writer import identifier

EVENTS = {
    "strongroom_guard_drop": "sql_drop",
    "strongroom_guard_rewrite": "table_rewrite",
    "strongroom_guard_alter": "ddl_command_end",
}
"""By function: the event that fires it."""
KEY_COLUMNS: Mapping[str, tuple[str, ...]] = {
    CREDENTIALS: ("id", "project_id", "public_key", "wallet_address", "key_vault_id"),
    VAULT: ("credential_id", "vault_id", "encrypted_private_key"),
    "strongroom_vault_history": ("project_id", "credential_id", "address", "public_key", "text"),
    "strongroom_phrase": ("project_id", "phrase_id", "identifier", "sealed_text"),
    "strongroom_keyring": ("kid", "state"),
    "strongroom_keyring_wrap": ("kid", "root_key", "wrapped", "check_value"),
}
"""The columns without which a key could not be opened, or not be told whose it is."""

_REFUSE = """RAISE EXCEPTION 'strongroom guard: keys could be lost (% of %): refused', tg_tag, lost
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'strongroom_guard',
                  HINT = 'Nothing was changed. If the vault is meant: make a backup of all its tables, then run '
                         'strongroom guard --remove';"""
_DROP = """
DECLARE lost text;
BEGIN
    SELECT min(d.object_identity) INTO lost
      FROM pg_event_trigger_dropped_objects() d
     WHERE NOT d.is_temporary
       AND ((d.object_type = 'schema' AND d.object_name IN ({vault_schemas}))
            OR (d.object_type = 'table' AND (d.address_names[1], d.address_names[2]) IN ({vault_tables}))
            OR (d.object_type = 'table column'
                AND (d.address_names[1], d.address_names[2], d.address_names[3]) IN ({key_columns}))
            OR (d.object_type = 'trigger'
                AND (d.address_names[1], d.address_names[2], d.address_names[3]) IN ({guard_triggers})));
    IF lost IS NOT NULL THEN
        {refuse}
    END IF;
END """
_REWRITE = """
DECLARE lost text;
BEGIN
    SELECT min(format('%I.%I.%I', n.nspname, c.relname, h.attname)) INTO lost
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute h ON h.attrelid = c.oid AND h.attnum > 0
     WHERE c.oid = pg_event_trigger_table_rewrite_oid() AND pg_event_trigger_table_rewrite_reason() & 4 <> 0
       AND (n.nspname, c.relname, h.attname) IN ({key_columns}) AND {own_row};
    IF lost IS NOT NULL THEN
        {refuse}
    END IF;
END """
_ALTER = """
DECLARE lost text;
BEGIN
    IF tg_tag NOT IN ('ALTER TABLE', 'ALTER INDEX', 'ALTER SEQUENCE', 'ALTER VIEW', 'ALTER SCHEMA',
                      'ALTER TRIGGER') THEN
        RETURN;
    END IF;
    SELECT min(part.name) INTO lost FROM (
        SELECT format('%I.%I', v.home, v.relation) AS name
          FROM (VALUES {vault_tables}) AS v (home, relation)
          JOIN pg_event_trigger_ddl_commands() d ON d.classid = 'pg_class'::regclass
          JOIN pg_class c ON c.oid = d.objid
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE (n.nspname, c.relname) NOT IN ({vault_tables}) AND (n.nspname = v.home OR c.relname = v.relation)
           AND NOT EXISTS (SELECT FROM pg_class t JOIN pg_namespace m ON m.oid = t.relnamespace
                            WHERE m.nspname = v.home AND t.relname = v.relation)
        UNION ALL
        SELECT format('%I', s.name)
          FROM unnest(ARRAY[{vault_schemas}]) AS s (name)
          JOIN pg_event_trigger_ddl_commands() d ON d.classid = 'pg_namespace'::regclass
          JOIN pg_namespace n ON n.oid = d.objid
         WHERE n.nspname NOT IN ({vault_schemas}) AND NOT EXISTS (SELECT FROM pg_namespace m WHERE m.nspname = s.name)
        UNION ALL
        SELECT format('%I.%I.%I', k.home, k.relation, k.part)
          FROM (VALUES {key_columns}) AS k (home, relation, part)
          JOIN pg_namespace n ON n.nspname = k.home
          JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = k.relation
          JOIN pg_event_trigger_ddl_commands() d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
         WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = k.part)
        UNION ALL
        SELECT format('%I.%I.%I', n.nspname, c.relname, h.tgname)
          FROM pg_trigger h
          JOIN pg_class c ON c.oid = h.tgrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_proc p ON p.oid = h.tgfoid
         WHERE (n.nspname, c.relname) IN ({vault_tables}) AND p.proname ~ '^strongroom_guard_' AND {own_row}
           AND (h.tgenabled NOT IN ('O', 'A') OR (n.nspname, c.relname, h.tgname) NOT IN ({guard_triggers}))
    ) AS part;
    IF lost IS NOT NULL THEN
        {refuse}
    END IF;
END """
BODIES = {"strongroom_guard_drop": _DROP, "strongroom_guard_rewrite": _REWRITE, "strongroom_guard_alter": _ALTER}

_MAKE = """\
DROP EVENT TRIGGER IF EXISTS {name};
    CREATE EVENT TRIGGER {name} ON {event} EXECUTE FUNCTION {schema}.{function}();
    COMMENT ON EVENT TRIGGER {name} IS '{mark}';"""
_SECOND = """\
CREATE SCHEMA IF NOT EXISTS {schema};
    ALTER SCHEMA {schema} OWNER TO CURRENT_USER;
    REVOKE ALL ON SCHEMA {schema} FROM PUBLIC;
    CREATE OR REPLACE FUNCTION {schema}.{function}() RETURNS pg_catalog.event_trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = off
        AS $drop${body}$drop$;
    ALTER FUNCTION {schema}.{function}() OWNER TO CURRENT_USER;"""
_IF_ALLOWED = """\
DO $guard$ BEGIN
    {statements}
EXCEPTION WHEN insufficient_privilege OR dependent_objects_still_exist THEN NULL;
END $guard$"""
_LONGEST_NAME = 63
_DROPS = "strongroom_guard_drop"


def second_schema(home: str) -> str:
    """Where a second function looks at drops: DROP SCHEMA takes the first one, and its event trigger, with it."""
    return f"{home[: _LONGEST_NAME - len('_guard')]}_guard"


def parts(home: str) -> dict[str, tuple[str, str, str]]:
    """The event triggers by name, which is the database's: of each its event, its function, and that one's schema."""
    made = [(f"{function}_{home}", event, function, home) for function, event in EVENTS.items()]
    made.append((f"{_DROPS}_{second_schema(home)}", EVENTS[_DROPS], _DROPS, second_schema(home)))
    return {name[:_LONGEST_NAME]: (event, function, schema) for name, event, function, schema in made}


def names(
    schemas: Mapping[str, str], foreign: ForeignSchema | None, triggers: Sequence[tuple[str, str]]
) -> dict[str, str]:
    """What the bodies name, as lists of SQL texts: schemas, tables, key columns and triggers of the guard."""
    second = second_schema(schemas[schema.VERSION_TABLE])
    tables = [name for name in (*schema.TABLES, schema.VERSION_TABLE) if name in schemas]
    columns = [
        (name, column)
        for name, of in KEY_COLUMNS.items()
        for column in of
        if name in tables and (foreign is None or name not in (CREDENTIALS, VAULT) or foreign.has(name, column))
    ]
    return {
        "refuse": _REFUSE,
        "vault_schemas": ", ".join(sorted({*(_text(schemas[name]) for name in tables), _text(second)})),
        "vault_tables": _rows([(schemas[name], name) for name in tables]),
        "key_columns": _rows([(schemas[name], name, column) for name, column in columns]),
        "guard_triggers": _rows([(schemas[table], table, trigger) for table, trigger in triggers]),
    }


def script_to_make(home: str, mark: str, bodies: Mapping[str, str]) -> str:
    """The SQL that makes them, for a superuser."""
    second = _SECOND.format(schema=identifier(second_schema(home)), function=_DROPS, body=bodies[_DROPS])
    made = [
        _MAKE.format(name=identifier(name), event=event, schema=identifier(schema), function=function, mark=mark)
        for name, (event, function, schema) in parts(home).items()
    ]
    return "\n    ".join([second, *made])


def statement_to_make(home: str, mark: str, bodies: Mapping[str, str]) -> str:
    """The same as one statement, which does nothing where the role may not."""
    return _IF_ALLOWED.format(statements=script_to_make(home, mark, bodies))


def statements_to_drop(home: str) -> list[str]:
    """Drop them, where the role may."""
    second = identifier(second_schema(home))
    drops = "\n    ".join(f"DROP EVENT TRIGGER IF EXISTS {identifier(name)};" for name in parts(home))
    last = f"DROP FUNCTION IF EXISTS {second}.{_DROPS}();\n    DROP SCHEMA IF EXISTS {second};"
    return [_IF_ALLOWED.format(statements=statements) for statements in (drops, last)]


def _rows(rows: Sequence[tuple[str, ...]]) -> str:
    return ", ".join(f"({', '.join(map(_text, row))})" for row in rows)


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
