"""Where keys are stored, whatever row and column that is: what is missing in one row may be in any other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from strongroom.crypto import sealing
from strongroom.crypto.phrase import Phrase
from strongroom.records.key_material import KeyMaterial
from strongroom.takeover.doctor import commands, possible_keys, sealed_texts
from strongroom.takeover.doctor.cross_row_index import MatchKey
from strongroom.takeover.doctor.derivation import Content, Derivation, Target
from strongroom.takeover.doctor.key_kinds import IN_PLAINTEXT, LOCKED, KeyText, KeyTextKind
from strongroom.takeover.doctor.notes import Examination, ExaminationContext, ExaminedRecord, MetadataKey
from strongroom.takeover.doctor.other_ids import is_project
from strongroom.takeover.doctor.sealed_texts import OpenedText, SealedHeader
from strongroom.takeover.doctor.spool import Offer
from strongroom.takeover.doctor.text_places import Place, place_of_member, place_of_record
from strongroom.takeover.doctor.unopened import ODD
from strongroom.takeover.doctor.wanted_keys import WantedKeys
from strongroom.usecases.keys_of_phrases import GAP


def add_offers(
    examination_context: ExaminationContext,
    result: Examination,
    records: Iterable[ExaminedRecord],
    members: Iterable[MetadataKey],
) -> None:
    """What the texts of a wallet offer, as far as that takes no derivation for a text that is no key of a wallet.

    ``result.deferred`` says whether there is more: ``more_offers`` has it, for a run in which a key is missing.
    """
    for held in records:
        result.match_keys.extend(_of_record(examination_context, result, held))
    credential = result.credential
    if credential is None:
        return
    for (_, text), member in zip(credential.key_texts, members, strict=False):
        place = place_of_member(examination_context, credential, member.name, text)
        result.offers.extend(offers_of(examination_context, place, member.read, member.content, result.target))
        result.offers.extend(_beside_opened(examination_context, place, member.read, member.content))
        read = (member.name, member.read, member.content)
        result.offers.extend(possible_keys.of_member(examination_context, credential, read, result.target, text))
        result.deferred = result.deferred or _has_more(member.read, member.content)


def more_offers(
    examination_context: ExaminationContext, place: Place, read: KeyText, wanted: WantedKeys, *, search: bool
) -> Iterator[Offer]:
    """Every key that a text may hold, in the spaces of the addresses whose key is missing.

    ``search``: whether phrases are tried wherever such a key may be.
    """
    derivation = examination_context.derivation
    for way in (read, *read.others):
        yield from place.offer(_addresses(derivation, way, wanted.spaces), read.kind, many=way.derives_many)
        if search and way.derives_many:
            yield from place.offer((address for address, _ in wanted.of_way(way)), read.kind, many=True)
            wanted.meet(place.project_id, place.told, place.shown)


def offers_of(
    examination_context: ExaminationContext, place: Place, read: KeyText, content: Content | None, target: Target | None
) -> Iterator[Offer]:
    """What a text offers: a sealed text in it, the key that was read of it, and what is next to that in an envelope."""
    for way in (read, *read.others):
        if way.sealed is not None:
            yield from of_sealed(examination_context, place, way.sealed.reveal_text())
    if read.kind is KeyTextKind.SEALED or content is None:
        return
    found = _of_content(examination_context.derivation, content, target)
    yield from place.offer(found, read.kind, many=content.phrase is not None)
    for way in () if content.inside is None else content.inside.others:
        yield from place.offer(_addresses(examination_context.derivation, way), read.kind, many=way.derives_many)


def every_offer(
    examination_context: ExaminationContext, place: Place, read: KeyText, content: Content | None, target: Target | None
) -> Iterator[Offer]:
    """The same, and all that a text may hold besides."""
    yield from offers_of(examination_context, place, read, content, target)
    for way in (read, *read.others):
        if not _is_of(way, content) or (content is not None and content.derives):
            yield from place.offer(_addresses(examination_context.derivation, way), read.kind, many=way.derives_many)
    yield from _beside_opened(examination_context, place, read, content)


def _beside_opened(
    examination_context: ExaminationContext, place: Place, read: KeyText, content: Content | None
) -> Iterator[Offer]:
    """The wallet's own key of an envelope or keystore at its other addresses; one in plaintext is asked again later."""
    if content is not None and content.derives and read.kind not in IN_PLAINTEXT:
        found = _every_address(examination_context.derivation, content)
        yield from place.offer(found, read.kind, many=content.phrase is not None)


