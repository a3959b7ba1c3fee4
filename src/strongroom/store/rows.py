"""Rows to records and records to parameters."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from strongroom import bounded_json
from strongroom.identifiers import new_id
from strongroom.model import (
    DEFAULT_LABEL,
    REVOKED,
    STATUS,
    Actor,
    Custody,
    Event,
    HistoryEntry,
    LogEntry,
    NewWallet,
    StoredWallet,
    Wallet,
)

_KEY_MEMBERS = frozenset({"private_key_encrypted", "vault_storage", "private_key_vault_id"})
SEALED_PREFIX = "eyJraWQiOi"
"""What sealed texts begin with (docs/format.md): a store tells them from others and opens none."""


_CREDENTIAL_TYPE = re.compile(r"[a-z0-9-]+_wallet:([a-z0-9._-]{1,64})")
_LONGEST_FACT = 1024
_STRANGE = "?"
"""Stands for whatever a row says that is no word: it is no scheme and no path, and not the silence of other code."""


def credential_type(network: str, label: str) -> str:
    """``<network>_wallet`` for the default label, else ``<network>_wallet:<label>``."""
    return f"{network}_wallet" if label == DEFAULT_LABEL else f"{network}_wallet:{label}"


def uuid_of(value: Any) -> UUID:
    """A UUID from what the driver returned; the nil UUID where SQLite's row holds none: it proves as no wallet."""
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value)
    except (ValueError, AttributeError, TypeError):
        return UUID(int=0)


def readable(row: Sequence[Any]) -> tuple[Any, ...]:
    """A row's values with text for bytes: SQLite takes bytes for any column, and they are no text of ours."""
    return tuple(value.decode(errors="replace") if isinstance(value, bytes) else value for value in row)


def _time_of(value: Any) -> datetime | None:
    """A time in UTC, or None where the row holds none."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _facts(metadata: Any) -> dict[str, Any]:
    """What the metadata says, or nothing where it is damaged or says something else."""
    try:
        facts = bounded_json.loads(metadata) if isinstance(metadata, str) else metadata
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _fact(value: Any) -> str | None:
    """A scheme or a path as the metadata say it, which may be anything."""
    if value is None or (isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST_FACT):
        return value
    return _STRANGE


def _text(value: Any) -> str | None:
    """The text of a column: other code's may have another type."""
    return value if value is None or isinstance(value, str) else str(value)


def stored_wallet(row: Sequence[Any], *, durable: bool = True) -> StoredWallet:
    """A wallet from a row of ``Statements._wallet_columns``; where other code wrote it, much may be missing."""
    values = readable(row)
    wallet_id, project_id = values[:2]
    slot_network, slot_label, network, kind, address, public_key, vault_id, status = map(_text, values[2:10])
    is_active, revoked_at, metadata, created_at = values[10:14]
    access_level, encryption_method, sealed_text = map(_text, values[14:])
    facts = _facts(metadata)
    custody: Custody | None = None
    if sealed_text is not None:
        custody = "ours" if sealed_text.startswith(SEALED_PREFIX) else "foreign"
    if status in (None, STATUS):
        status = REVOKED if is_active in (False, 0) or revoked_at is not None else STATUS
    named = slot_network or network or _network_of(kind)
    wallet = Wallet(
        id=uuid_of(wallet_id),
        project_id=uuid_of(project_id),
        network=named,
        label=slot_label or label_of(kind),
        address=address or "",
        public_key=public_key or "",
        vault_id=vault_id or "",
        status=status,
        access_level=access_level,
        encryption_method=encryption_method,
        custody=custody,
        scheme=_fact(facts.get("scheme")),
        path=_fact(facts.get("path")),
        created_at=_time_of(created_at),
        durable=durable,
    )
    return StoredWallet(wallet, sealed_text, named, key_in_metadata=not _KEY_MEMBERS.isdisjoint(facts))


def label_of(kind: str | None) -> str:
    """The label in a credential type of our own form; what other code put behind a colon is none."""
    found = _CREDENTIAL_TYPE.fullmatch(kind or "")
    return DEFAULT_LABEL if found is None else found[1]


def _network_of(kind: str | None) -> str:
    return (kind or "").partition("_wallet")[0]


def history_entry(row: Sequence[Any]) -> HistoryEntry:
    """A kept text from a row of strongroom_vault_history."""
    values = readable(row)  # the guard keeps what SQLite had
    entry_id, project_id, credential_id, network, label, address, public_key, vault_id, text, form, reason, at = values
    return HistoryEntry(
        id=uuid_of(entry_id),
        project_id=uuid_of(project_id),
        wallet_id=uuid_of(credential_id),
        network=network,
        label=label,
        address=address,
        public_key=public_key,
        vault_id=vault_id,
        text=text,
        form=form,
        reason=reason,
        created_at=_time_of(at) or datetime.min.replace(tzinfo=UTC),
    )


