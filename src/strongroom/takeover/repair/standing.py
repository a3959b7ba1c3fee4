"""Whether a repair may touch a wallet: not where the register contradicts its rows, or lost what it had of it.

A repair makes records. Where nothing that has a tag says whose a row is, and strongroom made the table or had the
wallet once, anyone who writes rows chose it: a person decides about it, and `strongroom upgrade --accept` writes it
down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from strongroom.crypto import tags
from strongroom.crypto.sealing import is_sealed
from strongroom.errors import IdentityMismatchError
from strongroom.records.register import Registered, Registration
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.wallets import ACCESS_LEVEL, REPLACED, REVOKED, STATUS
from strongroom.store.inspection.inspection import FoundCredential
from strongroom.takeover.doctor.notes import Examination
from strongroom.takeover.repair.actions import Action
from strongroom.usecases.context import VaultContext
from strongroom.usecases.ownership import require_own_project, was_sealed
from strongroom.usecases.row_comparison import differences, legacy_differences

_WRITES_KEYS = frozenset({"seal", "fill", "move"})
_RECORDS = _WRITES_KEYS | {"retire"}
"""What makes a record of a wallet that has none."""
_DECIDES_NOTHING = frozenset({"key_vault_id"})
"""Triggers of the legacy application change it; nothing is found by it."""
_IDENTITY = frozenset({"project_id", "network", "wallet_address", "public_key", "metadata"})
"""What a sealed text proves, so that `identity-changed` restores it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What register and history say of a wallet, and its rows as verbs read them."""

    record: Registered | None
    """Its record, whether its tag fits or not."""
    stored: StoredWallet | None
    keeps_sealed: bool
    """Whether the history keeps a sealed text of it; looked for where it has rows and no record."""
    misplaced: bool = False
    """Whether a slot with a tag that fits names it in another project; likewise."""


def read_standing(vault_context: VaultContext, wallet_id: UUID) -> Standing:
    """Read how a wallet stands. Raises StoreError."""
    record = vault_context.store.register.find_record(wallet_id)
    stored = vault_context.store.wallets.get(wallet_id)
    unknown = record is None and stored is not None
    if not unknown or stored is None:
        return Standing(record, stored, keeps_sealed=False)
    return Standing(record, stored, was_sealed(vault_context, wallet_id), _is_misplaced(vault_context, stored))


def _is_misplaced(vault_context: VaultContext, stored: StoredWallet) -> bool:
    try:
        require_own_project(vault_context, stored)
    except IdentityMismatchError:
        return True
    return False


def objection(vault_context: VaultContext, standing: Standing, actions: Sequence[Action]) -> str:
    """Why actions are left to people; empty where they are not."""
    if not actions:
        return ""
    found, stored = standing.record, standing.stored
    if found is None:
        return _without_record(vault_context, standing, actions)
    if not tags.fits("wallet", found.record.fields(), found.tag, vault_context.keyring):
        return "its record in the register was changed"
    if stored is None:
        return ""
    contradicting = set(_differences(vault_context, stored, found.record)) - _restored(found.record, actions)
    if vault_context.store.divided and stored.wallet.project_id != found.record.project_id:
        return (
            "its rows are among those of another project, and no row of tables that are divided by project becomes "
            f"another project's: `strongroom history restore {stored.wallet.id} --project {found.record.project_id}` "
            "makes them anew"
        )
    if contradicting:
        return f"the register contradicts its rows: {', '.join(sorted(contradicting))}"
    return ""


def is_of_another_slot(standing: Standing, examined: Examination) -> bool:
    """Whether the register has a wallet under another network or label than its row says now.

    No wallet is retired, and none stays, for what only a row says.
    """
    found, credential, target = standing.record, examined.credential, examined.target
    if found is None or credential is None:
        return False
    network = credential.network if target is None else target.network.name
    return (found.record.network, found.record.label) != (network, credential.label)


def _differences(vault_context: VaultContext, stored: StoredWallet, record: Registration) -> tuple[str, ...]:
    if vault_context.store.foreign:
        return legacy_differences(vault_context, stored, record)
    return differences(stored, record)


def _without_record(vault_context: VaultContext, standing: Standing, actions: Sequence[Action]) -> str:
    ours, writes = not vault_context.store.foreign, any(action.do in _WRITES_KEYS for action in actions)
    if ours and writes:
        return "the register has no record of it: nothing says that its key is the project's"
    if vault_context.keyring.accepts_untagged or standing.stored is None:
        return ""
    records = any(action.do in _RECORDS for action in actions)
    if records and not vault_context.accepts_foreign:
        return (
            "the register has no record of it, and this vault accepts no wallets that nothing proves: "
            "a repair takes them after `strongroom upgrade --accept-foreign`"
        )
    if standing.misplaced:
        return "the register has no record of it, and a slot of another project names it"
    # A slot of its own project tells nothing more: `create_wallet` lets it name wallets that are not sealed yet.
    was_ours = is_sealed(standing.stored.sealed_text or "") or standing.keeps_sealed
    return "the register has no record of it any more" if ours or was_ours else ""


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


def level_of(examined: Examination) -> str:
    """The access level of a record that is filled: a revoked wallet's stays revoked."""
    credential = examined.credential
    return REVOKED if credential is not None and state_of(credential) == REVOKED else ACCESS_LEVEL


def state_of(credential: FoundCredential) -> str:
    """The state that a row says; a word that is none of ours allows nothing where the row is not live."""
    if credential.live:
        return STATUS
    return REPLACED if credential.status == REPLACED else REVOKED
