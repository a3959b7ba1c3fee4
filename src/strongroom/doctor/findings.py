"""What doctor can find: the codes, how bad each is, and the record that says so. docs/findings.md is normative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Repair = Literal["seal", "fill", "move", "relabel", "retire", "unlink", "ask", "none"]

CRITICAL = "critical"
ERROR = "error"
WARNING = "warning"

SEVERITIES = {
    "missing-vault-record": CRITICAL,
    "placeholder": CRITICAL,
    "plaintext-key": CRITICAL,
    "plaintext-mnemonic": CRITICAL,
    "encoded-key": CRITICAL,
    "legacy-envelope": WARNING,
    "keystore": WARNING,
    "key-in-metadata": CRITICAL,
    "unreadable": CRITICAL,
    "wrong-label": WARNING,
    "address-mismatch": ERROR,
    "phrase-does-not-derive-key": ERROR,
    "sealed-elsewhere": ERROR,
    "identity-changed": ERROR,
    "unknown-sealing-key": CRITICAL,
    "duplicate-live": ERROR,
    "shared-key": ERROR,
    "shared-key-vault-id": ERROR,
    "orphan-vault-record": ERROR,
    "duplicate-vault-records": ERROR,
    "stored-flag-wrong": WARNING,
    "live-after-revoke": ERROR,
    "foreign-history": ERROR,
    "no-unique-credential-id": ERROR,
    "partial-unique-only": ERROR,
    "no-unique-live": WARNING,
    "placeholder-trigger": ERROR,
    "check-too-narrow": ERROR,
    "cascade-deletes-keys": CRITICAL,
    "no-foreign-key": ERROR,
    "rls-off": ERROR,
    "rls-not-forced": WARNING,
    "rls-hides-rows": CRITICAL,
    "readable-by-anon": CRITICAL,
    "not-durable": CRITICAL,
    "commit-not-synchronous": ERROR,
    "standby-not-synchronous": WARNING,
    "old-server": WARNING,
}
"""Every code, those about rows first, in the order in which they are shown."""

CREDENTIALS = "project_credentials"
VAULT = "credential_vault_storage"
HISTORY = "strongroom_vault_history"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. Never holds a part of a secret."""

    code: str
    table: str | None
    row: str | None
    """The id of a row of the table; None where the schema is concerned."""
    credential_id: str | None
    evidence: str
    """What was recognised, for people."""
    repair: Repair
    automatic: bool = False
    """Whether nothing has to be decided or brought."""
    source: str | None = None
    """The vault record in which a missing key was found; for findings of a group, the group's first row."""

    @property
    def severity(self) -> str:
        """``critical``, ``error`` or ``warning``."""
        return SEVERITIES[self.code]

    def as_dict(self) -> dict[str, Any]:
        """The finding as ``--json`` prints it."""
        return {
            "code": self.code,
            "severity": self.severity,
            "table": self.table,
            "row": self.row,
            "credential_id": self.credential_id,
            "evidence": self.evidence,
            "repair": self.repair,
            "automatic": self.automatic,
        }
