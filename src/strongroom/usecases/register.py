"""The register: records are checked wherever a wallet is returned; ``tagging`` makes them where one is written.

Reading never makes a tag: a deleted one would be blessed by the next read.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from strongroom import sealing, tags
from strongroom.errors import IdentityMismatchError, KeyMissingError, UnprovedWalletError
from strongroom.model import (
    PLACEHOLDERS,
    REPLACED,
    STATUS,
    IdempotentRecord,
    StoredWallet,
    Wallet,
    vouch_for,
)
from strongroom.register import (
    IdempotencyRecord,
    NonceRecord,
    Registered,
    Registration,
    TaggedSlot,
)
from strongroom.tags import Tag
from strongroom.usecases.addresses import with_actual_network
from strongroom.usecases.parts import Parts
from strongroom.usecases.row_comparison import (
    as_recorded,
    differences,
    legacy_differences,
    says_the_same,
)


def checked(parts: Parts, stored: StoredWallet, *, unproved: bool = False) -> StoredWallet:
    """A stored wallet as its record says it, or, where a legacy table has one that nothing proves, as its row does.

    ``unproved``: the caller proves it otherwise, or shows it as what it is: the vault need not accept such wallets.

    Raises IdentityMismatchError: the record was changed or removed, or a row next to it says something else.
    UnprovedWalletError: nothing proves it, and the vault does not accept that.
    """
    if stored.registered is None:
        return _unregistered(parts, stored, unproved=unproved)
    if not parts.store.foreign:
        return _as_rows(parts, stored, stored.registered)
    record, tag = stored.registered
    _check_record(parts, record, tag)
    _require_same(stored, legacy_differences(parts, stored, record))
    found = as_recorded(stored, record)
    if not found.wallet.proved and not unproved:
        _require_accepted(parts, found.wallet.id)
    return found


def _as_rows(parts: Parts, stored: StoredWallet, registered: Registered) -> StoredWallet:
    """A wallet of tables of ours: the tag covers what its rows say, and what only its record does."""
    record, tag = registered
    if tags.fits_record("wallet", record, tag, parts.keyring):
        if not says_the_same(stored, record):
            _require_same(stored, differences(stored, record))
        vouch_for(stored.wallet)
        return stored
    whole = parts.store.register.find_record(stored.wallet.id)  # to say what differs
    if whole is None:
        return _unregistered(parts, replace(stored, registered=None), unproved=False)
    _check_record(parts, *whole)
    _require_same(stored, differences(stored, whole.record))
    vouch_for(stored.wallet)
    return replace(stored, registered=whole)  # its vault record is missing, and says no access level


def _check_record(parts: Parts, record: Registration, tag: Tag) -> None:
    if not tags.fits_record("wallet", record, tag, parts.keyring):
        raise _changed(parts, f"The record of {record.credential_id} in the register", tag)


def _changed(parts: Parts, what: str, tag: Tag, hint: str | None = None) -> IdentityMismatchError:
    if parts.keyring.is_retired(tag.kid):
        return IdentityMismatchError(
            f"{what} carries a tag of a sealing key that was retired meanwhile.",
            hint="`strongroom keys rewrap` moves it to the active key, if it is genuine.",
            columns=("tag",),
        )
    return IdentityMismatchError(f"{what} was changed.", hint=hint, columns=("tag",))


def _require_same(stored: StoredWallet, columns: tuple[str, ...]) -> None:
    if columns:
        raise IdentityMismatchError(
            f"The rows of {stored.wallet.id} are not what the register says: {', '.join(columns)} differ.",
            columns=columns,
        )


def recorded(parts: Parts, wallet_id: UUID) -> Registered | None:
    """The record of a wallet, if there is one and its tag fits; the rows next to it may say something else."""
    found = parts.store.register.find_record(wallet_id)
    if found is None or not tags.fits_record("wallet", *found, parts.keyring):
        return None
    return found


def is_recorded_live(parts: Parts, wallet_id: UUID) -> bool:
    """Whether record and slot of a wallet, both with tags that fit, say that it is the live one of its slot."""
    found = recorded(parts, wallet_id)
    if found is None or found.record.status != STATUS:
        return False
    record = found.record
    try:
        named = parts.store.wallets.find_live(record.project_id, record.network, record.label)
    except KeyMissingError:
        return False
    if named is None or named.slot is None:
        return False
    slot, tag = named.slot
    return tag is not None and slot.credential_id == wallet_id and tags.fits_record("slot", slot, tag, parts.keyring)


def is_shown(parts: Parts, wallet: Wallet) -> bool:
    """Whether a list shows a wallet that was checked: one that nothing proves only where the vault accepts such."""
    return wallet.proved or parts.keyring.accepts_untagged or parts.accepts_foreign


def check_slot(parts: Parts, stored: StoredWallet, project_id: UUID, network: str, label: str) -> StoredWallet:
    """The wallet that a slot names, checked: slot, record and rows agree on what was asked for.

    Raises IdentityMismatchError, UnprovedWalletError.
    """
    slot = stored.slot
    assert slot is not None  # noqa: S101 - it was found by it
    check_slot_row(parts, slot)
    found = checked(parts, stored)
    columns = _other_columns(found.wallet, project_id, network, label, slot.record.credential_id)
    if stored.registered is not None and stored.registered.record.status == REPLACED:
        columns = (*columns, "credential_id")  # an older state of the slot, put back
    if columns:
        columns = tuple(dict.fromkeys(columns))
        raise IdentityMismatchError(
            f"The slot of {network} and the label {label} names the wallet {found.wallet.id}, which is another: "
            f"{', '.join(columns)} differ.",
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


def check_slot_row(parts: Parts, slot: TaggedSlot) -> None:
    """Raise IdentityMismatchError where a slot was changed."""
    record, tag = slot
    if not _fits(parts, "slot", record, tag):
        what = f"The slot of {record.network} and the label {record.label}"
        raise _tampered(parts, what, tag, record.credential_id)


def check_key_row(parts: Parts, project_id: UUID, key: str, remembered: IdempotentRecord) -> None:
    """Raise IdentityMismatchError where the row of an idempotency key was changed."""
    record = IdempotencyRecord(project_id, key, remembered.request, remembered.credential_id)
    if not _fits(parts, "idempotency", record, remembered.tag):
        raise _tampered(parts, "The row of the idempotency key", remembered.tag, record.credential_id)


def check_key(
    parts: Parts, project_id: UUID, network: str, label: str, remembered: IdempotentRecord
) -> StoredWallet | None:
    """The wallet that an idempotency key was used for, checked; None where it is gone. Raises as check_slot."""
    if remembered.stored is None:
        return None
    found = checked(parts, remembered.stored)
    wallet = found.wallet
    columns = _other_columns(wallet, project_id, network, label, remembered.credential_id)
    if columns and (wallet.proved or columns != ("label",)):  # the row of a foreign wallet names no label of ours
        raise IdentityMismatchError(
            f"The idempotency key names the wallet {wallet.id}, which is another: {', '.join(columns)} differ.",
            columns=columns,
        )
    return found


def check_nonce(parts: Parts, record: NonceRecord, tag: Tag | None, wallet_id: UUID) -> None:
    """Raise IdentityMismatchError where what was signed under a nonce of a wallet's account was changed."""
    if not _fits(parts, "nonce", record, tag):
        raise _tampered(parts, f"What was signed under nonce {record.nonce}", tag, wallet_id)


