"""Carrying out a plan, unit by unit, each in one transaction.

A unit is done only where its rows have the fingerprint that they had, and only as far as an examination now comes to
the same actions. What was done is not needed any more: a plan can be applied as often as one likes, and one that was
cut off goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from uuid import UUID

from strongroom import sealing
from strongroom.doctor.examination import Readings, examine
from strongroom.doctor.key_texts import read
from strongroom.doctor.notes import Examined, Ground
from strongroom.doctor.text_probes import open_text
from strongroom.errors import (
    ContentionError,
    DerivationMismatchError,
    OutcomeUnknownError,
    StrongroomError,
)
from strongroom.model import Actor, Event, Identity, LogEntry
from strongroom.repair.actions import Action, action_of
from strongroom.repair.changes import Mending
from strongroom.repair.plan import NOTHING_LEFT, Plan, Unit, fingerprint
from strongroom.store.inspection import FoundWallet, KeptText
from strongroom.store.repair_store import RepairStore
from strongroom.usecases.parts import Parts

_ATTEMPTS = 5


class Ending(Enum):
    """How a unit ended."""

    DONE = "done"
    NOT_NEEDED = "not needed"
    """Nothing of it is left to do: it was done before, or somebody else did it."""
    CHANGED = "changed since"
    """The rows are not what they were when the plan was made; left alone."""
    FAILED = "failed"
    """Refused by the database, or a key did not prove; nothing of the unit was done."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one unit."""

    unit: Unit
    ending: Ending
    done: tuple[Action, ...] = ()
    exposed: bool = False
    """Whether a key stood in clear that is sealed now."""
    error: StrongroomError | None = None


class Applier:
    """Carries out units."""

    def __init__(self, parts: Parts, store: RepairStore, ground: Ground, plan: Plan) -> None:
        self._parts = parts
        self._store = store
        self._ground = ground
        self._plan = plan
        self._key = parts.keyring.plan_key(plan.kid)

    def run(self) -> Iterator[Outcome]:
        """Carry out every unit, in the order of the plan."""
        done = 0
        for unit in self._plan.units:
            outcome = self._unit(unit)
            done += len(outcome.done)
            yield outcome
        if done:
            self._store.write_event(Event("repair", Actor(), {"actions": str(done)}), self._parts.clock())

    def _unit(self, unit: Unit) -> Outcome:
        lost = False
        try:
            for _ in range(_ATTEMPTS):
                try:
                    outcome = self._once(unit)
                except OutcomeUnknownError:
                    lost = True
                    continue
                if outcome is None:
                    continue
                if lost and outcome.ending in (Ending.NOT_NEEDED, Ending.CHANGED) and not self._wished(unit):
                    return replace(outcome, ending=Ending.DONE, done=tuple(unit.actions))
                return outcome
        except StrongroomError as error:
            return Outcome(unit, Ending.FAILED, error=error)
        return Outcome(unit, Ending.FAILED, error=ContentionError("The rows changed several times in a row."))

    def _once(self, unit: Unit) -> Outcome | None:
        """Try once; None where the rows changed between the look and the lock."""
        wallet_id = UUID(unit.credential_id)
        found = self._store.look(wallet_id)
        if found is None:
            return self._gone(unit)
        examined = self._examine(found)
        actions = self._needed(unit, examined)
        if not actions:
            return Outcome(unit, Ending.NOT_NEEDED)
        stored = self._parts.store.get(wallet_id)
        if fingerprint(self._key, found) != unit.fingerprint or stored is None:
            return Outcome(unit, Ending.CHANGED)
        mending = Mending(self._parts, self._store, self._ground, examined, stored)
        changes = mending.changes(actions)
        if not changes:
            return Outcome(unit, Ending.CHANGED)
        details = {"did": ", ".join(_names(actions)), **({"exposed": "true"} if mending.exposed else {})}
        entry = LogEntry("repair", Actor(reason="repair plan"), details)
        if not self._store.mend(mending.wallet, found, changes, entry, self._parts.clock(), mending.history):
            return None
        return Outcome(unit, Ending.DONE, tuple(actions), exposed=mending.exposed)

    def _wished(self, unit: Unit) -> list[Action]:
        """What of a unit is still to be done."""
        found = self._store.look(UUID(unit.credential_id))
        return [] if found is None else self._needed(unit, self._examine(found))

    def _examine(self, found: FoundWallet) -> Examined:
        return examine(self._ground, found, Readings.of(found))

    def _needed(self, unit: Unit, examined: Examined) -> list[Action]:
        """The actions of a unit that the rows call for as they are now."""
        now = {action.name for finding in examined.findings if (action := action_of(finding)) is not None}
        open_now = {(finding.code, finding.row) for finding in (*examined.findings, *examined.conditional)}
        return [
            action for action in unit.actions if action.name in now or self._is_called_for(action, examined, open_now)
        ]

    def _is_called_for(self, action: Action, examined: Examined, open_now: set[tuple[str, str | None]]) -> bool:
        """Of actions that other rows have a say in."""
        credential = examined.credential
        if credential is None:
            return False
        match action.do, action.code:
            case "fill", _:
                return (action.code, action.row) in open_now
            case "unlink", _:
                vault_id = credential.key_vault_id
                return vault_id is not None and self._store.shares_vault_id(UUID(credential.id), vault_id)
            case "retire", "duplicate-live":
                return credential.live and self._may_stay(action.source)
            case "seal", "foreign-history":
                kept = self._store.look_at_history(UUID(action.row))
                return kept is not None and kept.form == "foreign" and kept.credential_id == credential.id
        return False

    def _may_stay(self, keeper: str | None) -> bool:
        """Whether the wallet for which another one is retired is live, and its key is here."""
        found = None if keeper is None else self._store.look(UUID(keeper))
        if found is None or found.credential is None or not found.credential.live:
            return False
        return any(held.known for held in self._examine(found).records)

    # --- wallets of which only the history tells ----------------------------------------------------------------

    def _gone(self, unit: Unit) -> Outcome | None:
        if fingerprint(self._key, NOTHING_LEFT) != unit.fingerprint:
            return Outcome(unit, Ending.CHANGED)
        done = []
        for action in unit.actions:
            kept = self._store.look_at_history(UUID(action.row)) if action.code == "foreign-history" else None
            if kept is None or kept.form != "foreign" or kept.credential_id != unit.credential_id:
                continue
            text = self._sealed_entry(kept)
            if text is None:
                continue
            if not self._store.seal_kept(kept, text):
                return None
            done.append(action)
        ending = Ending.DONE if done else Ending.NOT_NEEDED
        return Outcome(unit, ending, tuple(done), exposed=bool(done))

    def _sealed_entry(self, kept: KeptText) -> str | None:
        """The text of an entry, sealed for the identity that the entry has, opened again and proved."""
        target = self._ground.derivation.target(kept.network, kept.address)
        found = self._ground.derivation.reading(read(kept.text), target)
        content, _ = open_text(self._ground, Examined(None, target), found)
        if target is None or content is None or content.material is None or kept.project_id is None:
            return None
        identity = Identity(UUID(kept.project_id), UUID(kept.credential_id or ""), target.network.name, target.address)
        keys = self._parts.keyring
        text = sealing.seal(content.material, identity, keys.active_kid, keys)
        opened = sealing.open_sealed(text, identity, keys)
        if target.network.public_half(opened.private_key, opened.scheme).address != target.address:
            raise DerivationMismatchError("What was sealed does not derive the address of its entry.")
        return text


def _names(actions: list[Action]) -> Iterator[str]:
    return (f"{action.do} {action.code}" for action in actions)
