"""Whether there are phrases of projects, for those who cannot open them."""

from __future__ import annotations

from strongroom.store.catalog.profile import Profile
from strongroom.store.connection.read_only import ReadOnlyDatabase

_TABLE = "strongroom_phrase"


def any_phrase(database: ReadOnlyDatabase, profile: Profile) -> bool:
    """Whether a phrase has a row that can be read. Raises StoreError."""
    return _TABLE in profile.tables and bool(database.read(f"SELECT 1 FROM {_TABLE} LIMIT 1", {}))  # noqa: S608
