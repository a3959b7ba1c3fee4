"""From settings to an open vault, and to what needs its database alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from strongroom.crypto.keyring import Keyring
from strongroom.errors import NotInitializedError, RootKeyMissingError, UpgradeNeededError
from strongroom.host import secret_variables
from strongroom.networks import TABLE
from strongroom.ports.root_key import RootKey
from strongroom.rootkeys import open_root_key
from strongroom.settings import Settings
from strongroom.store import schema
from strongroom.store.catalog.grants import RoleKind, grants
from strongroom.store.catalog.profile import read_profile
from strongroom.store.connection import engine as engines
from strongroom.store.context import StoreContext
from strongroom.store.guard.installer import Guard
from strongroom.store.sql_store import SqlStore
from strongroom.takeover.doctor.field_texts import FieldTexts
from strongroom.usecases import initialise
from strongroom.usecases.context import VaultContext
from strongroom.vault.unverified import UnverifiedVault
from strongroom.vault.vault import Vault
from strongroom.wiring.databases import open_database, opening, usable_profile
from strongroom.wiring.schemas import brought_up_to_date


class InitResult(NamedTuple):
    """What ``init_vault`` returns: the open vault, and whether this call created its keyring."""

    vault: Vault
    created: bool
    migrated: bool = False
    """Whether this call brought an older schema up to date."""


def open_vault(settings: Settings) -> Vault:
    """Open a vault that was initialised; see strongroom.open."""
    return Vault(open_context(settings))


def open_context(settings: Settings) -> VaultContext:
    """What an open vault is made of: for those who work on its database alongside its verbs."""
    root_key = root_key_of(settings)
    with opening(settings) as database:
        store = SqlStore(StoreContext(database, usable_profile(database)))
        keyring = initialise.open_keyring(store.keyring, root_key)
        return context_of(settings, store, keyring, root_key)


def context_of(settings: Settings, store: SqlStore, keyring: Keyring, root_key: RootKey) -> VaultContext:
    """What an open vault is made of, from its store and its keyring. Raises KeyringCorruptError for another vault's."""
    initialise.require_kid(keyring, settings.keyring_kid)
    networks = TABLE.with_fee_limits(settings.evm_fee_limit_gwei, settings.solana_fee_limit_lamports)
    return VaultContext(
        store, keyring, networks, now, root_key, open_root_key, FieldTexts(networks), settings.accept_foreign
    )


def open_unverified(settings: Settings) -> UnverifiedVault:
    """Open what a database says, without a root key; see strongroom.open_unverified."""
    with opening(settings) as database:
        return UnverifiedVault(SqlStore(StoreContext(database, usable_profile(database))), TABLE)


def init_vault(settings: Settings, *, another_vault: bool = False) -> InitResult:
    """Make schema and keyring where they are missing, then open; see strongroom.init."""
    root_key = root_key_of(settings)
    initialise.try_root_key(root_key)
    if settings.keyring_kid is not None:
        return InitResult(_open_known(settings), created=False)
    engines.create_file(settings.database)
    with opening(settings) as database:
        before = read_profile(database).version
        if before is not None and before != schema.HEAD and before in schema.MIGRATIONS:
            raise UpgradeNeededError(f"This vault's schema is at migration {before}.")
        profile = brought_up_to_date(settings, database, another_vault=another_vault)
        profile.require_usable()
        store = SqlStore(StoreContext(database, profile))
        keyring, created = initialise.create_keyring(store.keyring, root_key, now, accept_foreign=store.foreign)
    migrated = before is not None and before != profile.version
    return InitResult(Vault(context_of(settings, store, keyring, root_key)), created, migrated)


def _open_known(settings: Settings) -> Vault:
    """Open the vault whose sealing key the settings name: it was made before, and no other one takes its place."""
    try:
        return open_vault(settings)
    except NotInitializedError:
        raise NotInitializedError(
            "The setting keyring_kid names a vault that was made before, and there is none here. Nothing was changed.",
            hint="Check database and schema. To make a new vault, take keyring_kid out of the settings.",
        ) from None


def open_guard(settings: Settings) -> Guard:
    """Open what installs the guard in an initialised database: no root key is asked for, because no key is opened.

    Raises as strongroom.open does for the database.
    """
    with opening(settings) as database:
        return Guard(database, usable_profile(database))


def print_grants(settings: Settings, kind: RoleKind, role: str) -> list[str]:
    """What gives a database's role the least privileges of a kind of work, as SQL; nothing is granted.

    Raises as strongroom.open does for the database; UnsupportedDatabaseError on SQLite.
    """
    database = open_database(settings)
    try:
        return grants(database, usable_profile(database), kind, role)
    finally:
        database.close()


def root_key_of(settings: Settings) -> RootKey:
    """The root key that the settings name; nothing is read yet. Raises RootKeyMissingError, InvalidSettingError."""
    if settings.root_key is None:
        raise RootKeyMissingError(
            "No root key is configured.",
            hint="Set STRONGROOM_ROOT_KEY or root_key in strongroom.toml, such as file:root.key",
        )
    if settings.withdraw_variables:
        secret_variables.withdraw_once_read()
    return open_root_key(settings.root_key)


def now() -> datetime:
    """The time now, with the time zone UTC: the clock of every vault."""
    return datetime.now(UTC)
