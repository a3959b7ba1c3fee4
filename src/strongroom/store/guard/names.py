"""What the guard is made of: its version, its modes, what marks its parts, and how its SQL is filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from strongroom.records.vault_texts import PLACEHOLDERS

VERSION = 6
"""Counts changes of the guard's SQL; what is installed says which one it is."""
ARCHIVE = "archive"
REFUSE = "refuse"
MODES = (ARCHIVE, REFUSE)
INSTALLED = "guard-install"
REMOVED = "guard-remove"
WORDS = ", ".join(f"'{word}'" for word in sorted(PLACEHOLDERS))
"""The placeholders, as a list of SQL texts."""

_MARK = re.compile(r"strongroom guard (\d+), mode (archive|refuse)")
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Script:
    """SQL that runs in one transaction, statement by statement; safe to run again."""

    statements: tuple[str, ...]

    def __str__(self) -> str:
        """The SQL as a text that a database's own program runs."""
        return "\n\n".join(f"{statement};" for statement in self.statements)


def mark(mode: str) -> str:
    """What an installed part says of itself."""
    return f"strongroom guard {VERSION}, mode {mode}"


def marked(text: str | None) -> str | None:
    """The mode that an installed part says, or None."""
    found = _MARK.search(text or "")
    return None if found is None else found[2]


def fill(sql: str, values: Mapping[str, str]) -> str:
    """Put the values where the SQL has their names in braces; a value may have the names of others in it."""
    while _PLACE.search(sql):
        sql = _PLACE.sub(lambda place: values[place[1]], sql)
    return sql
