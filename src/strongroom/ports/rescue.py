"""Getting kept keys out: what is read of the texts of a wallet, and the writes that put one back or set one aside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from strongroom.host.work_budget import WorkBudget
from strongroom.records.history import HistoryEntry
from strongroom.records.key_material import KeyMaterial
from strongroom.records.register import Registered, SlotRecord
from strongroom.records.stored_wallets import NewWallet, StoredWallet
from strongroom.records.tag import Tag
from strongroom.records.usage_log import Event, LogEntry
from strongroom.records.wallets import Wallet
from strongroom.secret import Secret


class ReadText(NamedTuple):
    """What a text of the legacy application is."""

    form: str
    """What was recognised, for people."""
    in_plaintext: bool
    """Whether it is a key or phrase that anybody can read."""
    network: str = ""
    """The network on which the key was derived; empty where no key was read."""
    address: str = ""
    """The address that the key derives there."""
    material: KeyMaterial | None = None
    """What would be sealed; None where no key was read."""
    holds_more: bool = False
    """Whether another key, or a secret that was not read, is in the same text: it would be lost."""
    is_locked: bool = False
    """Whether it is an envelope or keystore that a password would open."""
    is_of_many: bool = False
    """Whether it is one key of an extended key, and nothing else is in the text."""
    written: Secret | None = None
    """A key as it is written, where that says more: of which networks it is, and in which scheme. A phrase with the
    word before it. Both, and what is named next to a key, only where no stored address says which key is meant."""
    paths: tuple[str, ...] = ()
    """The derivation paths that are named in the text."""
    addresses: tuple[str, ...] = ()
    """The addresses of the network that are named next to the key, in their canonical form."""


class TextPasswords(NamedTuple):
    """What somebody brought to open texts with."""

    legacy: Secret | None = None
    """The password of PBKDF2 envelopes that legacy applications wrote."""
    keystores: Secret | None = None
    """The password of Web3 keystores."""
    work: WorkBudget | None = None
    """What may be tried in vain; None: as much as in a run of its own."""


class KeyChoice(NamedTuple):
    """Which key of a text is meant, where the stored address does not come out of it."""

    variant: str | None = None
    path: str | None = None
    """The derivation path of a phrase."""


NO_CHOICE = KeyChoice()


class ForeignTexts(Protocol):
    """Reads the texts of the legacy application: every form that doctor knows."""

    def read(
        self, text: str, network: str, address: str, passwords: TextPasswords, choice: KeyChoice = NO_CHOICE
    ) -> ReadText:
        """Read a text that is stored under an address.

        The stored address decides the network, else ``network`` does, which may be empty. A key that does not derive
        the stored address is derived as the choice says, or as the network does by default. Raises InvalidPathError
        where the path of a choice is needed and is none of the network's; nothing else.
        """

    def opened(self, text: str, passwords: TextPasswords) -> Secret | None:
        """All that is in an envelope, as it was written; None where a text is none, or the password does not fit."""

    def keys_in(self, opened: Secret) -> Iterator[KeyMaterial]:
        """Every key and phrase that is read of what was in an envelope; a phrase with one of its keys."""

    def sealed_in(self, text: str, *, alone: bool = False) -> str | None:
        """The sealed text of ours that is in a text, in quotes, JSON, base64 or the like; None where there is none.

        ``alone``: None also where something else is in it that may be a key. Says nothing about whether it opens.
        """

    def sealed_inside(self, text: str) -> tuple[str, ...]:
        """Every sealed text of ours that is in a text, in quotes, JSON, base64 or the like: all that ``sealed_in`` may
        return, and others next to it. None is the whole text, and nothing is said about whether they open.
        """


class SeenRecord(Protocol):
    """A vault record as it stands."""

    @property
    def id(self) -> str:
        """The record's id, as the database writes it."""

    @property
    def text(self) -> str | None:
        """The stored text, sealed or not; None where the column is NULL."""


class SeenCredential(Protocol):
    """A credential as it stands."""

    @property
    def key_texts(self) -> tuple[tuple[str, str], ...]:
        """Members of its metadata in which the legacy application kept keys: name and text."""


