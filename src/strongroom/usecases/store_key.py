"""Complete a credential whose vault record is missing or a placeholder."""

from __future__ import annotations

import hmac
from dataclasses import replace

from strongroom.crypto import sealing
from strongroom.crypto.phrase import Phrase
from strongroom.errors import (
    AddressMismatchError,
    ContentionError,
    KeyConflictError,
    OutcomeUnknownError,
)
from strongroom.records.key_material import KeyMaterial
from strongroom.records.register import Registered
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.usage_log import Attribution, LogEntry
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.records.wallets import Stored, Wallet, WalletReference
from strongroom.usecases.addresses import canonical, same_address
from strongroom.usecases.context import VaultContext
from strongroom.usecases.elsewhere import is_elsewhere, recorded_elsewhere
from strongroom.usecases.given_texts import in_own_notation
from strongroom.usecases.import_key import ImportedKey, check_imported_key, material_of, warn_of_capitals
from strongroom.usecases.outcome import ATTEMPTS, keep_outcome_unknown, resolve
from strongroom.usecases.ownership import is_proved, require_accepted
from strongroom.usecases.phrase_accounts import templates_at
from strongroom.usecases.proof import identity_of, prove
from strongroom.usecases.read import asked_for, get_stored
from strongroom.usecases.register import recorded
from strongroom.usecases.row_comparison import wallet_of
from strongroom.usecases.tagging import proved_record

_ARCHIVE_CURRENT = (
    "`strongroom wallet store-key {} --archive-current` keeps that text in the history and puts your key in its place."
)


def store_key(
    context: VaultContext,
    wallet: WalletReference,
    imported_key: ImportedKey,
    variant: str | None,
    actor: Attribution,
    *,
    archive_current: bool = False,
) -> Stored:
    """Read the identity, seal, then one conditional write; see Vault.store_key."""
    check_imported_key(imported_key)
    made = _rows_anew(context, wallet, imported_key, variant, actor, archive_current=archive_current)
    if archive_current and (found := _store_aside(context, wallet, imported_key, variant, actor)) is not None:
        return found
    material: KeyMaterial | None = None
    stored: StoredWallet | None = None
    sent: set[str | None] = set()

    def look(_lost: bool) -> Stored | None:
        nonlocal material, stored
        stored = get_stored(context, wallet, unproved=True)
        require_accepted(context, stored)
        if material is None:
            material = _material(context, stored, imported_key, variant)
            warn_of_capitals(imported_key, stacklevel=7)
        if stored.sealed_text is None or stored.sealed_text in PLACEHOLDERS:
            return None
        _require_same_key(context, stored, material)
        return Stored(stored.wallet, stored=stored.sealed_text in sent)

    def write(_lost: bool) -> Stored | None:
        assert stored is not None and material is not None  # noqa: S101, PT018 - the look before set both
        learn_rotation(context)
        text, registered = seal_for(context, stored, material)
        sent.add(text)
        if not context.store.lifecycle.fill(stored, text, registered, LogEntry("fill", actor), context.clock()):
            return None
        with keep_outcome_unknown(
            OutcomeUnknownError("The key was stored, and then the database could not be reached.")
        ):
            return Stored(get_stored(context, stored.wallet).wallet, stored=True)

    found = resolve(write, look, contended="The row changed several times in a row; nothing was written.")
    return Stored(found.wallet, stored=found.stored or made)


def _rows_anew(
    context: VaultContext,
    wallet: WalletReference,
    imported_key: ImportedKey,
    variant: str | None,
    actor: Attribution,
    *,
    archive_current: bool,
) -> bool:
    """Make the rows of a wallet anew that are gone, as its record says them, with the key that derives its address."""
    from strongroom.usecases.remake import remake  # which seals by this module

    def bring(known: Registered) -> str:
        found = wallet_of(known.record)
        stored = StoredWallet(found, None, found.network, registered=known)
        return seal_for(context, stored, _material(context, stored, imported_key, variant))[0]

    wallet_id, project_id = asked_for(wallet)
    if context.store.wallets.get(wallet_id, project_id) is not None:
        return False
    if recorded(context, wallet_id, project_id) is None:
        return False  # nothing says what its rows were
    try:
        return remake(context, wallet_id, project_id, actor, archive_current=archive_current, bring=bring)
    except KeyConflictError as error:
        error.hint = _ARCHIVE_CURRENT.format(wallet_id)
        raise


def _store_aside(
    context: VaultContext,
    wallet: WalletReference,
    imported_key: ImportedKey,
    variant: str | None,
    actor: Attribution,
) -> Stored | None:
    """Seal the key in the place of the legacy application's text, which the history keeps, or None.

    Compare-and-set: reads and decides anew, at most ATTEMPTS times, where the rows changed meanwhile.
    """
    from strongroom.usecases.rescue import put_back, stored_whatever  # which seal by this module

    material: KeyMaterial | None = None
    for _ in range(ATTEMPTS):
        stored = stored_whatever(context, wallet)
        require_accepted(context, stored)
        current = stored.sealed_text
        if current is None or current in PLACEHOLDERS or sealing.is_sealed(current):
            return None
        if material is None:
            material = _material(context, stored, imported_key, variant)
            warn_of_capitals(imported_key, stacklevel=6)
        learn_rotation(context)
        text, registered = seal_for(context, stored, material)
        if put_back(context, stored, text, registered, actor, {}):
            return Stored(get_stored(context, stored.wallet).wallet, stored=True)
    raise ContentionError("The row changed several times in a row; nothing was written.")


