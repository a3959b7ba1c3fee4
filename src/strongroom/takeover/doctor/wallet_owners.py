"""Whose the texts of wallets are: not always the project's that their rows say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from uuid import UUID

from strongroom.crypto import tags
from strongroom.records.register import UNPROVED, Registration
from strongroom.store.inspection.inspection import FoundCredential, FoundWallet
from strongroom.store.statements.register_rows import uuid_or_none
from strongroom.usecases.context import VaultContext
from strongroom.usecases.ownership import owners_by_slot, projects_by_texts
from strongroom.usecases.register import recorded

_PAGE = 100


class WalletOwners:
    """Whose wallets are: of legacy tables whose vault is open, as records, sealed texts and slots say; of others, as
    their rows do.

    A record of a proved key whose tag fits decides, then the header of a sealed text that opens, then the slots whose
    tags fit, then the row. Rows are read first and the rest afterwards: a row that was moved meanwhile is told by that.
    """

    def __init__(self, vault_context: VaultContext | None = None) -> None:
        self._vault_context = vault_context if vault_context is not None and vault_context.store.foreign else None
        self._register = vault_context
        self._moved: dict[str, str | None] = {}
        """Of wallets that are another project's than their rows say, which one; None where that cannot be told."""

    def of(self, credential: FoundCredential) -> str | None:
        """The project that the texts of a wallet belong to, which was looked up; None where it is nobody's."""
        return self._moved.get(credential.id, credential.project_id)

    def record_of(self, wallet_id: str) -> Registration | None:
        """The record of a wallet's proved key; None where there is none. Raises StoreError."""
        known = None if self._register is None else uuid_or_none(wallet_id)
        found = None if self._register is None or known is None else recorded(self._register, known)
        return None if found is None or found.record.variant == UNPROVED else found.record

    def looked_up(self, wallets: Iterator[FoundWallet]) -> Iterator[FoundWallet]:
        """The same wallets, page by page, each looked up before it is passed on. Raises StoreError."""
        if self._vault_context is None:
            yield from wallets
            return
        while page := list(islice(wallets, _PAGE)):
            self.look_up(page)
            yield from page

    def look_up(self, wallets: Iterable[FoundWallet]) -> None:
        """Ask for records and slots of wallets as their rows are now, in a statement each. Raises StoreError."""
        found = {each.credential.id: each for each in wallets if each.credential is not None}
        ids = {each: wallet_id for each in found if (wallet_id := uuid_or_none(each)) is not None}
        if self._vault_context is None or not ids:
            return
        records = _projects(self._vault_context, ids.values())
        told = {
            row: projects_by_texts(self._vault_context, wallet_id, (record.text for record in found[row].records))
            for row, wallet_id in ids.items()
        }
        open_still = {ids[row] for row in ids if ids[row] not in records and not told[row]}
        owners = owners_by_slot(self._vault_context, open_still)
        for row, wallet_id in ids.items():
            self._moved.pop(row, None)
            projects = records.get(wallet_id) or told[row]
            slots = owners.get(wallet_id)
            if not projects and slots is not None:
                projects = frozenset() if slots.is_untold else slots.projects
                if slots.is_untold:
                    self._moved[row] = None
            credential = found[row].credential
            said = None if credential is None else uuid_or_none(credential.project_id)
            if projects and projects != {said}:
                self._moved[row] = str(min(projects)) if len(projects) == 1 else None


def _projects(vault_context: VaultContext, wallet_ids: Collection[UUID]) -> dict[UUID, frozenset[UUID]]:
    """The projects of wallets by their records of proved keys, whose tags fit."""
    projects = defaultdict[UUID, set[UUID]](set)
    for record, tag in vault_context.store.register.records_of(wallet_ids):
        if record.variant != UNPROVED and tags.fits_record("wallet", record, tag, vault_context.keyring):
            projects[record.credential_id].add(record.project_id)
    return {wallet_id: frozenset(found) for wallet_id, found in projects.items()}
