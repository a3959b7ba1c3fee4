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
NONCE = schema.strongroom_nonce
REGISTER = schema.strongroom_wallet
PHRASE = schema.strongroom_phrase
ACCOUNT = schema.strongroom_phrase_account
BRANCH = schema.strongroom_phrase_branch
TAGGED = {table.name: table for table in (REGISTER, SLOT, IDEMPOTENCY, NONCE, PHRASE, ACCOUNT, BRANCH)}
"""The tables whose rows carry a tag, the head of the keyring apart."""

SLOT_ROW = {
    "project_id": "project_id",
    "network": "network",
    "label": "label",
    "credential_id": "id",
    "version": "version",
    "kid": "tag_kid",
    "tag": "slot_tag",
}
REGISTER_ROW = {
    "project_id": "project_id",
    "credential_id": "id",
    "network": "network",
    "variant": "variant",
    "label": "label",
    "vault_id": "vault_id",
    "address": "address",
    "public_key": "public_key",
    "scheme": "scheme",
    "path": "path",
    "access_level": "access_level",
    "status": "status",
    "version": "record_version",
    "phrase_id": "phrase_id",
    "phrase_index": "phrase_index",
    "kid": "tag_kid",
    "tag": "record_tag",
}
"""A record of the register, by the parameters that a wallet's own rows share with it."""
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
REMADE_ROW = {**CREDENTIAL_ROW, "is_active": "is_active", "revoked_at": "revoked_at"}
"""A credential that is made anew from its record, retired or not."""
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
IDEMPOTENCY_ROW = {
    "project_id": "project_id",
    "key": "idempotency_key",
    "request": "request",
    "credential_id": "id",
    "created_at": "now",
    "kid": "tag_kid",
    "tag": "key_tag",
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
    "schema_version": "schema_version",
}
WALLET_TABLES = frozenset((CREDENTIAL.name, VAULT.name, LOG.name))
"""The tables that the legacy application may have made."""
NONCE_ROW = {
    "project_id": "project_id",
    "chain_id": "chain_id",
    "address": "address",
    "nonce": "nonce",
    "credential_id": "id",
    "digest": "digest",
    "fee": "fee",
    "created_at": "now",
    "updated_at": "now",
    "kid": "tag_kid",
    "tag": "nonce_tag",
}
HEAD_ROW = {
    "id": "id",
    "version": "version",
    "states": "states",
    "tags_complete": "tags_complete",
    "accept_foreign": "accept_foreign",
    "tagged_version": "version",
    "kid": "tag_kid",
    "tag": "head_tag",
}
KEYRING_ROW = {"kid": "kid", "state": "state", "created_at": "now"}
WRAP_ROW = {
    "kid": "kid",
    "root_key": "root_key",
    "wrapped": "wrapped",
    "check_value": "check_value",
    "created_at": "now",
}
EVENT_ROW = {"id": "event_id", "event": "event", "details": "details", "created_at": "now"}
PHRASE_ROW = {
    "project_id": "project_id",
    "phrase_id": "phrase_id",
    "label": "label",
    "words": "words",
    "has_passphrase": "has_passphrase",
    "identifier": "identifier",
    "status": "status",
    "version": "version",
    "sealed_text": "sealed_text",
    "created_at": "now",
    "kid": "tag_kid",
    "tag": "phrase_tag",
}
ACCOUNT_ROW = {
    "project_id": "project_id",
    "phrase_id": "phrase_id",
    "network": "network",
    "variant": "variant",
    "template": "template",
    "next_index": "next_index",
    "version": "version",
    "kid": "tag_kid",
    "tag": "account_tag",
}
BRANCH_ROW = {
    "project_id": "project_id",
    "phrase_id": "phrase_id",
    "path": "path",
    "xpub_exported": "xpub_exported",
    "key_revealed": "key_revealed",
    "version": "version",
    "kid": "tag_kid",
    "tag": "branch_tag",
}
