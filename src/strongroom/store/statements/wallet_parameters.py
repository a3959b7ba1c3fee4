"""The parameters of every statement that writes a wallet, from the wallet as it is to be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from strongroom.records.identifiers import new_id
from strongroom.records.register import IdempotencyRecord
from strongroom.records.stored_wallets import NewWallet
from strongroom.records.tag import Tag
from strongroom.records.wallets import credential_type_of
from strongroom.store.statements.usage_log import log_values


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
        "credential_type": credential_type_of(wallet.network, wallet.label),
        "address": wallet.address,
        "public_key": wallet.public_key,
        "vault_id": wallet.vault_id,
        "status": wallet.status,
        "metadata": _metadata(wallet.scheme, wallet.path),
        "vault_row_id": new_id(now),
        "sealed_text": new.sealed_text,
        "kid": new.kid,
        "encryption_method": wallet.encryption_method,
        "access_level": wallet.access_level,
        "history_id": new_id(now),
        "form": "sealed",
        "idempotency_key": new.idempotency_key,
        "request": "" if new.idempotency_key is None else new.request.as_json(),
        "variant": new.registered.record.variant,
        "scheme": wallet.scheme,
        "path": wallet.path,
        "record_version": new.registered.record.version,
        "phrase_id": new.registered.record.phrase_id,
        "phrase_index": new.registered.record.phrase_index,
        "tag_kid": new.slot_tag.kid,
        "record_tag": new.registered.tag.value,
        "slot_tag": new.slot_tag.value,
        "key_tag": None if new.idempotency_tag is None else new.idempotency_tag.value,
        **log_values(new.log, now),
    }


def batch_parameters(wallets: Sequence[NewWallet]) -> dict[str, Any]:
    """The arrays of ``insert_batch``; what all wallets of a batch share is said once."""
    first = wallets[0]
    now, records = first.created_at, [new.registered.record for new in wallets]
    return {
        "project_id": first.wallet.project_id,
        "encryption_method": first.wallet.encryption_method,
        "access_level": first.wallet.access_level,
        "phrase_id": records[0].phrase_id,
        "tag_kid": first.registered.tag.kid,
        **log_values(first.log, now),
        "ids": [record.credential_id for record in records],
        "networks": [record.network for record in records],
        "labels": [record.label for record in records],
        "credential_types": [credential_type_of(record.network, record.label) for record in records],
        "addresses": [record.address for record in records],
        "public_keys": [record.public_key for record in records],
        "vault_ids": [record.vault_id for record in records],
        "all_metadata": [_metadata(record.scheme, record.path) for record in records],
        "vault_row_ids": [new_id(now) for _ in records],
        "sealed_texts": [new.sealed_text for new in wallets],
        "variants": [record.variant for record in records],
        "schemes": [record.scheme for record in records],
        "paths": [record.path for record in records],
        "indices": [record.phrase_index for record in records],
        "record_tags": [new.registered.tag.value for new in wallets],
        "log_ids": [new_id(now) for _ in records],
    }


def idempotency_parameters(record: IdempotencyRecord, tag: Tag, now: datetime) -> dict[str, Any]:
    """The parameters of ``take_idempotency``, which remembers what a key's request is answered with."""
    return {
        "project_id": record.project_id,
        "idempotency_key": record.key,
        "request": record.request,
        "id": record.credential_id,
        "now": now,
        "tag_kid": tag.kid,
        "key_tag": tag.value,
    }


def _metadata(scheme: str | None, path: str | None) -> str:
    return json.dumps({"scheme": scheme, "path": path})
