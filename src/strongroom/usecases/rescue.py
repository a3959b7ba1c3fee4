"""Keys that are there and not where they should be: put back, archived, made anew. A person asks for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from strongroom.crypto import sealing
from strongroom.crypto.sealed_headers import is_one
from strongroom.errors import KeyConflictError, KeyMissingError, StrongroomError
from strongroom.ports.rescue import Archived, ReadText, SeenRecord, SeenWallet, TextChanges, TextPasswords
from strongroom.records.history import HistoryEntry
from strongroom.records.key_material import Identity, KeyMaterial
from strongroom.records.register import Registered
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.usage_log import Attribution, LogEntry
from strongroom.records.wallets import DEFAULT_LABEL, Wallet, WalletReference, vault_id_of
from strongroom.secret import Secret
from strongroom.usecases.addresses import same_address
from strongroom.usecases.context import VaultContext
from strongroom.usecases.elsewhere import is_elsewhere, recorded_elsewhere
from strongroom.usecases.outcome import until_known
from strongroom.usecases.ownership import require_never_recorded
from strongroom.usecases.proof import identity_of, prove
from strongroom.usecases.read import find_row
from strongroom.usecases.register import checked, recorded
from strongroom.usecases.row_comparison import is_ours
from strongroom.usecases.store_key import learn_rotation

HISTORY_PAGE = 500
"""Kept texts that are read at a time."""
MOST_ENTRIES = 10_000
MOST_CHARACTERS = 32 * 1024 * 1024
"""Kept texts of one wallet that a verb reads, and how long they are together."""
MOST_PHRASES = 100
"""Phrases among them that are tried: each costs a stretching, and the derivation of many keys."""
LONGEST_CHARACTERS = 65_536
"""What is longer was not read whole, and is never replaced."""


def newest_first(
    context: VaultContext,
    wallet_id: UUID,
    sealed: bool | None = None,
    way_out: str | None = None,
    *,
    part_of: UUID | None = None,
) -> Iterator[HistoryEntry]:
    """The texts that were kept of a wallet, all or one kind, newest first.

    Raises KeyMissingError where there are more than are read: anybody who writes to the history may have added them.
    ``way_out``: what to do then. ``part_of``: where tables are divided by project, only the part of this one is read.
    """
    read = characters = 0
    while page := context.store.wallets.history(wallet_id, HISTORY_PAGE, read, newest_first=True, part_of=part_of):
        for number, entry in enumerate(page, read + 1):
            characters += len(entry.text)
            if number > MOST_ENTRIES or characters > MOST_CHARACTERS:
                raise KeyMissingError(
                    f"More is kept of {wallet_id} than is read: none of its newest {number - 1:,} texts is its key.",
                    hint=way_out
                    or f"`strongroom history {wallet_id}` lists them, oldest first. Let the owner of "
                    "strongroom_vault_history delete what nobody of yours wrote there, and run this again.",
                )
            if sealed in (None, entry.form == "sealed"):
                yield entry
        read += len(page)


def restorable(
    context: VaultContext, wallet_id: UUID, project_id: UUID, sealed: bool, entry_id: UUID | None
) -> Iterator[HistoryEntry]:
    """The texts of one kind that a wallet may be restored from, newest first; of a person's choice that one alone.

    Raises as ``newest_first``.
    """
    if entry_id is None:
        yield from newest_first(
            context,
            wallet_id,
            sealed,
            f"`strongroom history {wallet_id}` lists them, oldest first; then name one: `strongroom history restore "
            f"{wallet_id} --entry ENTRY`.",
            part_of=project_id,
        )
        return
    found = context.store.rescue.entry(entry_id, project_id)
    if found is not None and found.wallet_id == wallet_id and (found.form == "sealed") == sealed:
        yield found


def stored_whatever(context: VaultContext, wallet: WalletReference) -> StoredWallet:
    """A wallet, checked as every other, but for its text: the legacy application may have written that.

    Raises WalletNotFoundError, IdentityMismatchError.
    """
    row = find_row(context, wallet)
    if is_ours(row.sealed_text):
        found = checked(context, row, unproved=True)
    else:
        found = replace(checked(context, replace(row, sealed_text=None), unproved=True), sealed_text=row.sealed_text)
    require_never_recorded(context, found)
    return found


def put_back(
    context: VaultContext,
    stored: StoredWallet,
    text: str,
    registered: Registered | None,
    actor: Attribution,
    why: dict[str, str],
) -> bool:
    """Archive the text that is stored, and put a proved one in its place; False where it changed meanwhile.

    The record is compared and set on the exact text. A key in plaintext is archived only as what it is sealed into,
    under the address that it derives.
    """
    seen, changes = changes_of(context, stored, text, registered)
    log = LogEntry("fill", actor, {**why, "archived": "true"})

    def is_done() -> bool:
        now = context.store.rescue.see(stored.wallet.id, stored.wallet.project_id)
        return now is not None and any(each.text == text for each in now.records)

    return until_known(lambda: context.store.rescue.change_texts(stored, seen, changes, log, context.clock()), is_done)


def changes_of(
    context: VaultContext, stored: StoredWallet, text: str, registered: Registered | None
) -> tuple[SeenWallet, TextChanges]:
    """What ``put_back`` writes, over what it saw. Raises what it would."""
    prove(context, replace(stored, sealed_text=text))
    seen = _see(context, stored)
    record = _record_of(seen, stored)
    archived = [*archive_of(context, stored.wallet, record.text or ""), Archived(text, "sealed", stored.wallet)]
    return seen, TextChanges({record.id: text}, archived=tuple(dict.fromkeys(archived)), registered=registered)


def archive_of(
    context: VaultContext,
    wallet: Wallet,
    text: str,
    passwords: TextPasswords = TextPasswords(),  # noqa: B008 - a constant
) -> list[Archived]:
    """What the history keeps of a text before another one takes its place: in plaintext only what a password protects.

    A text alone gives no project the key of another one's wallet: what a password protects is kept as it is, and a key
    in plaintext in the history of the wallet that the register says it is of. A text in plaintext that holds more than
    one key is sealed as a whole, and opens as no wallet's.

    Raises KeyConflictError where the register has no such wallet.
    """
    if is_one(text):
        owner = _owner_of(context, wallet, text)
        return [Archived(text, "sealed", each) for each in (wallet, owner) if each is not None]
    if (inside := context.texts.sealed_in(text, alone=True)) is not None:
        owner = _owner_of(context, wallet, inside)
        return [Archived(inside, "sealed", each) for each in (wallet, owner) if each is not None]
    read = context.texts.read(text, wallet.network, wallet.address, passwords)
    if read.material is None:
        return [Archived(text, "foreign", wallet, "archive")] if read.is_locked else _sealed_text(context, wallet, text)
    if read.in_plaintext and read.holds_more:
        return _sealed_text(context, wallet, text)
    own = read.network == wallet.network and same_address(context, wallet, read.address)
    if not own and is_elsewhere(context, read.material, wallet.project_id, takes=not read.in_plaintext):
        if read.in_plaintext:
            return [_sealed_for_its_wallet(context, wallet, read, read.material)]
        return [Archived(text, "foreign", wallet, "archive")]
    sealed = sealed_aside(context, wallet, read, own=own)
    return [sealed] if read.in_plaintext else [sealed, kept_locked(text, read, wallet)]


def _owner_of(context: VaultContext, wallet: Wallet, text: str) -> Wallet | None:
    """The other wallet that a sealed text is of, as its opening proves: that one's history keeps it, too."""
    identity = sealing.identity_in(text)
    if identity is None or identity.credential_id == wallet.id:
        return None
    try:
        material = sealing.open_sealed(text, identity, context.keyring, aside=sealing.is_aside(text))
        half = context.networks.get(identity.network).public_half(material.private_key, material.scheme)
    except StrongroomError:
        return None
    found = recorded(context, identity.credential_id, identity.project_id)
    return replace(
        wallet,
        id=identity.credential_id,
        project_id=identity.project_id,
        network=identity.network,
        label=DEFAULT_LABEL if found is None else found.record.label,
        address=identity.address,
        public_key=half.public_key,
        vault_id=vault_id_of(identity.credential_id, plain=context.store.plain_vault_ids),
    )


