"""What doctor can find: the codes, how bad each is, and the record that says so. docs/findings.md is normative."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from strongroom.takeover.doctor import commands

Repair = Literal["seal", "fill", "move", "relabel", "retire", "unlink", "ask", "none"]

CRITICAL = "critical"
ERROR = "error"
WARNING = "warning"
NOTE = "note"

SEVERITIES = {
    "missing-vault-record": CRITICAL,
    "placeholder": CRITICAL,
    "plaintext-key": CRITICAL,
    "plaintext-mnemonic": CRITICAL,
    "encoded-key": CRITICAL,
    "legacy-envelope": WARNING,
    "keystore": WARNING,
    "encrypted-elsewhere": WARNING,
    "key-in-metadata": CRITICAL,
    "metadata-not-read": WARNING,
    "not-restorable": ERROR,
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
    "wallet-rows-gone": CRITICAL,
    "register-mismatch": CRITICAL,
    "status-differs": WARNING,
    "phrase-broken": CRITICAL,
    "phrase-label-twice": ERROR,
    "phrase-account-wrong": ERROR,
    "phrase-index-wrong": ERROR,
    "no-unique-credential-id": ERROR,
    "partial-unique-only": ERROR,
    "no-unique-live": WARNING,
    "placeholder-trigger": ERROR,
    "check-too-narrow": ERROR,
    "column-type": ERROR,
    "cascade-deletes-keys": CRITICAL,
    "no-foreign-key": ERROR,
    "rls-off": ERROR,
    "rls-not-forced": WARNING,
    "rls-hides-rows": CRITICAL,
    "readable-by-anon": CRITICAL,
    "not-durable": CRITICAL,
    "commit-not-synchronous": WARNING,
    "standby-not-synchronous": WARNING,
    "partly-distributed": WARNING,
    "old-server": WARNING,
    "root-key-lost": CRITICAL,
    "keyring-changed": CRITICAL,
    "shadows-built-in": ERROR,
    "others-may-create": NOTE,
    "foreign-code": NOTE,
    "runs-as-superuser": NOTE,
    "no-guard-on-nodes": NOTE,
    "upgrade-needed": NOTE,
    "nonce-collision": NOTE,
    "kept-key": NOTE,
    "kept-text": NOTE,
}
"""Every code, those about rows first, in the order in which they are shown."""

TAMPERING = frozenset(
    {
        *("register-mismatch", "status-differs", "keyring-changed", "identity-changed", "sealed-elsewhere"),
        *("shadows-built-in", "rls-hides-rows", "phrase-label-twice", "phrase-account-wrong"),
    }
)
"""What nobody may acknowledge: somebody wrote what strongroom did not, or doctor does not see what is there."""
MIGRATED = frozenset(
    {
        *(
            "placeholder-trigger",
            "no-unique-credential-id",
            "partial-unique-only",
            "no-unique-live",
            "check-too-narrow",
        ),
        *("cascade-deletes-keys", "no-foreign-key", "readable-by-anon", "rls-off"),
    }
)
"""What `strongroom migrate` ends."""

CREDENTIALS = "project_credentials"
VAULT = "credential_vault_storage"
HISTORY = "strongroom_vault_history"
REGISTER = "strongroom_wallet"
PHRASES = "strongroom_phrase"
PHRASE_ACCOUNTS = "strongroom_phrase_account"
_ID = re.compile("[A-Za-z0-9_.:@-]{1,40}")
"""Ids that are printed. Too short for a private key in any form of the field; UUIDs and numbers fit."""


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
    """The vault record in which a missing key was found; for findings of a group, the group's first row; of a phrase
    its project."""
    named_command: str = ""
    """The command of a finding that knows more than its code does."""
    orphan: bool = False
    """Whether its row belongs to no credential."""
    holds_more: bool = False
    """Whether more than one key is stored in the text, so that no command takes it from where it is."""
    by_hand: bool = False
    """Whether no other command works than the one that it names, since strongroom cannot name its wallet."""

    members: tuple[str, ...] = ()
    """The members of the metadata that it is about, by the names that doctor prints."""
    apart: bool = False
    """Whether other findings of its code are about other members of the same metadata."""

    unopened: bool = False
    """Whether something was not opened or read that may give the key that it misses: then it is not lost."""

    project_id: str | None = None
    network: str | None = None
    """The network on which the stored address is one; None where it is none."""
    address: str | None = None
    """The stored address in its canonical form: what is none may be a key that stands there."""

    @property
    def command(self) -> str:
        """The command that gets the key out, or repairs the finding; empty where a person has to look first."""
        if self.named_command or self.by_hand or self.table not in (CREDENTIALS, VAULT, HISTORY):
            return self.named_command
        row, wallet = (
            each if each is not None and _ID.fullmatch(each) else "" for each in (self.row, self.credential_id)
        )
        return commands.command_of(
            self.code,
            automatic=self.automatic,
            row=row,
            wallet_id=wallet,
            has_wallet=not self.orphan,
            holds_more=self.holds_more,
        )

    @property
    def is_of_phrase(self) -> bool:
        """Whether it is about a row of a phrase, and says which."""
        return self.table in (PHRASES, PHRASE_ACCOUNTS) and None not in (self.row, self.source)

    @property
    def severity(self) -> str:
        """``critical``, ``error`` or ``warning``; ``note`` for what is no finding."""
        return SEVERITIES[self.code]

    @property
    def name(self) -> str:
        """What it is acknowledged by: its code, and the row, the table or the server that it is about; of several that
        are about members of one row, the member, too."""
        place = shown_id(self.row) if self.row is not None else self.table or "server"
        return f"{self.code}:{place}/{self.members[0]}" if self.apart else f"{self.code}:{place}"

    def as_dict(self) -> dict[str, Any]:
        """The finding as ``--json`` prints it."""
        return {
            "code": self.code,
            "severity": self.severity,
            "table": self.table,
            "row": None if self.row is None else shown_id(self.row),
            "credential_id": None if self.credential_id is None else shown_id(self.credential_id),
            "project_id": self.project_id,
            "network": self.network,
            "address": self.address,
            "evidence": self.evidence,
            "repair": self.repair,
            "automatic": self.automatic,
            "command": self.command,
        }


def shown_id(text: str | None) -> str:
    """An id as it is printed: the legacy application's may be any text, and a key may be in any column."""
    return text if text is not None and _ID.fullmatch(text) else "(an id that is not shown)"
