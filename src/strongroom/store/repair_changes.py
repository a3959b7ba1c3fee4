"""What a repair does to one wallet, worked out before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from strongroom.records.identifiers import new_id
from strongroom.records.register import Registered
from strongroom.records.tag import Tag
from strongroom.records.wallets import ACCESS_LEVEL, Wallet
from strongroom.store.context import StoreContext
from strongroom.store.inspection.inspection_rows import FoundWallet, KeptText
from strongroom.store.statements.rows import in_utf8
from strongroom.store.write_conditions import SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class HistoryAddition:
    """A text that goes into the history: sealed by us, or the legacy application's that is under a password."""

    text: str = field(repr=False)
    form: str
    reason: str
    identity: Wallet | None = None
    """The identity of its row, where it is not the wallet's: that of a key of another address."""

    def parameters(self, wallet: Wallet, now: datetime) -> dict[str, Any]:
        """The parameters of its row of the history, with the identity that the wallet has, as far as that is text."""
        wallet = self.identity or wallet
        return {
            "kept_id": new_id(now),
            "kept_project_id": wallet.project_id,
            "kept_credential_id": wallet.id,
            "kept_network": in_utf8(wallet.network),
            "kept_label": in_utf8(wallet.label),
            "kept_address": in_utf8(wallet.address),
            "kept_public_key": in_utf8(wallet.public_key),
            "kept_vault_id": in_utf8(wallet.vault_id),
            "kept_text": self.text,
            "kept_form": self.form,
            "kept_reason": self.reason,
            "kept_created_at": now,
            "kept_schema_version": SCHEMA_VERSION,
        }


class QuestionsOfKeys(Protocol):
    """Questions about keys that were answered before the locks were held."""

    def ask_again(self, context: StoreContext) -> None:
        """Ask old ones of a context inside the transaction, before it writes. Raises StrongroomError."""

    def is_too_old(self) -> bool:
        """Whether that is too long ago for a commit."""


@dataclass(slots=True)
class RelatedRows:
    """Rows of other wallets, and entries of the history, that a decision rests on. Each by its id."""

    wallets: dict[str, FoundWallet] = field(default_factory=dict)
    """Wallets that stay live, with their records."""
    records: dict[str, FoundWallet] = field(default_factory=dict)
    """Vault records that a key is taken from, each with its credential."""
    history: dict[str, KeptText] = field(default_factory=dict)
    """Entries that a key is taken from, or that are sealed."""
    said: dict[UUID, list[tuple[Any, ...]]] = field(default_factory=dict)
    """What register and slots say of the wallets that those texts are of, as it was read."""
    asked: QuestionsOfKeys | None = None
    """What was asked about the keys."""

    def update(self, other: RelatedRows) -> None:
        """Take in what another one has."""
        self.wallets.update(other.wallets)
        self.records.update(other.records)
        self.history.update(other.history)
        self.said.update(other.said)


@dataclass(frozen=True, slots=True)
class Recording:
    """What a repair writes into the register."""

    class SlotTags(NamedTuple):
        """The tags of a slot that is taken, or moved from the version that was read."""

        taken: Tag
        moved: Tag
        version: int | None

    old: Registered | None
    new: Registered | None
    slot: SlotTags | None = None


@dataclass(slots=True)
class WalletChangeSet:
    """What is done to one wallet, all of it or nothing. Texts are sealed texts."""

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Columns of vault records, by the record's id."""
    emptied: dict[str, str] = field(default_factory=dict)
    """Placeholders that take a record's place after its sealed text in ``records``, which the history keeps."""
    inserted: str | None = None
    """The text of a vault record that is missing."""
    inserted_level: str = ACCESS_LEVEL
    """The access level of the record that is inserted."""
    credential: dict[str, Any] = field(default_factory=dict)
    """Columns of the credential."""
    dropped: tuple[str, ...] = ()
    """Members of the metadata that go."""
    derivation: tuple[str, str | None] | None = None
    """Scheme and path in the metadata."""
    sealed_history: dict[str, str] = field(default_factory=dict)
    """Sealed texts for entries of the history, by the entry's id."""
    kept: list[HistoryAddition] = field(default_factory=list)
    """What goes into the history before anything is written."""
    slot: tuple[str, str, UUID] | None = None
    """Network and label whose live wallet must be this one; where it is the retired one, the slot moves."""
    vault_id: str | None = None
    """A vault id of the credential's own, for both halves."""
    recording: Recording | None = None
    """The record of the register, and the slot's tags."""

    def __bool__(self) -> bool:
        return bool(
            self.records
            or self.inserted
            or self.credential
            or self.dropped
            or self.derivation
            or self.sealed_history
            or self.slot
            or self.vault_id
        )
