"""Texts in statements, as far as they are looked at: none is unpacked whole for how it begins."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, literal_column, select

from strongroom.store.statements.column_forms import param
from strongroom.store.statements.tables import VAULT


def begins_sealed(text: Any) -> Any:
    """That a text begins as sealed ones do; what a writer made as large as they liked is not unpacked for it."""
    return beginning(text).like(param("sealed_pattern", VAULT.c.encrypted_private_key))


def beginnings() -> Select[Any]:
    """What every vault record's text begins with."""
    return select(beginning(VAULT.c.encrypted_private_key))


def beginning(text: Any) -> Any:
    """The forty characters that name a sealed text's sealing key."""
    return func.substr(text, literal_column("1"), literal_column("40"))


def place_of(text: Any, part: Any, *, postgresql: bool) -> Any:
    """Where a part begins in a text, counted from 1; 0 where it is not there."""
    return func.strpos(text, part) if postgresql else func.instr(text, part)


def substring(text: Any, characters: int) -> Any:
    """The first characters of a text."""
    return func.substr(text, literal_column("1"), literal_column(str(characters)))