def learn_rotation(context: VaultContext) -> None:
    """Read the keyring again where another key seals by now: a record under a retired one would not count."""
    if not context.store.keyring.seals_with(context.keyring.active_kid):
        context.keyring.refresh()


def seal_for(context: VaultContext, stored: StoredWallet, material: KeyMaterial) -> tuple[str, Registered | None]:
    """Seal a key for a row that is there, and prove it: what is opened again derives what the row says.

    Returns the text, and the wallet's record where the register has none.
    """
    material = of_project_phrase(stored, as_row_says(stored.wallet, material))
    half = context.networks.get(stored.wallet.network).public_half(material.private_key, material.scheme)
    if not same_address(context, stored.wallet, half.address):
        raise AddressMismatchError(f"The key does not derive the address of {stored.wallet.id}; nothing was changed.")
    text = sealing.seal(material, identity_of(stored.wallet), context.keyring.active_kid, context.keyring)
    prove(context, replace(stored, sealed_text=text))
    return text, proved_record(context, stored, material, half) if stored.registered is None else None


def as_row_says(wallet: Wallet, material: KeyMaterial) -> KeyMaterial:
    """A row that says its path is taken at its word, where the key alone does not tell."""
    if material.mnemonic is None and material.scheme == wallet.scheme:
        return replace(material, path=wallet.path)
    return material


def of_project_phrase(stored: StoredWallet, material: KeyMaterial) -> KeyMaterial:
    """The key alone where the wallet's record names a phrase of the project: that is sealed in its own row, once."""
    record = None if stored.registered is None else stored.registered.record
    if record is None or record.phrase_id is None:
        return material
    place = material.phrase_place
    if record.path is not None and record.phrase_index is not None and place is None:
        places = list(templates_at(record.path, record.phrase_index))
        place = places[0] if len(places) == 1 else None  # of several a successor asks for the account
    named = replace(material, phrase_id=record.phrase_id, phrase_index=record.phrase_index, phrase_place=place)
    return replace(named, mnemonic=None, passphrase=None)


def _material(
    context: VaultContext, stored: StoredWallet, imported_key: ImportedKey, variant: str | None
) -> KeyMaterial:
    """The key that derives the stored address, by the scheme asked for or by any that the network has.

    A row that says scheme and path is taken at its word: its sealed text says the same. Raises KeyConflictError where
    the key is that of another project's wallet, or may be.
    """
    wallet = stored.wallet
    material = _derived(context, wallet, imported_key, variant)
    if not is_proved(context, stored) and is_elsewhere(context, material, wallet.project_id, takes=True):
        raise _of_others(context, wallet, material)
    return material


def _of_others(context: VaultContext, wallet: Wallet, material: KeyMaterial) -> KeyConflictError:
    """Nothing but a row says that the key is this wallet's, which anyone may have written who has none of the keys."""
    owner = recorded_elsewhere(context, material, wallet.project_id)
    which = "The key is" if material.mnemonic is None else "The key, or another of its phrase, is"
    of_whom = "another project's wallet" if owner is None else f"the wallet {owner[0].id} of another project"
    return KeyConflictError(
        f"{which} that of {of_whom}, and nothing proves {wallet.id}; nothing was changed.",
        hint=f"Anyone who writes rows could have put that address there. Where both projects are to have the "
        f"key, who holds it takes it in, under a label of its own: `strongroom wallet import "
        f"{wallet.network} --project {wallet.project_id} --label LABEL`.",
    )


def _derived(context: VaultContext, wallet: Wallet, imported_key: ImportedKey, variant: str | None) -> KeyMaterial:
    network = context.networks.get(wallet.network)
    address = canonical(network, wallet.address)
    imported_key = in_own_notation(context, network, imported_key, address)
    scheme = None if variant is None else network.scheme(variant)
    if imported_key.mnemonic is not None and wallet.scheme is not None and not imported_key.paths:
        # taken at its word; a scheme that is none of the network's, or has no phrase, is an error
        material = network.derive(
            Phrase.parse(imported_key.mnemonic, imported_key.passphrase), wallet.scheme, wallet.path
        )
    else:
        material = material_of(network, scheme, imported_key, address)
    if not same_address(context, wallet, network.public_half(material.private_key, material.scheme).address):
        raise AddressMismatchError(f"The key does not derive the address of {wallet.id}; nothing was changed.")
    if material.mnemonic is None and wallet.scheme is not None:
        return replace(material, scheme=wallet.scheme, path=wallet.path)
    return material


def _require_same_key(context: VaultContext, stored: StoredWallet, material: KeyMaterial) -> None:
    wallet_id = stored.wallet.id
    if stored.wallet.custody != "ours":
        raise KeyConflictError(
            f"The vault record of {wallet_id} holds the legacy application's text; nothing was changed.",
            hint=_ARCHIVE_CURRENT.format(wallet_id),
        )
    opened = prove(context, stored)
    if not hmac.compare_digest(opened.private_key.reveal(), material.private_key.reveal()):
        raise KeyConflictError(f"The vault record of {wallet_id} holds another key; nothing was changed.")
