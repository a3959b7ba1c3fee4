"""What was kept of a wallet, and putting it back: where nothing is stored, or, if a person says so, over a text."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from strongroom.crypto import sealing
from strongroom.crypto.jwe import MAX_TEXT_BYTES
from strongroom.errors import (
    ContentionError,
    InvalidCursorError,
    KeyConflictError,
    KeyMissingError,
    SealedTextCorruptError,
    StrongroomError,
    WalletNotFoundError,
)
from strongroom.host.work_budget import WorkBudget
from strongroom.ports.rescue import TextPasswords
from strongroom.records.history import HistoryEntry, HistoryPage
from strongroom.records.key_material import Identity, KeyMaterial
from strongroom.records.register import Registered
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.usage_log import Attribution, LogEntry
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.records.wallets import Stored, Wallet, WalletReference
from strongroom.usecases.context import VaultContext
from strongroom.usecases.elsewhere import is_elsewhere
from strongroom.usecases.outcome import until_known, until_unchanged
from strongroom.usecases.ownership import is_proved, require_accepted
from strongroom.usecases.phrase_reading import OpenedPhrases
from strongroom.usecases.proof import prove
from strongroom.usecases.read import asked_for, check_limit, get_stored
from strongroom.usecases.register import forgotten
from strongroom.usecases.remake import remake
from strongroom.usecases.rescue import MOST_PHRASES, changes_of, opens, put_back, restorable, stored_whatever
from strongroom.usecases.retired import require_not_retired
from strongroom.usecases.store_key import learn_rotation, seal_for
from strongroom.usecases.strays import strays_of
from strongroom.usecases.tagging import proved_record

_CURSOR = re.compile("[0-9]{1,9}")


def history(context: VaultContext, wallet: WalletReference, limit: int, after: str | None) -> HistoryPage:
    """See Vault.history. The wallet's own rows need not be there any more."""
    check_limit(limit)
    (wallet_id, project_id), skipped = asked_for(wallet), _skipped(after)
    found = context.store.wallets.history(wallet_id, limit + 1, skipped, project_id=project_id)
    entries = tuple(found[:limit])
    for entry in entries:
        if len(entry.text) > MAX_TEXT_BYTES:  # the store reads one character more than a sealed text may have
            raise SealedTextCorruptError(
                f"The kept text {entry.id} is longer than any sealed text.",
                hint="Look at it in strongroom_vault_history; `strongroom history restore` passes it over.",
            )
    return HistoryPage(entries, str(skipped + limit) if len(found) > limit else None)


def _skipped(after: str | None) -> int:
    """How many texts came before: a history only grows, at its end."""
    if after is None:
        return 0
    if not isinstance(after, str) or not _CURSOR.fullmatch(after):
        raise InvalidCursorError("The cursor did not come from a page of this list.")
    return int(after)


def restore(
    context: VaultContext,
    wallet: WalletReference,
    actor: Attribution,
    *,
    archive_current: bool = False,
    entry: UUID | str | None = None,
) -> Stored:
    """Fill from the newest kept text that proves, and make rows anew that are gone; see Vault.restore."""
    wallet_id, project_id = asked_for(wallet)
    entry_id = None if entry is None else _entry_id(context, wallet_id, entry, project_id)
    made = False

    def attempt() -> Stored | None:
        nonlocal made
        if context.store.wallets.get(wallet_id, project_id) is None:
            made |= remake(context, wallet_id, project_id, actor, archive_current=archive_current, entry_id=entry_id)
            return None
        stored = stored_whatever(context, wallet)
        if stored.sealed_text is not None and opens(context, stored, stored.sealed_text) is not None:
            return Stored(get_stored(context, stored.wallet).wallet, stored=made)
        found = _newest(context, stored, entry_id)
        if _put(context, stored, found, actor, archive_current=archive_current):
            return Stored(get_stored(context, stored.wallet).wallet, stored=True)
        return None

    changed = ContentionError(f"The rows of {wallet_id} changed several times in a row; look again.")
    return until_unchanged(attempt, changed)


