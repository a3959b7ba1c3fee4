"""What stands in the way of distributing tables that is not in the tables: the cluster's nodes and its settings.

Each node is asked on a connection that Citus makes as the role in use. There, too, only the catalogue is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from strongroom.store.catalog.foreign_checks import quoted
from strongroom.store.catalog.obstacles import Obstacle
from strongroom.store.connection.database import CatalogueReader
from strongroom.store.connection.qualified import qualified

_IS_WORKER = "SELECT 1 FROM pg_dist_local_group WHERE groupid <> 0"
_FOR_SHARDS = """
SELECT 1 FROM pg_dist_node WHERE noderole::text = 'primary' AND isactive AND shouldhaveshards LIMIT 1
"""
_SETTINGS = """
SELECT s.name || ' = ' || s.setting
  FROM (SELECT w.name, w.wanted, current_setting(w.name, true) AS setting
          FROM (VALUES ('citus.shard_replication_factor', '1'), ('citus.enable_ddl_propagation', 'on'),
                       ('citus.enable_metadata_sync', 'on')) w (name, wanted)) s
 WHERE s.setting <> s.wanted ORDER BY 1
"""
_ON_WORKERS = """
SELECT nodename::text || ':' || nodeport::text, success, result FROM run_command_on_workers(%(command)s::text)
 ORDER BY 1
"""
_UNKNOWN_TO_CITUS = """
is_located(c) AND c.relname = ANY(%(pending)s)
   AND NOT EXISTS (SELECT 1 FROM pg_dist_partition d WHERE d.logicalrelid::oid = c.oid)
"""
_NAMES = f"""
SELECT c.relname::text FROM pg_class c WHERE {_UNKNOWN_TO_CITUS}
 UNION
SELECT x.relname::text FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid
 WHERE {_UNKNOWN_TO_CITUS}
"""  # noqa: S608 - constants
"""What will be made on nodes: tables, and their indexes."""
_ROLES_OF_POLICIES = """
SELECT DISTINCT r.rolname::text FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
  JOIN pg_roles r ON r.oid = ANY(p.polroles) WHERE is_located(c) AND c.relname = ANY(%(pending)s)
"""
_RELATIONS_THERE = """
SELECT string_agg(n.nspname::text || '.' || c.relname::text, ', ' ORDER BY c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY({schemas}) AND c.relname = ANY({names})
"""
_RIGHTS_THERE = """
SELECT string_agg(f.found, ', ' ORDER BY f.found) FROM (
    SELECT 'the schema ' || n.nspname::text || ' of ' || pg_get_userbyid(n.nspowner)::text AS found
      FROM pg_namespace n WHERE n.nspname = ANY({schemas}) AND NOT has_schema_privilege(n.oid, 'CREATE')
     UNION ALL
    SELECT 'no role ' || r.name::text FROM unnest({roles}) r (name)
     WHERE NOT EXISTS (SELECT 1 FROM pg_roles o WHERE o.rolname = r.name)) f
"""


def read_cluster_obstacles(
    database: CatalogueReader, schemas: Mapping[str, str], pending: Iterable[str]
) -> Iterator[Obstacle]:
    """What stands in the way on the cluster. ``schemas``: of each table; ``pending``: what is not distributed yet."""
    if database.read(_IS_WORKER, {}):
        yield Obstacle(
            "This server is not the coordinator", ("it is a worker of the cluster",), "Use the coordinator's URL."
        )
        return
    if not database.read(_FOR_SHARDS, {}):
        yield Obstacle(
            "No node of the cluster takes tables",
            ("pg_dist_node has none that is active and has shouldhaveshards",),
            "`citus_add_node` for each node.",
        )
        return
    settings = tuple(found for (found,) in database.read(_SETTINGS, {}))
    if settings:
        yield Obstacle("Settings of this role, database or server", settings, "Reset these settings for this role.")
    yield from _on_nodes(database, schemas, list(pending))


def _on_nodes(database: CatalogueReader, schemas: Mapping[str, str], pending: list[str]) -> Iterator[Obstacle]:
    lists = {
        "schemas": _array({schemas[table] for table in pending}),
        "names": _array(name for (name,) in database.read(_NAMES, {"pending": pending})),
        "roles": _array(role for (role,) in database.read(_ROLES_OF_POLICIES, {"pending": pending})),
    }
    for command, what, hint in (
        (
            _RELATIONS_THERE,
            "Nodes have relations of these names",
            "Look there whose they are: Citus makes tables of these names. Rename them, or drop them.",
        ),
        (
            _RIGHTS_THERE,
            "Nodes do not have what the tables need",
            "As a superuser there: let this role own the schema, and make the roles of policies.",
        ),
    ):
        answers = database.read(_ON_WORKERS, {"command": qualified(command.format(**lists))})
        silent = tuple(node for node, success, _ in answers if not success)
        if silent:
            yield Obstacle(
                "Nodes do not answer this role",
                silent,
                "Start them, and let the role connect from the coordinator (CREATE ROLE, pg_hba.conf, password).",
            )
            return
        found = tuple(f"on {node} {found}" for node, success, found in answers if success and found)
        if found:
            yield Obstacle(what, found, hint)


def _array(names: Iterable[str]) -> str:
    return f"ARRAY[{', '.join(quoted(name) for name in sorted(names))}]::name[]"
