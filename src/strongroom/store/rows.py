"""Rows to records and records to parameters."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from strongroom.identifiers import new_id
from strongroom.model import DEFAULT_LABEL, Custody, LogEntry, NewWallet, StoredWallet, Wallet

SEALED_PREFIX = "eyJraWQiOi"
"""What sealed texts begin with (docs/format.md): a store tells them from others and opens none."""


def credential_type(network: str, label: str) -> str:
    """``<network>_wallet`` for the default label, else ``<network>_wallet:<label>``."""
    return f"{network}_wallet" if label == DEFAULT_LABEL else f"{network}_wallet:{label}"


def uuid_of(value: Any) -> UUID:
    """A UUID from what the driver returned."""
    return value if isinstance(value, UUID) else UUID(value)


def _time_of(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment.astimezone(UTC)


def stored_wallet(row: Sequence[Any], *, durable: bool = True) -> StoredWallet:
    """A wallet from a row of WALLET_COLUMNS."""
    (
        wallet_id,
        project_id,
        network,
        kind,
        address,
        public_key,
        vault_id,
        status,
        metadata,
        created_at,
        access_level,
        encryption_method,
        sealed_text,
    ) = row
    facts = json.loads(metadata) if isinstance(metadata, str) else metadata
    custody: Custody | None = None
    if sealed_text is not None:
        custody = "ours" if sealed_text.startswith(SEALED_PREFIX) else "foreign"
    wallet = Wallet(
        id=uuid_of(wallet_id),
        project_id=uuid_of(project_id),
        network=network,
        label=kind.partition(":")[2] or DEFAULT_LABEL,
        address=address,
        public_key=public_key,
        vault_id=vault_id,
        status=status,
        access_level=access_level,
        encryption_method=encryption_method,
        custody=custody,
        scheme=facts.get("scheme"),
        path=facts.get("path"),
        created_at=_time_of(created_at),
        durable=durable,
    )
    return StoredWallet(wallet, sealed_text)


def wallet_parameters(new: NewWallet) -> dict[str, Any]:
    """The parameters of every statement that writes a wallet."""
    wallet = new.wallet
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
        "vault_row_id": new_id(wallet.created_at),
        "sealed_text": new.sealed_text,
        "encryption_method": wallet.encryption_method,
        "access_level": wallet.access_level,
        "idempotency_key": new.idempotency_key,
        "request": new.request.as_json(),
        **log_parameters(new.log, wallet.created_at),
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
    except (binascii.Error, UnicodeDecodeError):
        return None


def _uuid_or_none(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None
