"""What the verbs of a takeover return: frozen records of what was found, planned and done, without secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Self

from strongroom.errors import StrongroomError
from strongroom.records.acknowledgements import Acknowledgement
from strongroom.takeover.doctor.doctor import Doctor
from strongroom.takeover.doctor.findings import Finding
from strongroom.takeover.doctor.state import State
from strongroom.takeover.migrate.migration import ManualStep, Step
from strongroom.takeover.migrate.session import Migrator
from strongroom.takeover.repair import plan as plans
from strongroom.takeover.repair import report
from strongroom.takeover.repair.outcomes import UnitOutcome, UnitStatus
from strongroom.usecases.accept import UpgradeResult


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a verb is; what a ``progress`` callback gets, in the thread that called the verb."""

    step: str
    """``looking``, ``planning``, ``repairing`` or ``tagging``."""
    done: int
    """Wallets or records that are done."""
    total: int
    """How many there are; an estimate while others write."""
    finished: bool = False
    """Whether this is the step's last report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorReport:
    """What doctor found. Findings are in a file, and the database is open for reading, until the report is closed.

    It is a context manager. On PostgreSQL what it reads is one snapshot, which holds back VACUUM until it is closed.
    """

    generation: str
    """Whose tables they are: ``fresh`` for strongroom's own, else ``g1`` to ``g4`` or ``other``."""
    credentials: int
    """How many there are, not how many were looked at."""
    vault_records: int
    readable: bool
    """False where row-level security hid the wallets: then nothing is said about them."""
    states: Mapping[str, int]
    """Wallets by the state of their keys: ``safe``, ``recoverable``, ``undecided``, ``unexplained`` or ``lost``."""
    exposed: int
    """How many wallets have a key in plaintext."""
    proved: bool
    """Whether sealed texts were opened, because there was a root key."""
    complete: bool
    """Whether the run came to its end."""
    last_id: str | None
    """The last wallet that was looked at: ``since`` of a run that goes on."""
    repairable: bool
    """Whether a repair works on these tables; False where their ids are of other types than strongroom's."""
    schema: tuple[Finding, ...]
    """Findings about the schema and the server."""
    notes: tuple[Finding, ...]
    """What should be known, and makes nothing unhealthy."""
    summary: Mapping[str, int]
    """Number of findings by code, those about the schema too, in the order of the reference."""
    row_findings: int
    """Number of findings about rows."""
    _doctor: Doctor = field(repr=False)
    _opened: ExitStack = field(repr=False)

    @classmethod
    def of(cls, doctor: Doctor, opened: ExitStack) -> Self:
        """The report of a run that has ended; ``opened`` is closed with it."""
        found = doctor.diagnosis
        return cls(
            generation=found.generation,
            credentials=found.credentials,
            vault_records=found.vault_records,
            readable=found.readable,
            states=MappingProxyType({state.value: found.states[state] for state in State}),
            exposed=found.exposed,
            proved=found.proved,
            complete=found.complete,
            last_id=found.last_id,
            repairable=found.spool.other_ids is None or not found.spool.other_ids.every,
            schema=tuple(found.schema),
            notes=tuple(found.notes),
            summary=MappingProxyType(found.summary()),
            row_findings=sum(found.spool.counts.values()),
            _doctor=doctor,
            _opened=opened,
        )

    @property
    def healthy(self) -> bool:
        """Whether there are no findings, neither of rows nor of the schema."""
        return not self.summary

    @property
    def looked_at(self) -> int:
        """How many credentials were looked at."""
        return sum(self.states.values())

    def findings(self) -> Iterator[Finding]:
        """Findings about rows, one at a time; there may be more than fit into memory."""
        return iter(self._doctor.diagnosis.spool)

    def placed(self) -> Iterator[Finding]:
        """The same, with project, network and address as the rows say them now. Raises StoreError."""
        return self._doctor.placed(self._doctor.diagnosis.spool)

    def acknowledgement(self, finding: Finding) -> Acknowledgement | None:
        """Who knows of a finding, as it is said now, and until when; None: it is new."""
        return self._doctor.diagnosis.acknowledged.of(finding)

    def unacknowledged(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Those of findings that nobody acknowledged."""
        return self._doctor.diagnosis.acknowledged.new(findings)

    def new(self) -> Mapping[str, int]:
        """Number of findings by code that nobody acknowledged, those about the schema too."""
        return self._doctor.diagnosis.new()

    def close(self) -> None:
        """Forget the findings and give the connection back; closing twice is harmless."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """What a repair would do: for people to read first, and to strike from. Holds no secret."""

    plan: plans.Plan = field(repr=False)
    warnings: tuple[str, ...] = ()
    """What people should know before they apply it."""

    @property
    def database(self) -> str:
        """The database that it was made for, without a password."""
        return self.plan.database

    @property
    def wallets(self) -> int:
        """How many wallets, and phrases of projects, something is done to."""
        return len(self.plan.units)

    @property
    def actions(self) -> dict[str, int]:
        """Number of actions by what they do: ``seal``, ``fill``, ``move``, ``relabel``, ``retire``, ``unlink``."""
        counts: dict[str, int] = {}
        for unit in self.plan.units:
            for action in unit.actions:
                counts[action.do] = counts.get(action.do, 0) + 1
        return counts

    @property
    def choices(self) -> int:
        """How many pairs of live wallets there are of which a person may choose the one that stays."""
        return len(self.plan.choices)

    @property
    def left(self) -> int:
        """How many findings are left to people."""
        return len(self.plan.left)

    def json_pieces(self) -> Iterator[str]:
        """The plan as a JSON document, piece by piece: what ``read_plan`` reads."""
        return plans.lines(self.plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """What applying a plan did, as far as it came."""

    database: str
    at: datetime
    wallets: Mapping[str, int]
    """Number of wallets by how they ended: ``done``, ``not needed``, ``changed since``, ``failed``."""
    errors: tuple[tuple[str, StrongroomError], ...]
    """Credential id and reason of each wallet that failed with one."""
    exposed: tuple[tuple[str, str], ...]
    """Credential id and address of each key that was stored in plaintext, in earlier runs too: move its funds."""
    acceptance_ended: bool
    """Whether unproved wallets are no longer returned: every live one is in the register now."""
    warnings: tuple[str, ...]
    document: Mapping[str, Any] = field(repr=False)
    """The report as JSON-ready values."""

    @classmethod
    def of(
        cls,
        outcomes: Sequence[UnitOutcome],
        exposed: Sequence[tuple[str, str]],
        database: str,
        at: datetime,
        warnings: Sequence[str],
        *,
        acceptance_ended: bool,
        sqlite: bool,
    ) -> Self:
        """Make the report from the outcome of each unit and the addresses whose keys were in plaintext."""
        document = report.as_dict(outcomes, exposed, database, at, acceptance_ended=acceptance_ended, sqlite=sqlite)
        failed = [(each.unit.credential_id, each.error) for each in outcomes]
        return cls(
            database=database,
            at=at,
            wallets=MappingProxyType(report.counts(outcomes)),
            errors=tuple((wallet_id, error) for wallet_id, error in failed if error is not None),
            exposed=tuple(exposed),
            acceptance_ended=acceptance_ended,
            warnings=tuple(warnings),
            document=MappingProxyType(document),
        )

    @property
    def left_out(self) -> int:
        """How many wallets of the plan were left as they are, because they changed since or failed."""
        return self.wallets[UnitStatus.CHANGED.value] + self.wallets[UnitStatus.FAILED.value]

    def json_pieces(self) -> Iterator[str]:
        """The report as a JSON document, piece by piece."""
        return report.json_pieces(dict(self.document))

    def html_pieces(self) -> Iterator[str]:
        """The report as one HTML page that loads nothing, piece by piece."""
        return report.page(dict(self.document))


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """What legacy wallet tables need to guarantee what fresh ones do. Nothing was changed to make it."""

    migrator: Migrator = field(repr=False)

    @property
    def generation(self) -> str:
        """``g1`` to ``g4``: the generation of the legacy tables; ``fresh`` for tables of ours."""
        return self.migrator.migration.generation

    @property
    def steps(self) -> tuple[Step, ...]:
        """The changes, in their order; none where the tables guarantee everything already."""
        return self.migrator.migration.steps

    @property
    def remarks(self) -> tuple[ManualStep, ...]:
        """What SQL in this schema cannot end, and who can."""
        return self.migrator.migration.remarks

    @property
    def warnings(self) -> tuple[str, ...]:
        """What people should know before it is applied."""
        return tuple(self.migrator.warnings)

    def script(self) -> str:
        """The whole migration as SQL, with comments for people."""
        return self.migrator.migration.script()


@dataclass(frozen=True, slots=True)
class UpgradeStart:
    """What an upgrade did to the tables before it looked at their records."""

    migrated: bool
    """Whether strongroom's own tables were changed."""
    moved: bool
    """Whether they were moved to another schema."""
    searched: bool = True
    """Whether a vault is looked for in that schema where no setting names it, wherever the search_path leads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeReport:
    """What an upgrade changed: tables, tags of records, and what is accepted from now on."""

    start: UpgradeStart
    results: tuple[UpgradeResult, ...]
    """One for each record that was looked at."""
    finished: bool
    """Whether a record without a tag is refused from now on."""
    accepts_foreign: bool
    """Whether wallets of legacy tables that nothing proves are returned."""
    switched: bool
    """Whether this call changed that."""

    @property
    def undecided(self) -> tuple[UpgradeResult, ...]:
        """Those that were not tagged."""
        return tuple(each for each in self.results if not each.tagged)
