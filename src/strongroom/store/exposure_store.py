"""What has left the branches of phrases: written with the log row that says so, under the branch's row lock."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from strongroom.errors import TriggerConflictError
from strongroom.ports.exposure_store import Exposure, Logged
from strongroom.records.usage_log import Event
from strongroom.records.watch_only import TaggedBranch
from strongroom.store.account_writes import account_parameters
from strongroom.store.connection.session import Session
from strongroom.store.context import LostRaceError, StoreContext, retry_after_schema_change
from strongroom.store.phrase_pages import rows_of_phrase
from strongroom.store.statements import rows
from strongroom.store.statements.phrase_rows import tagged_branch
from strongroom.store.statements.tables import BRANCH_ROW
from strongroom.store.statements.usage_log import log_values

_TABLE = "strongroom_phrase_branch"


class SqlExposureStore:
    """What has left the branches of phrases; see ports.exposure_store.ExposureStore."""

    def __init__(self, context: StoreContext) -> None:
        self.context = context

    def branches(self, project_id: UUID, phrase_id: UUID) -> list[TaggedBranch]:
        sql, phrase = self.context.sql.phrases.branches_of_phrase, (project_id, phrase_id)
        return [tagged_branch(row) for row in rows_of_phrase(self.context, sql, tuple(BRANCH_ROW), phrase)]

    @retry_after_schema_change
    def expose(self, exposure: Exposure, now: datetime) -> bool:
        def unit(session: Session) -> None:
            if exposure.account is not None:
                session.change(self.context.sql.phrases.insert_account, account_parameters(exposure.account))
            first = branch_parameters(exposure.first)
            session.change(self.context.sql.phrases.insert_branch, first)
            locked = session.fetch(self.context.sql.phrases.lock_branch, first)
            if not locked:
                raise TriggerConflictError("A trigger or rule kept a branch of a phrase out; nothing was written.")
            if not session.fetch(self.context.sql.keyring.find_sealing_key, {"kid": exposure.first.tag.kid}):
                raise LostRaceError
            old = tagged_branch(locked[0])
            new = self.context.database.run_key_work(lambda: exposure.change(old))
            if new is not None:
                self._change(session, old, new)
            self._write_log(session, exposure.logged, now)

        try:
            self.context.transact(unit)
        except LostRaceError:
            return False
        return True

    def _change(self, session: Session, old: TaggedBranch, new: TaggedBranch) -> None:
        parameters = {**branch_parameters(new), "old_version": old.record.version, "old_tag": old.tag.value}
        as_read = self.context.sql.unwritten.as_read[_TABLE]
        if not session.change_as_read(self.context.sql.phrases.change_branch, parameters, as_read):
            raise LostRaceError

    def _write_log(self, session: Session, logged: Logged, now: datetime) -> None:
        if isinstance(logged, Event):
            session.write(self.context.sql.keyring.insert_event, rows.event_parameters(logged, now))
            return
        stored, entry = logged
        whose = {"project_id": stored.wallet.project_id, "id": stored.wallet.id}
        session.write(self.context.sql.log.insert_log, {**whose, **log_values(entry, now)})


def branch_parameters(branch: TaggedBranch) -> dict[str, Any]:
    """The parameters of a branch's row."""
    return {**branch.record._asdict(), "tag_kid": branch.tag.kid, "branch_tag": branch.tag.value}
