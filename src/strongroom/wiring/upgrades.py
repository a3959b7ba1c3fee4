"""From settings to an upgrade of a vault that an older version made."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from strongroom.errors import NotInitializedError
from strongroom.records.usage_log import Attribution
from strongroom.settings import Settings
from strongroom.store.catalog.profile import read_profile
from strongroom.store.context import StoreContext
from strongroom.store.sql_store import SqlStore
from strongroom.usecases import initialise
from strongroom.usecases.accept import UpgradeResult, accept_wallet
from strongroom.usecases.context import VaultContext
from strongroom.usecases.upgrade import Upgrade
from strongroom.wiring.databases import opening, usable_profile
from strongroom.wiring.schemas import brought_up_to_date
from strongroom.wiring.schemas import moved as moved_to
from strongroom.wiring.vaults import context_of, now, root_key_of


class Upgrading(NamedTuple):
    """An upgrade that can be run: close its store afterwards."""

    vault_context: VaultContext
    upgrade: Upgrade
    migrated: bool
    """Whether tables were changed just now."""
    moved: bool = False
    """Whether they were moved to another schema just now."""

    def accept(self, wallet_id: UUID, actor: Attribution, *, decided: bool = False) -> list[UpgradeResult]:
        """Record one wallet anew; see ``accept.accept_wallet``."""
        return accept_wallet(self.vault_context, wallet_id, actor, decided=decided)


def open_upgrade(
    settings: Settings, actor: Attribution, accept: Collection[UUID] = (), move_to: str | None = None
) -> Upgrading:
    """Bring strongroom's own tables up to date, move them to another schema where one is named, and open what tags the
    records in them.

    Raises as strongroom.open does; NotInitializedError where there is no vault.
    """
    root_key = root_key_of(settings)
    with opening(settings) as database:
        before = read_profile(database)
        if before.version is None:
            before.require_adoptable()
            raise NotInitializedError("The database is not initialised: there is nothing to upgrade.")
        profile = brought_up_to_date(settings, database)
        profile.require_usable()
        moved = move_to is not None and moved_to(settings, database, move_to)
        if moved:
            profile = usable_profile(database)
        store = SqlStore(StoreContext(database, profile))
        keyring = initialise.tag_head(
            store.keyring, root_key, actor, now, accept_foreign=store.foreign, kid=settings.keyring_kid
        )
        vault_context = context_of(settings, store, keyring, root_key)
    return Upgrading(
        vault_context, Upgrade(vault_context, actor, accept), migrated=before.version != profile.version, moved=moved
    )
