"""The verbs of a vault that read its records for people: the log, projects."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from strongroom.records.erasure import Erased
from strongroom.records.projects import ProjectPage
from strongroom.records.usage_log import Attribution, LogPage
from strongroom.records.wallets import Wallet
from strongroom.usecases import erase, read, read_log
from strongroom.usecases.context import VaultContext


class RecordVerbs:
    """What was done in a vault, and for whom."""

    _context: VaultContext

    def list_log(
        self,
        wallet: UUID | str | Wallet | None = None,
        *,
        project_id: UUID | str | None = None,
        actor: UUID | str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
        after: str | None = None,
        connection: Any | None = None,
    ) -> LogPage:
        """Return one page of the log, newest first: what was done with wallets, and what was done with the vault.

        What was done with the vault (``rotate``, ``remove-root-key``; ``source`` is ``event``) belongs to no wallet: it
        is left out where one is named. Of a project there are the events that name it: those of its phrases, and of its
        erasure. The log says what the database says: no tag covers its rows.

        Args:
            wallet: only of this wallet, also where its rows are gone.
            project_id: only of this project. Events have no index by project: all of them are read for it.
            actor: only what this one did, exactly as it was logged.
            action: only this, such as ``sign`` or ``export``.
            since, until: from a time, and before one; with a time zone. Rows without a time are left out then.
            limit: 1 to 1,000 records.
            after: ``next`` of the page before.
            connection: what the caller's transaction sees, as for ``get_wallet``.

        Raises InvalidRequestError (InvalidTimeError, InvalidLimitError, InvalidCursorError), StoreError.
        """
        return read_log.list_log(
            self._context.within(connection), wallet, project_id, actor, action, since, until, limit, after
        )

    def list_projects(
        self, *, limit: int = 100, after: str | None = None, connection: Any | None = None
    ) -> ProjectPage:
        """Return one page of the projects that have wallets, in the order of their ids, with the number of wallets.

        The numbers count rows, whatever they hold. Raises InvalidLimitError, InvalidCursorError, StoreError.
        """
        return read.list_projects(self._context.within(connection), limit, after)

    def erase_project(self, project_id: UUID | str, *, actor: UUID | str, reason: str) -> Erased:
        """Take what may name a person from a project's rows, and retire all of its wallets. There is no way back.

        Labels become ``erased-`` and digits of the wallet's id; who, why, from where and to whom go from the usage log,
        who created and revoked from the wallets; idempotency keys become their HMAC, and answer no more. The keys stay,
        and open by the wallets' ids. Afterwards the project may create wallets again. ``Erased.as_dict()["kept"]`` says
        what stays, and why; docs/erasure.md says more.

        Each wallet is erased in a transaction of its own. A run that was cut off is continued by the next one, which
        also takes what callers wrote meanwhile: stop the project's traffic first, or run it twice.

        Args:
            project_id: the project, also one that has nothing left to erase.
            actor, reason: who erases, and why; they stay in the events. Name no person in the reason.

        Returns what was done. Wallets that the register contradicts are left, with their errors in ``failed``.
        Raises InvalidProjectError, InvalidActorError, StoreError: then run it again.
        """
        return erase.erase_project(self._context, project_id, Attribution.of(actor, reason, required=True))
