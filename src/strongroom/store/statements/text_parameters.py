"""Parameters of sealed texts that come after their credential: fills and rewraps, with what the history keeps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from strongroom.records.identifiers import new_id
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.usage_log import Attribution, LogEntry
from strongroom.records.wallets import Wallet
from strongroom.store.statements.usage_log import log_values
from strongroom.store.write_conditions import SCHEMA_VERSION


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
        **log_values(LogEntry("rewrap", Attribution()), now),
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
        "schema_version": SCHEMA_VERSION,
    }
