"""What a repair reads, and the transactions in which it writes; see ``change_writer`` for what makes them safe."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from strongroom.errors import TriggerConflictError
from strongroom.records.usage_log import Event, LogEntry
from strongroom.records.wallets import Wallet
from strongroom.store.change_writer import (
    ChangeWriter,
    ask_again,
    require_recent,
    require_said,
    said_of,
)
from strongroom.store.connection.session import Session
from strongroom.store.context import LostRaceError, StoreContext, retry_after_schema_change
from strongroom.store.inspection.inspection_rows import FoundWallet, KeptText, found_wallet
from strongroom.store.inspection.kept_texts import KeptTexts
from strongroom.store.repair_changes import RelatedRows, WalletChangeSet
from strongroom.store.repair_entries import require_entry, require_kept, seal_entry
from strongroom.store.statements import rows
from strongroom.store.statements.usage_log import log_values

_PAGE = 500


class SqlRepairStore:
    """Writes what repair changes of one wallet, in one transaction."""

    def __init__(self, context: StoreContext) -> None:
        self.context = context

    def read_wallet(self, wallet_id: UUID, project_id: UUID | None = None) -> FoundWallet | None:
        """A credential with its records, as doctor sees them; of a project, where one is given."""
        sql = self.context.repair_sql.reading
        statement = sql.wallet if project_id is None else sql.wallet_in_project
        found = self.context.read(statement, {"id": wallet_id, "stored_project": project_id})
        return found_wallet(found, metadata_is_text=sql.metadata_is_text) if found else None

    def look_at_record(self, record_id: str) -> FoundWallet | None:
        """A vault record, with its credential where there is one."""
        sql = self.context.repair_sql.reading
        found = self.context.read(sql.record, {"id": record_id})
        return found_wallet(found, metadata_is_text=sql.metadata_is_text) if found else None

    def said_of(self, wallet_id: UUID) -> list[tuple[Any, ...]]:
        """What register and slots say of a wallet, to be compared when it is written."""
        return said_of(self.context, self.context.read, wallet_id)

    def look_at_history(self, entry_id: UUID) -> KeptText | None:
        """An entry of the history."""
        found = self.context.read(self.context.repair_sql.reading.kept_entry, {"id": entry_id})
        return KeptText(*found[0]) if found else None

    def kept_texts(self, wallet_id: UUID) -> KeptTexts:
        """The texts that the history keeps of a wallet, sealed ones first."""
        return KeptTexts(self.context.read, self.context.repair_sql.reading, str(wallet_id))

    def seal_kept(
        self,
        sealed: Sequence[tuple[KeptText, str]],
        copied: Collection[str] = (),
        related: RelatedRows | None = None,
    ) -> bool:
        """Put sealed texts in the place of the legacy application's in the history; False where one has changed.

        ``copied``: the ids of entries that are kept as they were, too, in rows of their own. ``related``: what
        register and slots must still say, and what is asked before the commit. Raises TriggerConflictError where a row
        was kept out: nothing was changed.
        """
        related = related or RelatedRows()

        def unit(session: Session) -> bool:
            require_said(self.context, session, related.said)
            entries = sorted(sealed, key=lambda each: each[0].id)
            for kept, _ in entries:
                require_kept(self.context, session, kept)
            ask_again(self.context, session, related)
            for kept, text in entries:
                if kept.id in copied:
                    copy_id = uuid4()
                    copied_from = {"entry_id": kept.id, "stored_project": kept.project_id, "copy_id": copy_id}
                    session.write(self.context.repair_sql.copy_history, copied_from)
                    require_entry(self.context, session, (copy_id, kept.project_id), kept.text, kept.form)
                seal_entry(self.context, session, kept, text)
                require_entry(self.context, session, (kept.id, kept.project_id), text, "sealed")
            require_recent(related)
            return True

        try:
            return self.context.transact(unit)
        except LostRaceError:
            return False

    def write_event(self, event_id: UUID, event: Event, now: datetime) -> None:
        """Commit one row of events. Raises OutcomeUnknownError: then ``has_event`` says whether it was."""
        parameters = rows.event_parameters(event, now, event_id)

        def unit(session: Session) -> None:
            session.change(self.context.sql.keyring.insert_event, parameters)
            if not session.fetch(self.context.repair_sql.event, parameters):
                raise TriggerConflictError("A trigger or rule kept the row of strongroom_events out.")

        self.context.transact(unit)

    def has_event(self, event_id: UUID) -> bool:
        """Whether a row of events is there."""
        return bool(self.context.read(self.context.repair_sql.event, {"event_id": event_id}))

    def exposed(self) -> Iterator[tuple[str, str, str]]:
        """Id, network and address of every wallet whose key a repair found in plaintext, now or earlier."""
        after = UUID(int=0)
        while True:
            parameters = {"after": after, "exposed": '%"exposed": "true"%', "limit": _PAGE}
            page = self.context.read(self.context.repair_sql.exposed, parameters)
            yield from ((str(wallet_id), str(network or ""), str(address)) for wallet_id, network, address in page)
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def shares_vault_id(self, wallet_id: UUID, vault_id: str) -> bool:
        """Whether another credential has the same vault id, and the vault record that has it is not this one's."""
        parameters = {"id": wallet_id, "vault_id": vault_id}
        sql = self.context.repair_sql
        if self.context.read(sql.own_vault_id, parameters):
            return False
        return bool(self.context.read(sql.vault_id_taken_elsewhere, parameters))  # may have to read the whole table

    def named_by_slot(self, project_id: str | None, network: str, label: str) -> str | None:
        """The id of the credential that a slot names, or None."""
        try:
            UUID(project_id or "")
        except ValueError:
            return None  # of a project whose id is none of ours there is no slot
        names = {"project_id": project_id, "network": network, "label": label}
        found = self.context.read(self.context.repair_sql.slot, names)
        return str(found[0][0]) if found else None

    @retry_after_schema_change
    def apply_changes(
        self,
        wallet: Wallet,
        expected: FoundWallet,
        changes: WalletChangeSet,
        entry: LogEntry,
        now: datetime,
        related: RelatedRows,
    ) -> bool:
        """Carry out changes if the rows, and those that the decision rests on, are still what was examined; else False.

        Raises StoreError: then nothing was changed; OutcomeUnknownError: then it may have been.
        """
        parameters = {
            "id": wallet.id,
            "project_id": wallet.project_id,
            **log_values(entry, now),
        }
        try:
            self.context.transact(
                lambda session: ChangeWriter(self.context, session, wallet, parameters).apply(
                    expected, changes, related
                )
            )
        except LostRaceError:
            return False
        except TriggerConflictError as error:
            raise self.context.named(error) from error
        return True
