"""Wallets as they are found: what the rows of an inspection become. Nothing raises, whatever stands in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from strongroom import bounded_json
from strongroom.model import StoredWallet, Wallet
from strongroom.store.statements.inspection import MOST_RECORDS
from strongroom.store.statements.register_rows import uuid_of
from strongroom.store.statements.rows import fact_of, label_of

_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})
_METADATA = 13
_RECORD = 18
"""Where in a row the metadata begin, and the record."""
_MEMBERS = ("private_key_encrypted", "vault_storage.encrypted_private_key", "private_key_vault_id")


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A row of ``credential_vault_storage``. Prints its ids alone: a key may stand in any column."""

    id: str
    credential_id: str | None
    text: str | None = field(repr=False)
    """At most one character more than ``MAX_TEXT_CHARACTERS``: whatever is longer is no key."""
    encryption_method: str | None = field(repr=False)
    access_level: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class FoundCredential:
    """A row of ``project_credentials``. Prints its id alone: a key may stand in any column."""

    id: str
    project_id: str | None = field(repr=False)
    network: str = field(repr=False)
    """What slot, column or credential type name; not proved to be the address's."""
    label: str = field(repr=False)
    address: str = field(repr=False)
    """``wallet_address``, else ``public_key``."""
    public_key: str = field(repr=False)
    key_vault_id: str | None = field(repr=False)
    live: bool
    status: str | None = field(repr=False)
    vault_stored: bool | None
    scheme: str | None = field(repr=False)
    path: str | None = field(repr=False)
    key_texts: tuple[tuple[str, str], ...] = field(repr=False)
    """Members of the metadata in which other code kept key texts: name and text."""
    wallet_address: str = field(default="", repr=False)
    """What that column says; empty where it says nothing."""


@dataclass(frozen=True, slots=True)
class FoundWallet:
    """A credential with its records, or records whose credential is gone."""

    credential: FoundCredential | None
    records: tuple[FoundRecord, ...]
    crowded: bool = False
    """Whether there are more records of the credential than are read: then nothing is decided about it."""

    @property
    def id(self) -> str | None:
        """The credential's id, be the credential there or not; None for a record that names none."""
        return self.records[0].credential_id if self.credential is None else self.credential.id


@dataclass(frozen=True, slots=True)
class KeptText:
    """A row of ``strongroom_vault_history``."""

    id: str
    credential_id: str | None
    network: str
    address: str
    text: str = field(repr=False)
    form: str
    reason: str
    project_id: str | None


def stored_wallet_of(found: FoundCredential, *, ours: bool) -> StoredWallet:
    """The wallet that a credential is, without a text: all that a new one is sealed for.

    In tables of ours its address is what that column says; elsewhere it may be the public key.
    """
    wallet = Wallet(
        id=uuid_of(found.id),
        project_id=uuid_of(found.project_id),
        network=found.network,
        label=found.label,
        address=found.wallet_address if ours else found.address,
        public_key=found.public_key,
        vault_id=found.key_vault_id or "",
        status=found.status or "",
        access_level=None,
        encryption_method=None,
        custody=None,
        scheme=fact_of(found.scheme),
        path=fact_of(found.path),
        created_at=None,
        durable=True,
    )
    return StoredWallet(wallet, None, found.network)


def found_wallet(rows: Sequence[tuple[Any, ...]], *, metadata_is_text: bool) -> FoundWallet:
    """The wallet of all rows of one credential, or of records that have none."""
    crowded = len(rows) > MOST_RECORDS
    records = tuple(FoundRecord(*row[_RECORD:]) for row in rows[:MOST_RECORDS] if row[_RECORD] is not None)
    if rows[0][0] is None:
        return FoundWallet(None, records, crowded)
    members = _members(rows[0][_METADATA]) if metadata_is_text else rows[0][_METADATA:_RECORD]
    return FoundWallet(_credential(rows[0][:_METADATA], members), records, crowded)


def wallet_id_of(row: tuple[Any, ...]) -> str | None:
    """The credential's id that a row names, be the credential there or not."""
    return row[0] if row[0] is not None else row[_RECORD + 1]  # type: ignore[no-any-return]


def _members(text: str | None) -> tuple[str | None, ...]:
    """What is looked for in metadata that come as text; nothing where they are no JSON object."""
    try:
        return _looked_for(bounded_json.loads(text or ""))
    except (ValueError, RecursionError):
        return _looked_for(None)


def _looked_for(facts: Any) -> tuple[str | None, ...]:
    if not isinstance(facts, dict):
        return (None,) * (_RECORD - _METADATA)
    nested = facts.get("vault_storage")
    found = (
        facts.get(_MEMBERS[0]),
        nested.get("encrypted_private_key") if isinstance(nested, dict) else None,
        facts.get(_MEMBERS[2]),
        facts.get("scheme"),
        facts.get("path"),
    )
    return tuple(value if value is None or isinstance(value, str) else json.dumps(value) for value in found)


def _flag(value: Any) -> bool | None:
    """A boolean from a column of any type: PostgreSQL's words where it is text. None for what says neither."""
    if isinstance(value, Decimal):
        return bool(value) if value in (0, 1) else None
    word = str(value).strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _credential(row: tuple[Any, ...], members: tuple[Any, ...]) -> FoundCredential:
    (
        credential_id,
        project_id,
        slot_network,
        slot_label,
        network,
        kind,
        wallet_address,
        public_key,
        key_vault_id,
        status,
        is_active,
        revoked,
        vault_stored,
    ) = row
    return FoundCredential(
        id=credential_id,
        project_id=project_id,
        network=slot_network or network or (kind or "").partition("_wallet")[0],
        label=slot_label or label_of(kind),
        address=wallet_address or public_key or "",
        public_key=public_key or "",
        key_vault_id=key_vault_id,
        live=_flag(is_active) is not False and not revoked,
        status=status,
        vault_stored=_flag(vault_stored),
        scheme=members[3],
        path=members[4],
        key_texts=tuple((name, text) for name, text in zip(_MEMBERS, members, strict=False) if text),
        wallet_address=wallet_address or "",
    )
