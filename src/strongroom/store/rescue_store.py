"""Getting kept keys out: rows made anew, a stored text archived for another one, a key set aside.

What makes each write safe under two concurrent callers:

- Texts: ``RepairStore``'s lock of the credential and its records, which are read again and compared, letter for letter,
  with what was seen. The first writer wins as a whole.
- Rows made anew: the lock of the wallet's record in the register, and the primary key of the credentials.
- A new wallet for a key: the slot's primary key, taken before any lock, as when creating.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from strongroom.errors import KeyConflictError, TriggerConflictError
from strongroom.ports.rescue import Archived, RemadeWallet, SeenWallet, TextChanges
from strongroom.records.history import HistoryEntry
from strongroom.records.requests import Request
from strongroom.records.stored_wallets import NewWallet, StoredWallet
from strongroom.records.usage_log import Event, LogEntry
from strongroom.records.vault_texts import NOT_RECOVERABLE
from strongroom.records.wallets import ENCRYPTION_METHOD, REVOKED, STATUS, Wallet
from strongroom.store.change_writer import ChangeWriter
from strongroom.store.connection.session import Session
from strongroom.store.context import LostRaceError, StoreContext, retry_after_schema_change
from strongroom.store.inspection.inspection_rows import FoundWallet
from strongroom.store.repair_changes import HistoryAddition, Recording, RelatedRows, WalletChangeSet
from strongroom.store.repair_store import SqlRepairStore
from strongroom.store.statements import rows
from strongroom.store.statements.register_rows import record_parameters, registered, uuid_of, uuid_or_none
from strongroom.store.statements.usage_log import log_values
from strongroom.store.statements.wallet_parameters import wallet_parameters
from strongroom.store.statements.wallet_row import stored_wallet
from strongroom.store.wallet_writes import insert_halves, refuse_values, take_slot


class SqlRescueStore:
    """Writes that get a kept key out."""

    def __init__(self, context: StoreContext) -> None:
        self.context = context
        self._repair = SqlRepairStore(context)

    def see(self, wallet_id: UUID, project_id: UUID | None = None) -> FoundWallet | None:
        """A credential and its texts as they stand; of a project, where one is given."""
        return self._repair.read_wallet(wallet_id, project_id)

    def orphaned_texts(self, wallet_id: UUID, part_of: UUID | None = None) -> list[str | None]:
        """The texts of the vault records that name a wallet."""
        part, wallets = self.context.part(part_of), self.context.sql.wallets
        sql = wallets.orphaned_texts if part is None else wallets.vault_texts
        return [text for (text,) in self.context.read(sql, {"id": wallet_id, "project_id": part})]

    def texts_holding(self, beginning: str) -> Iterator[tuple[str, str]]:
        """Vault records, entries of the history and metadata that hold a text which begins so, each from there on."""
        sql = self.context.sql.lifecycle
        statements = {"record": sql.records_holding, "entry": sql.history_holding, "metadata": sql.metadata_holding}
        for place, statement in statements.items():
            for found, text in self.context.read(statement, {"beginning": beginning}):
                yield f"{place}:{found}", text or ""

    def has_vault_id(self, vault_id: str) -> bool:
        """Whether a credential or a vault record has this vault id."""
        found = (self.context.sql.lifecycle.record_with_vault_id, self.context.sql.lifecycle.credential_with_vault_id)
        return any(self.context.read(each, {"vault_id": vault_id}) for each in found)

    def named_by_slot(self, project_id: str | None, network: str, label: str) -> str | None:
        """The id of the credential that a slot names, or None."""
        return self._repair.named_by_slot(project_id, network, label)

    def write_event(self, event_id: UUID, event: Event, now: datetime) -> None:
        self._repair.write_event(event_id, event, now)

    def has_event(self, event_id: UUID) -> bool:
        return self._repair.has_event(event_id)

    def entry(self, entry_id: UUID, part_of: UUID | None = None) -> HistoryEntry | None:
        """One entry of the history."""
        part, lifecycle = self.context.part(part_of), self.context.sql.lifecycle
        sql = lifecycle.history_entry if part is None else lifecycle.history_entry_in_project
        found = self.context.read(sql, {"id": entry_id, "project_id": part})
        return rows.history_entry(found[0]) if found else None

    def entry_text(self, entry_id: UUID) -> str | None:
        """The whole text of an entry of the history."""
        found = self._repair.look_at_history(entry_id)
        return None if found is None else found.text

    def record_text(self, record_id: str) -> tuple[str, StoredWallet | None] | None:
        """The text of a vault record, and its wallet where there is one."""
        if self.context.repair_sql.reading.record_ids_are_uuids and uuid_or_none(record_id) is None:
            return None
        found = self._repair.look_at_record(record_id)
        if found is None or not found.records:
            return None
        named = None if found.credential is None else uuid_of(found.credential.id)
        wallet = None if named is None else self.context.read(self.context.sql.wallets.get, {"id": named})
        return found.records[0].text or "", stored_wallet(wallet[0]) if wallet else None

    @retry_after_schema_change
    def change_texts(
        self, stored: StoredWallet, seen: SeenWallet, changes: TextChanges, log: LogEntry, now: datetime
    ) -> bool:
        """Carry out changes if credential and records are still exactly what was seen."""
        wallet = stored.wallet
        found = cast("FoundWallet", seen)
        parameters = {"id": wallet.id, "project_id": wallet.project_id, **log_values(log, now)}
        repaired = _as_repair(changes, found)

        def unit(session: Session) -> bool:
            if changes.new_wallet is not None:
                self._take_new_slot(session, changes.new_wallet)
            ChangeWriter(self.context, session, wallet, parameters).apply(found, repaired, RelatedRows())
            if changes.new_wallet is not None:
                new = wallet_parameters(changes.new_wallet)
                refuse_values(self.context, session, new)
                insert_halves(self.context, session, changes.new_wallet, new)
            return True

        try:
            return self.context.transact(unit)
        except LostRaceError:
            return False
        except TriggerConflictError as error:
            raise self.context.named(error) from error

    def _take_new_slot(self, session: Session, new: NewWallet) -> None:
        if take_slot(self.context, session, wallet_parameters(new)):
            return
        if not session.fetch(self.context.sql.keyring.find_sealing_key, {"kid": new.kid}):
            raise LostRaceError  # another key seals by now
        raise KeyConflictError(
            f"The label {new.wallet.label} on {new.wallet.network} is another wallet's; nothing was changed.",
            hint="Name another label.",
        )

    @retry_after_schema_change
    def remake(self, remade: RemadeWallet, log: LogEntry, now: datetime) -> bool:
        """Insert the rows of a wallet that has none."""
        parameters = _remade_parameters(remade, log, now)
        try:
            return self.context.transact(lambda session: self._remake(session, remade, parameters))
        except LostRaceError:
            return False
        except TriggerConflictError as error:
            raise self.context.named(error) from error

    def _remake(self, session: Session, remade: RemadeWallet, parameters: dict[str, Any]) -> bool:
        found = session.fetch(self.context.sql.lifecycle.lock_record, parameters)
        if (
            not found
            or registered(found[0]) != remade.recorded
            or session.fetch(self.context.sql.wallets.get_in_project, parameters)
        ):
            raise LostRaceError
        if remade.slot is not None:
            slot, tag = remade.slot
            named = {"version": slot.version, "tag_kid": tag.kid, "slot_tag": tag.value}
            session.change(self.context.sql.slots.name_slot, {**parameters, **named})
        if remade.registered.record.status == STATUS:
            self._require_slot(session, remade.wallet)
        if remade.registered != remade.recorded:
            changed = record_parameters(remade.registered, remade.recorded)
            if session.change(self.context.sql.register.change_record, changed) != 1:
                raise LostRaceError
        refuse_values(self.context, session, parameters)
        texts = session.fetch(self.context.sql.wallets.vault_texts, parameters)
        self._insert_rows(session, parameters, has_record=bool(texts))
        self._check_remade(session, remade, parameters, [text for (text,) in texts])
        return True

    def _require_slot(self, session: Session, wallet: Wallet) -> None:
        """Raise LostRaceError where the slot of a live wallet names another one: somebody made it meanwhile."""
        names = {"project_id": wallet.project_id, "network": wallet.network, "label": wallet.label}
        found = session.fetch(self.context.repair_sql.slot, names)
        if not found or uuid_of(found[0][0]) != wallet.id:
            raise LostRaceError

    def _insert_rows(self, session: Session, parameters: dict[str, Any], *, has_record: bool) -> None:
        if has_record or not self.context.sql.writes_in_one:
            session.write(self.context.sql.lifecycle.insert_remade_credential, parameters)
            if not has_record:
                session.write(self.context.sql.wallets.insert_vault_record, parameters)
            session.write(self.context.sql.log.insert_log, parameters)
        elif session.fetch(self.context.sql.lifecycle.insert_remade_halves, parameters) != [(1, 1)]:
            raise TriggerConflictError("A trigger kept a part of the wallet out; nothing was written.")
        if self.context.foreign and not has_record:
            session.write(self.context.sql.wallets.insert_history, parameters)

    def _check_remade(
        self, session: Session, remade: RemadeWallet, parameters: dict[str, Any], before: list[str | None]
    ) -> None:
        """Read back what was written, before the commit: a trigger may have changed it."""
        wallet = remade.wallet
        whole = (wallet.project_id, wallet.address, wallet.public_key, wallet.vault_id)
        written = session.fetch(self.context.sql.wallets.written, parameters)
        texts = {text for text, *_ in written}
        wanted = set(before) or {remade.sealed_text}
        facts = {(uuid_of(project), address, key, vault) for _, _, project, address, key, vault, _ in written}
        if texts != wanted or facts != {whole}:
            raise TriggerConflictError("A trigger changed the credential or its vault record; nothing was written.")


def _as_repair(changes: TextChanges, seen: FoundWallet) -> WalletChangeSet:
    """The same, as a repair writes it: what is stored is kept first, so that the guard lets it pass."""
    texts = {**changes.emptied, **changes.stored}
    found = WalletChangeSet(
        records={
            record: {"encrypted_private_key": text, "encryption_method": ENCRYPTION_METHOD}
            for record, text in texts.items()
        },
        emptied=dict.fromkeys(changes.emptied, NOT_RECOVERABLE),
        dropped=changes.dropped,
        kept=[_kept(each) for each in changes.archived],
        recording=None if changes.registered is None else Recording(None, changes.registered),
    )
    said = None if seen.credential is None else seen.credential.vault_stored
    if texts and said is not None and said != bool(changes.stored):
        found.credential["vault_stored"] = bool(changes.stored)
    return found


def _kept(archived: Archived) -> HistoryAddition:
    return HistoryAddition(archived.text, archived.form, archived.reason, archived.wallet)


def _remade_parameters(remade: RemadeWallet, log: LogEntry, now: datetime) -> dict[str, Any]:
    wallet, record = remade.wallet, remade.registered
    slot_tag = record.tag if remade.slot is None else remade.slot[1]
    new = NewWallet(
        wallet,
        remade.sealed_text,
        slot_tag.kid,
        log,
        None,
        Request("restore", wallet.network, wallet.label, {}),
        now,
        record,
        slot_tag,
    )
    return {
        **wallet_parameters(new),
        "is_active": wallet.status == STATUS,
        "revoked_at": now if wallet.status == REVOKED else None,
    }
