"""Writing what a repair decided about one wallet, in one transaction.

What makes it safe under two concurrent callers: the credential and its records are locked, read again, and compared
with what was examined, here in the client; the first writer wins as a whole. A foreign key check on a new record waits
for the credential's lock. What is in the rows afterwards is read back before the commit: a trigger that changed it
ends the transaction.

Each row is locked, read and written in the project that it was examined in, whosever the wallet is: where the tables
are divided that is its place, and one that moved to another meanwhile is not found. What is of other projects is one
transaction with the rest: a text is archived for its own wallet before another one takes its place, or neither is.
Citus commits it on the nodes in two phases.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from strongroom.errors import StoreRefusedError, TriggerConflictError
from strongroom.records.identifiers import new_id
from strongroom.records.register import MOST_SLOTS
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.records.wallets import ENCRYPTION_METHOD, REPLACED, REVOKED, Wallet, vault_id_of
from strongroom.store.catalog.foreign_schema import CREDENTIALS, VAULT
from strongroom.store.connection.session import Session
from strongroom.store.context import LostRaceError, StoreContext
from strongroom.store.inspection.inspection_rows import FoundRecord, FoundWallet, found_wallet
from strongroom.store.repair_changes import RelatedRows, WalletChangeSet
from strongroom.store.repair_entries import require_entry, require_kept, seal_entry
from strongroom.store.repair_register import settle_rows, settle_slot, write_record
from strongroom.store.wallet_writes import refuse_values

Fetch = Callable[[str, Mapping[str, Any]], list[tuple[Any, ...]]]


class ChangeWriter:
    """Writes a change set of one wallet. ``parameters`` are those of the row that goes into its usage log."""

    def __init__(self, context: StoreContext, session: Session, wallet: Wallet, parameters: dict[str, Any]) -> None:
        self._context = context
        self._sql = context.repair_sql
        self._session = session
        self._wallet = wallet
        self._parameters = parameters
        self._project: str | None = None
        """What the credential's row says its project is, as it is examined, and as it is written."""

    def apply(self, expected: FoundWallet, changes: WalletChangeSet, related: RelatedRows) -> None:
        """Lock and compare what the changes were decided on; write them; read back what was written.

        Raises LostRaceError where a row is not what was examined, and TriggerConflictError where one is not what was
        written: nothing must stay then.
        """
        self._project = None if expected.credential is None else expected.credential.project_id
        self._require_place(changes)
        self._require_unchanged(expected, related)
        kept = self._keep(changes)
        self._write_changes(expected, changes, related)
        self._write_log()
        self._require_written(changes, kept, related)
        require_recent(related)

    # --- what was decided on ------------------------------------------------------------------------------------

    def _require_place(self, changes: WalletChangeSet) -> None:
        """Raise StoreRefusedError where a row would have to move to another part: no node takes that of an UPDATE."""
        project = changes.credential.get("project_id", self._project)
        if self._context.profile.sharded and str(project) != self._project:
            raise StoreRefusedError(
                f"The rows of {self._wallet.id} are among those of another project, {self._project}, and no row of "
                "tables that are divided by project becomes another project's; nothing was written.",
                hint=f"`strongroom history restore {self._wallet.id} --project {project}` makes them anew.",
            )

    def _require_unchanged(self, expected: FoundWallet, related: RelatedRows) -> None:
        """Lock rows in the order of their ids, each where it was examined, and compare them with what that was.

        A row that moved to another project meanwhile is not found there, and is one that changed.
        """
        wallets = {str(self._wallet.id): expected, **related.wallets}
        holders = {found.credential.id: found for found in related.records.values() if found.credential is not None}
        for wallet_id, seen in sorted({**holders, **wallets}.items()):
            self._lock(wallet_id, seen)
        for wallet_id, seen in wallets.items():
            if self._read_wallet(wallet_id, seen) != seen:
                raise LostRaceError
        for record_id, seen in sorted(related.records.items()):
            self._require_record(record_id, seen)
        for entry in related.history.values():
            require_kept(self._context, self._session, entry)
        require_said(self._context, self._session, related.said)
        ask_again(self._context, self._session, related)

    def _lock(self, wallet_id: str, seen: FoundWallet) -> None:
        """Lock a credential and its records, whatever project each of the rows says."""
        if self._sql.lock is None:
            return
        named = {"id": wallet_id, "stored_project": _project_of(seen)}
        self._session.fetch(self._sql.lock, named)
        others = {record.project_id for record in seen.records} - {named["stored_project"], None}
        for project in sorted(filter(None, others)):
            self._session.fetch(self._sql.lock_records, {**named, "stored_project": project})

    def _require_record(self, record_id: str, seen: FoundWallet) -> None:
        """Lock a vault record that a key is taken from. Raises LostRaceError where it is another one by now."""
        named = {"id": record_id, "stored_project": seen.records[0].project_id}
        if self._sql.lock_record is not None:
            self._session.fetch(self._sql.lock_record, named)
        if self._read(self._sql.reading.record_in_project, named) != seen:
            raise LostRaceError

    def _read_wallet(self, wallet_id: UUID | str, seen: FoundWallet | None = None) -> FoundWallet | None:
        """A credential and its records, in the project that its row says, or that it said when it was seen."""
        project = self._project if seen is None else _project_of(seen)
        return self._read(self._sql.reading.wallet_in_project, {"id": wallet_id, "stored_project": project})

    def _read(self, sql: str, named: Mapping[str, Any]) -> FoundWallet | None:
        found = self._session.fetch(sql, named)
        return found_wallet(found, metadata_is_text=self._sql.reading.metadata_is_text) if found else None

    # --- what is written ----------------------------------------------------------------------------------------

    def _keep(self, changes: WalletChangeSet) -> list[dict[str, Any]]:
        """Write what the history keeps, first: the guard lets pass what is kept. Returns the rows' parameters."""
        kept = [each.parameters(self._wallet, self._now) for each in dict.fromkeys(changes.kept)]
        for each in kept:
            if self._session.change(self._sql.insert_history, each) != 1:
                raise TriggerConflictError("A trigger or rule kept the history's row out; nothing was written.")
        return kept

    def _write_changes(self, expected: FoundWallet, changes: WalletChangeSet, related: RelatedRows) -> None:
        session, wallet, now = self._session, self._wallet, self._now
        if changes.vault_id is not None:  # before anything that fires a trigger which copies a shared one
            self._set_credential({"key_vault_id": changes.vault_id, "updated_at": now})
            for record in expected.records[:1]:
                self._set_record(record, {"vault_id": changes.vault_id, "updated_at": now})
        self._write_records(expected, changes)
        for entry_id, text in changes.sealed_history.items():
            seal_entry(self._context, session, related.history[entry_id], text)
        if changes.recording is not None:
            write_record(session, self._context.sql, changes.recording)
        if changes.slot is not None:
            settle_slot(session, self._context.sql, self._sql, wallet, changes)
        if changes.credential:
            self._set_credential({**changes.credential, "updated_at": now})
            self._project = str(changes.credential.get("project_id", self._project))  # where what follows finds it
        settle_rows(session, self._sql, changes, self._row, related)
        self._write_metadata(changes)
        self._revoke_new_placeholders(expected)

    def _write_records(self, expected: FoundWallet, changes: WalletChangeSet) -> None:
        """The vault records: sealed texts, then placeholders over those that the history keeps, then a missing one."""
        there = {record.id: record for record in expected.records}
        emptied = ((record, {"encrypted_private_key": text}) for record, text in changes.emptied.items())
        for record_id, columns in (*changes.records.items(), *emptied):
            self._set_record(there[record_id], {**columns, "updated_at": self._now})
        if changes.inserted is not None:
            self._insert_record(changes)

    def _insert_record(self, changes: WalletChangeSet) -> None:
        wallet = self._wallet
        plain = self._context.plain_vault_ids
        record = {
            **self._parameters,
            "vault_row_id": new_id(self._now),
            "vault_id": changes.vault_id or wallet.vault_id or vault_id_of(wallet.id, plain=plain),
            "sealed_text": changes.inserted,
            "encryption_method": ENCRYPTION_METHOD,
            "access_level": changes.inserted_level,
        }
        refuse_values(self._context, self._session, record, (VAULT,))
        if self._session.change(self._context.sql.lifecycle.insert_missing_vault_record, record) != 1:
            raise LostRaceError

    def _write_metadata(self, changes: WalletChangeSet) -> None:
        session, row = self._session, self._row
        if changes.dropped and session.change(self._sql.drop_members(changes.dropped), row) != 1:
            raise LostRaceError
        if changes.derivation is not None:
            scheme, path = changes.derivation
            if session.change(self._sql.set_derivation, {**row, "scheme": scheme, "path": path}) != 1:
                raise LostRaceError

    def _revoke_new_placeholders(self, expected: FoundWallet) -> None:
        """A trigger of the legacy application may have given a revoked wallet a placeholder, and rights on it."""
        credential = expected.credential
        if expected.records or credential is None or credential.live or credential.status == REPLACED:
            return
        found = self._read_wallet(self._wallet.id)
        for record in () if found is None else found.records:
            if record.text in PLACEHOLDERS:
                columns = {"access_level": REVOKED, "revoked_at": self._now, "updated_at": self._now}
                self._set_record(record, columns)

    def _set_credential(self, columns: dict[str, Any]) -> None:
        self._set(CREDENTIALS, self._wallet.id, self._project, columns)

    def _set_record(self, record: FoundRecord, columns: dict[str, Any]) -> None:
        self._set(VAULT, record.id, record.project_id, columns)

    def _set(self, table: str, row: UUID | str, project: str | None, columns: dict[str, Any]) -> None:
        sql = self._sql
        known = {name: value for name, value in columns.items() if sql.has(table, name)}
        named = {**known, "row": row, "stored_project": project}
        if known and self._session.change(sql.update(table, list(known)), named) != 1:
            raise LostRaceError

    def _write_log(self) -> None:
        if self._session.change(self._context.sql.log.insert_log, self._parameters) != 1:
            raise TriggerConflictError("A trigger kept the usage log's row out; nothing was written.")

    # --- what stands there, before the commit -------------------------------------------------------------------

    def _require_written(self, changes: WalletChangeSet, kept: list[dict[str, Any]], related: RelatedRows) -> None:
        self._require_texts(changes)
        for each in kept:
            place = each["kept_id"], each["kept_project_id"]
            require_entry(self._context, self._session, place, each["kept_text"], each["kept_form"])
        for entry_id, text in changes.sealed_history.items():
            place = entry_id, related.history[entry_id].project_id
            require_entry(self._context, self._session, place, text, "sealed")
        if not self._session.fetch(self._sql.written_log, self._parameters):
            raise TriggerConflictError("A trigger or rule kept the usage log's row out; nothing was written.")

    def _require_texts(self, changes: WalletChangeSet) -> None:
        found = self._read_wallet(self._wallet.id)
        texts = {} if found is None else {record.id: record.text for record in found.records}
        wanted = {
            record_id: changes.emptied.get(record_id, columns["encrypted_private_key"])
            for record_id, columns in changes.records.items()
            if "encrypted_private_key" in columns
        }
        stand = all(texts.get(record_id) == text for record_id, text in wanted.items())
        if not stand or (changes.inserted is not None and changes.inserted not in texts.values()):
            raise TriggerConflictError("A trigger changed the vault record; nothing was written.")

    @property
    def _row(self) -> dict[str, Any]:
        """The parameters of a statement about the credential's row."""
        return {**self._parameters, "stored_project": self._project}

    @property
    def _now(self) -> Any:
        return self._parameters["now"]


