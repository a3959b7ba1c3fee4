"""Where it is written down what has left a branch of a phrase, before it leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from strongroom.records.phrases import TaggedAccount
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.usage_log import Event, LogEntry
from strongroom.records.watch_only import TaggedBranch

Logged = tuple[StoredWallet, LogEntry] | Event
"""The row that says that something leaves: of a wallet's usage log, or of the events."""


class Exposure(NamedTuple):
    """An xpub or a private key of a branch that is about to leave."""

    first: TaggedBranch
    """The branch as it begins: nothing has left it yet."""
    change: Callable[[TaggedBranch], TaggedBranch | None]
    """The branch afterwards, None where it stays as it is; raises where this must not leave. It may run twice."""
    logged: Logged
    account: TaggedAccount | None = None
    """Whose xpub leaves, as it begins: it gets a row where it has none, so that lists of accounts show it."""


class ExposureStore(Protocol):
    """What has left the branches of phrases. Failure contract as in ports.wallet_stores.

    What makes the write safe under concurrent callers: the row lock of the branch. An xpub and a private key of one
    branch never leave at once without each knowing of the other.
    """

    def expose(self, exposure: Exposure, now: datetime) -> bool:
        """Lock the branch, ask whether this may leave, and write that it did with its log row, in one transaction.

        False where the branch changed meanwhile: nothing was written. What ``change`` raises is passed on, and nothing
        was written.
        """

    def branches(self, project_id: UUID, phrase_id: UUID) -> list[TaggedBranch]:
        """Every branch of a phrase that something has left."""
