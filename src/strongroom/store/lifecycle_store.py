"""Filling, replacing and revoking wallets.

What makes each write safe under two concurrent callers:

- Filling: the credential's row is locked, and the one write is conditional on the exact placeholder; the old
  application, which takes no locks, loses or wins as a whole row.
- Replacing: an idempotency key of its own, then the slot, moved by a compare-and-set on the wallet that it names.
- Revoking: an UPDATE that is conditional on not being revoked.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from strongroom.errors import KeyMissingError, SlotMovedError, TriggerConflictError
from strongroom.model import (
    ACCESS_LEVEL,
    ENCRYPTION_METHOD,
    PLACEHOLDERS,
    REPLACED,
    REVOKED,
    LogEntry,
    NewWallet,
    StoredWallet,
    Wallet,
)
from strongroom.store import rows
from strongroom.store.database import Session
from strongroom.store.foreign import VAULT
from strongroom.store.ground import Ground, LostRaceError

_YOUNG = timedelta(minutes=10)


class LifecycleStore(Ground):
    """Wallets after their first day."""

    def fill(self, expected: StoredWallet, sealed_text: str, entry: LogEntry, now: datetime) -> bool:
        """Put a sealed text where the vault record is missing, or the placeholder that ``expected`` shows."""
        parameters = {
            **rows.fill_parameters(expected, sealed_text, now),
            **rows.log_parameters(entry, now),
            "encryption_method": ENCRYPTION_METHOD,
            "access_level": ACCESS_LEVEL,
        }
        try:
            return self._database.transact(lambda session: self._fill(session, expected, parameters))
        except LostRaceError:
            return False
        except TriggerConflictError as error:
            raise self._named(error) from error

    def _fill(self, session: Session, expected: StoredWallet, parameters: dict[str, Any]) -> bool:
        self._refuse_values(session, parameters, (VAULT,))
        locked = session.fetch(self._sql.lock_wallet, parameters)
        found = rows.stored_wallet(locked[0]) if locked else None
        if found is None or (_public_half(found.wallet), found.sealed_text) != (
            _public_half(expected.wallet),
            expected.sealed_text,
        ):
            raise LostRaceError
        missing = expected.sealed_text is None
        statement = self._sql.insert_missing_vault_record if missing else self._sql.fill_placeholder
        if not session.change(statement, {**parameters, "placeholder": expected.sealed_text}):
            raise LostRaceError
        if self.foreign:
            texts = [text for (text,) in session.fetch(self._sql.vault_texts, parameters)]
            if parameters["sealed_text"] not in texts or set(texts) - {parameters["sealed_text"]} - PLACEHOLDERS:
                raise TriggerConflictError("A trigger changed the vault record; nothing was written.")
            session.change(self._sql.insert_history, parameters)
        session.change(self._sql.insert_log, parameters)
        return True

    def replace(self, new: NewWallet, old: Wallet, key: str, request: str) -> bool:
        """Let the slot name a new wallet, and retire the old one."""
        parameters = {**rows.wallet_parameters(new), "old_id": old.id}
        own = {**parameters, "idempotency_key": key, "request": request}
        try:
            return self._database.transact(lambda session: self._replace(session, new, old, own, parameters))
        except LostRaceError:
            return False
        except TriggerConflictError as error:
            raise self._named(error) from error

    def _replace(
        self, session: Session, new: NewWallet, old: Wallet, own: dict[str, Any], parameters: dict[str, Any]
    ) -> bool:
        self._refuse_values(session, parameters)
        if not session.change(self._sql.take_idempotency, own):
            raise LostRaceError
        if new.idempotency_key is not None and not session.change(self._sql.take_idempotency, parameters):
            raise LostRaceError
        if not session.change(self._sql.move_slot, parameters) and not session.change(self._sql.take_slot, parameters):
            raise SlotMovedError(f"The wallet {old.id} is not the live one of {old.network} and {old.label}.")
        session.change(self._sql.retire_credential, {**parameters, "status": REPLACED})
        retired = {**parameters, **rows.log_parameters(LogEntry("replace", new.log.actor), new.created_at)}
        session.change(self._sql.insert_log, {**retired, "id": old.id})
        if self._sql.writes_in_one and self.foreign:
            if session.fetch(self._sql.insert_halves, parameters) != [(1,)]:
                raise TriggerConflictError("A trigger kept one half of the wallet out; nothing was written.")
            if session.fetch(self._sql.vault_texts, parameters) != [(new.sealed_text,)]:
                raise TriggerConflictError("A trigger changed the vault record; nothing was written.")
            return True
        session.change(self._sql.insert_credential, parameters)
        session.change(self._sql.insert_vault_record, parameters)
        session.change(self._sql.insert_log, parameters)
        return True

    def revoke(self, wallet: Wallet, entry: LogEntry, now: datetime) -> None:
        """Retire a wallet; the second of two callers changes nothing."""
        parameters = {
            "id": wallet.id,
            "old_id": wallet.id,
            "project_id": wallet.project_id,
            "status": REVOKED,
            "access_level": REVOKED,
            **rows.log_parameters(entry, now),
        }

        def unit(session: Session) -> None:
            if session.change(self._sql.revoke_credential, parameters):
                session.change(self._sql.revoke_vault_record, parameters)
                session.change(self._sql.insert_log, parameters)

        self._database.transact(unit)


def _public_half(wallet: Wallet) -> tuple[Any, ...]:
    return wallet.project_id, wallet.address, wallet.public_key, wallet.network


def key_missing(stored: StoredWallet, kept: int, now: datetime) -> KeyMissingError:
    """The error for a credential without a key; says where was looked."""
    wallet = stored.wallet
    record = "no vault record" if stored.sealed_text is None else "a placeholder in its vault record"
    young = wallet.created_at is not None and now - wallet.created_at < _YOUNG
    wait = " It is young: another writer may be about to add it." if young else ""
    return KeyMissingError(
        f"The wallet {wallet.id} has {record} and {kept} texts in strongroom_vault_history.{wait}",
        hint=f"If you have the key: `strongroom wallet store-key {wallet.id}`. No new key is made in its place.",
        retryable=young,
    )
