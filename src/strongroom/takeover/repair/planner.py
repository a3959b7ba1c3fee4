"""Making a plan: what doctor found, and can be done about it, wallet by wallet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, islice
from uuid import UUID

from strongroom.errors import ConflictError, ContentionError, StrongroomError
from strongroom.store.inspection.inspection import FoundWallet
from strongroom.store.repair_store import SqlRepairStore
from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.cross_rows import ACROSS, SPREAD
from strongroom.takeover.doctor.diagnosis import Diagnosis
from strongroom.takeover.doctor.examination import examine
from strongroom.takeover.doctor.findings import VAULT, Finding
from strongroom.takeover.doctor.notes import Examination, ExaminationContext
from strongroom.takeover.doctor.readings import Readings
from strongroom.takeover.doctor.spool import IN_HISTORY
from strongroom.takeover.repair.actions import ORDER, Action, action_of, with_one_filled
from strongroom.takeover.repair.changes import ChangeBuilder
from strongroom.takeover.repair.coverage import uncovered
from strongroom.takeover.repair.duplicates import Rival, keeper_of, pairs, retire_for
from strongroom.takeover.repair.enum_words import leave_refused, objector
from strongroom.takeover.repair.phrase_repair import plan_phrases
from strongroom.takeover.repair.plan import NOTHING_LEFT, Plan, Unit, fingerprint, is_id, signature
from strongroom.takeover.repair.planned_actions import PlannedActions
from strongroom.takeover.repair.sources import digest, shown_of
from strongroom.takeover.repair.standing import is_of_another_slot, objection, read_standing
from strongroom.takeover.repair.unit_rows import read_anywhere, read_related
from strongroom.usecases.context import VaultContext
from strongroom.usecases.register import is_recorded_live

_BESIDE_IDENTITY = frozenset({"identity-changed", "wrong-label", "stored-flag-wrong", "live-after-revoke"})
"""What is done to a wallet whose identity is restored; the rest is done when it is, by the next plan."""
_OUT_OF_A_PASSWORD = frozenset({"legacy-envelope", "keystore", "key-in-metadata", "foreign-history"})
"""Findings about keys that anyone who copied the row need not have been able to read."""
_WRITES_NETWORK = frozenset({"seal", "fill", "move"})
_NO_UUID = "its id is no UUID, and strongroom names wallets by nothing else"
_NOT_FOUND = "no credential is found under its id"
_AFTER_IDENTITY = "it waits for the identity that is restored first: make another plan then"
_RIVALS = 64
"""Of how many wallets of one slot a plan is made."""


class Planner:
    """Turns a diagnosis into a plan. Reads; writes nothing.

    ``balances`` are told to people and decide nothing. ``chosen`` are pairs of ids, the one that stays and the one that
    is retired for it; those that were met are in ``met`` afterwards.
    """

    def __init__(
        self,
        vault_context: VaultContext,
        store: SqlRepairStore,
        examination_context: ExaminationContext,
        balances: Mapping[str, object],
        chosen: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._vault_context = vault_context
        self._store = store
        self._examination_context = examination_context
        self._balances = balances
        self._chosen = frozenset(chosen)
        self.met: set[tuple[str, str]] = set()

    def plan(self, diagnosis: Diagnosis, database: str, looked: Callable[[Iterator[str]], Iterator[str]]) -> Plan:
        """Make the plan; ``looked`` passes the ids of the wallets on, and may show how far they are."""
        planned = self._planned_actions(diagnosis)
        leave_refused(planned, objector(self._store.context.foreign_schema))
        for credential_id in list(planned.actions):
            self._require_standing(credential_id, planned)
        units = [
            unit
            for credential_id in looked(iter(planned.actions))
            if (unit := self._unit(credential_id, planned.actions[credential_id], planned)).actions
        ]
        choices = [
            unit for credential_id, action in planned.choices if (unit := self._unit(credential_id, [action])).actions
        ]
        plan_phrases(self._vault_context, planned, units, choices)
        units.sort(key=lambda unit: unit.rank)
        for finding, why in uncovered(diagnosis.spool, (*units, *choices), planned.left):
            planned.leave(finding, why)
        keys = self._vault_context.keyring
        return Plan(database, diagnosis.generation, keys.active_kid, units, planned.left, choices)

    def _require_standing(self, credential_id: str, planned: PlannedActions) -> None:
        """Leave what the register objects to: all that is planned for a wallet, or what writes its key."""
        wallet_id, requested = UUID(credential_id), planned.actions[credential_id]
        standing = read_standing(self._vault_context, wallet_id)
        why = objection(self._vault_context, standing, _together(requested, gone=False))
        if why:
            others = [action for action in requested if action.do not in _WRITES_NETWORK]
            if objection(self._vault_context, standing, others):
                others = []
            planned.leave_actions(credential_id, [action for action in requested if action not in others], why)
            planned.actions[credential_id] = others

    def _unit(self, credential_id: str, requested: Sequence[Action], planned: PlannedActions | None = None) -> Unit:
        """What is done to a wallet; what cannot be done together with it is left to people, and to the next plan."""
        key = self._vault_context.keyring.plan_key(self._vault_context.keyring.active_kid)
        found = self._store.read_wallet(UUID(credential_id)) or NOTHING_LEFT
        credential = found.credential
        shown = (
            ""
            if credential is None
            else self._examination_context.derivation.shown(credential.network, credential.address)
        )
        unit = Unit(credential_id, shown, fingerprint(key, found))
        if self._examination_context.has_access_level:
            requested = with_one_filled(requested, found.records)
        together = _together(requested, gone=credential is None)
        if planned is not None:
            why = _NOT_FOUND if credential is None else _AFTER_IDENTITY
            planned.leave_actions(credential_id, [action for action in requested if action not in together], why)
        related = read_related(self._store, self._examination_context.owners, together)
        for action in together:
            seen = replace(action, seen=digest(self._examination_context, key, action, related))
            unit.actions.append(replace(seen, fingerprint=signature(key, unit, seen)))
        return unit

    def _planned_actions(self, diagnosis: Diagnosis) -> PlannedActions:
        planned = PlannedActions()
        shared = [finding for finding in diagnosis.spool if finding.evidence.startswith(ACROSS)]
        planned.holders = {finding.credential_id or "" for finding in shared}
        planned.spread = {finding.credential_id or "" for finding in shared if finding.evidence in SPREAD}
        for code, findings in groupby(diagnosis.spool, key=lambda finding: finding.code):
            if code == "duplicate-live":
                for _, group in groupby(findings, key=lambda finding: finding.source):
                    self._of_duplicates(list(islice(group, _RIVALS + 1)), planned)
                continue
            for finding in (each for each in findings if not planned.takes_of_phrase(each)):
                self._of_finding(finding, planned)
        planned.left.extend(finding.as_dict() for finding in diagnosis.schema)
        return planned

    def _of_finding(self, finding: Finding, planned: PlannedActions) -> None:
        action = action_of(finding)
        if action is not None and not is_id(finding.credential_id or ""):
            planned.leave(finding, _NO_UUID)
            return
        if finding.code == "shared-key-vault-id" and action is not None and not self._must_unlink(finding):
            planned.leave(finding, "it keeps the vault id, where the others get one of their own")
            return
        if action is not None:
            why = self._objection(finding, action, planned)
            if why:
                planned.leave(finding, why, self._way_out(finding))
                return
        if action is not None and action.do == "fill":
            try:
                action = self._located(finding, action, planned)
            except ConflictError as error:
                planned.leave(finding, f"{error} {error.hint}", self._way_out(finding))
                return
            if action is None:
                why = "it does not open with what was given, or is another project's"
                planned.leave(finding, why, self._way_out(finding))
                return
        if action is not None:
            planned.add(str(finding.credential_id), action)
        elif not finding.automatic:  # else it is done by what is done about another finding of its wallet
            planned.left.append(finding.as_dict())

    def _way_out(self, finding: Finding) -> str:
        """What gets a missing key out that is not filled in."""
        if finding.repair != "fill" or not is_id(finding.credential_id or ""):
            return ""
        if IN_HISTORY in finding.evidence:
            return commands.restore(str(finding.credential_id))
        source = finding.source or ""
        found = self._store.look_at_record(source) if is_id(source) else None
        return "" if found is None else shown_of(found.records[0].text or "", source)

    def _objection(self, finding: Finding, action: Action, planned: PlannedActions) -> str:
        """Why an action is left to people after all: what it would seal may be another project's."""
        if finding.credential_id in planned.spread and (action.do == "fill" or finding.code in _OUT_OF_A_PASSWORD):
            return "its key or phrase is stored in several projects"
        if finding.code == "foreign-history" and is_id(action.row) and is_id(finding.credential_id or ""):
            kept = self._store.look_at_history(UUID(action.row))
            found = self._store.read_wallet(UUID(str(finding.credential_id)))
            credential = None if found is None else found.credential
            if kept is not None and credential is not None and kept.project_id != credential.project_id:
                return "the entry names another project than the wallet's"
        return ""

    def _must_unlink(self, finding: Finding) -> bool:
        """Of those that share a vault id, the one whose record has it keeps it; if none has, all get their own."""
        if not is_id(finding.row or ""):
            return False
        found = self._store.read_wallet(UUID(str(finding.row)))
        if found is None or found.credential is None or found.credential.key_vault_id is None:
            return False
        return bool(self._store.shares_vault_id(UUID(found.credential.id), found.credential.key_vault_id))

    def _located(self, finding: Finding, action: Action, planned: PlannedActions) -> Action | None:
        """A missing key with its place, where it can be had: doctor also counts sealed texts, opened or not."""
        if not is_id(finding.credential_id or ""):
            return None
        found = self._store.read_wallet(UUID(str(finding.credential_id)))
        if found is None or found.credential is None:
            return None
        related = read_anywhere(self._store, self._examination_context.owners, UUID(found.credential.id), action)
        try:
            located = ChangeBuilder(
                self._vault_context, self._examination_context, self._examine(found), related
            ).located(action)
        except (
            ContentionError,
            ConflictError,
        ):  # of the first: the keyring changed, and nothing of the plan would be right
            raise
        except StrongroomError:
            return None
        if located is not None and located.source_table == VAULT and located.source is not None:
            holder = self._store.look_at_record(located.source)
            if holder is None or holder.id in planned.holders:
                return None
        return located

    def _of_duplicates(self, findings: Sequence[Finding], planned: PlannedActions) -> None:
        """A key that the plan itself will bring counts as here: the units of those that give way come after its own."""
        rivals = [rival for finding in findings if (rival := self._rival(finding, planned)) is not None]
        objected = any(self._is_objected_to(rival) for rival in rivals)
        if len(rivals) != len(findings) or len(rivals) > _RIVALS or objected:
            planned.left.extend(finding.as_dict() for finding in findings)
            return
        chosen = [
            (keeper, loser)
            for keeper in rivals
            for loser in rivals
            if keeper.has_key and (keeper.id, loser.id) in self._chosen and keeper is not loser
        ]
        keeper = keeper_of(rivals)
        if keeper is not None:
            for finding, rival in zip(findings, rivals, strict=True):
                if rival is not keeper:
                    planned.add(rival.id, retire_for(keeper, rival, finding.evidence))
            self.met.update((one.id, other.id) for one, other in chosen if one is keeper)
            return
        settled = {loser.id for _, loser in chosen}
        for keeper, loser in chosen:
            self.met.add((keeper.id, loser.id))
            planned.add(loser.id, retire_for(keeper, loser, f"chosen: {keeper.address} stays"))
        open_still = [rival for rival in rivals if rival.id not in settled]
        if len(open_still) > 1:
            for rival in open_still:
                self._postpone(rival, planned)
            planned.choices.extend((loser.id, action) for loser, action in pairs(open_still, self._balances))
            planned.left.extend(finding.as_dict() for finding in findings if finding.row not in settled)

    def _is_objected_to(self, rival: Rival) -> bool:
        standing = read_standing(self._vault_context, UUID(rival.id))
        elsewhere = is_of_another_slot(standing, rival.examined)
        return elsewhere or bool(objection(self._vault_context, standing, [retire_for(rival, rival, "")]))

    def _postpone(self, rival: Rival, planned: PlannedActions) -> None:
        """In tables of ours a wallet whose network is put right would meet the unique index of its live rivals."""
        credential, target = rival.examined.credential, rival.examined.target
        if (
            not self._examination_context.ours
            or credential is None
            or target is None
            or credential.network == target.network.name
        ):
            return
        why = "it waits for the choice which of the live wallets of its slot stays"
        requested = planned.actions.get(rival.id, [])
        planned.leave_actions(rival.id, [action for action in requested if action.do in _WRITES_NETWORK], why)
        planned.actions[rival.id] = [action for action in requested if action.do not in _WRITES_NETWORK]

    def _rival(self, finding: Finding, planned: PlannedActions) -> Rival | None:
        found = self._store.read_wallet(UUID(str(finding.row))) if is_id(finding.row or "") else None
        if found is None or found.credential is None:
            return None
        examined = self._examine(found)
        credential, target = found.credential, examined.target
        network = credential.network if target is None else target.network.name
        named = self._store.named_by_slot(credential.project_id, network, credential.label) == credential.id
        has_key = any(held.known for held in examined.records) or planned.will_be_filled(credential.id)
        return Rival(credential.id, examined, has_key, named)

    def _examine(self, found: FoundWallet) -> Examination:
        examined = examine(self._examination_context, found, Readings.of(found))
        if found.credential is not None and is_id(found.credential.id):
            examined.registered = is_recorded_live(self._vault_context, UUID(found.credential.id))
        return examined


def _together(actions: Sequence[Action], *, gone: bool) -> list[Action]:
    """Actions of one wallet that can be carried out in one transaction, in their order."""
    if gone:
        actions = [action for action in actions if action.code == "foreign-history"]
    if any(action.code == "identity-changed" for action in actions):
        actions = [action for action in actions if action.code in _BESIDE_IDENTITY]
    return sorted(actions, key=lambda action: (ORDER.index(action.do), action.code, action.row))
