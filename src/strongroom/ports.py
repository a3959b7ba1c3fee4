"""The seams, as protocols. Each has few verbs and a written failure contract; adapters stand outside.

More power is a second, optional protocol: a network that signs will also be a ``Signer``, a root key that can
be made on the spot is also a ``CreatableRootKey``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from strongroom.model import (
    Event,
    HistoryEntry,
    IdempotentRecord,
    KeyMaterial,
    KeyringRows,
    LogEntry,
    NewWallet,
    PublicHalf,
    StoredWallet,
    StoreStatus,
    Wallet,
    WrappedKey,
)
from strongroom.phrase import Phrase
from strongroom.secret import Secret
from strongroom.signing import Grant, Prepared, ToSign, Wish


class Clock(Protocol):
    """Time is an input."""

    def __call__(self) -> datetime:
        """The time now, in UTC, with its time zone."""


class Network(Protocol):
    """A registered chain: how keys are derived, written and shown. Stateless; nothing here touches a network.

    Every verb raises a subclass of InvalidRequestError for input that is not of this network, and nothing else.
    While an error is raised no frame of the implementation holds plaintext in a local variable.
    """

    @property
    def name(self) -> str:
        """The registered name, such as ``ethereum``."""

    @property
    def caip2(self) -> str:
        """The CAIP-2 chain id, such as ``eip155:1``."""

    @property
    def variants(self) -> Sequence[str]:
        """The names of the address variants; the first is the default."""

    def scheme(self, variant: str | None) -> str:
        """The scheme of a variant, such as ``bip86`` for ``taproot``. Raises UnknownVariantError."""

    def default_path(self, scheme: str) -> str:
        """The derivation path of index 0 of a scheme, such as ``m/84'/0'/0'/0/0``."""

    def derive(self, phrase: Phrase, scheme: str, path: str | None = None) -> KeyMaterial:
        """Derive the key of a phrase at a path (default: the scheme's own). Raises InvalidPathError."""

    def parse_private_key(self, text: Secret) -> Secret:
        """Read a private key from a text form of this network into raw bytes. Raises InvalidPrivateKeyError."""

    def format_private_key(self, private_key: Secret) -> Secret:
        """Write raw bytes in the text form that wallets of this network import."""

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive public key and address. Raises InvalidPrivateKeyError for a number outside the curve's range."""

    def parse_address(self, text: str) -> str:
        """Return the canonical form of an address of this network. Raises InvalidAddressError."""


@runtime_checkable
class KeystoreNetwork(Protocol):
    """A network whose wallets exchange keys as JSON under a password: Web3 Secret Storage, version 3.

    Both verbs take about a second and 256 MiB; a document that asks for more is refused before anything is
    computed. Failure contract as for Network.
    """

    def open_keystore(self, document: Secret, password: Secret) -> Secret:
        """Decrypt a document into the raw private key, and compare it with the address that the document names.

        Raises InvalidKeystoreError, KeystorePasswordError, AddressMismatchError, InvalidPrivateKeyError. A document
        that names no address has no proof that its key is intact: compare the derived address.
        """

    def make_keystore(self, private_key: Secret, password: Secret) -> str:
        """Encrypt a raw private key. Raises KeystorePasswordError for a password that is too short."""


@runtime_checkable
class SigningNetwork(Protocol):
    """A network whose wallets sign. Failure contract as for Network, and nothing touches the chain."""

    def prepare(self, wallet: Wallet, request: ToSign) -> Prepared:
        """Check a request and hash it, for a wallet of this network; opens no key.

        Raises a subclass of SigningError for what cannot or must not be signed: UnsupportedSigningError for a kind
        that this network does not have, MalformedPayloadError for what cannot be read, SignatureRefusedError for what
        must not be signed as it stands (another chain, another wallet's address, a fee above the limit).
        """


