"""Create a wallet, or return the one that is there.

A write goes: look (one SELECT), make and prove the key, write (one transaction that the slot's primary key
arbitrates), and where the write lost a race, look again. The id is chosen before the write, so that an outcome
that got lost with the connection is asked for by id, and tried again with the same id and the same sealed text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from strongroom import identifiers, sealing
from strongroom.errors import (
    ConnectionNotSupportedError,
    ContentionError,
    IdempotencyConflictError,
    KeyConflictError,
    KeyMissingError,
    OutcomeUnknownError,
    RetryTransactionError,
    StrongroomError,
    UnknownNetworkError,
    VariantConflictError,
    WalletRevokedError,
)
from strongroom.model import (
    PLACEHOLDERS,
    REVOKED,
    Actor,
    Created,
    CreateResult,
    Identity,
    KeyMaterial,
    LogEntry,
    NewWallet,
    PublicHalf,
    StoredWallet,
    Wallet,
    wallet_of_key,
)
from strongroom.phrase import Phrase
from strongroom.usecases.foreign import network_of, same_address
from strongroom.usecases.order import Order, Wish, check_words, create_order
from strongroom.usecases.parts import Parts
from strongroom.usecases.proof import prove
from strongroom.usecases.unknown import asking

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Draft:
    """A wallet that was made and proved, and the order that it is for."""

    order: Order
    new: NewWallet


def create_wallet(parts: Parts, wish: Wish, actor: Actor, connection: Any | None) -> Created:
    """Create the wallet of (project, network, label) or return it; see Vault.create_wallet."""
    order = create_order(parts, wish)
    if connection is None and (found := find_answer(parts, order)) is not None:
        return Created(found, created=False)
    return write(parts, order, _draft(parts, order, wish.words, actor), connection)


def create_wallets(parts: Parts, wishes: Sequence[Wish], actor: Actor, connection: Any | None) -> list[CreateResult]:
    """Create several wallets, each for itself; see Vault.create_wallets."""
    for wish in wishes:
        identifiers.check_text(wish.network, UnknownNetworkError)
        identifiers.check_project_id(wish.project_id)
        identifiers.check_label(wish.label)
        identifiers.check_idempotency_key(wish.idempotency_key)
        check_words(wish.words)
    own = [_keyed(wish) for wish in wishes]
    if connection is None:
        return [_result(wish.network, partial(create_wallet, parts, wish, actor, None)) for wish in own]
    # In a caller's transaction all key work comes before the first statement.
    drafts = [(wish.network, _try_draft(parts, wish, actor)) for wish in own]
    return [
        _result(network, partial(write, parts, draft.order, draft.new, connection))
        if isinstance(draft, Draft)
        else CreateResult(network, error=draft)
        for network, draft in drafts
    ]


def find_answer(parts: Parts, order: Order, connection: Any | None = None) -> Wallet | None:
    """The wallet that answers an order, or None where there is none yet.

    A wallet that was there before its idempotency key is bound to the key; of two callers that bind one key, the
    key's primary key lets one write, and both read what it wrote.

    Raises IdempotencyConflictError, KeyConflictError, VariantConflictError, KeyMissingError.
    """
    remembered = find_remembered(parts, order, connection)
    if remembered is not None:
        return remembered
    stored = parts.store.find_live(order.project_id, order.network.name, order.label, connection)
    if stored is None:
        return None
    found = _fitting(parts, order, stored)
    if order.idempotency_key is None:
        return found
    parts.store.bind_idempotency(
        order.project_id, order.idempotency_key, order.request.as_json(), found.id, parts.clock(), connection
    )
    return find_remembered(parts, order, connection)


def seal_new(parts: Parts, order: Order, material: KeyMaterial, half: PublicHalf, log: LogEntry) -> NewWallet:
    """Seal a key under a new id, and prove it: what is opened again derives what will be stored."""
    now = parts.clock()
    wallet_id = identifiers.new_id(now)
    wallet = wallet_of_key(wallet_id, order.project_id, order.network.name, order.label, material, half, now)
    identity = Identity(wallet.project_id, wallet.id, wallet.network, wallet.address)
    kid = parts.keyring.active_kid
    sealed_text = sealing.seal(material, identity, kid, parts.keyring)
    prove(parts, StoredWallet(wallet, sealed_text))
    return NewWallet(wallet, sealed_text, kid, log, order.idempotency_key, order.request, now)


def write(parts: Parts, order: Order, new: NewWallet, connection: Any | None) -> Created:
    """Write a new wallet, or return the one that was there first.

    Two callers: one takes the slot's row, the other waits for it, writes nothing and returns the first one's.
    """
    unknown = None
    for _ in range(_ATTEMPTS):
        try:
            with asking(unknown):
                written = parts.store.insert_wallet(new, partial(is_wanted, parts, order), connection)
        except OutcomeUnknownError as error:
            unknown = error
            with asking(unknown):
                if parts.store.get(new.wallet.id, new.wallet.project_id) is not None:
                    return Created(new.wallet, created=True)
            continue
        if written:
            return Created(replace(new.wallet, durable=connection is None), created=True)
        with asking(unknown):
            found = find_answer(parts, order, connection)
        if found is not None:
            return Created(found, created=found.id == new.wallet.id)
        if not parts.store.knows_sealing_key(new.kid, connection):
            raise ConnectionNotSupportedError(
                "This database has another keyring: the connection is not the vault's, or the vault was replaced.",
                hint="Pass a connection to the vault's own database, or open the vault again. Nothing was written.",
            )
    raise unknown or ContentionError("The slot was taken and given back several times in a row.")


def is_wanted(parts: Parts, order: Order, wallet: Wallet) -> bool:
    """Whether a wallet that other code wrote is the one that an order asks for: what its address parses as decides."""
    return wallet.label == order.label and network_of(parts, wallet) == order.network.name


def _draft(parts: Parts, order: Order, words: int, actor: Actor) -> NewWallet:
    material = order.network.derive(Phrase.generate(words), order.scheme)
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
        return Draft(order, _draft(parts, order, wish.words, actor))
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


def find_remembered(parts: Parts, order: Order, connection: Any | None) -> Wallet | None:
    """The wallet that the order's idempotency key was used for, or None. Raises IdempotencyConflictError."""
    key = order.idempotency_key
    record = None if key is None else parts.store.find_idempotent(order.project_id, key, connection)
    if record is None:
        return None
    differing = order.request.differing_fields(record.request)
    if differing:
        raise IdempotencyConflictError(
            f"The idempotency key was used for another request; these differ: {', '.join(differing)}.",
            fields=differing,
        )
    if record.stored is None:
        raise KeyMissingError(f"The idempotency key's wallet {record.credential_id} is not there.")
    return _with_key(record.stored)


def _fitting(parts: Parts, order: Order, stored: StoredWallet) -> Wallet:
    """The wallet that lives in the order's slot, if it is what was asked for."""
    if stored.wallet.status == REVOKED:
        raise WalletRevokedError(f"The wallet {stored.wallet.id} of this network and label was revoked.")
    wallet = _with_key(stored)
    if order.address is not None and not same_address(parts, wallet, order.address):
        raise KeyConflictError(
            f"Another key lives under {wallet.network} and the label {wallet.label}: wallet {wallet.id}."
        )
    if order.variant is not None and wallet.scheme != order.scheme:
        raise VariantConflictError(f"The wallet {wallet.id} is of the scheme {wallet.scheme}.")
    return wallet


def _with_key(stored: StoredWallet) -> Wallet:
    if stored.sealed_text is None or stored.sealed_text in PLACEHOLDERS:
        raise KeyMissingError(f"The wallet {stored.wallet.id} is there, and its vault record holds no key.")
    return stored.wallet
