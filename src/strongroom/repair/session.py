"""From settings to a repair: an open vault, and a doctor's eye on its rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from strongroom.doctor.notes import Ground
from strongroom.doctor.passwords import Passwords
from strongroom.doctor.session import ground_of
from strongroom.errors import NotInitializedError
from strongroom.settings import Settings
from strongroom.store.repair_store import RepairStore
from strongroom.store.sql_store import SqlStore
from strongroom.usecases.parts import Parts
from strongroom.wiring import open_parts


@dataclass(frozen=True, slots=True)
class Workshop:
    """What plans are made and carried out with."""

    parts: Parts
    store: RepairStore
    ground: Ground


@contextmanager
def open_workshop(settings: Settings, passwords: Passwords) -> Iterator[Workshop]:
    """Open the vault, with its root key. Raises what ``strongroom.open`` raises."""
    parts = open_parts(settings)
    try:
        wallets = parts.store
        if not isinstance(wallets, SqlStore):
            raise NotInitializedError("A repair works on a SQL database.")
        ground = ground_of(wallets.profile, passwords, parts.keyring, parts.keyring.kids)
        yield Workshop(parts, RepairStore(wallets.database, wallets.profile), ground)
    finally:
        parts.store.close()
