"""When the last wallet of a legacy database is ours, unproved wallets are no longer returned."""

from __future__ import annotations

from strongroom.records.usage_log import Attribution
from strongroom.records.wallets import STATUS
from strongroom.store.sql_store import SqlStore
from strongroom.usecases.context import VaultContext
from strongroom.usecases.outcome import until_unchanged
from strongroom.usecases.rotate import keyring_changed
from strongroom.usecases.upgrade import try_set_accept_foreign


def end_acceptance(vault_context: VaultContext, actor: Attribution) -> bool:
    """Stop accepting wallets that nothing proves, where none is left; whether that changed anything.

    None is left where every vault record holds a sealed text or a placeholder, and the register has every live wallet.
    `strongroom upgrade --accept-foreign` accepts them again. Raises ConflictError, StoreError.
    """
    store, head = vault_context.store, vault_context.keyring.head
    if not isinstance(store, SqlStore) or not store.foreign or head is None or not head.accept_foreign:
        return False
    if store.keyring.has_unsealed_texts() or _has_unregistered(store):
        return False
    # Where a rotation was first, the next attempt changes the head that it left.
    return until_unchanged(lambda: try_set_accept_foreign(vault_context, False, actor), keyring_changed())


def _has_unregistered(store: SqlStore) -> bool:
    return any(stored.wallet.status == STATUS for page in store.register.stream_unregistered() for stored in page)
