"""What every sealed text of ours is: a compact JWE whose header names what it belongs to, around versioned JSON.

The format is specified in docs/format.md. The protected header begins with the kid, so that the first forty
characters of a sealed text name its sealing key and can be compared in SQL.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from typing import Any, Protocol
from uuid import UUID

from strongroom.crypto import jwe
from strongroom.errors import IdentityMismatchError, SealedTextCorruptError
from strongroom.secret import Secret

VERSION = 1
"""Of every payload."""
_COLUMNS = {
    "project": "project_id",
    "credential": "credential_id",
    "phrase": "phrase_id",
    "network": "network",
    "address": "wallet_address",
    "identifier": "identifier",
}
"""The members of headers that name a row, and the columns that they name it by."""


class ProjectKeys(Protocol):
    """What sealing needs of a keyring."""

    def project_key(self, kid: str, project_id: UUID) -> Secret:
        """The key-wrapping key of a project under a sealing key. Raises UnknownSealingKeyError."""


def header_of(kid: str, typ: str, binding: Mapping[str, str]) -> dict[str, str]:
    """The header of a text of a type that is bound to a row; its first member after the type is the project."""
    return {"kid": kid, **jwe.ALGORITHM, "typ": typ, **binding}


def decrypted(parsed: jwe.Parsed, types: Container[str], keys: ProjectKeys) -> Secret:
    """The payload of a text of one of some types. Raises JweError, UnknownSealingKeyError, and ValueError where the
    header names no project."""
    header = parsed.header
    if header.get("typ") not in types or "kid" not in header:
        raise jwe.JweError("another type")
    return jwe.decrypt(parsed, keys.project_key(header["kid"], UUID(header.get("project", ""))))


def require_bound(header: Mapping[str, str], binding: Mapping[str, str], name: object) -> None:
    """Raise IdentityMismatchError unless a header is bound to a row; ``columns`` names what differs.

    Raises SealedTextCorruptError where it is not canonical.
    """
    expected = header_of(header["kid"], header["typ"], binding)
    if list(header.items()) == list(expected.items()):  # parsed from its canonical form: equal bytes
        return
    columns = tuple(_COLUMNS[member] for member in binding if header.get(member) != binding[member])
    if not columns:
        raise SealedTextCorruptError(f"The header of the sealed text of {name} is not canonical.")
    raise IdentityMismatchError(
        f"The sealed text in the row of {name} belongs to another identity: {', '.join(columns)} differ.",
        columns=columns,
    )


def document_in(payload: Secret) -> dict[str, Any] | None:
    """The object in a payload; None where it is of another version, or none."""
    try:
        document = json.loads(payload.reveal())
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and document.get("v") == VERSION else None


def unknown_version(name: object) -> SealedTextCorruptError:
    """The error of a text that opens and holds what this version does not know."""
    return SealedTextCorruptError(
        f"The sealed text of {name} opens, but its content is of an unknown version.",
        hint="A newer version of strongroom may have written it.",
    )
