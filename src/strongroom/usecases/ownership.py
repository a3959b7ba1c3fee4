"""Whose a wallet is that the register has no proved record of: its row says it last.

Believed in this order: a record of a proved key whose tag fits; the header of a sealed text, which its opening
authenticates; a slot whose tag fits, since `create_wallet` lets a slot name a wallet that nothing proves yet; the row.
A record that was made of a wallet as it was found (``UNPROVED``) says what its row said then, and counts as none.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from strongroom.crypto import sealing, tags
from strongroom.errors import IdentityMismatchError, StrongroomError
from strongroom.records.key_material import Identity, KeyMaterial
from strongroom.records.register import MOST_SLOTS, UNPROVED, SlotRecord, TaggedSlot
from strongroom.records.stored_wallets import StoredWallet
from strongroom.usecases.context import VaultContext
from strongroom.usecases.register import forgotten, recorded, require_acceptance

_MOST_KEPT = 500
"""Texts that are kept of one wallet which are looked at: more of them say that nothing can be told."""
_MOST_WALLETS = 64
"""Wallets of a project that have one key, of which each is looked at: more of them are strange."""


class SlotOwner(NamedTuple):
    """Whose a wallet is by the slots that name it, or by what is believed before them."""

    projects: frozenset[UUID]
    """The project of its record or sealed text; else those of the slots whose tags fit."""
    is_untold: bool
    """Whether more slots name it than are looked at: the genuine one may be any of the others."""

    def is_other(self, project_id: UUID) -> bool:
        """Whether the wallet is, or may be, another project's than this."""
        return self.is_untold or bool(self.projects - {project_id})


def owners_by_slot(context: VaultContext, wallet_ids: Collection[UUID]) -> dict[UUID, SlotOwner]:
    """Whose these wallets are by the slots that name them; one that no slot with a tag that fits names is left out.

    One statement, which reads a few slots of each wallet. Raises StoreError.
    """
    return _owners(context, context.store.register.slots_of(wallet_ids, MOST_SLOTS + 1))


def is_proved(context: VaultContext, stored: StoredWallet) -> bool:
    """Whether a wallet has a record of a key that was proved, with a tag that fits."""
    registered = stored.registered
    if registered is None or registered.record.variant == UNPROVED:
        return False
    return tags.fits_record("wallet", *registered, context.keyring)


def project_of(
    context: VaultContext, wallet_id: UUID, said: UUID | None, *, named: bool = False, hint: str | None = None
) -> UUID | None:
    """The project of a wallet that a row or an entry names: what no writer of rows can make says it, else ``said``.

    ``said``: the project that the row or the entry says, None where it says none. ``named``: the caller means this
    wallet, and not what the row says. Raises IdentityMismatchError where the row says another project than it is of.
    """
    owner = owner_of(context, wallet_id)
    if owner is None:
        return said
    if owner.is_untold:
        raise _untold(wallet_id)
    if len(owner.projects) == 1 and (named or said is None):
        return next(iter(owner.projects))
    if owner.projects != {said}:
        raise IdentityMismatchError(
            f"The wallet {wallet_id} is of another project than this row says.", hint=hint, columns=("project_id",)
        )
    return said


def owner_of(
    context: VaultContext, wallet_id: UUID, by_slot: Mapping[UUID, SlotOwner] | None = None
) -> SlotOwner | None:
    """Whose a wallet is by what a writer of rows cannot make: record, sealed text, slots; None where they say nothing.

    ``by_slot``: what the slots say, where they were read already.
    """
    record = recorded(context, wallet_id)
    if record is not None and record.record.variant != UNPROVED:
        return SlotOwner(frozenset({record.record.project_id}), is_untold=False)
    sealed = projects_by_texts(context, wallet_id, context.store.rescue.orphaned_texts(wallet_id))
    if sealed:
        return SlotOwner(sealed, is_untold=False)
    return (owners_by_slot(context, [wallet_id]) if by_slot is None else by_slot).get(wallet_id)


def require_never_recorded(context: VaultContext, stored: StoredWallet) -> None:
    """Raise IdentityMismatchError where a wallet of legacy tables has no record, and had one.

    Of each wallet that strongroom sealed there, the history has the text; a verb that writes would record it anew.
    """
    if context.keyring.accepts_untagged:
        return
    if stored.registered is not None:
        require_own_project(context, stored)
        return
    wallet_id, project_id = stored.wallet.id, stored.wallet.project_id
    if not was_sealed(context, wallet_id, project_id):
        require_own_project(context, stored)
        return
    if context.store.register.find_record(wallet_id, project_id) is None:  # else it was recorded meanwhile
        raise forgotten(stored)


