"""Where phrases of projects live, and where wallets take the next index of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from strongroom.ports.wallet_stores import Adopts, WalletMatcher
from strongroom.records.phrases import (
    AccountChange,
    AccountRecord,
    KeptElsewhere,
    KeptPhraseText,
    PhraseRecord,
    StoredPhrase,
    TaggedAccount,
)
from strongroom.records.register import IdempotencyRecord, Registered
from strongroom.records.stored_wallets import NewWallet
from strongroom.records.tag import Tag
from strongroom.records.usage_log import Event


class BatchSlot(NamedTuple):
    """A slot that a wallet is to take, before its key is derived."""

    label: str
    wallet_id: UUID
    slot_tag: Tag
    """Of the slot that names the wallet, version 1."""


class DerivedWallets(NamedTuple):
    """Wallets that were derived under the account's lock, in the order of their places, and the account after them."""

    wallets: Sequence[NewWallet]
    account: TaggedAccount


AccountStep = Callable[[TaggedAccount], tuple[TaggedAccount, Event] | None]
"""From an account as it was locked: the next state of it, and the event that says so. It may run twice."""


class PhraseBatch(NamedTuple):
    """What a batch of wallets of one phrase needs; see ``PhraseStore.derive``."""

    first: TaggedAccount
    """The account as it begins, where no wallet has taken an index there yet."""
    places: Sequence[BatchSlot]
    """In the order in which they take indices; no label twice."""
    key: tuple[IdempotencyRecord, Tag] | None
    """The idempotency key of the batch, taken first."""
    kid: str
    """The sealing key that the wallets will be sealed under."""
    now: datetime
    path: Callable[[int], str]
    """The path of an index in the account."""
    check_taken: Callable[[Registered | None], None]
    """Raises where the record that has a path is none that strongroom wrote: such a one takes no index."""
    check_phrase: Callable[[StoredPhrase | None], None]
    """Raises where the phrase's row, read under the account's lock, is not what it was when the phrase was opened."""
    check_held: Callable[[Registered], None]
    """Raises of the record of a wallet of the network that has one of the addresses that were derived, and is of
    another phrase or of none."""
    make: Callable[[TaggedAccount, Sequence[int], Sequence[BatchSlot]], DerivedWallets]
    """Derives and seals a wallet for each place that was taken, at an index each. It may run twice."""
    belongs: Callable[[str], WalletMatcher]
    """Of a label: which wallets of the legacy application are the one that is asked for."""
    adopt: Callable[[str], Adopts]
    """Of a label: proves such a wallet, and tags what names it."""


class PhraseTexts(Protocol):
    """Sealed texts of phrases, and the records of what was derived from them. Failure contract as of PhraseStore."""

    def stream_sealed_otherwise(self, kid: str, project_id: UUID | None = None) -> Iterator[list[StoredPhrase]]:
        """Pages of phrases that another sealing key sealed, of a project or of all."""

    def stream(self, project_id: UUID | None = None) -> Iterator[list[StoredPhrase]]:
        """Pages of phrases, of a project or of all, in the order of project and id."""

    def stream_lost(self, project_id: UUID | None = None) -> Iterator[list[tuple[UUID, UUID]]]:
        """Pages of project and id of phrases that records of wallets name, and that have no row."""

    def stream_records(self, project_id: UUID, phrase_id: UUID) -> Iterator[list[Registered]]:
        """Pages of the records of wallets that were derived from a phrase, tags unchecked, in the order of ids."""

    def stream_kept_lost(self) -> Iterator[list[tuple[UUID, UUID]]]:
        """Pages of project and id of phrases without a row, once for each text that the history keeps of one."""

    def kept(self, project_id: UUID, phrase_id: UUID) -> Iterator[KeptPhraseText]:
        """The texts that the history keeps of a phrase, those of the highest ids first."""

    def stream_kept(self, beginning: str) -> Iterator[list[KeptElsewhere]]:
        """Pages of the history's entries that hold a text which begins so, whatever they say of themselves."""

    def count_sealed(self, kid: str) -> int:
        """How many phrases a sealing key sealed."""

    def change_text(self, old: StoredPhrase, text: str, reason: str, event: Event | None, now: datetime) -> bool:
        """Compare-and-set a sealed text, and keep the old one in the history; False where it changed.

        ``reason`` is the history's; what is no sealed text is not kept.
        """


