"""Records of wallets, as protocols: the register, tags, the usage log, pages. Failure contract as in store_ports."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from strongroom.records.projects import ProjectSummary
from strongroom.records.register import (
    KeyHolder,
    NonceRecord,
    Registered,
    SlotRecord,
    TaggedHead,
    TaggedRow,
    TaggedSlot,
    UntaggedNonce,
)
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.tag import Tag
from strongroom.records.usage_log import Event, LogEntry, LogPage, LogQuery
from strongroom.records.wallets import WalletPlace


class PageStore(Protocol):
    """Wallets and projects, page by page."""

    def page(
        self,
        project_id: UUID | None,
        network: str | None,
        after: WalletPlace | None,
        limit: int,
        search: str | None = None,
    ) -> list[StoredWallet]:
        """Up to ``limit`` wallets of a project, or of all, behind a wallet, in the order of ids.

        ``search``: whose address or label begins so. Where the legacy application wrote rows, those of other networks,
        and some that begin otherwise, are among them: their columns do not tell.
        """

    def projects(self, after: UUID | None, limit: int) -> list[ProjectSummary]:
        """Up to ``limit`` projects after an id, in the order of ids."""


class RegisterStore(Protocol):
    """The register: a record of each wallet, with its tag."""

    def find_record(self, wallet_id: UUID, part_of: UUID | None = None) -> Registered | None:
        """The whole record of a wallet, or None: for saying what a row contradicts.

        ``part_of``, here and elsewhere: where tables are divided by project, only the part of this one is read.
        """

    def shared_keys(self, public_key: str | None = None) -> dict[str, bool]:
        """Public keys that the register has under several wallets, and whether of several projects; or one of them."""

    def is_of_another_project(self, project_id: UUID, public_keys: Sequence[str], addresses: Sequence[str]) -> bool:
        """Whether a record or a row has one of the keys or addresses for another project than this, however spelled.

        Case, what stands around one, and a missing ``0x`` make no difference.
        """

    def wallets_of_project(
        self, project_id: UUID, public_keys: Sequence[str], addresses: Sequence[str], limit: int
    ) -> list[UUID]:
        """Wallets whose rows say a project and have one of the keys or addresses, however spelled; so many at most."""

    def records_of(self, wallet_ids: Collection[UUID]) -> list[Registered]:
        """The whole records of some wallets, tags unchecked."""

    def stream_key_holders(self) -> Iterator[list[KeyHolder]]:
        """Pages of the keys and addresses that rows state, then of those that records do, with any tag."""

    def stream_texts_with_sealed(self) -> Iterator[list[tuple[str, tuple[str, ...]]]]:
        """Pages of the texts in vault records, the history and metadata that have, or may have, a sealed text in them.

        Each whole, or from the first sealed text on, 262,144 characters and one more at most; with the texts that are
        read of it: itself, or those in metadata.
        """

    def stream_with_paths(self) -> Iterator[list[Registered]]:
        """Pages of the records that say a derivation path, tags unchecked."""

    def retired_of_project(self, project_id: UUID, public_key: str, limit: int) -> list[Registered]:
        """The records of a project's wallets that have a public key and are not live, tags unchecked; the first."""

    def wallets_of_other_projects(self, project_id: UUID, public_key: str) -> list[UUID]:
        """Wallets of other projects that the register has under a public key, tags unchecked; 16 at most."""

    def slots_of(self, wallet_ids: Collection[UUID], limit: int) -> list[TaggedSlot]:
        """Slots of any project that name one of these wallets, tags unchecked; so many of each wallet at most."""

    def count_unregistered(self) -> int:
        """How many credentials the register has no record of."""

    def stream_unregistered(self) -> Iterator[list[StoredWallet]]:
        """Pages of wallets that the register has no record of."""

    def stream_without_rows(self) -> Iterator[list[Registered]]:
        """Pages of records whose wallets have no credential, tags unchecked. Raises StoreError."""

    def register(self, records: Sequence[Registered]) -> int:
        """Insert records of wallets that the register does not have; how many were written."""

    def accept(
        self, registered: Registered, slot: SlotRecord | None, slot_tag: Tag | None, event: Event, now: datetime
    ) -> None:
        """Write a wallet's record over what is there, and its slot."""


class TagStore(Protocol):
    """Rows that carry tags, and rows that do not yet."""

    def stream_tagged_otherwise(self, kid: str, project_id: UUID | None = None) -> Iterator[list[TaggedRow]]:
        """Pages of rows that another sealing key tagged, or none; of a project, or of all."""

    def retag(self, changes: Sequence[tuple[TaggedRow, Tag]]) -> int:
        """Compare-and-set tags; how many were written."""

    def forget(self, changes: Sequence[TaggedRow], event: Event, now: datetime) -> int:
        """Remove rows that are still what was read, with an event; how many were removed."""

    def untagged_nonces(self, skipped: int) -> list[UntaggedNonce]:
        """A page of nonces that an older version wrote down, of wallets that are registered."""

    def find_nonce(self, project_id: UUID, chain_id: str, address: str, nonce: str) -> tuple[NonceRecord, Tag] | None:
        """What was signed under a nonce, with its tag."""

    def move_nonce(
        self, old: UntaggedNonce, new: tuple[NonceRecord, Tag] | None, event: Event | None, now: datetime
    ) -> bool:
        """Take an untagged nonce away and write ``new`` in its place; False if it changed meanwhile."""

    def finish_upgrade(self, head: TaggedHead, event: Event, now: datetime) -> bool:
        """Write a head that says that every record carries a tag; False if it is not the next one."""


class LogStore(Protocol):
    """The usage log of wallets, and the events of the vault."""

    def list_log(self, query: LogQuery) -> LogPage:
        """One page of the usage log and, where neither wallet nor project is named, of the events, newest first.

        Where a phrase is named, of the events that name it alone.
        """

    def write_log(self, stored: StoredWallet, entry: LogEntry, now: datetime) -> None:
        """Commit one usage-log row. Raises StoreError: then it did not happen."""

    def write_event(self, event: Event, now: datetime) -> None:
        """Commit one event of the vault; durable when this returns. Raises StoreError."""
