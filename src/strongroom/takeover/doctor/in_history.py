"""What the history has of a wallet's key, and what that changes in a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

from strongroom.crypto import sealing
from strongroom.crypto.phrase import Phrase
from strongroom.errors import StrongroomError
from strongroom.secret import Secret
from strongroom.store.inspection.inspection import KeptText
from strongroom.takeover.doctor import commands, possible_keys, sealed_texts
from strongroom.takeover.doctor.cross_row_index import MatchKey
from strongroom.takeover.doctor.derivation import Content, Target
from strongroom.takeover.doctor.findings import CREDENTIALS, HISTORY, Finding, shown_id
from strongroom.takeover.doctor.key_kinds import IN_PLAINTEXT, TOO_LONG, KeyText, KeyTextKind, is_too_long
from strongroom.takeover.doctor.key_offers import every_offer, of_sealed, ways_in
from strongroom.takeover.doctor.key_texts import read
from strongroom.takeover.doctor.notes import ExaminationContext
from strongroom.takeover.doctor.remainders import holds_more
from strongroom.takeover.doctor.sealed_texts import SealedHeader
from strongroom.takeover.doctor.spool import Offer
from strongroom.takeover.doctor.text_places import Place, place_of_entry
from strongroom.takeover.doctor.text_probes import MORE
from strongroom.takeover.doctor.wrapped_texts import of_sealed_in


def archived(finding: Finding) -> Finding:
    """A finding about a text in the place of the wallet's own key, which the history keeps."""
    if finding.credential_id is None or finding.orphan or finding.by_hand:
        return finding
    return replace(finding, named_command=commands.archive(shown_id(finding.credential_id)))


def not_restored(wallet_id: str, alone: str, why: str) -> Finding:
    """That the wallet's own key is kept, and cannot be put back: what prints it."""
    evidence = f"its own key is kept, and putting it back is refused: {why}"
    place = (CREDENTIALS, wallet_id, wallet_id)
    return Finding("not-restorable", *place, evidence, "ask", named_command=alone)


OF_ANOTHER = "its key is that of another project's wallet"
UNTOLD = "whether its key is another project's is not known, since that was changed, or is more than is compared"


class Elsewhere(NamedTuple):
    """That a key is another project's, or may be."""

    wallet: str
    """The wallet that has it; empty where no record names one."""
    told: str


class InHistory(NamedTuple):
    """What the history has of a wallet's key."""

    known: bool = False
    ask: str = ""
    """Why a text that may be the key is not taken."""
    explained: bool = True
    """Whether such a text is at least known for what it is."""
    command: str = ""
    """What reads more texts than were read here."""
    offer: Offer | None = None
    """The text that is the key, for other wallets that have its address."""
    alone: str = ""
    """What gives the key out where it cannot be put back."""


NOT_KEPT = InHistory()
CUT = "more is kept of the wallet than was read"
WHY_UNOPENED = ("needs its password", "is encrypted by something else")


def kept_text(examination_context: ExaminationContext, kept: KeptText) -> Entry | None:
    """That a text which no key was read from is kept sealed; None where an entry is something else."""
    if not sealing.is_text(kept.text):
        return None
    part = _part(examination_context, kept)
    opened = None if part is None or part.parts > 1 else _read(part.text)
    what = "it was not opened" if part is None else f"part {part.part} of {part.parts}"
    evidence = (
        f"a text that was kept sealed as it was, since no key was read from it; {opened.form if opened else what}"
    )
    command = commands.reveal_text(kept.id)
    whole = None if part is None else examination_context.kept_parts.add(kept, part)
    offers: Iterable[Offer] = ()
    ways: tuple[KeyText, ...] = ()
    entry = None
    if whole is not None:
        owner = kept.project_id
        entry = Place(whole.told, whole.entry_id, None, owner, "", owner)
        inside = opened or _read(whole.text)
        offers, ways = every_offer(examination_context, entry, inside, None, None), (inside, *inside.others)
    place = (HISTORY, kept.id, kept.credential_id)
    finding = Finding("kept-text", *place, evidence, "ask", named_command=command)
    return Entry(finding, tuple(offers), None, entry, ways)


def what_is_sealed(examination_context: ExaminationContext, kept: KeptText) -> str:
    """Why a text that was kept sealed is not taken for a key."""
    opened = _opened(examination_context, kept)
    if opened is None or opened.kind is KeyTextKind.UNREADABLE:
        return "is unexplained"
    return WHY_UNOPENED[1] if opened.kind is KeyTextKind.ENCRYPTED else "is for people to look at"


def is_of_another(examination_context: ExaminationContext, header: SealedHeader, target: Target | None) -> bool:
    """Whether a kept text is of another address than its wallet: a key that was moved, or archived."""
    named = examination_context.derivation.target(header.network, header.address)
    return None not in (named, target) and named != target


