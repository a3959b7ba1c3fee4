"""What stands in the way of distributing a vault's tables over nodes: read before anything is changed.

Each question was asked of Citus 13.2: what it refuses, what it would take and not keep (``tests/citus`` has them).
Names are those of the catalogue; rows are counted, and never shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from strongroom.store import schema
from strongroom.store.catalog.sharding import SAME_EVERYWHERE, TENANTS
from strongroom.store.connection.database import CatalogueReader
from strongroom.store.write_conditions import LATER_CHECKS

_SHOWN = 10
_FIRST_OF_USERS = 16384
"""The first number of an object that initdb did not make."""


class Obstacle(NamedTuple):
    """One kind of obstacle."""

    what: str
    """The beginning of a sentence that the names end."""
    names: tuple[str, ...]
    hint: str
    """What to do, in one sentence."""

    def __str__(self) -> str:
        rest = len(self.names) - _SHOWN
        more = f" and {rest} more" if rest > 0 else ""
        return f"{self.what}: {', '.join(self.names[:_SHOWN])}{more}."


class _Question(NamedTuple):
    what: str
    sql: str
    hint: str


_PENDING = "is_located(c) AND c.relname = ANY(%(pending)s)"
_QUESTIONS = (
    _Question(
        "Distributed tables have no triggers, and there are",
        f"""
SELECT t.tgname::text || ' on ' || c.relname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE NOT t.tgisinternal AND {_PENDING} ORDER BY 1
""",  # noqa: S608 - constants
        "`strongroom guard --remove` drops the guard's triggers; drop the others.",
    ),
    _Question(
        "Foreign keys that are not strongroom's hold these tables in place",
        """
SELECT k.conname::text || ' of ' || c.relname::text
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid
 WHERE k.contype = 'f' AND k.conparentid = 0
   AND ((is_located(c) AND c.relname = ANY(%(pending)s)) OR (is_located(r) AND r.relname = ANY(%(pending)s)))
   AND NOT (is_located(c) AND k.conname = ANY(%(references)s))
 ORDER BY 1
""",
        "Drop these foreign keys. Make them anew afterwards: with project_id between tables that are distributed by "
        "project, else to or from one that is the same on every node (`create_reference_table`).",
    ),
    _Question(
        "Constraints and indexes are unique across projects, which no node can check",
        f"""
SELECT x.relname::text || ' on ' || c.relname::text
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
  LEFT JOIN pg_constraint e ON e.conindid = i.indexrelid AND e.contype = 'x'
 WHERE (i.indisunique OR i.indisexclusion) AND {_PENDING} AND c.relname = ANY(%(tenants)s)
   AND x.relname <> ALL(%(keys)s)
   AND NOT EXISTS (SELECT 1 FROM generate_series(1, i.indnkeyatts::integer) k
                     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[k - 1]
                     LEFT JOIN pg_operator o ON o.oid = e.conexclop[k]
                    WHERE a.attname = 'project_id' AND (e.oid IS NULL OR o.oprname = '='))
 ORDER BY 1
""",  # noqa: S608
        "Drop them, or make them anew with project_id among their columns (in an exclusion with the operator =).",
    ),
    _Question(
        "These depend on keys that are made anew",
        f"""
SELECT DISTINCT coalesce(CASE WHEN v.relkind = 'm' THEN 'materialized view ' ELSE 'view ' END || h.nspname::text
                || '.' || v.relname::text, y.type || ' ' || y.identity)
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_depend d ON d.deptype = 'n' AND d.classid <> 'pg_catalog.pg_constraint'::regclass
   AND ((d.refclassid = 'pg_catalog.pg_constraint'::regclass AND d.refobjid = k.oid)
        OR (d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = k.conindid))
  LEFT JOIN pg_rewrite w ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = d.objid
  LEFT JOIN pg_class v ON v.oid = w.ev_class LEFT JOIN pg_namespace h ON h.oid = v.relnamespace
 CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) y
 WHERE {_PENDING} AND k.conname = ANY(%(dropped)s) ORDER BY 1
""",  # noqa: S608
        "Drop them; make them anew afterwards, with project_id in their GROUP BY where they have one.",
    ),
    _Question(
        "Keys that are made anew are the replica identity of these tables",
        f"""
SELECT c.relname::text FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_index i ON i.indexrelid = k.conindid
 WHERE i.indisreplident AND {_PENDING} AND k.conname = ANY(%(dropped)s) ORDER BY 1
