"""The four stores that a vault's verbs write to, as protocols: a written failure contract for every verb.

Stores know nothing of plaintext. Failure contract of all of them: driver errors never pass; they arrive as StoreError
subclasses. A write that ran on our own connection and whose outcome cannot be told raises OutcomeUnknownError; the
caller resolves it by asking for the id that it chose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from strongroom.records.history import HistoryEntry
from strongroom.records.keyring import KeyringRows, WrappedKey
from strongroom.records.phrases import StoredPhrase, TaggedAccount
from strongroom.records.register import IdempotencyRecord, Registered, TaggedHead, TaggedSlot
from strongroom.records.signing import SigningDecision, SigningRecord
from strongroom.records.stored_wallets import Adoption, IdempotentRecord, NewWallet, Retirement, StoredWallet
from strongroom.records.tag import Tag
from strongroom.records.usage_log import Event, LogEntry
from strongroom.records.wallets import Wallet

WalletMatcher = Callable[[StoredWallet], bool]
"""Whether a wallet that the legacy application wrote is the one that is asked for."""

Adopts = Callable[[StoredWallet, Sequence[TaggedSlot]], Adoption]
"""Proves a wallet that a slot is to name, as far as that can be done, and tags what is written; the slots of any
project that name it so far were read in the same transaction, under a lock of its row. Raises ProofError."""


class DerivedSuccessor(NamedTuple):
    """A wallet that takes the place of a derived one, before the index that it takes is known."""

    wallet_id: UUID
    first: TaggedAccount
    """The account as it begins, where no wallet has taken an index there yet."""
    key: tuple[IdempotencyRecord, Tag] | None
    """The caller's idempotency key."""
    kid: str
    """The sealing key that the wallet will be sealed under."""
    now: datetime
    path: Callable[[int], str]
    """The path of an index in the account."""
    check_taken: Callable[[Registered | None], None]
    """Raises where the record that has a path is none that strongroom wrote: such a one takes no index."""
    check_phrase: Callable[[StoredPhrase | None], None]
    """As of ``PhraseBatch``, and so the next one."""
    check_held: Callable[[Registered], None]
    make: Callable[[TaggedAccount, int], tuple[NewWallet, TaggedAccount]]
    """Derives and seals the wallet at an index; and the account after it. It may run twice."""


class WalletStore(Protocol):
    """Wallets: found, made, adopted, and the texts that were kept of them."""

    def find_live(self, project_id: UUID, network: str, label: str) -> StoredWallet | None:
        """The wallet that the slot names, or None. Raises KeyMissingError when the slot names nothing."""

    def find_idempotent(self, project_id: UUID, key: str) -> IdempotentRecord | None:
        """What an idempotency key was used for, or None."""

    def insert_wallet(self, new: NewWallet, belongs: WalletMatcher, adopt: Adopts) -> bool:
        """Write slot, credential, vault record, record of the register, log row (and idempotency row) or nothing.

        False: a wallet is there, made by the winner of a race, or by the legacy application and now named by the slot.
        ``belongs`` says whether a wallet that the legacy application wrote is of the new one's network and label; the
        slot names one only with what ``adopt`` returns. Raises AmbiguousWalletError, KeyMissingError,
        CheckRefusesError, ColumnTooShortError, TriggerConflictError, and what ``adopt`` raises.
        """

    def bind_idempotency(self, record: IdempotencyRecord, tag: Tag, now: datetime) -> None:
        """Remember that a key's request is answered by an existing wallet; does nothing if the key is taken."""

    def get(self, wallet_id: UUID, project_id: UUID | None = None) -> StoredWallet | None:
        """One wallet by its id; with project_id only if it is that project's."""

    def find_by_address(self, addresses: Sequence[str], project_id: UUID | None = None) -> list[StoredWallet]:
        """Wallets with one of these canonical addresses; at most a hundred."""

    def count(self, project_id: UUID | None = None) -> int:
        """How many credentials there are, for a progress bar."""

    def stream(self, project_id: UUID | None = None) -> Iterator[StoredWallet]:
        """Every wallet, in the order of ids, a page at a time: no transaction stays open between pages."""

    def history(
        self,
        wallet_id: UUID,
        limit: int,
        skipped: int = 0,
        *,
        newest_first: bool = False,
        project_id: UUID | None = None,
        part_of: UUID | None = None,
    ) -> list[HistoryEntry]:
        """A page of the texts that were kept of a wallet, by the time of each, after ``skipped`` of them.

        With ``project_id`` only where it is that project's. ``part_of``: where tables are divided by project, only the
        part of this one is read."""

    def keeps_sealed_otherwise(self, wallet_id: UUID, network: str, label: str) -> bool:
        """Whether a sealed text is kept of a wallet under another network or label; no text is read."""


