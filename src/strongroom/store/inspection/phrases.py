"""Whether there are phrases of projects, for those who cannot open them."""

from __future__ import annotations

from strongroom.store.catalog.profile import Profile
from strongroom.store.connection.read_only import ReadOnlyDatabase
from strongroom.store.statements.inspection import InspectionStatements


def any_phrase(database: ReadOnlyDatabase, profile: Profile) -> bool:
    """Whether a phrase has a row that can be read. Raises StoreError."""
    if "strongroom_phrase" not in profile.tables:
        return False
    return bool(database.read(InspectionStatements(profile, sqlite=database.sqlite).any_phrase, {}))
