"""The guard's SQL on SQLite, for the tables that strongroom made.

REPLACE deletes rows without their delete triggers (unless the connection says ``recursive_triggers``), so what an
insert or an update would replace is looked for before it. An OR IGNORE of the outer statement holds inside its
triggers, too: after every insert into the history it is asked whether the text is there.
"""

from __future__ import annotations

from strongroom.records.vault_texts import SEALED_PREFIX
from strongroom.store.catalog.foreign_schema import CREDENTIALS, VAULT
from strongroom.store.guard.names import ARCHIVE, INSTALLED, REFUSE, REMOVED, WORDS, Script, fill, mark

_ID = (
    "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || "
    "substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
)
_NOW = "strftime('%Y-%m-%dT%H:%M:%f', 'now') || '+00:00'"
_SLOT = "(SELECT s.{column} FROM strongroom_slot s WHERE s.credential_id = {wallet} LIMIT 1)"
_VALUES = {
    "id": _ID,
    "now": _NOW,
    "words": WORDS,
    "form": f"CASE CAST(substr(v.encrypted_private_key, 1, {len(SEALED_PREFIX)}) AS TEXT) WHEN '{SEALED_PREFIX}' "
    "THEN 'sealed' ELSE 'foreign' END",
    "key_differs": "{one}.credential_id IS NOT NEW.credential_id OR {one}.project_id IS NOT NEW.project_id "
    "OR {one}.encrypted_private_key IS NOT NEW.encrypted_private_key",
    "identity_differs": "{one}.id IS NOT NEW.id OR {one}.project_id IS NOT NEW.project_id "
    "OR {one}.network IS NOT NEW.network OR {one}.wallet_address IS NOT NEW.wallet_address "
    "OR {one}.public_key IS NOT NEW.public_key",
    # What a unique key of the table would conflict with. A rowid that is not given is -1 here.
    "same_record": "v.id = NEW.id OR v.credential_id = NEW.credential_id OR v.vault_id = NEW.vault_id "
    "OR v.rowid = NEW.rowid",
    "same_credential": "c.id = NEW.id OR c.rowid = NEW.rowid OR (c.project_id = NEW.project_id "
    "AND c.credential_type = NEW.credential_type AND c.network = NEW.network AND c.is_active "
    "AND c.revoked_at IS NULL AND NEW.is_active AND NEW.revoked_at IS NULL)",
    "guarded": "v.encrypted_private_key IS NOT NULL AND v.encrypted_private_key NOT IN ({words})",
    "in_history": "SELECT 1 FROM strongroom_vault_history h WHERE h.credential_id = v.credential_id "
    "AND h.text = v.encrypted_private_key",
    "label": "CASE WHEN instr(c.credential_type, '_wallet:') > 0 "
    "THEN substr(c.credential_type, instr(c.credential_type, '_wallet:') + 8) END",
    "slot_project": fill(_SLOT, {"column": "project_id", "wallet": "v.credential_id"}),
    "slot_network": fill(_SLOT, {"column": "network", "wallet": "v.credential_id"}),
    "slot_label": fill(_SLOT, {"column": "label", "wallet": "v.credential_id"}),
}

_TRIGGER = "CREATE TRIGGER {name} BEFORE {event} ON {table}\nWHEN {when}\nBEGIN\n    -- {mark}\n{steps}\nEND"
_EXISTS = "EXISTS (SELECT 1 FROM {source} WHERE ({rows}) AND {guarded}{unless_kept})"
_UNLESS_KEPT = {
    ARCHIVE: "",
    # Whoever put this text into the history first may change the row: rewrap and repair do.
    REFUSE: "\n    AND NOT EXISTS ({in_history})",
}
_UNLESS_REPAIRED = (
    "\n    AND NOT EXISTS (SELECT 1 FROM strongroom_vault_history h WHERE h.credential_id = NEW.credential_id "
    "AND h.text = NEW.encrypted_private_key AND h.reason = 'repair' AND h.form = 'sealed')"
)
"""Repair never puts a plaintext key into the history: it keeps what it sealed it into, before it writes that."""
_KEEP = """\
    INSERT INTO strongroom_vault_history
        (id, project_id, credential_id, network, label, address, public_key, vault_id, text, form, reason, created_at)
    SELECT {id},
           COALESCE(c.project_id, {slot_project}, v.project_id), v.credential_id,
           substr(COALESCE(c.network, {slot_network}, ''), 1, 64),
           substr(COALESCE({label}, {slot_label}, 'default'), 1, 64),
           COALESCE(c.wallet_address, ''), COALESCE(c.public_key, ''), COALESCE(v.vault_id, ''),
           v.encrypted_private_key,
           {form},
           '{reason}', {now}
      FROM {source}
     WHERE ({rows}) AND {guarded}
       AND NOT EXISTS ({in_history}
                       AND (c.id IS NULL OR (h.project_id = c.project_id AND h.address = c.wallet_address
                                             AND h.public_key = c.public_key)));
    SELECT RAISE(ABORT, 'strongroom guard: strongroom_vault_history did not take a key; nothing was changed')
     WHERE EXISTS (SELECT 1 FROM {source} WHERE ({rows}) AND {guarded} AND NOT EXISTS ({in_history}));"""