class Networks(Protocol):
    """The table of networks."""

    def get(self, name: str) -> Network:
        """Return the network of that name. Raises UnknownNetworkError."""

    def __iter__(self) -> Iterator[Network]:
        """Every network, in the order of the table."""


class NotMine(Exception):
    """This wrap was made by another root key: try the next one."""


class RootKey(Protocol):
    """Wraps and unwraps sealing keys. The URI is the configuration and never a secret.

    Failure contract of ``unwrap``: NotMine: another root key's wrap, try the next. RootKeyError: denied or
    damaged, stop. StoreUnavailableError does not belong here; a provider that cannot be reached raises an error
    with ``retryable`` set. Called outside of every transaction.
    """

    @property
    def uri(self) -> str:
        """The URI that this root key was opened from, as it is stored beside each wrap."""

    def wrap(self, kid: str, sealing_key: Secret) -> WrappedKey:
        """Wrap a sealing key, bound to its kid."""

    def unwrap(self, wrap: WrappedKey) -> Secret:
        """Unwrap a sealing key. Raises NotMine, or KeyringCorruptError when the wrap is this key's and damaged."""


Belongs = Callable[[Wallet], bool]
"""Whether a wallet that other code wrote is the one that is asked for."""


class Store(Protocol):
    """Where rows live. Knows nothing of plaintext.

    ``connection`` is a caller's SQLAlchemy connection or None for one of our own. Failure contract: driver
    errors never pass; they arrive as StoreError subclasses. A write that ran on our own connection and whose
    outcome cannot be told raises OutcomeUnknownError; the caller resolves it by asking for the id that it chose.
    """

    def read_keyring(self) -> KeyringRows | None:
        """The keyring, or None where there is none yet."""

    def create_keyring(self, wrap: WrappedKey, event: Event, now: datetime) -> bool:
        """Write the first keyring; False if another init was first. Raises KeyringMissingError on sealed rows."""

    def has_sealed_rows(self) -> bool:
        """Whether any vault record holds a sealed text. A scan where there is none."""

    def sealed_kids_at_the_ends(self) -> frozenset[str]:
        """The kids that the oldest and the newest sealed texts name: a bounded look, not a scan."""

    def find_live(
        self, project_id: UUID, network: str, label: str, connection: Any | None = None
    ) -> StoredWallet | None:
        """The wallet that the slot names, or None. Raises KeyMissingError when the slot names nothing."""

    def find_idempotent(self, project_id: UUID, key: str, connection: Any | None = None) -> IdempotentRecord | None:
        """What an idempotency key was used for, or None."""

    def insert_wallet(self, new: NewWallet, belongs: Belongs, connection: Any | None = None) -> bool:
        """Write slot, credential, vault record, log row (and idempotency row) or nothing.

        False: a wallet is there, made by the winner of a race, or by other code and now named by the slot.
        ``belongs`` says whether a wallet that other code wrote is of the new one's network and label. Raises
        AmbiguousWalletError, KeyMissingError, CheckRefusesError, ColumnTooShortError, TriggerConflictError.
        """

    def knows_sealing_key(self, kid: str, connection: Any | None = None) -> bool:
        """Whether the keyring of the database has a sealing key."""

    def bind_idempotency(
        self, project_id: UUID, key: str, request: str, wallet_id: UUID, now: datetime, connection: Any | None
    ) -> None:
        """Remember that a key's request is answered by an existing wallet; does nothing if the key is taken."""

    def get(self, wallet_id: UUID, project_id: UUID | None = None) -> StoredWallet | None:
        """One wallet by its id; with project_id only if it is that project's."""

    def find_by_address(self, addresses: Sequence[str], project_id: UUID | None = None) -> list[StoredWallet]:
        """Wallets with one of these canonical addresses; at most a hundred."""

    def page(self, project_id: UUID, network: str | None, after: UUID | None, limit: int) -> list[StoredWallet]:
        """Up to ``limit`` wallets of a project after an id, in the order of ids.

        Where other code wrote rows, those of other networks are among them: their columns do not tell.
        """

    def count(self, project_id: UUID | None = None) -> int:
        """How many credentials there are, for a progress bar."""

    def stream(self, project_id: UUID | None = None) -> Iterator[StoredWallet]:
        """Every wallet, in the order of ids, a page at a time: no transaction stays open between pages."""

    @property
    def foreign(self) -> bool:
        """Whether other code made, and may still write, the wallet tables."""

    @property
    def writers(self) -> int:
        """How many transactions write at once without waiting for each other: on SQLite one."""

    def history(self, wallet_id: UUID) -> list[HistoryEntry]:
        """Every text that was kept of a wallet, oldest first."""

    def fill(self, expected: StoredWallet, sealed_text: str, entry: LogEntry, now: datetime) -> bool:
        """Put a sealed text where the vault record is missing, or the placeholder that ``expected`` shows.

        One write that is conditional on the exact placeholder and the unchanged public half, under the credential's
        row lock. False: something else is there by now; nothing was changed.
        """

    def replace(self, new: NewWallet, old: Wallet, key: str, request: str, belongs: Belongs) -> bool:
        """Let the slot name a new wallet if it names the old one, and retire the old one, under an idempotency key.

        False: the key is taken, another caller replaced it. Raises SlotMovedError where the slot names a third one,
        or where there is no slot and another live wallet, that other code wrote, ``belongs`` into it.
        """

    def revoke(self, wallet: Wallet, entry: LogEntry, now: datetime, belongs: Belongs) -> None:
        """Retire a wallet; does nothing where it is revoked. Its slot goes on naming it.

        Where there is no slot, it takes one, unless another live wallet, that other code wrote, ``belongs`` into it.
        """

    def add_sealing_key(self, wraps: Sequence[WrappedKey], version: int, event: Event, now: datetime) -> bool:
        """Make a sealing key the active one; False if the keyring's version is not this one any more."""

    def add_wraps(self, wraps: Sequence[WrappedKey], version: int, event: Event, now: datetime) -> bool:
        """Add wraps of another root key; False if the keyring's version is not this one any more."""

    def remove_wraps(self, uri: str, version: int, event: Event, now: datetime) -> bool:
        """Remove the wraps of a root key; False if the keyring's version is not this one any more."""

    def retire_sealing_key(self, kid: str) -> bool:
        """Mark a sealing key retired if it is not active and no vault record names it."""

    def count_sealed(self, kid: str) -> int:
        """How many vault records a sealing key sealed."""

    def stream_sealed_otherwise(self, kid: str, project_id: UUID | None = None) -> Iterator[list[StoredWallet]]:
        """Pages of wallets whose text another sealing key sealed, in the order of ids."""

    def rewrap(self, pairs: Sequence[tuple[StoredWallet, str]], now: datetime) -> frozenset[UUID]:
        """Compare-and-set texts, each to its new one, old ones into the history; the ids that were written."""

    def authorize(self, wishes: Sequence[Wish], now: datetime) -> list[Grant]:
        """Read each wallet, and write the log row of those that may sign, in one statement and one commit.

        A wish is granted if its wallet is live and allowed, and its nonce is free or was used for the same digest.
        What is refused to one does not concern the others. Raises StoreError: then nothing was written.
        """

    def authorize_replacement(self, wish: Wish, old_digest: str, now: datetime) -> Grant:
        """The same for one wish that replaces what was signed under its nonce, if that still has this digest."""

    def write_log(self, stored: StoredWallet, entry: LogEntry, now: datetime) -> None:
        """Commit one usage-log row. Raises StoreError: then it did not happen."""

    def status(self) -> StoreStatus:
        """Facts about the database, for people."""

    def close(self) -> None:
        """Give the connections back."""


@runtime_checkable
class CreatableRootKey(Protocol):
    """A root key that can be made where there is none: a file."""

    def create(self) -> bool:
        """Make it, durable, without replacing anything; False if it is already there."""