def of_sealed(examination_context: ExaminationContext, place: Place, text: str) -> Iterator[Offer]:
    """What a sealed text offers that opens as its header says, or cannot be opened here."""
    header = sealed_texts.sealed_header(text, aside=True)
    if header is None or not is_project(header.credential_id):
        if not sealing.is_text(text):
            examination_context.unopened.note(ODD)
        return
    named = examination_context.derivation.target(header.network, header.address)
    address = header.address if named is None else named.address
    wallet_id = None if sealing.is_aside(text) else header.credential_id
    told = place.told
    if header.kid not in examination_context.kids:
        told = f"{told}, sealed by a key that is not in this database's keyring"
        yield Offer((address,), wallet_id, told, commands.reveal_text(place.name) if place.name else "")
        return
    opened = _opened(examination_context, header, text)
    if opened is not None and not opened.derives:
        return
    command = commands.reveal_of(place.name, header.credential_id) if place.name else ""
    bare = text if text in place.text else ""
    yield Offer((address,), wallet_id, told, command, bare, owner=header.project_id)
    if opened is not None and opened.material is not None:
        yield from _beside_sealed(examination_context, place, header, opened.material)


def beside_own(
    examination_context: ExaminationContext, place: Place, text: str, wanted: WantedKeys, *, search: bool
) -> Iterator[Offer]:
    """What a sealed text offers besides the key of its own address: other wallets', in the spaces that miss one.

    ``search``: whether its phrase is tried wherever such a key may be.
    """
    header = sealed_texts.sealed_header(text, aside=True)
    if header is None or header.kid not in examination_context.kids or not is_project(header.credential_id):
        return
    opened = _opened(examination_context, header, text)
    if opened is not None and opened.derives and opened.material is not None:
        yield from _beside_sealed(examination_context, place, header, opened.material, wanted, search=search)


def opens_as(examination_context: ExaminationContext, text: str) -> SealedHeader | None:
    """What a sealed text's header says, where it opens as that and derives its address; else None."""
    header = sealed_texts.sealed_header(text, aside=True)
    if header is None or header.kid not in examination_context.kids:
        return None
    opened = _opened(examination_context, header, text)
    return header if opened is not None and opened.derives else None


def ways_in(read: KeyText, content: Content | None) -> Iterator[KeyText]:
    """What was in a text that a password opened."""
    if content is None or read.kind not in LOCKED:
        return
    if content.inside is not None:
        yield from (content.inside, *content.inside.others)
    elif content.phrase is not None:
        yield KeyText(read.kind, read.form, phrase=content.phrase)


def _beside_sealed(
    examination_context: ExaminationContext,
    place: Place,
    header: SealedHeader,
    material: KeyMaterial,
    wanted: WantedKeys | None = None,
    *,
    search: bool = False,
) -> Iterator[Offer]:
    """A sealed key at all of its addresses, and the first keys of its phrase: on other networks they are of others."""
    wallet_id, owner = header.credential_id, header.project_id
    command = commands.reveal_of(place.name, wallet_id) if place.name else ""
    derivation, told = examination_context.derivation, f"{place.told}, sealed for {wallet_id}"
    spaces = None if wanted is None else wanted.spaces
    if found := tuple(derivation.addresses(material.private_key, spaces)):
        yield Offer(found, None, told, command, owner=owner)
    if material.mnemonic is None:
        return
    phrase = Phrase(material.mnemonic, material.passphrase)
    shown = f"{command} --json" if command else ""
    if found := tuple(dict.fromkeys(derivation.first_addresses(phrase, spaces))):
        yield Offer(found, None, f"{told}, as one of its phrase", shown, owner=owner)
    if wanted is not None and search:
        for address, path in wanted.of_phrase(phrase):
            yield Offer((address,), None, f"{told}, as one of its phrase, at {path}", shown, owner=owner)
        wanted.meet(owner, told, shown)


