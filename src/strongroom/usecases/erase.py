"""Erase what may name a person from a project's rows, and retire its wallets; its keys stay, and open by id.

In this order: idempotency keys, so that none answers with a wallet whose label has gone; each wallet, in a transaction
of its own; then what has no wallet any more, and whatever callers wrote meanwhile. A run that ends early is continued
by the next one: what was erased is seen by its label, which follows from the wallet's id.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from strongroom.crypto import tags
from strongroom.errors import ContentionError, InvalidWalletIdError, StoreError, StrongroomError
from strongroom.records.erasure import ERASED_KEY, Erased, KeyChange, SlotChange, WalletErasure, erased_label
from strongroom.records.identifiers import check_project_id
from strongroom.records.register import IdempotencyRecord, Registered, Registration, TaggedSlot
from strongroom.records.requests import Request, asked_for
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.usage_log import Attribution, Event
from strongroom.records.wallets import REVOKED, WalletOfProject, credential_type_of
from strongroom.usecases.context import VaultContext
from strongroom.usecases.lifecycle import first_record
from strongroom.usecases.outcome import resolve
from strongroom.usecases.ownership import require_accepted
from strongroom.usecases.phrase_erasure import erase_phrases
from strongroom.usecases.read import get_stored
from strongroom.usecases.register import is_sealed_elsewhere
from strongroom.usecases.tagging import register, tag_key, tag_slot

_MOST_KEYS = 1000
_NO_UUID = UUID(int=0)
"""What a row's id is read as that is no UUID."""


@dataclass(slots=True)
class _Done:
    wallets: int = 0
    log_records: int = 0
    keys: int = 0
    failed: dict[UUID, StrongroomError] = field(default_factory=dict)


def erase_project(context: VaultContext, project_id: UUID | str, actor: Attribution) -> Erased:
    """See Vault.erase_project."""
    project, done = check_project_id(project_id), _Done()
    context.keyring.refresh()
    _log(context, actor, project=str(project), state="begun")
    _erase_keys(context, project, done)
    unnamed = 0
    for wallet_id in _wallets_of(context, project):
        if wallet_id == _NO_UUID:
            unnamed += 1
            done.failed[wallet_id] = _left_unnamed(unnamed)
            continue
        _attempt(context, project, wallet_id, done)
        if _is_of(context, wallet_id, project):
            done.log_records += context.store.erase.erase_log(project, wallet_id)
    for phrase_id, error in erase_phrases(context, project):
        done.failed[phrase_id] = error
    _erase_rest(context, project)
    _erase_keys(context, project, done)
    done.log_records += _erase_events(context, project)
    _log(context, actor, project=str(project), wallets=str(done.wallets), left=str(len(done.failed)))
    return Erased(project, done.wallets, done.log_records, done.keys, tuple(done.failed.items()))


def _log(context: VaultContext, actor: Attribution, **facts: str) -> None:
    """Say who erases before anything is erased, and what was when it is: a run that ends early has said the first."""
    context.store.log.write_event(Event("erase-project", actor, facts), context.clock())


def _left_unnamed(number: int) -> StrongroomError:
    wallets = "1 wallet has an id that is no UUID" if number == 1 else f"{number:,} wallets have ids that are no UUIDs"
    return InvalidWalletIdError(
        f"{wallets}: strongroom cannot name them, and left them as they are.",
        hint="Erase what names a person in their rows yourself; `strongroom doctor --project` names them.",
    )


def _wallets_of(context: VaultContext, project: UUID) -> Iterator[UUID]:
    """The ids of a project's wallets, also of those that only the register has."""
    seen = set()
    for stored in context.store.wallets.stream(project):
        seen.add(stored.wallet.id)
        yield stored.wallet.id
    for found in context.store.erase.records_of_project(project):
        if found.record.credential_id not in seen:
            yield found.record.credential_id


# --- wallets ----------------------------------------------------------------------------------------------------


def _attempt(context: VaultContext, project: UUID, wallet_id: UUID, done: _Done) -> None:
    """Erase one wallet; what proves that its rows were changed leaves it as it is, and the others are erased."""
    try:
        done.wallets += _erase_wallet(context, project, wallet_id)
    except StoreError:
        raise
    except StrongroomError as error:
        done.failed[wallet_id] = error


def _erase_wallet(context: VaultContext, project: UUID, wallet_id: UUID) -> bool:
    erasure: WalletErasure | None = None

    def look(lost: bool) -> bool | None:
        nonlocal erasure
        erasure = _erasure(context, project, wallet_id)
        return lost if erasure is None else None  # the write whose outcome was lost did it, or nothing was left to do

    def write(_lost: bool) -> bool | None:
        assert erasure is not None  # noqa: S101 - the look before found something to do
        return context.store.erase.erase_wallet(erasure, context.clock()) or None

    return resolve(write, look, contended="The wallet changed several times in a row; it was left as it is.")


def _erasure(context: VaultContext, project: UUID, wallet_id: UUID) -> WalletErasure | None:
    """What a wallet's rows become; None where they are so."""
    label = erased_label(wallet_id)
    gone = context.store.wallets.get(wallet_id, project) is None
    stored = None if gone else get_stored(context, WalletOfProject(wallet_id, project), unproved=True)
    if stored is not None:
        require_accepted(context, stored)
    old = _record(context, project, wallet_id) if stored is None else stored.registered
    slots = [
        _slot_change(context, slot, wallet_id)
        for slot in context.store.erase.slots_naming(project, wallet_id)
        if slot.record.label != label
    ]
    if old is not None and (old.record.label, old.record.status) == (label, REVOKED) and not slots:
        return None
    if old is None and stored is None:
        return None
    record = _first(context, stored) if old is None else old.record
    erased = record._replace(label=label, status=REVOKED, access_level=REVOKED, version=record.version + 1)
    return WalletErasure(old, register(context, erased), tuple(slots), _type_of(context, stored, erased))


