"""The stores of one database, composed: a use case names the one that it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self, TypeVar

from strongroom.ports.erasing_store import EraseStore
from strongroom.ports.exposure_store import ExposureStore
from strongroom.ports.phrase_store import PhraseStore
from strongroom.ports.record_stores import LogStore, PageStore, RegisterStore, TagStore
from strongroom.ports.rescue import Rescue
from strongroom.ports.wallet_stores import KeyringStore, LifecycleStore, SigningStore, WalletStore
from strongroom.records.status import StoreStatus

T = TypeVar("T")


class Stores(Protocol):
    """Where rows live. Verbs run on connections of our own, or in a caller's transaction where ``within`` says so."""

    @property
    def wallets(self) -> WalletStore:
        """Wallets: found, made, adopted, and the texts that were kept of them."""

    @property
    def keyring(self) -> KeyringStore:
        """Sealing keys, their wraps, and what each of them sealed."""

    @property
    def lifecycle(self) -> LifecycleStore:
        """Completing, replacing and retiring wallets."""

    @property
    def signing(self) -> SigningStore:
        """What grants signatures, and logs them."""

    @property
    def pages(self) -> PageStore:
        """Wallets and projects, page by page."""

    @property
    def phrases(self) -> PhraseStore:
        """Phrases of projects, and how far the indices of each are taken."""

    @property
    def exposures(self) -> ExposureStore:
        """What has left the branches of phrases, written before it leaves."""

    @property
    def register(self) -> RegisterStore:
        """The register: a record of each wallet, with its tag."""

    @property
    def tags(self) -> TagStore:
        """Rows that carry tags, and rows that do not yet."""

    @property
    def log(self) -> LogStore:
        """The usage log, and the events."""

    @property
    def erase(self) -> EraseStore:
        """What takes names of persons from a project's rows."""

    @property
    def rescue(self) -> Rescue:
        """What gets kept keys out."""

    def within(self, connection: Any | None) -> Self:
        """The same stores in the transaction of a caller's connection; None: these.

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

    @property
    def plain_vault_ids(self) -> bool:
        """Whether a vault id is the wallet's id alone, because a column for it is a uuid."""

    @property
    def time_step_microseconds(self) -> int:
        """How exactly a wallet's time of creation is kept: 1, unless the column is a number of larger units."""

    @property
    def foreign(self) -> bool:
        """Whether the legacy application made, and may still write, the wallet tables."""

    @property
    def divided(self) -> bool:
        """Whether the tables are divided by project, so that no row becomes another project's."""

    def status(self) -> StoreStatus:
        """Facts about the database, for people."""

    def close(self) -> None:
        """Give every connection back to the driver; the stores cannot be used afterwards."""
