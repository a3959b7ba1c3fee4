"""Taking a wallet as its rows say it, because a person says so; and what a person has to be asked about.

What a tag that fits says is believed before any row: a wallet that a record calls retired stays so, and a slot that
names another wallet is not taken away without asking.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from strongroom.crypto import tags
from strongroom.errors import IdentityMismatchError, KeyMissingError, StrongroomError, WalletNotFoundError
from strongroom.records.register import IdempotencyRecord, NonceRecord, Registered, Registration, SlotRecord, TaggedRow
from strongroom.records.requests import asked_for
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.tag import Tag
from strongroom.records.usage_log import Attribution, Event
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.records.wallets import DEFAULT_LABEL, REPLACED, REVOKED, STATUS, credential_type_of, network_of_type
from strongroom.usecases.accepted_key import believed, require_own_key, require_recorded_public_key
from strongroom.usecases.addresses import account_of, spellings_of, with_actual_network
from strongroom.usecases.context import VaultContext
from strongroom.usecases.proof import prove
from strongroom.usecases.rescue import newest_first, opens
from strongroom.usecases.tagging import proved_record, register, tag_key, tag_nonce, tag_slot


@dataclass(frozen=True, slots=True)
class UpgradeResult:
    """What became of one record."""

    kind: str
    """``wallet``, ``slot``, ``idempotency`` or ``nonce``."""
    wallet_id: UUID
    tagged: bool = True
    as_found: tuple[str, ...] = ()
    """What was taken as it was found, where that is not what a new wallet has: ``label=...``, ``status=...``."""
    undecided: tuple[str, ...] = ()
    """What contradicts it: ``slot``, ``history``; a person decides."""
    error: StrongroomError | None = None
    """Why it does not prove; `strongroom doctor` says more."""


def accept_wallet(
    context: VaultContext, wallet_id: UUID, actor: Attribution, *, decided: bool = False
) -> list[UpgradeResult]:
    """Record a wallet anew, because a person says so: its sealed text proves it, its state is taken as it is found.

    Where its vault record holds no text, a sealed one that the history keeps proves it; `history restore` puts it back.
    Its slot is taken again where none stands that its tag proves. Its idempotency keys and nonces whose tags do not fit
    are tagged anew, or removed where they are not its own. Where something contradicts its rows, nothing is written
    unless that is ``decided``.

    Raises WalletNotFoundError, ProofError, IdentityMismatchError where another key would become the wallet's: then
    nothing was changed.
    """
    context.keyring.refresh()
    row = context.store.wallets.get(wallet_id)
    if row is None:
        raise WalletNotFoundError(f"There is no wallet {wallet_id}.")
    stored = with_actual_network(context, row)
    known = require_own_key(context, stored)
    against = contradictions(context, row)
    if against and not decided:
        return [UpgradeResult("wallet", wallet_id, tagged=False, undecided=against)]
    material = prove(context, _with_kept_text(context, stored))
    half = context.networks.get(stored.wallet.network).public_half(material.private_key, material.scheme)
    require_recorded_public_key(context, stored, half.public_key)
    proved = _as_retired(context, proved_record(context, stored, material, half).record)
    before = believed(context, wallet_id)  # what is accepted was recorded before, whatever became of that record
    registered = register(context, proved._replace(version=(proved if before is None else before).version + 1))
    slot = _slot_for(context, registered)
    tag = None if slot is None else tag_slot(context, slot)
    facts = {"wallet": str(wallet_id), "status": proved.status, **({"despite": ", ".join(against)} if against else {})}
    context.store.register.accept(registered, slot, tag, Event("accept", actor, facts), context.clock())
    found = (*identity_found(registered, known), *as_found(context, row, registered, whole=True))
    return [UpgradeResult("wallet", wallet_id, as_found=found), *_settle(context, proved, actor)]


def _with_kept_text(context: VaultContext, stored: StoredWallet) -> StoredWallet:
    """A wallet with the newest kept text that proves it, where its vault record holds none.

    That says what a text in its place would: who can write to the history can write it there.
    """
    if stored.sealed_text is not None and stored.sealed_text not in PLACEHOLDERS:
        return stored
    kept = (entry.text for entry in newest_first(context, stored.wallet.id, sealed=True))
    text = next((each for each in kept if opens(context, stored, each) is not None), None)
    return stored if text is None else replace(stored, sealed_text=text)


def contradictions(context: VaultContext, row: StoredWallet, *, proved_only: bool = False) -> tuple[str, ...]:
    """What says something else about a wallet's label or state than its credential does.

    ``proved_only``: what a person who accepted the wallet has to be asked about all the same, because a tag proves it.
    """
    wallet = with_actual_network(context, row).wallet
    found = []
    named, proved = _named(context, wallet.project_id, wallet.network, wallet.label)
    counts = proved or not (proved_only or not context.keyring.accepts_untagged)
    elsewhere = named != wallet.id and (named is not None or not context.store.foreign)
    if counts and ((wallet.status == STATUS and elsewhere) or (wallet.status == REPLACED and named == wallet.id)):
        found.append("slot")
    record = None if row.registered is None else believed(context, wallet.id)
    if record is not None:
        there = {"label": (record.label, wallet.label), "access_level": (record.access_level, wallet.access_level)}
        found += [name for name, (recorded, said) in there.items() if said is not None and said != recorded]
    if proved_only:
        return tuple(found)
    if not context.store.foreign and _type_differs(row, wallet.network, wallet.label):
        found.append("credential_type")
    if context.store.wallets.keeps_sealed_otherwise(wallet.id, wallet.network, wallet.label):
        found.append("history")
    return tuple(found)


def identity_found(registered: Registered, known: str) -> tuple[str, ...]:
    """Which wallet was accepted, and which address was known of it before: ``none`` where nothing said one."""
    record = registered.record
    told = {"project_id": record.project_id, "network": record.network, "wallet_address": record.address}
    return (*(f"{name}={value}" for name, value in told.items()), f"known_address={known}")


def as_found(context: VaultContext, row: StoredWallet, registered: Registered, *, whole: bool) -> tuple[str, ...]:
    """What a record takes as it is found: all of it, or what is not as a new wallet has it."""
    record = registered.record
    usual = {"label": DEFAULT_LABEL, "status": STATUS, "access_level": "project_admin"}
    taken = {name: getattr(record, name) for name in usual}
    told = [f"{name}={value}" for name, value in taken.items() if whole or value != usual[name]]
    if _type_differs(row, record.network, record.label) and _names_network(context, row):
        told.append("credential_type")
    return tuple(told)


def _type_differs(row: StoredWallet, network: str, label: str) -> bool:
    return row.said is not None and row.said.credential_type != credential_type_of(network, label)


def _names_network(context: VaultContext, row: StoredWallet) -> bool:
    """Whether a credential type is of the form of ours; the legacy application may call its wallets what it likes."""
    kind = (None if row.said is None else row.said.credential_type) or ""
    network = network_of_type(kind)
    return network in context.networks and kind.partition(":")[0] == credential_type_of(network, DEFAULT_LABEL)


def _named(context: VaultContext, project_id: UUID, network: str, label: str) -> tuple[UUID | None, bool]:
    """The wallet that a slot names, and whether its tag proves that."""
    try:
        found = context.store.wallets.find_live(project_id, network, label)
    except KeyMissingError:
        return None, False
    if found is None or found.slot is None:
        return None, False
    slot, tag = found.slot
    keys = context.keyring.counting_retired()
    return slot.credential_id, tag is not None and tags.fits("slot", slot.fields(), tag, keys)


def _as_retired(context: VaultContext, found: Registration) -> Registration:
    """What was found, but that a wallet which its record calls retired stays so.

    Raises IdentityMismatchError in tables of ours, where its rows would still say something else.
    """
    record = believed(context, found.credential_id)
    if record is None or _strictness(found.status) >= _strictness(record.status):
        return found
    if not context.store.foreign:
        raise IdentityMismatchError(
            f"The register says that {found.credential_id} is {record.status}; its rows do not say so.",
            hint="Nothing revives a wallet that was retired: let its rows say again what the register does.",
            columns=("status", "is_active"),
        )
    level = REVOKED if record.status == REVOKED else found.access_level
    return found._replace(status=record.status, access_level=level)


def _strictness(status: str) -> int:
    """An unknown status counts as retired, for as long as the row has it."""
    return {STATUS: 0, REVOKED: 2}.get(status, 1)


def _slot_for(context: VaultContext, registered: Registered) -> SlotRecord | None:
    """The slot that a live wallet takes: none where another wallet's stands, and its tag fits."""
    record = registered.record
    if record.status != STATUS:
        return None
    taken = SlotRecord(record.project_id, record.network, record.label, record.credential_id, 1)
    named, proved = _named(context, record.project_id, record.network, record.label)
    if proved and named != record.credential_id:
        return None
    try:
        found = context.store.wallets.find_live(record.project_id, record.network, record.label)
    except KeyMissingError:
        return taken
    return taken if found is None or found.slot is None else taken._replace(version=found.slot.record.version + 1)


