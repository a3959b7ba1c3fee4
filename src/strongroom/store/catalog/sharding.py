"""How a vault's own tables are divided by project: their keys, and what is the same on every node.

Every key and foreign key of a tenant's table begins with project_id, so that a row's node is known from its project and
each constraint is checked on one node. Constraints keep their names: errors are told by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from strongroom.store import schema
from strongroom.store.connection.database import CatalogueReader

_WALLET = ("project_id", "credential_id")


Columns = Mapping[tuple[str, str], tuple[str, ...]]
"""The columns of each constraint, by table and name."""


class TenantKeys(NamedTuple):
    """The keys of a table whose rows belong to projects."""

    primary: tuple[str, ...]
    unique: Mapping[str, tuple[str, ...]] = {}
    """Columns of each unique constraint, by its name."""
    dropped: tuple[str, ...] = ()
    """Unique constraints that the primary key makes needless."""
    reference: str | None = None
    """The foreign key to a wallet's credential."""
    on_delete: str = ""
    looked_up: tuple[str, ...] = ()
    """Columns by which a row is looked for whose project is not known, each with an index of its own."""


TENANTS: Mapping[str, TenantKeys] = {
    "project_credentials": TenantKeys(("project_id", "id"), looked_up=("id",)),
    "credential_vault_storage": TenantKeys(
        ("project_id", "id"),
        unique={
            "credential_vault_storage_credential_id_key": _WALLET,
            "credential_vault_storage_vault_id_key": ("project_id", "vault_id"),
        },
        reference="credential_vault_storage_credential_id_fkey",
        on_delete=" ON DELETE RESTRICT",
        looked_up=("id", "credential_id"),
    ),
    "credential_usage_logs": TenantKeys(("project_id", "id"), reference="credential_usage_logs_credential_id_fkey"),
    "strongroom_vault_history": TenantKeys(("project_id", "id"), looked_up=("id",)),
    "strongroom_wallet": TenantKeys(
        _WALLET, dropped=("strongroom_wallet_credential_id_key",), looked_up=("credential_id",)
    ),
    "strongroom_slot": TenantKeys(("project_id", "network", "label")),
    "strongroom_idempotency": TenantKeys(("project_id", "key")),
    "strongroom_nonce": TenantKeys(("project_id", "chain_id", "address", "nonce")),
    "strongroom_phrase": TenantKeys(("project_id", "phrase_id")),
    "strongroom_phrase_account": TenantKeys(("project_id", "phrase_id", "network", "variant", "template")),
    "strongroom_phrase_branch": TenantKeys(("project_id", "phrase_id", "path")),
}
"""The tables that are divided by project, those first that others refer to."""
_FIRST = next(iter(TENANTS))
SAME_EVERYWHERE = tuple(name for name in (*schema.TABLES, schema.VERSION_TABLE) if name not in TENANTS)
"""The tables of which every node has all rows."""


ONE_RECORD = (("credential_id",), _WALLET)
"""Columns of a unique index that allows a credential one vault record: here, and where tables are divided."""


_DISTRIBUTED = """
SELECT 1 FROM pg_catalog.pg_dist_partition d WHERE d.logicalrelid::oid = 'project_credentials'::regclass::oid
   AND d.partmethod::text = 'h'
"""


CITUS = "SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'citus'"
DISTRIBUTED = """
SELECT c.relname::text FROM pg_catalog.pg_dist_partition d JOIN pg_catalog.pg_class c ON c.oid = d.logicalrelid::oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE (d.partmethod::text = 'h' OR d.repmodel::text = 't')
   AND c.relname = ANY(%(tables)s) AND n.nspname = ANY(%(schemas)s)
"""
"""The tables of a vault that Citus has on nodes, or on every one; ``names_of`` are its parameters."""
LEFT_BEHIND = f"{DISTRIBUTED} AND pg_relation_size(c.oid) > 0"
"""Those of which the coordinator still has rows from before; likewise."""
SAMPLED = """
WITH vault AS (
    SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname = ANY(%(tables)s) AND n.nspname = ANY(%(schemas)s)
), sampled AS (
    SELECT v.oid, a.attnum::int FROM vault v JOIN pg_stats s ON s.schemaname = v.nspname AND s.tablename = v.relname
      JOIN pg_attribute a ON a.attrelid = v.oid AND a.attname = s.attname
     UNION
    SELECT v.oid, d.refobjsubid FROM vault v JOIN pg_index i ON i.indrelid = v.oid
      JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace
      JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = x.relname
      JOIN pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass::oid AND d.objid = x.oid AND d.refobjid = v.oid
     UNION
    SELECT v.oid, d.refobjsubid FROM vault v JOIN pg_statistic_ext e ON e.stxrelid = v.oid
      JOIN pg_namespace n ON n.oid = e.stxnamespace
      JOIN pg_depend d
        ON d.classid = 'pg_catalog.pg_statistic_ext'::regclass::oid AND d.objid = e.oid AND d.refobjid = v.oid
     WHERE EXISTS (SELECT FROM pg_stats_ext s WHERE s.statistics_schemaname = n.nspname
                      AND s.statistics_name = e.stxname AND s.most_common_vals IS NOT NULL)
        OR EXISTS (SELECT FROM pg_stats_ext_exprs s WHERE s.statistics_schemaname = n.nspname
                      AND s.statistics_name = e.stxname AND s.expr IS NOT NULL AND s.null_frac IS NOT NULL)
)
SELECT v.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod)
  FROM sampled f JOIN vault v ON v.oid = f.oid JOIN pg_attribute a ON a.attrelid = f.oid AND a.attnum = f.attnum
  JOIN pg_type t ON t.oid = a.atttypid
 WHERE t.typname NOT IN ('bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'uuid', 'date', 'timestamp', 'timestamptz')
 ORDER BY 1, a.attnum
"""
"""Columns of which the coordinator has texts in its statistics, keys perhaps, and their types; likewise.

Of columns, of what an index computes of them, and of statistics that somebody made about several, or about expressions.
"""
KEYS = r"""
SELECT c.relname::text, k.conname::text,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number ORDER BY u.place)
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE k.contype IN ('p', 'u', 'f') AND c.relname = ANY(%(tables)s) AND n.nspname = ANY(%(schemas)s)
 UNION ALL
SELECT c.relname::text, x.relname::text, '{}'
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE x.relname LIKE '%%\_lookup' AND c.relname = ANY(%(tables)s) AND n.nspname = ANY(%(schemas)s)
"""
"""Keys with their columns in order, and the indexes that ``looked_up`` names."""
LOOSE = """
SELECT k.conname::text
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE k.contype = 'c' AND NOT k.convalidated AND k.conname = ANY(%(names)s)
   AND c.relname = %(table)s AND n.nspname = %(schema)s ORDER BY 1
"""
"""Of some constraints of a table those that are NOT VALID."""


