"""Filters for an application's own Alembic: its migrations leave the tables of the vault alone.

``alembic revision --autogenerate`` drops what is in the database and not in the application's models. Pass both filters
to ``context.configure`` in ``env.py``; docs/transactions.md shows where.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from strongroom.store.schema import FORMER_TABLES, TABLES, VERSION_TABLE

__all__ = ["include_name", "include_object"]

_SCHEMA = "strongroom"
_PREFIX = "strongroom_"
_WALLETS = frozenset(name for name in (*TABLES, VERSION_TABLE, *FORMER_TABLES) if not name.startswith(_PREFIX))


def include_name(name: str | None, type_: str, parent_names: Mapping[str, str | None]) -> bool:
    """Whether autogenerate looks at a schema or table of the database: not at the schema ``strongroom``, and not at
    tables whose names begin with ``strongroom_``, wherever they are.

    Arguments and result are those of Alembic's ``include_name``. A vault in a schema of another name is not seen
    unless ``include_schemas`` is set.
    """
    if type_ == "schema":
        return name != _SCHEMA
    if parent_names.get("schema_name") == _SCHEMA:
        return False
    return type_ != "table" or name is None or not name.startswith(_PREFIX)


def include_object(object_: Any, name: str | None, type_: str, reflected: bool, compare_to: Any) -> bool:
    """Whether autogenerate compares an object: no table of the vault's that the application has no model of.

    Arguments and result are those of Alembic's ``include_object``. Wallet tables that the application declares itself
    (the tables of a legacy database) are compared as before.
    """
    table = object_ if type_ == "table" else getattr(object_, "table", None)
    table_name = name if type_ == "table" else getattr(table, "name", None)
    if getattr(table, "schema", None) == _SCHEMA or str(table_name or "").startswith(_PREFIX):
        return False
    return not (type_ == "table" and reflected and compare_to is None and name in _WALLETS)