class SeenWallet(Protocol):
    """A credential with every vault record that names it, as they stand."""

    @property
    def credential(self) -> SeenCredential | None:
        """The credential, or None where it is gone."""

    @property
    def records(self) -> Sequence[SeenRecord]:
        """The credential's vault records, in the order of their ids."""

    @property
    def crowded(self) -> bool:
        """Whether there are more records than are read, or several projects have the credential's id."""


class Archived(NamedTuple):
    """A text that goes into the history, under the identity that it is sealed for, or that its row has."""

    text: str
    form: str
    """``sealed``: a text of ours; ``foreign``: a text of the legacy application."""
    wallet: Wallet
    """The wallet's identity: for a key of another address, with that address."""
    reason: str = "repair"
    """``repair``: nothing is left to do about it; ``archive``: doctor goes on looking at it."""


@dataclass(frozen=True, slots=True)
class TextChanges:
    """What is written into the texts of one wallet, all of it or nothing."""

    stored: Mapping[str, str] = field(default_factory=dict)
    """Sealed texts by the id of the vault record that takes them."""
    emptied: Mapping[str, str] = field(default_factory=dict)
    """By vault record: the sealed text that its key was archived as; a placeholder is left."""
    dropped: tuple[str, ...] = ()
    """Members of the metadata that go."""
    archived: tuple[Archived, ...] = ()
    """What the history keeps first."""
    registered: Registered | None = None
    """The wallet's record, where the register has none."""
    new_wallet: NewWallet | None = None
    """A wallet of its own for the key, written in the same transaction."""


@dataclass(frozen=True, slots=True)
class RemadeWallet:
    """Rows that are made anew."""

    wallet: Wallet
    """What its record says."""
    sealed_text: str = field(repr=False)
    recorded: Registered
    """The record as it was read; its row is locked and compared."""
    registered: Registered
    """The wallet's record as it is written."""
    slot: tuple[SlotRecord, Tag] | None
    """The slot that is taken where none is there."""


class Rescue(Protocol):
    """Writes that get a kept key out. Failure contract as for Store."""

    def see(self, wallet_id: UUID, project_id: UUID | None = None) -> SeenWallet | None:
        """A credential and its texts as they stand, or None where the credential is gone.

        ``project_id``: of a row of ours, the project that it must say.
        """

    def orphaned_texts(self, wallet_id: UUID, part_of: UUID | None = None) -> list[str | None]:
        """The texts of the vault records that name a wallet, be its credential there or not.

        ``part_of``, here and in ``entry``: where tables are divided by project, only the part of this one is read.
        """

    def texts_holding(self, beginning: str) -> Iterator[tuple[str, str]]:
        """Vault records (``record:ID``), entries of the history (``entry:ID``) and metadata (``metadata:ID``, the id of
        the credential) that hold a text which begins so; each with what it has from there on, as far as a sealed text
        may be long.

        A hundred of each at most, and the first in each alone.
        """

    def has_vault_id(self, vault_id: str) -> bool:
        """Whether a credential or a vault record has this vault id."""

    def named_by_slot(self, project_id: str | None, network: str, label: str) -> str | None:
        """The id of the wallet that a slot names, or None."""

    def entry(self, entry_id: UUID, part_of: UUID | None = None) -> HistoryEntry | None:
        """One entry of the history; its text may be cut."""

    def entry_text(self, entry_id: UUID) -> str | None:
        """The whole text of an entry, up to one character more than a text is read of."""

    def record_text(self, record_id: str) -> tuple[str, StoredWallet | None] | None:
        """The text of a vault record, and its wallet where there is one; None where there is no such record."""

    def change_texts(
        self, stored: StoredWallet, seen: SeenWallet, changes: TextChanges, log: LogEntry, now: datetime
    ) -> bool:
        """Carry out changes if credential and records are still exactly what was seen; else False, and nothing is.

        What is archived is written first; each text is read back before the commit.
        """

    def remake(self, remade: RemadeWallet, log: LogEntry, now: datetime) -> bool:
        """Insert the rows of a wallet that has none; False where its record changed, or rows are there by now.

        A vault record that names it already keeps its text. Raises StoreRefusedError where the application's own tables
        lack a row that the credential refers to.
        """

    def write_event(self, event_id: UUID, event: Event, now: datetime) -> None:
        """Commit one row of events, and find it there. Raises TriggerConflictError, StoreError."""

    def has_event(self, event_id: UUID) -> bool:
        """Whether a row of events is there: asked after a lost outcome of ``write_event``."""
