"""Tables of a vault that were dropped: which, and that nothing is made anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from strongroom.errors import TablesMissingError
from strongroom.store import schema
from strongroom.store.catalog.foreign_schema import CREDENTIALS, TABLES
from strongroom.store.catalog.location import in_schemas
from strongroom.store.catalog.planted import PlantedTable

_KEYRING = ("strongroom_keyring", "strongroom_keyring_wrap")
"""The tables that make a vault of a database."""


class _Found(Protocol):
    @property
    def tables(self) -> frozenset[str]: ...
    @property
    def version(self) -> str | None: ...
    @property
    def hidden(self) -> tuple[str, ...]: ...
    @property
    def schemas(self) -> Mapping[str, str]: ...
    @property
    def planted(self) -> tuple[PlantedTable, ...]: ...
    @property
    def wallets_elsewhere(self) -> tuple[str, ...]: ...


def lacks_tables(found: _Found) -> bool:
    """Whether a vault that is there seems to have lost tables."""
    try:
        require_version_table(found)
        require_present(found)
    except TablesMissingError:
        return True
    return False


def require_present(found: _Found) -> None:
    """Raise TablesMissingError where a vault that is there has lost tables."""
    version = found.version
    expected = schema.TABLES if version == schema.HEAD else TABLES if version in schema.MIGRATIONS else ()
    missing = sorted(set(expected) - found.tables)
    if not missing:
        return
    own = found.schemas.get(schema.VERSION_TABLE)
    wallets = found.schemas.get(CREDENTIALS) if CREDENTIALS in found.tables else None  # else nothing says it any more
    homes = {name: wallets if name in TABLES else own for name in missing}
    named = [name if homes[name] is None else f"{homes[name]}.{name}" for name in missing]
    message = f"Tables of this vault are missing: {', '.join(named)}."
    if CREDENTIALS in missing and found.wallets_elsewhere:
        raise TablesMissingError(
            f"{message} There are wallet tables in {in_schemas(found.wallets_elsewhere)}, which is not on the "
            "role's search_path.",
            hint="Put that schema on the role's search_path: ALTER ROLE ... SET search_path.",
        )
    raise TablesMissingError(message)


def require_version_table(found: _Found) -> None:
    """Raise TablesMissingError where a keyring is there, and the table that says which version it is of is not."""
    if found.version is not None or schema.VERSION_TABLE in found.hidden:
        return
    where, left = _keyring(found)
    if left is None:
        return
    gone = sorted(set(schema.TABLES) - set(TABLES) - left)
    gone.append(schema.VERSION_TABLE if schema.VERSION_TABLE not in left else f"{schema.VERSION_TABLE} (it is empty)")
    own = "" if where is None else f"{where}."
    raise TablesMissingError(f"Tables of this vault are missing: {', '.join(f'{own}{name}' for name in gone)}.")


def _keyring(found: _Found) -> tuple[str | None, frozenset[str] | None]:
    """The schema of a keyring, and which tables are next to it; without the version they were not taken for a
    vault's, and only those count that could be nobody's trap."""
    if found.tables.issuperset(_KEYRING):
        return found.schemas.get(_KEYRING[0]), found.tables
    by_home: dict[str, set[str]] = {}
    for each in found.planted:
        if each.trusted:
            by_home.setdefault(each.home, set()).add(each.name)
    for home, names in by_home.items():
        if names.issuperset(_KEYRING):
            return home, frozenset(names)
    return None, None
