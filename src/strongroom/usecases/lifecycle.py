"""Replace and revoke: retire a wallet with or without a successor. Nothing is deleted."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from uuid import UUID

from strongroom.crypto.sealing import is_sealed
from strongroom.errors import (
    InvalidPathError,
    KeyMissingError,
    OutcomeUnknownError,
    SlotMovedError,
    WalletRevokedError,
)
from strongroom.ports.wallet_stores import DerivedSuccessor
from strongroom.records.erasure import erased_label
from strongroom.records.identifiers import RESERVED, new_id
from strongroom.records.key_material import KeyMaterial
from strongroom.records.register import UNPROVED, IdempotencyRecord, Registration, SlotRecord, TaggedSlot
from strongroom.records.stored_wallets import NewWallet, Retirement, StoredWallet
from strongroom.records.usage_log import Attribution, LogEntry
from strongroom.records.wallets import REPLACED, REVOKED, Created, Wallet, WalletReference
from strongroom.usecases.answers import bind_key, find_remembered
from strongroom.usecases.context import VaultContext
from strongroom.usecases.create import Chosen, is_named, seal_new
from strongroom.usecases.outcome import keep_outcome_unknown, resolve
from strongroom.usecases.ownership import require_accepted
from strongroom.usecases.phrase_source import PhraseChangedError
from strongroom.usecases.proof import prove
from strongroom.usecases.read import get_stored
from strongroom.usecases.register import check_slot_row
from strongroom.usecases.requests import CreateRequest, ValidatedRequest, check_words, validate_request
from strongroom.usecases.succession import Succession
from strongroom.usecases.tagging import proved_record, record_of, register, tag_key, tag_slot, tagged_key


def replace_wallet(
    context: VaultContext,
    wallet: WalletReference,
    words: int,
    idempotency_key: str | None,
    actor: Attribution,
    path: str | None = None,
) -> Created:
    """Make the successor once: it is remembered under a key of the wallet's own; see Vault.replace_wallet."""
    stored = _retirable(context, wallet)
    old = stored.wallet
    if old.status == REVOKED and old.label == erased_label(old.id):
        raise WalletRevokedError(
            f"The project of {old.id} was erased: nothing takes this wallet's place.",
            hint="`strongroom wallet create` makes a new wallet; the erased one stays openable by its id.",
        )
    validated = _validated(context, old, words, idempotency_key)
    own_request = replace(validated.request, facts={"replaces": str(old.id)})
    own = replace(validated, idempotency_key=f"{RESERVED}replace:{old.id}", request=own_request)
    new: NewWallet | DerivedSuccessor | None = None
    moved = False

    def look(_lost: bool) -> Created | None:
        remembered = _remembered(context, validated, own)
        if remembered is None:
            return None
        return Created(remembered, created=new is not None and remembered.id == _id_of(new))

    def write(lost: bool) -> Created | None:
        nonlocal new, moved
        if new is None:
            new = _successor(context, stored, validated, words, actor, path)
        try:
            retirement = _retirement(context, _retirable(context, old), REPLACED, _id_of(new))
        except SlotMovedError:
            if moved:
                raise
            moved = True  # another caller may have replaced it since: the next look finds out
            return None
        record = IdempotencyRecord(own.project_id, str(own.idempotency_key), own.request.as_json(), _id_of(new))
        own_key = (record, tag_key(context, record))
        try:
            made = context.store.lifecycle.replace(new, old, retirement, own_key, partial(_in_same_slot, context, old))
        except PhraseChangedError:
            new = None  # the next one is of the phrase that took the label
            return None
        if made is not None:
            return Created(made.wallet, created=True)
        if not lost and not context.store.keyring.seals_with(new.kid):
            context.keyring.refresh()
            new = None  # another key seals by now
        return None

    return resolve(write, look, contended="The slot changed several times in a row; nothing was written.")


def _successor(
    context: VaultContext,
    stored: StoredWallet,
    validated: ValidatedRequest,
    words: int,
    actor: Attribution,
    path: str | None,
) -> NewWallet | DerivedSuccessor:
    """A wallet with a key of its own, or, of a derived one, what takes the next index of its account."""
    old = stored.wallet
    network, log = validated.network, LogEntry("create", actor, {"replaces": str(old.id)})

    def seal(material: KeyMaterial, chosen: Chosen | None = None) -> NewWallet:
        half = network.public_half(material.private_key, material.scheme)
        return seal_new(context, validated, material, half, log, chosen)

    if old.phrase_id is None:
        if path is not None:
            raise InvalidPathError(f"The wallet {old.id} is in no account of a phrase.", hint="Leave the path out.")
        return seal(network.new_material(validated.scheme, words))
    now = context.clock()
    wallet_id = new_id(now)
    slot = SlotRecord(old.project_id, old.network, old.label, wallet_id, 1)
    key = tagged_key(context, validated.remembered_as(wallet_id))
    return Succession(context, stored, path).successor(
        wallet_id, key, now, lambda material: seal(material, Chosen(wallet_id, tag_slot(context, slot), now))
    )