_REFUSE = """\
    SELECT RAISE(ABORT, 'strongroom guard: a key would be lost ({reason}): refused. Use strongroom wallet replace, or \
strongroom guard --install --mode archive');"""
_STEPS = {ARCHIVE: _KEEP, REFUSE: _REFUSE}

_RECORDS = "credential_vault_storage v LEFT JOIN project_credentials c ON c.id = v.credential_id"
_CREDENTIALS = "project_credentials c JOIN credential_vault_storage v ON v.credential_id = c.id"
_ARBITERS = "OF id, project_id, credential_type, network, is_active, revoked_at, rowid"

TRIGGERS = {
    "strongroom_guard_update": (VAULT, "UPDATE", "guard-update", "OLD", "v.rowid = OLD.rowid AND ({key_differs})"),
    "strongroom_guard_delete": (VAULT, "DELETE", "guard-delete", "OLD", "v.rowid = OLD.rowid"),
    "strongroom_guard_insert": (VAULT, "INSERT", "guard-replace", "v", "({same_record}) AND ({key_differs})"),
    "strongroom_guard_displace": (
        VAULT,
        "UPDATE OF id, credential_id, vault_id, rowid",
        "guard-replace",
        "v",
        "v.rowid <> OLD.rowid AND ({same_record})",
    ),
    "strongroom_guard_credential_update": (
        CREDENTIALS,
        "UPDATE",
        "guard-update",
        "OLD",
        "c.rowid = OLD.rowid AND ({identity_differs})",
    ),
    "strongroom_guard_credential_delete": (CREDENTIALS, "DELETE", "guard-delete", "OLD", "c.rowid = OLD.rowid"),
    "strongroom_guard_credential_insert": (
        CREDENTIALS,
        "INSERT",
        "guard-replace",
        "c",
        "({same_credential}) AND ({identity_differs})",
    ),
    "strongroom_guard_credential_displace": (
        CREDENTIALS,
        f"UPDATE {_ARBITERS}",
        "guard-replace",
        "c",
        "c.rowid <> OLD.rowid AND ({same_credential})",
    ),
}
"""By name: the table, what fires it, the reason it gives, the row it compares with NEW, and the rows it looks at."""

_EVENT = "INSERT INTO strongroom_events (id, event, details, created_at)\nVALUES ({id}, '{event}', '{details}', {now})"


def definitions(mode: str) -> dict[str, str]:
    """The statement that makes each trigger."""
    return {
        name: fill(
            _TRIGGER,
            {
                **_VALUES,
                "name": name,
                "table": table,
                "event": event,
                "reason": reason,
                "one": one,
                "rows": rows,
                "source": _RECORDS if table == VAULT else _CREDENTIALS,
                "when": _EXISTS,
                "unless_kept": _UNLESS_KEPT[mode] + (_UNLESS_REPAIRED if name == "strongroom_guard_update" else ""),
                "mark": mark(mode),
                "steps": _STEPS[mode],
            },
        )
        for name, (table, event, reason, one, rows) in TRIGGERS.items()
    }


def install(mode: str) -> Script:
    """Make every trigger anew, in this version and mode."""
    statements = []
    for name, definition in definitions(mode).items():
        statements += [f"DROP TRIGGER IF EXISTS {name}", definition]
    return Script((*statements, _event(INSTALLED, f'{{"mode": "{mode}"}}')))


def remove() -> Script:
    """Drop exactly what ``install`` makes."""
    return Script((*(f"DROP TRIGGER IF EXISTS {name}" for name in TRIGGERS), _event(REMOVED, "{}")))


def _event(event: str, details: str) -> str:
    return fill(_EVENT, {**_VALUES, "event": event, "details": details})