class KeyringStore(Protocol):
    """Sealing keys, their wraps, and what each of them sealed."""

    def read_keyring(self) -> KeyringRows | None:
        """The keyring, or None where there is none yet."""

    def create_keyring(self, wrap: WrappedKey, head: TaggedHead, event: Event, now: datetime) -> bool:
        """Write the first keyring; False if another init was first. Raises KeyringMissingError on sealed rows."""

    def seals_with(self, kid: str) -> bool:
        """Whether a sealing key is the one that seals now, in the keyring of the database."""

    def has_sealed_rows(self) -> bool:
        """Whether any vault record holds a sealed text. A scan where there is none."""

    def has_unsealed_texts(self) -> bool:
        """Whether any vault record holds a text that is neither a sealed text nor a placeholder."""

    def sample_sealed_kids(self) -> frozenset[str]:
        """The kids that the oldest and the newest sealed texts name: a bounded look, not a scan.

        None where wallets are on several nodes and one of these cannot be reached: a vault opens nevertheless.
        """

    def add_sealing_key(self, wraps: Sequence[WrappedKey], head: TaggedHead, event: Event, now: datetime) -> bool:
        """Make a sealing key the active one; False if the keyring's head is not the one before ``head``."""

    def add_wraps(self, wraps: Sequence[WrappedKey], head: TaggedHead, event: Event, now: datetime) -> bool:
        """Add wraps of another root key; False if the keyring's head is not the one before ``head``."""

    def remove_wraps(self, uri: str, head: TaggedHead, event: Event, now: datetime) -> bool:
        """Remove the wraps of a root key; False if the keyring's head is not the one before ``head``."""

    def retire_sealing_key(self, kid: str, head: TaggedHead, event: Event, now: datetime) -> bool:
        """Mark a sealing key retired if it is not active and no vault record and no tag names it."""

    def change_head(self, head: TaggedHead, event: Event, now: datetime) -> bool:
        """Write another state of the keyring's head; False if it is not the one before ``head``."""

    def count_tagged_by(self, kid: str) -> int:
        """How many tags a sealing key made."""

    def count_sealed(self, kid: str) -> int:
        """How many vault records a sealing key sealed."""

    def iter_not_sealed_by(self, kid: str, project_id: UUID | None = None) -> Iterator[list[StoredWallet]]:
        """Pages of wallets whose text another sealing key sealed, in the order of ids."""

    def rewrap(self, pairs: Sequence[tuple[StoredWallet, str]], now: datetime) -> frozenset[UUID]:
        """Compare-and-set texts, each to its new one, old ones into the history; the ids that were written."""


class LifecycleStore(Protocol):
    """Completing, replacing and retiring wallets."""

    def fill(
        self, expected: StoredWallet, sealed_text: str, registered: Registered | None, entry: LogEntry, now: datetime
    ) -> bool:
        """Put a sealed text where the vault record is missing, or the placeholder that ``expected`` shows.

        One write that is conditional on the exact placeholder and the unchanged public half, under the credential's
        row lock. ``registered`` is inserted where the register has no record yet. False: something else is there by
        now; nothing was changed.
        """

    def replace(
        self,
        new: NewWallet | DerivedSuccessor,
        old: Wallet,
        retirement: Retirement,
        own_key: tuple[IdempotencyRecord, Tag],
        belongs: WalletMatcher,
    ) -> NewWallet | None:
        """Let the slot name a new wallet if it names the old one, and retire the old one, under an idempotency key.

        A successor of a derived wallet is made in the transaction, under its account's row lock, which is taken between
        the keys and the slot, as ``PhraseStore.derive`` does: it takes the index that is next then.

        Returns what was written. None: the key is taken, or slot or record changed: another caller was first; or
        another key seals by now. Raises SlotMovedError where the slot names a third one, or where there is no slot and
        another live wallet, that the legacy application wrote, ``belongs`` into it.
        """

    def revoke(
        self, wallet: Wallet, retirement: Retirement, entry: LogEntry, now: datetime, belongs: WalletMatcher
    ) -> bool:
        """Retire a wallet; does nothing where it is revoked. Its slot goes on naming it. False: its record changed.

        Where there is no slot, it takes one, unless another live wallet, that the legacy application wrote, ``belongs``
        into it.
        """


class SigningStore(Protocol):
    """The rows that a signature needs: its log row, and the use of its replay scope."""

    @property
    def writers(self) -> int:
        """How many transactions write at once without waiting for each other: on SQLite one."""

    def authorize(self, records: Sequence[SigningRecord], now: datetime) -> list[SigningDecision]:
        """Read each wallet, and write the log row of those that may sign, in one statement and one commit.

        A record is granted if its wallet is live and allowed, and its nonce is free or was used for the same digest.
        What is refused to one does not concern the others. Raises StoreError: then nothing was written.
        """

    def has_nonces_of_other_spellings(self) -> bool:
        """Whether a nonce was used by an address in small letters or capitals alone, as legacy rows may have it."""

    def authorize_replacement(self, record: SigningRecord, old_digest: str, now: datetime) -> SigningDecision:
        """The same for one record that replaces what was signed under its nonce, if that still has this digest."""
