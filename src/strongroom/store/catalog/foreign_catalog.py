"""What the catalogue is asked about legacy wallet tables. PostgreSQL only."""

from __future__ import annotations

_USED = """
SELECT d.classid AS user_class, d.objid AS user_id, ARRAY[o.oprname::text, n.nspname::text] AS part
  FROM pg_depend d JOIN pg_operator o ON o.oid = d.refobjid JOIN pg_namespace n ON n.oid = o.oprnamespace
 WHERE d.refclassid = 'pg_catalog.pg_operator'::regclass
UNION ALL
SELECT d.classid, d.objid, ARRAY[p.proname::text, n.nspname::text]
  FROM pg_depend d JOIN pg_proc p ON p.oid = d.refobjid JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE d.refclassid = 'pg_catalog.pg_proc'::regclass
UNION ALL
SELECT d.classid, d.objid, ARRAY[t.typname::text, n.nspname::text]
  FROM pg_depend d JOIN pg_type t ON t.oid = d.refobjid JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE d.refclassid = 'pg_catalog.pg_type'::regclass
"""
"""The operators, functions and types that are not PostgreSQL's own, and what uses them."""
_BASE = """
WITH RECURSIVE over_ AS (
    SELECT t.oid, t.typbasetype
    UNION ALL SELECT y.oid, y.typbasetype FROM over_ o JOIN pg_type y ON y.oid = o.typbasetype WHERE o.typbasetype <> 0)
SELECT o.oid FROM over_ o WHERE o.typbasetype = 0
"""
"""The type that a column's is over, if it is a domain; else itself."""
COLUMNS = f"""
SELECT c.relname::text, a.attname::text,
       CASE WHEN n.nspname = 'pg_catalog' THEN regexp_replace(format_type(a.atttypid, NULL), '^pg_catalog\\.', '')
            ELSE format('%%I.%%I', n.nspname, t.typname) END,
       CASE WHEN a.atttypid IN ('pg_catalog.varchar'::regtype, 'pg_catalog.bpchar'::regtype) AND a.atttypmod > 4
            THEN a.atttypmod - 4 END,
       pg_get_expr(d.adbin, d.adrelid), a.attgenerated <> '',
       ARRAY(SELECT u.part FROM ({_USED}) u
              WHERE u.user_class = 'pg_catalog.pg_attrdef'::regclass AND u.user_id = d.oid),
       CASE WHEN bn.nspname = 'pg_catalog' THEN regexp_replace(format_type(b.oid, NULL), '^pg_catalog\\.', '')
            ELSE format('%%I.%%I', bn.nspname, b.typname) END,
       b.typcategory::text,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = b.oid ORDER BY e.enumsortorder),
       a.attnotnull OR t.typnotnull, a.attidentity::text
  FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_namespace n ON n.oid = t.typnamespace
  JOIN LATERAL ({_BASE}) f ON true
  JOIN pg_type b ON b.oid = f.oid
  JOIN pg_namespace bn ON bn.oid = b.typnamespace
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE is_located(c) AND c.relkind IN ('r', 'p') AND c.relname = ANY(%(names)s)
"""  # noqa: S608 - constants
CHECKS = f"""
SELECT c.relname::text, k.conname::text, pg_get_expr(k.conbin, k.conrelid),
       ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY(k.conkey)),
       k.convalidated,
       ARRAY(SELECT u.part FROM ({_USED}) u
              WHERE u.user_class = 'pg_catalog.pg_constraint'::regclass AND u.user_id = k.oid)
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
 WHERE k.contype = 'c' AND is_located(c) AND c.relname = ANY(%(names)s)
 ORDER BY 1, 2
"""  # noqa: S608 - constants
UNIQUE = """
SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
 WHERE i.indisunique AND i.indpred IS NULL AND i.indnkeyatts = 1 AND is_located(c)
   AND c.relname = 'credential_vault_storage'
   AND i.indkey[0] = (SELECT attnum FROM pg_attribute WHERE attrelid = c.oid AND attname = 'credential_id')
"""
TRIGGERS = """
SELECT c.relname::text, t.tgname::text, p.proname::text, p.prosrc ILIKE '%%credential_vault_storage%%',
       (t.tgtype::int & 7) = 7
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND is_located(c) AND c.relname = ANY(%(names)s)
   AND p.proname NOT LIKE 'strongroom\\_guard\\_%%'
 ORDER BY 1, 2
"""