def kept_locked(text: str, read: ReadText, wallet: Wallet) -> Archived:
    """What a password protects, kept whole; doctor goes on naming it where it holds more than the key."""
    return Archived(text, "foreign", wallet, "archive" if read.holds_more else "repair")


def _sealed_text(context: VaultContext, wallet: Wallet, text: str) -> list[Archived]:
    """A text of which no key was read, or more than one, sealed as it is: it opens as no wallet's."""
    learn_rotation(context)
    identity = Identity(wallet.project_id, wallet.id, wallet.network, wallet.address)
    parts_of_it = sealing.seal_text(Secret.from_text(text), identity, context.keyring.active_kid, context.keyring)
    for each in parts_of_it:
        sealing.open_text(each, identity, context.keyring)
    return [Archived(each, "sealed", wallet, "archive") for each in parts_of_it]


def _sealed_for_its_wallet(context: VaultContext, wallet: Wallet, read: ReadText, material: KeyMaterial) -> Archived:
    """A key in plaintext that is another project's, sealed for the wallet of that project that has it by the
    register."""
    found = recorded_elsewhere(context, material, wallet.project_id)
    if found is None:
        raise KeyConflictError(
            f"The text of {wallet.id} holds the key of another project's wallet, which the register does not have with "
            "this key; nothing was changed.",
            hint=f"Its address is {read.address} ({read.network}): bring the key, or its phrase, with `strongroom "
            "wallet store-key` or `strongroom wallet import` in that project first, then run this again.",
        )
    owner, material = found
    learn_rotation(context)
    text = sealing.seal(material, identity_of(owner), context.keyring.active_kid, context.keyring)
    sealing.open_sealed(text, identity_of(owner), context.keyring)
    return Archived(text, "sealed", owner)


