"""Distributing a vault's tables over the nodes of a Citus cluster by project, step by step.

Each step is a transaction of its own, and what is done is found in the catalogue: a run that ends early is continued by
the next one. Applications stop before the first step, and open the vault anew after the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from strongroom.errors import (
    DistributionRefusedError,
    NotInitializedError,
    StoreError,
    StoreRefusedError,
    UnsupportedDatabaseError,
)
from strongroom.store.catalog.cluster_obstacles import read_cluster_obstacles
from strongroom.store.catalog.foreign_checks import quoted
from strongroom.store.catalog.obstacles import read_obstacles
from strongroom.store.catalog.profile import Profile
from strongroom.store.catalog.sharding import (
    CITUS,
    DISTRIBUTED,
    KEYS,
    LEFT_BEHIND,
    LOOSE,
    SAME_EVERYWHERE,
    SAMPLED,
    TENANTS,
    Columns,
    changes_of,
    dropped_of,
    names_of,
    reference_of,
)
from strongroom.store.connection.database import Database
from strongroom.store.connection.qualified import identifier
from strongroom.store.connection.session import Session
from strongroom.store.statements import Statements
from strongroom.store.statements.wallet_function import wallet_function
from strongroom.store.write_conditions import LATER_CHECKS

_FIRST = next(iter(TENANTS))
_FORGETS = (
    "DELETE FROM pg_catalog.pg_statistic WHERE starelid OPERATOR(pg_catalog.=) {oid} OR starelid "
    "OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT i.indexrelid FROM pg_catalog.pg_index i "
    "WHERE i.indrelid OPERATOR(pg_catalog.=) {oid}))",
    "DELETE FROM pg_catalog.pg_statistic_ext_data WHERE stxoid OPERATOR(pg_catalog.=) ANY (ARRAY("
    "SELECT e.oid FROM pg_catalog.pg_statistic_ext e WHERE e.stxrelid OPERATOR(pg_catalog.=) {oid}))",
)
"""What a superuser runs: of a table's columns, of what its indexes compute, and of statistics that somebody made."""


class DistributionStep(NamedTuple):
    """One transaction, and what it does."""

    about: str
    statements: tuple[str, ...]

    @property
    def sql(self) -> str:
        """The statements as a script, without its last semicolon."""
        if len(self.statements) == 1:
            return self.statements[0]
        return ";\n".join(("BEGIN", *self.statements, "COMMIT"))


