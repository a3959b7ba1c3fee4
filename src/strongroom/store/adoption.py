"""Adopting: a slot that was taken comes to name a wallet that the legacy application wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from strongroom.errors import AmbiguousWalletError
from strongroom.ports.wallet_stores import Adopts
from strongroom.records.register import MOST_SLOTS, TaggedSlot
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.store.connection.session import Session
from strongroom.store.context import LostRaceError, StoreContext
from strongroom.store.lifecycle_store import key_missing
from strongroom.store.statements import rows
from strongroom.store.statements.register_rows import record_parameters, tagged_slot
from strongroom.store.statements.wallet_row import stored_wallet


def adopt_candidate(
    context: StoreContext,
    session: Session,
    parameters: Mapping[str, Any],
    candidates: Sequence[StoredWallet],
    adopt: Adopts,
    *,
    keyed: bool,
) -> None:
    """Let the slot that this transaction took name the one wallet that was there, if nothing speaks against it.

    ``parameters`` name the slot; ``keyed``: an idempotency key was taken with it. Raises AmbiguousWalletError where
    there are several, KeyMissingError, what ``adopt`` raises, and LostRaceError.
    """
    if len(candidates) > 1:
        ids = ", ".join(str(stored.wallet.id) for stored in candidates)
        raise AmbiguousWalletError(
            f"The project has several live wallets on {parameters['network']}: {ids}.",
            hint="Retire all but one of them; nothing was written.",
        )
    (only,) = candidates
    if only.sealed_text is None or only.sealed_text in PLACEHOLDERS:
        kept = session.fetch(context.sql.lifecycle.count_history, {**parameters, "id": only.wallet.id})[0][0]
        raise key_missing(only, kept, parameters["now"])
    adoption = adopt(only, _locked_slots(context, session, only))
    adopted = {**parameters, "candidate": only.wallet.id, "slot_tag": adoption.slot_tag.value}
    session.write(context.sql.slots.adopt_slot, {**adopted, "tag_kid": adoption.slot_tag.kid})
    if keyed and adoption.idempotency_tag is not None:
        tag = adoption.idempotency_tag
        session.write(context.sql.wallets.adopt_idempotency, {**adopted, "key_tag": tag.value, "tag_kid": tag.kid})
    if adoption.registered is not None and not session.change(
        context.sql.register.insert_record, record_parameters(adoption.registered)
    ):
        raise LostRaceError  # another writer registered it meanwhile


def _locked_slots(context: StoreContext, session: Session, only: StoredWallet) -> list[TaggedSlot]:
    """The slots that name a wallet already; of two projects that adopt it, one waits, and sees the other's slot.

    By an advisory lock: one of its row asks for the privilege to UPDATE it, which a creator need not have.
    """
    named = {"id": only.wallet.id, "project_id": only.wallet.project_id}
    if context.sql.writes_in_one:
        session.fetch(context.sql.slots.lock_adoption, named)
    locked = session.fetch(context.sql.wallets.get_in_project, named)
    if not locked or stored_wallet(locked[0]).wallet != only.wallet:
        raise LostRaceError
    found = session.fetch(context.sql.slots.of_wallets, {"ids": [only.wallet.id], "limit": MOST_SLOTS + 1})
    return [tagged_slot(row) for row in map(rows.readable, found)]
