"""Wallets as they are found: what the rows of an inspection become. Nothing raises, whatever is in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from strongroom import bounded_json
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.vault_texts import KEY_MEMBERS
from strongroom.records.wallets import Wallet
from strongroom.store.statements.history_reading import MAX_TEXT_CHARACTERS
from strongroom.store.statements.inspection import MOST_RECORDS
from strongroom.store.statements.metadata_texts import LEAST_CHARACTERS, other_texts
from strongroom.store.statements.register_rows import project_of, uuid_of
from strongroom.store.statements.rows import fact_of
from strongroom.store.statements.wallet_row import UNREAD_MARK, InspectedRow, label_of, network_of

_OF_KEYS = ("private_key_encrypted", "nested_key", "private_key_vault_id")
_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A row of ``credential_vault_storage``. Prints its ids alone: a key may be in any column."""

    id: str
    credential_id: str | None
    text: str | None = field(repr=False)
    """At most one character more than ``MAX_TEXT_CHARACTERS``: whatever is longer is no key."""
    encryption_method: str | None = field(repr=False)
    access_level: str | None = field(repr=False)
    project_id: str | None = field(default=None, repr=False)
    """What the row itself says, whatever its credential does; None in legacy tables, which do not have it."""


@dataclass(frozen=True, slots=True)
class FoundCredential:
    """A row of ``project_credentials``. Prints its id alone: a key may be in any column."""

    id: str
    project_id: str | None = field(repr=False)
    network: str = field(repr=False)
    """What slot, column or credential type name; not proved to be the address's."""
    label: str = field(repr=False)
    address: str = field(repr=False)
    """``wallet_address`` as it is stored; ``public_key`` where that is NULL."""
    public_key: str = field(repr=False)
    key_vault_id: str | None = field(repr=False)
    live: bool
    status: str | None = field(repr=False)
    vault_stored: bool | None
    scheme: str | None = field(repr=False)
    path: str | None = field(repr=False)
    key_texts: tuple[tuple[str, str], ...] = field(repr=False)
    """Members of the metadata in which a key could be: name and text; first those in which applications kept keys."""
    wallet_address: str = field(default="", repr=False)
    """What that column says; empty where it says nothing."""
    unread: int = 0
    """How many members of the metadata were not read, since they are too long; 1 where none of them was."""


@dataclass(frozen=True, slots=True)
class FoundWallet:
    """A credential with its records, or records whose credential is gone."""

    credential: FoundCredential | None
    records: tuple[FoundRecord, ...]
    crowded: bool = False
    """Whether there are more records of the credential than are read, or several projects have its id: then nothing is
    decided about it."""

    @property
    def id(self) -> str | None:
        """The credential's id, be the credential there or not; None for a record that names none."""
        return self.records[0].credential_id if self.credential is None else self.credential.id


@dataclass(frozen=True, slots=True)
class KeptText:
    """A row of ``strongroom_vault_history``: a text, and the identity that it was kept under."""

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
        project_id=project_of(found.project_id),
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
    found = [InspectedRow._make(row) for row in rows[:MOST_RECORDS]]
    if len(found) > 1 and len({(row.id, row.project_id) for row in found}) > 1:
        crowded = True  # an id is unique in its project alone where tables are divided by it
    records = tuple(_record(row) for row in found if row.record_id is not None)
    first = found[0]
    if first.id is None:
        return FoundWallet(None, records, crowded)
    return FoundWallet(_credential(first, _members(first, whole=metadata_is_text)), records, crowded)


def wallet_id_of(row: tuple[Any, ...]) -> str | None:
    """The credential's id that a row names, be the credential there or not."""
    found = InspectedRow._make(row)
    return found.id if found.id is not None else found.record_credential_id  # type: ignore[no-any-return]


def _record(row: InspectedRow) -> FoundRecord:
    return FoundRecord(
        id=row.record_id,
        credential_id=row.record_credential_id,
        text=row.record_text,
        encryption_method=row.record_encryption_method,
        access_level=row.record_access_level,
        project_id=row.record_project_id,
    )


