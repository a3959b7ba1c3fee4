"""What is there already: the wallet that answers a request, by its idempotency key or by its slot."""

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
from strongroom.records.requests import Request
from strongroom.records.stored_wallets import IdempotentRecord, StoredWallet
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.records.wallets import REVOKED, Wallet
from strongroom.usecases.addresses import same_address
from strongroom.usecases.context import VaultContext
from strongroom.usecases.register import check_key, check_key_row, check_slot
from strongroom.usecases.requests import ValidatedRequest
from strongroom.usecases.tagging import tagged_key


def find_answer(context: VaultContext, validated: ValidatedRequest) -> Wallet | None:
    """The wallet that answers a request, or None where there is none yet.

    A wallet that was there before its idempotency key is bound to the key; of two callers that bind one key, the
    key's primary key lets one write, and both read what it wrote.

    Raises IdempotencyConflictError, KeyConflictError, VariantConflictError, KeyMissingError.
    """
    remembered = find_remembered(context, validated)
    if remembered is not None:
        return remembered
    stored = context.store.wallets.find_live(validated.project_id, validated.network.name, validated.label)
    if stored is None:
        return None
    found = _fitting(
        context, validated, check_slot(context, stored, validated.project_id, validated.network.name, validated.label)
    )
    if validated.idempotency_key is None:
        return found
    bind_key(context, validated, found.id)
    return find_remembered(context, validated)


def bind_key(context: VaultContext, validated: ValidatedRequest, wallet_id: UUID) -> None:
    """Let a request's idempotency key, where it has one, name a wallet that answers it, unless the key is taken."""
    key = tagged_key(context, validated.remembered_as(wallet_id))
    if key is not None:
        context.store.wallets.bind_idempotency(*key, context.clock())


def find_remembered(context: VaultContext, validated: ValidatedRequest) -> Wallet | None:
    """The wallet that the request's idempotency key was used for, or None. Raises IdempotencyConflictError."""
    record = find_key(context, validated.project_id, validated.idempotency_key, validated.request)
    if record is None:
        return None
    stored = check_key(context, validated.project_id, validated.network.name, validated.label, record)
    if stored is None:
        raise KeyMissingError(f"The idempotency key's wallet {record.credential_id} is not there.")
    if stored.wallet.status == REVOKED:
        raise WalletRevokedError(f"The wallet {stored.wallet.id} that the idempotency key made was revoked.")
    if validated.address is not None and not same_address(context, stored.wallet, validated.address):
        raise IdentityMismatchError(
            f"The idempotency key names the wallet {stored.wallet.id}, which has another address.",
            columns=("wallet_address",),
        )
    return _with_key(stored)


def find_key(context: VaultContext, project_id: UUID, key: str | None, request: Request) -> IdempotentRecord | None:
    """What an idempotency key was used for, if it was for this request. Raises IdempotencyConflictError."""
    record = None if key is None else context.store.wallets.find_idempotent(project_id, key)
    if record is None:
        return None
    check_key_row(context, project_id, str(key), record)
    differing = request.differing_fields(record.request)
    if differing:
        raise IdempotencyConflictError(
            f"The idempotency key was used for another request; these differ: {', '.join(differing)}.",
            fields=differing,
        )
    return record


def _fitting(context: VaultContext, validated: ValidatedRequest, stored: StoredWallet) -> Wallet:
    """The wallet that lives in the request's slot, if it is what was asked for."""
    if stored.wallet.status == REVOKED:
        raise WalletRevokedError(f"The wallet {stored.wallet.id} of this network and label was revoked.")
    wallet = _with_key(stored)
    if validated.address is not None and not same_address(context, wallet, validated.address):
        raise KeyConflictError(
            f"Another key lives under {wallet.network} and the label {wallet.label}: wallet {wallet.id}."
        )
    if validated.variant is not None and wallet.scheme != validated.scheme:
        raise VariantConflictError(f"The wallet {wallet.id} is of the scheme {wallet.scheme}.")
    return wallet


def _with_key(stored: StoredWallet) -> Wallet:
    if stored.sealed_text is None or stored.sealed_text in PLACEHOLDERS:
        raise KeyMissingError(f"The wallet {stored.wallet.id} is there, and its vault record holds no key.")
    return stored.wallet
