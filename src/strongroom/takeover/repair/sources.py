"""The rows that an action depends on in addition to its own wallet's, and what of them matters.

Whose a key is: a sealed text's header says it, and authenticates it; a text that is not ours belongs to the project of
the wallet that it is stored with, an orphan's to none, an entry's of the history to the project that the entry names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple, TypeVar
from uuid import UUID

from strongroom.crypto.sealed_headers import is_one
from strongroom.crypto.sealing import is_sealed
from strongroom.errors import ContentionError, StoreError, StrongroomError
from strongroom.records.key_material import KeyMaterial
from strongroom.secret import Secret
from strongroom.store.inspection.inspection import FoundWallet, KeptText
from strongroom.store.repair_changes import RelatedRows
from strongroom.takeover.doctor import commands, sealed_texts
from strongroom.takeover.doctor.derivation import Target
from strongroom.takeover.doctor.findings import HISTORY, VAULT
from strongroom.takeover.doctor.key_texts import read
from strongroom.takeover.doctor.notes import ExaminationContext
from strongroom.takeover.repair.actions import Action

T = TypeVar("T")


def digest(examination_context: ExaminationContext, key: Secret, action: Action, related: RelatedRows) -> str:
    """The keyed digest of what an action depends on, as ``related`` has it.

    Empty where it depends on its own wallet's rows alone. Of a record that a key is taken from, and of a wallet
    that stays, the same plan may seal the text: what counts is whose they are.
    """
    facts: list[object] = []
    if (action.do, action.code) == ("retire", "duplicate-live"):
        facts = _keeper(examination_context, related.wallets.get(action.source or ""))
    elif action.do == "fill" and action.source_table == VAULT:
        facts = _record(examination_context, action.source, related.records.get(action.source or ""))
    elif action.do == "fill" and action.source_table == HISTORY:
        facts = _entry(related.history.get(action.source or ""))
    elif action.code == "foreign-history":
        facts = _entry(related.history.get(action.row))
    if not facts:
        return ""
    text = Secret.from_text(json.dumps(facts))
    return blake2b(text.reveal(), key=key.reveal(), digest_size=32, person=b"beside").hexdigest()


def related_to(actions: Sequence[Action], related: RelatedRows) -> RelatedRows:
    """Of the rows in ``related`` those that these actions depend on."""
    rows = RelatedRows(said=related.said)
    for action in actions:
        source = action.source or ""
        entry = action.row if action.code == "foreign-history" else source
        if (action.do, action.code) == ("retire", "duplicate-live"):
            rows.wallets |= _only(related.wallets, source)
        elif action.do == "fill" and action.source_table == VAULT:
            rows.records |= _only(related.records, source)
        elif action.code == "foreign-history" or (action.do == "fill" and action.source_table == HISTORY):
            rows.history |= _only(related.history, entry)
    return rows


def _only(rows: Mapping[str, T], row: str) -> dict[str, T]:
    return {row: rows[row]} if row in rows else {}


def _keeper(examination_context: ExaminationContext, found: FoundWallet | None) -> list[object]:
    if found is None or found.credential is None:
        return ["no keeper"]
    return ["keeper", *_identity(examination_context, found), found.credential.label, found.credential.live]


def _record(examination_context: ExaminationContext, record_id: str | None, found: FoundWallet | None) -> list[object]:
    if found is None:
        return ["no record"]
    project = project_of(examination_context, found)
    return ["record", record_id, found.id, project, *_identity(examination_context, found)]


def _entry(kept: KeptText | None) -> list[object]:
    if kept is None:
        return ["no entry"]
    return ["entry", kept.id, kept.credential_id, kept.project_id, kept.network, kept.address, kept.form, kept.text]


def _identity(examination_context: ExaminationContext, found: FoundWallet) -> list[object]:
    """Whose a wallet is, and which address it has, in its canonical form."""
    credential = found.credential
    if credential is None:
        return ["no credential"]
    target = examination_context.derivation.target(credential.network, credential.address)
    place = [credential.network, credential.address] if target is None else [target.network.name, target.address]
    return [credential.id, credential.project_id, *place]


class CandidateText(NamedTuple):
    """A text that may hold a wallet's key, whose it is, and where it stands."""

    text: str
    project_id: str | None
    table: str
    row: str
    related: RelatedRows


