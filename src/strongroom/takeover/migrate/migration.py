"""A migration of wallet tables: its steps, and the SQL that people read and run.

docs/adr/0012-schema-migration.md says why it is as it is; docs/migrate.md what it means for users.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from strongroom.store import schema
from strongroom.store.catalog.foreign_schema import TABLES
from strongroom.store.connection.database import BEGIN
from strongroom.store.connection.qualified import qualified
from strongroom.store.statements import migration_sql

ORDER = (*TABLES, *(name for name in schema.TABLES if name not in TABLES), schema.VERSION_TABLE)
"""The order in which the vault takes locks, and in which foreign keys lead from logged to logged tables."""


@dataclass(frozen=True, slots=True)
class Precondition:
    """Rows that would stand in a step's way, as doctor calls them, and the query that counts them."""

    finding: str
    query: str


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the schema: its SQL, the findings that it ends, and what must hold before."""

    title: str
    findings: tuple[str, ...]
    """The codes of doctor that it ends; none where doctor does not look."""
    notes: tuple[str, ...]
    statements: tuple[str, ...]
    tables: tuple[str, ...] = ()
    """What it alters, of what is there; the role that runs it must own them."""
    locks: bool = True
    """Whether nobody else may use these tables meanwhile."""
    guards: tuple[Precondition, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """The step as ``--json`` prints it."""
        return {"title": self.title, "findings": list(self.findings), "sql": list(self.statements)}


@dataclass(frozen=True, slots=True)
class ManualStep:
    """What a migration cannot end, and who can."""

    finding: str
    text: str

    def as_dict(self) -> dict[str, str]:
        """The remark as ``--json`` prints it."""
        return {"finding": self.finding, "text": self.text}


@dataclass(frozen=True, slots=True)
class Migration:
    """The steps that a schema needs; none where it guarantees everything already."""

    generation: str
    schemas: Mapping[str, str]
    """The schema of each table."""
    steps: tuple[Step, ...]
    remarks: tuple[ManualStep, ...]

    @property
    def locked(self) -> list[str]:
        """The tables that nobody else may use until the end, in the order in which they are locked."""
        names = {table for step in self.steps if step.locks for table in step.tables}
        return [table for table in ORDER if table in names]

    @property
    def opening(self) -> tuple[str, ...]:
        """The statements that the transaction begins with."""
        return tuple(qualified(statement, self.schemas) for statement in migration_sql.opening(self.locked))

    def script(self) -> str:
        """The whole migration as SQL, with what people need to know as comments."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        if self.steps:
            yield from self._transaction()
        else:
            yield "-- nothing to do"
        if self.remarks:
            yield ""
            yield from _comment("What SQL in this schema cannot end:")
            for remark in self.remarks:
                yield from _comment(f"{remark.finding}: {remark.text}")

    def _transaction(self) -> Iterator[str]:
        yield from _comment(
            f"strongroom migrate: wallet tables of generation {self.generation}, to what a fresh database guarantees.",
            f"Steps: {len(self.steps)}, in one transaction: all or none. Run it as the tables' owner; twice is safe.",
            "With psql: -v ON_ERROR_STOP=1. A tool that begins transactions itself: leave out BEGIN and COMMIT.",
        )
        if self.locked:
            yield from _comment(
                f"From LOCK to COMMIT nobody else reads or writes {', '.join(self.locked)}.",
                f"Where the locks are not free within {migration_sql.LOCK_TIMEOUT} nothing is changed: run it again.",
            )
        yield ""
        yield from (f"{statement};" for statement in (BEGIN, *self.opening))
        for number, step in enumerate(self.steps, 1):
            yield ""
            yield from _comment(f"{number}. {step.title}")
            if step.findings:
                yield from _comment(f"   Ends: {', '.join(step.findings)}")
            yield from _comment(*(f"   {note}" for note in step.notes))
            yield from (f"{statement};" for statement in step.statements)
        yield ""
        yield "COMMIT;"


def _comment(*lines: str) -> Iterator[str]:
    """Comments, each on one line whatever a name in it holds."""
    for line in lines:
        yield f"-- {''.join(' ' if char in _BREAKS else char for char in line)}"


_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029\0"