class Distributor:
    """The tables of one vault, whose profile was found usable. Raises UnsupportedDatabaseError without Citus."""

    def __init__(self, database: Database, profile: Profile) -> None:
        self._database, self._schemas, self._superuser = database, profile.schemas, profile.superuser
        self._functions = profile.functions
        if database.engine.dialect.name == "sqlite" or not database.read(CITUS, {}):
            raise UnsupportedDatabaseError(
                "The server has no Citus: there are no nodes to distribute tables over.",
                hint="On a coordinator: CREATE EXTENSION citus, citus_add_node for each; `strongroom docs citus`.",
            )
        if profile.foreign is not None:
            raise DistributionRefusedError(
                "The wallet tables are the legacy application's: they stay on one node.",
                hint="Make a vault with tables of its own there, and import the wallets: `strongroom docs citus`.",
            )

    @property
    def _names(self) -> dict[str, list[str]]:
        return {"tables": list(TENANTS), "schemas": sorted({self._schemas[table] for table in TENANTS})}

    def steps(self) -> list[DistributionStep]:
        """What is still to be done, in order. Raises DistributionRefusedError with all that stands in the way."""
        keys = {(table, name): tuple(columns) for table, name, columns in self._database.read(KEYS, self._names)}
        names = names_of(self._schemas)
        done = {table for (table,) in self._database.read(DISTRIBUTED, names)}
        self._require_free([table for table in names["tables"] if table not in done], keys)
        found = [*self._keys(keys), *self._places(done), *self._references(keys), *self._written_by_function()]
        left = {table for (table,) in self._database.read(LEFT_BEHIND, names)}
        for table in (*TENANTS, *SAME_EVERYWHERE):
            if table not in done or table in left:
                sql = f"SELECT pg_catalog.truncate_local_data_after_distributing_table({self._literal(table)})"
                found.append(DistributionStep(f"{table}: no rows stay behind on the coordinator", (sql,)))
        return [*found, *self._forgotten(names)]

    def _forgotten(self, names: Mapping[str, list[str]]) -> Iterator[DistributionStep]:
        """Steps that leave nothing of what ANALYZE took from the rows, keys among it: of no rows it changes nothing.

        A superuser deletes it. The owner's only way is to give each column the type that it has, here and not on nodes.
        """
        sampled = self._database.read(SAMPLED, names)
        for table in (*TENANTS, *SAME_EVERYWHERE):
            columns = {column: kind for name, column, kind in sampled if name == table}
            about = f"{table}: no texts stay behind in the coordinator's statistics"
            if columns and self._superuser:
                oid = f"{self._literal(table)}::pg_catalog.oid"
                yield DistributionStep(about, tuple(each.format(oid=oid) for each in _FORGETS))
            elif columns:
                types = ", ".join(f"ALTER COLUMN {identifier(name)} TYPE {kind}" for name, kind in columns.items())
                here = "SET LOCAL citus.enable_ddl_propagation = off"
                yield DistributionStep(about, (here, f"ALTER TABLE {self._table(table)} {types}"))

    def _require_free(self, pending: list[str], keys: Columns) -> None:
        """Refuse what would stop a step, before the first one and with all of it."""
        if not pending:
            return
        dropped = chain.from_iterable(dropped_of(table, TENANTS[table], keys) for table in TENANTS)
        obstacles = [
            *read_obstacles(self._database, pending, dropped),
            *read_cluster_obstacles(self._database, self._schemas, pending),
        ]
        if obstacles:
            raise DistributionRefusedError(
                f"{' '.join(str(each) for each in obstacles)} Nothing was changed.",
                hint=f"{' '.join(each.hint for each in obstacles)} Then run this again.",
            )

    def apply(self, done: Callable[[DistributionStep], None]) -> int:
        """Carry the steps out, each in a transaction; how many there were. ``done`` is told of each.

        Raises StoreError, whose message says which step failed: nothing of that step was changed (as far as the outcome
        is known), and those before it are done.
        """
        steps = self.steps()
        for number, step in enumerate(steps):
            try:
                self._database.transact(lambda session, step=step: _run(session, step))  # type: ignore[misc]
            except StoreError as error:
                raise _told(error, step, number, len(steps)) from error.__cause__
            done(step)
        return len(steps)

    def close(self) -> None:
        """Give every connection back to the driver."""
        self._database.close()

    def _keys(self, there: Columns) -> Iterator[DistributionStep]:
        for table, keys in TENANTS.items():
            if keys.reference is not None and there.get((table, keys.reference)) == ("credential_id",):
                yield DistributionStep(
                    f"{table}: no foreign key until its table is distributed",
                    (f"ALTER TABLE {self._table(table)} DROP CONSTRAINT {keys.reference}",),
                )
        for table, keys in TENANTS.items():
            changes = changes_of(table, keys, there)
            if changes:
                about = f"{table}: keys that begin with project_id"
                yield DistributionStep(about, (f"ALTER TABLE {self._table(table)} {', '.join(changes)}",))
            for column in keys.looked_up:
                name = f"{table}_{column}_lookup"
                sql = f"CREATE INDEX IF NOT EXISTS {name} ON {self._table(table)} ({column})"
                if (table, name) not in there:
                    yield DistributionStep(f"{table}: an index for {column} alone", (sql,))

    def _places(self, done: set[str]) -> Iterator[DistributionStep]:
        for table in SAME_EVERYWHERE:
            if table not in done:
                sql = f"SELECT pg_catalog.create_reference_table({self._literal(table)})"
                yield self._around(table, "the same on every node", sql)
        for table in TENANTS:
            if table not in done:
                beside = "none" if table == _FIRST else self._table(_FIRST)
                sql = (
                    f"SELECT pg_catalog.create_distributed_table({self._literal(table)}, {_text('project_id')}, "
                    f"colocate_with => {_text(beside)})"
                )
                yield self._around(table, "on the node of its project", sql)

    def _around(self, table: str, about: str, sql: str) -> DistributionStep:
        """A step that lets rows of older versions in: nodes check all rows, also where a constraint is NOT VALID.

        In one transaction, whose first statement locks the table: no other one writes while the constraint is away, and
        where the process or the server dies, it is back.
        """
        loose = {"table": table, "schema": self._schemas[table], "names": list(LATER_CHECKS)}
        names = [name for (name,) in self._database.read(LOOSE, loose)]
        if not names:
            return DistributionStep(f"{table}: {about}", (sql,))
        alter = f"ALTER TABLE {self._table(table)}"
        dropped = ", ".join(f"DROP CONSTRAINT {name}" for name in names)
        added = ", ".join(f"ADD CONSTRAINT {name} CHECK ({LATER_CHECKS[name]}) NOT VALID" for name in names)
        about = f"{about}, with {', '.join(names)} NOT VALID as before"
        return DistributionStep(f"{table}: {about}", (f"{alter} {dropped}", sql, f"{alter} {added}"))

    def _references(self, there: Columns) -> Iterator[DistributionStep]:
        for table, keys in TENANTS.items():
            if keys.reference is not None and there.get((table, keys.reference)) != ("project_id", "credential_id"):
                sql = f"ALTER TABLE {self._table(table)} {reference_of(keys, self._table(_FIRST))}"
                yield DistributionStep(f"{table}: a foreign key within its project", (sql,))

    def _written_by_function(self) -> Iterator[DistributionStep]:
        """Steps that make the function which writes a wallet on its node, and drop what an earlier version made."""
        ours = wallet_function(Statements(self._database.engine.dialect, sharded=True), self._schemas)
        there = False
        for found in self._functions:
            if ours.is_made_as(found) and found.distributed:
                there = True
            elif found.trusted and (found.name, found.types) != (ours.name, ours.types):
                name = f"{identifier(found.schema)}.{identifier(found.name)}({found.types})"
                yield DistributionStep(f"{found.name}: of another version, dropped", (f"DROP FUNCTION {name}",))
        if not there:
            distribute = (
                f"SELECT pg_catalog.create_distributed_function({quoted(ours.signature)}::pg_catalog.regprocedure, "
                f"{_text('$1')}, colocate_with => {_text(self._table(_FIRST))})"
            )
            yield DistributionStep(f"{ours.name}: writes a wallet on its node", (*ours.to_make(), distribute))

    def _table(self, table: str) -> str:
        return f"{identifier(self._schemas[table])}.{identifier(table)}"

    def _literal(self, table: str) -> str:
        return f"{quoted(self._table(table))}::pg_catalog.regclass"


def _text(value: str) -> str:
    """A text of SQL. With its type, as tables have theirs: a literal of none would fit another role's function, too."""
    return f"{quoted(value)}::pg_catalog.text"


def _run(session: Session, step: DistributionStep) -> None:
    for statement in step.statements:
        session.control(statement)


def _told(error: StoreError, step: DistributionStep, before: int, steps: int) -> StoreError:
    """The error of a step: it says which one failed, and that those before it stay."""
    if isinstance(error, NotInitializedError):  # the vault is there: something else is not
        error = StoreRefusedError("The database refused the statement: something that it names is not there.")
    kept = f" The {before} before it are done, and stay." if before else ""
    error.args = (f"Step {before + 1} of {steps} failed ({step.about}): {error.message}{kept}",)
    again = "`strongroom distribute --apply` goes on with this step."
    error.hint = (
        f"The log of the server, or of a node, says what was refused. Take that away; then {again}"
        if type(error) is StoreRefusedError
        else f"{error.hint} Then {again}"
    )
    return error
