"""What every row that strongroom writes must satisfy, so that writers of older versions fail as a whole."""

from __future__ import annotations

SCHEMA_VERSION = 3
"""What our own rows of usage log and history say. A migration raises it to keep the writers of older versions out."""
LOGGED_ACTIONS = (
    *("create", "import", "export", "sign", "sign-refused", "rewrap", "replace", "revoke", "fill", "repair"),
)
"""The actions that strongroom writes into the usage log."""
_actions = ", ".join(f"'{action}'" for action in LOGGED_ACTIONS)
TAGGED = "kid IS NOT NULL AND tag IS NOT NULL"
TAGGED_HEAD = (
    f"{TAGGED} AND states IS NOT NULL AND tags_complete IS NOT NULL AND accept_foreign IS NOT NULL "
    "AND tagged_version IS NOT NULL AND tagged_version OPERATOR(pg_catalog.=) version"
)
LOGGED = f"schema_version IS NOT NULL OR action_type OPERATOR(pg_catalog.<>) ALL (ARRAY[{_actions}])"
KEPT = "schema_version IS NOT NULL OR reason OPERATOR(pg_catalog.~~) 'guard-%'"
"""What keeps rows of older versions out: they fail as a whole then. SQLite has triggers that say the same."""
COMPLETE = "tags_complete"
"""What no row of the head may take back once every record has a tag: a fresh vault begins so, an upgrade ends so."""
LATER_CHECKS = {
    "strongroom_slot_tagged": TAGGED,
    "strongroom_idempotency_tagged": TAGGED,
    "strongroom_keyring_head_tagged": TAGGED_HEAD,
    "credential_usage_logs_schema_version": LOGGED,
    "strongroom_vault_history_schema_version": KEPT,
}
"""The constraints that came after rows of older versions: NOT VALID where there were any. Their names are unique."""