_SPREAD = """
SELECT count(DISTINCT p.groupid), count(DISTINCT s.shardid)
  FROM pg_catalog.pg_dist_shard s JOIN pg_catalog.pg_dist_placement p ON p.shardid = s.shardid
 WHERE s.logicalrelid::oid = 'project_credentials'::regclass::oid
"""


class Spread(NamedTuple):
    """How the tables of a vault are spread over a cluster."""

    nodes: int
    """How many nodes have wallets; 0 where none was distributed yet."""
    shards: int
    """In how many parts each table is that is divided by project; likewise."""
    remark: str | None = None
    """What is still to be done."""


def names_of(schemas: Mapping[str, str]) -> dict[str, list[str]]:
    """The tables of a vault, and the schemas that they are in, by the schema of each."""
    tables = [*TENANTS, *SAME_EVERYWHERE]
    return {"tables": tables, "schemas": sorted({schemas[table] for table in tables if table in schemas})}


def read_spread(database: CatalogueReader, schemas: Mapping[str, str]) -> Spread | None:
    """How many nodes and shards a vault has on a server with Citus, and what was not distributed yet.

    ``schemas``: the schema of each table. None where Citus has none of the tables.
    """
    names = names_of(schemas)
    there = {table for (table,) in database.read(DISTRIBUTED, names)}
    if not there:
        return None
    ((nodes, shards),) = database.read(_SPREAD, {}) if _FIRST in there else [(0, 0)]
    missing = [table for table in names["tables"] if table not in there]
    left = [table for (table,) in database.read(LEFT_BEHIND, names)]
    sampled = list(dict.fromkeys(table for table, *_ in database.read(SAMPLED, names)))
    remark = None
    if missing or left or sampled:
        named = ", ".join(missing or left or sampled)
        what = (
            "are not distributed yet"
            if missing
            else "have rows left behind on the coordinator"
            if left
            else "have texts left behind in the coordinator's statistics"
        )
        remark = f"These tables {what}: {named}. Run `strongroom distribute --apply` again."
    return Spread(int(nodes), int(shards), remark)


def is_distributed(database: CatalogueReader) -> bool:
    """Whether Citus, which the server has, distributes the wallets over nodes."""
    return bool(database.read(_DISTRIBUTED, {}))


def changes_of(table: str, keys: TenantKeys, there: Columns) -> list[str]:
    """The parts of an ALTER TABLE that give a table the keys of divided tables; none where it has them.

    ``there``: as ``KEYS`` reads it. Foreign keys of other tables to this one hold its single-column keys in place:
    their owner drops them first.
    """
    changes = [f"DROP CONSTRAINT {name}" for name in dropped_of(table, keys, there)]
    for name, (kind, columns) in _wanted(table, keys).items():
        if there.get((table, name)) != columns:
            changes.append(f"ADD CONSTRAINT {name} {kind} ({', '.join(columns)})")
    return changes


def dropped_of(table: str, keys: TenantKeys, there: Columns) -> list[str]:
    """The constraints that ``changes_of`` drops."""
    wanted = _wanted(table, keys)
    names = [*keys.dropped, *(name for name, (_, columns) in wanted.items() if there.get((table, name)) != columns)]
    return [name for name in names if (table, name) in there]


def _wanted(table: str, keys: TenantKeys) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {f"{table}_pkey": ("PRIMARY KEY", keys.primary)} | {
        name: ("UNIQUE", columns) for name, columns in keys.unique.items()
    }


def reference_of(keys: TenantKeys, credentials: str) -> str:
    """The part of an ALTER TABLE that lets a table refer to the credentials of its project."""
    return (
        f"ADD CONSTRAINT {keys.reference} FOREIGN KEY (project_id, credential_id) "
        f"REFERENCES {credentials} (project_id, id){keys.on_delete}"
    )
