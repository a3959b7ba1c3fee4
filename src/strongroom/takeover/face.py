"""The face of doctor, repair, guard, migrate and upgrade: what takes a database over, one verb at a time.

The command line prints what these verbs return, and a server can call the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from strongroom.crypto.keyring import Keyring
from strongroom.errors import (
    ContentionError,
    FindingNotFoundError,
    InvalidPlanError,
    InvalidRequestError,
    TamperingFindingError,
    UnmetChoiceError,
)
from strongroom.networks.curves.paths import spelled
from strongroom.records.acknowledgements import Acknowledgement
from strongroom.records.guard import GuardStatus
from strongroom.records.identifiers import check_project_id, check_wallet_id
from strongroom.records.usage_log import Attribution
from strongroom.secret import Secret
from strongroom.store.catalog.location import SEARCHED
from strongroom.store.guard.names import MODES
from strongroom.store.migrations.distribution import DistributionStep
from strongroom.takeover.doctor.acknowledgements import evidence_of
from strongroom.takeover.doctor.findings import TAMPERING
from strongroom.takeover.doctor.passwords import Passwords
from strongroom.takeover.doctor.wallet_owners import WalletOwners
from strongroom.takeover.migrate.migration import Step
from strongroom.takeover.openers import Openers
from strongroom.takeover.progress import ProgressCallback, reported, warn_of
from strongroom.takeover.repair import plan as plans
from strongroom.takeover.repair.acceptance import end_acceptance
from strongroom.takeover.repair.apply import Applier
from strongroom.takeover.repair.outcomes import UnitOutcome, UnitStatus
from strongroom.takeover.repair.planner import Planner
from strongroom.takeover.repair.report import all_exposed
from strongroom.takeover.results import (
    DoctorReport,
    MigrationPlan,
    RepairPlan,
    RepairReport,
    UpgradeReport,
    UpgradeStart,
)
from strongroom.takeover.upgrading import Decide, tag_records
from strongroom.usecases.acknowledge import acknowledge
from strongroom.usecases.context import VaultContext
from strongroom.usecases.upgrade import set_accept_foreign


def read_plan(path: str | Path) -> RepairPlan:
    """Read a plan that was written from ``RepairPlan.json_pieces``, and perhaps edited. Raises InvalidPlanError."""
    return RepairPlan(plans.load(Path(path)))


class Takeover:
    """Looks at wallet tables, of the legacy application or of strongroom, repairs them, and guards what is in them.

    It holds no connection between two verbs and may be used by several threads. Every verb raises StoreError where the
    database fails, and the errors of ``strongroom.open`` for settings and root key where it needs them. ``actor`` and
    ``reason`` go into the usage log, as for the verbs of a vault. Passwords are those of old schemes: of PBKDF2
    envelopes (``legacy_password``) and of Web3 keystores (``keystore_password``), as Secret or text.
    """

    def __init__(self, openers: Openers) -> None:
        self._open = openers

    # --- doctor -------------------------------------------------------------------------------------------------

    def diagnose(
        self,
        *,
        project_id: UUID | str | None = None,
        since: str | None = None,
        legacy_password: Secret | str | None = None,
        keystore_password: Secret | str | None = None,
        paths: Sequence[str] = (),
        progress: ProgressCallback | None = None,
        partial_on_interrupt: bool = False,
    ) -> DoctorReport:
        """Look at every wallet and say what is wrong, and what can be saved. Changes nothing.

        Needs no init and no root key; with a root key, sealed texts are proved too. Memory stays flat.

        Args:
            project_id: only this project's wallets.
            since: the ``last_id`` of a report that was not complete.
            paths: derivation paths, such as ``m/44'/60'/0'/0/5``, that are tried before those that wallets use.
            progress: called for each wallet, with step ``looking``.
            partial_on_interrupt: KeyboardInterrupt ends the run with a report that is not ``complete``; else it is
                raised.

        Close the report, or use it as a context manager. Raises NotInitializedError and ForeignSchemaError where there
        are no wallets to look at, RootKeyError where the root key does not open the keyring.
        """
        project = None if project_id is None else check_project_id(project_id)
        passwords = _passwords(legacy_password, keystore_password)
        legacy_password = keystore_password = None  # text, if it was: error reporters send local variables along
        with ExitStack() as stack:
            doctor = stack.enter_context(self._open.doctor(passwords, project, _paths(paths)))
            looking = doctor.run(since)
            try:
                for _ in reported(progress, looking, "looking", lambda: doctor.diagnosis.credentials):
                    pass
            except KeyboardInterrupt:
                if not partial_on_interrupt:
                    raise
                looking.close()
            return DoctorReport.of(doctor, stack.pop_all())

    def acknowledge(
        self, report: DoctorReport, names: Iterable[str], *, reason: str, lasting: timedelta, actor: str | None = None
    ) -> tuple[Acknowledgement, ...]:
        """Write down that findings of a report are known, one event each; they are not ``new`` until then.

        ``names`` are those of ``Finding.name``. What says something else later is new again. Raises
        FindingNotFoundError, TamperingFindingError for what may be tampering; then nothing was written.
        """
        wanted = frozenset(names)
        who = Attribution.of(actor, reason, required=True)
        there = [each for each in (*report.schema, *report.findings()) if each.name in wanted]
        if {each.name for each in there} != wanted:
            raise FindingNotFoundError("There is no such finding.")
        if any(each.code in TAMPERING for each in there):
            raise TamperingFindingError("What may be tampering cannot be acknowledged.")
        until = datetime.now(UTC).replace(microsecond=0) + lasting
        known = tuple(Acknowledgement(each.name, evidence_of(each), until, str(who.actor), reason) for each in there)
        vault_context = self._open.vault()
        try:
            acknowledge(vault_context, known)
        finally:
            vault_context.close()
        return known

    # --- repair -------------------------------------------------------------------------------------------------

    def plan(
        self,
        *,
        keep: Sequence[tuple[UUID | str, UUID | str]] = (),
        balances: Mapping[str, str] | None = None,
        legacy_password: Secret | str | None = None,
        keystore_password: Secret | str | None = None,
        paths: Sequence[str] = (),
        progress: ProgressCallback | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> RepairPlan:
        """Say what a repair would do, wallet by wallet. Changes nothing; needs an initialised vault and its root key.

        Args:
            keep: pairs of two live wallets of one slot: the one that stays, and the one that is retired for it.
            balances: an address and what it holds, in any unit; told where something is to be chosen, decides nothing.
            progress: called with the steps ``looking`` and ``planning``.
            warn: called with each of the plan's warnings as soon as it is known.

        Raises UnmetChoiceError where a pair of ``keep`` is not one that the rows offer, ContentionError where another
        process made a sealing key meanwhile.
        """
        passwords = _passwords(legacy_password, keystore_password)
        legacy_password = keystore_password = None  # text, if it was: error reporters send local variables along
        chosen = [(str(check_wallet_id(stays)), str(check_wallet_id(goes))) for stays, goes in keep]
        held = {address.lower(): amount for address, amount in (balances or {}).items()}
        tried = _paths(paths)
        with self._open.repair(passwords, tried) as session, self._open.doctor(passwords, None, tried) as doctor:
            diagnosis = doctor.diagnosis
            for _ in reported(progress, doctor.run(), "looking", lambda: diagnosis.credentials):
                pass
            database = session.vault_context.store.status().database
            warn_of(warn, session.warnings)
            keys = session.vault_context.keyring.reloading(partial(_unchanged, session.vault_context))
            vault_context = replace(session.vault_context, keyring=keys)
            owners = WalletOwners(vault_context)
            examination_context = replace(session.examination_context, keyring=keys, owners=owners)
            planner = Planner(vault_context, session.store, examination_context, held, chosen)
            made = planner.plan(
                diagnosis, database, lambda ids: reported(progress, ids, "planning", lambda: diagnosis.credentials)
            )
        if not planner.met.issuperset(chosen):
            raise UnmetChoiceError("Two wallets to choose from are not live in one slot, or the first has no key here.")
        return RepairPlan(made, tuple(session.warnings))

    def apply(
        self,
        plan: RepairPlan,
        *,
        legacy_password: Secret | str | None = None,
        keystore_password: Secret | str | None = None,
        paths: Sequence[str] = (),
        actor: str | None = None,
        reason: str = "repair plan",
        progress: ProgressCallback | None = None,
        warn: Callable[[str], None] | None = None,
        report: Callable[[RepairReport], None] | None = None,
    ) -> RepairReport:
        """Do what a plan says and no more, each wallet in one transaction. May be repeated, and goes on where it was.

        Deletes no row, replaces no key by another, invents none. A wallet whose rows are not what the plan saw is left
        as it is. ``progress`` is called with the step ``repairing``. ``report`` is called before the database is
        closed, and also where an error, which is raised then, ended the repair: with what was done so far.

        Raises InvalidPlanError where the plan has an action that it did not offer; nothing was changed then.
        """
        if not isinstance(plan, RepairPlan):
            raise InvalidPlanError("This is not a repair plan: `plan` makes one, `read_plan` reads one.")
        wanted, who = plan.plan, Attribution.of(actor, reason)
        outcomes: list[UnitOutcome] = []
        ended = False
        passwords = _passwords(legacy_password, keystore_password)
        legacy_password = keystore_password = None  # text, if it was: error reporters send local variables along
        with self._open.repair(passwords, _paths(paths)) as session:
            vault_context, store = session.vault_context, session.store
            database = vault_context.store.status().database
            if database != wanted.database:
                warn_of(warn, [f"The plan was made for {wanted.database}, this is {database}."])
            warn_of(warn, session.warnings)
            applier = Applier(vault_context, store, session.examination_context, wanted, who)
            try:
                for outcome in reported(progress, applier.run(), "repairing", lambda: len(wanted.units)):
                    outcomes.append(outcome)
                if any(outcome.status is UnitStatus.DONE for outcome in outcomes):
                    ended = end_acceptance(vault_context, who)
            finally:
                made = RepairReport.of(
                    outcomes,
                    all_exposed(outcomes, store.exposed(), session.examination_context.derivation),
                    database,
                    vault_context.clock(),
                    session.warnings,
                    acceptance_ended=ended,
                    sqlite=store.context.database.sqlite,
                )
                if report is not None:
                    report(made)
        return made

    # --- guard --------------------------------------------------------------------------------------------------

    def guard_script(self, mode: str = "archive") -> str:
        """The SQL that ``install_guard`` runs; run it in one transaction. Changes nothing.

        ``mode`` is ``archive``, which keeps what would be lost, or ``refuse``, which refuses the write. Like all verbs
        of the guard it needs an initialised database and no root key. Raises ForeignSchemaError where ids are no UUIDs.
        """
        with closing(self._open.guard()) as guard:
            return str(guard.script(_mode(mode)))

    def install_guard(self, mode: str = "archive") -> GuardStatus:
        """Install the guard, repair it, or change its mode, in one transaction, and say what is there now.

        Raises ContentionError where the tables' locks did not become free, StoreRefusedError where the role may not do
        it; nothing was changed then. After OutcomeUnknownError it may have been: ``guard_status`` says so.
        """
        with closing(self._open.guard()) as guard:
            return guard.install(_mode(mode))

    def remove_guard(self) -> bool:
        """Drop exactly what was installed, in one transaction; False where there was nothing. Errors as for install."""
        with closing(self._open.guard()) as guard:
            return guard.remove()

    def guard_status(self) -> GuardStatus:
        """What is installed, part by part."""
        with closing(self._open.guard()) as guard:
            return guard.status()

    # --- migrate ------------------------------------------------------------------------------------------------

    def plan_migration(self) -> MigrationPlan:
        """Say what wallet tables need to guarantee what fresh ones do. Changes nothing; needs no init, no root key.

        Raises NotInitializedError where there are no wallet tables, ForeignSchemaError for a file of SQLite whose
        tables somebody changed.
        """
        return MigrationPlan(self._open.migrator())

    def migrate(
        self,
        plan: MigrationPlan,
        *,
        actor: str | None = None,
        reason: str | None = None,
        done: Callable[[Step], None] | None = None,
    ) -> bool:
        """Carry a migration out, in one transaction; whether there was anything to do.

        Run it as the tables' owner. ``done`` is called after each step, before the commit, and from the first step on
        again where the transaction is repeated. Raises MigrationBlockedError with what stands in its way,
        RowsHiddenError, ContentionError, StoreRefusedError; nothing was changed then. After OutcomeUnknownError it may
        have been: make another plan.
        """
        plan.migrator.apply(done or _ignore, Attribution.of(actor, reason))
        return bool(plan.steps)

    # --- distribute ---------------------------------------------------------------------------------------------

    def distribution_steps(self) -> list[DistributionStep]:
        """What is still to be done to distribute the tables over the nodes of a Citus cluster. Changes nothing.

        Each step has ``about``, what it does, and ``sql``, what runs it; ``statements`` are those of its transaction.
        Raises UnsupportedDatabaseError without Citus, DistributionRefusedError with all that stands in the way.
        """
        with closing(self._open.distributor()) as distributor:
            return distributor.steps()

    def distribute(self, done: Callable[[DistributionStep], None] | None = None) -> int:
        """Distribute them, a transaction a step; how many steps there were. A run that ends early is continued.

        ``done`` is called after each step. Raises as ``distribution_steps``, and StoreError, whose message says which
        step failed: nothing of that one was changed (unless the outcome is unknown), and those before it are done.
        """
        with closing(self._open.distributor()) as distributor:
            return distributor.apply(done or _ignore)

    # --- upgrade ------------------------------------------------------------------------------------------------

    def upgrade(
        self,
        *,
        accept: Sequence[UUID | str] = (),
        leave_undecided: bool = False,
        accept_foreign: bool | None = None,
        move_to: str | None = None,
        actor: str | None = None,
        reason: str | None = None,
        started: Callable[[UpgradeStart], None] | None = None,
        decide: Decide | None = None,
        progress: ProgressCallback | None = None,
    ) -> UpgradeReport:
        """Bring strongroom's own tables up to date and tag what older versions wrote; wallet tables stay as they are.

        Online and resumable: what was tagged stays tagged. Needs the root key.

        Args:
            accept: wallets whose label and state are taken as they are found.
            leave_undecided: finish although wallets are undecided: they are refused until they are accepted.
            accept_foreign: whether wallets of legacy tables that nothing proves are returned; None changes nothing.
            move_to: the PostgreSQL schema that strongroom's tables are moved to.
            started: called when the tables are up to date, before records are looked at.
            decide: asked for each wallet whose rows contradict each other; True takes its row as it is found.
            progress: called with the step ``tagging``.
        """
        who, accepted = Attribution.of(actor, reason), [check_wallet_id(each) for each in accept]
        opened = self._open.upgrade(who, accepted, move_to)
        try:
            start = UpgradeStart(
                migrated=opened.migrated, moved=opened.moved, searched=move_to is None or move_to in SEARCHED
            )
            if started is not None:
                started(start)
            results, finished = tag_records(
                opened, accepted, who, leave_undecided=leave_undecided, decide=decide, progress=progress
            )
            switched = accept_foreign is not None and set_accept_foreign(opened.vault_context, accept_foreign, who)
            accepts = opened.vault_context.accepts_foreign
        finally:
            opened.vault_context.close()
        return UpgradeReport(
            start=start, results=tuple(results), finished=finished, accepts_foreign=accepts, switched=switched
        )


def _passwords(legacy: Secret | str | None, keystore: Secret | str | None) -> Passwords:
    return Passwords(Secret.optional(legacy), Secret.optional(keystore))


def _paths(paths: Sequence[str]) -> tuple[str, ...]:
    """Derivation paths in their canonical form. Raises InvalidPathError."""
    return tuple(spelled(path) for path in paths)


def _mode(mode: str) -> str:
    if mode not in MODES:
        raise InvalidRequestError(f"The guard has no such mode: {', '.join(MODES)} are.")
    return mode


def _unchanged(vault_context: VaultContext) -> Keyring:
    """The keyring of a plan, which may name a sealing key that is none of it; only where another one was made meanwhile
    is the plan overtaken. The root key is not called: doctor's transaction is open.

    Raises ContentionError.
    """
    rows, keys = vault_context.store.keyring.read_keyring(), vault_context.keyring
    if rows is None or rows.head is None or rows.head.record != keys.head:
        raise ContentionError("The keyring changed while the plan was made; nothing was changed. Call again.")
    return keys


def _ignore(_: object) -> None:
    return None
