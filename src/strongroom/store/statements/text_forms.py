"""Texts in statements, as far as they are looked at: none is unpacked whole for how it begins."""

from __future__ import annotations

from typing import Any

from sqlalchemy import LargeBinary, Select, cast, func, literal_column, select

from strongroom.store.statements.column_forms import param
from strongroom.store.statements.tables import VAULT

_UTF8_BYTES = 4
"""The most that a character takes."""


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
    """Where a part begins in a text, counted from 1; 0 where it is not there. SQLite counts bytes."""
    return func.strpos(text, part) if postgresql else func.instr(cast(text, LargeBinary), cast(part, LargeBinary))


def size_of(text: Any, *, postgresql: bool) -> Any:
    """The bytes of a text. SQLite counts the characters of one to its first NUL."""
    return func.octet_length(text) if postgresql else func.length(cast(text, LargeBinary))


def from_place(text: Any, place: Any, characters: int, *, postgresql: bool) -> Any:
    """So many characters of a text, from one on; of SQLite their bytes, since a text ends where its first NUL is."""
    if postgresql:
        return func.substr(text, place, literal_column(str(characters)))
    return func.substr(cast(text, LargeBinary), place, literal_column(str(_UTF8_BYTES * characters)))


def substring(text: Any, characters: int) -> Any:
    """The first characters of a text."""
    return func.substr(text, literal_column("1"), literal_column(str(characters)))
