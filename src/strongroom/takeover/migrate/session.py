"""A migration of one database: read the catalogue, say what is needed, and carry it out in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from strongroom.errors import (
    ContentionError,
    ForeignSchemaError,
    MigrationBlockedError,
    RowsHiddenError,
    StoreRefusedError,
)
from strongroom.networks import TABLE
from strongroom.records.usage_log import Attribution, Event
from strongroom.store import schema
from strongroom.store.catalog.foreign_schema import TABLES
from strongroom.store.catalog.profile import read_profile
from strongroom.store.catalog.safety_facts import Catalogue, read_catalogue
from strongroom.store.catalog.schema_facts import SchemaFacts, read_schema_facts
from strongroom.store.catalog.surroundings import superuser_of, superuser_warning
from strongroom.store.connection.database import Database
from strongroom.store.connection.qualified import qualified
from strongroom.store.connection.read_only import ReadOnlyDatabase
from strongroom.store.connection.session import Session
from strongroom.store.statements import migration_sql, rows
from strongroom.takeover.doctor.sample_wallets import sample_rows
from strongroom.takeover.doctor.schema_probes import schema_findings
from strongroom.takeover.migrate.manual_steps import remarks_of
from strongroom.takeover.migrate.migration import Migration, Precondition, Step
from strongroom.takeover.migrate.steps import steps_of

EVENT = "migrate"
"""The name in the table of events."""


@dataclass(frozen=True, slots=True)
class Migrator:
    """A migration, and what it takes to carry it out."""

    migration: Migration
    superuser: str | None
    """The role that is connected, if it is a superuser."""
    _open: Callable[[], Database]
    """Opens the database for writing; called when something is written."""
    _facts: SchemaFacts | None

    @property
    def warnings(self) -> list[str]:
        """What is to be said before anything is done."""
        return [] if self.superuser is None else [superuser_warning(self.superuser)]

    def apply(self, done: Callable[[Step], None], actor: Attribution) -> None:
        """Carry the migration out in one transaction; ``done`` is called after each step, before the commit.

        Rows that violate it are looked for first, under the locks. Raises MigrationBlockedError with what stands in
        its way, RowsHiddenError where row-level security could hide such rows, ContentionError where others use the
        tables, StoreRefusedError where the role may not do it or the database refuses. Nothing was changed then.
        After OutcomeUnknownError it may have been: run it again.
        """
        if self._facts is None or not self.migration.steps:
            return
        self._require_rights(self._facts)
        database = self._open()
        database.name_schemas(self._facts.schemas)
        try:
            database.transact(lambda session: self._run(session, done, actor))
        except ContentionError as error:
            raise ContentionError(
                "Somebody is using the tables, and their locks did not become free; nothing was changed.",
                hint="Run it again, at a quieter time if need be.",
            ) from error
        finally:
            database.close()

    def _run(self, session: Session, done: Callable[[Step], None], actor: Attribution) -> None:
        for statement in self.migration.opening:
            session.control(statement)
        _require_room(session, {guard for step in self.migration.steps for guard in step.guards})
        for step in self.migration.steps:
            for statement in step.statements:
                session.control(statement)
            done(step)
        if self._facts is not None and schema.strongroom_events.name in self._facts.catalogue.names:
            event = Event(EVENT, actor, {"steps": "; ".join(step.title for step in self.migration.steps)})
            session.write(migration_sql.RECORD_EVENT, rows.event_parameters(event, datetime.now(UTC)))

    def _require_rights(self, facts: SchemaFacts) -> None:
        hidden = [name for name in TABLES if name in facts.tables and facts.tables[name].hidden]
        if hidden:
            raise RowsHiddenError(
                f"Row-level security applies to this role on: {', '.join(hidden)}. It could hide rows that violate "
                "what the migration would make."
            )
        strange = [
            facts.tables[table]
            for table in dict.fromkeys(table for step in self.migration.steps for table in step.tables)
            if not facts.tables[table].owned
        ]
        if strange:
            raise StoreRefusedError(
                f"The role {facts.catalogue.role} does not own "
                f"{', '.join(f'{table.name} (the owner is {table.owner})' for table in strange)}.",
                hint="Connect as the owner, or let the owner run what `strongroom migrate --print` prints.",
            )


def read_migration(database: ReadOnlyDatabase, open_database: Callable[[], Database]) -> Migrator:
    """Read what a schema needs; nothing is written. ``open_database`` opens the same one for writing.

    Raises NotInitializedError where there are no wallet tables, ForeignSchemaError for a file of SQLite whose tables
    somebody changed, and StoreError.
    """
    profile = read_profile(database)
    profile.require_examinable()
    samples = sample_rows(TABLE)
    catalogue = read_catalogue(database, profile, samples)
    if database.sqlite:
        _require_complete(catalogue)
        return Migrator(Migration(profile.generation, {}, (), ()), None, open_database, None)
    facts = read_schema_facts(database, profile, catalogue, samples)
    return Migrator(plan(profile.generation, facts), superuser_of(database), open_database, facts)


def plan(generation: str, facts: SchemaFacts) -> Migration:
    """The steps that bring a schema to what a fresh one guarantees, and what only people can do."""
    steps = tuple(
        replace(step, statements=tuple(qualified(statement, facts.schemas) for statement in step.statements))
        for step in steps_of(facts)
    )
    return Migration(generation, facts.schemas, steps, tuple(remarks_of(facts)))


def _require_complete(catalogue: Catalogue) -> None:
    """SQLite changes no constraint of a table that is there: it would have to be written anew."""
    findings = schema_findings(catalogue)
    if findings:
        raise ForeignSchemaError(
            "Somebody changed the tables of this SQLite database, and migrate does not write tables of SQLite anew: "
            f"{', '.join(f'{finding.code} ({finding.table})' for finding in findings)}.",
            hint="Restore the file from a backup, or make a fresh database and move the wallets there.",
        )


def _require_room(session: Session, guards: set[Precondition]) -> None:
    """Raise MigrationBlockedError where rows violate what would be made."""
    found: dict[str, int] = {}
    shown: list[str] = []
    for guard in sorted(guards, key=lambda guard: guard.finding):
        count, some = session.fetch(guard.query, {})[0]
        if count:
            found[guard.finding] = found.get(guard.finding, 0) + count
            shown += [f"{guard.finding}: {count:,}, such as {', '.join(each or 'NULL' for each in some)}"]
    if found:
        blocked = MigrationBlockedError(f"Rows are in the way ({'; '.join(shown)}).")
        blocked.findings = found
        raise blocked
