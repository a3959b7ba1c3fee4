"""What is done about one unit, decided from rows that were read. Reads and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from strongroom.crypto import tags
from strongroom.records.key_material import Identity
from strongroom.records.register import Registered
from strongroom.records.wallets import Wallet
from strongroom.secret import Secret
from strongroom.store.inspection.inspection import KeptText
from strongroom.store.repair_changes import RelatedRows, WalletChangeSet
from strongroom.takeover.doctor.examination import examine
from strongroom.takeover.doctor.findings import CREDENTIALS
from strongroom.takeover.doctor.key_texts import IN_PLAINTEXT, LOCKED, read
from strongroom.takeover.doctor.notes import Examination, ExaminationContext
from strongroom.takeover.doctor.others_keys import require_own
from strongroom.takeover.doctor.readings import Readings
from strongroom.takeover.doctor.remainders import would_lose
from strongroom.takeover.doctor.text_probes import open_text
from strongroom.takeover.repair.actions import Action, action_of
from strongroom.takeover.repair.asked_again import AskedAgain
from strongroom.takeover.repair.changes import ChangeBuilder
from strongroom.takeover.repair.own_keys import sealed_entry
from strongroom.takeover.repair.plan import Unit, fingerprint, is_id
from strongroom.takeover.repair.recording import retired_by_choice
from strongroom.takeover.repair.sources import digest, related_to
from strongroom.takeover.repair.standing import is_of_another_slot, objection
from strongroom.takeover.repair.unit_rows import UnitRows
from strongroom.usecases.context import VaultContext

OpenFindings = set[tuple[str, str | None]]
"""Code and row of every finding that the rows call for as they are now."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is written about one wallet, and what it was decided on."""

    actions: tuple[Action, ...]
    wallet: Wallet
    changes: WalletChangeSet
    related: RelatedRows
    """Rows of others that must be the same when it is written."""
    exposed: bool
    """Whether a key is in plaintext that is sealed afterwards."""


