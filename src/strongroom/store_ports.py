"""Where rows live, as a protocol: a written failure contract for every verb. The adapter stands outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol, Self, TypeVar
from uuid import UUID

from strongroom.model import (
    Adoption,
    Event,
    HistoryEntry,
    IdempotentRecord,
    KeyringRows,
    LogEntry,
    LogPage,
    LogQuery,
    NewWallet,
    ProjectSummary,
    Retirement,
    StoredWallet,
    StoreStatus,
    Wallet,
    WrappedKey,
)
from strongroom.register import (
    IdempotencyRecord,
    NonceRecord,
    Registered,
    SlotRecord,
    TaggedHead,
    TaggedRow,
    UntaggedNonce,
)
from strongroom.rescue_ports import Rescue
from strongroom.signing import Grant, SigningRecord
from strongroom.tags import Tag

T = TypeVar("T")
Belongs = Callable[[StoredWallet], bool]
"""Whether a wallet that other code wrote is the one that is asked for."""

Adopts = Callable[[StoredWallet], Adoption]
"""Proves a wallet that a slot is to name, as far as that can be done, and tags what is written. Raises ProofError."""


class Store(Protocol):
    """Where rows live. Knows nothing of plaintext.

    Verbs run on connections of our own, or in a caller's transaction where ``within`` says so. Failure contract: driver
    errors never pass; they arrive as StoreError subclasses. A write that ran on our own connection and whose
    outcome cannot be told raises OutcomeUnknownError; the caller resolves it by asking for the id that it chose.
    """

    def within(self, connection: Any | None) -> Self:
        """The same store in the transaction of a caller's connection; None: this one.

        What its verbs write is the caller's to commit, wallets are not ``durable``, and RetryTransactionError asks the
        caller to run its transaction again. Raises ConnectionNotSupportedError, VaultClosedError.
        """

    async def run_awaited(self, connection: Any, verb: Callable[[Any], T]) -> T:
        """Run a verb that takes a connection on an asynchronous one, on the caller's loop.

        Where the task is cancelled meanwhile, the verb's SAVEPOINT is rolled back or the connection invalidated.
        Raises ConnectionNotSupportedError.
        """

    @property
    def durable(self) -> bool:
        """Whether what is read and written here has been committed: not so in a caller's transaction."""

    def run_key_work(self, work: Callable[[], T]) -> T:
        """Run work that needs no database: in a thread where the caller's loop runs the statements, else here."""

    def read_keyring(self) -> KeyringRows | None:
        """The keyring, or None where there is none yet."""

    def create_keyring(self, wrap: WrappedKey, head: TaggedHead, event: Event, now: datetime) -> bool:
        """Write the first keyring; False if another init was first. Raises KeyringMissingError on sealed rows."""

    def has_sealed_rows(self) -> bool:
        """Whether any vault record holds a sealed text. A scan where there is none."""

    def sample_sealed_kids(self) -> frozenset[str]:
        """The kids that the oldest and the newest sealed texts name: a bounded look, not a scan."""

    def find_live(self, project_id: UUID, network: str, label: str) -> StoredWallet | None:
        """The wallet that the slot names, or None. Raises KeyMissingError when the slot names nothing."""

    def find_idempotent(self, project_id: UUID, key: str) -> IdempotentRecord | None:
        """What an idempotency key was used for, or None."""

    def insert_wallet(self, new: NewWallet, belongs: Belongs, adopt: Adopts) -> bool:
        """Write slot, credential, vault record, record of the register, log row (and idempotency row) or nothing.

        False: a wallet is there, made by the winner of a race, or by other code and now named by the slot.
        ``belongs`` says whether a wallet that other code wrote is of the new one's network and label; the slot
        names one only with what ``adopt`` returns. Raises AmbiguousWalletError, KeyMissingError,
        CheckRefusesError, ColumnTooShortError, TriggerConflictError, and what ``adopt`` raises.
        """

    def seals_with(self, kid: str) -> bool:
        """Whether a sealing key is the one that seals now, in the keyring of the database."""

    def bind_idempotency(self, record: IdempotencyRecord, tag: Tag, now: datetime) -> None:
        """Remember that a key's request is answered by an existing wallet; does nothing if the key is taken."""

    def get(self, wallet_id: UUID, project_id: UUID | None = None) -> StoredWallet | None:
        """One wallet by its id; with project_id only if it is that project's."""

    def find_by_address(self, addresses: Sequence[str], project_id: UUID | None = None) -> list[StoredWallet]:
        """Wallets with one of these canonical addresses; at most a hundred."""

    def page(
        self, project_id: UUID | None, network: str | None, after: UUID | None, limit: int, search: str | None = None
    ) -> list[StoredWallet]:
        """Up to ``limit`` wallets of a project, or of all, after an id, in the order of ids.

        ``search``: whose address or label begins so. Where other code wrote rows, those of other networks, and some
        that begin otherwise, are among them: their columns do not tell.
        """

    def count(self, project_id: UUID | None = None) -> int:
        """How many credentials there are, for a progress bar."""

    def stream(self, project_id: UUID | None = None) -> Iterator[StoredWallet]:
        """Every wallet, in the order of ids, a page at a time: no transaction stays open between pages."""

    @property
    def plain_vault_ids(self) -> bool:
        """Whether a vault id is the wallet's id alone, because a column for it is a uuid."""

    @property
    def time_step_microseconds(self) -> int:
        """How exactly a wallet's time of creation is kept: 1, unless the column is a number of larger units."""

    @property
    def foreign(self) -> bool:
        """Whether other code made, and may still write, the wallet tables."""

    @property
    def writers(self) -> int:
        """How many transactions write at once without waiting for each other: on SQLite one."""

    def history(
        self, wallet_id: UUID, limit: int, skipped: int = 0, *, newest_first: bool = False
    ) -> list[HistoryEntry]:
        """A page of the texts that were kept of a wallet, by the time of each, after ``skipped`` of them."""

    def keeps_sealed(self, wallet_id: UUID, other_than: tuple[str, str] | None = None) -> bool:
        """Whether a sealed text is kept of a wallet, or one of another (network, label); no text is read."""

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
        new: NewWallet,
        old: Wallet,
        retirement: Retirement,
        own_key: tuple[IdempotencyRecord, Tag],
        belongs: Belongs,
    ) -> bool:
        """Let the slot name a new wallet if it names the old one, and retire the old one, under an idempotency key.

        False: the key is taken, or slot or record changed: another caller was first. Raises SlotMovedError
        where the slot names a third one, or where there is no slot and another live wallet, that other code wrote,
        ``belongs`` into it.
        """

    def revoke(self, wallet: Wallet, retirement: Retirement, entry: LogEntry, now: datetime, belongs: Belongs) -> bool:
        """Retire a wallet; does nothing where it is revoked. Its slot goes on naming it. False: its record changed.

        Where there is no slot, it takes one, unless another live wallet, that other code wrote, ``belongs`` into it.
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

    def stream_tagged_otherwise(self, kid: str) -> Iterator[list[TaggedRow]]:
        """Pages of rows that another sealing key tagged, or none."""

    def retag(self, changes: Sequence[tuple[TaggedRow, Tag]]) -> int:
        """Compare-and-set tags; how many were written."""

    def has_unsealed_texts(self) -> bool:
        """Whether any vault record holds a text that is neither a sealed text nor a placeholder."""

    def find_record(self, wallet_id: UUID) -> Registered | None:
        """The whole record of a wallet, or None: for saying what a row contradicts."""

    def shared_keys(self, public_key: str | None = None) -> dict[str, bool]:
        """Public keys that the register has under several wallets, and whether of several projects; or one of them."""

    def is_of_another_project(self, project_id: UUID, public_keys: Sequence[str], addresses: Sequence[str]) -> bool:
        """Whether a record or a row has one of the keys or addresses for another project than this, however spelled.

        Case, what stands around one, and a missing ``0x`` make no difference.
        """

    def paths_of_other_projects(self, project_id: UUID, limit: int) -> list[tuple[str, str, str]]:
        """Networks, schemes and paths of the records of wallets of other projects, each once; so many at most."""

    def wallets_of_other_projects(self, project_id: UUID, public_key: str) -> list[UUID]:
        """Wallets of other projects that the register has under a public key, tags unchecked; 16 at most."""

    def count_unregistered(self) -> int:
        """How many credentials the register has no record of."""

    def count_sealed(self, kid: str) -> int:
        """How many vault records a sealing key sealed."""

    def iter_not_sealed_by(self, kid: str, project_id: UUID | None = None) -> Iterator[list[StoredWallet]]:
        """Pages of wallets whose text another sealing key sealed, in the order of ids."""

    def rewrap(self, pairs: Sequence[tuple[StoredWallet, str]], now: datetime) -> frozenset[UUID]:
        """Compare-and-set texts, each to its new one, old ones into the history; the ids that were written."""

    def authorize(self, records: Sequence[SigningRecord], now: datetime) -> list[Grant]:
        """Read each wallet, and write the log row of those that may sign, in one statement and one commit.

        A record is granted if its wallet is live and allowed, and its nonce is free or was used for the same digest.
        What is refused to one does not concern the others. Raises StoreError: then nothing was written.
        """

    def authorize_replacement(self, record: SigningRecord, old_digest: str, now: datetime) -> Grant:
        """The same for one record that replaces what was signed under its nonce, if that still has this digest."""

    def find_nonce(self, project_id: UUID, chain_id: str, address: str, nonce: str) -> tuple[NonceRecord, Tag] | None:
        """What was signed under a nonce, with its tag."""

    def has_nonces_of_other_spellings(self) -> bool:
        """Whether a nonce was used by an address in small letters or capitals alone, as legacy rows may have it."""

    def write_log(self, stored: StoredWallet, entry: LogEntry, now: datetime) -> None:
        """Commit one usage-log row. Raises StoreError: then it did not happen."""

    @property
    def rescue(self) -> Rescue:
        """What gets kept keys out."""

    def list_log(self, query: LogQuery) -> LogPage:
        """One page of the usage log and, where neither wallet nor project is named, of the events, newest first."""

    def projects(self, after: UUID | None, limit: int) -> list[ProjectSummary]:
        """Up to ``limit`` projects after an id, in the order of ids."""

    def status(self) -> StoreStatus:
        """Facts about the database, for people."""

    def close(self) -> None:
        """Give the connections back."""


class UpgradableStore(Store, Protocol):
    """A store whose records an older version may have written without tags. Failure contract as for Store."""

    def stream_unregistered(self) -> Iterator[list[StoredWallet]]:
        """Pages of wallets that the register has no record of."""

    def register(self, records: Sequence[Registered]) -> int:
        """Insert records of wallets that the register does not have; how many were written."""

    def untagged_nonces(self, skipped: int) -> list[UntaggedNonce]:
        """A page of nonces that an older version wrote down, of wallets that are registered."""

    def move_nonce(
        self, old: UntaggedNonce, new: tuple[NonceRecord, Tag] | None, event: Event | None, now: datetime
    ) -> bool:
        """Take an untagged nonce away and write ``new`` in its place; False if it changed meanwhile."""

    def finish_upgrade(self, head: TaggedHead, event: Event, now: datetime) -> bool:
        """Write a head that says that every record carries a tag; False if it is not the next one."""

    def accept(
        self, registered: Registered, slot: SlotRecord | None, slot_tag: Tag | None, event: Event, now: datetime
    ) -> None:
        """Write a wallet's record over what is there, and its slot."""

    def forget(self, changes: Sequence[TaggedRow], event: Event, now: datetime) -> int:
        """Remove rows that are still what was read, with an event; how many were removed."""
