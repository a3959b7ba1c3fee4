"""Seal and open a phrase that belongs to a project: a compact JWE of its own type, bound to its row.

The format is specified in docs/format.md. No wallet's text opens as a phrase, and no phrase as a wallet's text.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from uuid import UUID

from strongroom.crypto import jwe
from strongroom.crypto.phrase import Phrase
from strongroom.crypto.sealing import ProjectKeys
from strongroom.errors import IdentityMismatchError, InvalidMnemonicError, SealedTextCorruptError
from strongroom.records.phrases import PhraseRecord
from strongroom.secret import Secret

TYPE = "strongroom-phrase+1"
_VERSION = 1
_COLUMNS = {"project": "project_id", "phrase": "id", "identifier": "identifier"}


def seal_phrase(
    phrase: Phrase,
    record: PhraseRecord,
    kid: str,
    keys: ProjectKeys,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> str:
    """Seal a phrase with its passphrase for the row of ``record``; a compact JWE (RFC 7516)."""
    document = {"v": _VERSION, "mnemonic": phrase.mnemonic.reveal_text()}
    if phrase.passphrase is not None:
        document["passphrase"] = phrase.passphrase.reveal_text()
    payload = Secret(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())
    document = {}
    return jwe.encrypt(_header(kid, record), payload, keys.project_key(kid, record.project_id), random_bytes)


def open_phrase(text: str, record: PhraseRecord, keys: ProjectKeys) -> Phrase:
    """Open the sealed phrase in the row of ``record``.

    Raises UnknownSealingKeyError, SealedTextCorruptError, and IdentityMismatchError where it belongs to another row;
    ``columns`` names what differs. That the phrase has the identifier is the caller's to prove.
    """
    try:
        parsed = jwe.parse(text)
        header = parsed.header
        if header.get("typ") != TYPE or "kid" not in header:
            raise jwe.JweError("another type")
        payload = jwe.decrypt(parsed, keys.project_key(header["kid"], UUID(header.get("project", ""))))
    except (jwe.JweError, ValueError):
        raise SealedTextCorruptError(
            f"The sealed text of the phrase {record.phrase_id} was changed or is damaged."
        ) from None
    _check_identity(header, record)
    found = _read(payload)
    if found is None:
        raise SealedTextCorruptError(
            f"The sealed text of the phrase {record.phrase_id} opens, but its content is of an unknown version.",
            hint="A newer version of strongroom may have written it.",
        )
    return found


def _header(kid: str, record: PhraseRecord) -> dict[str, str]:
    return {
        "kid": kid,
        **jwe.ALGORITHM,
        "typ": TYPE,
        "project": str(record.project_id),
        "phrase": str(record.phrase_id),
        "identifier": record.identifier,
    }


def _check_identity(header: Mapping[str, str], record: PhraseRecord) -> None:
    expected = _header(header["kid"], record)
    if list(header.items()) == list(expected.items()):  # parsed from its canonical form: equal bytes
        return
    columns = tuple(column for name, column in _COLUMNS.items() if header.get(name) != expected[name])
    if not columns:
        raise SealedTextCorruptError(f"The header of the sealed phrase {record.phrase_id} is not canonical.")
    raise IdentityMismatchError(
        f"The sealed text of the phrase {record.phrase_id} belongs to another: {', '.join(columns)} differ.",
        columns=columns,
    )


def _read(payload: Secret) -> Phrase | None:
    """The phrase in a payload; None where it is of another version, or no phrase."""
    try:
        document = json.loads(payload.reveal())
        if document["v"] != _VERSION:
            return None
        mnemonic, passphrase = document["mnemonic"], document.get("passphrase")
        if not isinstance(mnemonic, str) or not isinstance(passphrase, str | None):
            return None
        return Phrase.parse(Secret.from_text(mnemonic), Secret.optional(passphrase))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidMnemonicError):
        return None
