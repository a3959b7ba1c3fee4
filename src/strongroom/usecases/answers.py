"""What is there already: the wallet that answers an order, by its idempotency key or by its slot."""

from __future__ import annotations

from uuid import UUID

from strongroom.errors import (
    IdempotencyConflictError,
    IdentityMismatchError,
    KeyConflictError,
    KeyMissingError,
    VariantConflictError,
    WalletRevokedError,
)
from strongroom.model import PLACEHOLDERS, REVOKED, StoredWallet, Wallet
from strongroom.register import IdempotencyRecord
from strongroom.usecases.addresses import same_address
from strongroom.usecases.order import Order
from strongroom.usecases.parts import Parts
from strongroom.usecases.register import check_key, check_key_row, check_slot
from strongroom.usecases.tagging import tag_key


def find_answer(parts: Parts, order: Order) -> Wallet | None:
    """The wallet that answers an order, or None where there is none yet.

    A wallet that was there before its idempotency key is bound to the key; of two callers that bind one key, the
    key's primary key lets one write, and both read what it wrote.

    Raises IdempotencyConflictError, KeyConflictError, VariantConflictError, KeyMissingError.
    """
    remembered = find_remembered(parts, order)
    if remembered is not None:
        return remembered
    stored = parts.store.wallets.find_live(order.project_id, order.network.name, order.label)
    if stored is None:
        return None
    found = _fitting(parts, order, check_slot(parts, stored, order.project_id, order.network.name, order.label))
    if order.idempotency_key is None:
        return found
    bind_key(parts, order, found.id)
    return find_remembered(parts, order)


def bind_key(parts: Parts, order: Order, wallet_id: UUID) -> None:
    """Let an order's idempotency key name a wallet that answers it, unless the key is taken."""
    record = IdempotencyRecord(order.project_id, order.idempotency_key or "", order.request.as_json(), wallet_id)
    parts.store.wallets.bind_idempotency(record, tag_key(parts, record), parts.clock())


def find_remembered(parts: Parts, order: Order) -> Wallet | None:
    """The wallet that the order's idempotency key was used for, or None. Raises IdempotencyConflictError."""
    key = order.idempotency_key
    record = None if key is None else parts.store.wallets.find_idempotent(order.project_id, key)
    if record is None:
        return None
    check_key_row(parts, order.project_id, str(key), record)
    differing = order.request.differing_fields(record.request)
    if differing:
        raise IdempotencyConflictError(
            f"The idempotency key was used for another request; these differ: {', '.join(differing)}.",
            fields=differing,
        )
    stored = check_key(parts, order.project_id, order.network.name, order.label, record)
    if stored is None:
        raise KeyMissingError(f"The idempotency key's wallet {record.credential_id} is not there.")
    if stored.wallet.status == REVOKED:
        raise WalletRevokedError(f"The wallet {stored.wallet.id} that the idempotency key made was revoked.")
    if order.address is not None and not same_address(parts, stored.wallet, order.address):
        raise IdentityMismatchError(
            f"The idempotency key names the wallet {stored.wallet.id}, which has another address.",
            columns=("wallet_address",),
        )
    return _with_key(stored)


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
