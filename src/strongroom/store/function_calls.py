"""A whole wallet written by one call of a function on its project's node, where Citus distributes the tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from strongroom.errors import NotInitializedError, PrivilegeMissingError, StoreRefusedError
from strongroom.records.stored_wallets import NewWallet
from strongroom.store import schema
from strongroom.store.context import StoreContext

_NO_SUCH_FUNCTION = "42883"


def insert_by_function(context: StoreContext, new: NewWallet, parameters: Mapping[str, Any]) -> bool | None:
    """Whether a wallet was written; None where it was not tried, or the function is gone or not the role's to call.

    Then single statements write it, or say what the role lacks: nothing was written.
    """
    function = context.wallet_function
    if function is None or new.registered.record.phrase_id is not None:
        return None
    try:
        ((written,),) = context.database.call(function.call, parameters)
    except (NotInitializedError, PrivilegeMissingError):
        return None
    except StoreRefusedError as error:
        if error.taken == schema.strongroom_slot.name:
            return False
        if getattr(error.__cause__, "sqlstate", None) == _NO_SUCH_FUNCTION:
            return None
        raise
    if type(written) is not bool:
        raise StoreRefusedError("The database driver returned neither true nor false where a wallet was written.")
    return written