def _project_of(seen: FoundWallet) -> str | None:
    return None if seen.credential is None else seen.credential.project_id


def said_of(context: StoreContext, fetch: Fetch, wallet_id: UUID) -> list[tuple[Any, ...]]:
    """What register and slots say of a wallet: whose it is, and in which state."""
    sql = context.sql
    ids = [wallet_id] if sql.writes_in_one else json.dumps([str(wallet_id)])
    records = fetch(sql.pages.records_of_wallets, {"ids": ids})
    return sorted([*records, *fetch(sql.slots.of_wallets, {"ids": ids, "limit": MOST_SLOTS + 1})], key=repr)


def require_said(context: StoreContext, session: Session, said: Mapping[UUID, Sequence[tuple[Any, ...]]]) -> None:
    """Raise LostRaceError where register or slots say anything else of a wallet by now."""
    for wallet_id, seen in said.items():
        if said_of(context, session.fetch, wallet_id) != seen:
            raise LostRaceError


def ask_again(context: StoreContext, session: Session, related: RelatedRows) -> None:
    """Ask anew, under the locks, what was asked about the keys, where waiting for them took long."""
    if related.asked is not None:
        related.asked.ask_again(context.inside(session))


def require_recent(related: RelatedRows) -> None:
    """Raise LostRaceError where the answers are too old to commit what they allowed."""
    if related.asked is not None and related.asked.is_too_old():
        raise LostRaceError