class _Members(NamedTuple):
    """What is looked for in metadata."""

    private_key_encrypted: str | None = None
    nested_key: str | None = None
    private_key_vault_id: str | None = None
    scheme: str | None = None
    path: str | None = None
    others: tuple[tuple[str, str], ...] = ()
    """Whatever else in them could hold a key: name and text."""
    unread: int = 0
    """How many members were not read."""

    @property
    def of_keys(self) -> tuple[str | None, ...]:
        """What is in the members in which applications kept keys."""
        return self.private_key_encrypted, self.nested_key, self.private_key_vault_id

    def without_long(self) -> _Members:
        """The same without what is too long to be read, which is counted instead."""
        long = [name for name, text in zip(_OF_KEYS, self.of_keys, strict=True) if _is_long(text)]
        others = tuple((name, text) for name, text in self.others if not _is_long(text))
        many = max(self.unread, len(long) + len(self.others) - len(others))
        return self._replace(**dict.fromkeys(long), others=others, unread=many) if many else self


def _members(row: InspectedRow, *, whole: bool) -> _Members:
    """The metadata's members; ``whole``: all of them come in the first, as text, which may be no JSON object."""
    if not whole:
        named = (row.private_key_encrypted, row.nested_key, row.private_key_vault_id, row.scheme, row.path)
        return _Members(*named, *_others(row)).without_long()
    text = row.private_key_encrypted
    if _is_long(text):
        return _Members(unread=1)
    facts = _read(text)
    found = _looked_for(facts) if isinstance(facts, dict) else _Members(others=tuple(other_texts(facts)))
    return found.without_long()


def texts_in(metadata: str) -> tuple[str, ...]:
    """Every text in metadata that may be a wallet's ``key_texts``, however many members and characters they have.

    Long metadata come by their members, and perhaps not with all of them: so each member is looked into by itself.
    """
    facts = _read(metadata)
    if not isinstance(facts, dict):
        return tuple(text for _, text in other_texts(facts))
    others = (text for name, value in facts.items() for _, text in other_texts({name: value}))
    return tuple(text for text in (*_named_members(facts).of_keys, *others) if text)


def _others(row: InspectedRow) -> tuple[tuple[tuple[str, str], ...], int]:
    """What else could hold a key, and how many members did not come."""
    if row.other_metadata is None and len(row.scheme or "") + len(row.path or "") < LEAST_CHARACTERS:
        return (), 0
    own = {"scheme": row.scheme, "path": row.path}  # where they are long they are in the other metadata, too
    if row.other_metadata is None:
        return tuple(other_texts(own)), 0
    mark, count, text = row.other_metadata[:1], "0", row.other_metadata
    if mark == UNREAD_MARK:
        _, count, text = text.split(UNREAD_MARK, 2)
    return tuple(other_texts(_read(text))), int(count)


def _is_long(text: str | None) -> bool:
    return text is not None and len(text) > MAX_TEXT_CHARACTERS


def _read(text: str | None) -> Any:
    """Metadata from their text; the text itself where that is no JSON, or was cut."""
    try:
        if text is None:
            return None
        return bounded_json.loads(text, object_pairs_hook=bounded_json.keep_all, long_numbers=True)
    except (ValueError, RecursionError):
        return text


def _looked_for(facts: dict[str, Any]) -> _Members:
    return _named_members(facts)._replace(others=tuple(other_texts(facts)))


def _named_members(facts: dict[str, Any]) -> _Members:
    nested = facts.get("vault_storage")
    found = (
        facts.get("private_key_encrypted"),
        nested.get("encrypted_private_key") if isinstance(nested, dict) else None,
        facts.get("private_key_vault_id"),
        facts.get("scheme"),
        facts.get("path"),
    )
    texts = (value if value is None or isinstance(value, str) else json.dumps(value) for value in found)
    return _Members(*texts)  # type: ignore[arg-type]


def _flag(value: Any) -> bool | None:
    """A boolean from a column of any type: PostgreSQL's words where it is text. None for what says neither."""
    if isinstance(value, Decimal):
        return bool(value) if value in (0, 1) else None
    word = str(value).strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _credential(row: InspectedRow, members: _Members) -> FoundCredential:
    return FoundCredential(
        id=row.id,
        project_id=row.project_id,
        network=row.slot_network or row.network or network_of(row.credential_type),
        label=row.slot_label or label_of(row.credential_type),
        address=row.wallet_address or row.public_key or "",
        public_key=row.public_key or "",
        key_vault_id=row.key_vault_id,
        live=_flag(row.is_active) is not False and not row.is_revoked,
        status=row.status,
        vault_stored=_flag(row.vault_stored),
        scheme=members.scheme,
        path=members.path,
        key_texts=(
            *((name, text) for name, text in zip(KEY_MEMBERS, members.of_keys, strict=True) if text),
            *members.others,
        ),
        wallet_address=row.wallet_address or "",
        unread=members.unread,
    )