def _id_of(new: NewWallet | DerivedSuccessor) -> UUID:
    return new.wallet_id if isinstance(new, DerivedSuccessor) else new.wallet.id


def revoke_wallet(context: VaultContext, wallet: WalletReference, actor: Attribution) -> Wallet:
    """See Vault.revoke_wallet."""
    found, log = _retirable(context, wallet), LogEntry("revoke", actor)
    wallet_id = found.wallet.id

    def look(lost: bool) -> None:
        nonlocal found
        if lost:  # what is revoked is not revoked twice
            found = get_stored(context, found.wallet, unproved=True)

    def write(_lost: bool) -> Wallet | None:
        nonlocal found
        retirement = _retirement(context, found, REVOKED, wallet_id)
        same_slot = partial(_in_same_slot, context, found.wallet)
        done = context.store.lifecycle.revoke(found.wallet, retirement, log, context.clock(), same_slot)
        unread = OutcomeUnknownError("The wallet was revoked, and then the database was not reached.")
        with keep_outcome_unknown(unread if done else None):
            found = get_stored(context, found.wallet, unproved=True)
        return found.wallet if done else None

    return resolve(write, look, contended="The wallet changed several times in a row; nothing was written.")


def _retirable(context: VaultContext, wallet: WalletReference) -> StoredWallet:
    """A wallet that is retired; one that nothing proves only where such are accepted: its row says whose it is."""
    found = get_stored(context, wallet, unproved=True)
    require_accepted(context, found)
    return found


def _retirement(context: VaultContext, stored: StoredWallet, status: str, named: UUID) -> Retirement:
    """What retires a wallet: its record's next state, and the slot that then names ``named``.

    Raises SlotMovedError where a replacement finds that the slot names another wallet.
    """
    wallet = stored.wallet
    slot = _slot(context, wallet)
    if slot is not None and slot.record.credential_id != wallet.id and status == REPLACED:
        raise SlotMovedError(
            f"The wallet {wallet.id} is not the live one of {wallet.network} and {wallet.label}; "
            f"live is: {slot.record.credential_id}."
        )
    taken = SlotRecord(wallet.project_id, wallet.network, wallet.label, named, 1)
    after = taken if slot is None else taken._replace(version=slot.record.version + 1)
    old = stored.registered
    record = first_record(context, stored) if old is None else old.record
    new = old
    if old is None or _outranks(status, record.status):
        level = REVOKED if status == REVOKED else record.access_level
        new = register(context, record._replace(status=status, access_level=level, version=record.version + 1))
    assert new is not None  # noqa: S101 - where there is no record, one is made
    return Retirement(old, new, slot, tag_slot(context, after))


def first_record(context: VaultContext, stored: StoredWallet) -> Registration:
    """The record of a wallet that has none: what its sealed text proves, or, without such a text, its state alone."""
    if not is_sealed(stored.sealed_text or ""):
        return record_of(context, stored.wallet)._replace(variant=UNPROVED)
    material = prove(context, stored)
    half = context.networks.get(stored.wallet.network).public_half(material.private_key, material.scheme)
    return proved_record(context, stored, material, half).record


def _outranks(status: str, recorded: str) -> bool:
    """Whether a status retires a wallet that is recorded with another one: what is revoked stays so."""
    return recorded not in (status, REVOKED)


def _slot(context: VaultContext, wallet: Wallet) -> TaggedSlot | None:
    """The slot of a wallet's network and label, its tag checked."""
    try:
        found = context.store.wallets.find_live(wallet.project_id, wallet.network, wallet.label)
    except KeyMissingError:
        raise SlotMovedError(
            f"The slot of {wallet.network} and the label {wallet.label} names a wallet that is not there."
        ) from None
    if found is None or found.slot is None:
        return None
    check_slot_row(context, found.slot)
    return found.slot


def _remembered(context: VaultContext, validated: ValidatedRequest, own: ValidatedRequest) -> Wallet | None:
    """The successor that is there; a caller's key that comes after it is bound to it."""
    remembered = find_remembered(context, validated)
    if remembered is not None:
        return remembered
    successor = find_remembered(context, own)
    if successor is None or validated.idempotency_key is None:
        return successor
    bind_key(context, validated, successor.id)
    return find_remembered(context, validated)


def _in_same_slot(context: VaultContext, wallet: Wallet, other: StoredWallet) -> bool:
    """Whether a wallet that the legacy application wrote is of the same network and label."""
    return is_named(context, other, wallet.network, wallet.label)


def _validated(context: VaultContext, old: Wallet, words: int, idempotency_key: str | None) -> ValidatedRequest:
    check_words(words)
    request = CreateRequest(old.project_id, old.network, old.label, None, words, idempotency_key)
    validated = validate_request(context, request, "replace", {"replaces": str(old.id), "words": str(words)})
    made = {validated.network.scheme(variant) for variant in validated.network.variants}
    return replace(validated, scheme=old.scheme) if old.scheme in made else validated
