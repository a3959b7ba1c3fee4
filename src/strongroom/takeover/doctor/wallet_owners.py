"""Whose the texts of wallets are: not always the project's that their rows say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from uuid import UUID

from strongroom.records.register import UNPROVED
from strongroom.store.inspection.inspection import FoundCredential, FoundWallet
from strongroom.store.statements.register_rows import uuid_or_none
from strongroom.usecases.context import VaultContext
from strongroom.usecases.ownership import SlotOwner, owners_by_slot
from strongroom.usecases.register import recorded

_PAGE = 100


class WalletOwners:
    """Whose wallets are: of legacy tables whose vault is open, as record and slots say; of others, as their rows do.

    Rows are read first and their slots afterwards: a row that was moved meanwhile is told by its slot.
    """

    def __init__(self, vault_context: VaultContext | None = None) -> None:
        self._vault_context = vault_context if vault_context is not None and vault_context.store.foreign else None
        self._moved: dict[str, str | None] = {}
        """Of wallets that are another project's than their rows say, which one; None where that cannot be told."""

    def of(self, credential: FoundCredential) -> str | None:
        """The project that the texts of a wallet belong to, which was looked up; None where it is nobody's."""
        return self._moved.get(credential.id, credential.project_id)

    def looked_up(self, wallets: Iterator[FoundWallet]) -> Iterator[FoundWallet]:
        """The same wallets, page by page, each looked up before it is passed on. Raises StoreError."""
        if self._vault_context is None:
            yield from wallets
            return
        while page := list(islice(wallets, _PAGE)):
            self.look_up(page)
            yield from page

    def look_up(self, wallets: Iterable[FoundWallet]) -> None:
        """Ask for the slots of wallets as their rows are now, in one statement. Raises StoreError."""
        credentials = {found.credential.id: found.credential for found in wallets if found.credential is not None}
        ids = {each: wallet_id for each in credentials if (wallet_id := uuid_or_none(each)) is not None}
        if self._vault_context is None or not ids:
            return
        owners = owners_by_slot(self._vault_context, frozenset(ids.values()))
        for row, wallet_id in ids.items():
            self._moved.pop(row, None)
            project = uuid_or_none(credentials[row].project_id)
            owner = owners.get(wallet_id)
            if owner is not None and (project is None or owner.is_other(project)):
                self._moved[row] = self._owner(self._vault_context, wallet_id, owner)

    @staticmethod
    def _owner(vault_context: VaultContext, wallet_id: UUID, owner: SlotOwner) -> str | None:
        """A record of a proved key says it before slots do."""
        known = recorded(vault_context, wallet_id)
        if known is not None and known.record.variant != UNPROVED:
            return str(known.record.project_id)
        return str(min(owner.projects)) if len(owner.projects) == 1 and not owner.is_untold else None
