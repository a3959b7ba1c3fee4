"""The register: records are checked wherever a wallet is returned; ``tagging`` makes them where one is written.

Reading never makes a tag: a deleted one would be blessed by the next read.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from strongroom.crypto import sealing, tags
from strongroom.errors import IdentityMismatchError, KeyMissingError, UnprovedWalletError
from strongroom.records.register import IdempotencyRecord, NonceRecord, Registered, Registration, TaggedSlot
from strongroom.records.stored_wallets import IdempotentRecord, StoredWallet
from strongroom.records.tag import Tag, TagKind
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.records.wallets import REPLACED, STATUS, Wallet, vouch_for
from strongroom.usecases.addresses import with_actual_network
from strongroom.usecases.context import VaultContext
from strongroom.usecases.row_comparison import (
    as_recorded,
    differences,
    legacy_differences,
    says_the_same,
    told,
)

_ACCEPTED = frozenset({"status", "is_active", "revoked_at", "access_level"})
"""What a person may take as the rows say it, where that alone differs: no row gives a wallet another key or project."""


def checked(context: VaultContext, stored: StoredWallet, *, unproved: bool = False) -> StoredWallet:
    """A stored wallet as its record says it, or, where a legacy table has one that nothing proves, as its row does.

    ``unproved``: the caller proves it otherwise, or shows it as what it is: the vault need not accept such wallets.

    Raises IdentityMismatchError: the record was changed or removed, or a row next to it says something else.
    UnprovedWalletError: nothing proves it, and the vault does not accept that.
    """
    if stored.registered is None:
        elsewhere = None if context.store.foreign else _find_record(context, stored)
        if elsewhere is not None:  # of the project that the wallet was made in: its rows say another one
            return _as_whole(context, stored, elsewhere)
        return _unregistered(context, stored, unproved=unproved)
    if not context.store.foreign:
        return _as_rows(context, stored, stored.registered)
    record, tag = stored.registered
    _check_record(context, record, tag)
    _require_same(stored, legacy_differences(context, stored, record))
    found = as_recorded(stored, record)
    if not found.wallet.proved and not unproved:
        require_acceptance(context, found.wallet.id)
    return found


def _as_rows(context: VaultContext, stored: StoredWallet, registered: Registered) -> StoredWallet:
    """A wallet of tables of ours: the tag covers what its rows say, and what only its record does."""
    record, tag = registered
    if tags.fits_record("wallet", record, tag, context.keyring):
        if not says_the_same(stored, record):
            _require_same(stored, differences(stored, record))
        vouch_for(stored.wallet)
        return stored
    whole = _find_record(context, stored)  # to say what differs
    if whole is None:
        unproved = replace(stored.wallet, proved=False)  # its row is kept with what it was proved to be before
        return _unregistered(context, replace(stored, wallet=unproved, registered=None), unproved=False)
    return _as_whole(context, stored, whole)


def _as_whole(context: VaultContext, stored: StoredWallet, whole: Registered) -> StoredWallet:
    """A wallet of tables of ours, compared with its record as a whole."""
    _check_record(context, *whole)
    _require_same(stored, differences(stored, whole.record))
    vouch_for(stored.wallet)
    return replace(stored, registered=whole)  # its vault record is missing, and says no access level


def _find_record(context: VaultContext, stored: StoredWallet) -> Registered | None:
    """The record of a wallet, where tables are divided in the part of its project alone."""
    return context.store.register.find_record(stored.wallet.id, stored.wallet.project_id)


def _check_record(context: VaultContext, record: Registration, tag: Tag) -> None:
    if not tags.fits_record("wallet", record, tag, context.keyring):
        raise _changed(context, f"The record of {record.credential_id} in the register", tag)


def _changed(context: VaultContext, what: str, tag: Tag, hint: str | None = None) -> IdentityMismatchError:
    if context.keyring.is_retired(tag.kid):
        return IdentityMismatchError(
            f"{what} carries a tag of a sealing key that was retired meanwhile.",
            hint="`strongroom keys rewrap` moves it to the active key, if it is genuine.",
            columns=("tag",),
        )
    return IdentityMismatchError(f"{what} was changed.", hint=hint, columns=("tag",))


def _require_same(stored: StoredWallet, columns: tuple[str, ...]) -> None:
    if columns:
        raise IdentityMismatchError(
            f"The rows of {stored.wallet.id} are not what the register says: {told(columns)}.",
            hint=_settled_by(stored, columns),
            columns=columns,
        )


def _settled_by(stored: StoredWallet, columns: tuple[str, ...]) -> str | None:
    """What settles a difference; None where no verb does before somebody looked."""
    text = stored.sealed_text or ""
    if "encrypted_private_key" in columns and not sealing.is_sealed(text):
        return (
            "Another text is stored in its vault record: `strongroom doctor` names the command that gets it out; where "
            f"the history has the key, `strongroom history restore {stored.wallet.id} --archive-current` puts it back."
        )
    identity = sealing.identity_in(text)
    if identity is None or identity.credential_id != stored.wallet.id or not _ACCEPTED.issuperset(columns):
        return None
    return (
        "Somebody changed a row: `strongroom doctor` names it. To take the wallet as its rows say it: `strongroom "
        f"upgrade --accept {stored.wallet.id}`."
    )


def recorded(context: VaultContext, wallet_id: UUID, part_of: UUID | None = None) -> Registered | None:
    """The record of a wallet, if there is one and its tag fits; the rows next to it may say something else.

    ``part_of``: where tables are divided by project, only the part of this one is read.
    """
    return if_fits(context, context.store.register.find_record(wallet_id, part_of))


def if_fits(context: VaultContext, found: Registered | None) -> Registered | None:
    """A record that was read, if its tag fits."""
    return found if found is not None and tags.fits_record("wallet", *found, context.keyring) else None


def is_recorded_live(context: VaultContext, wallet_id: UUID) -> bool:
    """Whether record and slot of a wallet, both with tags that fit, say that it is the live one of its slot."""
    found = recorded(context, wallet_id)
    if found is None or found.record.status != STATUS:
        return False
    record = found.record
    try:
        named = context.store.wallets.find_live(record.project_id, record.network, record.label)
    except KeyMissingError:
        return False
    if named is None or named.slot is None:
        return False
    slot, tag = named.slot
    return tag is not None and slot.credential_id == wallet_id and tags.fits_record("slot", slot, tag, context.keyring)


def is_shown(context: VaultContext, wallet: Wallet) -> bool:
    """Whether a list shows a wallet that was checked: one that nothing proves only where the vault accepts such."""
    return wallet.proved or context.keyring.accepts_untagged or context.accepts_foreign


def check_slot(context: VaultContext, stored: StoredWallet, project_id: UUID, network: str, label: str) -> StoredWallet:
    """The wallet that a slot names, checked: slot, record and rows agree on what was asked for.

    Raises IdentityMismatchError, UnprovedWalletError.
    """
    slot = stored.slot
    assert slot is not None  # noqa: S101 - it was found by it
    check_slot_row(context, slot)
    found = checked(context, stored)
    columns = _other_columns(found.wallet, project_id, network, label, slot.record.credential_id)
    if stored.registered is not None and stored.registered.record.status == REPLACED:
        columns = (*columns, "credential_id")  # an older state of the slot, put back
    if columns:
        columns = tuple(dict.fromkeys(columns))
        raise IdentityMismatchError(
            f"The slot of {network} and the label {label} names the wallet {found.wallet.id}, which is another: "
            f"{told(columns)}.",
            columns=columns,
        )
    return found


def _other_columns(wallet: Wallet, project_id: UUID, network: str, label: str, credential_id: UUID) -> tuple[str, ...]:
    """Where a wallet is not the one that was asked for."""
    there = (wallet.project_id, wallet.network, wallet.label, wallet.id)
    asked = (project_id, network, label, credential_id)
    if there == asked:
        return ()
    names = ("project_id", "network", "label", "credential_id")
    return tuple(name for name, one, other in zip(names, there, asked, strict=True) if one != other)


def check_slot_row(context: VaultContext, slot: TaggedSlot) -> None:
    """Raise IdentityMismatchError where a slot was changed."""
    record, tag = slot
    if not _fits(context, "slot", record, tag):
        what = f"The slot of {record.network} and the label {record.label}"
        raise _tampered(context, what, tag, record.credential_id)


def check_key_row(context: VaultContext, project_id: UUID, key: str, remembered: IdempotentRecord) -> None:
    """Raise IdentityMismatchError where the row of an idempotency key was changed."""
    record = IdempotencyRecord(project_id, key, remembered.request, remembered.credential_id)
    if not _fits(context, "idempotency", record, remembered.tag):
        raise _tampered(context, "The row of the idempotency key", remembered.tag, record.credential_id)


def check_key(
    context: VaultContext, project_id: UUID, network: str, label: str, remembered: IdempotentRecord
) -> StoredWallet | None:
    """The wallet that an idempotency key was used for, checked; None where it is gone. Raises as check_slot."""
    if remembered.stored is None:
        return None
    found = checked(context, remembered.stored)
    wallet = found.wallet
    columns = _other_columns(wallet, project_id, network, label, remembered.credential_id)
    if columns and (wallet.proved or columns != ("label",)):  # the row of a foreign wallet names no label of ours
        raise IdentityMismatchError(
            f"The idempotency key names the wallet {wallet.id}, which is another: {told(columns)}.",
            columns=columns,
        )
    return found


def check_nonce(context: VaultContext, record: NonceRecord, tag: Tag | None, wallet_id: UUID) -> None:
    """Raise IdentityMismatchError where what was signed under a nonce of a wallet's account was changed."""
    if not _fits(context, "nonce", record, tag):
        raise _tampered(context, f"What was signed under nonce {record.nonce}", tag, wallet_id)


