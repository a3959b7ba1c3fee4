"""The rows of a wallet that are gone, made anew: its record in the register says them, a sealed text proves them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID

from strongroom.crypto import sealing
from strongroom.errors import (
    IdentityMismatchError,
    KeyConflictError,
    KeyMissingError,
    ReferencedRowMissingError,
    StoreRefusedError,
    StrongroomError,
    WalletNotFoundError,
)
from strongroom.ports.rescue import RemadeWallet
from strongroom.records.register import Registered, SlotRecord
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.usage_log import Attribution, LogEntry
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.records.wallets import REPLACED, STATUS, Wallet
from strongroom.usecases.context import VaultContext
from strongroom.usecases.outcome import until_known
from strongroom.usecases.phrase_reading import OpenedPhrases
from strongroom.usecases.register import check_slot_row, recorded
from strongroom.usecases.rescue import newest_first, opens, restorable
from strongroom.usecases.row_comparison import wallet_of
from strongroom.usecases.store_key import learn_rotation, seal_for
from strongroom.usecases.strays import strays_of
from strongroom.usecases.tagging import register, tag_slot


def remake(
    context: VaultContext,
    wallet_id: UUID,
    project_id: UUID | None,
    actor: Attribution,
    *,
    archive_current: bool,
    entry_id: UUID | None = None,
    bring: Callable[[Registered], str] | None = None,
) -> bool:
    """Make the rows of a wallet anew, in one transaction; False where somebody else was first.

    ``bring``: seals the key that a caller has for a record, once it derives what the record says; asked where nothing
    that is kept proves the wallet.

    A wallet that the register calls retired comes back as such; so does one whose slot names another wallet by now. A
    vault record that names the wallet already keeps its text.

    Raises WalletNotFoundError where the register has no record of it, KeyMissingError where no text proves it,
    KeyConflictError where another text is stored for it and may not be archived, IdentityMismatchError where the
    slot was changed, StoreRefusedError.
    """
    known = recorded(context, wallet_id, project_id)
    if known is None or project_id not in (None, known.record.project_id):
        raise _unknown(context, wallet_id, project_id)
    own = known.record.project_id
    learn_rotation(context)
    try:
        text = _proof_or(context, known, entry_id, bring)
        remade = possible(context, known, text, archive_current=archive_current)
    except IdentityMismatchError as error:
        error.hint = f"{error.hint} {_key_alone(context, known)}"
        raise
    log = LogEntry("fill", actor, {"rows": "made anew"})
    try:
        return until_known(
            lambda: context.store.rescue.remake(remade, log, context.clock()),
            lambda: context.store.wallets.get(wallet_id, own) is not None,
        )
    except StoreRefusedError as error:
        if context.store.wallets.get(wallet_id, own) is not None:
            return False
        alone = _key_alone(context, known)
        if not isinstance(error, ReferencedRowMissingError):
            error.hint = f"{error.hint} {alone}"
        elif error.column == "project_id":
            error.hint = (
                f"The project is {own}. {error.hint} "
                f"Then `strongroom history restore {wallet_id}` works. Without the project: {alone}"
            )
        else:
            error.hint = f"{error.hint} Without it: {alone}"
        raise


def proof_of(context: VaultContext, known: Registered, entry_id: UUID | None = None) -> str:
    """A sealed text that opens as what a record says: of its vault record, its history, or from under another wallet.

    Where none is there, and the project's phrase derives the key, it is sealed anew.

    Raises KeyMissingError where there is none.
    """
    wallet = wallet_of(known.record)
    stored = StoredWallet(wallet, None, wallet.network, registered=known)
    for text in _candidates(context, known, entry_id):
        if opens(context, stored, text) is not None:
            return text
    material = None if entry_id is not None else OpenedPhrases(context).derive(known.record)
    if material is not None:
        return seal_for(context, stored, material)[0]
    raise KeyMissingError(
        f"The rows of {wallet.id} are gone, and no kept text proves them.",
        hint=_newest(context, wallet.id, wallet.project_id),
    )


def _proof_or(
    context: VaultContext, known: Registered, entry_id: UUID | None, bring: Callable[[Registered], str] | None
) -> str:
    brought = None if bring is None else bring(known)  # first: a key that is not the wallet's is refused in any case
    try:
        return proof_of(context, known, entry_id)
    except KeyMissingError:
        if brought is None:
            raise
        return brought


def _candidates(context: VaultContext, known: Registered, entry_id: UUID | None) -> Iterator[str]:
    wallet_id, project_id = known.record.credential_id, known.record.project_id
    yield from _there(context, wallet_id, project_id)
    yield from (entry.text for entry in restorable(context, wallet_id, project_id, True, entry_id))
    if entry_id is None:
        yield from (stray.text for stray in strays_of(context, wallet_id, project_id))


def _there(context: VaultContext, wallet_id: UUID, project_id: UUID) -> list[str]:
    """The texts of vault records that name a wallet whose credential is gone."""
    found = context.store.rescue.orphaned_texts(wallet_id, project_id)
    return [text for text in found if text is not None and text not in PLACEHOLDERS]


def possible(context: VaultContext, known: Registered, text: str, *, archive_current: bool = False) -> RemadeWallet:
    """The rows that would be made, as far as that can be known before. Writes nothing.

    Raises KeyConflictError, IdentityMismatchError.
    """
    wallet = wallet_of(known.record)
    there = _there(context, wallet.id, wallet.project_id)
    if there and text not in there and not archive_current:
        raise KeyConflictError(
            f"The credential {wallet.id} is gone, and another text is stored in its vault record; nothing was changed.",
            hint=f"`strongroom history restore {wallet.id} --archive-current` puts the kept key back, and keeps that "
            "text in the history.",
        )
    return _remade(context, wallet, text, known)


def _remade(context: VaultContext, wallet: Wallet, text: str, known: Registered) -> RemadeWallet:
    """The rows, and what becomes of record and slot: a slot that names another wallet retires this one."""
    if wallet.status != STATUS:
        return RemadeWallet(wallet, text, known, known, None)
    named = context.store.rescue.named_by_slot(str(wallet.project_id), wallet.network, wallet.label)
    if named not in (None, str(wallet.id)):
        _require_slot(context, wallet)
        record = known.record._replace(status=REPLACED, version=known.record.version + 1)
        return RemadeWallet(replace(wallet, status=REPLACED), text, known, register(context, record), None)
    slot = SlotRecord(wallet.project_id, wallet.network, wallet.label, wallet.id, 1)
    return RemadeWallet(wallet, text, known, known, None if named else (slot, tag_slot(context, slot)))


def _require_slot(context: VaultContext, wallet: Wallet) -> None:
    """Raise IdentityMismatchError where nobody who has the keyring said that another wallet took the slot."""
    try:
        live = context.store.wallets.find_live(wallet.project_id, wallet.network, wallet.label)
    except KeyMissingError:
        live = None
    if live is None or live.slot is None:
        raise IdentityMismatchError(
            f"The slot of {wallet.id} names a wallet that is not there; nothing was changed.",
            hint="Restore the wallet that the slot names first, if it is one.",
            columns=("credential_id",),
        )
    check_slot_row(context, live.slot)


def _unknown(context: VaultContext, wallet_id: UUID, project_id: UUID | None) -> WalletNotFoundError:
    if not context.store.wallets.history(wallet_id, 1, newest_first=True, part_of=project_id):
        return WalletNotFoundError(f"There is no wallet {wallet_id}, and nothing was kept of one.")
    return WalletNotFoundError(
        f"The rows of {wallet_id} are gone, and the register has no record that says them.",
        hint=_newest(context, wallet_id, project_id),
    )


def _key_alone(context: VaultContext, known: Registered) -> str:
    """What prints the key of a wallet whose rows cannot be made anew."""
    wallet = wallet_of(known.record)
    stored = StoredWallet(wallet, None, wallet.network, registered=known)
    for stray in strays_of(context, wallet.id, wallet.project_id):
        if opens(context, stored, stray.text) is not None:
            return f"`strongroom history reveal {stray.place} --wallet {wallet.id} --reveal` gives its key out."
    return _newest(context, wallet.id, wallet.project_id)


def _newest(context: VaultContext, wallet_id: UUID, project_id: UUID | None) -> str:
    """What gives out the newest text that was kept of a wallet: one that opens, or else as it is."""
    newest = context.store.wallets.history(wallet_id, 1, newest_first=True, part_of=project_id)
    if not newest:
        return "Nothing was kept of this wallet: look into backups."
    try:
        for entry in newest_first(context, wallet_id, True, part_of=project_id):
            if _is_open(context, wallet_id, entry.text):
                return f"`strongroom history reveal {entry.id} --reveal` gives the key out that was kept."
    except KeyMissingError:
        pass  # there are more than are read
    return f"`strongroom history reveal {newest[0].id} --text --reveal` gives the text out that was kept."


def _is_open(context: VaultContext, wallet_id: UUID, text: str) -> bool:
    identity = sealing.identity_in(text)
    if identity is None or identity.credential_id != wallet_id:
        return False
    try:
        sealing.open_sealed(text, identity, context.keyring, aside=sealing.is_aside(text))
    except StrongroomError:
        return False
    return True
