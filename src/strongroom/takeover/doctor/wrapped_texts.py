"""Our own sealed texts with something around them, and those in metadata: whose they are, and what gets them out."""

from __future__ import annotations

from uuid import UUID

from strongroom.crypto.phrase import Phrase
from strongroom.takeover.doctor import commands, sealed_texts
from strongroom.takeover.doctor.derivation import Content
from strongroom.takeover.doctor.findings import shown_id
from strongroom.takeover.doctor.key_kinds import KeyText, KeyTextKind
from strongroom.takeover.doctor.notes import Examination, ExaminationContext, ExaminedRecord, MetadataKey
from strongroom.takeover.doctor.other_ids import is_project
from strongroom.takeover.doctor.passwords import NO_KEY
from strongroom.takeover.doctor.remainders import holds_more
from strongroom.takeover.doctor.sealed_texts import OpenedText, SealedHeader

_MORE = "another key or secret is stored in the same text"


def open_sealed(
    examination_context: ExaminationContext, result: Examination, read: KeyText
) -> tuple[Content | None, str]:
    """The key of a sealed text, if it is the wallet's own and was opened; and whose it is, for people."""
    header = header_in(read)
    if header is None:
        return None, "no key opens from it: it is damaged, or a text that was kept as it was"
    own = header.credential_id == result.credential_id
    whose = "sealed for this wallet" if own else f"sealed for {_credential(header.credential_id)}"
    if header.kid not in examination_context.kids:
        return None, f"{whose} by a key that is not in this database's keyring"
    opened = _opened(examination_context, read, header)
    if opened is None:
        return None, f"{whose}, as its header says"
    if opened.material is None:
        return None, f"{whose}, as its header says, and does not open: it was changed"
    if not own or not _is_of_row(examination_context, result, header):
        return None, whose if not own else f"{whose} when its row said something else"
    return content_of(opened), whose


def header_in(read: KeyText) -> SealedHeader | None:
    """The header of the sealed text that a text is or has in it; None where that has not the form."""
    return None if read.sealed is None else sealed_texts.sealed_header(read.sealed.reveal_text(), aside=True)


def _opened(examination_context: ExaminationContext, read: KeyText, header: SealedHeader) -> OpenedText | None:
    """What comes of opening the sealed text; None without the keyring."""
    if examination_context.keyring is None or read.sealed is None:
        return None
    return sealed_texts.open_with_header(
        read.sealed.reveal_text(), header, examination_context.keyring, examination_context.networks
    )


def content_of(opened: OpenedText) -> Content | None:
    """What a sealed text holds; None where its own header's address does not come out."""
    material = opened.material
    if material is None or not opened.derives:
        return None
    phrase = None if material.mnemonic is None else Phrase(material.mnemonic, material.passphrase)
    return Content(material.private_key, material, phrase)


def probe_wrapped(examination_context: ExaminationContext, result: Examination, held: ExaminedRecord) -> None:
    """A text of ours that stands where it belongs, with something around it: no verb of the vault takes it so."""
    held.fits = False
    if result.credential is not None and not held.belongs:
        return  # another finding says so, and names what gets it out
    held.content = None if held.opened is None or result.credential is None else content_of(held.opened)
    more = bool(held.read.others) or holds_more(held.read, held.content, examination_context.derivation)
    if held.content is not None:
        told = f"{held.read.form}; its own key, opened and proved{f'; {_MORE}' if more else ''}"
        command = commands.reveal(shown_id(held.record.id)) if more else ""
        result.about(held, "encoded-key", told, "ask" if more else "seal", holds_more=more, command=command)
        return
    told = "sealed for this wallet, as its header says" if held.belongs else "there is no credential that it belongs to"
    row = shown_id(held.record.id)
    if row == held.record.id:
        result.about(held, "encoded-key", f"{held.read.form}; {told}", "ask", command=commands.reveal(row))


def out_of_metadata(
    examination_context: ExaminationContext, result: Examination, member: MetadataKey, named: str | None, *, more: bool
) -> str:
    """The command that prints the key of a member: with its password, or as its own header says; else its text.

    ``named``: what ``named_in`` says.
    """
    place = f"{commands.in_metadata(shown_id(result.credential_id))}/{member.name}"
    if more and member.read.others:
        return commands.reveal_text(place)
    if member.read.kind is KeyTextKind.SEALED:
        return _reveal(place, named, result.credential_id)
    credential = result.credential
    inside = member.note == NO_KEY or (member.content is not None and member.content.more_inside)
    placed = credential is not None and examination_context.says_network(credential.network, result.target)
    return commands.reveal_foreign(place, member.read.kind.value, readable=False, placed=placed, more=inside)


def named_in(examination_context: ExaminationContext, member: MetadataKey) -> str | None:
    """The credential that the sealed text in a member names; None where it does not open."""
    return _named(examination_context, member.read)


def of_sealed_in(
    examination_context: ExaminationContext, read: KeyText, place: str, wallet_id: str | None
) -> tuple[str, str]:
    """Whose the sealed text in an entry of the history is, and the command that prints its key; else its text."""
    header = header_in(read)
    if header is None:
        return "no key opens from it", commands.reveal_text(place)
    own = header.credential_id == wallet_id
    whose = "sealed for this wallet" if own else f"sealed for {_credential(header.credential_id)}"
    return whose, _reveal(place, _named(examination_context, read), wallet_id)


def _named(examination_context: ExaminationContext, read: KeyText) -> str | None:
    header = header_in(read)
    if header is None or not is_project(header.credential_id):
        return None
    opened = _opened(examination_context, read, header)
    opens = header.kid in examination_context.kids and (opened is None or opened.material is not None)
    return header.credential_id if opens else None


def _reveal(place: str, named: str | None, wallet_id: str | None) -> str:
    """What prints the key of a sealed text: as that of the wallet that its header names."""
    if named is None:
        return commands.reveal_text(place)
    return commands.reveal(place) if named == wallet_id else commands.reveal_of(place, named)


def _is_of_row(examination_context: ExaminationContext, result: Examination, header: SealedHeader) -> bool:
    credential = result.credential
    return credential is not None and not sealed_texts.differing_columns(
        header, credential, result.target, ours=examination_context.ours
    )


def _credential(text: str) -> str:
    try:
        return f"the credential {UUID(text)}"
    except ValueError:
        return "something that is no credential"
