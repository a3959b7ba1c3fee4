"""Carrying out a plan, unit by unit, each in one transaction.

A unit is done only where its rows have the fingerprint that they had, and only as far as an examination now comes to
the same actions. What was done is not needed any more: a plan can be applied as often as one likes, and one that was
cut off goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from strongroom import sealing
from strongroom.doctor.examination import examine
from strongroom.doctor.findings import CREDENTIALS
from strongroom.doctor.key_texts import LOCKED, read
from strongroom.doctor.notes import Examined, Ground
from strongroom.doctor.readings import Readings
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
from strongroom.repair.plan import NOTHING_LEFT, Plan, Unit, fingerprint, is_id, require_offered
from strongroom.repair.sources import Sources
from strongroom.repair.standing import Standing
from strongroom.store.inspection.inspection import FoundWallet, KeptText
from strongroom.store.repair_changes import Beside
from strongroom.store.repair_store import RepairStore
from strongroom.usecases.outcome import ATTEMPTS
from strongroom.usecases.parts import Parts
from strongroom.usecases.register import is_recorded_live, recorded

_NOBODY = Actor(reason="repair plan")


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
    """Carries out units. Raises InvalidPlanError where the plan has an action that it did not offer."""

    def __init__(self, parts: Parts, store: RepairStore, ground: Ground, plan: Plan, actor: Actor = _NOBODY) -> None:
        self._parts = parts
        self._store = store
        self._ground = ground
        self._plan = plan
        self._actor = actor
        self._key = parts.keyring.plan_key(plan.kid)
        self._sources = Sources(store, ground, self._key)
        self._standing = Standing(parts, store)
        require_offered(self._key, plan)
        self._wanted: Outcome | None = None
        """How a unit ends once what is being written is committed."""

    def run(self) -> Iterator[Outcome]:
        """Carry out every unit, in the order of the plan.

        What failed is tried once more at the end: two live wallets of one slot are in each other's way until one of
        them is retired.
        """
        done = 0
        for outcome in self._outcomes():
            done += len(outcome.done)
            yield outcome
        if done:
            self._store.write_event(Event("repair", self._actor, {"actions": str(done)}), self._parts.clock())

    def _outcomes(self) -> Iterator[Outcome]:
        failed: list[Unit] = []
        for unit in self._plan.units:
            outcome = self._unit(unit)
            if outcome.ending is Ending.FAILED:
                failed.append(unit)
            else:
                yield outcome
        yield from map(self._unit, failed)

    def _unit(self, unit: Unit) -> Outcome:
        lost: Outcome | None = None
        changed = False
        self._wanted = None
        try:
            for _ in range(ATTEMPTS):
                try:
                    outcome = self._once(unit)
                except OutcomeUnknownError:
                    lost = lost or self._wanted  # a later look may see the half of what is being committed
                    continue
                if outcome is None:
                    continue
                if outcome.ending is Ending.CHANGED and not changed:
                    changed = True  # perhaps by somebody who did the same between two looks: what is left then?
                    continue
                if lost and outcome.ending in (Ending.NOT_NEEDED, Ending.CHANGED) and not self._wished(unit):
                    return lost
                return outcome
        except StrongroomError as error:
            return Outcome(unit, Ending.FAILED, error=error)
        return Outcome(unit, Ending.FAILED, error=ContentionError("The rows changed several times in a row."))

    def _once(self, unit: Unit) -> Outcome | None:
        """Try once; None where the rows changed between the look and the lock."""
        wallet_id = UUID(unit.credential_id)
        found = self._store.read_wallet(wallet_id)
        if found is None:
            return self._gone(unit)
        examined = self._examine(found)
        actions = self._needed(unit, examined)
        if not actions:
            return Outcome(unit, Ending.NOT_NEEDED)
        beside = Beside()
        if fingerprint(self._key, found) != unit.fingerprint or not self._are_as_seen(actions, beside):
            return Outcome(unit, Ending.CHANGED)
        mending = Mending(self._parts, self._store, self._ground, examined)
        changes = mending.changes(actions)
        if self._standing.objection(wallet_id, actions):  # after the register was read for the changes
            return Outcome(unit, Ending.CHANGED)
        if not changes:  # an entry of the history, or another wallet, may be another one since the look
            return Outcome(unit, Ending.CHANGED if self._wished(unit) else Ending.NOT_NEEDED)
        details = {"did": ", ".join(_names(actions)), **({"exposed": "true"} if mending.exposed else {})}
        entry = LogEntry("repair", self._actor, details)
        self._wanted = Outcome(unit, Ending.DONE, tuple(actions), exposed=mending.exposed)
        beside.update(mending.beside)
        if not self._store.apply_changes(mending.wallet, found, changes, entry, self._parts.clock(), beside):
            return None
        return self._wanted

    def _are_as_seen(self, actions: Sequence[Action], beside: Beside) -> bool:
        """Whether what the actions depend on beside their wallet is what it was; what was read is compared again."""
        return all(action.seen == self._sources.look(action, beside) for action in actions)

    def _wished(self, unit: Unit) -> list[Action]:
        """What of a unit is still to be done."""
        found = self._store.read_wallet(UUID(unit.credential_id))
        return [] if found is None else self._needed(unit, self._examine(found))

    def _examine(self, found: FoundWallet) -> Examined:
        examined = examine(self._ground, found, Readings.of(found))
        if found.credential is not None and is_id(found.credential.id):
            examined.registered = is_recorded_live(self._parts, UUID(found.credential.id))
        return examined

    def _needed(self, unit: Unit, examined: Examined) -> list[Action]:
        """The actions of a unit that the rows call for as they are now."""
        now = {action.name for finding in examined.findings if (action := action_of(finding)) is not None}
        open_now = {(finding.code, finding.row) for finding in (*examined.findings, *examined.conditional)}
        return [
            action
            for action in unit.actions
            if action.name in now
            or self._is_called_for(action, examined, open_now)
            or _is_beside_a_fill(action, unit, open_now)
        ]

    def _is_called_for(self, action: Action, examined: Examined, open_now: set[tuple[str, str | None]]) -> bool:
        """Of actions that other rows have a say in."""
        credential = examined.credential
        if credential is None:
            return False
        match action.do, action.code:
            case "fill", _:
                there = action.code == "missing-vault-record" or any(
                    held.record.id == action.row for held in examined.records
                )
                return there and (action.code, action.row) in open_now
            case "unlink", _:
                vault_id = credential.key_vault_id
                return vault_id is not None and self._store.shares_vault_id(UUID(credential.id), vault_id)
            case "retire", "duplicate-live":
                return credential.live and self._may_stay(action.source, examined)
            case "seal", "foreign-history":
                kept = self._store.look_at_history(UUID(action.row)) if is_id(action.row) else None
                owner = None if kept is None else (kept.form, kept.credential_id, kept.project_id)
                return owner == ("foreign", credential.id, credential.project_id)
        return False

    def _may_stay(self, keeper: str | None, retired: Examined) -> bool:
        """Whether the wallet for which another one is retired is live, of the same slot, and its key is here."""
        if keeper is None or not is_id(keeper):
            return False
        found = self._store.read_wallet(UUID(keeper))
        if found is None or found.credential is None or not found.credential.live or found.id == retired.wallet_id:
            return False
        keeping = [Action("retire", "duplicate-live", CREDENTIALS, keeper, "")]
        if self._standing.objection(UUID(keeper), keeping):
            return False
        stays = self._examine(found)
        same_slot = None not in (_slot(stays), _slot(retired)) and _slot(stays) == _slot(retired)
        return same_slot and any(held.known for held in stays.records)

    # --- wallets of which only the history tells ----------------------------------------------------------------

    def _gone(self, unit: Unit) -> Outcome | None:
        if fingerprint(self._key, NOTHING_LEFT) != unit.fingerprint:
            return Outcome(unit, Ending.CHANGED)
        done = []
        sealed = []
        for action in unit.actions:
            of_history = action.code == "foreign-history" and is_id(action.row)
            kept = self._store.look_at_history(UUID(action.row)) if of_history else None
            if kept is None or kept.form != "foreign" or kept.credential_id != unit.credential_id:
                continue
            if not self._are_as_seen([action], Beside()):
                return Outcome(unit, Ending.CHANGED)
            if self._standing.objection(UUID(unit.credential_id), [action]):
                return Outcome(unit, Ending.CHANGED)
            text = self._sealed_entry(kept)
            if text is not None:
                done.append(action)
                sealed.append((kept, text))
        if not done:
            return Outcome(unit, Ending.NOT_NEEDED)
        exposed = any(read(kept.text).kind not in LOCKED for kept, _ in sealed)
        self._wanted = Outcome(unit, Ending.DONE, tuple(done), exposed=exposed)
        return self._wanted if self._store.seal_kept(sealed) else None

    def _sealed_entry(self, kept: KeptText) -> str | None:
        """The text of an entry, sealed for the identity that the entry has, opened again and proved.

        Unless the register says that the wallet has that identity, it is kept aside: who wrote the entry chose it.
        """
        target = self._ground.derivation.target(kept.network, kept.address)
        found = self._ground.derivation.reading(read(kept.text), target)
        content, _ = open_text(self._ground, Examined(None, target), found)
        project_id, credential_id = kept.project_id or "", kept.credential_id or ""
        if target is None or content is None or content.material is None:
            return None
        if not (is_id(project_id) and is_id(credential_id)):
            return None
        identity = Identity(UUID(project_id), UUID(credential_id), target.network.name, target.address)
        keys = self._parts.keyring
        known = recorded(self._parts, identity.credential_id)
        said = None if known is None else known.record
        own = said is not None and (said.project_id, said.network, said.address) == (
            *(identity.project_id, identity.network, identity.address),
        )
        text = sealing.seal(content.material, identity, keys.active_kid, keys, aside=not own)
        opened = sealing.open_sealed(text, identity, keys, aside=not own)
        if target.network.public_half(opened.private_key, opened.scheme).address != target.address:
            raise DerivationMismatchError("What was sealed does not derive the address of its entry.")
        return text


def _is_beside_a_fill(action: Action, unit: Unit, open_now: set[tuple[str, str | None]]) -> bool:
    """Whether it retires a placeholder beside another one that the same unit fills."""
    if (action.do, action.code) != ("retire", "placeholder"):
        return False
    others = (each for each in unit.actions if each.row != action.row)
    filled = {(each.code, each.row) for each in others if each.is_in_a_placeholder}
    return (action.code, action.row) in open_now and not filled.isdisjoint(open_now)


def _slot(examined: Examined) -> tuple[str | None, str, str] | None:
    """Project, network and label, as far as there is a network that the address is valid on."""
    credential, target = examined.credential, examined.target
    return (
        None if credential is None or target is None else (credential.project_id, target.network.name, credential.label)
    )


def _names(actions: list[Action]) -> Iterator[str]:
    return (f"{action.do} {action.code}" for action in actions)
