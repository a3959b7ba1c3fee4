"""Mending one wallet in one transaction.

What makes it safe under two concurrent callers: the credential and its records are locked, read again, and compared
with what was examined, here in the client; whoever was first wins as a whole. A foreign key check on a new record waits
for the credential's lock. What stands in the rows afterwards is read back before the commit: a trigger that changed it
ends the transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from strongroom.errors import OutcomeUnknownError, TriggerConflictError
from strongroom.identifiers import new_id
from strongroom.model import (
    ENCRYPTION_METHOD,
    PLACEHOLDERS,
    REPLACED,
    REVOKED,
    Event,
    LogEntry,
    Wallet,
    vault_id_of,
)
from strongroom.store.catalog.foreign_schema import CREDENTIALS, VAULT
from strongroom.store.catalog.profile import Profile
from strongroom.store.connection.database import Database
from strongroom.store.connection.session import Session
from strongroom.store.ground import Ground, LostRaceError, retry_after_schema_change
from strongroom.store.inspection.inspection_rows import FoundWallet, KeptText, found_wallet
from strongroom.store.repair_changes import Beside, WalletChangeSet
from strongroom.store.repair_register import settle_rows, take_slot, write_record
from strongroom.store.statements import rows
from strongroom.store.statements.repair import RepairStatements

_PAGE = 500


class RepairStore(Ground):
    """Wallets that are mended."""

    def __init__(self, database: Database, profile: Profile) -> None:
        super().__init__(database, profile)
        self._repair = RepairStatements(profile, sqlite=database.engine.dialect.name == "sqlite")

    def read_wallet(self, wallet_id: UUID) -> FoundWallet | None:
        """A credential with its records, as doctor sees them."""
        sql = self._repair.reading
        found = self._database.read(sql.wallet, {"id": wallet_id})
        return found_wallet(found, metadata_is_text=sql.metadata_is_text) if found else None

    def look_at_record(self, record_id: str) -> FoundWallet | None:
        """A vault record, with its credential where there is one."""
        sql = self._repair.reading
        found = self._database.read(sql.record, {"id": record_id})
        return found_wallet(found, metadata_is_text=sql.metadata_is_text) if found else None

    def look_at_history(self, entry_id: UUID) -> KeptText | None:
        """An entry of the history."""
        found = self._database.read(self._repair.reading.kept_entry, {"id": entry_id})
        return KeptText(*found[0]) if found else None

    def kept_texts(self, wallet_id: UUID) -> list[KeptText]:
        """The newest texts that the history keeps of a wallet."""
        return [KeptText(*row) for row in self._database.read(self._repair.reading.kept, {"id": wallet_id})]

    def seal_kept(self, sealed: Sequence[tuple[KeptText, str]]) -> bool:
        """Put sealed texts in the place of another application's in the history; False where one has changed."""

        def unit(session: Session) -> bool:
            for kept, text in sorted(sealed, key=lambda each: each[0].id):
                self._require_kept(session, kept)
                self._seal_entry(session, kept.id, text)
                self._require_entry(session, kept.id, text, "sealed")
            return True

        try:
            return self._database.transact(unit)
        except LostRaceError:
            return False

    def write_event(self, event: Event, now: datetime) -> None:
        """Write a row of events, once: where the connection died meanwhile, it is looked for first."""
        parameters = rows.event_parameters(event, now)

        def unit(session: Session) -> None:
            session.change(self._sql.insert_event, parameters)
            if not session.fetch(self._repair.event, parameters):
                raise TriggerConflictError("A trigger or rule kept the row of strongroom_events out.")

        try:
            self._database.transact(unit)
        except OutcomeUnknownError:
            if not self._database.read(self._repair.event, parameters):
                self._database.transact(unit)

    def exposed(self) -> Iterator[tuple[str, str]]:
        """Id and address of every wallet whose key a repair found in clear, now or earlier."""
        after = UUID(int=0)
        while True:
            parameters = {"after": after, "exposed": '%"exposed": "true"%', "limit": _PAGE}
            page = self._database.read(self._repair.exposed, parameters)
            yield from ((str(wallet_id), str(address)) for wallet_id, address in page)
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def shares_vault_id(self, wallet_id: UUID, vault_id: str) -> bool:
        """Whether another credential has the same vault id, and the vault record that has it is not this one's."""
        parameters = {"id": wallet_id, "vault_id": vault_id}
        sql = self._repair
        if self._database.read(sql.own_vault_id, parameters):
            return False
        return bool(self._database.read(sql.vault_id_taken_elsewhere, parameters))  # may have to read the whole table

    def named_by_slot(self, project_id: str | None, network: str, label: str) -> str | None:
        """The id of the credential that a slot names, or None."""
        try:
            UUID(project_id or "")
        except ValueError:
            return None  # of a project whose id is none of ours there is no slot
        names = {"project_id": project_id, "network": network, "label": label}
        found = self._database.read(self._repair.slot, names)
        return str(found[0][0]) if found else None

    def has_kept_sealed(self, wallet_id: UUID) -> bool:
        """Whether the history keeps a sealed text of a wallet; no text is read."""
        return bool(self._database.read(self._repair.kept_sealed, {"id": wallet_id}))

    @retry_after_schema_change
    def apply_changes(
        self,
        wallet: Wallet,
        expected: FoundWallet,
        changes: WalletChangeSet,
        entry: LogEntry,
        now: datetime,
        beside: Beside,
    ) -> bool:
        """Carry out changes if the rows, and those that the decision rests on, are still what was examined; else False.

        Raises StoreError: then nothing was changed; OutcomeUnknownError: then it may have been.
        """
        parameters = {
            "id": wallet.id,
            "project_id": wallet.project_id,
            **rows.log_parameters(entry, now),
        }
        try:
            return self._database.transact(
                lambda session: self._mend(session, wallet, expected, changes, parameters, beside)
            )
        except LostRaceError:
            return False
        except TriggerConflictError as error:
            raise self._named(error) from error

    def _mend(
        self,
        session: Session,
        wallet: Wallet,
        expected: FoundWallet,
        changes: WalletChangeSet,
        parameters: dict[str, Any],
        beside: Beside,
    ) -> bool:
        sql = self._repair
        self._lock(session, {str(wallet.id): expected, **beside.wallets}, beside.records)
        for seen in beside.history.values():
            self._require_kept(session, seen)
        kept = [each.parameters(wallet, parameters["now"]) for each in dict.fromkeys(changes.kept)]
        for each in kept:
            if session.change(sql.insert_history, each) != 1:
                raise TriggerConflictError("A trigger or rule kept the history's row out; nothing was written.")
        self._write(session, wallet, expected, changes, parameters)
        if session.change(self._sql.insert_log, parameters) != 1:
            raise TriggerConflictError("A trigger kept the usage log's row out; nothing was written.")
        self._check(session, wallet.id, changes)
        for each in kept:
            self._require_entry(session, each["kept_id"], each["kept_text"], each["kept_form"])
        for entry_id, text in changes.sealed_history.items():
            self._require_entry(session, entry_id, text, "sealed")
        if not session.fetch(sql.written_log, parameters):
            raise TriggerConflictError("A trigger or rule kept the usage log's row out; nothing was written.")
        return True

    def _lock(self, session: Session, wallets: Mapping[str, FoundWallet], records: Mapping[str, FoundWallet]) -> None:
        """Lock rows in the order of their ids, and compare those of others with what was examined."""
        sql = self._repair
        holders = {found.credential.id for found in records.values() if found.credential is not None}
        for wallet_id in sorted({*wallets, *holders}):
            if sql.lock is not None:
                session.fetch(sql.lock, {"id": wallet_id})
        for wallet_id, seen in wallets.items():
            if self._read(session, wallet_id) != seen:
                raise LostRaceError
        for record_id, seen in sorted(records.items()):
            if sql.lock_record is not None:
                session.fetch(sql.lock_record, {"id": record_id})
            found = session.fetch(sql.reading.record, {"id": record_id})
            if not found or found_wallet(found, metadata_is_text=sql.reading.metadata_is_text) != seen:
                raise LostRaceError

    def _require_kept(self, session: Session, seen: KeptText) -> None:
        """Lock an entry of the history, which must be what was examined, its owner included."""
        found = session.fetch(self._repair.lock_kept, {"entry_id": seen.id})
        if [KeptText(*row) for row in found] != [seen]:
            raise LostRaceError

    def _seal_entry(self, session: Session, entry_id: str, text: str) -> None:
        if session.change(self._repair.seal_history, {"entry_id": entry_id, "text": text}) != 1:
            raise TriggerConflictError("A trigger or rule kept the history as it was; nothing was written.")

    def _require_entry(self, session: Session, entry_id: UUID | str, text: str, form: str) -> None:
        """Read an entry of the history back, before the commit."""
        found = session.fetch(self._repair.written_history, {"entry_id": entry_id})
        if [tuple(row) for row in found] != [(text, form)]:
            raise TriggerConflictError("A trigger or rule changed the history's row; nothing was written.")

    def _write(
        self, session: Session, wallet: Wallet, expected: FoundWallet, changes: WalletChangeSet, row: dict[str, Any]
    ) -> None:
        sql, now = self._repair, row["now"]
        if changes.vault_id is not None:  # before anything that fires a trigger which copies a shared one
            self._set(session, CREDENTIALS, wallet.id, {"key_vault_id": changes.vault_id, "updated_at": now})
            for record in expected.records[:1]:
                self._set(session, VAULT, record.id, {"vault_id": changes.vault_id, "updated_at": now})
        emptied = ((record, {"encrypted_private_key": text}) for record, text in changes.emptied.items())
        for record_id, columns in (*changes.records.items(), *emptied):
            self._set(session, VAULT, record_id, {**columns, "updated_at": now})
        if changes.inserted is not None:
            self._insert(session, wallet, changes, row)
        for entry_id, text in changes.sealed_history.items():
            self._seal_entry(session, entry_id, text)
        if changes.recording is not None:
            write_record(session, self._sql, changes.recording)
        if changes.slot is not None:
            take_slot(session, self._sql, self._repair, wallet, changes)
        if changes.credential:
            self._set(session, CREDENTIALS, wallet.id, {**changes.credential, "updated_at": now})
        settle_rows(session, self._repair, changes, row)
        if changes.dropped and session.change(sql.drop_members(changes.dropped), row) != 1:
            raise LostRaceError
        if changes.derivation is not None:
            scheme, path = changes.derivation
            if session.change(sql.set_derivation, {**row, "scheme": scheme, "path": path}) != 1:
                raise LostRaceError
        self._revoke_new_placeholders(session, wallet.id, expected, now)

    def _revoke_new_placeholders(self, session: Session, wallet_id: UUID, expected: FoundWallet, now: datetime) -> None:
        """A trigger of other code may have given a revoked wallet a placeholder, and rights on it."""
        credential = expected.credential
        if expected.records or credential is None or credential.live or credential.status == REPLACED:
            return
        found = self._read(session, wallet_id)
        for record in () if found is None else found.records:
            if record.text in PLACEHOLDERS:
                columns = {"access_level": REVOKED, "revoked_at": now, "updated_at": now}
                self._set(session, VAULT, record.id, columns)

    def _set(self, session: Session, table: str, row: UUID | str, columns: dict[str, Any]) -> None:
        sql = self._repair
        known = {name: value for name, value in columns.items() if sql.has(table, name)}
        if known and session.change(sql.update(table, list(known)), {**known, "row": row}) != 1:
            raise LostRaceError

    def _insert(self, session: Session, wallet: Wallet, changes: WalletChangeSet, parameters: dict[str, Any]) -> None:
        vault_id = changes.vault_id or wallet.vault_id or vault_id_of(wallet.id, plain=self.plain_vault_ids)
        record = {
            **parameters,
            "vault_row_id": new_id(parameters["now"]),
            "vault_id": vault_id,
            "sealed_text": changes.inserted,
            "encryption_method": ENCRYPTION_METHOD,
            "access_level": changes.inserted_level,
        }
        self._refuse_values(session, record, (VAULT,))
        if session.change(self._sql.insert_missing_vault_record, record) != 1:
            raise LostRaceError

    def _read(self, session: Session, wallet_id: UUID | str) -> FoundWallet | None:
        sql = self._repair.reading
        found = session.fetch(sql.wallet, {"id": wallet_id})
        return found_wallet(found, metadata_is_text=sql.metadata_is_text) if found else None

    def _check(self, session: Session, wallet_id: UUID, changes: WalletChangeSet) -> None:
        """Read back what was written, before the commit."""
        found = self._read(session, wallet_id)
        texts = {} if found is None else {record.id: record.text for record in found.records}
        wanted = {
            record_id: changes.emptied.get(record_id, columns["encrypted_private_key"])
            for record_id, columns in changes.records.items()
            if "encrypted_private_key" in columns
        }
        kept = all(texts.get(record_id) == text for record_id, text in wanted.items())
        if not kept or (changes.inserted is not None and changes.inserted not in texts.values()):
            raise TriggerConflictError("A trigger changed the vault record; nothing was written.")