class Decider:
    """Decides about units of one plan."""

    def __init__(self, vault_context: VaultContext, examination_context: ExaminationContext, key: Secret) -> None:
        self._vault_context = vault_context
        self._examination_context = examination_context
        self._key = key

    def needed(self, unit: Unit, rows: UnitRows) -> list[Action]:
        """The actions of a unit that the rows call for as they are now."""
        if rows.found.credential is None:
            return []
        examined = rows.examined
        now = {action.name for finding in examined.findings if (action := action_of(finding)) is not None}
        open_now = {(finding.code, finding.row) for finding in (*examined.findings, *examined.conditional)}
        return [
            action
            for action in unit.actions
            if action.name in now
            or self._is_called_for(action, rows, open_now)
            or _goes_with_a_fill(action, unit, open_now)
        ]

    def is_as_planned(self, unit: Unit, rows: UnitRows, actions: Sequence[Action]) -> bool:
        """Whether the wallet's rows, and those of others that actions depend on, are what the plan saw."""
        return fingerprint(self._key, rows.found) == unit.fingerprint and self._are_as_seen(actions, rows.related)

    def decide(self, rows: UnitRows, actions: Sequence[Action]) -> Decision:
        """What is written for actions. Raises StrongroomError where a key does not prove."""
        builder = ChangeBuilder(self._vault_context, self._examination_context, rows.examined, rows.related)
        changes = builder.changes(actions, rows.standing, rows.slot_holder)
        if any(self._is_for_another_key(action, rows) for action in actions):
            changes.recording = retired_by_choice(self._vault_context, changes.recording)
        related = related_to(actions, rows.related)
        related.asked = builder.asked
        return Decision(tuple(actions), builder.wallet, changes, related, builder.exposed)

    def is_objected_to(self, rows: UnitRows, actions: Sequence[Action]) -> bool:
        """Whether the register speaks against it, so that a person decides."""
        return bool(objection(self._vault_context, rows.standing, actions))

    def sealed_entries(self, unit: Unit, rows: UnitRows) -> list[tuple[Action, KeptText, str]] | None:
        """Of a wallet that only the history tells of, the entries that are sealed, and their texts.

        None where something is not what the plan saw.
        """
        sealed = []
        rows.related.asked = asked = AskedAgain(self._vault_context, self._examination_context)
        for action in unit.actions:
            kept = rows.related.history.get(action.row) if action.code == "foreign-history" else None
            if kept is None or kept.form != "foreign" or kept.credential_id != unit.credential_id:
                continue
            if not self._are_as_seen([action], rows.related) or self.is_objected_to(rows, [action]):
                return None
            text = self._sealed_entry(kept, rows.standing.record, asked)
            if text is not None:
                sealed.append((action, kept, text))
        return sealed

    def _are_as_seen(self, actions: Sequence[Action], related: RelatedRows) -> bool:
        return all(action.seen == digest(self._examination_context, self._key, action, related) for action in actions)

    def _is_called_for(self, action: Action, rows: UnitRows, open_now: OpenFindings) -> bool:
        """Of actions that other rows have a say in."""
        credential = rows.examined.credential
        if credential is None:
            return False
        match action.do, action.code:
            case "fill", _:
                there = action.code == "missing-vault-record" or any(
                    held.record.id == action.row for held in rows.examined.records
                )
                return there and (action.code, action.row) in open_now
            case "unlink", _:
                return rows.shares_vault_id
            case "retire", "duplicate-live":
                return credential.live and self._may_stay(action.source, rows)
            case "seal", "foreign-history":
                kept = rows.related.history.get(action.row)
                owner = None if kept is None else (kept.form, kept.credential_id, kept.project_id)
                return owner == ("foreign", credential.id, credential.project_id)
        return False

    def _is_for_another_key(self, action: Action, rows: UnitRows) -> bool:
        """Whether a wallet is retired for one of another address, which a person chose."""
        if action.code != "duplicate-live":
            return False
        found = rows.related.wallets.get(action.source or "")
        keeper, derivation = None if found is None else found.credential, self._examination_context.derivation
        return keeper is None or derivation.target(keeper.network, keeper.address) != rows.examined.target

    def _may_stay(self, keeper: str | None, rows: UnitRows) -> bool:
        """Whether the wallet for which another one is retired is live, of the same slot, and its key is here."""
        found = rows.related.wallets.get(keeper or "")
        retired = rows.examined
        if keeper is None or found is None or found.credential is None or not found.credential.live:
            return False
        keeping = [Action("retire", "duplicate-live", CREDENTIALS, keeper, "")]
        if found.id == retired.wallet_id or objection(self._vault_context, rows.keepers[keeper], keeping):
            return False
        stays = examine(self._examination_context, found, Readings.of(found))
        if is_of_another_slot(rows.keepers[keeper], stays) or is_of_another_slot(rows.standing, retired):
            return False
        same_slot = None not in (_slot(stays), _slot(retired)) and _slot(stays) == _slot(retired)
        return same_slot and any(held.known for held in stays.records)

    def _sealed_entry(self, kept: KeptText, recorded: Registered | None, asked: AskedAgain) -> str | None:
        """The text of an entry, sealed for the identity that the entry has, opened again and proved.

        Unless the register says that the wallet has that identity, it is kept aside: who wrote the entry chose it.
        """
        target = self._examination_context.derivation.target(kept.network, kept.address)
        found = self._examination_context.derivation.reading(read(kept.text), target)
        content, _ = open_text(self._examination_context, Examination(None, target), found)
        project_id, credential_id = kept.project_id or "", kept.credential_id or ""
        if target is None or content is None or content.material is None:
            return None
        if would_lose(self._examination_context.derivation, found, content):
            return None
        if not (is_id(project_id) and is_id(credential_id)):
            return None
        identity = Identity(UUID(project_id), UUID(credential_id), target.network.name, target.address)
        if found.kind not in IN_PLAINTEXT:
            owner = (identity.credential_id, identity.project_id, content.material)
            asked.ask(lambda vault, examination: require_own(vault, examination, *owner))
        keys = self._vault_context.keyring
        said = recorded.record if recorded is not None and tags.fits_record("wallet", *recorded, keys) else None
        own = said is not None and (said.project_id, said.network, said.address) == (
            *(identity.project_id, identity.network, identity.address),
        )
        return sealed_entry(self._vault_context, identity, target, content.material, own=own)


def exposes(kept: KeptText) -> bool:
    """Whether anybody can read the key in an entry of the history."""
    return read(kept.text).kind not in LOCKED


def _goes_with_a_fill(action: Action, unit: Unit, open_now: OpenFindings) -> bool:
    """Whether it retires a placeholder while the same unit fills another one."""
    if (action.do, action.code) != ("retire", "placeholder"):
        return False
    others = (each for each in unit.actions if each.row != action.row)
    filled = {(each.code, each.row) for each in others if each.is_in_a_placeholder}
    return (action.code, action.row) in open_now and not filled.isdisjoint(open_now)


def _slot(examined: Examination) -> tuple[str | None, str, str] | None:
    """Project, network and label, as far as there is a network that the address is valid on."""
    credential, target = examined.credential, examined.target
    return (
        None if credential is None or target is None else (credential.project_id, target.network.name, credential.label)
    )
