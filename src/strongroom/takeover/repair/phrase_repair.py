"""What a plan does about phrases of projects: a unit for each, whose actions are carried out a transaction each.

What makes each write safe under concurrent callers: a sealed text is compared and set on the one that was read, a row
on its version and tag; an account that has no row is inserted, and one that is there meanwhile stays. Nothing is
deleted: a text that gives way is kept in the history.
"""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import blake2b
from uuid import UUID

from strongroom.crypto import tags
from strongroom.errors import StrongroomError
from strongroom.records.phrases import AccountChange, PhraseRecord, StoredPhrase
from strongroom.records.usage_log import Attribution
from strongroom.secret import Secret
from strongroom.takeover.doctor.phrase_problems import AccountFix, Fix, MoveFix, PhraseProblem, RetireFix, TextFix
from strongroom.takeover.doctor.phrase_state import PhraseState
from strongroom.takeover.repair.actions import ORDER, Action
from strongroom.takeover.repair.outcomes import UnitOutcome, UnitStatus
from strongroom.takeover.repair.plan import Unit, signature
from strongroom.takeover.repair.planned_actions import PlannedActions
from strongroom.usecases.context import VaultContext
from strongroom.usecases.outcome import no_look, resolve
from strongroom.usecases.phrase_accounts import tagged
from strongroom.usecases.phrase_reading import phrase_event
from strongroom.usecases.phrase_rewrap import sealed_anew
from strongroom.usecases.store_key import learn_rotation
from strongroom.usecases.stray_phrases import StrayPhrases

_FINGERPRINT_BYTES = 32
_CHANGED = "The phrase changed several times in a row; it was left as it is."


def plan_phrases(context: VaultContext, planned: PlannedActions, units: list[Unit], choices: list[Unit]) -> None:
    """Add of each phrase what is done about it, and what may be chosen; what people have to do is left to them.

    Raises StoreError.
    """
    key, strays = context.keyring.plan_key(context.keyring.active_kid), StrayPhrases(context)
    for finding in planned.phrases.values():
        project_id, phrase_id = UUID(finding.source or ""), UUID(finding.row or "")
        state = PhraseState.read(context, project_id, phrase_id, strays)
        seen = _fingerprint(key, state)
        unit, choice = Unit(str(phrase_id), "", seen), Unit(str(phrase_id), "", seen)
        for problem in state.problems():
            action, automatic = _action(problem, project_id), problem.finding.automatic
            if action is not None:
                (unit if automatic else choice).actions.append(action)
            if problem.finding.is_of_phrase and not (action and automatic):  # a wallet's is a finding of its own
                planned.left.append(problem.finding.as_dict())
        for each, every in ((unit, units), (choice, choices)):
            each.actions.sort(key=lambda action: (ORDER.index(action.do), action.code, action.source or ""))
            each.actions[:] = [replace(action, fingerprint=signature(key, each, action)) for action in each.actions]
            every += [each] if each.actions else []


