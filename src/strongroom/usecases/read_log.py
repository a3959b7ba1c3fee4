"""Read the usage log and the events."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from strongroom.errors import InvalidActorError, InvalidCursorError, InvalidTimeError
from strongroom.records.identifiers import check_project_id
from strongroom.records.usage_log import LogPage, LogQuery
from strongroom.records.wallets import WalletReference
from strongroom.usecases.context import VaultContext
from strongroom.usecases.read import asked_for, check_limit

_LONGEST = 255


def list_log(
    context: VaultContext,
    wallet: WalletReference | None,
    project_id: UUID | str | None,
    actor: UUID | str | None,
    action: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    after: str | None,
) -> LogPage:
    """See Vault.list_log."""
    check_limit(limit)
    for text in (actor, action):
        if text is not None and not (isinstance(text, UUID) or (isinstance(text, str) and 0 < len(text) <= _LONGEST)):
            raise InvalidActorError("The actor or the action is empty, too long, or not text.")
    query = LogQuery(
        limit=limit,
        wallet_id=None if wallet is None else asked_for(wallet)[0],
        project_id=None if project_id is None else check_project_id(project_id),
        actor=None if actor is None else str(actor),
        action=action,
        since=_utc(since),
        until=_utc(until),
        before=cursor_of(after),
    )
    return context.store.log.list_log(query)


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        raise InvalidTimeError("The time has no time zone.")
    return moment.astimezone(UTC)


def cursor_of(after: str | None) -> tuple[datetime, str] | None:
    """What the cursor of a page names. Raises InvalidCursorError."""
    try:
        if after is None:
            return None
        moment, _, key = after.partition("~")
        found = datetime.fromisoformat(moment)
        if not 0 < len(key) <= _LONGEST or not key.isprintable() or found.utcoffset() is None:
            raise ValueError
    except (ValueError, AttributeError, TypeError):
        raise InvalidCursorError("The cursor did not come from a page of this list.") from None
    return found, key
