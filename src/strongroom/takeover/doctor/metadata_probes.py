"""What a credential's metadata hold: a key, a text that may be one, or something that only names one."""

from __future__ import annotations

from dataclasses import replace

from strongroom.records.vault_texts import is_unnamed
from strongroom.store.inspection.inspection import FoundCredential
from strongroom.takeover.doctor.findings import Finding, shown_id
from strongroom.takeover.doctor.json_members import in_an_object
from strongroom.takeover.doctor.key_kinds import TOO_LONG, KeyText
from strongroom.takeover.doctor.key_texts import IN_PLAINTEXT
from strongroom.takeover.doctor.notes import Examination, ExaminationContext, ExaminedRecord, MetadataKey
from strongroom.takeover.doctor.readings import Readings
from strongroom.takeover.doctor.remainders import holds_more
from strongroom.takeover.doctor.text_probes import derives, open_text, unexplained
from strongroom.takeover.doctor.wrapped_texts import named_in, out_of_metadata
from strongroom.takeover.doctor.wrappings import could_be_secret, says_secret

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
    """A finding for each command that gets something out of the metadata, about all members that it is for.

    The wallet's own key comes first, whose members have one.
    """
    told_elsewhere = not any(held.holds_text for held in records)  # what is missing tells of unexplained texts
    found = [member for member in members if member.counts or (member.may_be_key and not told_elsewhere)]
    derivation = examination_context.derivation
    more = {m.name for m in found if is_unnamed(m.name) or holds_more(m.read, m.content, derivation)}
    own = [m for m in found if m.derives]
    movable = bool(own) and not any(m.name in more for m in own)
    groups: dict[str, list[MetadataKey]] = {}
    for member in found:
        named = named_in(examination_context, member)
        command = _out_of_metadata(
            examination_context, result, member, named, more=bool(more), whole=member.name in more
        )
        if not (movable and member.derives):
            groups.setdefault(command, []).append(member)
    apart = len(groups) + movable > 1
    if movable:
        automatic = all(held.known or not held.holds_text for held in records)
        named = named_in(examination_context, own[0])
        command = (
            "" if automatic else _out_of_metadata(examination_context, result, own[0], named, more=True, whole=False)
        )
        result.on_credential(
            *("key-in-metadata", _evidence(result, own)),
            "move",
            automatic=automatic,
            command=command,
            members=tuple(m.name for m in own),
            apart=apart,
        )
    for command, group in groups.items():
        result.on_credential(
            *("key-in-metadata", _evidence(result, group)),
            "ask",
            source=named_in(examination_context, group[0]),
            holds_more=any(m.name in more for m in group),
            command=command,
            members=tuple(m.name for m in group),
            apart=apart,
        )


def by_member(finding: Finding, result: Examination) -> list[Finding]:
    """A finding about several members of the metadata as one for each of them."""
    return [
        replace(finding, evidence=_told(result, member), members=(member.name,), apart=True)
        for member in result.members
        if member.name in finding.members
    ]


def _evidence(result: Examination, members: list[MetadataKey]) -> str:
    return "; ".join(_told(result, member) for member in members)


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
        return f"{member.name}: {unexplained(member.read)}"
    told = derives(result, member.content)
    return ", ".join(part for part in (f"{member.name}: {member.read.form}", member.note, told) if part)


def _out_of_metadata(
    examination_context: ExaminationContext,
    result: Examination,
    member: MetadataKey,
    named: str | None,
    *,
    more: bool,
    whole: bool,
) -> str:
    """The command for what a member holds: a key of another address is moved, any other printed, or its text.

    A phrase is printed, too: it may be the wallet's own, at a path that nobody named yet. ``more``: whether a member
    holds several keys or cannot be taken out, and none is moved; ``whole``: whether it is this one.
    """
    wallet = shown_id(result.credential_id)
    if wallet != result.credential_id:
        return ""
    content = member.content
    other = member.read.kind in IN_PLAINTEXT and content is not None and content.key is not None and not member.derives
    if other and not more and result.target is not None:
        return f"strongroom wallet move-key {wallet} --to history"
    return out_of_metadata(examination_context, result, member, named, more=whole)


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
