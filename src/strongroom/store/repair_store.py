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
from strongroom.store import rows
from strongroom.store.database import Database, Session
from strongroom.store.foreign import CREDENTIALS, VAULT
from strongroom.store.found_rows import FoundWallet, KeptText, found_wallet
from strongroom.store.ground import Ground, LostRaceError
from strongroom.store.profile import Profile
from strongroom.store.repair_changes import Changes, Kept
from strongroom.store.statements.repair import RepairStatements

_PAGE = 500


class RepairStore(Ground):
    """Wallets that are mended."""

    def __init__(self, database: Database, profile: Profile) -> None:
        super().__init__(database, profile)
        self._repair = RepairStatements(profile, sqlite=database.engine.dialect.name == "sqlite")

    def look(self, wallet_id: UUID) -> FoundWallet | None:
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
                found = session.fetch(self._repair.lock_kept, {"entry_id": kept.id})
                if [tuple(row) for row in found] != [(kept.text, kept.form)]:
                    raise LostRaceError
                session.change(self._repair.seal_history, {"entry_id": kept.id, "text": text})
            return True

        try:
            return self._database.transact(unit)
        except LostRaceError:
            return False

    def write_event(self, event: Event, now: datetime) -> None:
        """Write a row of events, once: where the connection died meanwhile, it is looked for first."""
        parameters = rows.event_parameters(event, now)
        try:
            self._database.transact(lambda session: session.change(self._sql.insert_event, parameters))
        except OutcomeUnknownError:
            if not self._database.read(self._repair.event, parameters):
                self._database.transact(lambda session: session.change(self._sql.insert_event, parameters))

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
        if not self._database.read(sql.vault_id_taken_elsewhere, parameters)[0][0]:
            return False
        owners = self._database.read(sql.records_with_vault_id, parameters)
        return str(wallet_id) not in {str(owner) for (owner,) in owners}

    def mend(
        self,
        wallet: Wallet,
        expected: FoundWallet,
        changes: Changes,
        entry: LogEntry,
        now: datetime,
        kept: Mapping[str, KeptText],
    ) -> bool:
        """Carry out changes if the rows, and the entries of the history, are still what was examined; else False.

        Raises StoreError: then nothing was changed; OutcomeUnknownError: then it may have been.
        """
        parameters = {
            "id": wallet.id,
            "project_id": wallet.project_id,
            **rows.log_parameters(entry, now),
        }
        try:
            return self._database.transact(
                lambda session: self._mend(session, wallet, expected, changes, parameters, kept)
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
        changes: Changes,
        parameters: dict[str, Any],
        kept: Mapping[str, KeptText],
    ) -> bool:
        sql = self._repair
        if sql.lock is not None:
            session.fetch(sql.lock, parameters)
        if self._read(session, wallet.id) != expected:
            raise LostRaceError
        for entry_id, seen in kept.items():
            found = session.fetch(sql.lock_kept, {"entry_id": entry_id})
            if [tuple(row) for row in found] != [(seen.text, seen.form)]:
                raise LostRaceError
        for each in dict.fromkeys(changes.kept):
            session.change(sql.insert_history, _kept_parameters(wallet, each, parameters["now"]))
        self._write(session, wallet, expected, changes, parameters)
        if session.change(self._sql.insert_log, parameters) != 1:
            raise TriggerConflictError("A trigger kept the usage log's row out; nothing was written.")
        self._check(session, wallet.id, changes)
        return True

    def _write(
        self, session: Session, wallet: Wallet, expected: FoundWallet, changes: Changes, parameters: dict[str, Any]
    ) -> None:
        sql, now = self._repair, parameters["now"]
        if changes.vault_id is not None:  # before anything that fires a trigger which copies a shared one
            self._set(session, CREDENTIALS, wallet.id, {"key_vault_id": changes.vault_id, "updated_at": now})
            for record in expected.records[:1]:
                self._set(session, VAULT, record.id, {"vault_id": changes.vault_id, "updated_at": now})
        for record_id, columns in changes.records.items():
            self._set(session, VAULT, record_id, {**columns, "updated_at": now})
        if changes.inserted is not None:
            self._insert(session, wallet, changes, parameters)
        for entry_id, text in changes.sealed_history.items():
            session.change(sql.seal_history, {"entry_id": entry_id, "text": text})
        if changes.slot is not None:
            self._take(session, wallet.project_id, changes.slot)
        if changes.credential:
            self._set(session, CREDENTIALS, wallet.id, {**changes.credential, "updated_at": now})
        if changes.dropped:
            session.change(sql.drop_members(changes.dropped), parameters)
        if changes.derivation is not None:
            scheme, path = changes.derivation
            session.change(sql.set_derivation, {**parameters, "scheme": scheme, "path": path})

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

    def _insert(self, session: Session, wallet: Wallet, changes: Changes, parameters: dict[str, Any]) -> None:
        vault_id = changes.vault_id or wallet.vault_id or vault_id_of(wallet.id)
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

    def _take(self, session: Session, project_id: UUID, slot: tuple[str, str, UUID]) -> None:
        """The slot names this wallet, or is taken for it now; another one's is left alone."""
        network, label, keeper = slot
        names = {"project_id": project_id, "network": network, "label": label, "version": 1}
        session.change(self._sql.name_slot, {**names, "id": keeper})
        found = session.fetch(self._sql.find_live, names)
        if not found or str(found[0][0]) != str(keeper):
            raise LostRaceError

    def _read(self, session: Session, wallet_id: UUID) -> FoundWallet | None:
        sql = self._repair.reading
        found = session.fetch(sql.wallet, {"id": wallet_id})
        return found_wallet(found, metadata_is_text=sql.metadata_is_text) if found else None

    def _check(self, session: Session, wallet_id: UUID, changes: Changes) -> None:
        """Read back what was written, before the commit."""
        found = self._read(session, wallet_id)
        texts = {} if found is None else {record.id: record.text for record in found.records}
        wanted = {
            record_id: columns["encrypted_private_key"]
            for record_id, columns in changes.records.items()
            if "encrypted_private_key" in columns
        }
        kept = all(texts.get(record_id) == text for record_id, text in wanted.items())
        if not kept or (changes.inserted is not None and changes.inserted not in texts.values()):
            raise TriggerConflictError("A trigger changed the vault record; nothing was written.")


def _kept_parameters(wallet: Wallet, kept: Kept, now: datetime) -> dict[str, Any]:
    return {
        "kept_id": new_id(now),
        "kept_project_id": wallet.project_id,
        "kept_credential_id": wallet.id,
        "kept_network": wallet.network,
        "kept_label": wallet.label,
        "kept_address": wallet.address,
        "kept_public_key": wallet.public_key,
        "kept_vault_id": wallet.vault_id,
        "kept_text": kept.text,
        "kept_form": kept.form,
        "kept_reason": kept.reason,
        "kept_created_at": now,
    }