def was_sealed(context: VaultContext, wallet_id: UUID, part_of: UUID | None = None) -> bool:
    """Whether the history keeps a text that was sealed as a wallet's own; those that were kept aside say nothing.

    ``part_of``: where tables are divided by project, only the part of this one is read.
    """
    found = context.store.wallets.history(wallet_id, _MOST_KEPT + 1, newest_first=True, part_of=part_of)
    sealed = (each.text for each in found if each.form == "sealed")
    return len(found) > _MOST_KEPT or any(not (sealing.is_aside(text) or sealing.is_text(text)) for text in sealed)


def require_own_project(context: VaultContext, stored: StoredWallet, slots: Sequence[TaggedSlot] | None = None) -> None:
    """Raise IdentityMismatchError where a wallet that nothing proves is not of the project that its slot is of.

    ``slots``: those that name it, where they were read in a transaction.
    """
    if is_proved(context, stored) or context.keyring.accepts_untagged:
        return
    wallet = stored.wallet
    owners = owners_by_slot(context, [wallet.id]) if slots is None else _owners(context, slots)
    owner = owners.get(wallet.id)
    if owner is None:
        return
    for project in owner.projects - {wallet.project_id}:
        raise IdentityMismatchError(
            f"A slot of another project than its row says names the wallet {wallet.id}.",
            hint=f"Put {project} back as its project_id, if that is its project.",
            columns=("project_id",),
        )
    if owner.is_untold:
        raise _untold(wallet.id)


def _untold(wallet_id: UUID) -> IdentityMismatchError:
    return IdentityMismatchError(
        f"More than {MOST_SLOTS} slots name the wallet {wallet_id}: whose it is cannot be told.",
        hint="Remove those of strongroom_slot that are not its own; `strongroom doctor` says which carry no tag of "
        "this vault.",
        columns=("project_id",),
    )


def require_accepted(context: VaultContext, stored: StoredWallet) -> None:
    """Raise UnprovedWalletError where nothing proves a wallet, and the vault does not accept such: its row says all."""
    if not is_proved(context, stored) and not context.keyring.accepts_untagged:
        require_acceptance(context, stored.wallet.id)


def has_wallets_of_others(
    context: VaultContext, project_id: UUID, public_keys: Sequence[str], addresses: Sequence[str]
) -> bool:
    """Whether a row of this project has one of the keys or addresses, and is another project's wallet all the same.

    So are more rows than are looked at, which nobody but a writer of rows made.
    """
    found = context.store.register.wallets_of_project(project_id, public_keys, addresses, _MOST_WALLETS + 1)
    if len(found) > _MOST_WALLETS:
        return True
    by_slot = owners_by_slot(context, found)
    owners = (owner_of(context, wallet_id, by_slot) for wallet_id in found)
    return any(owner is not None and owner.is_other(project_id) for owner in owners)


def opened_by_header(context: VaultContext, text: str) -> tuple[Identity, KeyMaterial] | None:
    """What a sealed text holds, and whose it is: its header says so, which the opening proves; None where it is none.

    Not of one that was kept aside, which is no wallet's own. Everything that asks a text whose a wallet is asks here.
    """
    identity = None if not sealing.is_sealed(text) or sealing.is_aside(text) else sealing.identity_in(text)
    if identity is None:
        return None
    try:
        return identity, sealing.open_sealed(text, identity, context.keyring)
    except StrongroomError:
        return None


def projects_by_texts(context: VaultContext, wallet_id: UUID, texts: Iterable[str | None]) -> frozenset[UUID]:
    """The projects that sealed texts say of a wallet, those that open: one, as ids are of one wallet."""
    found = (opened_by_header(context, text or "") for text in texts)
    return frozenset(each[0].project_id for each in found if each is not None and each[0].credential_id == wallet_id)


def _owners(context: VaultContext, slots: Sequence[TaggedSlot]) -> dict[UUID, SlotOwner]:
    """The owner of each wallet that some slots name, of which there is one more than are looked at where it is more."""
    projects = defaultdict[UUID, set[UUID]](set)
    for record in _tagged(context, slots):
        projects[record.credential_id].add(record.project_id)
    named = Counter(record.credential_id for record, _ in slots)
    untold = {wallet_id for wallet_id, many in named.items() if many > MOST_SLOTS}
    return {
        wallet_id: SlotOwner(frozenset(projects[wallet_id]), wallet_id in untold)
        for wallet_id in untold.union(projects)
    }


def _tagged(context: VaultContext, slots: Iterable[TaggedSlot]) -> Iterator[SlotRecord]:
    """Those slots that strongroom wrote as they are.

    The keyring is read anew for one of them at most: each that a writer plants may name another sealing key.
    """
    is_newest = False
    for record, tag in slots:
        if tag is None or (is_newest and not context.keyring.counts(tag.kid)):
            continue
        is_newest = is_newest or not context.keyring.counts(tag.kid)
        if tags.fits("slot", record.fields(), tag, context.keyring):
            yield record
