"""Whether a repair may touch a wallet: not where the register contradicts its rows, or lost what it had of it.

A repair makes records. Where nothing that has a tag says whose a row is, and strongroom made the table or had the
wallet once, whoever writes rows chose it: a person decides about it, and `strongroom upgrade --accept` writes it down.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from strongroom import tags
from strongroom.model import REVOKED, StoredWallet
from strongroom.register import Registration
from strongroom.repair.actions import Action
from strongroom.sealing import is_sealed
from strongroom.store.repair_store import RepairStore
from strongroom.usecases.parts import Parts
from strongroom.usecases.row_comparison import differences, legacy_differences

_WRITES_KEYS = frozenset({"seal", "fill", "move"})
_DECIDES_NOTHING = frozenset({"key_vault_id"})
"""Triggers of other code change it; nothing is found by it."""
_IDENTITY = frozenset({"project_id", "network", "wallet_address", "public_key", "metadata"})
"""What a sealed text proves, so that `identity-changed` restores it."""


class Standing:
    """Looks at what the register says of the wallets of one run."""

    def __init__(self, parts: Parts, store: RepairStore) -> None:
        self._parts = parts
        self._store = store

    def objection(self, wallet_id: UUID, actions: Sequence[Action]) -> str:
        """Why actions are left to people; empty where they are not. Raises StoreError."""
        if not actions:
            return ""
        found = self._parts.store.register.find_record(wallet_id)
        stored = self._parts.store.wallets.get(wallet_id)
        if found is None:
            return self._without_record(wallet_id, stored, actions)
        if not tags.fits("wallet", found.record.fields(), found.tag, self._parts.keyring):
            return "its record in the register was changed"
        if stored is None:
            return ""
        contradicting = set(self._differences(stored, found.record)) - _restored(found.record, actions)
        if contradicting:
            return f"the register contradicts its rows: {', '.join(sorted(contradicting))}"
        return ""

    def _differences(self, stored: StoredWallet, record: Registration) -> tuple[str, ...]:
        if self._parts.store.foreign:
            return legacy_differences(self._parts, stored, record)
        return differences(stored, record)

    def _without_record(self, wallet_id: UUID, stored: StoredWallet | None, actions: Sequence[Action]) -> str:
        ours, writes = not self._parts.store.foreign, any(action.do in _WRITES_KEYS for action in actions)
        if ours and writes:
            return "the register has no record of it: nothing says that its key is the project's"
        if self._parts.keyring.accepts_untagged or stored is None:
            return ""
        if writes and not self._parts.accepts_foreign:
            return (
                "the register has no record of it, and this vault accepts no wallets that nothing proves: "
                "a repair takes them after `strongroom upgrade --accept-foreign`"
            )
        forgotten = ours or self._was_ours(wallet_id, stored)
        return "the register has no record of it any more" if forgotten else ""

    def _was_ours(self, wallet_id: UUID, stored: StoredWallet) -> bool:
        """Whether strongroom sealed a wallet of legacy tables once: its row or the history has the text.

        A slot or an idempotency key tells nothing: `create_wallet` lets them name wallets that are not sealed yet.
        """
        return is_sealed(stored.sealed_text or "") or self._store.has_kept_sealed(wallet_id)


def _restored(record: Registration, actions: Sequence[Action]) -> frozenset[str]:
    """The columns in which rows agree with a record again when actions are done."""
    done = {action.do for action in actions}
    codes = {action.code for action in actions}
    restored = _DECIDES_NOTHING
    if "identity-changed" in codes:
        restored |= _IDENTITY
    if done & {"seal", "fill"}:
        restored |= {"encrypted_private_key"}
    if "live-after-revoke" in codes and record.status == REVOKED:
        restored |= {"access_level"}
    return restored