def why_phrase_aside(
    examination_context: ExaminationContext, kept: KeptText, header: SealedHeader, target: Target | None
) -> str:
    """Why a key that is kept under another address may be the wallet's all the same: it is one of a phrase."""
    if target is None or examination_context.keyring is None:
        return ""
    opened = sealed_texts.open_with_header(kept.text, header, examination_context.keyring, examination_context.networks)
    if opened.material is None or opened.material.mnemonic is None:
        return ""
    phrase = Phrase(opened.material.mnemonic, opened.material.passphrase)
    content = examination_context.derivation.explain(KeyText(KeyTextKind.PHRASE, "", phrase=phrase), target)
    if content is None or content.material is None:
        return "is a phrase that derives the stored address at no path that was tried: name others with --path"
    store = commands.store_phrase(header.credential_id, content.material.path)
    return f"is a phrase that derives the stored address: `{commands.reveal(kept.id)}`, then `{store}`"


class Entry(NamedTuple):
    """An entry of the history that is no sealed text of its own wallet."""

    finding: Finding
    offers: tuple[Offer, ...] = ()
    exposed: MatchKey | None = None
    """The wallet that has a key in plaintext here."""
    place: Place | None = None
    ways: tuple[KeyText, ...] = ()
    """What was read of it, or of what a password opened, or of a text that was kept sealed."""


def of_history(
    examination_context: ExaminationContext,
    kept: KeptText,
    remember: Callable[[Content, str | None, str | None], None],
    owner: Callable[[KeptText, Content, Target | None], Elsewhere | None] | None = None,
) -> Entry:
    """What the legacy application's text in the history is; ``remember`` compares its key with those of other
    projects. ``owner``: says whether its key is another project's."""
    target = examination_context.derivation.target(kept.network, kept.address)
    found = examination_context.derivation.reading(read(kept.text), target)
    examination_context.unopened.note_around(found)
    opened, note = examination_context.passwords.open(found) if found.kind not in IN_PLAINTEXT else (found, "")
    content = None if opened is None else examination_context.derivation.explain(opened, target)
    derives = content is not None and content.derives
    more = content is not None and any(
        each is not None and holds_more(each, content, examination_context.derivation) for each in (found, opened)
    )
    if content is not None:
        remember(content, kept.credential_id, kept.project_id)
        content = replace(content, inside=opened if opened is not found else None)
    bare = kept.text if found.kind is KeyTextKind.SEALED and found.sealed is None else ""
    offers = (
        *(of_sealed(examination_context, place_of_entry(kept), bare) if bare else ()),
        *every_offer(examination_context, place_of_entry(kept), found, content, target),
        *possible_keys.of_entry(examination_context, kept, found, content, target),
    )
    what = "derives the address of its entry" if derives else note or "does not derive the address of its entry"
    sealed = derives and not more  # in the place of the text: whatever else is in it would be lost
    sealed = sealed and kept.form != "sealed"
    placed = examination_context.says_network(kept.network, target)
    shown = commands.reveal_foreign(kept.id, found.kind.value, readable=content is not None, placed=placed, more=more)
    if found.kind is KeyTextKind.SEALED:
        what, shown = of_sealed_in(examination_context, found, kept.id, kept.credential_id)
    whose = "no sealed text alone" if kept.form == "sealed" else "the legacy application's text"
    evidence = f"{whose}: {found.form}; {what}{f'; {MORE}' if more else ''}"
    known_to_all = sealed and found.kind in IN_PLAINTEXT
    other = None if content is None or known_to_all or more or owner is None else owner(kept, content, target)
    if other is not None:
        sealed = False
        shown = commands.export(other.wallet) if other.wallet else commands.reveal_text(kept.id)
        evidence = f"{evidence}; {other.told}"
    place, long = (HISTORY, kept.id, kept.credential_id), is_too_long(kept.text)
    finding = Finding(
        "foreign-history",
        *place,
        f"{evidence}; {TOO_LONG}" if long else evidence,
        "seal" if sealed else "ask",
        automatic=sealed,
        named_command="" if sealed or long else shown,
        by_hand=long,
    )
    in_plaintext = found.kind in IN_PLAINTEXT and (content is not None or found.named_only)
    in_plaintext = in_plaintext or found.has_key_beside
    wallet = kept.credential_id or kept.id
    exposed = examination_context.fingerprints.exposed(wallet) if in_plaintext else None
    ways = (found, *found.others, *ways_in(found, content))
    return Entry(finding, offers, exposed, place_of_entry(kept), ways)


def _opened(examination_context: ExaminationContext, kept: KeptText) -> KeyText | None:
    """What such a text is; None where it does not open, or is a part of one."""
    part = _part(examination_context, kept)
    return None if part is None or part.parts > 1 else _read(part.text)


def _part(examination_context: ExaminationContext, kept: KeptText) -> sealing.TextPart | None:
    """Such a text, or a part of one, opened; None where it does not open."""
    identity = sealing.identity_in(kept.text, of_text=True)
    if identity is None or examination_context.keyring is None:
        return None
    try:
        return sealing.open_text(kept.text, identity, examination_context.keyring)
    except StrongroomError:
        return None


def _read(text: Secret) -> KeyText:
    return read(text.reveal().decode(errors="surrogatepass"))
