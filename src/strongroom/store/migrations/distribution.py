"""Distributing a vault's tables over the nodes of a Citus cluster by project, step by step.

Each step is a transaction of its own, and what is done is found in the catalogue: a run that ends early is continued by
the next one. Applications stop before the first step, and open the vault anew after the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from strongroom.errors import DistributionRefusedError, UnsupportedDatabaseError
from strongroom.store.catalog.foreign_checks import quoted
from strongroom.store.catalog.profile import Profile
from strongroom.store.catalog.sharding import (
    CITUS,
    DISTRIBUTED,
    KEYS,
    LEFT_BEHIND,
    OTHERS,
    SAME_EVERYWHERE,
    TENANTS,
    TRIGGERS,
    changes_of,
    names_of,
    reference_of,
)
from strongroom.store.connection.database import Database
from strongroom.store.connection.qualified import identifier

_FIRST = next(iter(TENANTS))


class DistributionStep(NamedTuple):
    """One statement, and what it does."""

    about: str
    sql: str


class Distributor:
    """The tables of one vault, whose profile was found usable. Raises UnsupportedDatabaseError without Citus."""

    def __init__(self, database: Database, profile: Profile) -> None:
        self._database, self._schemas = database, profile.schemas
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
        self._require_free()

    def _require_free(self) -> None:
        """Refuse what would stop the first steps, with all of it: triggers, and foreign keys of other tables."""
        triggers = [f"{name} on {table}" for table, name in self._database.read(TRIGGERS, self._names)]
        if triggers:
            raise DistributionRefusedError(
                f"Distributed tables have no triggers, and there are: {', '.join(triggers)}. Nothing was changed.",
                hint="`strongroom guard --remove` drops the guard's; drop the others, then run this again.",
            )
        others = [f"{name} of {table}" for table, name in self._database.read(OTHERS, self._names)]
        if others:
            raise DistributionRefusedError(
                f"Foreign keys of other tables hold the keys in place: {', '.join(others)}. Nothing was changed.",
                hint="Drop them; where those tables are distributed by project, too, make them anew with project_id.",
            )

    @property
    def _names(self) -> dict[str, list[str]]:
        return {"tables": list(TENANTS), "schemas": sorted({self._schemas[table] for table in TENANTS})}

    def steps(self) -> list[DistributionStep]:
        """What is still to be done, in order."""
        keys = {(table, name): tuple(columns) for table, name, columns in self._database.read(KEYS, self._names)}
        names = names_of(self._schemas)
        done = {table for (table,) in self._database.read(DISTRIBUTED, names)}
        found = [*self._keys(keys), *self._places(done), *self._references(keys)]
        left = {table for (table,) in self._database.read(LEFT_BEHIND, names)}
        for table in (*TENANTS, *SAME_EVERYWHERE):
            if table not in done or table in left:
                sql = f"SELECT pg_catalog.truncate_local_data_after_distributing_table({self._literal(table)})"
                found.append(DistributionStep(f"{table}: no rows stay behind on the coordinator", sql))
        return found

    def apply(self, done: Callable[[DistributionStep], None]) -> int:
        """Carry the steps out, each in a transaction; how many there were. ``done`` is told of each."""
        steps = self.steps()
        for step in steps:
            self._database.transact(lambda session, sql=step.sql: session.control(sql))  # type: ignore[misc]
            done(step)
        return len(steps)

    def close(self) -> None:
        """Give every connection back to the driver."""
        self._database.close()

    def _keys(self, there: Mapping[tuple[str, str], tuple[str, ...]]) -> Iterator[DistributionStep]:
        for table, keys in TENANTS.items():
            if keys.reference is not None and there.get((table, keys.reference)) == ("credential_id",):
                yield DistributionStep(
                    f"{table}: no foreign key until its table is distributed",
                    f"ALTER TABLE {self._table(table)} DROP CONSTRAINT {keys.reference}",
                )
        for table, keys in TENANTS.items():
            changes = changes_of(table, keys, there)
            if changes:
                about = f"{table}: keys that begin with project_id"
                yield DistributionStep(about, f"ALTER TABLE {self._table(table)} {', '.join(changes)}")
            for column in keys.looked_up:
                name = f"{table}_{column}_lookup"
                sql = f"CREATE INDEX IF NOT EXISTS {name} ON {self._table(table)} ({column})"
                if (table, name) not in there:
                    yield DistributionStep(f"{table}: an index for {column} alone", sql)

    def _places(self, done: set[str]) -> Iterator[DistributionStep]:
        for table in SAME_EVERYWHERE:
            if table not in done:
                sql = f"SELECT pg_catalog.create_reference_table({self._literal(table)})"
                yield DistributionStep(f"{table}: the same on every node", sql)
        for table in TENANTS:
            if table not in done:
                beside = "none" if table == _FIRST else self._table(_FIRST)
                sql = (
                    f"SELECT pg_catalog.create_distributed_table({self._literal(table)}, {_text('project_id')}, "
                    f"colocate_with => {_text(beside)})"
                )
                yield DistributionStep(f"{table}: on the node of its project", sql)

    def _references(self, there: Mapping[tuple[str, str], tuple[str, ...]]) -> Iterator[DistributionStep]:
        for table, keys in TENANTS.items():
            if keys.reference is not None and there.get((table, keys.reference)) != ("project_id", "credential_id"):
                sql = f"ALTER TABLE {self._table(table)} {reference_of(keys, self._table(_FIRST))}"
                yield DistributionStep(f"{table}: a foreign key within its project", sql)

    def _table(self, table: str) -> str:
        return f"{identifier(self._schemas[table])}.{identifier(table)}"

    def _literal(self, table: str) -> str:
        return f"{quoted(self._table(table))}::pg_catalog.regclass"


def _text(value: str) -> str:
    """A text of SQL. With its type, as tables have theirs: a literal of none would fit another role's function, too."""
    return f"{quoted(value)}::pg_catalog.text"