class PhraseStore(PhraseTexts, Protocol):
    """Phrases of projects. Failure contract as in ports.wallet_stores.

    What makes each write safe under concurrent callers: the unique indexes of ``strongroom_phrase`` (one usable
    phrase a label, one row a phrase of a project); versions and tags that were read; the row lock of an account, and
    the unique index of the register, which lets no two wallets have one path of a phrase.
    """

    def find(self, project_id: UUID, label: str) -> StoredPhrase | None:
        """The usable phrase of a label."""

    def get(self, project_id: UUID, phrase_id: UUID) -> StoredPhrase | None:
        """A phrase by its id, replaced or not."""

    def identified(self, project_id: UUID, identifier: str) -> StoredPhrase | None:
        """The phrase whose master key has an identifier, replaced or not."""

    def page(self, project_id: UUID, after: UUID | None, limit: int) -> list[StoredPhrase]:
        """A page of a project's phrases in the order of their ids."""

    def insert(
        self, new: StoredPhrase, key: tuple[IdempotencyRecord, Tag] | None, event: Event, kid: str, now: datetime
    ) -> bool:
        """Write a phrase, its event and its idempotency key, or nothing; False where one of them is there already."""

    def labelled(self, project_id: UUID, label: str) -> list[StoredPhrase]:
        """Every usable phrase of a label, newest first: there is one, unless somebody dropped the unique index."""

    def change(
        self, old: StoredPhrase, new: tuple[PhraseRecord, Tag], event: Event | None = None, now: datetime | None = None
    ) -> bool:
        """Write another state of a phrase, and an event; False where it is not the one that was read."""

    def move(self, old: StoredPhrase, new: tuple[PhraseRecord, Tag], event: Event, now: datetime) -> bool:
        """The same, and its project and id: a row that stands under others than its text names.

        Where tables are divided by project it is made anew in its own; False as well where the phrase has a row there.
        """

    def replace(
        self,
        old: StoredPhrase,
        retired: tuple[PhraseRecord, Tag],
        new: StoredPhrase,
        key: tuple[IdempotencyRecord, Tag] | None,
        event: Event,
        now: datetime,
    ) -> bool:
        """Let another phrase take a label, in one transaction; False where the old one changed, or the key is taken."""

    def account(self, record: AccountRecord) -> TaggedAccount | None:
        """How far the indices of an account are taken; ``record`` names it."""

    def accounts(self, project_id: UUID, phrase_id: UUID) -> Iterator[TaggedAccount]:
        """Every account of a phrase, read page by page."""

    def labels_there(self, project_id: UUID, network: str, labels: Sequence[str]) -> frozenset[str]:
        """Which of some labels have a slot: one SELECT."""

    def derive(self, batch: PhraseBatch) -> frozenset[str]:
        """Write wallets of a phrase, all that could take their slots; their labels.

        In one transaction, in this order: the idempotency key, the account's row lock, the slots in the order of their
        labels, the wallets, the account's next index. Before the wallets it asks the register for their addresses. So
        indices of committed wallets are without gaps and without repetition, whoever else derives from the phrase.
        Labels that are missing in the answer had a slot, or a wallet of the legacy application that was adopted; where
        the key is taken, nothing is written.
        """

    def free_indices(
        self,
        account: TaggedAccount,
        path: Callable[[int], str],
        count: int,
        check_taken: Callable[[Registered | None], None],
    ) -> list[int]:
        """The indices that an account's next wallets take: from its own on, those whose paths the register has free.

        ``check_taken`` as of ``PhraseBatch``.
        """

    def advance(self, first: TaggedAccount, kid: str, step: AccountStep, now: datetime) -> bool:
        """Let an account go on, under its row lock; ``first`` is the account as it begins, where it has no row yet.

        ``step`` says where to, and what event is written with it, or None where there is nothing left to do. False:
        ``kid`` seals no more, and nothing was written.
        """

    def count_anew(self, change: AccountChange, event: Event, now: datetime) -> bool:
        """Put an account's row right, compared and set on what was read; False where it changed."""
