"""Identifiers that callers pass, checked; and the ids that strongroom chooses."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import datetime
from uuid import NAMESPACE_DNS, UUID, uuid5

from strongroom.errors import (
    InvalidIdempotencyKeyError,
    InvalidLabelError,
    InvalidPathError,
    InvalidProjectError,
    InvalidWalletIdError,
    StrongroomError,
)

_LABEL = re.compile(r"[a-z0-9._-]{1,64}")
_UUID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PATH_SPELLING = re.compile(r"m[0-9/'hH]*")
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


def project_id_of(namespace: UUID | str, text: str | int) -> UUID:
    """Return the project id that stands for an id of your own that is no UUID, such as 42, ``user_42`` or a ULID.

    A UUID of version 5 (RFC 9562): SHA-1 of namespace and text, so the same on every machine, in every language.

    Args:
        namespace: a UUID that you chose once, or a name of yours in the DNS, such as ``users.example.com``, which
            stands for its UUID of version 5 under RFC 9562's DNS namespace. Different tables take different ones.
        text: your id; a number stands for its decimal digits. ``user_42`` and ``USER_42`` are two ids.

    Raises InvalidProjectError for an empty namespace or text.
    """
    if isinstance(namespace, str):
        known = UUID(namespace) if _UUID.fullmatch(namespace) else None
        if not namespace:
            raise InvalidProjectError("The namespace is empty.")
        namespace = known or uuid5(NAMESPACE_DNS, namespace)
    if isinstance(text, bool) or not isinstance(text, str | int) or not str(text):
        raise InvalidProjectError("The id is not a text or a number.")
    return uuid5(namespace, str(text))


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


def check_path(path: str | None) -> None:
    """Raise InvalidPathError where a text is not spelled as derivation paths are; a network says whether it has it."""
    if path is not None:
        check_text(path, InvalidPathError)
        if not _PATH_SPELLING.fullmatch(path):
            raise InvalidPathError("The derivation path cannot be parsed.")
