"""The parameters of every statement that writes a wallet, from the wallet as it is to be."""

from __future__ import annotations

import json
from typing import Any

from strongroom.records.identifiers import new_id
from strongroom.records.stored_wallets import NewWallet
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
