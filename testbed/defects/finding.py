"""What a finding is, and what doctor may be given: the vocabulary of the definition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from testbed.defects.locked import KEYSTORE_PASSWORD, LEGACY_PASSWORD
from testbed.defects.texts import Text

CREDENTIALS = "project_credentials"
RECORDS = "credential_vault_storage"
HISTORY = "strongroom_vault_history"
CODES = (
    "missing-vault-record",
    "placeholder",
    "plaintext-key",
    "plaintext-mnemonic",
    "encoded-key",
    "legacy-envelope",
    "keystore",
    "encrypted-elsewhere",
    "key-in-metadata",
    "unreadable",
    "wrong-label",
    "address-mismatch",
    "phrase-does-not-derive-key",
    "sealed-elsewhere",
    "identity-changed",
    "unknown-sealing-key",
    "duplicate-live",
    "shared-key",
    "shared-key-vault-id",
    "orphan-vault-record",
    "duplicate-vault-records",
    "stored-flag-wrong",
    "live-after-revoke",
    "foreign-history",
)
OF_THE_REGISTER = ("register-mismatch", "status-differs")
"""Codes that a row alone never shows: what strongroom recorded says something else."""


class ExpectedFinding(NamedTuple):
    """A finding without its evidence."""

    code: str
    table: str
    row: str
    credential_id: str
    repair: str
    automatic: bool


class Advice(NamedTuple):
    """What can be done, and whether nothing has to be decided or brought."""

    repair: str
    automatic: bool


ASK, NONE = Advice("ask", False), Advice("none", False)
SEAL, FILL = Advice("seal", True), Advice("fill", True)
RETIRE, RELABEL, UNLINK = Advice("retire", True), Advice("relabel", True), Advice("unlink", True)


@dataclass(frozen=True)
class Access:
    """What doctor was given next to the database."""

    root_key: bool = False
    legacy_password: bool = False
    keystore_password: bool = False

    def opens(self, text: Text, kids: frozenset[str]) -> bool:
        """Whether a text can be opened with it."""
        if text.form == "sealed":
            return self.root_key and text.broken is None and text.header is not None and text.header.kid in kids
        if text.form == "envelope":
            return self.legacy_password and text.password == LEGACY_PASSWORD
        if text.form == "keystore":
            return self.keystore_password and text.password == KEYSTORE_PASSWORD
        return text.form in ("key", "phrase", "encoded")


EVERYTHING = Access(root_key=True, legacy_password=True, keystore_password=True)
