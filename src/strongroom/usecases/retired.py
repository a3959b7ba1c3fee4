"""Whether a key is that of a wallet of its project that was retired, or may have been: such a key signs no more.

Asked is about the key. A writer of rows edits every column that would say which wallet has it, so that whatever states
it counts: a row, a record with any tag, a sealed text. What says that a wallet is live has to fit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from strongroom.crypto import sealing
from strongroom.errors import ConflictError, KeyConflictError, StrongroomError
from strongroom.records.key_material import KeyMaterial
from strongroom.records.register import Registered
from strongroom.records.spellings import spellings
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.wallets import REPLACED, REVOKED, STATUS
from strongroom.usecases.context import VaultContext
from strongroom.usecases.elsewhere import is_proved_by, of_key
from strongroom.usecases.ownership import owners_by_slot, was_sealed
from strongroom.usecases.register import if_fits, recorded

MOST_WITH_KEY = 64
"""Wallets of a project with one key that are looked at: more of them are strange."""
_STRICTNESS = (STATUS, REPLACED, REVOKED)
"""What a wallet may do, from all to nothing: one that was replaced still signs where a caller asks for it."""


class Retired(NamedTuple):
    """A wallet whose key is not to be sealed for another one."""

    wallet_id: UUID
    status: str
    """``replaced`` or ``revoked``; empty where nothing that fits says what it is."""
    recorded: bool
    """Whether its record fits, so that its own verbs work."""


def require_not_retired(
    context: VaultContext,
    project_id: UUID,
    material: KeyMaterial,
    *,
    wallet_id: UUID | None = None,
    state: str = STATUS,
    taken: bool = True,
    gives_way: bool = False,
) -> None:
    """Raise ConflictError where a key is that of another wallet of a project that may do less than this one could.

    ``wallet_id``: the wallet that it is to be sealed for, None for a new one; ``state``: what its rows let that one do,
    where it has no record. Whose record proves this very key may have it back. ``taken``: the key was stored for
    another wallet; then also of one that was never live since strongroom knows it. ``gives_way``: it is replaced in the
    same transaction.
    """
    own = None if wallet_id is None else recorded(context, wallet_id, project_id)
    may = _may(own, state, gives_way=gives_way)
    if may == REVOKED or is_proved_by(context, own, replace(material, mnemonic=None, passphrase=None)):
        return
    found = _retired_with(context, project_id, material, wallet_id=wallet_id, state=may, taken=taken)
    if found is not None:
        raise refused(found, wallet_id)


def _may(own: Registered | None, said: str, *, gives_way: bool) -> str:
    """What a wallet may ever do again: its rows say less than its record only as long as whoever writes them likes.

    A word that is none of ours is recorded as it is, and allows nothing until the rows say another one.
    """
    status = said if own is None else own.record.status
    status = status if status in _STRICTNESS else STATUS
    return REPLACED if gives_way and status == STATUS else status


def _retired_with(
    context: VaultContext,
    project_id: UUID,
    material: KeyMaterial,
    *,
    wallet_id: UUID | None,
    state: str,
    taken: bool,
) -> Retired | None:
    """The same, as an answer. Raises KeyConflictError where more wallets have the key than are looked at."""
    keys = context.keys_of_others
    named = _stated(context, material, project_id) if keys is None else keys.wallets_with(material, project_id)
    for public_key in sorted({half.public_key for half in of_key(context, material)}):
        newest = context.store.register.retired_of_project(project_id, public_key, MOST_WITH_KEY + 2)
        named.update(record.credential_id for record, _ in newest)  # since the others were read
    named.discard(wallet_id or UUID(int=0))
    if len(named) > MOST_WITH_KEY:
        raise KeyConflictError(
            f"More than {MOST_WITH_KEY} wallets of this project have this key: nothing was changed.",
            hint="`strongroom doctor` names rows and records that were changed: remove those that somebody planted. "
            "If the key is to sign, `strongroom wallet import` takes it.",
        )
    return next(_less_than(context, project_id, sorted(named), state, taken=taken), None)


def require_live_source(context: VaultContext, wallet_id: UUID, source: UUID, state: str = STATUS) -> None:
    """Raise ConflictError where the wallet that a text was sealed for is not live by its own record, and its row.

    Its id is the text's own, so that no column hides that record. ``state``: what the wallet that takes the key may do;
    one that is replaced in the same transaction may have the key of one that is replaced.
    """
    known = recorded(context, source)
    status = "" if known is None else _stricter(known.record.status, *_said(_row(context, source)))
    if known is None or _rank(status) > _rank(state):
        raise refused(Retired(source, status, known is not None), wallet_id)


def refused(retired: Retired, wallet_id: UUID | None) -> ConflictError:
    """The error for a key that is not to be sealed for a wallet, None for a new one."""
    source = retired.wallet_id
    retire = "" if wallet_id is None else f"Retire {wallet_id}, if its row states that address. "
    if not retired.status:
        return ConflictError(
            f"Its key is that of {source}, a wallet of this project that may have been retired: the register has no "
            "record of it that fits.",
            hint=f"`strongroom doctor` says what became of {source}. Put its record back, from a backup, or "
            f"`strongroom upgrade --accept {source}` writes it anew. {retire}If the key is to sign, `strongroom wallet "
            "import` takes it.",
        )
    shown = f"`strongroom wallet export {source}` shows it, and " if retired.recorded else ""
    return ConflictError(
        f"Its key is that of {source}, a wallet of this project that is {retired.status}.",
        hint=f"{retire}If the key is to sign again, {shown}`strongroom wallet import` takes it.",
    )


def _stated(context: VaultContext, material: KeyMaterial, project_id: UUID) -> set[UUID]:
    """The wallets that state a key, and that anything says to be of a project. All rows and records are read."""
    halves = of_key(context, material)
    forms = {form for half in halves for text in (half.public_key, half.address) for form in spellings(text) if form}
    found, moved = set[UUID](), set[UUID]()
    for page in context.store.register.stream_key_holders():
        for holder in page:
            identity = None if holder.sealed_text is None else sealing.identity_in(holder.sealed_text)
            if (
                identity is not None
                and identity.project_id == project_id
                and not forms.isdisjoint(spellings(identity.address))
            ):
                found.add(identity.credential_id)
            if not forms.isdisjoint((*spellings(holder.public_key), *spellings(holder.address))):
                (found if holder.project_id == project_id else moved).add(holder.wallet_id)
    slots = owners_by_slot(context, moved - found)
    return found.union(each for each, slot in slots.items() if slot.is_untold or project_id in slot.projects)


def _less_than(
    context: VaultContext, project_id: UUID, named: Collection[UUID], state: str, *, taken: bool
) -> Iterator[Retired]:
    """Those that may do less, or may be such; one whose record fits and says another project is none of this one."""
    for wallet_id in named:
        known = context.store.register.find_record(wallet_id)
        if (fitting := if_fits(context, known)) is not None:
            found = _by_record(context, fitting, state, taken=taken)
            if fitting.record.project_id == project_id and found is not None:
                yield found
            continue
        row = _row(context, wallet_id)
        if not context.keyring.accepts_untagged and (known is not None or _is_of_strongroom(context, wallet_id, row)):
            yield Retired(wallet_id, "", recorded=False)
        elif taken and _rank(status := _stricter(STATUS, *_said(row))) > _rank(state):
            yield Retired(wallet_id, status, recorded=False)


def _by_record(context: VaultContext, known: Registered, state: str, *, taken: bool) -> Retired | None:
    record = known.record
    status = _stricter(record.status, *_said(_row(context, record.credential_id)))
    if _rank(status) <= _rank(state):
        return None
    if not taken and record.status != STATUS and record.version == 1:
        return None  # its legacy application had retired it before strongroom first recorded it
    return Retired(record.credential_id, status, recorded=True)


def _is_of_strongroom(context: VaultContext, wallet_id: UUID, row: StoredWallet | None) -> bool:
    """Whether strongroom sealed a wallet that it has no record of: that was removed."""
    if row is not None and (not context.store.foreign or sealing.is_sealed(row.sealed_text or "")):
        return True
    return was_sealed(context, wallet_id)


def _row(context: VaultContext, wallet_id: UUID) -> StoredWallet | None:
    """A wallet's row, whatever it says; None where there is none that can be read."""
    try:
        return context.store.wallets.get(wallet_id)
    except StrongroomError:
        return None


def _said(row: StoredWallet | None) -> tuple[str, ...]:
    """What a row lets its wallet do. One without rows is as its record says."""
    if row is None:
        return ()
    return row.wallet.status, REVOKED if row.wallet.access_level == REVOKED else row.wallet.status


def _stricter(*states: str) -> str:
    return max(states, key=_rank)


def _rank(state: str) -> int:
    return _STRICTNESS.index(state) if state in _STRICTNESS else len(_STRICTNESS)
