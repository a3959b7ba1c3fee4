"""Writing what a repair decided about one wallet, in one transaction.

What makes it safe under two concurrent callers: the credential and its records are locked, read again, and compared
with what was examined, here in the client; the first writer wins as a whole. A foreign key check on a new record waits
for the credential's lock. What is in the rows afterwards is read back before the commit: a trigger that changed it
ends the transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from strongroom.errors import TriggerConflictError
from strongroom.records.identifiers import new_id
from strongroom.records.register import MOST_SLOTS
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.records.wallets import ENCRYPTION_METHOD, REPLACED, REVOKED, Wallet, vault_id_of
from strongroom.store.catalog.foreign_schema import CREDENTIALS, VAULT
from strongroom.store.connection.session import Session
from strongroom.store.context import LostRaceError, StoreContext
from strongroom.store.inspection.inspection_rows import FoundWallet, KeptText, found_wallet
from strongroom.store.repair_changes import RelatedRows, WalletChangeSet
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

    def apply(self, expected: FoundWallet, changes: WalletChangeSet, related: RelatedRows) -> None:
        """Lock and compare what the changes were decided on; write them; read back what was written.

        Raises LostRaceError where a row is not what was examined, and TriggerConflictError where one is not what was
        written: nothing must stay then.
        """
        self._require_unchanged(expected, related)
        kept = self._keep(changes)
        self._write_changes(expected, changes)
        self._write_log()
        self._require_written(changes, kept)
        require_recent(related)

    # --- what was decided on ------------------------------------------------------------------------------------

    def _require_unchanged(self, expected: FoundWallet, related: RelatedRows) -> None:
        """Lock rows in the order of their ids, and compare them with what was examined."""
        sql, session = self._sql, self._session
        wallets = {str(self._wallet.id): expected, **related.wallets}
        holders = {found.credential.id for found in related.records.values() if found.credential is not None}
        for wallet_id in sorted({*wallets, *holders}):
            if sql.lock is not None:
                session.fetch(sql.lock, {"id": wallet_id})
        for wallet_id, seen in wallets.items():
            if self._read(sql.reading.wallet, wallet_id) != seen:
                raise LostRaceError
        for record_id, seen in sorted(related.records.items()):
            if sql.lock_record is not None:
                session.fetch(sql.lock_record, {"id": record_id})
            if self._read(sql.reading.record, record_id) != seen:
                raise LostRaceError
        for entry in related.history.values():
            require_kept(self._context, session, entry)
        require_said(self._context, session, related.said)
        ask_again(self._context, session, related)

    def _read(self, sql: str, row: UUID | str) -> FoundWallet | None:
        found = self._session.fetch(sql, {"id": row})
        return found_wallet(found, metadata_is_text=self._sql.reading.metadata_is_text) if found else None

    # --- what is written ----------------------------------------------------------------------------------------

    def _keep(self, changes: WalletChangeSet) -> list[dict[str, Any]]:
        """Write what the history keeps, first: the guard lets pass what is kept. Returns the rows' parameters."""
        kept = [each.parameters(self._wallet, self._now) for each in dict.fromkeys(changes.kept)]
        for each in kept:
            if self._session.change(self._sql.insert_history, each) != 1:
                raise TriggerConflictError("A trigger or rule kept the history's row out; nothing was written.")
        return kept

    def _write_changes(self, expected: FoundWallet, changes: WalletChangeSet) -> None:
        session, wallet, now = self._session, self._wallet, self._now
        if changes.vault_id is not None:  # before anything that fires a trigger which copies a shared one
            self._set(CREDENTIALS, wallet.id, {"key_vault_id": changes.vault_id, "updated_at": now})
            for record in expected.records[:1]:
                self._set(VAULT, record.id, {"vault_id": changes.vault_id, "updated_at": now})
        self._write_records(changes)
        for entry_id, text in changes.sealed_history.items():
            seal_entry(self._context, session, entry_id, text)
        if changes.recording is not None:
            write_record(session, self._context.sql, changes.recording)
        if changes.slot is not None:
            settle_slot(session, self._context.sql, self._sql, wallet, changes)
        if changes.credential:
            self._set(CREDENTIALS, wallet.id, {**changes.credential, "updated_at": now})
        settle_rows(session, self._sql, changes, self._parameters)
        self._write_metadata(changes)
        self._revoke_new_placeholders(expected)

    def _write_records(self, changes: WalletChangeSet) -> None:
        """The vault records: sealed texts, then placeholders over those that the history keeps, then a missing one."""
        emptied = ((record, {"encrypted_private_key": text}) for record, text in changes.emptied.items())
        for record_id, columns in (*changes.records.items(), *emptied):
            self._set(VAULT, record_id, {**columns, "updated_at": self._now})
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
        session, row = self._session, self._parameters
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
        found = self._read(self._sql.reading.wallet, self._wallet.id)
        for record in () if found is None else found.records:
            if record.text in PLACEHOLDERS:
                columns = {"access_level": REVOKED, "revoked_at": self._now, "updated_at": self._now}
                self._set(VAULT, record.id, columns)

    def _set(self, table: str, row: UUID | str, columns: dict[str, Any]) -> None:
        sql = self._sql
        known = {name: value for name, value in columns.items() if sql.has(table, name)}
        if known and self._session.change(sql.update(table, list(known)), {**known, "row": row}) != 1:
            raise LostRaceError

    def _write_log(self) -> None:
        if self._session.change(self._context.sql.log.insert_log, self._parameters) != 1:
            raise TriggerConflictError("A trigger kept the usage log's row out; nothing was written.")

    # --- what stands there, before the commit -------------------------------------------------------------------

    def _require_written(self, changes: WalletChangeSet, kept: list[dict[str, Any]]) -> None:
        self._require_texts(changes)
        for each in kept:
            require_entry(self._context, self._session, each["kept_id"], each["kept_text"], each["kept_form"])
        for entry_id, text in changes.sealed_history.items():
            require_entry(self._context, self._session, entry_id, text, "sealed")
        if not self._session.fetch(self._sql.written_log, self._parameters):
            raise TriggerConflictError("A trigger or rule kept the usage log's row out; nothing was written.")

    def _require_texts(self, changes: WalletChangeSet) -> None:
        found = self._read(self._sql.reading.wallet, self._wallet.id)
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
    def _now(self) -> Any:
        return self._parameters["now"]


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


def require_kept(context: StoreContext, session: Session, seen: KeptText) -> None:
    """Lock an entry of the history, which must be what was examined, its owner included. Raises LostRaceError."""
    found = session.fetch(context.repair_sql.lock_kept, {"entry_id": seen.id})
    if [KeptText(*row) for row in found] != [seen]:
        raise LostRaceError


def seal_entry(context: StoreContext, session: Session, entry_id: str, text: str) -> None:
    """Put a sealed text into an entry of the history. Raises TriggerConflictError where it was kept out."""
    if session.change(context.repair_sql.seal_history, {"entry_id": entry_id, "text": text}) != 1:
        raise TriggerConflictError("A trigger or rule kept the history as it was; nothing was written.")


def require_entry(context: StoreContext, session: Session, entry_id: UUID | str, text: str, form: str) -> None:
    """Read an entry of the history back, before the commit. Raises TriggerConflictError where it is another one."""
    found = session.fetch(context.repair_sql.written_history, {"entry_id": entry_id})
    if [tuple(row) for row in found] != [(text, form)]:
        raise TriggerConflictError("A trigger or rule changed the history's row; nothing was written.")