def _first(context: VaultContext, stored: StoredWallet | None) -> Registration:
    assert stored is not None  # noqa: S101 - asked before
    return first_record(context, stored)


def _record(context: VaultContext, project: UUID, wallet_id: UUID) -> Registered | None:
    """The record of a wallet of the project whose rows are gone. One that does not fit is nobody's, and stays."""
    found = context.store.register.find_record(wallet_id, project)
    return found if found is not None and _proves(context, found, project) else None


def _proves(context: VaultContext, found: Registered, project: UUID) -> bool:
    """Whether a record's tag fits and says the project: an untagged project id may be anybody's."""
    fits = tags.fits("wallet", found.record.fields(), found.tag, context.keyring)
    return fits and found.record.project_id == project


def _type_of(context: VaultContext, stored: StoredWallet | None, erased: Registration) -> str | None:
    """The credential type afterwards: in legacy tables only one that names a label is another one then."""
    if stored is None or stored.said is None:
        return None
    kind = stored.said.credential_type or ""
    if context.store.foreign and not (
        ":" in kind and kind == credential_type_of(erased.network, kind.partition(":")[2])
    ):
        return None
    return credential_type_of(erased.network, erased.label)


def _slot_change(context: VaultContext, slot: TaggedSlot, wallet_id: UUID) -> SlotChange:
    """A slot's label goes with its wallet's; one that somebody planted gets one of its own, and no tag that fits."""
    record, tag = slot
    version = record.version + 1
    if tag is not None and tags.fits("slot", record.fields(), tag, context.keyring):
        new = record._replace(label=erased_label(wallet_id), version=version)
        return SlotChange(slot, new, tag_slot(context, new))
    return SlotChange(slot, record._replace(label=f"erased-{secrets.token_hex(8)}", version=version), None)


# --- what is told of wallets elsewhere --------------------------------------------------------------------------


def _erase_rest(context: VaultContext, project: UUID) -> None:
    """Labels of wallets that are gone, in slots and kept texts.

    A wallet that came meanwhile, or that was left as it is, keeps its own: it would not be found under another one.
    """
    for slot in context.store.erase.other_slots(project):
        if _is_gone(context, slot.record.credential_id, project):
            context.store.erase.erase_slot(_slot_change(context, slot, slot.record.credential_id))
    for wallet_id in context.store.erase.speaking_history(project):
        if _is_gone(context, wallet_id, project):
            context.store.erase.erase_kept(project, wallet_id, erased_label(wallet_id))


def _is_gone(context: VaultContext, wallet_id: UUID, project: UUID) -> bool:
    """Whether a wallet is erased, or has neither rows nor a record."""
    found = context.store.register.find_record(wallet_id, project)
    if found is not None:
        return _proves(context, found, project) and found.record.label == erased_label(wallet_id)
    return context.store.wallets.get(wallet_id, project) is None


def _erase_keys(context: VaultContext, project: UUID, done: _Done) -> None:
    for record, tag in context.store.erase.speaking_keys(project):
        network = asked_for(record.request)[0]
        known = network if isinstance(network, str) and network in context.networks else "?"
        request = Request("erased", known, erased_label(record.credential_id), {}).as_json()
        new = record._replace(key=_free_key(context, record), request=request)
        fits = tag is not None and tags.fits("idempotency", record.fields(), tag, context.keyring)
        done.keys += context.store.erase.erase_key(KeyChange(record, tag, new, tag_key(context, new) if fits else None))


def _free_key(context: VaultContext, record: IdempotencyRecord) -> str:
    """The HMAC of a key; of one that was used again after an erasure, another one each time."""
    for number in range(_MOST_KEYS):
        fields = (record.project_id.hex, record.key, record.credential_id.hex, str(number))
        key = ERASED_KEY + tags.make("erased", fields, context.keyring).value
        if not context.store.erase.has_key(record.project_id, key):
            return key
    raise ContentionError("An idempotency key was used again too often; it was left as it is.")


def _erase_events(context: VaultContext, project: UUID) -> int:
    """Who accepted a wallet of the project, or gave a key of one out whose rows are gone, and why."""
    changed = 0
    for event_id, said in context.store.erase.wallet_events():
        kept = {name: value for name, value in said.items() if name not in ("actor", "reason")}
        if said.get("project_id") == str(project):
            kept.pop("label", None)
        elif not _names_one_of(context, said.get("wallet"), project):
            continue
        if kept != said:
            context.store.erase.erase_event(event_id, kept)
            changed += 1
    return changed


def _names_one_of(context: VaultContext, wallet: object, project: UUID) -> bool:
    try:
        return _is_of(context, UUID(str(wallet)), project)
    except ValueError:
        return False


def _is_of(context: VaultContext, wallet_id: UUID, project: UUID) -> bool:
    """Whether a wallet is the project's: its record proves it, or its row says it and no record proves another."""
    found = context.store.register.find_record(wallet_id, project)
    if found is not None and _proves(context, found, found.record.project_id):
        return found.record.project_id == project
    stored = context.store.wallets.get(wallet_id, project)
    return stored is not None and (context.store.foreign or not is_sealed_elsewhere(stored))
