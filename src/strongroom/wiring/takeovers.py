"""From settings to what takes over a database: doctor, repair, the migration of wallet tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from uuid import UUID

from strongroom.errors import ContentionError, NotInitializedError
from strongroom.records.usage_log import Attribution
from strongroom.rootkeys import open_root_key
from strongroom.settings import Settings
from strongroom.store.catalog.surroundings import superuser_of
from strongroom.store.migrations.distribution import Distributor
from strongroom.store.sql_store import SqlStore
from strongroom.takeover.doctor import session as doctors
from strongroom.takeover.doctor.doctor import Doctor
from strongroom.takeover.doctor.passwords import Passwords
from strongroom.takeover.doctor.wallet_owners import WalletOwners
from strongroom.takeover.face import Takeover
from strongroom.takeover.migrate.session import Migrator, read_migration
from strongroom.takeover.openers import Openers
from strongroom.takeover.repair.session import RepairSession
from strongroom.usecases.keys_of_others import KeysOfOthers
from strongroom.usecases.outcome import ATTEMPTS
from strongroom.wiring.databases import open_database, open_for_reading, opening, usable_profile
from strongroom.wiring.upgrades import Upgrading, open_upgrade
from strongroom.wiring.vaults import open_context, open_guard


def open_takeover(settings: Settings) -> Takeover:
    """What takes over the database that the settings name; nothing is opened yet. See strongroom.open_takeover."""

    def upgrade(actor: Attribution, accept: Sequence[UUID], move_to: str | None) -> Upgrading:
        if move_to is not None:
            replace(settings, schema=move_to)  # refuses what is no schema's name
        return open_upgrade(settings, actor, accept, move_to)

    return Takeover(
        Openers(
            doctor=lambda passwords, project_id, paths: open_doctor(settings, passwords, project_id, paths=paths),
            repair=partial(open_repair, settings),
            guard=partial(open_guard, settings),
            migrator=partial(open_migrator, settings),
            upgrade=upgrade,
            vault=partial(open_context, settings),
            distributor=partial(open_distributor, settings),
        )
    )


@contextmanager
def open_doctor(
    settings: Settings, passwords: Passwords, project_id: UUID | None = None, *, paths: Sequence[str] = ()
) -> Iterator[Doctor]:
    """A doctor for a database, which reads it and changes nothing; needs no init, and no root key.

    ``paths`` are derivation paths that are tried before those that wallets use.

    With a root key in the settings, and a keyring in the database, sealed texts are opened and proved. The root key is
    called between two readings, while no transaction is open; what it opened must be the keyring of the second one.
    A root key that is lost (it is not there, or is damaged) is a finding, and texts are believed as without one.

    Raises NotInitializedError and ForeignSchemaError where there are no wallets to look at, RootKeyError where the root
    key does not open the keyring, ContentionError where the keyring changes all the time, and StoreError.
    """
    root_key = None if settings.root_key is None else partial(open_root_key, settings.root_key)
    for _ in range(ATTEMPTS):
        rows, unlocked = None, None
        if root_key is not None:
            with open_for_reading(settings) as database:
                rows = doctors.read(database, project_id).rows
            unlocked = doctors.unlock(rows, root_key, settings.keyring_kid)
        with open_for_reading(settings) as database:
            reading = doctors.read(database, project_id)
            if root_key is not None and reading.rows != rows:
                continue  # a rotation came between the two readings
            with doctors.examining(reading, unlocked, open_root_key, passwords, paths) as doctor:
                yield doctor
            return
    raise ContentionError("The keyring changed each time that it was read; nothing was looked at.")


@contextmanager
def open_repair(settings: Settings, passwords: Passwords, paths: Sequence[str] = ()) -> Iterator[RepairSession]:
    """Open the vault, with its root key; ``paths`` are tried for phrases before those of wallets.

    Raises what ``strongroom.open`` raises."""
    vault_context = open_context(settings)
    try:
        store = vault_context.store
        if not isinstance(store, SqlStore):
            raise NotInitializedError("A repair works on a SQL database.")
        context = store.context
        examination_context = doctors.make_examination_context(
            context.profile, passwords, vault_context.keyring, vault_context.keyring.kids, paths
        )
        owners, others = WalletOwners(vault_context), KeysOfOthers(vault_context)
        examination_context = replace(examination_context, owners=owners, keys_of_others=others)
        yield RepairSession(vault_context, store.repair, examination_context, superuser_of(context.database))
    finally:
        vault_context.close()


def open_distributor(settings: Settings) -> Distributor:
    """Open what distributes the tables of an initialised vault; no root key is asked for, because no key is opened.

    Raises as strongroom.open does for the database; UnsupportedDatabaseError, DistributionRefusedError.
    """
    with opening(settings) as database:
        return Distributor(database, usable_profile(database))


def open_migrator(settings: Settings) -> Migrator:
    """Read what a schema needs; nothing is written, and no root key is asked for.

    Raises NotInitializedError where there are no wallet tables, ForeignSchemaError for a file of SQLite whose tables
    somebody changed, and StoreError.
    """
    with open_for_reading(settings) as database:
        return read_migration(database, partial(open_database, settings, pool_size=1))
