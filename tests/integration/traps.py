"""A role that may CREATE in a schema of the search path, and what it puts there: a better match for everything.

Each trap says that it was run by a warning in the server's log, which a rollback does not take back. A trap that was
only looked up is found too: PostgreSQL says of a function's body, written in SQL, what it depends on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import psycopg

from testbed.servers.postgres import PostgresServer

ROLE = "mallory"
SPRUNG = "TRAP SPRUNG"
FIRST = "pg_catalog first"
LAST = "pg_catalog last"
PATHS = {FIRST: "", LAST: "&options=-csearch_path%3Dpublic%2Cpg_catalog"}
"""By name: what a URL says of the search path."""

_ROLE = f"""
DO $$ BEGIN CREATE ROLE {ROLE} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
"""
_GRANT = f"GRANT CREATE, USAGE ON SCHEMA public TO {ROLE}"
_TRAPS = rf"""
CREATE FUNCTION public.sprung(what pg_catalog.text) RETURNS pg_catalog.bool LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $trap$ BEGIN RAISE WARNING '{SPRUNG}: %', what; RETURN true; END $trap$;
DO $trap$
DECLARE
    each record;
    pair text[];
    made int := 0;
BEGIN
    -- Every function of PostgreSQL's, aggregates too, with the same arguments.
    FOR each IN
        SELECT p.proname, p.prokind, pg_get_function_identity_arguments(p.oid) AS arguments,
               array_to_string(ARRAY(SELECT format_type(a, NULL) FROM unnest(p.proargtypes) a), ', ') AS types,
               format_type(p.prorettype, NULL) AS result
          FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind IN ('f', 'a')
           AND NOT p.proretset
           AND p.prorettype <> ALL ('{{internal,trigger,event_trigger,language_handler,fdw_handler,index_am_handler,
               tsm_handler,table_am_handler,cstring,void}}'::regtype[])
           AND NOT p.proargtypes::oid[] && '{{internal,cstring}}'::regtype[]::oid[]
           AND p.proname !~ '(in|out|send|recv|sel|support|eq|ne|lt|le|gt|ge|cmp|larger|smaller)$'
           AND p.proname !~ '^(RI_|bt|hash|gist|gin|brin|spg|network|int[248]|float[48]|numeric_|interval_|time|date_)'
    LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s '
                'LANGUAGE plpgsql SET search_path = pg_catalog AS %L', each.proname, each.types, each.result,
                format('BEGIN PERFORM public.sprung(%L); RETURN NULL; END', 'function ' || each.proname));
            made := made + 1;
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    IF made < 800 THEN RAISE EXCEPTION 'only % functions', made; END IF;
    -- Every operator of PostgreSQL's between its own types, and those between varchars, which it does not have.
    FOR each IN
        SELECT o.oprname, format_type(o.oprleft, NULL) AS one, format_type(o.oprright, NULL) AS other,
               format_type(o.oprresult, NULL) AS result
          FROM pg_operator o
         WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprkind = 'b'
           AND o.oprname IN ('=', '<>', '<', '>', '<=', '>=', '~~', '!~~', '~~*', '~', '!~', '||', '->', '->>', '#>>',
                             '#-', '@>', '&&', '+', '-', '*', '/', '&')
        UNION ALL
        SELECT o.name, p.one, p.other, CASE o.name WHEN '||' THEN 'text' ELSE 'boolean' END
          FROM unnest(ARRAY['=', '<>', '<', '>', '<=', '>=', '~~', '!~~', '~', '||']) AS o (name)
          CROSS JOIN (VALUES ('varchar', 'varchar'), ('varchar', 'text'), ('text', 'varchar'), ('name', 'varchar'),
                             ('varchar', 'name'), ('"char"', 'text'), ('text', 'uuid'), ('varchar', 'uuid'),
                             ('regclass', 'oid'), ('oid', 'regclass'), ('name', 'unknown')) AS p (one, other)
         WHERE p.other <> 'unknown'
    LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION public.%I(%s, %s) RETURNS %s '
                'LANGUAGE plpgsql SET search_path = pg_catalog AS %L',
                'operator ' || each.oprname, each.one, each.other, each.result,
                format('BEGIN PERFORM public.sprung(%L); RETURN NULL; END',
                       format('operator %s (%s, %s)', each.oprname, each.one, each.other)));
            EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.%I)',
                each.oprname, each.one, each.other, 'operator ' || each.oprname);
        EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'no operator % (%, %): %', each.oprname, each.one, each.other, SQLERRM;
        END;
    END LOOP;
    -- Types: a domain's CHECK runs wherever a value is cast to it.
    FOREACH pair SLICE 1 IN ARRAY ARRAY[['text'], ['uuid'], ['jsonb'], ['timestamptz'], ['name'], ['regclass'],
        ['int4'], ['bool'], ['bytea'], ['regtype'], ['oid'], ['json'], ['void'], ['record']]
    LOOP
        BEGIN
            EXECUTE format('CREATE DOMAIN public.%I AS pg_catalog.%I CHECK (public.sprung(%L))', pair[1], pair[1],
                'type ' || pair[1]);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    -- The catalogue.
    FOR each IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v')
                   AND has_table_privilege(oid, 'SELECT')
    LOOP
        BEGIN
            EXECUTE format('CREATE VIEW public.%I AS SELECT * FROM pg_catalog.%I WHERE public.sprung(%L)', each.relname,
                each.relname, 'table ' || each.relname);
            EXECUTE format('GRANT SELECT ON public.%I TO PUBLIC', each.relname);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
END $trap$;
"""
_PARAMETER = re.compile(r"%\(\w+\)[sbt]")
_USED = """
SELECT DISTINCT pg_describe_object(d.refclassid, d.refobjid, 0)
  FROM pg_depend d
  LEFT JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
  LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
  LEFT JOIN pg_type t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid
  LEFT JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid
 WHERE d.classid = 'pg_proc'::regclass AND d.objid = 'public.probe'::regproc
   AND COALESCE(p.proowner, o.oprowner, t.typowner, c.relowner) = 'mallory'::regrole
"""


def make_traps(server: PostgresServer, url: str) -> None:
    """Let a role that may CREATE in public, and nothing else, put a trap there for everything."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_ROLE)
        connection.execute(_GRANT)
    with psycopg.connect(f"{url}&options=-csearch_path%3Dpg_catalog".replace("postgres@", f"{ROLE}@")) as connection:
        connection.execute(_TRAPS)


def traps_used(url: str, statements: Iterable[str]) -> dict[str, list[str]]:
    """What of the role's each statement would use, as the server itself resolves it; parameters are NULL."""
    found: dict[str, list[str]] = {}
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:  # another probe each time
        for statement in statements:
            body = _PARAMETER.sub("NULL", statement).replace("%%", "%")
            # What the statement itself returns does not matter: it is not the last one.
            function = f"CREATE FUNCTION public.probe() RETURNS pg_catalog.void LANGUAGE sql BEGIN ATOMIC {body}; "
            connection.execute("BEGIN")
            connection.execute(f"{function}SELECT NULL::pg_catalog.void; END".encode())
            connection.execute("SET LOCAL search_path = pg_catalog")
            if used := sorted(row[0] for row in connection.execute(_USED.encode()).fetchall()):
                found[statement] = used
            connection.execute("ROLLBACK")
    return found


def sprung(server: PostgresServer, start: int) -> Iterable[str]:
    """What the log says since ``start`` of traps that were run."""
    return sorted(set(re.findall(rf"{SPRUNG}: (.*)", server.read_log()[start:])))
