"""What a repair writes into the register: the record of a wallet whose key it proved, or retired, and the slot's tag.

A record that is there is believed before any row, and changes only in what the repair changes. One whose tag does not
fit stays as it is, for people to look at: nothing here blesses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from strongroom.crypto import tags
from strongroom.records.key_material import KeyMaterial
from strongroom.records.register import UNPROVED, Registered, SlotRecord
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.wallets import REPLACED, STATUS, Wallet, vault_id_of
from strongroom.store.repair_changes import Recording, WalletChangeSet
from strongroom.takeover.doctor.notes import Examination
from strongroom.takeover.repair.standing import Standing, state_of
from strongroom.usecases.context import VaultContext
from strongroom.usecases.row_comparison import stricter_status
from strongroom.usecases.tagging import proved_record, record_of, register, tag_slot


def recording_of(
    vault_context: VaultContext,
    wallet: Wallet,
    examined: Examination,
    changes: WalletChangeSet,
    sealed: Mapping[str | None, KeyMaterial],
    standing: Standing,
    slot_holder: StoredWallet | None,
) -> Recording | None:
    """The next record of a wallet and its slot, or None where the register stays as it is.

    Args:
        wallet: the wallet as its key proves it.
        sealed: the keys that the changes seal, by the vault record's id; None is the record that is inserted.
        standing: what the register says of the wallet.
        slot_holder: the wallet that its slot names.
    """
    old = standing.record
    if old is not None and not tags.fits_record("wallet", *old, vault_context.keyring):
        return None
    status, level = _status(standing.stored, examined, changes), _level(examined, changes, sealed)
    wallet = replace(wallet, status=status, access_level=level)
    if changes.vault_id is not None or not wallet.vault_id:
        wallet = replace(
            wallet, vault_id=changes.vault_id or vault_id_of(wallet.id, plain=vault_context.store.plain_vault_ids)
        )
    material = None if not _writes_text(changes) else sealed.get(_read_record(examined, sealed))
    new = (
        _first(vault_context, wallet, material) if old is None else _next(vault_context, old, changes, wallet, material)
    )
    slot = None if changes.slot is None else _slot(vault_context, wallet, changes.slot, slot_holder)
    return None if new == old and slot is None else Recording(old, new, slot)


def retired_by_choice(vault_context: VaultContext, recording: Recording | None) -> Recording | None:
    """The same for a wallet that a person retires for another key: its first record is its second state.

    So it is told from one that its legacy application had retired, and no other row gets its key.
    """
    if recording is None or recording.new is None or recording.old is not None:
        return recording
    record = recording.new.record
    return replace(recording, new=register(vault_context, record._replace(version=record.version + 1)))


def _first(vault_context: VaultContext, wallet: Wallet, material: KeyMaterial | None) -> Registered | None:
    """A record where there is none: of a key that was proved just now, or of a wallet that is retired as found."""
    if material is not None:
        half = vault_context.networks.get(wallet.network).public_half(material.private_key, material.scheme)
        return proved_record(vault_context, StoredWallet(wallet, None), material, half)
    if wallet.status != REPLACED:
        return None
    return register(vault_context, record_of(vault_context, wallet)._replace(variant=UNPROVED))


def _next(
    vault_context: VaultContext, old: Registered, changes: WalletChangeSet, wallet: Wallet, material: KeyMaterial | None
) -> Registered:
    """The record after what the changes do to it: a key that proves it, another vault id, a wallet that is retired."""
    record = old.record
    new = record
    if material is not None and record.variant == UNPROVED:  # adopted as it was found
        proved = _first(vault_context, wallet, material)
        assert proved is not None  # noqa: S101 - there is a key
        status, level = record.status, record.access_level
        new = proved.record._replace(label=record.label, status=status, access_level=level, version=record.version)
    if changes.vault_id is not None:
        new = new._replace(vault_id=changes.vault_id)
    if changes.credential.get("status") == REPLACED and record.status == STATUS:
        new = new._replace(status=REPLACED)
    return old if new == record else register(vault_context, new._replace(version=record.version + 1))


def _slot(
    vault_context: VaultContext, wallet: Wallet, named: tuple[str, str, UUID], holder: StoredWallet | None
) -> Recording.SlotTags:
    """The slot that names the wallet that stays, taken or moved."""
    network, label, keeper = named
    taken = SlotRecord(wallet.project_id, network, label, keeper, 1)
    version = None if holder is None or holder.slot is None else holder.slot.record.version
    moved = taken if version is None else taken._replace(version=version + 1)
    return Recording.SlotTags(tag_slot(vault_context, taken), tag_slot(vault_context, moved), version)


def _writes_text(changes: WalletChangeSet) -> bool:
    written = any("encrypted_private_key" in columns for columns in changes.records.values())
    return written or changes.inserted is not None


def _status(found: StoredWallet | None, examined: Examination, changes: WalletChangeSet) -> str:
    credential = examined.credential
    assert credential is not None  # noqa: S101 - without one there is nothing to repair
    after = changes.credential.get("status")
    if after is not None:
        return str(after)
    return stricter_status("" if found is None else found.wallet.status, state_of(credential))


def _read_record(examined: Examination, sealed: Mapping[str | None, KeyMaterial]) -> str | None:
    """The vault record that counts afterwards: of several the first that is sealed; None if it is inserted."""
    there = [held.record.id for held in examined.records if held.record.id in sealed or held.fits]
    return there[0] if there else None


def _level(examined: Examination, changes: WalletChangeSet, sealed: Mapping[str | None, KeyMaterial]) -> str | None:
    if changes.inserted is not None:
        return changes.inserted_level
    read = _read_record(examined, sealed)
    for held in examined.records:
        if read in (None, held.record.id):
            level: str | None = changes.records.get(held.record.id, {}).get("access_level", held.record.access_level)
            return level
    return None
