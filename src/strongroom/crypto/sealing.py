"""Seal and open: a wallet's secret as a compact JWE that is bound to its row. See ``bound_texts``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple
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
from strongroom.errors import IdentityMismatchError, NotSealedError, SealedTextCorruptError
from strongroom.records.key_material import Identity, KeyMaterial
from strongroom.records.vault_texts import SEALED_PREFIX
from strongroom.secret import Secret

TYPE = "strongroom+1"
ASIDE_TYPE = "strongroom-aside+1"
"""A key that was found under a wallet and is not known to be its own: it opens as no wallet's text."""
TEXT_TYPE = "strongroom-text+1"
"""A text that was found under a wallet and that nothing explains, or a part of one: it opens as no key."""
_LONGEST_PART_BYTES = 10_000
"""Of a text in JSON; what is longer is sealed in several parts, since no sealed text is longer than a reader takes."""
SHORTEST_WITH_PHRASE = 160
"""Of a payload in bytes: a key and twelve words of three letters take a few more."""


class TextPart(NamedTuple):
    """A text that was kept sealed, or a part of one."""

    text: Secret
    part: int
    """Which part it is, from 1."""
    parts: int
    """How many the text has."""


def is_sealed(text: str) -> bool:
    """Whether a text claims to be a sealed text of ours; says nothing about whether it opens."""
    return text.startswith(SEALED_PREFIX)


def seal(
    material: KeyMaterial,
    identity: Identity,
    kid: str,
    keys: ProjectKeys,
    random_bytes: Callable[[int], bytes] = os.urandom,
    *,
    aside: bool = False,
) -> str:
    """Seal a wallet's secret for the row that ``identity`` describes; a compact JWE (RFC 7516).

    ``aside``: the key only stands under that wallet. Its text is kept, and never passes as the wallet's own.
    """
    return jwe.encrypt(
        _header(kid, identity, ASIDE_TYPE if aside else TYPE),
        _encode(material),
        keys.project_key(kid, identity.project_id),
        random_bytes,
    )


def open_sealed(text: str, identity: Identity, keys: ProjectKeys, *, aside: bool = False) -> KeyMaterial:
    """Open a sealed text that is in the row that ``identity`` describes; ``aside``: one that was kept aside.

    Raises:
        NotSealedError: the text is a placeholder or the legacy application's.
        UnknownSealingKeyError: its sealing key is not in the keyring.
        SealedTextCorruptError: it was changed or damaged.
        IdentityMismatchError: it belongs to another row, or was kept aside; ``columns`` names what differs.
    """
    if not is_sealed(text):
        text = ""  # the legacy application may have put a key in plaintext there: no frame of the error keeps it
        raise NotSealedError(f"The vault record of {identity.credential_id} holds no sealed text.")
    try:
        parsed = jwe.parse(text)
        header = parsed.header
        if header.get("typ") == ASIDE_TYPE and not aside:
            raise IdentityMismatchError(
                f"The sealed text in the row of {identity.credential_id} is a key that was kept aside, not its own.",
                columns=("wallet_address",),
            )
        payload = decrypted(parsed, (ASIDE_TYPE if aside else TYPE,), keys)
    except (jwe.JweError, ValueError):
        raise SealedTextCorruptError(
            f"The sealed text of {identity.credential_id} was changed or is damaged."
        ) from None
    require_bound(header, _binding(identity), identity.credential_id)
    return _decode(payload, identity)


