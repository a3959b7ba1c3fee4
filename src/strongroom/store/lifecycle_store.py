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
from strongroom.ports import Belongs
from strongroom.store import rows
from strongroom.store.foreign import LOGS, VAULT
from strongroom.store.ground import Ground, LostRaceError, follows_schema
from strongroom.store.session import Session

_YOUNG = timedelta(minutes=10)
_KEPT = (REVOKED, "project_member")


class LifecycleStore(Ground):
    """Wallets after their first day."""

    @follows_schema
    def fill(self, expected: StoredWallet, sealed_text: str, entry: LogEntry, now: datetime) -> bool:
        """Put a sealed text where the vault record is missing, or the placeholder that ``expected`` shows."""
        parameters = {
            **rows.fill_parameters(expected, sealed_text, now),
            **rows.log_parameters(entry, now),
            "encryption_method": ENCRYPTION_METHOD,
            # What was revoked stays so, and a member's key does not become an admin's.
            "access_level": expected.wallet.access_level if expected.wallet.access_level in _KEPT else ACCESS_LEVEL,
        }
        try:
            return self._database.transact(lambda session: self._fill(session, expected, parameters))
        except LostRaceError:
            return False
        except TriggerConflictError as error:
            raise self._named(error) from error

    def _fill(self, session: Session, expected: StoredWallet, parameters: dict[str, Any]) -> bool:
        self._refuse_values(session, parameters, (VAULT, LOGS))
        if self._sql.writes_in_one:
            session.fetch(self._sql.lock_wallet, parameters)  # where it waited, it shows what stood there before
        locked = session.fetch(self._sql.get, parameters)
        found = rows.stored_wallet(locked[0]) if locked else None
        if found is None or (_public_half(found), found.sealed_text) != (_public_half(expected), expected.sealed_text):
            raise LostRaceError
        filled = session.change(self._sql.fill_placeholder, {**parameters, "placeholder": expected.sealed_text})
        missing = expected.sealed_text is None  # a record with NULL in it, or none
        if not filled and not (missing and session.change(self._sql.insert_missing_vault_record, parameters)):
            raise LostRaceError
        if self.foreign:
            texts = [text for (text,) in session.fetch(self._sql.vault_texts, parameters)]
            if parameters["sealed_text"] not in texts or set(texts) - {parameters["sealed_text"]} - PLACEHOLDERS:
                raise TriggerConflictError("A trigger changed the vault record; nothing was written.")
            session.change(self._sql.insert_history, parameters)
        if session.change(self._sql.insert_log, parameters) != 1:
            raise TriggerConflictError("A trigger kept the usage log's row out; nothing was written.")
        return True

    @follows_schema
    def replace(self, new: NewWallet, old: Wallet, key: str, request: str, belongs: Belongs) -> bool:
        """Let the slot name a new wallet, and retire the old one."""
        parameters = {**rows.wallet_parameters(new), "old_id": old.id}
        own = {**parameters, "idempotency_key": key, "request": request}

        def unit(session: Session) -> bool:
            self._take_keys(session, new, own, parameters)
            self._take_slot(session, old, parameters, belongs)
            return self._replace(session, new, parameters)

        try:
            return self._database.transact(unit)
        except LostRaceError:
            return False
        except TriggerConflictError as error:
            raise self._named(error) from error

    def _take_keys(self, session: Session, new: NewWallet, own: dict[str, Any], parameters: dict[str, Any]) -> None:
        self._refuse_values(session, parameters)
        if not session.change(self._sql.take_idempotency, own):
            raise LostRaceError
        if new.idempotency_key is not None and not session.change(self._sql.take_idempotency, parameters):
            raise LostRaceError

    def _take_slot(self, session: Session, old: Wallet, parameters: dict[str, Any], belongs: Belongs) -> None:
        """Move the slot from the old wallet, or take it where there is none and no other wallet would be its."""
        if session.change(self._sql.move_slot, parameters):
            return
        rivals = self._rivals(session, old, belongs)
        if rivals or not session.change(self._sql.take_slot, parameters):
            others = f"; live are: {', '.join(rivals)}" if rivals else ""
            raise SlotMovedError(f"The wallet {old.id} is not the live one of {old.network} and {old.label}{others}.")

    def _rivals(self, session: Session, wallet: Wallet, belongs: Belongs) -> list[str]:
        """The ids of other wallets that other code wrote, that no slot names and that would be in this one's."""
        if not self.foreign:
            return []
        found = [
            rows.stored_wallet(row).wallet
            for row in session.fetch(self._sql.candidates, {"project_id": wallet.project_id})
        ]
        return [str(each.id) for each in found if each.id != wallet.id and belongs(each)]

    def _replace(self, session: Session, new: NewWallet, parameters: dict[str, Any]) -> bool:
        session.change(self._sql.retire_credential, {**parameters, "status": REPLACED})
        retired = {**parameters, **rows.log_parameters(LogEntry("replace", new.log.actor), new.created_at)}
        session.change(self._sql.insert_log, {**retired, "id": parameters["old_id"]})
        self._insert_halves(session, new, parameters)
        return True

    @follows_schema
    def revoke(self, wallet: Wallet, entry: LogEntry, now: datetime, belongs: Belongs) -> None:
        """Retire a wallet; the second of two callers changes nothing.

        A wallet that other code wrote, and that no slot names yet, takes its slot: it is not made again then.
        """
        parameters = {
            "id": wallet.id,
            "old_id": wallet.id,
            "project_id": wallet.project_id,
            "network": wallet.network,
            "label": wallet.label,
            "version": 1,
            "status": REVOKED,
            "access_level": REVOKED,
            **rows.log_parameters(entry, now),
        }

        def unit(session: Session) -> None:
            if self.foreign and not self._rivals(session, wallet, belongs):
                session.change(self._sql.name_slot, parameters)
            if session.change(self._sql.revoke_credential, parameters):
                session.change(self._sql.revoke_vault_record, parameters)
                session.change(self._sql.insert_log, parameters)

        self._database.transact(unit)


def _public_half(stored: StoredWallet) -> tuple[Any, ...]:
    wallet = stored.wallet
    return wallet.project_id, wallet.address, wallet.public_key, stored.named


def key_missing(stored: StoredWallet, kept: int, now: datetime) -> KeyMissingError:
    """The error for a credential without a key; says where was looked."""
    wallet = stored.wallet
    record = "no vault record" if stored.sealed_text is None else "a placeholder in its vault record"
    metadata = "a key text of other code" if stored.key_in_metadata else "no key text"
    young = wallet.created_at is not None and now - wallet.created_at < _YOUNG
    wait = " It is young: another writer may be about to add it." if young else ""
    return KeyMissingError(
        f"The wallet {wallet.id} has {record}, {kept} texts in strongroom_vault_history, and {metadata} in its "
        f"metadata.{wait}",
        hint="`strongroom doctor` says whether its key is anywhere. "
        f"If you have it: `strongroom wallet store-key {wallet.id}`.",
        retryable=young,
    )
