"""What was kept of a wallet, and putting it back where nothing stands."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from strongroom import sealing
from strongroom.errors import (
    KeyConflictError,
    KeyMissingError,
    OutcomeUnknownError,
    StrongroomError,
)
from strongroom.identifiers import check_wallet_id
from strongroom.model import PLACEHOLDERS, Actor, HistoryEntry, KeyMaterial, LogEntry, Stored, StoredWallet, Wallet
from strongroom.usecases.parts import Parts
from strongroom.usecases.proof import prove
from strongroom.usecases.read import get_stored
from strongroom.usecases.unknown import asking

_ATTEMPTS = 5


def history(parts: Parts, wallet: UUID | str | Wallet) -> list[HistoryEntry]:
    """See Vault.history. The wallet's own rows need not be there any more."""
    return parts.store.history(wallet.id if isinstance(wallet, Wallet) else check_wallet_id(wallet))


def restore(parts: Parts, wallet: UUID | str | Wallet, actor: Actor) -> Stored:
    """Fill from the newest kept text that proves; see Vault.restore."""
    stored = get_stored(parts, wallet)
    wallet_id = stored.wallet.id
    entries = parts.store.history(wallet_id)
    kept = [entry for entry in reversed(entries) if entry.form == "sealed"]
    for entry in kept:
        if entry.text == stored.sealed_text:
            return Stored(stored.wallet, stored=False)
        if _proves(parts, stored, entry) is None:
            continue
        if stored.sealed_text is not None and stored.sealed_text not in PLACEHOLDERS:
            raise KeyConflictError(
                f"Another text stands in the vault record of {wallet_id}; nothing was changed.",
                hint="The kept text proves and stays in the history; strongroom overwrites no text.",
            )
        if not _fill(parts, stored, entry, actor):
            raise KeyConflictError(f"The vault record of {wallet_id} changed meanwhile; look again.")
        return Stored(get_stored(parts, stored.wallet).wallet, stored=True)
    foreign = len(entries) - len(kept)
    others = f" {_texts(foreign)} of another application: kept, but strongroom cannot open them." if foreign else ""
    raise KeyMissingError(f"None of the {len(kept)} sealed texts that were kept of {wallet_id} proves.{others}")


def _fill(parts: Parts, stored: StoredWallet, entry: HistoryEntry, actor: Actor) -> bool:
    """Fill; where the outcome got lost, look whether the text is there, and where it is not, fill again."""
    log = LogEntry("fill", actor, {"history": str(entry.id)})
    unknown: OutcomeUnknownError | None = None
    for _ in range(_ATTEMPTS):
        try:
            with asking(unknown):
                if unknown is not None and get_stored(parts, stored.wallet).sealed_text == entry.text:
                    return True
                return parts.store.fill(stored, entry.text, log, parts.clock())
        except OutcomeUnknownError as error:
            if error is unknown:
                raise
            unknown = error
    assert unknown is not None  # noqa: S101 - only an outcome that got lost comes round
    raise unknown


def _texts(number: int) -> str:
    return "1 text is" if number == 1 else f"{number} texts are"


def _proves(parts: Parts, stored: StoredWallet, entry: HistoryEntry) -> KeyMaterial | None:
    if not sealing.is_sealed(entry.text):
        return None
    try:
        return prove(parts, replace(stored, sealed_text=entry.text))
    except StrongroomError:
        return None