# --- the rows that name it --------------------------------------------------------------------------------------


def _settle(context: VaultContext, wallet: Registration, actor: Attribution) -> Iterator[UpgradeResult]:
    """Tag a wallet's idempotency keys and nonces anew where their tags do not fit; remove what is not its own."""
    for page in context.store.tags.stream_tagged_otherwise(""):  # no key is named so: every row
        kept: list[tuple[TaggedRow, Tag]] = []
        removed: list[TaggedRow] = []
        for row in page:
            if not _is_of(context, row, wallet) or _fits(context, row):
                continue
            if _is_its_own(context, row, wallet):
                kept.append((row, _tag(context, row)))
            elif _may_go(context, row):
                removed.append(row)
            else:
                yield UpgradeResult(row.kind, wallet.credential_id, tagged=False, undecided=("wallet_address",))
        if kept:
            context.store.tags.retag(kept)
        if removed:
            facts = {"wallet": str(wallet.credential_id), "removed": str(len(removed))}
            context.store.tags.forget(removed, Event("accept", actor, facts), context.clock())
        yield from (_told(row, wallet, "tagged anew") for row, _ in kept)
        yield from (_told(row, wallet, "removed") for row in removed)


def _is_of_account(context: VaultContext, record: NonceRecord, wallet: Registration) -> bool:
    """Whether a nonce is of a wallet's account, whichever form of the address either has."""
    if record.project_id != wallet.project_id:
        return False
    return account_of(context, wallet.network, record.address) == account_of(context, wallet.network, wallet.address)