def _fits(parts: Parts, kind: tags.Kind, record: tags.Tagged, tag: Tag | None) -> bool:
    """Whether a row's tag fits, or may be missing."""
    if tag is None:
        return parts.keyring.accepts_untagged
    return tags.fits_record(kind, record, tag, parts.keyring)


def _tampered(parts: Parts, what: str, tag: Tag | None, wallet_id: UUID) -> IdentityMismatchError:
    hint = (
        f"`strongroom doctor` names it. `strongroom upgrade --accept {wallet_id}` takes the rows of that wallet anew."
    )
    if tag is None:
        what = f"{what} carries no tag: strongroom did not write it."
        return IdentityMismatchError(what, hint=hint, columns=("tag",))
    return _changed(parts, what, tag, hint)


def _unregistered(parts: Parts, stored: StoredWallet, *, unproved: bool) -> StoredWallet:
    found = with_actual_network(parts, stored)
    if parts.keyring.accepts_untagged:
        return found
    wallet_id = stored.wallet.id
    if sealing.is_sealed(stored.sealed_text or "") or not parts.store.foreign:
        raise _forgotten(stored)
    if not unproved:
        _require_accepted(parts, wallet_id)
    return found


def require_never_recorded(parts: Parts, stored: StoredWallet) -> None:
    """Raise IdentityMismatchError where a wallet of legacy tables has no record, and had one.

    Of each wallet that strongroom sealed there, the history has the text; a verb that writes would record it anew.
    """
    if stored.registered is not None or parts.keyring.accepts_untagged:
        return
    wallet_id = stored.wallet.id
    kept = parts.store.wallets.keeps_sealed(wallet_id)
    if not kept:
        return
    if parts.store.register.find_record(wallet_id) is None:  # else it was recorded meanwhile, and the write finds out
        raise _forgotten(stored)


def _forgotten(stored: StoredWallet) -> IdentityMismatchError:
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


def _require_accepted(parts: Parts, wallet_id: UUID) -> None:
    if not parts.accepts_foreign:
        raise UnprovedWalletError(f"Nothing proves what the row of {wallet_id} says, and this vault accepts no such.")
