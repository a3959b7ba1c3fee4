"""What names a phrase of a project on the command line."""

from __future__ import annotations

from uuid import UUID

_UUID_CHARACTERS = 36


def reference_of(text: str) -> str | UUID:
    """What names a phrase on the command line: a UUID is its id, all else its label."""
    try:
        return UUID(text) if len(text) == _UUID_CHARACTERS else text
    except ValueError:
        return text