def _is_of(context: VaultContext, row: TaggedRow, wallet: Registration) -> bool:
    """Whether a row is an idempotency key or nonce that names a wallet, or a nonce of its account."""
    record = row.record
    if isinstance(record, NonceRecord):
        return _is_of_account(context, record, wallet) or record.credential_id == wallet.credential_id
    return isinstance(record, IdempotencyRecord) and record.credential_id == wallet.credential_id


def _is_its_own(context: VaultContext, row: TaggedRow, wallet: Registration) -> bool:
    record = row.record
    if isinstance(record, NonceRecord):
        return _is_of_account(context, record, wallet)
    assert isinstance(record, IdempotencyRecord)  # noqa: S101 - there are no others here
    return not misplaced_key(record, wallet.project_id, wallet.network, wallet.label)


def misplaced_key(record: IdempotencyRecord, project_id: UUID, network: str, label: str | None) -> tuple[str, ...]:
    """In what an idempotency key was used for something else than a wallet; no label where that is not known."""
    said_network, said_label = asked_for(record.request)
    there = {
        "project_id": record.project_id == project_id,
        "network": said_network == network,
        "label": label is None or said_label == label,
    }
    return tuple(name for name, same in there.items() if not same)


def _may_go(context: VaultContext, row: TaggedRow) -> bool:
    """A nonce of an account that a wallet has keeps it from signing twice: accepting that wallet decides about it."""
    record = row.record
    if not isinstance(record, NonceRecord):
        return True
    return not context.store.wallets.find_by_address(spellings_of(record.address), record.project_id)


def _fits(context: VaultContext, row: TaggedRow) -> bool:
    if row.tag is None:
        return context.keyring.accepts_untagged  # the upgrade tags it
    return tags.fits(row.kind, row.record.fields(), row.tag, context.keyring.counting_retired())


def _tag(context: VaultContext, row: TaggedRow) -> Tag:
    if isinstance(row.record, NonceRecord):
        return tag_nonce(context, row.record)
    assert isinstance(row.record, IdempotencyRecord)  # noqa: S101 - there are no others here
    return tag_key(context, row.record)


def _told(row: TaggedRow, wallet: Registration, what: str) -> UpgradeResult:
    record = row.record
    where = (f"nonce={record.nonce}", f"chain={record.chain_id}") if isinstance(record, NonceRecord) else ()
    return UpgradeResult(row.kind, wallet.credential_id, as_found=(*where, what))