class KnownText(NamedTuple):
    """A sealed text, and where its key stands; no table where that is the wallet's own metadata."""

    text: str
    table: str | None = None
    row: str | None = None


def texts_for(
    examination_context: ExaminationContext, related: RelatedRows, action: Action, wallet_id: str, *, anywhere: bool
) -> Iterator[CandidateText]:
    """The texts outside of a wallet's rows that a ``fill`` may take: from its one place, or from anywhere."""
    for kept in _entries(related, action, wallet_id, anywhere=anywhere):
        yield CandidateText(
            bare_text(kept.text), project_of_entry(kept), HISTORY, kept.id, RelatedRows(history={kept.id: kept})
        )
    if not (anywhere or action.source_table == VAULT) or action.source is None:
        return
    found = related.records.get(action.source)
    if found is not None and found.records[0].text:
        record = found.records[0]
        project = project_of(examination_context, found)
        yield CandidateText(
            bare_text(record.text or ""), project, VAULT, record.id, RelatedRows(records={record.id: found})
        )


def _entries(related: RelatedRows, action: Action, wallet_id: str, *, anywhere: bool) -> Sequence[KeptText]:
    if anywhere:
        return tuple(related.history.values())
    kept = related.history.get(action.source or "") if action.source_table == HISTORY else None
    return [] if kept is None or kept.credential_id != wallet_id else [kept]


def project_of(examination_context: ExaminationContext, found: FoundWallet) -> str | None:
    """The project that the key in a vault record belongs to; None where there is none, or it cannot be told."""
    text = found.records[0].text or ""
    inside = None if is_one(text) else read(text).sealed
    if is_sealed(text) or inside is not None:
        text = text if inside is None else inside.reveal_text()
        header = sealed_texts.sealed_header(text)
        return None if header is None else header.project_id
    return None if found.credential is None else examination_context.owner(found.credential)


def project_of_entry(kept: KeptText) -> str | None:
    """The project that the key in an entry of the history belongs to."""
    if is_sealed(kept.text):
        header = sealed_texts.sealed_header(bare_text(kept.text), aside=True)
        return None if header is None else header.project_id
    return kept.project_id


def bare_text(text: str) -> str:
    """What begins as a sealed text, without what goes on behind it."""
    inside = read(text).sealed if is_sealed(text) and not is_one(text) else None
    return text if inside is None else inside.reveal_text()


class SealedElsewhere(NamedTuple):
    """A key that was sealed for a wallet's address."""

    material: KeyMaterial
    source: UUID
    """The credential that it was sealed for."""


def sealed_elsewhere(
    examination_context: ExaminationContext, text: str, project_id: str, target: Target | None
) -> SealedElsewhere | None:
    """What a text holds that was sealed in a project for an address, for whichever credential; else None."""
    header, keys = sealed_texts.sealed_header(text, aside=True), examination_context.keyring
    if header is None or keys is None or header.kid not in examination_context.kids or header.project_id != project_id:
        return None
    if target is None or examination_context.derivation.target(header.network, header.address) != target:
        return None  # a key that was moved or archived: another address's
    opened = sealed_texts.open_with_header(text, header, keys, examination_context.networks)
    if opened.material is None or not opened.derives:
        return None
    return SealedElsewhere(opened.material, UUID(header.credential_id))


def unless_refused(take: Callable[[], str | None], refused: list[StrongroomError] | None) -> str | None:
    """What is taken; None where that is refused and noted. Without a list a refusal is raised."""
    if refused is None:
        return take()
    try:
        return take()
    except (ContentionError, StoreError):
        raise
    except StrongroomError as error:
        refused.append(error)
        return None


def shown_of(text: str, record_id: str) -> str:
    """The command that prints what is in the vault record of another wallet."""
    inside = read(text).sealed
    header = sealed_texts.sealed_header(text if inside is None else inside.reveal_text(), aside=True)
    named = None if header is None else header.credential_id
    return commands.reveal_text(record_id) if named is None else commands.reveal_of(record_id, named)
