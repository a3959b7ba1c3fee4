"""What a writer of the database can tell, put back and delete: each with its reason, and listed in the threat model.

Everything else of the tampering matrix ends right, or in a typed error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tests.attacks.tampering.matrix import WHOLE_ROW, Cell

TOLD: Mapping[str, str] = {
    "project_credentials.created_at": "when a wallet was created",
    f"project_credentials.{WHOLE_ROW}": "when a repair made the row anew, from the record and a kept text",
    "credential_vault_storage.encryption_method": "what a text says it is sealed with",
    f"credential_vault_storage.{WHOLE_ROW}": "when a trigger of the legacy application made the row anew",
}
"""Columns that an answer repeats as the database tells them, and that no decision uses; Wallet.proved says so."""


class Declared(NamedTuple):
    """A deviation that is documented."""

    outcome: str
    """``rollback`` or ``deletion``."""
    table: str
    columns: tuple[str, ...]
    deviations: tuple[str, ...]
    reason: str
    kinds: tuple[str, ...] = ()
    """None: whatever is written there."""
    backend: str = "sqlite"
    """Where it is shown."""

    @property
    def places(self) -> list[str]:
        """As the document names them."""
        return [f"{self.table}.{column}" for column in self.columns]

    def covers(self, cell: Cell, deviation: str) -> bool:
        """Whether a deviation of a cell is this one."""
        if cell.table != self.table or cell.column not in self.columns or deviation not in self.deviations:
            return False
        return not self.kinds or cell.kind in self.kinds


DECLARED: tuple[Declared, ...] = (
    Declared(
        "deletion",
        "project_credentials",
        ("id", WHOLE_ROW),
        ("list: a wallet is missing", "verify: a wallet is missing"),
        "nobody counts the wallets: what is deleted is in no list",
    ),
    Declared(
        "deletion",
        "project_credentials",
        ("project_id", "network"),
        ("list: a wallet is missing",),
        "a list is read by project and network: a row that names others is not in it",
    ),
    Declared(
        "deletion",
        "strongroom_slot",
        ("project_id", "network", "label", WHOLE_ROW),
        ("find: no wallet", "create: a wallet for a label that was revoked"),
        "a slot that is gone names nothing: the next creation takes it",
    ),
    Declared(
        "deletion",
        "credential_vault_storage",
        ("encrypted_private_key",),
        ("list: a wallet is missing",),
        "on legacy tables a text of the legacy application is shown in lists only where the vault accepts it",
        backend="g4",
    ),
    Declared(
        "deletion",
        "strongroom_nonce",
        ("project_id", "chain_id", "address", "nonce", WHOLE_ROW),
        ("sign: another payload under a nonce", "sign: a replacement that pays less"),
        "without the row of a nonce it is not known what was signed under it",
    ),
    Declared(
        "rollback",
        "strongroom_nonce",
        (WHOLE_ROW,),
        ("sign: a replacement that pays less",),
        "an older row with its tag is genuine",
        kinds=("older",),
    ),
    Declared(
        "deletion",
        "strongroom_phrase",
        ("project_id", "label", "status", WHOLE_ROW),
        ("find_phrase: another phrase",),
        "a phrase that is gone is found by no label: the next creation makes another one",
    ),
    Declared(
        "deletion",
        "strongroom_phrase_branch",
        ("project_id", "phrase_id", "path", WHOLE_ROW),
        ("export_xpub: of an account whose key was revealed",),
        "without its row it is not known what has left a branch",
    ),
)
