"""Create a wallet, or return the one that is there.

A write goes: look (one SELECT), make and prove the key, write (one transaction that the slot's primary key
arbitrates), and where the write lost a race, look again. The id is chosen before the write, so that an outcome
that was lost with the connection is asked for by id, and tried again with the same id and the same sealed text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

from strongroom.crypto import sealing
from strongroom.crypto.sealing import is_sealed
from strongroom.errors import (
    AmbiguousAddressError,
    ConnectionNotSupportedError,
    IdentityMismatchError,
    RetryTransactionError,
    StrongroomError,
    UnknownNetworkError,
)
from strongroom.records import identifiers
from strongroom.records.key_material import Identity, KeyMaterial, PublicHalf
from strongroom.records.register import SlotRecord, TaggedSlot
from strongroom.records.stored_wallets import Adoption, NewWallet, StoredWallet, wallet_of_key
from strongroom.records.tag import Tag
from strongroom.records.usage_log import Attribution, LogEntry
from strongroom.records.wallets import Created, CreateResult, vault_id_of
from strongroom.usecases.addresses import recognise
from strongroom.usecases.answers import find_answer
from strongroom.usecases.context import VaultContext
from strongroom.usecases.outcome import ATTEMPTS, resolve
from strongroom.usecases.ownership import require_own_project
from strongroom.usecases.proof import prove
from strongroom.usecases.register import checked
from strongroom.usecases.requests import CreateRequest, ValidatedRequest, check_words, validate_create_request
from strongroom.usecases.tagging import proved_record, record_of, register, tag_key, tag_slot


@dataclass(frozen=True, slots=True)
class Draft:
    """A wallet that was made and proved, and the request that it is for."""

    validated: ValidatedRequest
    new: NewWallet
    again: Callable[[], NewWallet]
    """Makes another one, where the sealing key was rotated meanwhile."""


class Chosen(NamedTuple):
    """What was chosen of a wallet before its key was known."""

    wallet_id: UUID
    slot_tag: Tag
    """Of the slot that names the wallet, version 1."""
    now: datetime
    """When it is created: wallets of one statement have one time."""


def create_wallet(context: VaultContext, request: CreateRequest, actor: Attribution) -> Created:
    """Create the wallet of (project, network, label) or return it; see Vault.create_wallet."""
    validated = validate_create_request(context, request)
    if context.store.durable and (found := find_answer(context, validated)) is not None:
        return Created(found, created=False)
    draft = partial(_draft, context, validated, request.words, actor)
    return write(context, validated, context.store.run_key_work(draft), draft)


def create_wallets(context: VaultContext, requests: Sequence[CreateRequest], actor: Attribution) -> list[CreateResult]:
    """Create several wallets, each for itself; see Vault.create_wallets."""
    for request in requests:
        identifiers.check_text(request.network, UnknownNetworkError)
        identifiers.check_project_id(request.project_id)
        identifiers.check_label(request.label)
        identifiers.check_idempotency_key(request.idempotency_key)
        check_words(request.words)
    own = [_keyed(context, request) for request in requests]
    if context.store.durable:
        return [_result(request.network, partial(create_wallet, context, request, actor)) for request in own]
    # In a caller's transaction all key work comes before the first statement.
    drafts = context.store.run_key_work(
        lambda: [(request.network, _try_draft(context, request, actor)) for request in own]
    )
    return [
        _result(network, partial(write, context, draft.validated, draft.new, draft.again))
        if isinstance(draft, Draft)
        else CreateResult(network, error=draft)
        for network, draft in drafts
    ]


def _kept(moment: datetime, step_microseconds: int) -> datetime:
    """A time as it will be read again."""
    if step_microseconds == 1:
        return moment
    return moment.replace(microsecond=moment.microsecond // step_microseconds * step_microseconds)


def seal_new(
    context: VaultContext,
    validated: ValidatedRequest,
    material: KeyMaterial,
    half: PublicHalf,
    log: LogEntry,
    chosen: Chosen | None = None,
) -> NewWallet:
    """Seal a key under a new id, and prove it: what is opened again derives what will be stored.

    ``chosen``: an id that was chosen before.
    """
    now = _kept(context.clock() if chosen is None else chosen.now, context.store.time_step_microseconds)
    wallet_id = identifiers.new_id(now) if chosen is None else chosen.wallet_id
    wallet = wallet_of_key(
        wallet_id, validated.project_id, validated.network.name, validated.label, material, half, now
    )
    if context.store.plain_vault_ids:
        wallet = replace(wallet, vault_id=vault_id_of(wallet_id, plain=True))
    identity = Identity(wallet.project_id, wallet.id, wallet.network, wallet.address)
    kid = context.keyring.active_kid
    sealed_text = sealing.seal(material, identity, kid, context.keyring)
    prove(context, StoredWallet(wallet, sealed_text))
    remembered = validated.remembered_as(wallet_id)
    slot = SlotRecord(wallet.project_id, wallet.network, wallet.label, wallet_id, 1)
    return NewWallet(
        wallet,
        sealed_text,
        kid,
        log,
        validated.idempotency_key,
        validated.request,
        now,
        registered=register(context, record_of(context, wallet)),
        slot_tag=tag_slot(context, slot) if chosen is None else chosen.slot_tag,
        idempotency_tag=None if remembered is None else tag_key(context, remembered),
    )


def write(
    context: VaultContext, validated: ValidatedRequest, new: NewWallet, again: Callable[[], NewWallet]
) -> Created:
    """Write a new wallet, or return the one that was there first.

    Two callers: one takes the slot's row, the other waits for it, writes nothing and returns the first one's. Where
    another process rotated the sealing key meanwhile, nothing is written either, and ``again`` seals under the new one.
    """

    def look(lost: bool) -> Created | None:
        if lost and context.store.wallets.get(new.wallet.id, new.wallet.project_id) is not None:
            return Created(new.wallet, created=True)
        return None

    def insert(_lost: bool) -> Created | None:
        nonlocal new
        if context.store.wallets.insert_wallet(
            new, partial(is_wanted, context, validated), partial(adoption_of, context, validated)
        ):
            return Created(replace(new.wallet, durable=context.store.durable), created=True)
        found = find_answer(context, validated)
        if found is not None:
            return Created(found, created=found.id == new.wallet.id)
        if not context.store.keyring.seals_with(new.kid):
            new = _under_the_active_key(context, again)
        return None

    return resolve(insert, look, contended="The slot was taken and given back several times in a row.")


def _under_the_active_key(context: VaultContext, again: Callable[[], NewWallet]) -> NewWallet:
    """The wallet made again, after another process rotated the sealing key, perhaps once more between the two reads."""
    for _ in range(ATTEMPTS):
        context.store.run_key_work(context.keyring.refresh)
        if context.store.keyring.seals_with(context.keyring.active_kid):
            return context.store.run_key_work(again)
    there, head = context.store.keyring.read_keyring(), context.keyring.head
    if there is not None and head is not None and there.active_kid in head.states and not context.store.durable:
        raise RetryTransactionError("The sealing key was rotated after the caller's transaction took its snapshot.")
    raise ConnectionNotSupportedError(
        "This database has another keyring: the connection is not the vault's, or the vault was replaced.",
        hint="Pass a connection to the vault's own database, or open the vault again. Nothing was written.",
    )


def is_wanted(context: VaultContext, validated: ValidatedRequest, stored: StoredWallet) -> bool:
    """Whether a wallet that the legacy application wrote is the one that a request asks for.

    What the register says decides, and where it says nothing, what its address parses as.
    """
    return is_named(context, stored, validated.network.name, validated.label)


def is_named(context: VaultContext, stored: StoredWallet, network: str, label: str) -> bool:
    """Whether a wallet that no slot names is one of a network and label. Raises AmbiguousAddressError."""
    if stored.registered is not None:
        return (stored.registered.record.network, stored.registered.record.label) == (network, label)
    if stored.wallet.label != label:
        return False
    found = recognise(context, stored.wallet)
    if network in found.candidates and found.is_ambiguous:
        raise AmbiguousAddressError(
            f"The address of {stored.wallet.id} may be one of {' or '.join(found.candidates)}; nothing was written."
        )
    return found.match is not None and found.match.network.name == network


def adoption_of(
    context: VaultContext, validated: ValidatedRequest, stored: StoredWallet, slots: Sequence[TaggedSlot]
) -> Adoption:
    """What lets a slot name a wallet of the legacy application, if it is the project's own. Raises ProofError."""
    require_own_project(context, stored, slots)
    return context.store.run_key_work(partial(_adoption, context, validated, stored))


