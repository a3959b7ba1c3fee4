"""Making a plan: what doctor found, and can be done about it, wallet by wallet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any
from uuid import UUID

from strongroom.doctor.diagnosis import KEY_IS_HERE, Diagnosis
from strongroom.doctor.examination import Readings, examine
from strongroom.doctor.findings import Finding
from strongroom.doctor.notes import Ground
from strongroom.errors import KeyMissingError, StrongroomError
from strongroom.model import StoredWallet
from strongroom.repair.actions import ORDER, Action, action_of, retire_duplicate
from strongroom.repair.changes import Mending
from strongroom.repair.plan import NOTHING_LEFT, Plan, Unit, fingerprint, is_id
from strongroom.store.repair_store import RepairStore
from strongroom.usecases.foreign import network_of, resolved
from strongroom.usecases.parts import Parts

_BESIDE_IDENTITY = frozenset({"identity-changed", "wrong-label", "stored-flag-wrong", "live-after-revoke"})
"""What is done to a wallet whose identity is restored; the rest is done when it is, by the next plan."""


@dataclass(slots=True)
class Wishes:
    """What is wished for each wallet, and what is left to people."""

    actions: dict[str, list[Action]] = field(default_factory=dict)
    left: list[dict[str, Any]] = field(default_factory=list)

    def add(self, credential_id: str, action: Action) -> None:
        """Wish for an action."""
        self.actions.setdefault(credential_id, []).append(action)

    def will_be_filled(self, credential_id: str | None) -> bool:
        """Whether a wallet's missing key comes into its record."""
        return any(action.do == "fill" for action in self.actions.get(credential_id or "", ()))


class Planner:
    """Turns a diagnosis into a plan. Reads; writes nothing."""

    def __init__(self, parts: Parts, store: RepairStore, ground: Ground, balances: Mapping[str, object]) -> None:
        self._parts = parts
        self._store = store
        self._ground = ground
        self._balances = balances

    def plan(self, diagnosis: Diagnosis, database: str, looked: Callable[[Iterator[str]], Iterator[str]]) -> Plan:
        """Make the plan; ``looked`` passes the ids of the wallets on, and may show how far they are."""
        wishes = self._wishes(diagnosis)
        kid = self._parts.keyring.active_kid
        key = self._parts.keyring.plan_key(kid)
        units: list[Unit] = []
        for credential_id in looked(iter(wishes.actions)):
            found = self._store.look(UUID(credential_id)) or NOTHING_LEFT
            actions = _together(wishes.actions[credential_id], gone=found.credential is None)
            address = "" if found.credential is None else found.credential.address
            if actions:
                units.append(Unit(credential_id, address, fingerprint(key, found), actions))
        units.sort(key=lambda unit: unit.rank)
        return Plan(database, diagnosis.generation, kid, units, wishes.left)

    def _wishes(self, diagnosis: Diagnosis) -> Wishes:
        wishes = Wishes()
        for code, findings in groupby(diagnosis.spool, key=lambda finding: finding.code):
            if code == "duplicate-live":
                for _, group in groupby(findings, key=lambda finding: finding.source):
                    self._of_duplicates(list(group), wishes)
                continue
            for finding in findings:
                self._of_finding(finding, wishes)
        wishes.left.extend(finding.as_dict() for finding in diagnosis.schema)
        return wishes

    def _of_finding(self, finding: Finding, wishes: Wishes) -> None:
        action = action_of(finding)
        if finding.code == "shared-key-vault-id" and action is not None and not self._must_unlink(finding):
            return
        if action is not None and action.do == "fill" and not self._opens(finding, action):
            why = f"{finding.evidence}; it does not open with what was given"
            wishes.left.append(replace(finding, evidence=why, repair="ask", automatic=False).as_dict())
            return
        if action is not None and is_id(finding.credential_id or ""):
            wishes.add(str(finding.credential_id), action)
        elif not finding.automatic:
            wishes.left.append(finding.as_dict())

    def _must_unlink(self, finding: Finding) -> bool:
        """Of those that share a vault id, the one whose record has it keeps it; if none has, all get their own."""
        if not is_id(finding.row or ""):
            return False
        found = self._store.look(UUID(str(finding.row)))
        if found is None or found.credential is None or found.credential.key_vault_id is None:
            return False
        return bool(self._store.shares_vault_id(UUID(found.credential.id), found.credential.key_vault_id))

    def _opens(self, finding: Finding, action: Action) -> bool:
        """Whether a missing key can be had: doctor also counts sealed texts that name the wallet, opened or not."""
        if not is_id(finding.credential_id or ""):
            return False
        wallet_id = UUID(str(finding.credential_id))
        found, stored = self._store.look(wallet_id), self._parts.store.get(wallet_id)
        if found is None or stored is None:
            return False
        examined = examine(self._ground, found, Readings.of(found))
        try:
            return Mending(self._parts, self._store, self._ground, examined, stored).opens(action)
        except StrongroomError:
            return False

    def _of_duplicates(self, findings: Sequence[Finding], wishes: Wishes) -> None:
        """Which one stays live: the slot's, then one whose key is here, then one with a balance, then the oldest.

        A key that the plan itself will bring counts as here: the units of those that give way come after its own.
        """
        proved = {
            finding.row
            for finding in findings
            if finding.evidence.endswith(KEY_IS_HERE) or wishes.will_be_filled(finding.row)
        }
        wallets = [
            resolved(self._parts, stored)
            for finding in findings
            if is_id(finding.row or "") and (stored := self._parts.store.get(UUID(str(finding.row)))) is not None
        ]
        ranked = sorted(wallets, key=lambda stored: self._rank(stored, proved))
        if not ranked or str(ranked[0].wallet.id) not in proved:
            wishes.left.extend(finding.as_dict() for finding in findings)
            return
        keeper = str(ranked[0].wallet.id)
        for finding in findings:
            if finding.row is not None and finding.row != keeper:
                wishes.add(finding.row, retire_duplicate(finding.row, keeper, finding.evidence))

    def _names(self, project_id: UUID, network: str, label: str) -> UUID | None:
        """Which wallet the slot names."""
        try:
            live = self._parts.store.find_live(project_id, network, label)
        except KeyMissingError:  # one that is gone
            return None
        return None if live is None else live.wallet.id

    def _rank(self, stored: StoredWallet, proved: set[str | None]) -> tuple[bool, bool, bool, str, str]:
        wallet = stored.wallet
        network = network_of(self._parts, wallet) or wallet.network
        named = self._names(wallet.project_id, network, wallet.label) == wallet.id
        funded = wallet.address.lower() in self._balances
        when = "" if wallet.created_at is None else wallet.created_at.isoformat()
        return not named, str(wallet.id) not in proved, not funded, when or "~", str(wallet.id)


def _together(actions: Sequence[Action], *, gone: bool) -> list[Action]:
    """Actions of one wallet that can be carried out in one transaction, in their order."""
    if gone:
        actions = [action for action in actions if action.code == "foreign-history"]
    if any(action.code == "identity-changed" for action in actions):
        actions = [action for action in actions if action.code in _BESIDE_IDENTITY]
    return sorted(actions, key=lambda action: (ORDER.index(action.do), action.code, action.row))