""",  # noqa: S608
        "`ALTER TABLE ... REPLICA IDENTITY DEFAULT` takes the primary key.",
    ),
    _Question(
        "Tables that inherit, or are inherited from, and partitions",
        f"""
SELECT DISTINCT c.relname::text FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid OR i.inhparent = c.oid
 WHERE {_PENDING} AND (i.inhrelid IS NOT NULL OR c.relkind <> 'r') ORDER BY 1
""",  # noqa: S608
        "End the inheritance (`ALTER TABLE ... NO INHERIT ...`); the rows of partitions have to be in a plain table.",
    ),
    _Question(
        "Policies with subqueries",
        f"""
SELECT p.polname::text || ' on ' || c.relname::text FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
 WHERE (p.polqual::text LIKE '%%{{SUBLINK%%' OR p.polwithcheck::text LIKE '%%{{SUBLINK%%') AND {_PENDING} ORDER BY 1
""",  # noqa: S608
        "Drop these policies, or write them without a subquery.",
    ),
    _Question(
        "Constraints that rows may violate (NOT VALID), which nodes check",
        f"""
SELECT k.conname::text || ' on ' || c.relname::text FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
 WHERE k.contype IN ('c', 'f') AND NOT k.convalidated AND k.conname <> ALL(%(later)s)
   AND NOT (k.contype = 'f' AND k.conname = ANY(%(references)s)) AND {_PENDING} ORDER BY 1
""",  # noqa: S608
        "`ALTER TABLE ... VALIDATE CONSTRAINT ...` them, or drop them.",
    ),
    _Question(
        "These have no counterpart on nodes, and tables need them",
        f"""
WITH RECURSIVE needed (classid, objid) AS (
    SELECT d.refclassid, d.refobjid FROM pg_class c
      JOIN pg_depend d ON (d.classid = 'pg_catalog.pg_class'::regclass AND (d.objid = c.oid OR EXISTS (
               SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indexrelid = d.objid)))
        OR (d.classid = 'pg_catalog.pg_constraint'::regclass AND EXISTS (
               SELECT 1 FROM pg_constraint k WHERE k.conrelid = c.oid AND k.oid = d.objid))
     WHERE {_PENDING}
     UNION
    SELECT d.refclassid, d.refobjid FROM needed n JOIN pg_depend d ON d.classid = n.classid AND d.objid = n.objid
     WHERE n.classid = 'pg_catalog.pg_type'::regclass)
SELECT y.type || ' ' || y.identity FROM needed n
  LEFT JOIN pg_type t ON n.classid = 'pg_catalog.pg_type'::regclass AND t.oid = n.objid
 CROSS JOIN LATERAL pg_identify_object(n.classid, n.objid, 0) y
 WHERE n.objid >= {_FIRST_OF_USERS}
   AND (n.classid IN ('pg_catalog.pg_operator'::regclass, 'pg_catalog.pg_opclass'::regclass)
        OR t.typtype IN ('r', 'm') OR (t.typtype = 'b' AND t.typelem = 0))
   AND NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = n.classid AND e.objid = n.objid AND e.deptype = 'e')
 ORDER BY 1
""",  # noqa: S608
        "Drop what uses them (a column, an index or a constraint), or use what PostgreSQL or an extension has.",
    ),
    _Question(
        "Sequences give columns of several types their defaults",
        f"""
SELECT DISTINCT h.nspname::text || '.' || s.relname::text
  FROM pg_class c JOIN pg_attrdef f ON f.adrelid = c.oid
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.adnum
  JOIN pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = f.oid
   AND d.refclassid = 'pg_catalog.pg_class'::regclass
  JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S' JOIN pg_namespace h ON h.oid = s.relnamespace
 WHERE {_PENDING} AND EXISTS (
       SELECT 1 FROM pg_depend o JOIN pg_attrdef g ON g.oid = o.objid
         JOIN pg_attribute b ON b.attrelid = g.adrelid AND b.attnum = g.adnum
        WHERE o.classid = 'pg_catalog.pg_attrdef'::regclass AND o.refclassid = 'pg_catalog.pg_class'::regclass
          AND o.refobjid = s.oid AND b.atttypid <> a.atttypid)
 ORDER BY 1
""",  # noqa: S608
        "Give each column a sequence of its own, or the columns one type.",
    ),
    _Question(
        "Another role owns these, or lets nobody make anything in them",
        f"""