def _adoption(context: VaultContext, validated: ValidatedRequest, stored: StoredWallet) -> Adoption:
    """Prove a wallet that a slot is to name, where its text is ours, and tag what names it. Raises ProofError."""
    found = checked(context, stored)
    registered = None
    if found.registered is None and is_sealed(found.sealed_text or ""):
        material = prove(context, found)
        half = context.networks.get(found.wallet.network).public_half(material.private_key, material.scheme)
        registered = proved_record(context, found, material, half)
    if found.wallet.project_id != validated.project_id:
        raise IdentityMismatchError(f"The wallet {found.wallet.id} is another project's.", columns=("project_id",))
    slot = SlotRecord(validated.project_id, validated.network.name, validated.label, found.wallet.id, 1)
    remembered = validated.remembered_as(found.wallet.id)
    key_tag = None if remembered is None else tag_key(context, remembered)
    return Adoption(tag_slot(context, slot), key_tag, registered)


def _draft(context: VaultContext, validated: ValidatedRequest, words: int, actor: Attribution) -> NewWallet:
    material = validated.network.new_material(validated.scheme, words)
    half = validated.network.public_half(material.private_key, material.scheme)
    return seal_new(context, validated, material, half, LogEntry("create", actor))


def _keyed(context: VaultContext, request: CreateRequest) -> CreateRequest:
    """Each network of a batch remembers its own request: under the batch's key and the name that is stored."""
    if request.idempotency_key is None:
        return request
    known = request.network in context.networks
    name = context.networks.get(request.network).name if known else request.network
    return replace(request, idempotency_key=f"{request.idempotency_key}/{name}")


def _try_draft(context: VaultContext, request: CreateRequest, actor: Attribution) -> Draft | StrongroomError:
    try:
        validated = validate_create_request(context, request)
        draft = partial(_draft, context, validated, request.words, actor)
        return Draft(validated, draft(), draft)
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
