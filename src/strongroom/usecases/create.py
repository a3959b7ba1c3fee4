"""Create a wallet, or return the one that is there.

A write goes: look (one SELECT), make and prove the key, write (one transaction that the slot's primary key
arbitrates), and where the write lost a race, look again. The id is chosen before the write, so that an outcome
that got lost with the connection is asked for by id, and tried again with the same id and the same sealed text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from strongroom import identifiers, sealing
from strongroom.errors import (
    AmbiguousAddressError,
    ConnectionNotSupportedError,
    IdentityMismatchError,
    RetryTransactionError,
    StrongroomError,
    UnknownNetworkError,
)
from strongroom.model import (
    Actor,
    Adoption,
    Created,
    CreateResult,
    Identity,
    KeyMaterial,
    LogEntry,
    NewWallet,
    PublicHalf,
    StoredWallet,
    vault_id_of,
    wallet_of_key,
)
from strongroom.register import IdempotencyRecord, SlotRecord
from strongroom.sealing import is_sealed
from strongroom.usecases.addresses import recognise
from strongroom.usecases.answers import find_answer
from strongroom.usecases.order import Order, Wish, check_words, create_order
from strongroom.usecases.outcome import resolve
from strongroom.usecases.parts import Parts
from strongroom.usecases.proof import prove
from strongroom.usecases.register import checked
from strongroom.usecases.tagging import proved_record, record_of, register, tag_key, tag_slot


@dataclass(frozen=True, slots=True)
class Draft:
    """A wallet that was made and proved, and the order that it is for."""

    order: Order
    new: NewWallet
    again: Callable[[], NewWallet]
    """Makes another one, where the sealing key was rotated meanwhile."""


def create_wallet(parts: Parts, wish: Wish, actor: Actor) -> Created:
    """Create the wallet of (project, network, label) or return it; see Vault.create_wallet."""
    order = create_order(parts, wish)
    if parts.store.durable and (found := find_answer(parts, order)) is not None:
        return Created(found, created=False)
    draft = partial(_draft, parts, order, wish.words, actor)
    return write(parts, order, parts.store.run_key_work(draft), draft)


def create_wallets(parts: Parts, wishes: Sequence[Wish], actor: Actor) -> list[CreateResult]:
    """Create several wallets, each for itself; see Vault.create_wallets."""
    for wish in wishes:
        identifiers.check_text(wish.network, UnknownNetworkError)
        identifiers.check_project_id(wish.project_id)
        identifiers.check_label(wish.label)
        identifiers.check_idempotency_key(wish.idempotency_key)
        check_words(wish.words)
    own = [_keyed(wish) for wish in wishes]
    if parts.store.durable:
        return [_result(wish.network, partial(create_wallet, parts, wish, actor)) for wish in own]
    # In a caller's transaction all key work comes before the first statement.
    drafts = parts.store.run_key_work(lambda: [(wish.network, _try_draft(parts, wish, actor)) for wish in own])
    return [
        _result(network, partial(write, parts, draft.order, draft.new, draft.again))
        if isinstance(draft, Draft)
        else CreateResult(network, error=draft)
        for network, draft in drafts
    ]


def _kept(moment: datetime, step_microseconds: int) -> datetime:
    """A time as it will be read again."""
    if step_microseconds == 1:
        return moment
    return moment.replace(microsecond=moment.microsecond // step_microseconds * step_microseconds)


def seal_new(parts: Parts, order: Order, material: KeyMaterial, half: PublicHalf, log: LogEntry) -> NewWallet:
    """Seal a key under a new id, and prove it: what is opened again derives what will be stored."""
    now = _kept(parts.clock(), parts.store.time_step_microseconds)
    wallet_id = identifiers.new_id(now)
    wallet = wallet_of_key(wallet_id, order.project_id, order.network.name, order.label, material, half, now)
    wallet = replace(wallet, vault_id=vault_id_of(wallet_id, plain=parts.store.plain_vault_ids))
    identity = Identity(wallet.project_id, wallet.id, wallet.network, wallet.address)
    kid = parts.keyring.active_kid
    sealed_text = sealing.seal(material, identity, kid, parts.keyring)
    prove(parts, StoredWallet(wallet, sealed_text))
    key = order.idempotency_key
    remembered = IdempotencyRecord(order.project_id, key or "", order.request.as_json(), wallet_id)
    return NewWallet(
        wallet,
        sealed_text,
        kid,
        log,
        key,
        order.request,
        now,
        registered=register(parts, record_of(parts, wallet)),
        slot_tag=tag_slot(parts, SlotRecord(wallet.project_id, wallet.network, wallet.label, wallet_id, 1)),
        idempotency_tag=None if key is None else tag_key(parts, remembered),
    )


def write(parts: Parts, order: Order, new: NewWallet, again: Callable[[], NewWallet]) -> Created:
    """Write a new wallet, or return the one that was there first.

    Two callers: one takes the slot's row, the other waits for it, writes nothing and returns the first one's. Where
    another process rotated the sealing key meanwhile, nothing is written either, and ``again`` seals under the new one.
    """

    def adopt(stored: StoredWallet) -> Adoption:
        return parts.store.run_key_work(partial(_adoption, parts, order, stored))

    def look(lost: bool) -> Created | None:
        if lost and parts.store.wallets.get(new.wallet.id, new.wallet.project_id) is not None:
            return Created(new.wallet, created=True)
        return None

    def insert(_lost: bool) -> Created | None:
        nonlocal new
        if parts.store.wallets.insert_wallet(new, partial(is_wanted, parts, order), adopt):
            return Created(replace(new.wallet, durable=parts.store.durable), created=True)
        found = find_answer(parts, order)
        if found is not None:
            return Created(found, created=found.id == new.wallet.id)
        if not parts.store.keyring.seals_with(new.kid):
            new = _under_the_active_key(parts, again)
        return None

    return resolve(insert, look, contended="The slot was taken and given back several times in a row.")


def _under_the_active_key(parts: Parts, again: Callable[[], NewWallet]) -> NewWallet:
    """The wallet made again, after another process rotated the sealing key."""
    parts.store.run_key_work(parts.keyring.refresh)
    if not parts.store.keyring.seals_with(parts.keyring.active_kid):
        raise ConnectionNotSupportedError(
            "This database has another keyring: the connection is not the vault's, or the vault was replaced.",
            hint="Pass a connection to the vault's own database, or open the vault again. Nothing was written.",
        )
    return parts.store.run_key_work(again)


def is_wanted(parts: Parts, order: Order, stored: StoredWallet) -> bool:
    """Whether a wallet that other code wrote is the one that an order asks for.

    What the register says decides, and where it says nothing, what its address parses as.
    """
    return is_named(parts, stored, order.network.name, order.label)


def is_named(parts: Parts, stored: StoredWallet, network: str, label: str) -> bool:
    """Whether a wallet that no slot names is one of a network and label. Raises AmbiguousAddressError."""
    if stored.registered is not None:
        return (stored.registered.record.network, stored.registered.record.label) == (network, label)
    if stored.wallet.label != label:
        return False
    found = recognise(parts, stored.wallet)
    if network in found.candidates and found.is_ambiguous:
        raise AmbiguousAddressError(
            f"The address of {stored.wallet.id} may be one of {' or '.join(found.candidates)}; nothing was written."
        )
    return found.match is not None and found.match.network.name == network


def _adoption(parts: Parts, order: Order, stored: StoredWallet) -> Adoption:
    """Prove a wallet that a slot is to name, where its text is ours, and tag what names it. Raises ProofError."""
    found = checked(parts, stored)
    registered = None
    if found.registered is None and is_sealed(found.sealed_text or ""):
        material = prove(parts, found)
        half = parts.networks.get(found.wallet.network).public_half(material.private_key, material.scheme)
        registered = proved_record(parts, found, material, half)
    if found.wallet.project_id != order.project_id:
        raise IdentityMismatchError(f"The wallet {found.wallet.id} is another project's.", columns=("project_id",))
    slot = SlotRecord(order.project_id, order.network.name, order.label, found.wallet.id, 1)
    key = order.idempotency_key
    remembered = IdempotencyRecord(order.project_id, key or "", order.request.as_json(), found.wallet.id)
    return Adoption(tag_slot(parts, slot), None if key is None else tag_key(parts, remembered), registered)


def _draft(parts: Parts, order: Order, words: int, actor: Actor) -> NewWallet:
    material = order.network.new_material(order.scheme, words)
    half = order.network.public_half(material.private_key, material.scheme)
    return seal_new(parts, order, material, half, LogEntry("create", actor))


def _keyed(wish: Wish) -> Wish:
    """Each network of a batch remembers its own request: under the batch's key and its name."""
    if wish.idempotency_key is None:
        return wish
    return replace(wish, idempotency_key=f"{wish.idempotency_key}/{wish.network}")


def _try_draft(parts: Parts, wish: Wish, actor: Actor) -> Draft | StrongroomError:
    try:
        order = create_order(parts, wish)
        draft = partial(_draft, parts, order, wish.words, actor)
        return Draft(order, draft(), draft)
    except StrongroomError as error:
        return error


def _result(network: str, attempt: Callable[[], Created]) -> CreateResult:
    try:
        wallet, created = attempt()
    except RetryTransactionError:
        raise
    except StrongroomError as error:
        return CreateResult(network, error=error)
    return CreateResult(network, wallet, created)