def _fits(context: VaultContext, kind: TagKind, record: tags.Tagged, tag: Tag | None) -> bool:
    """Whether a row's tag fits, or may be missing."""
    if tag is None:
        return context.keyring.accepts_untagged
    return tags.fits_record(kind, record, tag, context.keyring)


def _tampered(context: VaultContext, what: str, tag: Tag | None, wallet_id: UUID) -> IdentityMismatchError:
    hint = (
        f"`strongroom doctor` names it. `strongroom upgrade --accept {wallet_id}` takes the rows of that wallet anew."
    )
    if tag is None:
        what = f"{what} carries no tag: strongroom did not write it."
        return IdentityMismatchError(what, hint=hint, columns=("tag",))
    return _changed(context, what, tag, hint)


def _unregistered(context: VaultContext, stored: StoredWallet, *, unproved: bool) -> StoredWallet:
    found = with_actual_network(context, stored)
    if not context.store.foreign and is_sealed_elsewhere(stored):
        raise _of_another_project(stored)
    if context.keyring.accepts_untagged:
        return found
    wallet_id = stored.wallet.id
    if sealing.is_sealed(stored.sealed_text or "") or not context.store.foreign:
        raise forgotten(stored)
    if not unproved:
        require_acceptance(context, wallet_id)
    return found


