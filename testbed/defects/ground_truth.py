"""What was planted, with the truth about every text: the definition of the findings is computed from this alone."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from testbed.defects.keys import KnownKey
from testbed.defects.registered import RecordedWallet
from testbed.defects.texts import Text, address_mark

MEMBERS = ("private_key_encrypted", "vault_storage", "private_key_vault_id")


@dataclass(eq=False)
class CredentialRow:
    """A row of project_credentials."""

    id: UUID
    project: UUID
    key: KnownKey | None
    """The key whose address is stored; None where what is stored is not an address of any network."""
    wallet_address: str | None
    public_key: str
    vault_id: str
    network: str | None = "ethereum"
    credential_type: str | None = "ethereum_wallet"
    status: str | None = "active"
    is_active: bool | None = True
    revoked_at: datetime | None = None
    vault_stored: bool | None = True
    metadata: dict[str, Any] | None = field(default_factory=dict)
    """What is stored there in addition to key texts."""
    members: dict[str, Text] = field(default_factory=dict)
    """The key texts of the metadata, by the name of ``MEMBERS``."""
    slot_label: str | None = None
    """The label of the slot that names it."""
    tampered: bool = False
    """Whether public key, scheme or path differ from those of its sealed text."""
    by_trigger: bool = False
    """Whether it is written as applications do where a trigger writes the vault record."""
    registered: RecordedWallet | None = None
    """What the register says of it, if it is in there."""
    columns: dict[str, Any] = field(default_factory=dict)
    """Other columns of a row that strongroom made."""
    origin: str = ""
    """The recipe that it comes from, or that spoiled it."""

    @property
    def live(self) -> bool:
        """``is_active`` is not false and ``revoked_at`` is NULL."""
        return self.is_active is not False and self.revoked_at is None

    @property
    def network_of_address(self) -> str | None:
        """The one that the row names if the address is valid there, else the first where it is."""
        if self.key is None:
            return None
        return self.network if self.network in self.key.networks else self.key.networks[0]


@dataclass(eq=False)
class Record:
    """A row of credential_vault_storage."""

    id: UUID
    credential: UUID
    text: Text
    vault_id: str
    method: str | None = "AES-256-GCM"
    access_level: str | None = "project_admin"
    columns: dict[str, Any] = field(default_factory=dict)
    origin: str = ""


@dataclass(eq=False)
class Entry:
    """A row of strongroom_vault_history."""

    id: UUID
    project: UUID
    credential: UUID
    key: KnownKey | None
    """The key whose address the entry names."""
    address: str
    text: Text
    form: str
    network: str = "ethereum"
    columns: dict[str, Any] = field(default_factory=dict)
    origin: str = ""


@dataclass(eq=False)
class GroundTruth:
    """Every row that the definition speaks of."""

    generation: str
    kids: frozenset[str] = frozenset()
    """The sealing keys of this database's keyring."""
    credentials: list[CredentialRow] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    def index(self) -> Index:
        """The rows by credential, and the texts that could be another wallet's."""
        return Index(self)


class Index:
    """The rows of the ground truth by what is looked up."""

    def __init__(self, truth: GroundTruth) -> None:
        self.by_id = {credential.id: credential for credential in truth.credentials}
        self.records: dict[UUID, list[Record]] = defaultdict(list)
        self.entries: dict[UUID, list[Entry]] = defaultdict(list)
        self.by_address: dict[object, list[CredentialRow]] = defaultdict(list)
        for credential in truth.credentials:
            if credential.key is not None:
                self.by_address[address_mark(credential.key.address)].append(credential)
        self.by_truth: dict[object, list[Record]] = defaultdict(list)
        """Vault records by what their text holds or names: a secret, a phrase, a credential, an address."""
        for record in truth.records:
            self.records[record.credential].append(record)
            for mark in _marks(record.text):
                self.by_truth[mark].append(record)
        for entry in truth.entries:
            self.entries[entry.credential].append(entry)

    def in_any_record(self, credential: CredentialRow) -> list[Text]:
        """Texts of vault records, whatever credential they name, that may hold this one's key."""
        return [record.text for record in self.records_with(credential)]

    def with_address(self, credential: CredentialRow) -> list[CredentialRow]:
        """The credentials of the same key."""
        return [] if credential.key is None else self.by_address[address_mark(credential.key.address)]

    def records_with(self, credential: CredentialRow) -> list[Record]:
        """Vault records, whatever credential they name, that may hold this one's key."""
        marks: list[object] = [credential.id]
        if credential.key is not None:
            marks += [credential.key.secret, address_mark(credential.key.address)]
            marks += [] if credential.key.phrase is None else [credential.key.phrase]
        return [record for mark in marks for record in self.by_truth.get(mark, ())]


def _marks(text: Text) -> list[object]:
    marks: list[object] = [mark for mark in (text.secret, text.phrase) if mark is not None]
    if text.header is not None:
        marks += [text.header.credential, address_mark(text.header.address)]
    return marks