class PhraseRepairer:
    """Carries out units of phrases."""

    def __init__(self, context: VaultContext, key: Secret, actor: Attribution) -> None:
        self._context = context
        self._key = key
        self._actor = actor
        self._strays = StrayPhrases(context)

    def outcome(self, unit: Unit) -> UnitOutcome:
        """Do what is still called for, where the phrase's rows are what the plan saw."""
        done: list[Action] = []
        try:
            learn_rotation(self._context)
            state = self._state(unit)
            needed = {_name(problem): problem for problem in state.problems() if problem.fix is not None}
            actions = [action for action in unit.actions if _name_of(action) in needed]
            if not actions:
                return UnitOutcome(unit, UnitStatus.NOT_NEEDED)
            if _fingerprint(self._key, state) != unit.fingerprint:
                return UnitOutcome(unit, UnitStatus.CHANGED)
            for action in actions:
                if self._carry_out(unit, action, needed[_name_of(action)]):
                    done.append(action)
        except StrongroomError as error:
            return UnitOutcome(unit, UnitStatus.FAILED, tuple(done), error=error)
        return UnitOutcome(unit, UnitStatus.DONE if done else UnitStatus.NOT_NEEDED, tuple(done))

    def _carry_out(self, unit: Unit, action: Action, seen: PhraseProblem) -> bool:
        """Whether it was done; False where there was nothing left of it.

        ``seen`` is the problem as it was read: every wallet is derived once for a unit, and again only where a row was
        changed since, which its write finds.
        """
        known: PhraseProblem | None = seen

        def write(lost: bool) -> bool | None:
            nonlocal known
            problem, known = known, None
            if problem is None:
                problems = {_name(each): each for each in self._state(unit).problems()}
                problem = problems.get(_name_of(action))
            if problem is None or problem.fix is None:
                return lost
            return self._write(problem.fix) or None

        return resolve(write, no_look, contended=_CHANGED)

    def _state(self, unit: Unit) -> PhraseState:
        return PhraseState.read(self._context, UUID(unit.project_of_phrase), UUID(unit.credential_id), self._strays)

    def _write(self, fix: Fix) -> bool:
        match fix:
            case AccountFix():
                return self._count_anew(fix)
            case TextFix(old=StoredPhrase() as old):
                return self._put_text_back(old, fix)
            case TextFix():
                return self._put_row_back(fix)
            case RetireFix():
                return self._retire(fix.old, fix.new)
            case MoveFix():
                return self._move(fix.old, fix.new)

    def _count_anew(self, fix: AccountFix) -> bool:
        change = AccountChange(fix.old, tagged(self._context, fix.new))
        event = phrase_event("phrase-repair", fix.new, self._actor, did="account", to=str(fix.new.next_index))
        return self._context.store.phrases.count_anew(change, event, self._context.clock())

    def _put_text_back(self, old: StoredPhrase, fix: TextFix) -> bool:
        text = sealed_anew(self._context, fix.phrase, old)
        event = phrase_event("phrase-repair", fix.new, self._actor, did="text")
        return self._context.store.phrases.change_text(old, text, "repair", event, self._context.clock())

    def _put_row_back(self, fix: TextFix) -> bool:
        now = self._context.clock()
        empty = StoredPhrase(fix.new, tags.make("phrase", fix.new.fields(), self._context.keyring), "", now)
        text = sealed_anew(self._context, fix.phrase, empty)
        new = StoredPhrase(fix.new, empty.tag, text, now)
        event = phrase_event("phrase-repair", fix.new, self._actor, did="row")
        return self._context.store.phrases.insert(new, None, event, new.tag.kid, now)

    def _retire(self, old: StoredPhrase, new: PhraseRecord) -> bool:
        retired = new, tags.make("phrase", new.fields(), self._context.keyring)
        event = phrase_event("phrase-repair", new, self._actor, did="retire")
        return self._context.store.phrases.change(old, retired, event, self._context.clock())

    def _move(self, old: StoredPhrase, new: PhraseRecord) -> bool:
        moved = new, tags.make("phrase", new.fields(), self._context.keyring)
        event = phrase_event("phrase-repair", new, self._actor, did="move")
        return self._context.store.phrases.move(old, moved, event, self._context.clock())


def _action(problem: PhraseProblem, project_id: UUID) -> Action | None:
    finding, place = problem.finding, problem.place or ()
    if problem.fix is None or finding.table is None or finding.row is None:
        return None
    source = " ".join((str(project_id), *place))
    return Action(finding.repair, finding.code, finding.table, finding.row, finding.evidence, source)


def _name(problem: PhraseProblem) -> tuple[str, str, str]:
    return problem.finding.repair, *problem.name


def _name_of(action: Action) -> tuple[str, str, str]:
    return action.do, action.code, (action.source or "").partition(" ")[2]


def _fingerprint(key: Secret, state: PhraseState) -> str:
    """A keyed digest of a phrase's rows as they were seen, in hexadecimal."""
    stored = state.row.stored
    row = None if stored is None else [stored.record.fields(), stored.tag, stored.sealed_text]
    canonical = Secret.from_text(json.dumps([row, state.accounts.rows.digest]))
    return blake2b(canonical.reveal(), key=key.reveal(), digest_size=_FINGERPRINT_BYTES).hexdigest()
