"""What several stores read and write of a wallet's rows, each within a transaction of its caller."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from strongroom.errors import StrongroomError, TriggerConflictError
from strongroom.records.stored_wallets import NewWallet, StoredWallet
from strongroom.records.wallets import REVOKED
from strongroom.store.connection.session import Session
from strongroom.store.context import LostRaceError, StoreContext
from strongroom.store.statements import WALLET_ROWS
from strongroom.store.statements.wallet_row import stored_wallet

_FIRST_ID = UUID(int=0)
_PAGE = 200
_MOST_CANDIDATES = 100


def refuse_values(
    context: StoreContext, session: Session, parameters: dict[str, Any], tables: Iterable[str] = WALLET_ROWS
) -> None:
    """Raise for what a length or a CHECK of the schema would refuse; PostgreSQL evaluates the CHECKs."""
    if context.foreign_schema is None:
        return
    tables = tuple(tables)
    context.foreign_schema.require_columns(all_of=True, tables=tables, lengths=False)
    for table in tables:
        row = WALLET_ROWS[table]
        names = {column: name for column, name in row.items() if context.foreign_schema.written(table, column)}
        values = {column: parameters[name] for column, name in names.items() if name in parameters}
        context.foreign_schema.require_words(table, values)
        context.foreign_schema.require_lengths(table, values)
        query = context.foreign_schema.checks_query(table, names)
        violated = session.fetch(query, parameters)[0][0] if query else []
        context.foreign_schema.refuse(table, violated, values)


def take_slot(context: StoreContext, session: Session, parameters: Mapping[str, Any]) -> bool:
    """Take a slot, unless it is taken, or the key that sealed seals no more.

    On Citus by two statements: of an INSERT ... SELECT from a table that is on every node it counts what was selected.
    """
    if context.profile.distributed:
        sealing_key = session.fetch(context.sql.keyring.find_sealing_key, parameters)
        return bool(sealing_key and session.change(context.sql.slots.name_slot, parameters))
    return bool(session.change(context.sql.slots.take_slot, parameters))


def find_candidates(
    context: StoreContext, session: Session, parameters: Mapping[str, Any], belongs: Callable[[StoredWallet], bool]
) -> list[StoredWallet]:
    """A project's rows that no slot names and that belong where a wallet is asked for; a hundred at most.

    Read page by page: a project may have any number of rows, and of those that belong two are too many already.
    """
    candidates: list[StoredWallet] = []
    after: Any = _FIRST_ID
    while True:
        found = session.fetch(context.sql.wallets.candidates, {**parameters, "after": after, "limit": _PAGE})
        try:
            candidates += filter(belongs, map(stored_wallet, found))
        except StrongroomError:
            found.clear()  # an error's frames keep no text of the legacy application: it may hold a key
            raise
        if len(found) < _PAGE or len(candidates) >= _MOST_CANDIDATES:
            return candidates[:_MOST_CANDIDATES]
        after = found[-1][0]


def revoke_vault_records(context: StoreContext, session: Session, parameters: Mapping[str, Any]) -> None:
    """Mark every vault record of a wallet as revoked. Raises TriggerConflictError where one of them was not written."""
    ((there,),) = session.fetch(context.sql.unwritten.count_vault_records, parameters)
    if session.change(context.sql.lifecycle.revoke_vault_record, parameters) < there:
        raise TriggerConflictError("A trigger or rule kept a vault record from being revoked; nothing was written.")


def require_row_revoked(context: StoreContext, session: Session, parameters: Mapping[str, Any]) -> None:
    """Raise TriggerConflictError where the row of a wallet that was revoked does not say so."""
    found = session.fetch(context.sql.wallets.get_in_project, parameters)
    if not found or stored_wallet(found[0]).wallet.status != REVOKED:
        raise TriggerConflictError("A trigger or rule kept the credential from being revoked; nothing was written.")


def _insert_record(context: StoreContext, session: Session, parameters: dict[str, Any]) -> None:
    """Write a wallet's record. Raises LostRaceError where a wallet of another account took its path of a phrase first;
    TriggerConflictError."""
    if session.change(context.sql.register.insert_record, parameters):
        return
    if parameters["phrase_id"] is not None and session.fetch(context.sql.phrases.taken_index, parameters):
        raise LostRaceError
    raise TriggerConflictError("A trigger or rule kept a row out; nothing was written.")


def insert_halves(context: StoreContext, session: Session, new: NewWallet, parameters: dict[str, Any]) -> None:
    """Write both halves and their log row; on tables with legacy triggers, read back what a text is bound to."""
    if not context.foreign:
        session.write(context.sql.wallets.insert_credential, parameters)
        session.write(context.sql.wallets.insert_vault_record, parameters)
        _insert_record(context, session, parameters)
        session.write(context.sql.log.insert_log, parameters)
        return
    if session.fetch(context.sql.wallets.insert_halves, parameters) != [(1, 1, 1, 1)]:
        raise TriggerConflictError("A trigger kept a part of the wallet out; nothing was written.")
    wallet = new.wallet
    whole = (new.sealed_text, wallet.vault_id, wallet.project_id, wallet.address, wallet.public_key)
    if session.fetch(context.sql.wallets.written, parameters) != [(*whole, wallet.vault_id, True)]:
        raise TriggerConflictError(
            "A trigger changed the credential or its vault record, or added another; nothing was written."
        )
