"""What of one wallet is compared with other wallets."""

from __future__ import annotations

from collections.abc import Iterator

from strongroom.store.inspection.inspection import FoundCredential
from strongroom.takeover.doctor.cross_row_index import FOUND, IN_METADATA, MISSING, MatchKey
from strongroom.takeover.doctor.notes import Examination, ExaminationContext, ExaminedRecord, MetadataKey


def own_match_keys(
    examination_context: ExaminationContext,
    result: Examination,
    credential: FoundCredential,
    records: list[ExaminedRecord],
    members: list[MetadataKey],
) -> Iterator[MatchKey]:
    """What a wallet has that no other wallet should have: its vault id, its place as the live one, keys and phrases."""
    prints = examination_context.fingerprints
    if credential.key_vault_id is not None:
        yield prints.vault_id(credential.key_vault_id, credential.id)
    if credential.live and result.target is not None:
        where = MISSING
        if any(held.known for held in records):
            where = FOUND
        elif any(member.derives for member in members):
            where = IN_METADATA
        network = result.target.network.name
        yield prints.live(credential.project_id or "", network, credential.label, credential.id, where)
    for match_key, project in _of_keys(examination_context, credential, records, members):
        yield match_key
        yield prints.under(match_key, project)
    yield from _of_phrases(examination_context, credential, records, members)


def _of_keys(
    examination_context: ExaminationContext,
    credential: FoundCredential,
    records: list[ExaminedRecord],
    members: list[MetadataKey],
) -> Iterator[tuple[MatchKey, str | None]]:
    """The keys of a wallet, each with the project it belongs to: a sealed one to that of its header."""
    prints, owner = examination_context.fingerprints, examination_context.owner(credential)
    for text, content in (
        *((held.read, held.content) for held in records),
        *((member.read, member.content) for member in members),
    ):
        if content is not None and content.key is not None:
            yield prints.key(content.key, credential.id, own=content.derives), owner
        elif content is None and text.document is not None:
            yield prints.text(text.document, credential.id), owner
    for held in records:
        if held.opened is not None and held.opened.material is not None:
            project = owner if held.header is None else held.header.project_id
            own = held.header is None or held.header.credential_id == credential.id
            yield prints.key(held.opened.material.private_key, credential.id, own=own), project


def _of_phrases(
    examination_context: ExaminationContext,
    credential: FoundCredential,
    records: list[ExaminedRecord],
    members: list[MetadataKey],
) -> Iterator[MatchKey]:
    """The phrases of a wallet, be they of its address or not; a sealed one belongs to the project of its header."""
    prints = examination_context.fingerprints
    for text, content in (
        *((held.read, held.content) for held in records),
        *((member.read, member.content) for member in members),
    ):
        first = None if content is None else content.phrase
        for phrase in (first, *(other.phrase for other in text.others)):
            if phrase is not None:
                own = phrase is first and content is not None and content.derives
                match_key = prints.phrase(phrase.mnemonic, credential.id, own=own)
                yield from (match_key, prints.under(match_key, examination_context.owner(credential)))
    for held in records:
        material = None if held.opened is None else held.opened.material
        if held.header is not None and material is not None and material.mnemonic is not None:
            match_key = prints.phrase(material.mnemonic, credential.id, own=held.header.credential_id == credential.id)
            yield from (match_key, prints.under(match_key, held.header.project_id))
