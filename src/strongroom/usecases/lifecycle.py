"""Replace and revoke: retire a wallet with or without a successor. Nothing is deleted."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from uuid import UUID

from strongroom.errors import ContentionError, OutcomeUnknownError
from strongroom.identifiers import RESERVED
from strongroom.model import Actor, Created, LogEntry, Wallet
from strongroom.phrase import Phrase
from strongroom.usecases.create import find_remembered, seal_new
from strongroom.usecases.foreign import network_of
from strongroom.usecases.order import Order, Wish, check_order, check_words
from strongroom.usecases.parts import Parts
from strongroom.usecases.read import get_stored
from strongroom.usecases.unknown import asking, repeated

_ATTEMPTS = 5


def replace_wallet(
    parts: Parts, wallet: UUID | str | Wallet, words: int, idempotency_key: str | None, actor: Actor
) -> Created:
    """Make the successor once: it is remembered under a key of the wallet's own; see Vault.replace_wallet."""
    old = get_stored(parts, wallet).wallet
    order = _order(parts, old, words, idempotency_key)
    request = replace(order.request, facts={"replaces": str(old.id)})
    own = replace(order, idempotency_key=f"{RESERVED}replace:{old.id}", request=request)
    new = unknown = None
    for _ in range(_ATTEMPTS):
        with asking(unknown):
            remembered = _remembered(parts, order, own)
        if remembered is not None:
            return Created(remembered, created=new is not None and remembered.id == new.wallet.id)
        if new is None:
            material = order.network.derive(Phrase.generate(words), order.scheme)
            half = order.network.public_half(material.private_key, material.scheme)
            new = seal_new(parts, order, material, half, LogEntry("create", actor, {"replaces": str(old.id)}))
        try:
            with asking(unknown):
                replaced = parts.store.replace(
                    new, old, str(own.idempotency_key), own.request.as_json(), partial(_beside, parts, old)
                )
        except OutcomeUnknownError as error:
            unknown = error
            continue  # the next look finds out
        if replaced:
            return Created(new.wallet, created=True)
    raise unknown or ContentionError("The slot changed several times in a row; nothing was written.")


def revoke_wallet(parts: Parts, wallet: UUID | str | Wallet, actor: Actor) -> Wallet:
    """See Vault.revoke_wallet."""
    found = get_stored(parts, wallet).wallet
    log, beside = LogEntry("revoke", actor), partial(_beside, parts, found)
    repeated(lambda: parts.store.revoke(found, log, parts.clock(), beside))  # what is revoked is not revoked twice
    with asking(OutcomeUnknownError("The wallet was revoked, and then the database could not be reached.")):
        return get_stored(parts, found).wallet


def _remembered(parts: Parts, order: Order, own: Order) -> Wallet | None:
    """The successor that is there; a caller's key that comes after it is bound to it."""
    remembered = find_remembered(parts, order, None)
    if remembered is not None:
        return remembered
    successor = find_remembered(parts, own, None)
    if successor is None or order.idempotency_key is None:
        return successor
    request = order.request.as_json()
    parts.store.bind_idempotency(order.project_id, order.idempotency_key, request, successor.id, parts.clock(), None)
    return find_remembered(parts, order, None)


def _beside(parts: Parts, wallet: Wallet, other: Wallet) -> bool:
    """Whether a wallet that other code wrote is of the same network and label."""
    return other.label == wallet.label and network_of(parts, other) == wallet.network


def _order(parts: Parts, old: Wallet, words: int, idempotency_key: str | None) -> Order:
    check_words(words)
    wish = Wish(old.project_id, old.network, old.label, None, words, idempotency_key)
    order = check_order(parts, wish, "replace", {"replaces": str(old.id), "words": str(words)})
    return order if old.scheme is None else replace(order, scheme=old.scheme)
