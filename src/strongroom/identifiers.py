"""Identifiers that callers pass, checked; and the ids that strongroom chooses."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from strongroom.errors import (
    InvalidIdempotencyKeyError,
    InvalidLabelError,
    InvalidProjectError,
    InvalidWalletIdError,
    StrongroomError,
)

_LABEL = re.compile(r"[a-z0-9._-]{1,64}")
_UUID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
RESERVED = "strongroom:"
"""What idempotency keys of our own begin with; callers may not use it."""
_LONGEST_KEY = 255
_LONGEST_TEXT = 1024


def new_id(now: datetime, random_bytes: Callable[[int], bytes] = os.urandom) -> UUID:
    """A UUID of version 7 (RFC 9562): 48 bits of milliseconds, 74 random bits. Ids sort by that."""
    milliseconds = int(now.timestamp() * 1000)
    number = milliseconds << 80 | int.from_bytes(random_bytes(10))
    number = number & ~(0xF << 76) | 0x7 << 76
    return UUID(int=number & ~(0x3 << 62) | 0x2 << 62)


def check_project_id(value: UUID | str) -> UUID:
    """Return the project's UUID. Raises InvalidProjectError."""
    return _uuid(value, InvalidProjectError("The project id is not a UUID."))


def check_wallet_id(value: UUID | str) -> UUID:
    """Return the wallet's UUID. Raises InvalidWalletIdError."""
    return _uuid(value, InvalidWalletIdError("The wallet id is not a UUID."))


def check_label(value: str) -> str:
    """Return the label. Raises InvalidLabelError."""
    if not isinstance(value, str) or _LABEL.fullmatch(value) is None:
        raise InvalidLabelError("The label is not 1 to 64 characters of a-z, 0-9, dot, underscore and hyphen.")
    return value


def check_text(value: object, error: type[StrongroomError]) -> None:
    """Raise ``error`` for what is not text, or is longer than any address or path."""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise error("This is not text, or it is too long.")


def check_idempotency_key(value: str | None) -> str | None:
    """Return the idempotency key. Raises InvalidIdempotencyKeyError."""
    if value is not None and not (isinstance(value, str) and 0 < len(value) <= _LONGEST_KEY and value.isprintable()):
        raise InvalidIdempotencyKeyError("The idempotency key is empty, too long, or not printable.")
    if value is not None and value.startswith(RESERVED):
        raise InvalidIdempotencyKeyError("Idempotency keys that begin with strongroom: are its own.")
    return value


def _uuid(value: UUID | str, error: StrongroomError) -> UUID:
    if isinstance(value, UUID):
        return value
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    raise error