def is_sealed_elsewhere(stored: StoredWallet) -> bool:
    """Whether the sealed text of a wallet without a record names another project than its row, by its header."""
    identity = sealing.identity_in(stored.sealed_text or "")
    if identity is None or identity.credential_id != stored.wallet.id:
        return False
    return identity.project_id != stored.wallet.project_id


def _of_another_project(stored: StoredWallet) -> IdentityMismatchError:
    return IdentityMismatchError(
        f"The rows of {stored.wallet.id} are not what its sealed text says: {told(('project_id',))}.",
        hint="`strongroom doctor` says whose wallet it is. Take the row away where that project has its own; else put "
        "its project_id back.",
        columns=("project_id",),
    )


def forgotten(stored: StoredWallet) -> IdentityMismatchError:
    """The error for a wallet whose record is gone, or that never had one where there has to be one."""
    wallet_id = stored.wallet.id
    text = stored.sealed_text or ""
    accept = f"`strongroom upgrade --accept {wallet_id}` proves the wallet and takes its state as it is found"
    if text in PLACEHOLDERS:
        hint = (
            f"Where `strongroom history {wallet_id}` lists its sealed text, {accept}, and `strongroom history restore "
            f"{wallet_id}` puts the sealed text back. Else put it back from a backup, or import its key anew."
        )
    else:
        hint = f"{'' if sealing.is_sealed(text) else 'Put its sealed text back, from a backup; then '}{accept}."
    return IdentityMismatchError(
        f"The register has no record of {wallet_id}: it was removed, or strongroom did not make this wallet.",
        hint=hint,
        columns=("tag",),
    )


def require_acceptance(context: VaultContext, wallet_id: UUID) -> None:
    """Raise UnprovedWalletError where the vault accepts no wallets that nothing proves."""
    if not context.accepts_foreign:
        raise UnprovedWalletError(f"Nothing proves what the row of {wallet_id} says, and this vault accepts no such.")
