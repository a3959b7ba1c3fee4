"""Phrases that belong to a project, and the accounts in which wallets take the next index of one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from strongroom.errors import StrongroomError
from strongroom.records.register import Fields
from strongroom.records.tag import Tag
from strongroom.secret import Secret

ACTIVE = "active"
REPLACED = "replaced"
EVENTS = (
    *("phrase-create", "phrase-import", "phrase-export", "phrase-replace", "phrase-advance", "phrase-repair"),
    "xpub-export",
)
"""The events that name a phrase of a project."""
LARGEST_INDEX = (1 << 31) - 1
"""That a path can have, hardened or not. BIP-32."""
HISTORY_NETWORK = "phrase"
"""In the place of a network in what the history keeps of a phrase."""
FINGERPRINT_DIGITS = 8
"""Of the identifier: what BIP-32 calls a fingerprint, and an output descriptor has for its origin."""


@dataclass(frozen=True, slots=True)
class ProjectPhrase:
    """The public facts of a phrase that belongs to a project, as the verbs of a vault return them."""

    id: UUID
    """Names the phrase in every verb."""
    project_id: UUID
    label: str
    """Tells the phrases of one project apart."""
    words: int
    """12, 15, 18, 21 or 24."""
    has_passphrase: bool
    """Whether a BIP-39 passphrase belongs to it: the words alone do not restore its wallets then."""
    fingerprint: str
    """Of its master key, 8 hexadecimal digits. BIP-32."""
    status: str
    """``active`` or ``replaced``: wallets are derived from an active one alone."""
    created_at: datetime | None
    """When it was made or imported, UTC; told by the database."""
    durable: bool
    """False only inside a caller's own transaction, until the caller commits."""

    def as_dict(self) -> dict[str, Any]:
        """The phrase as JSON-ready values: UUIDs as text, the time in ISO 8601."""
        return {
            **asdict(self),
            "id": str(self.id),
            "project_id": str(self.project_id),
            "created_at": None if self.created_at is None else self.created_at.isoformat(),
        }


class CreatedPhrase(NamedTuple):
    """What creating or importing a phrase returns: the phrase, and whether this call made it."""

    phrase: ProjectPhrase
    created: bool


@dataclass(frozen=True, slots=True)
class PhraseAccount:
    """How far the indices of a phrase are taken for one network, variant and path."""

    network: str
    variant: str
    template: str
    """The path of its keys with ``{index}`` in the place of the index, such as ``m/44'/60'/0'/0/{index}``."""
    next_index: int
    """The index that the next wallet takes, or, where a row was lost, a higher one."""
    xpub_exported: bool = False
    """Whether the xpub of its branch was exported, on whatever network: a key of it then gives away the account."""
    key_revealed: bool = False
    """Whether a private key of its branch was revealed: its xpub then gives away the account."""

    def as_dict(self) -> dict[str, Any]:
        """The account as JSON-ready values."""
        return asdict(self)


class PhrasePage(NamedTuple):
    """One page of a project's phrases, in the order of their ids: that of their making."""

    phrases: tuple[ProjectPhrase, ...]
    next: str | None
    """The cursor of the next page, or None on the last one."""


class RevealedPhrase(NamedTuple):
    """The plaintext of a phrase; each part still asks for ``reveal_text()``."""

    mnemonic: Secret
    """The words in NFKD, separated by single spaces. BIP-39."""
    passphrase: Secret | None
    """The BIP-39 passphrase, where there is one; the words alone restore no wallet then."""


class VerifiedPhrase(NamedTuple):
    """What proving a phrase came to."""

    phrase_id: UUID
    error: StrongroomError | None = None
    """What stands against it."""


PhraseReference: TypeAlias = "UUID | str | ProjectPhrase"
"""What a caller names a phrase of a project by: its label, its id as a UUID, or the phrase as a verb returned it."""


class PhraseRecord(NamedTuple):
    """What the tag of a phrase covers; the sealed text beside it is bound to project, id and identifier."""

    project_id: UUID
    phrase_id: UUID
    label: str
    words: int
    has_passphrase: bool
    identifier: str
    """Of its master key: HASH160 of the public key, 40 hexadecimal digits. BIP-32, "Key identifiers"."""
    status: str
    version: int
    """Counts changes; every change is a compare-and-set on it."""

    @property
    def credential_id(self) -> UUID:
        """The id that messages name."""
        return self.phrase_id

    def fields(self) -> Fields:
        """What the tag covers, in order."""
        project_id, phrase_id, label, words, has_passphrase, identifier, status, version = self
        flag = "true" if has_passphrase else "false"
        return project_id.hex, phrase_id.hex, label, str(words), flag, identifier, status, str(version)


@dataclass(frozen=True, slots=True)
class StoredPhrase:
    """A phrase as it was read, with its sealed text; nothing is checked yet."""

    record: PhraseRecord
    tag: Tag
    sealed_text: str
    created_at: datetime | None

    def __repr__(self) -> str:
        return f"<StoredPhrase {self.record.phrase_id}>"


class KeptPhraseText(NamedTuple):
    """A sealed text that the history keeps of a phrase; nothing is checked yet."""

    entry_id: UUID
    text: str

    def __repr__(self) -> str:
        return f"<KeptPhraseText {self.entry_id}>"


class KeptElsewhere(NamedTuple):
    """A text of a phrase that an entry of the history holds, and what the entry says of itself; nothing is checked."""

    project_id: UUID
    phrase_id: UUID
    text: str

    def __repr__(self) -> str:
        return f"<KeptElsewhere {self.phrase_id}>"


class AccountRecord(NamedTuple):
    """How far the indices of one phrase are taken for one network, variant and path template."""

    project_id: UUID
    phrase_id: UUID
    network: str
    variant: str
    template: str
    """The path of its keys with ``{index}`` in the place of the index, such as ``m/44'/60'/0'/0/{index}``."""
    next_index: int
    """The index that the next wallet takes. The register's unique index carries the promise; this finds it."""
    version: int

    @property
    def credential_id(self) -> UUID:
        """The id that messages name."""
        return self.phrase_id

    def fields(self) -> Fields:
        """What the tag covers, in order."""
        project_id, phrase_id, network, variant, template, next_index, version = self
        return project_id.hex, phrase_id.hex, network, variant, template, str(next_index), str(version)


class TaggedAccount(NamedTuple):
    """An account as it was read."""

    record: AccountRecord
    tag: Tag


class AccountChange(NamedTuple):
    """What lets an account go on to another index, compared and set on what was read."""

    old: TaggedAccount | None
    """None: there is no row yet, and ``new`` is inserted."""
    new: TaggedAccount