def sealed_aside(context: VaultContext, wallet: Wallet, read: ReadText, *, own: bool = False) -> Archived:
    """A key that was read from a text, sealed for this wallet's id and the address that the key derives; proved.

    Unless it is the wallet's ``own``, the text opens as no wallet's: who can write rows chose the key.

    Raises KeyConflictError where more is in a text in plaintext than would be kept of it.
    """
    if read.in_plaintext and read.holds_more:
        raise KeyConflictError(
            f"A text of {wallet.id} holds more than the one key that would be kept of it; nothing was changed.",
            hint="Read the text where it is stored, and bring each of its keys with `strongroom wallet import` (a "
            "passphrase with its phrase). Where the wallet's own key was kept, `strongroom history restore "
            f"{wallet.id} --archive-current` then puts it back, and keeps the text sealed as it is.",
        )
    material = read.material
    assert material is not None  # noqa: S101 - the caller looked
    learn_rotation(context)
    identity = Identity(wallet.project_id, wallet.id, read.network, read.address)
    text = sealing.seal(material, identity, context.keyring.active_kid, context.keyring, aside=not own)
    opened = sealing.open_sealed(text, identity, context.keyring, aside=not own)
    half = context.networks.get(read.network).public_half(opened.private_key, opened.scheme)
    assert half.address == read.address  # noqa: S101 - it was derived by the same network
    named = replace(wallet, network=read.network, address=read.address, public_key=half.public_key)
    return Archived(text, "sealed", named)


def opens(context: VaultContext, stored: StoredWallet, text: str) -> KeyMaterial | None:
    """The key in a sealed text, if it is this wallet's and derives its address."""
    if not sealing.is_sealed(text):
        return None
    try:
        return prove(context, replace(stored, sealed_text=text))
    except StrongroomError:
        return None


def _see(context: VaultContext, stored: StoredWallet) -> SeenWallet:
    seen = context.store.rescue.see(stored.wallet.id, stored.wallet.project_id)
    if seen is None or seen.crowded:
        raise KeyConflictError(
            f"The vault records of {stored.wallet.id} cannot be told apart; nothing was changed.",
            hint="More than 64 of them name this wallet, or it was deleted meanwhile: `strongroom doctor` says which.",
        )
    return seen


def _record_of(seen: SeenWallet, stored: StoredWallet) -> SeenRecord:
    """The record whose text counts as the wallet's; its whole text was read."""
    text = stored.sealed_text or ""
    for record in seen.records:
        if (record.text or "")[: len(text)] == text and record.text:
            if len(record.text) > LONGEST_CHARACTERS:
                raise KeyConflictError(
                    f"The text in the vault record of {stored.wallet.id} is too long to be archived.",
                    hint="No key is as long: look at what it is, and put it elsewhere yourself.",
                )
            return record
    raise KeyConflictError(f"The vault record of {stored.wallet.id} changed meanwhile; look again.")
