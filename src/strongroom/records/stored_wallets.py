"""Wallets as a store reads and writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from strongroom.records.key_material import KeyMaterial, PublicHalf
from strongroom.records.register import IdempotencyRecord, Registered, Registration, TaggedSlot
from strongroom.records.requests import Request
from strongroom.records.tag import Tag
from strongroom.records.usage_log import LogEntry
from strongroom.records.wallets import ACCESS_LEVEL, ENCRYPTION_METHOD, REVOKED, STATUS, Wallet, vault_id_of


def wallet_of_key(
    wallet_id: UUID, project_id: UUID, network: str, label: str, material: KeyMaterial, half: PublicHalf, now: datetime
) -> Wallet:
    """The wallet that a new key becomes: live, and sealed by us."""
    return Wallet(
        id=wallet_id,
        project_id=project_id,
        network=network,
        label=label,
        address=half.address,
        public_key=half.public_key,
        vault_id=vault_id_of(wallet_id),
        status=STATUS,
        access_level=ACCESS_LEVEL,
        encryption_method=ENCRYPTION_METHOD,
        custody="ours",
        scheme=material.scheme,
        path=material.path,
        created_at=now,
        durable=True,
        phrase_id=material.phrase_id,
        phrase_index=material.phrase_index,
    )


def registration_of(wallet: Wallet, variant: str | None, version: int = 1) -> Registration:
    """The record of a wallet as it stands; an access level that is none of ours counts as the one we give."""
    known = ("project_admin", "project_member", REVOKED)
    return Registration(
        project_id=wallet.project_id,
        credential_id=wallet.id,
        network=wallet.network,
        variant=variant,
        label=wallet.label,
        vault_id=wallet.vault_id,
        address=wallet.address,
        public_key=wallet.public_key,
        scheme=wallet.scheme,
        path=wallet.path,
        access_level=wallet.access_level if wallet.access_level in known else ACCESS_LEVEL,
        status=wallet.status,
        version=version,
        phrase_id=wallet.phrase_id,
        phrase_index=wallet.phrase_index,
    )


@dataclass(frozen=True, slots=True)
class NewWallet:
    """A proved and sealed wallet, ready to be written."""

    wallet: Wallet
    sealed_text: str
    kid: str
    """The sealing key of the text: the database that takes the wallet must have it in its keyring."""
    log: LogEntry
    idempotency_key: str | None
    request: Request
    created_at: datetime
    registered: Registered
    """The record of the register."""
    slot_tag: Tag
    """Of the slot that names the new wallet, version 1."""
    idempotency_tag: Tag | None = None
    """Of the row of ``idempotency_key``, where there is one."""

    @property
    def idempotency(self) -> tuple[IdempotencyRecord, Tag] | None:
        """What ``idempotency_key`` remembers, with its tag."""
        key, tag = self.idempotency_key, self.idempotency_tag
        if key is None or tag is None:
            return None
        return IdempotencyRecord(self.wallet.project_id, key, self.request.as_json(), self.wallet.id), tag


class Adoption(NamedTuple):
    """What lets a slot name a wallet that was there: tags over the slot and the key, and a record if there was none."""

    slot_tag: Tag
    idempotency_tag: Tag | None = None
    registered: Registered | None = None


class Retirement(NamedTuple):
    """What retires a wallet in the register, compared and set on what was read."""

    old: Registered | None
    """The record that is there; None: there is none yet, and ``new`` is inserted."""
    new: Registered
    """The record afterwards; the same as ``old`` where the wallet is retired already."""
    slot: TaggedSlot | None
    """The slot as it was read, or None."""
    slot_tag: Tag
    """Of the slot afterwards: moved to the successor, or taken where there is none."""


class RowSaid(NamedTuple):
    """What a credential's row says of its name and state, before anybody made something of it."""

    credential_type: str | None
    status: str | None
    is_active: Any
    revoked: bool
    """Whether it has a time of revocation."""


@dataclass(frozen=True, slots=True)
class StoredWallet:
    """A wallet as read, with its sealed text."""

    wallet: Wallet
    sealed_text: str | None
    """None where the vault record is missing; the legacy application may have put a key in plaintext here."""
    named: str | None = None
    """The network that the slot or the row names; the wallet's own may be another, where the row's is a default."""
    key_in_metadata: bool = False
    """Whether the credential's metadata has a member in which the legacy application is known to have kept key
    texts."""
    registered: Registered | None = None
    """Its record in the register, as read: nothing is checked yet."""
    slot: TaggedSlot | None = None
    """The slot that it was found by, as read."""
    row: Wallet | None = None
    """The wallet as its rows say it, where ``wallet`` is what the register says."""
    said: RowSaid | None = None
    """What its row says of its state and name, as it stands."""

    def __repr__(self) -> str:
        return f"<StoredWallet {self.wallet.id}>"  # a key may stand in any column of a legacy row


@dataclass(frozen=True, slots=True)
class IdempotentRecord:
    """What an idempotency key was used for."""

    request: str
    stored: StoredWallet | None
    credential_id: UUID
    tag: Tag | None = None
    """None where a version of strongroom that made none wrote it."""
