"""Accounts of phrases: how far indices are taken, written in the transaction of the wallets that take them."""

from __future__ import annotations

from typing import Any

from strongroom.records.phrases import AccountChange, TaggedAccount
from strongroom.store.connection.session import Session
from strongroom.store.context import StoreContext

_TABLE = "strongroom_phrase_account"


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
