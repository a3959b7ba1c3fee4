"""What is wrong with the text of a vault record: ours, or the legacy application's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from strongroom.crypto.sealing import is_aside
from strongroom.records.wallets import ENCRYPTION_METHOD
from strongroom.store.inspection.inspection import FoundCredential
from strongroom.takeover.doctor import commands, json_members, sealed_texts
from strongroom.takeover.doctor.derivation import Content
from strongroom.takeover.doctor.findings import Repair, shown_id
from strongroom.takeover.doctor.key_kinds import IN_PLAINTEXT, LOCKED, KeyText, KeyTextKind, is_too_long
from strongroom.takeover.doctor.notes import Examination, ExaminationContext, ExaminedRecord
from strongroom.takeover.doctor.other_ids import is_project
from strongroom.takeover.doctor.passwords import NO_KEY
from strongroom.takeover.doctor.remainders import holds_more
from strongroom.takeover.doctor.sealed_texts import OpenedText, SealedHeader
from strongroom.takeover.doctor.wrapped_texts import open_sealed, probe_wrapped
from strongroom.usecases.row_comparison import told as told_columns

_ABSENT = (None, "")
_WORD = re.compile("[A-Za-z0-9_-]{1,24}")
UNEXPLAINED = "nothing known explains the text"
_OPEN_IT = "open it with what wrote it, then: strongroom wallet store-key --archive-current"
MORE = "another key or secret is stored in the same text"
_SHOWN = "the wallet that made it shows its private keys: strongroom wallet store-key --archive-current takes them"


def open_text(
    examination_context: ExaminationContext, result: Examination, read: KeyText
) -> tuple[Content | None, str]:
    """What is in a text, and for an envelope or keystore what came of its password."""
    if read.kind is KeyTextKind.SEALED:
        return open_sealed(examination_context, result, read)
    paths = paths_beside(result.credential)
    if read.kind not in LOCKED:
        return examination_context.derivation.explain(read, result.target, paths), ""
    inner, note = examination_context.passwords.open(read)
    content = None if inner is None else examination_context.derivation.explain(inner, result.target, paths)
    if inner is not None and content is not None:
        more = holds_more(inner, content, examination_context.derivation)
        content = replace(content, more_inside=more, inside=inner if inner.others else None)
    return content, note if inner is None or content is not None else NO_KEY


def unexplained(read: KeyText) -> str:
    """What is said of a text from which no key of the row was read: a reading only where it is written as keys are."""
    if read.kind is KeyTextKind.UNREADABLE:
        return read.form
    certain = next((each for each in (read, *read.others) if each.written_as_key), None)
    how = "" if certain is None else f": read as {certain.form}, it does not derive the stored address"
    return f"{UNEXPLAINED}{how}"


def paths_beside(credential: FoundCredential | None) -> tuple[str, ...]:
    """The derivation path that the metadata of a row name."""
    return () if credential is None or credential.path is None else json_members.paths_in(credential.path)


def probe_foreign(examination_context: ExaminationContext, result: Examination, held: ExaminedRecord) -> None:
    """A text that is not ours: a key in some form, or nothing known."""
    held.content, held.note = open_text(examination_context, result, held.read)
    kind, content = held.read.kind, held.content
    if kind is KeyTextKind.UNREADABLE or (kind in IN_PLAINTEXT and content is None and not held.read.named_only):
        result.unreadable(held, unexplained(held.read))
        return
    repair: Repair = "seal" if content is not None and content.derives else "ask"
    more = holds_more(held.read, content, examination_context.derivation)
    if more:
        held.note, repair = f"{held.note}; {MORE}".removeprefix("; "), "ask"
    more = more and kind in IN_PLAINTEXT  # what a password protects is kept whole
    told = derives(result, content)
    if content is None:
        told = _SHOWN if held.read.named_only else _OPEN_IT if kind is KeyTextKind.ENCRYPTED else told
    evidence = "; ".join(part for part in (held.read.form, held.note, told) if part)
    placed = result.credential is None or examination_context.says_network(result.credential.network, result.target)
    look_first = kind in IN_PLAINTEXT and (content is None or content.key is None or not placed)
    """An Electrum seed, or an extended key that does not derive the address; a phrase, which is the wallet's own at
    some other path; a key of which nothing says on which network it is one."""
    command = shown(examination_context, result, held) if look_first or (kind in LOCKED and repair == "ask") else ""
    result.about(held, kind.value, evidence, repair, holds_more=more, command=command)
    if examination_context.has_encryption_method and _is_mislabelled(held):
        says = f"encryption_method says {quoted(held.record.encryption_method)}, what stands there: {held.read.form}"
        result.about(held, "wrong-label", says, repair)
    if content is None or content.derives or result.target is None:
        return
    network = result.target.network.name
    if content.key is None:
        tried = examination_context.derivation.tried(result.target)
        why = f"no known path derives the stored address ({network}); {tried:,} were tried: name others with --path"
        code = "phrase-does-not-derive-key"
    else:
        why = f"the key derives another address on {network}"
        code = "address-mismatch"
    command = shown(examination_context, result, held)
    result.about(held, code, why, "ask", holds_more=more, command=command)


def shown(examination_context: ExaminationContext, result: Examination, held: ExaminedRecord) -> str:
    """The command that gets out what a record holds: its key, or its text."""
    row, credential, header = shown_id(held.record.id), result.credential, held.header
    if row != held.record.id or not held.holds_text or is_too_long(held.record.text):
        return ""
    if header is not None and header.kid in examination_context.kids:
        own = header.credential_id == held.record.credential_id
        return commands.reveal(row) if own else _of_its_wallet(held, header)
    placed = credential is not None and examination_context.says_network(credential.network, result.target)
    more = NO_KEY in held.note or (held.content is not None and held.content.more_inside)
    return commands.reveal_foreign(row, held.read.kind.value, readable=False, placed=placed, more=more)


def derives(result: Examination, content: Content | None) -> str:
    """How a content stands to the stored address, for people."""
    if content is None:
        return ""
    if content.material is not None and result.target is not None:
        path = f", {content.material.path}" if content.material.path else ""
        path = f"{path}, its child {content.child}" if content.child else path
        return f"derives the stored address ({result.target.network.name}, {content.material.scheme}{path})"
    if result.credential is None:
        return "there is no credential whose address could be compared"
    if result.candidates:
        return f"the stored address is ambiguous, and its row does not say which: {' or '.join(result.candidates)}"
    if result.target is None:
        return "the stored address is of no network that is known"
    return "does not derive the stored address"


def probe_sealed(examination_context: ExaminationContext, result: Examination, held: ExaminedRecord) -> None:
    """A text of ours: its form, its sealing key, its label, and whether it belongs to the row."""
    text = held.sealed_text
    header = sealed_texts.sealed_header(text)
    if header is None:
        aside = is_aside(text)
        why = "a key that was kept aside, not the wallet's own" if aside else "that is damaged: its form is broken"
        result.unreadable(held, f"a sealed text {'of ' if aside else ''}{why}")
        return
    known = header.kid in examination_context.kids
    if known and examination_context.keyring is not None:
        held.opened = sealed_texts.open_with_header(
            text, header, examination_context.keyring, examination_context.networks
        )
        if held.opened.material is None:
            result.unreadable(held, "a sealed text that does not open with its sealing key: it was changed")
            return
    held.header = header
    if examination_context.has_encryption_method and held.record.encryption_method != ENCRYPTION_METHOD:
        label = quoted(held.record.encryption_method)
        says = f"encryption_method says {label}, the text is sealed with {ENCRYPTION_METHOD}"
        result.about(held, "wrong-label", says, "relabel")
    if not known:
        kid = header.kid if _WORD.fullmatch(header.kid) else "a key"
        result.about(held, "unknown-sealing-key", f"sealed by {kid}, which is not in this database's keyring", "ask")
    _compare_identity(
        examination_context, result, held, header, commands.reveal_text(shown_id(held.record.id)) if not known else ""
    )
    held.fits = known and held.belongs
    if held.read.sealed is not None and known:
        probe_wrapped(examination_context, result, held)


def _compare_identity(
    examination_context: ExaminationContext,
    result: Examination,
    held: ExaminedRecord,
    header: SealedHeader,
    command: str,
) -> None:
    """``command``: what prints a text that does not open, since its sealing key is not there."""
    if header.credential_id != held.record.credential_id:
        what = f"sealed for {_credential(header.credential_id)}"
        result.about(held, "sealed-elsewhere", what, "ask", command=command or _of_its_wallet(held, header))
        return
    credential, opened = result.credential, held.opened
    if credential is None:
        return
    columns = sealed_texts.differing_columns(header, credential, result.target, ours=examination_context.ours)
    if opened is not None and credential.scheme is not None:  # we wrote the public half
        columns += _differing_facts(opened, credential)
    proved = opened is not None and opened.derives
    if columns:
        how = "the text opens and proves what it was" if proved else "as its header says"
        why = f"sealed for this credential, {how}; now {told_columns(columns)}"
        result.about(held, "identity-changed", why, "relabel", automatic=proved, command="" if proved else command)
    elif opened is not None and not proved:
        result.about(held, "address-mismatch", "the sealed key derives another address", "ask")
    else:
        held.belongs = True


def _of_its_wallet(held: ExaminedRecord, header: SealedHeader) -> str:
    row, wallet_id = shown_id(held.record.id), header.credential_id
    return commands.reveal_of(row, wallet_id) if row == held.record.id and is_project(wallet_id) else ""


def _differing_facts(opened: OpenedText, credential: FoundCredential) -> Sequence[str]:
    """What is in a row of ours in addition to the header's identity, and can be proved from the key."""
    if opened.material is None:
        return []
    differing = ["public_key"] if opened.public_key != credential.public_key else []
    if (opened.material.scheme, opened.material.path) != (credential.scheme, credential.path):
        differing.append("metadata")
    return differing


def _is_mislabelled(held: ExaminedRecord) -> bool:
    method = held.record.encryption_method
    if held.read.kind is KeyTextKind.ENCRYPTED:  # which may be what the column says
        return False
    if held.read.kind is KeyTextKind.ENVELOPE:
        return method != ENCRYPTION_METHOD
    return method not in _ABSENT


def _credential(text: str) -> str:
    try:
        return f"the credential {UUID(text)}"
    except ValueError:
        return "something that is no credential"


def quoted(value: str | None) -> str:
    """A short column of the legacy application: shown only if it is a plain word, since a key may stand anywhere."""
    if value is None:
        return "nothing"
    return value if _WORD.fullmatch(value) else "something else"
