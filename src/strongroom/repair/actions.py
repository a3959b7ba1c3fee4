"""What can be done about a finding, and what will be true afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.doctor.findings import CREDENTIALS, Finding

ORDER = ("unlink", "seal", "fill", "move", "relabel", "retire")
"""The order in which plans are sorted and actions are carried out: a shared vault id comes before any trigger fires."""

_SEALED = "the key stands there sealed with AES-256-GCM, bound to this wallet, and encryption_method says so"
_AFTERWARDS = {
    "plaintext-key": _SEALED,
    "plaintext-mnemonic": _SEALED,
    "encoded-key": _SEALED,
    "legacy-envelope": f"{_SEALED}; the envelope is kept in the history",
    "keystore": f"{_SEALED}; the keystore is kept in the history",
    "foreign-history": "the entry of the history is sealed",
    "missing-vault-record": "the wallet has a vault record with its key, sealed",
    "placeholder": "the key stands in the place of the placeholder, sealed",
    "key-in-metadata": "the key is sealed in the vault record, and gone from the metadata",
    "wrong-label": "encryption_method says AES-256-GCM",
    "identity-changed": "the columns that differed say again what the sealed text proves",
    "stored-flag-wrong": "vault_stored says whether a key is stored",
    "duplicate-vault-records": "the record is revoked beside the one that stays; its text is kept",
    "live-after-revoke": "the record is revoked, as its credential is; its text is kept",
    "shared-key-vault-id": "the credential and its vault record have a vault id of their own",
    "duplicate-live": "another wallet is the live one of project, network and label; this one is replaced, and opens",
}
_RETIRED_PLACEHOLDER = "the record, which holds no key, is revoked"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do, about one finding."""

    do: str
    """One of ``ORDER``."""
    code: str
    """The finding's code."""
    table: str
    row: str
    recognised: str
    """The finding's evidence."""
    source: str | None = None
    """Where a missing key stands, or which row stays."""

    @property
    def afterwards(self) -> str:
        """What will be true, for people."""
        if (self.do, self.code) == ("retire", "placeholder"):
            return _RETIRED_PLACEHOLDER
        return _AFTERWARDS[self.code]

    @property
    def name(self) -> tuple[str, str, str]:
        """What makes it the same action in a plan and in the rows as they are now."""
        return self.do, self.code, self.row


def action_of(finding: Finding) -> Action | None:
    """What is done about a finding without asking anybody; None where nothing is."""
    if not finding.automatic or finding.row is None or finding.table is None or finding.repair not in ORDER:
        return None
    if finding.code == "wrong-label" and finding.repair == "seal":
        return None  # done by sealing
    if finding.code == "duplicate-vault-records" and finding.source == finding.row:
        return None  # this one stays
    return Action(finding.repair, finding.code, finding.table, finding.row, finding.evidence, finding.source)


def retire_duplicate(credential_id: str, keeper: str, why: str) -> Action:
    """Let another wallet be the live one."""
    return Action("retire", "duplicate-live", CREDENTIALS, credential_id, why, keeper)
