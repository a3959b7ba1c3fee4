"""Seal and open a phrase that belongs to a project: a compact JWE of its own type, bound to its row.

The format is specified in docs/format.md. No wallet's text opens as a phrase, and no phrase as a wallet's text.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from uuid import UUID

from strongroom.crypto import jwe
from strongroom.crypto.bound_texts import (
    VERSION,
    ProjectKeys,
    decrypted,
    document_in,
    header_of,
    require_bound,
    unknown_version,
)
from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidMnemonicError, SealedTextCorruptError
from strongroom.records.phrases import PhraseRecord
from strongroom.records.vault_texts import SEALED_PREFIX
from strongroom.secret import Secret

TYPE = "strongroom-phrase+1"


def seal_phrase(
    phrase: Phrase,
    record: PhraseRecord,
    kid: str,
    keys: ProjectKeys,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> str:
    """Seal a phrase with its passphrase for the row of ``record``; a compact JWE (RFC 7516)."""
    document = {"v": VERSION, "mnemonic": phrase.mnemonic.reveal_text()}
    if phrase.passphrase is not None:
        document["passphrase"] = phrase.passphrase.reveal_text()
    payload = Secret(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())
    document = {}
    return jwe.encrypt(
        header_of(kid, TYPE, _binding(record)), payload, keys.project_key(kid, record.project_id), random_bytes
    )


def open_phrase(text: str, record: PhraseRecord, keys: ProjectKeys) -> Phrase:
    """Open the sealed phrase in the row of ``record``.

    Raises UnknownSealingKeyError, SealedTextCorruptError, and IdentityMismatchError where it belongs to another row;
    ``columns`` names what differs. That the phrase has the identifier is the caller's to prove.
    """
    name = f"the phrase {record.phrase_id}"
    if not text.startswith(SEALED_PREFIX):
        text = ""  # somebody may have put words in plaintext there: no frame of the error keeps them
        raise SealedTextCorruptError(f"The row of {name} holds no sealed text.")
    try:
        parsed = jwe.parse(text)
        payload = decrypted(parsed, (TYPE,), keys)
    except (jwe.JweError, ValueError):
        raise SealedTextCorruptError(f"The sealed text of {name} was changed or is damaged.") from None
    require_bound(parsed.header, _binding(record), name)
    found = _read(payload)
    if found is None:
        raise unknown_version(name)
    return found


def phrase_in(text: str) -> tuple[UUID, UUID, str] | None:
    """Project, phrase and identifier that the header of a sealed phrase names; proved only where it opens under them.

    None: it is no text of a phrase.
    """
    try:
        header = jwe.parse(text).header
        if header.get("typ") != TYPE:
            return None
        return UUID(header["project"]), UUID(header["phrase"]), header["identifier"]
    except (jwe.JweError, ValueError, KeyError):
        return None


def beginning_of_phrases(kid: str) -> str:
    """What every text of a phrase begins with that a sealing key sealed, of whatever project it is."""
    header = jwe.encode_header(header_of(kid, TYPE, {"project": "", "phrase": "", "identifier": ""}))
    known = header[: header.index(b'","phrase"')]
    return jwe.encode_segment(known[: len(known) // 3 * 3])


def _binding(record: PhraseRecord) -> dict[str, str]:
    return {
        "project": str(record.project_id),
        "phrase": str(record.phrase_id),
        "identifier": record.identifier,
    }


def _read(payload: Secret) -> Phrase | None:
    """The phrase in a payload; None where it is of another version, or no phrase."""
    document = document_in(payload)
    if document is None:
        return None
    mnemonic, passphrase = document.get("mnemonic"), document.get("passphrase")
    if not isinstance(mnemonic, str) or not isinstance(passphrase, str | None):
        return None
    try:
        return Phrase.parse(Secret.from_text(mnemonic), Secret.optional(passphrase))
    except (ValueError, InvalidMnemonicError):
        return None
