"""The rows of a wallet that are gone, made anew: its record in the register says them, a sealed text proves them."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from uuid import UUID

from strongroom.crypto import sealing
from strongroom.errors import (
    IdentityMismatchError,
    KeyConflictError,
    KeyMissingError,
    ReferencedRowMissingError,
    StoreRefusedError,
    WalletNotFoundError,
)
from strongroom.ports.rescue import RemadeWallet
from strongroom.records.history import HistoryEntry
from strongroom.records.register import Registered, SlotRecord
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.usage_log import Attribution, LogEntry
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.records.wallets import REPLACED, STATUS, Wallet
from strongroom.usecases.context import VaultContext
from strongroom.usecases.outcome import until_known
from strongroom.usecases.register import check_slot_row, recorded
from strongroom.usecases.rescue import opens, restorable
from strongroom.usecases.row_comparison import wallet_of
from strongroom.usecases.store_key import learn_rotation
from strongroom.usecases.tagging import register, tag_slot


def remake(
    context: VaultContext,
    wallet_id: UUID,
    project_id: UUID | None,
    actor: Attribution,
    *,
    archive_current: bool,
    entry_id: UUID | None = None,
) -> bool:
    """Make the rows of a wallet anew, in one transaction; False where somebody else was first.

    A wallet that the register calls retired comes back as such; so does one whose slot names another wallet by now. A
    vault record that names the wallet already keeps its text.

    Raises WalletNotFoundError where the register has no record of it, KeyMissingError where no text proves it,
    KeyConflictError where another text is stored for it and may not be archived, IdentityMismatchError where the
    slot was changed, StoreRefusedError.
    """
    entries = context.store.wallets.history(wallet_id, 1, newest_first=True)
    known = recorded(context, wallet_id)
    if known is None or project_id not in (None, known.record.project_id):
        raise _unknown(wallet_id, entries)
    learn_rotation(context)
    wallet = wallet_of(known.record)
    there = [text for text in context.store.rescue.orphaned_texts(wallet_id) if text not in (None, *PLACEHOLDERS)]
    stored = StoredWallet(wallet, None, wallet.network, registered=known)
    candidates = chain(there, (entry.text for entry in restorable(context, wallet_id, True, entry_id)))
    text = next((each for each in candidates if each is not None and opens(context, stored, each) is not None), None)
    if text is None:
        raise KeyMissingError(f"The rows of {wallet_id} are gone, and no kept text proves them.", hint=_reveal(entries))
    if there and text not in there and not archive_current:
        raise KeyConflictError(
            f"The credential {wallet_id} is gone, and another text is stored in its vault record; nothing was changed.",
            hint=f"`strongroom history restore {wallet_id} --archive-current` puts the kept key back, and keeps that "
            "text in the history.",
        )
    remade = _remade(context, wallet, text, known)
    log = LogEntry("fill", actor, {"rows": "made anew"})
    try:
        return until_known(
            lambda: context.store.rescue.remake(remade, log, context.clock()),
            lambda: context.store.wallets.get(wallet_id) is not None,
        )
    except StoreRefusedError as error:
        if context.store.wallets.get(wallet_id) is not None:
            return False
        if not isinstance(error, ReferencedRowMissingError):
            error.hint = f"{error.hint} {_reveal(entries)}"
        elif error.column == "project_id":
            error.hint = (
                f"The project is {wallet.project_id}. {error.hint} "
                f"Then `strongroom history restore {wallet_id}` works. Without the project: {_reveal(entries)}"
            )
        else:
            error.hint = f"{error.hint} Without it: {_reveal(entries)}"
        raise


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
            hint="Restore the wallet that the slot names first, if it is one; `strongroom doctor` looks at the slots.",
            columns=("credential_id",),
        )
    check_slot_row(context, live.slot)


def _unknown(wallet_id: UUID, entries: list[HistoryEntry]) -> WalletNotFoundError:
    if not entries:
        return WalletNotFoundError(f"There is no wallet {wallet_id}, and nothing was kept of one.")
    return WalletNotFoundError(
        f"The rows of {wallet_id} are gone, and the register has no record that says them.", hint=_reveal(entries)
    )


def _reveal(entries: list[HistoryEntry]) -> str:
    if not entries:
        return "Nothing was kept of this wallet: look into backups."
    text = " --text" if sealing.is_text(entries[0].text) else ""
    return f"`strongroom history reveal {entries[0].id}{text} --reveal` gives the key out that was kept."
