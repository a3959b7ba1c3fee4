"""The tables, and which parameter fills which column. A parameter's name says what it is: one dictionary fills all."""

from __future__ import annotations

from strongroom.store import schema

CREDENTIAL = schema.project_credentials
VAULT = schema.credential_vault_storage
LOG = schema.credential_usage_logs
SLOT = schema.strongroom_slot
NAMED_BY = SLOT.alias("named_by")
IDEMPOTENCY = schema.strongroom_idempotency
HEAD = schema.strongroom_keyring_head
KEYRING = schema.strongroom_keyring
WRAP = schema.strongroom_keyring_wrap
EVENTS = schema.strongroom_events
HISTORY = schema.strongroom_vault_history
NONCE = schema.strongroom_signed_nonce

SLOT_ROW = {
    "project_id": "project_id",
    "network": "network",
    "label": "label",
    "credential_id": "id",
    "version": "version",
}
CREDENTIAL_ROW = {
    "id": "id",
    "project_id": "project_id",
    "credential_type": "credential_type",
    "network": "network",
    "wallet_address": "address",
    "public_key": "public_key",
    "key_vault_id": "vault_id",
    "status": "status",
    "is_active": "true",
    "vault_stored": "true",
    "metadata": "metadata",
    "created_by": "performed_by",
    "created_at": "now",
    "updated_at": "now",
}
VAULT_ROW = {
    "id": "vault_row_id",
    "project_id": "project_id",
    "credential_id": "id",
    "vault_id": "vault_id",
    "encrypted_private_key": "sealed_text",
    "encryption_method": "encryption_method",
    "access_level": "access_level",
    "backup_created": "false",
    "created_at": "now",
    "updated_at": "now",
}
FILL_ROW = {
    "encrypted_private_key": "sealed_text",
    "encryption_method": "encryption_method",
    "access_level": "access_level",
    "updated_at": "now",
}
LOG_ROW = {
    "id": "log_id",
    "project_id": "project_id",
    "credential_id": "id",
    "action_type": "action",
    "action_details": "details",
    "performed_by": "performed_by",
    "performed_at": "now",
}
IDEMPOTENCY_ROW = {
    "project_id": "project_id",
    "key": "idempotency_key",
    "request": "request",
    "credential_id": "id",
    "created_at": "now",
}


HISTORY_ROW = {
    "id": "history_id",
    "project_id": "project_id",
    "credential_id": "id",
    "network": "network",
    "label": "label",
    "address": "address",
    "public_key": "public_key",
    "vault_id": "vault_id",
    "text": "sealed_text",
    "form": "form",
    "reason": "action",
    "created_at": "now",
}
WALLET_ROWS = {CREDENTIAL.name: CREDENTIAL_ROW, VAULT.name: VAULT_ROW, LOG.name: LOG_ROW}
NONCE_ROW = {
    "project_id": "project_id",
    "credential_id": "id",
    "chain_id": "chain_id",
    "nonce": "nonce",
    "digest": "digest",
    "fee": "fee",
    "created_at": "now",
    "updated_at": "now",
}
HEAD_ROW = {"id": "id", "version": "version"}
KEYRING_ROW = {"kid": "kid", "state": "state", "created_at": "now"}
WRAP_ROW = {
    "kid": "kid",
    "root_key": "root_key",
    "wrapped": "wrapped",
    "check_value": "check_value",
    "created_at": "now",
}
EVENT_ROW = {"id": "event_id", "event": "event", "details": "details", "created_at": "now"}