SELECT c.relname::text FROM pg_class c WHERE {_PENDING} AND NOT pg_has_role(c.relowner, 'USAGE')
 UNION SELECT 'the schema ' || n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {_PENDING} AND NOT has_schema_privilege(n.oid, 'CREATE') ORDER BY 1
""",  # noqa: S608
        "Run it as the owner of the tables, who needs CREATE on their schema.",
    ),
    _Question(
        "These tables are distributed already, in another way",
        """
SELECT c.relname::text FROM pg_dist_partition d JOIN pg_class c ON c.oid = d.logicalrelid::oid
 WHERE is_located(c) AND (c.relname = ANY(%(tenants)s) OR c.relname = ANY(%(everywhere)s))
   AND NOT (c.relname = ANY(%(tenants)s) AND d.partmethod::text = 'h'
            AND column_to_column_name(d.logicalrelid, d.partkey) = 'project_id'
            AND (c.relname = 'project_credentials' OR d.colocationid IN (
                 SELECT f.colocationid FROM pg_dist_partition f JOIN pg_class w ON w.oid = f.logicalrelid::oid
                  WHERE is_located(w) AND w.relname = 'project_credentials')))
   AND NOT (c.relname = ANY(%(everywhere)s)
            AND (d.repmodel::text = 't' OR (d.partmethod::text = 'n' AND d.colocationid = 0))) ORDER BY 1
""",
        "`SELECT undistribute_table('...', cascade_via_foreign_keys => true)` brings one back to the coordinator, "
        "`citus_schema_undistribute` a schema that is distributed.",
    ),
    _Question(
        "An upgrade of this vault is not finished, as says the missing constraint",
        f"""
SELECT 'strongroom_keyring_head_complete' FROM pg_class c
 WHERE {_PENDING} AND c.relname = 'strongroom_keyring_head' AND NOT EXISTS (
       SELECT 1 FROM pg_constraint k WHERE k.conrelid = c.oid AND k.conname = 'strongroom_keyring_head_complete')
""",  # noqa: S608
        "Run `strongroom upgrade` first.",
    ),
)
_OTHER_PROJECT = """
SELECT count(*) FROM {0} v WHERE NOT EXISTS (
       SELECT 1 FROM project_credentials c WHERE c.id = v.credential_id AND c.project_id = v.project_id)
"""
_REFERRING = tuple(table for table, keys in TENANTS.items() if keys.reference is not None)
_JOINED = """
SELECT 1 FROM pg_dist_partition d JOIN pg_class c ON c.oid = d.logicalrelid::oid
 WHERE is_located(c) AND c.relname = ANY(%(joined)s)
"""


def read_obstacles(database: CatalogueReader, pending: Iterable[str], dropped: Iterable[str]) -> Iterator[Obstacle]:
    """What stands in the way in the tables' own server.

    ``pending``: the tables that are not distributed yet. ``dropped``: the constraints that steps are going to drop.
    """
    parameters: Mapping[str, Any] = {
        "pending": list(pending),
        "dropped": list(dropped),
        "tenants": list(TENANTS),
        "everywhere": list(SAME_EVERYWHERE),
        "references": [key.name for table in schema.metadata.sorted_tables for key in table.foreign_key_constraints],
        "keys": [name for table, keys in TENANTS.items() for name in (f"{table}_pkey", *keys.unique, *keys.dropped)],
        "later": list(LATER_CHECKS),
        "joined": ["project_credentials", *_REFERRING],
    }
    for question in _QUESTIONS:
        names = tuple(name for (name,) in database.read(question.sql, parameters))
        if names:
            yield Obstacle(question.what, names, question.hint)
    if not database.read(_JOINED, parameters):
        yield from _rows_of_another_project(database)


def _rows_of_another_project(database: CatalogueReader) -> Iterator[Obstacle]:
    """Rows whose foreign key would not hold any more: their wallet is another project's, or is not there."""
    counted = [(table, database.read(_OTHER_PROJECT.format(table), {})[0][0]) for table in _REFERRING]
    names = tuple(f"{count} of {table}" for table, count in counted if count)
    if names:
        yield Obstacle(
            "Rows name another project than their wallet has",
            names,
            "Compare their project_id with that of the project_credentials row with their credential_id, see which of "
            "the two is right (`strongroom verify` proves the wallet's), and correct the other.",
        )
