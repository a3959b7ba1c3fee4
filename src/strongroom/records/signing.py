"""What is asked to be signed, and what the store records and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.tag import Tag
from strongroom.records.usage_log import LogEntry


class SigningRequest(NamedTuple):
    """What a caller asks to have signed."""

    kind: str
    """One of the kinds that the wallet's network declares; see signing_kinds.py."""
    payload: Any
    """Bytes, text or a mapping, as the kind and the network take it."""
    options: Mapping[str, Any] = MappingProxyType({})
    """What the kind declares, such as ``sighash_allowed`` or ``max_fee``; an unknown one is refused."""

    def __repr__(self) -> str:
        return f"<SigningRequest {self.kind if isinstance(self.kind, str) else type(self.kind).__name__}>"


class ReplayScope(Protocol):
    """What may be used once: another payload under the same scope is a replacement, on the network's own terms.

    Frozen. The three texts are stored as they are, and compared byte for byte; the vault and its stores never look
    into them.
    """

    @property
    def domain(self) -> str:
        """Where it counts: the decimal chain id of EIP-155, or another network's own name for it."""

    @property
    def sequence(self) -> str:
        """What is used up there: the decimal nonce of an account, a ticket."""

    @property
    def terms(self) -> str:
        """What the payload offers against a replacement, such as its fee; ``may_replace`` of a later one reads it."""

    def may_replace(self, terms: str) -> bool:
        """Whether this payload may take the place of one with those stored terms.

        False for terms that cannot be read, so that nothing replaces a damaged row.
        """


@dataclass(frozen=True, slots=True)
class SigningRecord:
    """One signature that is asked for, as the store arbitrates it."""

    wallet_id: UUID
    log: LogEntry
    digest: str
    """What was signed, hashed: 64 hexadecimal digits."""
    scope: ReplayScope | None = None
    allow_retired: bool = False
    """Whether a wallet that was replaced may sign."""
    project_id: UUID | None = None
    """The project that the wallet is asked for in."""
    address: str | None = None
    """The account whose scope it is: several wallets with one key share it."""
    scope_tag: Tag | None = None
    """Of the scope's row; see ``nonce_record``."""


class PriorUse(NamedTuple):
    """What was signed under a replay scope before, as it was read."""

    digest: str
    terms: str
    credential_id: UUID
    """The wallet that signed it."""
    tag: Tag | None
    """None where a version of strongroom that made none wrote it."""


@dataclass(frozen=True, slots=True)
class SigningDecision:
    """The store's answer to a record. There may be a signature only if ``logged``: then its row is durable."""

    logged: bool
    stored: StoredWallet | None = None
    """The wallet as the statement that wrote the log row read it, or None."""
    state: str = ""
    """``live``, ``replaced``, ``revoked``, or ``unknown``: the row's status is none of these."""
    access_allowed: bool = False
    """Whether the access level of its vault record is one that may sign."""
    prior_use: PriorUse | None = None
    """What was signed under the replay scope before."""
