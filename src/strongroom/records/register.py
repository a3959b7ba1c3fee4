"""The register: what strongroom recorded of each wallet, slot, idempotency key, nonce and keyring, with its tag.

A record and its tag travel together from the store to the use cases, which make and check tags; a store carries them.
The order of the fields is part of the format (docs/format.md).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from strongroom.records.tag import Tag, TagKind

UNPROVED = "unproved"
"""In the place of a variant: strongroom recorded the wallet's state, and its key was never opened."""
MOST_STATES_CHARACTERS = 262_144
"""Of the head's states: some 7,000 sealing keys. A rotation that would need more is refused."""
MOST_SLOTS = 32
"""Slots that name one wallet which are looked at: strongroom makes one. More of them are a writer's work."""
ROOT_KEYS = "root_keys"
"""The member of the head's states that is no kid: kids have 22 characters."""
MOST_WRAPS = 16_384
"""Of all sealing keys by all root keys: more of them than there ever are."""
Fields = tuple[str | None, ...]


class Registration(NamedTuple):
    """The record of one wallet: what any verb may return of it, and in which state it is."""

    project_id: UUID
    credential_id: UUID
    network: str
    variant: str | None
    """The address variant that the wallet was made with; None where only its scheme is known."""
    label: str
    vault_id: str
    address: str
    public_key: str
    scheme: str | None
    path: str | None
    access_level: str
    status: str
    """``active``, ``replaced`` or ``revoked``."""
    version: int
    """Counts changes; every change is a compare-and-set on it."""
    phrase_id: UUID | None = None
    """The phrase that the wallet was derived from, where it is a project's own."""
    phrase_index: int | None = None

    def fields(self) -> Fields:
        """What the tag covers, in order: UUIDs as 32 hexadecimal digits, numbers in decimal digits."""
        version, phrase_id, phrase_index = self[12:]
        return (
            "%032x" % self[0].int,  # noqa: UP031 - for each wallet that is returned: half the time of UUID.hex
            "%032x" % self[1].int,  # noqa: UP031
            *self[2:12],
            str(version),
            None if phrase_id is None else phrase_id.hex,
            None if phrase_index is None else str(phrase_index),
        )


class Registered(NamedTuple):
    """The record of a wallet as it was read, with its tag."""

    record: Registration
    tag: Tag


class KeyHolder(NamedTuple):
    """A row or a record that states a key or address: whose it is by what it says, and nothing of it is proved.

    Or a sealed text alone, of whichever vault record: then it states nothing else.
    """

    wallet_id: UUID
    project_id: UUID
    """The nil UUID where it names none."""
    public_key: str
    address: str
    sealed_text: str | None
    """The sealed text that is stored with a row."""
    recorded: bool
    """Whether it is a record."""


class SlotRecord(NamedTuple):
    """Which wallet is the live one of (project, network, label)."""

    project_id: UUID
    network: str
    label: str
    credential_id: UUID
    version: int

    def fields(self) -> Fields:
        """What the tag covers, in order."""
        return self.project_id.hex, self.network, self.label, self.credential_id.hex, str(self.version)


class TaggedSlot(NamedTuple):
    """A slot as it was read; without a tag where a version of strongroom that made none wrote it."""

    record: SlotRecord
    tag: Tag | None


class IdempotencyRecord(NamedTuple):
    """What an idempotency key was used for."""

    project_id: UUID
    key: str
    request: str
    credential_id: UUID

    def fields(self) -> Fields:
        """What the tag covers, in order."""
        return self.project_id.hex, self.key, self.request, self.credential_id.hex


class NonceRecord(NamedTuple):
    """What was signed under a nonce of an account on a chain."""

    project_id: UUID
    chain_id: str
    address: str
    nonce: str
    credential_id: UUID
    digest: str
    fee: str
    """A JSON array of integers: what the payload pays at most, per unit."""

    def fields(self) -> Fields:
        """What the tag covers, in order."""
        project_id, chain_id, address, nonce, credential_id, digest, fee = self
        return project_id.hex, chain_id, address, nonce, credential_id.hex, digest, fee


class KeyringHead(NamedTuple):
    """Which sealing keys there are, in which state, and what the vault accepts."""

    version: int
    """Counts changes; every change is a compare-and-set on it."""
    states: Mapping[str, str]
    """``active``, ``opening`` or ``retired`` by kid; tags under a retired key do not count."""
    tags_complete: bool
    """Whether every record carries a tag, so that a missing one is a mismatch."""
    accept_foreign: bool
    """Whether wallets of legacy tables that nothing proves are returned, as such."""
    root_keys: tuple[str, ...] | None = None
    """The names of the root keys that wrap the keyring, sorted; None where an earlier version wrote the head."""

    @property
    def active_kid(self) -> str:
        """The sealing key that seals; empty where none does."""
        return next((kid for kid, state in self.states.items() if state == "active"), "")

    def states_text(self) -> str:
        """The states as they are stored: JSON, kids sorted, with the names of the root keys where they are known."""
        named = {} if self.root_keys is None else {ROOT_KEYS: list(self.root_keys)}
        return json.dumps({**self.states, **named}, sort_keys=True, separators=(",", ":"))

    def names_root_key(self, uri: str) -> bool:
        """Whether the root key of a URI wraps the keyring; any may, as far as a head of an earlier version says."""
        return self.root_keys is None or root_key_name(uri) in self.root_keys

    def fields(self) -> Fields:
        """What the tag covers, in order."""
        return str(self.version), self.states_text(), _flag(self.tags_complete), _flag(self.accept_foreign)


def root_key_name(uri: str) -> str:
    """The name of a root key's URI in the head: base64url of the first 16 bytes of its SHA-256, 22 characters."""
    return base64.urlsafe_b64encode(hashlib.sha256(uri.encode(errors="surrogatepass")).digest()[:16])[:22].decode()


def root_key_names(uris: Iterable[str]) -> tuple[str, ...]:
    """The names of several root keys, sorted."""
    return tuple(sorted({root_key_name(uri) for uri in uris}))


class TaggedHead(NamedTuple):
    """The head as it was read."""

    record: KeyringHead
    tag: Tag


Record = Registration | SlotRecord | IdempotencyRecord | NonceRecord


class TaggedRow(NamedTuple):
    """A row of the database that carries a tag, or should."""

    kind: TagKind
    keys: Mapping[str, Any]
    """Its primary key, as it stands."""
    record: Record
    tag: Tag | None


class UntaggedNonce(NamedTuple):
    """A nonce that an older version wrote down, by wallet instead of by account."""

    project_id: UUID
    credential_id: UUID
    chain_id: str
    nonce: str
    digest: str
    fee: str
    registered: Registered | None
    """The record of the wallet that signed it."""


def _flag(value: bool) -> str:
    return "true" if value else "false"
