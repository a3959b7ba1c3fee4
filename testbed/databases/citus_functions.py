"""Citus's catalogue and functions on a plain PostgreSQL server, as far as ``strongroom distribute`` uses them.

Nothing is distributed: what a step asks for is written down, so that the next run finds it done.
"""

from __future__ import annotations

import re

AS_CITUS = """
SET allow_system_table_mods = on;
INSERT INTO pg_catalog.pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
VALUES (99990, 'citus', 10, 11, false, '13.0');
CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass, partmethod "char", partkey text, repmodel "char",
    colocationid integer DEFAULT 1);
CREATE TABLE pg_catalog.pg_dist_local_group AS SELECT 0 AS groupid;
CREATE TABLE pg_catalog.pg_dist_node AS SELECT 'primary'::text AS noderole, true AS isactive, true AS shouldhaveshards;
CREATE FUNCTION pg_catalog.column_to_column_name(table_name regclass, column_var_text text) RETURNS text LANGUAGE sql
AS $$ SELECT $2 $$;
CREATE FUNCTION pg_catalog.create_reference_table(table_name regclass) RETURNS void LANGUAGE sql
AS $$ INSERT INTO pg_catalog.pg_dist_partition VALUES ($1, 'n', NULL, 't', 2) $$;
CREATE FUNCTION pg_catalog.create_distributed_table(
    table_name regclass, distribution_column text, distribution_type text DEFAULT 'hash',
    colocate_with text DEFAULT 'default') RETURNS void LANGUAGE plpgsql
AS $$ BEGIN
    IF EXISTS (SELECT FROM pg_constraint WHERE conrelid = $1 AND contype = 'c' AND NOT convalidated) THEN
        RAISE EXCEPTION 'a node checks this constraint';
    END IF;
    INSERT INTO pg_catalog.pg_dist_partition VALUES ($1, 'h', $2, 's');
END $$;
CREATE FUNCTION pg_catalog.truncate_local_data_after_distributing_table(function_name regclass)
RETURNS void LANGUAGE sql AS $$ SELECT $$;
CREATE TABLE pg_catalog.pg_dist_object (classid oid, objid oid, distribution_argument_index integer);
GRANT SELECT ON pg_catalog.pg_dist_object, pg_catalog.pg_dist_partition TO PUBLIC;
CREATE FUNCTION pg_catalog.create_distributed_function(
    function_name regprocedure, distribution_arg_name text DEFAULT NULL, colocate_with text DEFAULT 'default')
RETURNS void LANGUAGE sql
AS $$ INSERT INTO pg_catalog.pg_dist_object VALUES ('pg_catalog.pg_proc'::regclass, $1, 0) $$;
CREATE FUNCTION pg_catalog.run_command_on_workers(
    command text, parallel boolean DEFAULT true,
    OUT nodename text, OUT nodeport integer, OUT success boolean, OUT result text) RETURNS SETOF record LANGUAGE plpgsql
AS $$ BEGIN
    EXECUTE command INTO result;
    RETURN QUERY SELECT 'node'::text, 5432, true, NULL::text;
END $$;
"""
"""What CREATE EXTENSION citus makes: names and types of arguments are those of Citus."""
CHECKS = """
SELECT c.relname::text, k.conname::text, k.contype::text, k.convalidated, pg_get_constraintdef(k.oid)
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'strongroom' AND c.relkind = 'r' AND c.relname !~ '_[0-9]+$' AND k.contype = 'c' ORDER BY 1, 2
"""
"""The CHECK constraints of a vault's tables, and whether they are NOT VALID; without those of shards."""
STATEMENT = re.compile(r"(?:\$strongroom\$.*?\$strongroom\$|[^;])+;\n", re.DOTALL)
"""A statement of what ``distribute --print`` prints, to its end; the body of a function has semicolons, too."""