def require_restorable(context: VaultContext, wallet_id: UUID, *, archive_current: bool) -> None:
    """Raise what ``restore`` of a wallet with rows would, as far as that can be known before. Writes nothing."""
    stored = stored_whatever(context, wallet_id)
    current = stored.sealed_text
    if current is not None and opens(context, stored, current) is not None:
        return
    found = _newest(context, stored, None)
    if current is None or current in PLACEHOLDERS:
        prove(context, replace(stored, sealed_text=found.text))
    elif archive_current:
        changes_of(context, stored, found.text, found.registered)
    else:
        raise _another_text(wallet_id)


def _another_text(wallet_id: UUID) -> KeyConflictError:
    return KeyConflictError(
        f"Another text is stored in the vault record of {wallet_id}; nothing was changed.",
        hint=f"`strongroom history restore {wallet_id} --archive-current` puts the kept key back, and keeps that "
        "text in the history.",
    )


def _entry_id(context: VaultContext, wallet_id: UUID, entry: UUID | str, project_id: UUID | None) -> UUID:
    """The id of an entry of this wallet. Raises WalletNotFoundError."""
    try:
        entry_id = entry if isinstance(entry, UUID) else UUID(entry)
        found = context.store.rescue.entry(entry_id, project_id)
    except (ValueError, AttributeError, TypeError):
        found = None
    if found is None or found.wallet_id != wallet_id:
        raise WalletNotFoundError(
            f"The history of {wallet_id} has no such entry.", hint=f"`strongroom history {wallet_id}` lists them."
        )
    return found.id


class _Found(NamedTuple):
    """A text that proves, and where it comes from."""

    text: str
    place: str
    """The id of its entry, or where else it is."""
    registered: Registered | None


def _newest(context: VaultContext, stored: StoredWallet, entry_id: UUID | None) -> _Found:
    """The newest kept text that proves; else a key of the wallet's in the legacy application's text, sealed."""
    sealed = foreign = 0
    aside: HistoryEntry | None = None
    wallet = stored.wallet
    for entry in restorable(context, wallet.id, wallet.project_id, True, entry_id):
        sealed += 1
        if (found := _own(context, stored, entry.text, str(entry.id))) is not None:
            return found
        if aside is None and sealing.is_aside(entry.text) and _opened_aside(context, stored, entry) is not None:
            aside = entry
    if entry_id is None and (found := _stray(context, stored)) is not None:
        return found
    require_accepted(context, stored)  # from here on its row says which key is its own
    if aside is not None and (material := _opened_aside(context, stored, aside)) is not None:
        _require_free(context, stored, material, aside)
        learn_rotation(context)
        text, registered = seal_for(context, stored, material)
        return _Found(text, str(aside.id), registered)
    budget = WorkBudget(most_phrases=MOST_PHRASES)
    for entry in restorable(context, wallet.id, wallet.project_id, False, entry_id):
        foreign += 1
        found = _wrapped(context, stored, entry) or _foreign(context, stored, entry, budget)
        if found is not None:
            return found
    if entry_id is None and (found := _of_phrase(context, stored)) is not None:
        return found
    others = f" {_texts(foreign)} of the legacy application, and no key of this wallet." if foreign else ""
    error = KeyMissingError(f"None of the {sealed} sealed texts that were kept of {stored.wallet.id} proves.{others}")
    if not budget.takes_phrase():
        error.hint = (
            f"Of the phrases among them {MOST_PHRASES} were tried. `strongroom history {stored.wallet.id}` lists what "
            f"is kept; name one: `strongroom history restore {stored.wallet.id} --entry ENTRY`."
        )
    raise error


def _of_phrase(context: VaultContext, stored: StoredWallet) -> _Found | None:
    """The wallet's key, derived again from the phrase that its record names, sealed."""
    known = stored.registered
    material = None if known is None else OpenedPhrases(context).derive(known.record)
    if known is None or material is None:
        return None
    learn_rotation(context)
    return _Found(seal_for(context, stored, material)[0], f"phrase:{known.record.phrase_id}", None)


def _stray(context: VaultContext, stored: StoredWallet) -> _Found | None:
    """A text of the wallet's that is stored under another one."""
    strays = strays_of(context, stored.wallet.id, stored.wallet.project_id)
    return next((each for stray in strays if (each := _own(context, stored, stray.text, stray.place))), None)


def _wrapped(context: VaultContext, stored: StoredWallet, entry: HistoryEntry) -> _Found | None:
    """A sealed text of the wallet's with something around it."""
    inside = context.texts.sealed_in(entry.text)
    return None if inside is None else _own(context, stored, inside, str(entry.id))


