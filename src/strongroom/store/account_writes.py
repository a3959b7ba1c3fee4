"""Accounts of phrases: how far indices are taken, written in the transaction of the wallets that take them.

What makes it safe under concurrent callers: the row's lock, which ``lock_account`` takes before an index is looked for.
The transaction has it until it ends, so that the others wait, and find the index that comes after.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from strongroom.errors import StoreRefusedError, TriggerConflictError
from strongroom.ports.wallet_stores import DerivedSuccessor
from strongroom.records.phrases import AccountChange, StoredPhrase, TaggedAccount
from strongroom.records.register import Registered
from strongroom.records.stored_wallets import NewWallet
from strongroom.store.connection.session import Session
from strongroom.store.context import LostRaceError, StoreContext
from strongroom.store.free_indices import free_indices
from strongroom.store.statements.phrase_rows import stored_phrase, tagged_account
from strongroom.store.statements.register_rows import registered
from strongroom.store.statements.rows import readable

_TABLE = "strongroom_phrase_account"
_PATHS = re.compile(r"\(strongroom_wallet_(?:phrase_index|\w*phrase_id_network_path_idx)\)")
"""The index of paths, as it is called, and as PostgreSQL calls it on a partition."""
"""How the message of an error names the index that refused: on Citus there is nothing else of it."""


def lock_account(context: StoreContext, session: Session, first: TaggedAccount) -> TaggedAccount:
    """An account, its row locked, and inserted where there was none; whoever else asks for it waits."""
    session.change(context.sql.phrases.insert_account, account_parameters(first))
    locked = session.fetch(context.sql.phrases.lock_account, first.record._asdict())
    if not locked:
        raise TriggerConflictError("A trigger or rule kept an account of a phrase out; nothing was written.")
    return tagged_account(locked[0])


def lock_current(
    context: StoreContext,
    session: Session,
    first: TaggedAccount,
    check_phrase: Callable[[StoredPhrase | None], None],
) -> TaggedAccount:
    """``lock_account``; then the phrase is read: it may have been replaced while somebody waited for the lock."""
    account = lock_account(context, session, first)
    found = session.fetch(context.sql.phrases.get_phrase, first.record._asdict())
    check_phrase(stored_phrase(found[0]) if found else None)
    return account


def derive_successor(context: StoreContext, session: Session, new: DerivedSuccessor) -> NewWallet:
    """Make the wallet that takes the next index of an account, under its lock, and let the account go on after it."""
    account = lock_current(context, session, new.first, new.check_phrase)
    (index,) = free_indices(context, session.fetch, account, new.path, 1, new.check_taken)
    made, after = context.database.run_key_work(lambda: new.make(account, index))
    refuse_held(context, session, account, [made], new.check_held)
    if made.kid != new.kid or not change_account(context, session, AccountChange(account, after)):
        raise LostRaceError
    return made


def refuse_held(
    context: StoreContext,
    session: Session,
    account: TaggedAccount,
    made: Sequence[NewWallet],
    check_held: Callable[[Registered], None],
) -> None:
    """Let ``check_held`` refuse wallets whose address another one of the network has, by the register.

    Under the account's lock, before they are written; what others have not committed is not seen. Two ids of one phrase
    are what the unique index of its identifier keeps from being.
    """
    found = [new.wallet.address for new in made]
    if context.foreign_schema is not None:
        found += [address.lower() for address in found]
    addresses: Any = found if context.sql.writes_in_one else json.dumps(found)
    parameters = {**account.record._asdict(), "addresses": addresses}
    for row in session.fetch(context.sql.phrases.held_elsewhere, parameters):
        record = registered(readable(row))
        if record is not None:
            check_held(record)


def met_in_path(error: StoreRefusedError) -> bool:
    """Whether a wallet of another account took a path first: its transaction had another lock, and was not over yet.

    The register's unique index refused the second one. That one looks again, and takes the index after it.
    """
    return _PATHS.search(error.message) is not None


def change_account(context: StoreContext, session: Session, change: AccountChange) -> bool:
    """Let an account go on; False where it is not in the state that was read. Its row stays locked."""
    old, new = change
    if old is None:
        return bool(session.change(context.sql.phrases.insert_account, account_parameters(new)))
    parameters = {**account_parameters(new), "old_version": old.record.version, "old_tag": old.tag.value}
    return session.change_as_read(
        context.sql.phrases.advance_account, parameters, context.sql.unwritten.as_read[_TABLE]
    )


def account_parameters(account: TaggedAccount) -> dict[str, Any]:
    """The parameters of an account's row."""
    return {**account.record._asdict(), "tag_kid": account.tag.kid, "account_tag": account.tag.value}
