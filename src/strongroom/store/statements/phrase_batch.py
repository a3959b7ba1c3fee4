"""Wallets of a phrase that are written in batches: arrays as rows, in the statements that insert them (PostgreSQL).

Where Citus distributes tables each statement selects from the account's row, too, which the transaction has locked: so
Citus sees on which node all of it is. Of arrays alone it would open a session on every node, and commit in two phases.
"""

from __future__ import annotations

from collections.abc import Mapping

from strongroom.store.statements.tables import ACCOUNT, ACCOUNT_ROW
from strongroom.store.write_conditions import SCHEMA_VERSION

_NOW, _PROJECT = ":now ::timestamptz", ":project_id ::uuid"
_ARRAYS = {
    "ids": "uuid",
    "networks": "text",
    "labels": "text",
    "credential_types": "text",
    "addresses": "text",
    "public_keys": "text",
    "vault_ids": "text",
    "all_metadata": "text",
    "vault_row_ids": "uuid",
    "sealed_texts": "text",
    "variants": "text",
    "schemes": "text",
    "paths": "text",
    "indices": "bigint",
    "record_tags": "text",
    "log_ids": "uuid",
}
"""The arrays of a batch of wallets, and the type of each one's elements."""
_ROWS: Mapping[str, Mapping[str, str]] = {
    "project_credentials": {
        "id": "i.ids",
        "credential_type": "i.credential_types",
        "network": "i.networks",
        "wallet_address": "i.addresses",
        "public_key": "i.public_keys",
        "key_vault_id": "i.vault_ids",
        "status": "'active'",
        "is_active": "true",
        "vault_stored": "true",
        "metadata": "i.all_metadata::jsonb",
        "created_by": ":performed_by ::uuid",
        "created_at": _NOW,
        "updated_at": _NOW,
    },
    "credential_vault_storage": {
        "id": "i.vault_row_ids",
        "credential_id": "i.ids",
        "vault_id": "i.vault_ids",
        "encrypted_private_key": "i.sealed_texts",
        "encryption_method": ":encryption_method",
        "access_level": ":access_level",
        "backup_created": "false",
        "created_at": _NOW,
        "updated_at": _NOW,
    },
    "strongroom_wallet": {
        "credential_id": "i.ids",
        "network": "i.networks",
        "variant": "i.variants",
        "label": "i.labels",
        "vault_id": "i.vault_ids",
        "address": "i.addresses",
        "public_key": "i.public_keys",
        "scheme": "i.schemes",
        "path": "i.paths",
        "access_level": ":access_level",
        "status": "'active'",
        "version": "1",
        "phrase_id": ":phrase_id ::uuid",
        "phrase_index": "i.indices",
        "kid": ":tag_kid",
        "tag": "i.record_tags",
    },
    "credential_usage_logs": {
        "id": "i.log_ids",
        "credential_id": "i.ids",
        "action_type": "'create'",
        "action_details": ":details ::jsonb",
        "performed_by": ":performed_by ::uuid",
        "performed_at": _NOW,
        "schema_version": str(SCHEMA_VERSION),
    },
}
"""The rows of a batch of wallets, by table: what each column is filled with, but for the project."""
_SLOT = {
    "network": "a.network",
    "label": "i.labels",
    "credential_id": "i.ids",
    "version": "1",
    "kid": ":tag_kid",
    "tag": "i.slot_tags",
}


def in_one_statement() -> str:
    """All rows but the slots of a batch; it returns how many of each table were written."""
    parts = ", ".join(
        f"{table}_rows AS ({_insert(table, row, _PROJECT, 'i')} RETURNING 1)" for table, row in _ROWS.items()
    )
    counts = ", ".join(f"(SELECT count(*) FROM {table}_rows)" for table in _ROWS)  # noqa: S608 - our own names
    return f"WITH i AS (SELECT * FROM {_batch(_ARRAYS)}), {parts} SELECT {counts}"  # noqa: S608


def slots_next_to_account() -> str:
    """Slots for wallets that are to be made, those that are free; it returns their labels."""
    return f"{_next_to_account('strongroom_slot', _SLOT)} ON CONFLICT DO NOTHING RETURNING label"


def rows_next_to_account() -> dict[str, str]:
    """The statements that write the same rows as ``in_one_statement``, by table."""
    return {table: _next_to_account(table, row) for table, row in _ROWS.items()}


def _next_to_account(table: str, row: Mapping[str, str]) -> str:
    every = {**_ARRAYS, "slot_tags": "text"}
    used = {name: kind for name, kind in every.items() if any(f"i.{name}" in value for value in row.values())}
    kinds = {each.name: "uuid" if each.name.endswith("_id") else "text" for each in ACCOUNT.primary_key}
    key = " AND ".join(f"a.{name} = :{ACCOUNT_ROW[name]} ::{kind}" for name, kind in kinds.items())
    source = f"strongroom_phrase_account a CROSS JOIN {_batch(used)}"
    return f"{_insert(table, row, 'a.project_id', source)} WHERE {key}"


def _batch(arrays: Mapping[str, str]) -> str:
    given = ", ".join(f":{name} ::{kind}[]" for name, kind in arrays.items())
    return f"unnest({given}) AS i ({', '.join(arrays)})"


def _insert(table: str, row: Mapping[str, str], project: str, source: str) -> str:
    columns = {"project_id": project, **row}
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM {source}"  # noqa: S608