def _own(context: VaultContext, stored: StoredWallet, text: str, place: str) -> _Found | None:
    """A text that opens as the wallet's own, wherever it is.

    Raises IdentityMismatchError where the register has no record of the wallet: when strongroom sealed the text, it had
    one. ConflictError where nothing proves the wallet, and its key is that of one that was retired.
    """
    material = opens(context, stored, text)
    if material is None:
        return None
    if stored.registered is None and not context.keyring.accepts_untagged:
        raise forgotten(stored)
    if not is_proved(context, stored):
        _require_not_retired(context, stored, material, taken=False)
    return _Found(text, place, _record(context, stored, material))


def _opened_aside(context: VaultContext, stored: StoredWallet, entry: HistoryEntry) -> KeyMaterial | None:
    """A key that was kept aside before anything said that it is this wallet's own; its address says so by now."""
    network, address = _canonical(context, stored.wallet)
    identity = Identity(stored.wallet.project_id, stored.wallet.id, network, address)
    try:
        return sealing.open_sealed(entry.text, identity, context.keyring, aside=True)
    except StrongroomError:
        return None


def _foreign(context: VaultContext, stored: StoredWallet, entry: HistoryEntry, budget: WorkBudget) -> _Found | None:
    """A key of the wallet's own that was kept as the legacy application's text, of the same project."""
    wallet = stored.wallet
    if entry.project_id != wallet.project_id:
        return None
    read = context.texts.read(entry.text, wallet.network, wallet.address, TextPasswords(work=budget))
    if read.material is None or (read.network, read.address) != _canonical(context, wallet):
        return None
    _require_free(context, stored, read.material, entry)
    learn_rotation(context)
    text, registered = seal_for(context, stored, read.material)
    return _Found(text, str(entry.id), registered)


def _require_free(context: VaultContext, stored: StoredWallet, material: KeyMaterial, entry: HistoryEntry) -> None:
    """Raise ConflictError where a wallet without a record would get the key of another project's wallet, or of one of
    its own project that was retired."""
    project_id = stored.wallet.project_id
    if not is_proved(context, stored) and is_elsewhere(context, material, project_id, takes=True):
        raise KeyConflictError(
            f"The key in the entry {entry.id} is that of another project's wallet; nothing was changed.",
            hint=f"`strongroom history reveal {entry.id} --text --reveal` prints the text. Where both projects are to "
            "have the key, who holds it takes it in: `strongroom wallet import`.",
        )
    _require_not_retired(context, stored, material, taken=True)


def _require_not_retired(context: VaultContext, stored: StoredWallet, material: KeyMaterial, *, taken: bool) -> None:
    wallet = stored.wallet
    require_not_retired(context, wallet.project_id, material, wallet_id=wallet.id, state=wallet.status, taken=taken)


def _canonical(context: VaultContext, wallet: Wallet) -> tuple[str, str]:
    return wallet.network, context.networks.get(wallet.network).parse_address(wallet.address)


def _record(context: VaultContext, stored: StoredWallet, material: KeyMaterial) -> Registered | None:
    """The wallet's record, where the register has none yet."""
    if stored.registered is not None:
        return None
    learn_rotation(context)
    half = context.networks.get(stored.wallet.network).public_half(material.private_key, material.scheme)
    return proved_record(context, stored, material, half)


def _put(
    context: VaultContext, stored: StoredWallet, found: _Found, actor: Attribution, *, archive_current: bool
) -> bool:
    """Write a text that proves; False where the rows changed meanwhile."""
    why = {"history": found.place}
    wallet_id = stored.wallet.id
    if stored.sealed_text is None or stored.sealed_text in PLACEHOLDERS:
        log = LogEntry("fill", actor, why)
        return until_known(
            lambda: context.store.lifecycle.fill(stored, found.text, found.registered, log, context.clock()),
            lambda: stored_whatever(context, stored.wallet).sealed_text == found.text,
        )
    if not archive_current:
        raise _another_text(wallet_id)
    return put_back(context, stored, found.text, found.registered, actor, why)


def _texts(number: int) -> str:
    return "1 text is" if number == 1 else f"{number} texts are"