def _opened(examination_context: ExaminationContext, header: SealedHeader, text: str) -> OpenedText | None:
    """What comes of opening a text as what its header says; None without the keyring."""
    keys, networks = examination_context.keyring, examination_context.networks
    return None if keys is None else sealed_texts.open_with_header(text, header, keys, networks)


def _of_record(
    examination_context: ExaminationContext, result: Examination, held: ExaminedRecord
) -> Iterator[MatchKey]:
    """A sealed text belongs where its header says; another one to the project of its row, and an orphan's to none."""
    prints, record_id, target = examination_context.fingerprints, held.record.id, result.target
    if held.header is not None:
        address = held.header.address
        if target is not None and held.belongs:
            address = target.address  # in its canonical form
        elif (named := examination_context.derivation.target(held.header.network, address)) is not None:
            address = named.address
        if held.fits and held.read.sealed is None:
            yield from prints.offers(held.header.project_id, address, record_id)
            return
        yield from prints.known(held.header.project_id, address, record_id)
        if not held.fits:
            yield from prints.known(held.header.project_id, held.header.credential_id, record_id)
    content = held.content
    if held.read.kind is KeyTextKind.SEALED:
        if held.read.sealed is None:
            result.offers.extend(
                of_sealed(
                    examination_context, place_of_record(examination_context, held, result.credential), held.sealed_text
                )
            )
        result.offers.extend(
            offers_of(
                examination_context,
                place_of_record(examination_context, held, result.credential),
                held.read,
                None,
                target,
            )
        )
        result.deferred = result.deferred or _has_more(held.read, None)
        return
    project = None if result.credential is None else examination_context.owner(result.credential)
    result.deferred = result.deferred or (content is not None and _has_more(held.read, content))
    what = every_offer if content is None else offers_of
    offered = list(
        what(
            examination_context,
            place_of_record(examination_context, held, result.credential),
            held.read,
            content,
            target,
        )
    )
    result.offers.extend(offered)
    result.offers.extend(possible_keys.of_record(examination_context, held, result))
    result.offers.extend(
        _beside_opened(
            examination_context, place_of_record(examination_context, held, result.credential), held.read, content
        )
    )
    for each in offered if content is None or content.inside is None else offered[:1]:  # what a repair takes
        for address in each.addresses if each.wallet_id is None else ():
            yield from prints.known(project, address, record_id)


def _of_content(derivation: Derivation, content: Content, target: Target | None) -> Iterator[str]:
    if content.derives and target is not None:
        yield target.address
    elif content.key is not None:
        yield from derivation.addresses(content.key)
    elif content.phrase is not None:
        yield from derivation.first_addresses(content.phrase)


def _every_address(derivation: Derivation, content: Content) -> Iterator[str]:
    """The addresses of a key that was opened, on every network, and those of its phrase at the most usual places."""
    if content.key is not None:
        yield from derivation.addresses(content.key)
    if content.phrase is not None:
        yield from derivation.first_addresses(content.phrase, indices=GAP)


def _addresses(
    derivation: Derivation, way: KeyText, spaces: Collection[str] | None = None, indices: int = 1
) -> Iterator[str]:
    """The addresses of a key, and of a phrase or an extended key at the most usual places."""
    if way.phrase is not None:
        yield from derivation.first_addresses(way.phrase, spaces, indices)
    elif way.tree is not None:
        yield from derivation.tree_addresses(way.tree, spaces)
    elif way.key is not None:
        yield from derivation.addresses(way.key, spaces)


def _has_more(read: KeyText, content: Content | None) -> bool:
    """Whether a text may hold keys of which nothing was offered yet."""
    if content is not None and not read.others:
        return False
    ways = (way for way in (read, *read.others) if way.key is not None or way.derives_many)
    return any(not _is_of(way, content) for way in ways)


def _is_of(way: KeyText, content: Content | None) -> bool:
    """Whether a way to read a text gives the key that was offered."""
    if content is None:
        return False
    if way.phrase is not None:
        return content.phrase is not None and way.phrase.mnemonic.reveal() == content.phrase.mnemonic.reveal()
    return way.key is not None and content.key is not None and way.key.reveal() == content.key.reveal()
