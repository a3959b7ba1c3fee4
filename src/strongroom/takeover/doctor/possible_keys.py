"""Texts of which no key was read, and whose key they may be: the row that one is stored with states an address, and so
does a keystore. Where that wallet's own key is missing, it is not lost before somebody opened them.
"""

from __future__ import annotations

from collections.abc import Iterator

from strongroom import bounded_json
from strongroom.records.vault_texts import is_unnamed
from strongroom.secret import Secret
from strongroom.store.inspection.inspection import FoundCredential, KeptText
from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.derivation import Content, Derivation, Target
from strongroom.takeover.doctor.findings import shown_id
from strongroom.takeover.doctor.key_kinds import KeyText, KeyTextKind, is_too_long
from strongroom.takeover.doctor.notes import Examination, ExaminationContext, ExaminedRecord
from strongroom.takeover.doctor.other_ids import is_project
from strongroom.takeover.doctor.spool import Offer
from strongroom.takeover.doctor.wrappings import could_be_secret

_KNOWN = (KeyTextKind.PLACEHOLDER, KeyTextKind.SEALED)


def of_record(examination_context: ExaminationContext, held: ExaminedRecord, result: Examination) -> Iterator[Offer]:
    """What a vault record may hold."""
    row, text = shown_id(held.record.id), held.record.text or ""
    name = row if row == held.record.id and not is_too_long(text) else ""
    wallet = result.credential_id
    project = None if result.credential is None else examination_context.owner(result.credential)
    for addresses in _may_be_of(examination_context.derivation, held.read, held.content, result.target, text):
        yield _offer(addresses, f"the vault record {row}: {held.read.form}", name, wallet, project)


def of_member(
    examination_context: ExaminationContext,
    credential: FoundCredential,
    member: tuple[str, KeyText, Content | None],
    target: Target | None,
    text: str,
) -> Iterator[Offer]:
    """What a member of the metadata may hold; by its row's address only where it is known for something locked."""
    name, read, content = member
    shown = shown_id(credential.id)
    place = f"{commands.in_metadata(shown)}/{name}" if shown == credential.id else ""
    stated = target if read.is_unopened and not is_unnamed(name) else None
    for addresses in _may_be_of(examination_context.derivation, read, content, stated, text):
        project = examination_context.owner(credential) if read.is_unopened and not is_unnamed(name) else None
        yield _offer(addresses, f"the metadata of {shown} ({name}): {read.form}", place, credential.id, project)


def of_entry(
    examination_context: ExaminationContext,
    kept: KeptText,
    read: KeyText,
    content: Content | None,
    target: Target | None,
) -> Iterator[Offer]:
    """What an entry of the history may hold."""
    name = "" if is_too_long(kept.text) else kept.id
    for addresses in _may_be_of(examination_context.derivation, read, content, target, kept.text):
        told = f"the entry {kept.id} of the history: {read.form}"
        yield _offer(addresses, told, name, kept.credential_id, kept.project_id)


def _offer(
    addresses: tuple[str, ...], told: str, name: str, wallet_id: str | None, project_id: str | None = None
) -> Offer:
    shown = commands.reveal_text(name) if name else ""
    if wallet_id is not None and is_project(wallet_id):
        shown = commands.naming_wallet(shown, wallet_id)
    return Offer(addresses, None, told, shown, project_id=project_id, possible=True)


def _may_be_of(
    derivation: Derivation, read: KeyText, content: Content | None, target: Target | None, text: str
) -> Iterator[tuple[str, ...]]:
    """The addresses whose key a text may be of which none was read: perhaps it is one of its project all the same."""
    if content is not None or read.kind in _KNOWN or not could_be_secret(text):
        return
    stated = [] if target is None else [target.address]
    claimed = [_claimed(derivation, way.document) for way in (read, *read.others) if way.kind is KeyTextKind.KEYSTORE]
    yield tuple(dict.fromkeys(each for each in (*stated, *claimed) if each is not None))


def _claimed(derivation: Derivation, document: Secret | None) -> str | None:
    """The address that a keystore names, in its canonical form."""
    try:
        facts = None if document is None else bounded_json.loads(document.reveal_text())
    except (ValueError, RecursionError):
        return None
    said = facts.get("address") if isinstance(facts, dict) else None
    if not isinstance(said, str):
        return None
    target = derivation.target("", f"0x{said.lower().removeprefix('0x')}") or derivation.target("", said)
    return None if target is None else target.address