def wallet_parameters(new: NewWallet) -> dict[str, Any]:
    """The parameters of every statement that writes a wallet."""
    wallet = new.wallet
    now = new.created_at
    return {
        "id": wallet.id,
        "project_id": wallet.project_id,
        "network": wallet.network,
        "label": wallet.label,
        "version": 1,
        "credential_type": credential_type(wallet.network, wallet.label),
        "address": wallet.address,
        "public_key": wallet.public_key,
        "vault_id": wallet.vault_id,
        "status": wallet.status,
        "metadata": json.dumps({"scheme": wallet.scheme, "path": wallet.path}),
        "vault_row_id": new_id(now),
        "sealed_text": new.sealed_text,
        "kid": new.kid,
        "encryption_method": wallet.encryption_method,
        "access_level": wallet.access_level,
        "history_id": new_id(now),
        "form": "sealed",
        "idempotency_key": new.idempotency_key,
        "request": new.request.as_json(),
        **log_parameters(new.log, now),
    }


def log_parameters(entry: LogEntry, now: datetime) -> dict[str, Any]:
    """The parameters of a usage-log row; an actor that is not a UUID goes into the details."""
    actor = _uuid_or_none(entry.actor.actor)
    details = dict(entry.details)
    if entry.actor.actor is not None and actor is None:
        details["actor"] = entry.actor.actor
    if entry.actor.reason is not None:
        details["reason"] = entry.actor.reason
    return {
        "log_id": new_id(now),
        "action": entry.action,
        "details": json.dumps(details),
        "performed_by": actor,
        "now": now,
    }


def kid_of(head: str) -> str | None:
    """The kid in the first forty characters of a sealed text, or None for other texts."""
    if not head.startswith(SEALED_PREFIX) or len(head) < 40:
        return None
    try:
        return base64.urlsafe_b64decode(head[:40])[8:].decode("ascii")
    except ValueError:
        return None


def _uuid_or_none(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None


def fill_parameters(expected: StoredWallet, sealed_text: str, now: datetime) -> dict[str, Any]:
    """The parameters of a sealed text that comes later than its credential, and of its history row."""
    wallet = expected.wallet
    return {
        **_kept(wallet, now),
        "vault_row_id": new_id(now),
        "sealed_text": sealed_text,
        "form": "sealed",
    }


def rewrap_row(stored: StoredWallet, new_text: str, now: datetime) -> dict[str, Any]:
    """The parameters of one rewrap, its history row and its log row."""
    return {
        **_kept(stored.wallet, now),
        **log_parameters(LogEntry("rewrap", Actor()), now),
        "sealed_text": new_text,
        "old_text": stored.sealed_text,
        "form": "sealed",
    }


def rewrap_parameters(pairs: Sequence[tuple[StoredWallet, str]], now: datetime) -> dict[str, Any]:
    """The parameters of many rewraps in one statement, a list each."""
    wallets = [stored.wallet for stored, _ in pairs]
    # Of one time, so that their ids alone say which text came first.
    kept = [sorted((new_id(now), new_id(now))) for _ in wallets]
    return {
        "ids": [wallet.id for wallet in wallets],
        "projects": [wallet.project_id for wallet in wallets],
        "old_texts": [stored.sealed_text for stored, _ in pairs],
        "new_texts": [text for _, text in pairs],
        "networks": [wallet.network for wallet in wallets],
        "labels": [wallet.label for wallet in wallets],
        "addresses": [wallet.address for wallet in wallets],
        "public_keys": [wallet.public_key for wallet in wallets],
        "vault_ids": [wallet.vault_id for wallet in wallets],
        "history_ids": [old for old, _ in kept],
        "new_history_ids": [new for _, new in kept],
        "log_ids": [new_id(now) for _ in wallets],
        "now": now,
    }


def event_parameters(event: Event, now: datetime) -> dict[str, Any]:
    """The parameters of a row of events."""
    details = dict(event.details)
    for name, value in (("actor", event.actor.actor), ("reason", event.actor.reason)):
        if value is not None:
            details[name] = value
    return {"event_id": new_id(now), "event": event.event, "details": json.dumps(details), "now": now}


def beginning_of(kid: str) -> str:
    """The forty characters that every text begins with that a sealing key sealed."""
    return base64.urlsafe_b64encode(f'{{"kid":"{kid}'.encode()).decode("ascii")


def _kept(wallet: Wallet, now: datetime) -> dict[str, Any]:
    return {
        "history_id": new_id(now),
        "id": wallet.id,
        "project_id": wallet.project_id,
        "network": wallet.network,
        "label": wallet.label,
        "address": wallet.address,
        "public_key": wallet.public_key,
        "vault_id": wallet.vault_id,
        "now": now,
    }