def seal_text(
    text: Secret,
    identity: Identity,
    kid: str,
    keys: ProjectKeys,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> list[str]:
    """Seal a text that is no key as far as is known, in as many parts as it takes; opened by ``open_text`` alone."""
    header, key = _header(kid, identity, TEXT_TYPE), keys.project_key(kid, identity.project_id)
    found = list(_parts(text.reveal().decode(errors="surrogatepass")))
    payloads = (
        Secret(_written({"v": VERSION, "text": part, "part": place, "parts": len(found)}))
        for place, part in enumerate(found, 1)
    )
    return [jwe.encrypt(header, payload, key, random_bytes) for payload in payloads]


def open_text(text: str, identity: Identity, keys: ProjectKeys) -> TextPart:
    """Open a text that ``seal_text`` sealed under an identity.

    Raises UnknownSealingKeyError, SealedTextCorruptError, IdentityMismatchError.
    """
    try:
        parsed = jwe.parse(text)
        payload = decrypted(parsed, (TEXT_TYPE,), keys)
    except (jwe.JweError, ValueError):
        raise SealedTextCorruptError("The sealed text was changed or is damaged.") from None
    require_bound(parsed.header, _binding(identity), identity.credential_id)
    found = _read_part(payload)
    if found is None:
        raise unknown_version(identity.credential_id)
    return found


def _read_part(payload: Secret) -> TextPart | None:
    document = document_in(payload)
    if document is None:
        return None
    try:
        return TextPart(Secret.from_text(document["text"]), int(document["part"]), int(document["parts"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def may_hold_phrase(text: str) -> bool:
    """Whether a sealed text is long enough to hold a phrase, which is told without opening it."""
    return len(text.split(".")[-2:][0]) * 3 // 4 >= SHORTEST_WITH_PHRASE


def is_of_ours(text: str) -> bool:
    """Whether a text has the whole form of one of ours, with nothing around it: key, key kept aside, or text."""
    return is_sealed(text) and _type_of(text) in (TYPE, ASIDE_TYPE, TEXT_TYPE)


def is_text(text: str) -> bool:
    """Whether a text claims to be one that ``seal_text`` sealed."""
    return is_sealed(text) and _type_of(text) == TEXT_TYPE


def identity_in(text: str, *, of_text: bool = False) -> Identity | None:
    """The identity that a sealed text's header names; proved only where the text opens under it. None: it has none.

    ``of_text``: of what ``seal_text`` sealed.
    """
    try:
        header = jwe.parse(text).header
        if header.get("typ") not in ((TEXT_TYPE,) if of_text else (TYPE, ASIDE_TYPE)):
            return None
        return Identity(UUID(header["project"]), UUID(header["credential"]), header["network"], header["address"])
    except (jwe.JweError, ValueError, KeyError):
        return None


def beginning_of(kid: str, project_id: UUID, credential_id: UUID) -> str:
    """What a text that was sealed for a wallet by a sealing key begins with, as far as that alone decides it."""
    header = jwe.encode_header(_header(kid, Identity(project_id, credential_id, "", ""), TYPE))
    known = header[: header.index(b'","network"')]
    return jwe.encode_segment(known[: len(known) // 3 * 3])


def is_aside(text: str) -> bool:
    """Whether a text claims to be one that was kept aside: the key of no wallet, as far as is known."""
    return _type_of(text) == ASIDE_TYPE


def _type_of(text: str) -> str | None:
    try:
        return jwe.parse(text).header.get("typ")
    except (jwe.JweError, ValueError):
        return None


def _parts(text: str) -> Iterator[str]:
    """A text in parts that can be sealed, in their order."""
    if len(_written(text)) <= _LONGEST_PART_BYTES:
        yield text
        return
    yield from _parts(text[: len(text) // 2])
    yield from _parts(text[len(text) // 2 :])


def _written(document: object) -> bytes:
    """Compact JSON; what is no Unicode, as SQLite may hold it, is escaped."""
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def _header(kid: str, identity: Identity, typ: str) -> dict[str, str]:
    return header_of(kid, typ, _binding(identity))


def _binding(identity: Identity) -> dict[str, str]:
    return {
        "project": str(identity.project_id),
        "credential": str(identity.credential_id),
        "network": identity.network,
        "address": identity.address,
    }


def _encode(material: KeyMaterial) -> Secret:
    document = {"v": VERSION, "private_key": material.private_key.reveal().hex(), "scheme": material.scheme}
    if material.path is not None:
        document["path"] = material.path
    if material.mnemonic is not None:
        document["mnemonic"] = material.mnemonic.reveal_text()
    if material.passphrase is not None:
        document["passphrase"] = material.passphrase.reveal_text()
    if material.phrase_id is not None:
        document |= {"phrase": str(material.phrase_id), "index": str(material.phrase_index)}
        if material.phrase_place is not None:
            document["place"] = str(material.phrase_place)
    return Secret(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())


def _decode(payload: Secret, identity: Identity) -> KeyMaterial:
    material = _read_payload(payload)
    if material is None:
        raise unknown_version(identity.credential_id)
    return material


def _read_payload(payload: Secret) -> KeyMaterial | None:
    document = document_in(payload)
    if document is None or not all(isinstance(text, str) for name, text in document.items() if name != "v"):
        return None
    try:
        return KeyMaterial(
            private_key=Secret(bytes.fromhex(document["private_key"])),
            scheme=document["scheme"],
            path=document.get("path"),
            mnemonic=Secret.optional(document.get("mnemonic")),
            passphrase=Secret.optional(document.get("passphrase")),
            phrase_id=UUID(document["phrase"]) if "phrase" in document else None,
            phrase_index=int(document["index"]) if "phrase" in document else None,
            phrase_place=int(document["place"]) if "place" in document else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
