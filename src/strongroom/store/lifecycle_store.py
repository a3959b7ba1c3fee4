"""Filling, replacing and revoking wallets.

What makes each write safe under two concurrent callers:

- Filling: the credential's row is locked, and the one write is conditional on the exact placeholder; the legacy
  application, which takes no locks, loses or wins as a whole row.
- Replacing: an idempotency key of its own, then the slot, moved by a compare-and-set on the wallet that it names. Of a
  derived wallet the account's row is locked between the two, and the successor is derived under that lock.
- Revoking: an UPDATE that is conditional on not being revoked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from strongroom.errors import KeyMissingError, SlotMovedError, StoreRefusedError, TriggerConflictError
from strongroom.ports.wallet_stores import DerivedSuccessor, WalletMatcher
from strongroom.records.register import IdempotencyRecord, Registered
from strongroom.records.stored_wallets import NewWallet, Retirement, StoredWallet
from strongroom.records.tag import Tag
from strongroom.records.usage_log import LogEntry
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.records.wallets import ACCESS_LEVEL, ENCRYPTION_METHOD, REPLACED, REVOKED, Wallet
from strongroom.store.account_writes import derive_successor, met_in_path
from strongroom.store.catalog.foreign_schema import LOGS, VAULT
from strongroom.store.connection.session import Session
from strongroom.store.context import LostRaceError, StoreContext, retry_after_schema_change
from strongroom.store.statements import text_parameters
from strongroom.store.statements.register_rows import record_parameters
from strongroom.store.statements.usage_log import log_values
from strongroom.store.statements.wallet_parameters import idempotency_parameters, wallet_parameters
from strongroom.store.statements.wallet_row import stored_wallet
from strongroom.store.wallet_writes import (
    find_candidates,
    insert_halves,
    refuse_values,
    require_row_revoked,
    revoke_vault_records,
    take_slot,
)

_YOUNG = timedelta(minutes=10)
_KEPT = (REVOKED, "project_member")


class SqlLifecycleStore:
    """Completing, replacing and retiring wallets."""

    def __init__(self, context: StoreContext) -> None:
        self.context = context

    @retry_after_schema_change
    def fill(
        self, expected: StoredWallet, sealed_text: str, registered: Registered | None, entry: LogEntry, now: datetime
    ) -> bool:
        """Put a sealed text where the vault record is missing, or the placeholder that ``expected`` shows.

        ``registered``: the wallet's record, where the register has none yet.
        """
        recorded = registered or expected.registered
        level = expected.wallet.access_level if recorded is None else recorded.record.access_level
        parameters = {
            **text_parameters.fill_parameters(expected, sealed_text, now),
            **log_values(entry, now),
            "encryption_method": ENCRYPTION_METHOD,
            # What was revoked stays so, and a member's key does not become an admin's.
            "access_level": level if level in _KEPT else ACCESS_LEVEL,
        }
        try:
            return self.context.transact(lambda session: self._fill(session, expected, parameters, registered))
        except LostRaceError:
            return False
        except TriggerConflictError as error:
            raise self.context.named(error) from error

    def _fill(
        self, session: Session, expected: StoredWallet, parameters: dict[str, Any], registered: Registered | None
    ) -> bool:
        sql = self.context.sql
        refuse_values(self.context, session, parameters, (VAULT, LOGS))
        if sql.writes_in_one:
            session.fetch(sql.lifecycle.lock_wallet, parameters)  # where it waited, it shows what stood there before
        locked = session.fetch(sql.wallets.get_in_project, parameters)
        found = stored_wallet(locked[0]) if locked else None
        if found is None or (_public_half(found), found.sealed_text) != (_public_half(expected), expected.sealed_text):
            raise LostRaceError
        filled = session.change(sql.lifecycle.fill_placeholder, {**parameters, "placeholder": expected.sealed_text})
        missing = expected.sealed_text is None  # a record with NULL in it, or none
        if not filled and not (missing and session.change(sql.lifecycle.insert_missing_vault_record, parameters)):
            raise LostRaceError
        if self.context.foreign:
            texts = [text for (text,) in session.fetch(sql.wallets.vault_texts, parameters)]
            if parameters["sealed_text"] not in texts or set(texts) - {parameters["sealed_text"]} - PLACEHOLDERS:
                raise TriggerConflictError("A trigger changed the vault record; nothing was written.")
            session.write(sql.wallets.insert_history, parameters)
        if registered is not None and not session.change(sql.register.insert_record, record_parameters(registered)):
            raise LostRaceError
        session.write(sql.log.insert_log, parameters)
        return True

    @retry_after_schema_change
    def replace(
        self,
        new: NewWallet | DerivedSuccessor,
        old: Wallet,
        retirement: Retirement,
        own_key: tuple[IdempotencyRecord, Tag],
        belongs: WalletMatcher,
    ) -> NewWallet | None:
        """Let the slot name a new wallet, and retire the old one."""

        def unit(session: Session) -> NewWallet:
            self._take_keys(session, new, own_key)
            made = new if isinstance(new, NewWallet) else derive_successor(self.context, session, new)
            parameters = {**wallet_parameters(made), "old_id": old.id}
            refuse_values(self.context, session, parameters)
            self._take_slot(session, old, retirement, parameters, belongs)
            self._retire(session, retirement)
            self._replace(session, made, retirement, parameters)
            return made

        try:
            return self.context.transact(unit)
        except LostRaceError:
            return None
        except TriggerConflictError as error:
            raise self.context.named(error) from error
        except StoreRefusedError as error:
            if isinstance(new, NewWallet) or not met_in_path(error):
                raise
            return None

    def _take_keys(
        self, session: Session, new: NewWallet | DerivedSuccessor, own_key: tuple[IdempotencyRecord, Tag]
    ) -> None:
        """The key of the old wallet's own, then the caller's."""
        if not session.fetch(self.context.sql.keyring.find_sealing_key, {"kid": new.kid}):
            raise LostRaceError  # another key seals by now
        now = new.created_at if isinstance(new, NewWallet) else new.now
        keys = own_key, new.idempotency if isinstance(new, NewWallet) else new.key
        for key in filter(None, keys):
            if not session.change(self.context.sql.wallets.take_idempotency, idempotency_parameters(*key, now)):
                raise LostRaceError

    def _take_slot(
        self, session: Session, old: Wallet, retirement: Retirement, parameters: dict[str, Any], belongs: WalletMatcher
    ) -> None:
        """Move the slot from the old wallet, or take it where there is none and no other wallet would be its."""
        if retirement.slot is not None:
            version = retirement.slot.record.version
            moved = {
                "old_slot_version": version,
                "new_slot_version": version + 1,
                "moved_slot_tag": retirement.slot_tag.value,
                "tag_kid": retirement.slot_tag.kid,
            }
            if not session.change(self.context.sql.slots.move_slot, {**parameters, **moved}):
                raise LostRaceError
            return
        rivals = self._rivals(session, old, belongs)
        if rivals or not take_slot(self.context, session, parameters):
            others = f"; live are: {', '.join(rivals)}" if rivals else ""
            raise SlotMovedError(f"The wallet {old.id} is not the live one of {old.network} and {old.label}{others}.")

    def _retire(self, session: Session, retirement: Retirement) -> None:
        """Another state of the wallet's record, if it is still the one that was read."""
        if retirement.old == retirement.new:
            return
        sql = (
            self.context.sql.register.insert_record
            if retirement.old is None
            else self.context.sql.register.change_record
        )
        if not session.change(sql, record_parameters(retirement.new, retirement.old)):
            raise LostRaceError

    def _rivals(self, session: Session, wallet: Wallet, belongs: WalletMatcher) -> list[str]:
        """The ids of other wallets that the legacy application wrote, that no slot names and that would be in this
        one's."""
        if not self.context.foreign:
            return []
        named = {"project_id": wallet.project_id, "network": wallet.network, "label": wallet.label}
        found = find_candidates(self.context, session, named, belongs)
        return [str(each.wallet.id) for each in found if each.wallet.id != wallet.id]

    def _replace(self, session: Session, new: NewWallet, retirement: Retirement, parameters: dict[str, Any]) -> None:
        retired = session.change(self.context.sql.lifecycle.retire_credential, {**parameters, "status": REPLACED})
        if not retired and retirement.new.record.status != REVOKED:
            self._require_revoked(session, parameters)
        logged = {**parameters, **log_values(LogEntry("replace", new.log.actor), new.created_at)}
        session.write(self.context.sql.log.insert_log, {**logged, "id": parameters["old_id"]})
        insert_halves(self.context, session, new, parameters)

    def _require_revoked(self, session: Session, parameters: Mapping[str, Any]) -> None:
        """A row that was not written: another caller revoked it meanwhile, or a trigger or rule kept the write out."""
        found = session.fetch(self.context.sql.wallets.get_in_project, {**parameters, "id": parameters["old_id"]})
        if found and stored_wallet(found[0]).wallet.status == REVOKED:
            raise LostRaceError
        raise TriggerConflictError("A trigger or rule kept the credential from being retired; nothing was written.")

    @retry_after_schema_change
    def revoke(
        self, wallet: Wallet, retirement: Retirement, entry: LogEntry, now: datetime, belongs: WalletMatcher
    ) -> bool:
        """Retire a wallet; the second of two callers changes nothing. False: its record changed meanwhile.

        A wallet that the legacy application wrote, and that no slot names yet, takes its slot: it is not made again
        then.
        """
        parameters = {
            "id": wallet.id,
            "old_id": wallet.id,
            "project_id": wallet.project_id,
            "network": wallet.network,
            "label": wallet.label,
            "version": 1,
            "slot_tag": retirement.slot_tag.value,
            "tag_kid": retirement.slot_tag.kid,
            "status": REVOKED,
            "access_level": REVOKED,
            **log_values(entry, now),
        }

        def unit(session: Session) -> None:
            if self.context.foreign and retirement.slot is None and not self._rivals(session, wallet, belongs):
                self._name_slot(session, parameters)
            self._retire(session, retirement)
            revoked = session.change(self.context.sql.lifecycle.revoke_credential, parameters)
            if not revoked and retirement.old == retirement.new:
                return
            if not revoked:
                require_row_revoked(self.context, session, parameters)
            revoke_vault_records(self.context, session, parameters)
            session.write(self.context.sql.log.insert_log, parameters)

        try:
            self.context.transact(unit)
        except LostRaceError:
            return False
        return True

    def _name_slot(self, session: Session, parameters: Mapping[str, Any]) -> None:
        """Take the wallet's slot, in which nothing was. Raises LostRaceError where something is by now."""
        if session.change(self.context.sql.slots.name_slot, parameters):
            return
        if session.fetch(self.context.sql.unwritten.slot_there, parameters):
            raise LostRaceError
        raise TriggerConflictError("A trigger or rule kept the slot's row out; nothing was written.")


def _public_half(stored: StoredWallet) -> tuple[Any, ...]:
    wallet = stored.row or stored.wallet
    return wallet.project_id, wallet.address, wallet.public_key, stored.named


def key_missing(stored: StoredWallet, kept: int, now: datetime) -> KeyMissingError:
    """The error for a credential without a key; says where was looked."""
    wallet = stored.wallet
    record = "no vault record" if stored.sealed_text is None else "a placeholder in its vault record"
    metadata = "a key text of the legacy application" if stored.key_in_metadata else "no key text"
    young = wallet.created_at is not None and now - wallet.created_at < _YOUNG
    wait = " It is young: another writer may be about to add it." if young else ""
    return KeyMissingError(
        f"The wallet {wallet.id} has {record}, {kept} texts in strongroom_vault_history, and {metadata} in its "
        f"metadata.{wait}",
        hint="`strongroom doctor` says whether its key is anywhere. "
        f"If you have it: `strongroom wallet store-key {wallet.id}`.",
        retryable=young,
    )
