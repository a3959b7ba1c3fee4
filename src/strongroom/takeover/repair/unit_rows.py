"""The rows that the decision about one unit rests on, read before anything is decided."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from strongroom.errors import KeyMissingError
from strongroom.records.stored_wallets import StoredWallet
from strongroom.store.inspection.inspection import FoundWallet
from strongroom.store.inspection.inspection_rows import FoundCredential, stored_wallet_of
from strongroom.store.repair_changes import RelatedRows
from strongroom.store.repair_store import SqlRepairStore
from strongroom.takeover.doctor import sealed_texts
from strongroom.takeover.doctor.examination import examine
from strongroom.takeover.doctor.findings import HISTORY, VAULT
from strongroom.takeover.doctor.notes import Examination, ExaminationContext
from strongroom.takeover.doctor.readings import Readings
from strongroom.takeover.doctor.wallet_owners import WalletOwners
from strongroom.takeover.repair.actions import Action
from strongroom.takeover.repair.plan import NOTHING_LEFT, Unit, is_id
from strongroom.takeover.repair.standing import Standing, read_standing
from strongroom.usecases.addresses import with_actual_network
from strongroom.usecases.context import VaultContext

_ID = re.compile("[0-9A-Fa-f-]{1,36}")
"""Ids of vault records: the legacy application's may be numbers."""


@dataclass(frozen=True, slots=True)
class UnitRows:
    """A wallet's rows, and those of others that the actions of its unit depend on."""

    wallet_id: UUID
    found: FoundWallet
    """Its credential and its records; nothing where it is gone."""
    examined: Examination
    """What doctor finds in these rows now."""
    standing: Standing
    """What the register says of it."""
    shares_vault_id: bool
    """Whether its vault id is another wallet's; read where an action depends on it."""
    related: RelatedRows
    keepers: Mapping[str, Standing]
    """What the register says of the wallets for which it would be retired."""
    slot_holder: StoredWallet | None
    """The wallet that its slot names; read where it would be retired for another one."""


class UnitReader:
    """Reads what a unit rests on. Raises StoreError."""

    def __init__(
        self, vault_context: VaultContext, store: SqlRepairStore, examination_context: ExaminationContext
    ) -> None:
        self._vault_context = vault_context
        self._store = store
        self._examination_context = examination_context

    def read(self, unit: Unit) -> UnitRows:
        """The rows as they are now."""
        wallet_id = UUID(unit.credential_id)
        found = self._store.read_wallet(wallet_id) or NOTHING_LEFT
        gone = found.credential is None
        examined = Examination(None, None) if gone else examine(self._examination_context, found, Readings.of(found))
        related = read_related(self._store, self._examination_context.owners, unit.actions)
        return UnitRows(
            wallet_id=wallet_id,
            found=found,
            examined=examined,
            standing=read_standing(self._vault_context, wallet_id),
            shares_vault_id=self._shares_vault_id(unit, found.credential),
            related=related,
            keepers={each: read_standing(self._vault_context, UUID(each)) for each in related.wallets},
            slot_holder=self._slot_holder(unit, examined),
        )

    def _shares_vault_id(self, unit: Unit, credential: FoundCredential | None) -> bool:
        vault_id = None if credential is None else credential.key_vault_id
        if vault_id is None or not any(action.do == "unlink" for action in unit.actions):
            return False
        return self._store.shares_vault_id(UUID(unit.credential_id), vault_id)

    def _slot_holder(self, unit: Unit, examined: Examination) -> StoredWallet | None:
        credential, target = examined.credential, examined.target
        if credential is None or not any(action.code == "duplicate-live" for action in unit.actions):
            return None
        wallet = with_actual_network(
            self._vault_context, stored_wallet_of(credential, ours=self._examination_context.ours)
        ).wallet
        network = wallet.network if target is None else target.network.name
        try:
            return self._vault_context.store.wallets.find_live(wallet.project_id, network, wallet.label)
        except KeyMissingError:
            return None


def read_related(store: SqlRepairStore, owners: WalletOwners, actions: Sequence[Action]) -> RelatedRows:
    """The rows of others, and entries of the history, that actions depend on; whose they are is looked up."""
    related = RelatedRows()
    for action in actions:
        _read_keeper(store, action, related)
        _read_source(store, action, related)
    owners.look_up(related.records.values())
    related.said = {wallet_id: store.said_of(wallet_id) for wallet_id in _sources(related)}
    return related


def read_anywhere(store: SqlRepairStore, owners: WalletOwners, wallet_id: UUID, action: Action) -> RelatedRows:
    """Every text outside of a wallet's rows that may hold its missing key; whose they are is looked up."""
    related = RelatedRows(history={kept.id: kept for kept in store.kept_texts(wallet_id)})
    if action.source is not None and _ID.fullmatch(action.source):
        found = store.look_at_record(action.source)
        if found is not None and found.records:
            related.records[found.records[0].id] = found
    owners.look_up(related.records.values())
    return related


def _sources(related: RelatedRows) -> list[UUID]:
    """The wallets that the texts are of from which a key is taken: by their rows, and by the texts' own headers."""
    ids = {found.id for found in related.records.values()}
    texts = [record.text for found in related.records.values() for record in found.records]
    for text in (*texts, *(kept.text for kept in related.history.values())):
        header = sealed_texts.sealed_header(text or "", aside=True)
        ids |= set() if header is None else {header.credential_id}
    return sorted(UUID(each) for each in ids if each is not None and is_id(each))


def _read_keeper(store: SqlRepairStore, action: Action, related: RelatedRows) -> None:
    if action.code == "duplicate-live" and action.source is not None and is_id(action.source):
        found = store.read_wallet(UUID(action.source))
        if found is not None and found.credential is not None:
            related.wallets[found.credential.id] = found


def _read_source(store: SqlRepairStore, action: Action, related: RelatedRows) -> None:
    """Where the key of an action comes from, if that is not in its wallet's own rows."""
    entry = action.row if action.code == "foreign-history" else None
    if action.do == "fill" and action.source_table == HISTORY:
        entry = action.source
    if entry is not None and is_id(entry):
        kept = store.look_at_history(UUID(entry))
        if kept is not None:
            related.history[kept.id] = kept
    if action.do == "fill" and action.source_table == VAULT and action.source is not None:
        found = store.look_at_record(action.source)
        if found is not None and found.records:
            related.records[found.records[0].id] = found
