"""What can be done about a finding, and what will be true afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from strongroom.records.wallets import REVOKED
from strongroom.store.inspection.inspection import FoundRecord
from strongroom.takeover.doctor.findings import Finding

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
    "placeholder": "the key takes the place of the placeholder, sealed",
    "key-in-metadata": "the key is sealed in the vault record, and gone from the metadata",
    "wrong-label": "encryption_method says AES-256-GCM",
    "identity-changed": "the columns that differed say again what the sealed text proves",
    "stored-flag-wrong": "vault_stored says whether a key is stored",
    "duplicate-vault-records": "the record is revoked next to the one that stays; its text is kept",
    "live-after-revoke": "the record is revoked, as its credential is; its text is kept",
    "shared-key-vault-id": "the credential and its vault record have a vault id of their own",
    "phrase-broken": "the row has the sealed phrase again; one that was gone comes back as replaced, and opens",
    "phrase-label-twice": "the newer phrase has the label; this one is replaced, opens, and derives no new wallet",
    "phrase-account-wrong": "the row says which index is next, with a tag; no wallet has that index or a higher one",
    "duplicate-live": "another wallet is the live one of project, network and label; this one is replaced, and opens",
}
_RETIRED_PHRASE = "the phrase is replaced: it opens, it derives no new wallet, and its label is free"
_RETIRED_PLACEHOLDER = "the record, which holds no key, is revoked"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do, about one finding."""

    do: str
    """The kind of action, one of ``ORDER``."""
    code: str
    """The code of the finding that it settles."""
    table: str
    row: str
    recognised: str
    """The finding's evidence, for people."""
    source: str | None = None
    """Where a missing key stands, or which row stays; of a phrase its project, and the account that it is about."""
    source_table: str | None = None
    """The table of the row where a missing key stands; None where that is the wallet's own metadata."""
    seen: str = ""
    """A keyed digest of what the action depends on in other rows than its wallet's; empty where it depends on none."""
    fingerprint: str = ""
    """A keyed digest of the action as the plan offers it."""

    @property
    def afterwards(self) -> str:
        """What will be true, for people."""
        if (self.do, self.code) == ("retire", "placeholder"):
            return _RETIRED_PLACEHOLDER
        if (self.do, self.code) == ("retire", "phrase-broken"):
            return _RETIRED_PHRASE
        return _AFTERWARDS[self.code]

    @property
    def is_in_a_placeholder(self) -> bool:
        """Whether it puts a key where a placeholder stands."""
        return (self.do, self.code) == ("fill", "placeholder")

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


def with_one_filled(actions: Sequence[Action], records: Sequence[FoundRecord]) -> list[Action]:
    """The actions of one wallet, where of several placeholders one is filled, and the others are retired with it.

    The first of ``records`` that is not revoked is filled, or the first. If all were, the next examination would find
    several records of one key, and call for another plan.
    """
    filling = {action.row for action in actions if action.is_in_a_placeholder}
    there = sorted((record.access_level == REVOKED, number) for number, record in enumerate(records))
    order = [records[number].id for _, number in there if records[number].id in filling]
    return [
        Action("retire", action.code, action.table, action.row, f"{action.recognised}; another record gets it")
        if action.is_in_a_placeholder and action.row in order[1:]
        else action
        for action in actions
    ]
