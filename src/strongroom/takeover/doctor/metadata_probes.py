"""What a credential's metadata hold: a key, a text that may be one, or something that only names one."""

from __future__ import annotations

from strongroom.records.vault_texts import is_unnamed
from strongroom.store.inspection.inspection import FoundCredential
from strongroom.takeover.doctor.findings import Repair, shown_id
from strongroom.takeover.doctor.json_members import in_an_object
from strongroom.takeover.doctor.key_kinds import TOO_LONG, KeyText
from strongroom.takeover.doctor.key_texts import IN_PLAINTEXT, KeyTextKind
from strongroom.takeover.doctor.notes import Examination, ExaminationContext, ExaminedRecord, MetadataKey
from strongroom.takeover.doctor.readings import Readings
from strongroom.takeover.doctor.remainders import holds_more
from strongroom.takeover.doctor.text_probes import UNEXPLAINED, derives, open_text
from strongroom.takeover.doctor.wrapped_texts import named_in, out_of_metadata
from strongroom.takeover.doctor.wrappings import could_be_secret, says_secret

_NOT_DERIVED = "it does not derive the stored address"
_LONGEST_ADDRESS = 42
_LONGER_ADDRESSES = ("bc1", "tb1")


def examine_members(
    examination_context: ExaminationContext, result: Examination, readings: Readings
) -> list[MetadataKey]:
    """Open what is in the metadata, each text with what comes of it."""
    if result.credential is None or not readings.members:
        return []
    named = ((name, examination_context.derivation.reading(text, result.target)) for name, text in readings.members)
    no_keys = _known_members(examination_context, result.credential)
    return [
        MetadataKey(name, text, *open_text(examination_context, result, text), is_name, _says_secret(name, text))
        for (name, text), is_name in zip(named, no_keys, strict=True)
    ]


def probe_metadata(
    examination_context: ExaminationContext,
    result: Examination,
    records: list[ExaminedRecord],
    members: list[MetadataKey],
) -> None:
    """One finding about all that is in the metadata, with the command for the first that is not the wallet's own."""
    told_elsewhere = not any(held.holds_text for held in records)  # what is missing tells of unexplained texts
    found = [member for member in members if member.counts or (member.may_be_key and not told_elsewhere)]
    if not found:
        return
    evidence = "; ".join(_told(result, member) for member in found)
    more = any(is_unnamed(m.name) or holds_more(m.read, m.content, examination_context.derivation) for m in found)
    movable = not more and any(m.derives for m in found)
    there_is_room = all(held.known or not held.holds_text for held in records)
    repair: Repair = "move" if movable else "ask"
    automatic = movable and there_is_room
    first = _first_of(found)
    named = named_in(examination_context, first)
    command = "" if automatic else _out_of_metadata(result, first, named, more=more)
    result.on_credential(
        *("key-in-metadata", evidence, repair), automatic=automatic, source=named, holds_more=more, command=command
    )


def probe_unread(result: Examination) -> None:
    """That metadata, or members of them, are too long to be read: no verb prints them, and a key may be there."""
    if result.credential is None or not result.credential.unread:
        return
    why = f"{_count(result.credential.unread)} longer than any that are read; {TOO_LONG}"
    result.on_credential("metadata-not-read", why, "ask", by_hand=True)


def _count(unread: int) -> str:
    return "the metadata, or a member of them, are" if unread == 1 else f"{unread:,} members of the metadata are"


def _told(result: Examination, member: MetadataKey) -> str:
    """What a member is, for people."""
    if member.may_be_key:
        unread = member.read.kind is KeyTextKind.UNREADABLE
        how = member.read.form if unread else f"{UNEXPLAINED}: read as {member.read.form}, {_NOT_DERIVED}"
        return f"{member.name}: {how}"
    told = derives(result, member.content)
    return ", ".join(part for part in (f"{member.name}: {member.read.form}", member.note, told) if part)


def _first_of(members: list[MetadataKey]) -> MetadataKey:
    """The member that a command is about: the first that is not the wallet's own."""
    others = [m for m in members if m.read.kind in IN_PLAINTEXT and m.content is not None and not m.derives]
    return next(iter((*others, *(m for m in members if not m.derives))), members[0])


def _out_of_metadata(result: Examination, first: MetadataKey, named: str | None, *, more: bool) -> str:
    """The command for what is in the metadata: a key of another address is moved, any other printed, or its text.

    A phrase is printed, too: it may be the wallet's own, at a path that nobody named yet.
    """
    wallet = shown_id(result.credential_id)
    if wallet != result.credential_id:
        return ""
    content = first.content
    other = first.read.kind in IN_PLAINTEXT and content is not None and content.key is not None and not first.derives
    if other and not more and result.target is not None:
        return f"strongroom wallet move-key {wallet} --to history"
    return out_of_metadata(result, first, named, more=more)


def _known_members(examination_context: ExaminationContext, credential: FoundCredential) -> tuple[bool, ...]:
    """Of each text of the metadata whether it is no key. By itself: no frame that derives keys holds the texts."""
    known = (credential.address, credential.public_key, credential.key_vault_id)
    return tuple(_is_known(examination_context, value, known) for _, value in credential.key_texts)


def _says_secret(name: str, found: KeyText) -> bool:
    """Whether the names that lead to a key in plaintext say that it is one: those in the text, then the member's."""
    above = next((says for part in reversed(name.split(".")) if (says := says_secret(part)) is not None), None)
    within = [each.says_secret for each in (found, *found.others) if each.kind in IN_PLAINTEXT]
    return any(above if says is None else says for says in within)


def _is_known(examination_context: ExaminationContext, value: str, known: tuple[str | None, ...]) -> bool:
    """Whether a text of the metadata is no key: it names something, is an address, or says what its row does."""
    bare = in_an_object(value)
    if not could_be_secret(bare) or bare in known:
        return True
    as_long = len(bare) <= _LONGEST_ADDRESS or bare[:3].lower() in _LONGER_ADDRESSES  # and no key is
    return as_long and examination_context.derivation.is_address(bare)
