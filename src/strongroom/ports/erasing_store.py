"""The verbs that an erasure needs of a store, as a protocol."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from strongroom.records.erasure import KeyChange, SlotChange, WalletErasure
from strongroom.records.register import IdempotencyRecord, Registered, TaggedSlot
from strongroom.records.tag import Tag


class EraseStore(Protocol):
    """Rows of a project that may name a person. Failure contract as in store_ports."""

    def slots_naming(self, project_id: UUID, wallet_id: UUID) -> list[TaggedSlot]:
        """The slots of a project that name a wallet."""

    def other_slots(self, project_id: UUID) -> Iterator[TaggedSlot]:
        """Slots of a project whose labels were not erased."""

    def records_of_project(self, project_id: UUID) -> Iterator[Registered]:
        """Every record that the register has of a project, also where the wallet's rows are gone."""

    def speaking_keys(self, project_id: UUID) -> Iterator[tuple[IdempotencyRecord, Tag | None]]:
        """Idempotency keys of a project that were not erased."""

    def has_key(self, project_id: UUID, key: str) -> bool:
        """Whether an idempotency key is there."""

    def erase_key(self, change: KeyChange) -> bool:
        """Write an idempotency key as it was erased, with its tag; False if it is not the one that was read."""

    def erase_slot(self, change: SlotChange) -> bool:
        """Write a slot under another label; False if it is not the one that was read."""

    def erase_wallet(self, erasure: WalletErasure, now: datetime) -> bool:
        """Retire a wallet and erase its label and its creators, in one transaction; False: its record changed."""

    def erase_log(self, project_id: UUID, wallet_id: UUID) -> int:
        """Take from a wallet's usage log what may name a person; how many rows changed."""

    def speaking_history(self, project_id: UUID) -> Iterator[UUID]:
        """Wallets of a project of which something was kept under a label that was not erased."""

    def erase_kept(self, project_id: UUID, wallet_id: UUID, label: str) -> None:
        """Write another label of what was kept of a wallet."""

    def wallet_events(self) -> Iterator[tuple[UUID, dict[str, Any]]]:
        """Events that name a wallet: their ids, and what they say."""

    def erase_event(self, event_id: UUID, details: dict[str, Any]) -> None:
        """Write what an event says from now on."""
