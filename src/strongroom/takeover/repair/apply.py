"""Carrying out a plan, unit by unit, each in one transaction.

Each unit is read, decided about, and written: its rows are read once, what is written is decided from them alone, and
under the locks of the write they are compared with what is there by then. A unit is done only where its rows have the
fingerprint that they had, and only as far as an examination now comes to the same actions. What was done is not needed
any more: a plan can be applied as often as one likes, and one that was cut off goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator

from strongroom.errors import ContentionError, OutcomeUnknownError, StrongroomError
from strongroom.records.usage_log import Attribution, Event, LogEntry
from strongroom.store.repair_store import SqlRepairStore
from strongroom.takeover.doctor.notes import ExaminationContext
from strongroom.takeover.repair.decision import Decider, Decision, exposes
from strongroom.takeover.repair.outcomes import UnitOutcome, UnitStatus
from strongroom.takeover.repair.phrase_repair import PhraseRepairer
from strongroom.takeover.repair.plan import Plan, Unit, require_offered
from strongroom.takeover.repair.unit_rows import UnitReader, UnitRows
from strongroom.usecases.context import VaultContext
from strongroom.usecases.events import write_event
from strongroom.usecases.outcome import ATTEMPTS
from strongroom.usecases.store_key import learn_rotation

_NOBODY = Attribution(reason="repair plan")


class Applier:
    """Carries out units. Raises InvalidPlanError where the plan has an action that it did not offer."""

    def __init__(
        self,
        vault_context: VaultContext,
        store: SqlRepairStore,
        examination_context: ExaminationContext,
        plan: Plan,
        actor: Attribution = _NOBODY,
    ) -> None:
        self._vault_context = vault_context
        self._store = store
        self._plan = plan
        self._actor = actor
        key = vault_context.keyring.plan_key(plan.kid)
        require_offered(key, plan)
        self._reader = UnitReader(vault_context, store, examination_context)
        self._decider = Decider(vault_context, examination_context, key)
        if examination_context.keys_of_others is not None:
            examination_context.keys_of_others.forget()  # what the plan read may be old
        self._phrases = PhraseRepairer(vault_context, key, actor)
        self._pending_outcome: UnitOutcome | None = None
        """How a unit ends once what is being written is committed."""

    def run(self) -> Iterator[UnitOutcome]:
        """Carry out every unit, in the order of the plan.

        What failed is tried once more at the end: two live wallets of one slot are in each other's way until one of
        them is retired.
        """
        done = 0
        for outcome in self._outcomes():
            done += len(outcome.done)
            yield outcome
        if done:
            write_event(self._store, Event("repair", self._actor, {"actions": str(done)}), self._vault_context.clock())

    def _outcomes(self) -> Iterator[UnitOutcome]:
        failed: list[Unit] = []
        for unit in self._plan.units:
            outcome = self._unit(unit)
            if outcome.status is UnitStatus.FAILED:
                failed.append(unit)
            else:
                yield outcome
        yield from map(self._unit, failed)

    def _unit(self, unit: Unit) -> UnitOutcome:
        """Compare-and-set: read and decide anew, at most ATTEMPTS times, where the rows changed or an outcome was lost.

        Not ``outcome.resolve``: after a lost outcome another look at the same unit tells how it ended.
        """
        if unit.is_of_phrase:
            return self._phrases.outcome(unit)
        lost: UnitOutcome | None = None
        changed = False
        self._pending_outcome = None
        try:
            for _ in range(ATTEMPTS):
                try:
                    outcome = self._once(unit)
                except OutcomeUnknownError:
                    lost = lost or self._pending_outcome  # a later look may see the half of what is being committed
                    continue
                if outcome is None:
                    continue
                if outcome.status is UnitStatus.CHANGED and not changed:
                    changed = True  # perhaps by somebody who did the same between two looks: what is left then?
                    continue
                if (
                    lost
                    and outcome.status in (UnitStatus.NOT_NEEDED, UnitStatus.CHANGED)
                    and not self._still_needs(unit)
                ):
                    return lost
                return outcome
        except StrongroomError as error:
            return UnitOutcome(unit, UnitStatus.FAILED, error=error)
        return UnitOutcome(unit, UnitStatus.FAILED, error=ContentionError("The rows changed several times in a row."))

    def _once(self, unit: Unit) -> UnitOutcome | None:
        """Read, decide, write. None where the rows changed between the first and the last."""
        rows = self._reader.read(unit)
        if rows.found.credential is None:
            return self._seal_entries(unit, rows)
        actions = self._decider.needed(unit, rows)
        if not actions:
            return UnitOutcome(unit, UnitStatus.NOT_NEEDED)
        if not self._decider.is_as_planned(unit, rows, actions):
            return UnitOutcome(unit, UnitStatus.CHANGED)
        learn_rotation(self._vault_context)  # texts are sealed, and tags made, under the key that seals by now
        decision = self._decider.decide(rows, actions)
        if self._decider.is_objected_to(rows, actions):
            return UnitOutcome(unit, UnitStatus.CHANGED)
        if not decision.changes:
            return UnitOutcome(unit, UnitStatus.CHANGED if self._still_needs(unit) else UnitStatus.NOT_NEEDED)
        return self._write(unit, rows, decision)

    def _write(self, unit: Unit, rows: UnitRows, decision: Decision) -> UnitOutcome | None:
        """Write it all in one transaction, if the rows that it was decided on are still the same."""
        did = ", ".join(f"{action.do} {action.code}" for action in decision.actions)
        details = {"did": did, **({"exposed": "true"} if decision.exposed else {})}
        entry, now = LogEntry("repair", self._actor, details), self._vault_context.clock()
        self._pending_outcome = UnitOutcome(unit, UnitStatus.DONE, decision.actions, exposed=decision.exposed)
        written = self._store.apply_changes(decision.wallet, rows.found, decision.changes, entry, now, decision.related)
        return self._pending_outcome if written else None

    def _seal_entries(self, unit: Unit, rows: UnitRows) -> UnitOutcome | None:
        """The same for a wallet of which only the history tells."""
        if not self._decider.is_as_planned(unit, rows, []):
            return UnitOutcome(unit, UnitStatus.CHANGED)
        sealed = self._decider.sealed_entries(unit, rows)
        if sealed is None:
            return UnitOutcome(unit, UnitStatus.CHANGED)
        if not sealed:
            return UnitOutcome(unit, UnitStatus.NOT_NEEDED)
        exposed = any(exposes(kept) for _, kept, _ in sealed)
        done = tuple(action for action, _, _ in sealed)
        self._pending_outcome = UnitOutcome(unit, UnitStatus.DONE, done, exposed=exposed)
        locked = {kept.id for _, kept, _ in sealed if not exposes(kept)}
        texts = [(kept, text) for _, kept, text in sealed]
        return self._pending_outcome if self._store.seal_kept(texts, locked, rows.related) else None

    def _still_needs(self, unit: Unit) -> bool:
        """Whether something of a unit is still to be done."""
        return bool(self._decider.needed(unit, self._reader.read(unit)))
