"""What one wallet shows: its findings, what may be compared with other wallets, and how its key stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from strongroom.doctor import commands
from strongroom.doctor.comparisons import Fingerprints, Mark
from strongroom.doctor.derivation import Derivation
from strongroom.doctor.findings import CREDENTIALS, VAULT, Finding, Repair, shown_id
from strongroom.doctor.key_texts import IN_CLEAR, Kind
from strongroom.doctor.notes import Examined, Ground, Held, Member, State
from strongroom.doctor.readings import Readings
from strongroom.doctor.remainders import holds_more
from strongroom.doctor.spool import as_known
from strongroom.doctor.text_probes import derives, open_text, probe_foreign, probe_sealed, quoted
from strongroom.doctor.wrappings import is_name
from strongroom.model import REPLACED, REVOKED
from strongroom.store.inspection.inspection import FoundCredential, FoundWallet

_MENDING = frozenset({"seal", "move", "fill", "relabel"})
_ABOUT_COLUMNS = frozenset({"wrong-label", "stored-flag-wrong"})


def examine(ground: Ground, found: FoundWallet, readings: Readings) -> Examined:
    """Examine one wallet. Touches no database; may take a second where a key derivation function runs."""
    credential = found.credential
    targets = () if credential is None else ground.derivation.targets(credential.network, credential.address)
    target = readings.settled(ground.derivation, targets, found)
    result = Examined(credential, target, found.id)
    if target is None:
        result.candidates = tuple(each.network.name for each in targets)
    texts = (ground.derivation.reading(text, target) for text in readings.records)
    records = [Held(record, text) for record, text in zip(found.records, texts, strict=True)]
    named = ((name, ground.derivation.reading(text, target)) for name, text in readings.members)
    values = () if credential is None else (value for _, value in credential.key_texts)
    members = [
        Member(name, text, *open_text(ground, result, text), is_name(value))
        for (name, text), value in zip(named, values, strict=True)
    ]
    for held in records:
        if held.read.kind is Kind.SEALED:
            probe_sealed(ground, result, held)
        elif held.holds_text:
            probe_foreign(ground, result, held)
    result.records, result.members = tuple(records), tuple(members)
    if members or len(records) != 1 or not records[0].fits:  # else it is as it should be, and most of them are
        _probe_metadata(ground, result, records, members)
        _probe_missing(ground, result, records, members)
        _probe_together(ground, result, records)
    if credential is not None:
        _probe_columns(ground, result, credential, records)
        result.state = _state(result, records)
        result.marks.extend(_own_marks(ground, result, credential, records, members))
    result.exposed = any(held.read.kind in IN_CLEAR and held.explained for held in records) or any(
        member.read.kind in IN_CLEAR and member.counts for member in members
    )
    if result.exposed and result.state is State.SAFE:
        result.state = State.RECOVERABLE
    result.marks.extend(_offers(ground, result, records))
    if found.crowded:
        _decide_nothing(result)
    return result


def _decide_nothing(result: Examined) -> None:
    """There are more records than were read: what is in the others may be another key of the wallet."""
    why = "more vault records name this credential than are read"
    for findings in (result.findings, result.conditional):
        findings[:] = [
            replace(each, evidence=f"{each.evidence}; {why}", repair="ask", automatic=False) for each in findings
        ]
    result.findings += result.conditional
    result.conditional.clear()
    if result.state is not None:
        result.state = State.UNDECIDED


def _probe_metadata(ground: Ground, result: Examined, records: list[Held], members: list[Member]) -> None:
    found = [member for member in members if member.counts]
    if not found:
        return
    evidence = "; ".join(
        ", ".join(part for part in (f"{m.name}: {m.read.form}", m.note, derives(result, m.content)) if part)
        for m in found
    )
    more = any(holds_more(m.read, m.content, ground.derivation) for m in found)
    movable = not more and any(m.derives for m in found)
    there_is_room = all(held.known or not held.holds_text for held in records)
    repair: Repair = "move" if movable else "ask"
    automatic = movable and there_is_room
    command = "" if automatic else _out_of_metadata(result, found, more=more)
    result.on_credential("key-in-metadata", evidence, repair, automatic=automatic, holds_more=more, command=command)


def _out_of_metadata(result: Examined, members: list[Member], *, more: bool) -> str:
    """The command for what is in the metadata: a key of another address is moved, any other text printed."""
    wallet = shown_id(result.credential_id)
    if wallet != result.credential_id:
        return ""
    others = [m for m in members if m.read.kind in IN_CLEAR and m.content is not None and not m.derives]
    if others and not more and result.target is not None:
        return f"strongroom wallet move-key {wallet} --to history"
    first = others[0] if others else members[0]
    return commands.reveal_text(f"{commands.in_metadata(wallet)}/{first.name}")


def _probe_missing(ground: Ground, result: Examined, records: list[Held], members: list[Member]) -> None:
    """Missing records and placeholders, and what is left of their key."""
    if result.credential is None:
        return
    where, repair = _remains(members)
    elsewhere = any(held.holds_text for held in records)
    for held in (held for held in records if not held.holds_text and not _is_out_of_use(held, records, result)):
        what = "NULL" if held.record.text is None else held.record.text or "an empty text"
        if elsewhere:
            result.about(held, "placeholder", f"{what}; holds no key", "retire" if ground.levelled else "ask")
        else:
            place = (VAULT, held.record.id, held.record.credential_id)
            _keyless(result, Finding("placeholder", *place, f"{what}; {where}", repair, repair == "fill"))
    if not records:
        place = (CREDENTIALS, result.credential.id, result.credential.id)
        why = f"no vault record; {where}"
        _keyless(result, Finding("missing-vault-record", *place, why, repair, repair == "fill"))
    if any(held.known for held in records) or any(member.derives for member in members):
        result.findings.extend(as_known(finding, "the wallet's key is not lost") for finding in result.conditional)
        result.conditional.clear()


def _remains(members: list[Member]) -> tuple[str, Repair]:
    if any(member.derives for member in members):
        return "its key is in the metadata", "fill"
    if any(member.counts for member in members):
        return "what is in the metadata may be its key", "ask"
    if any(member.unexplained for member in members):
        return "a text in the metadata is unexplained", "ask"
    return "no key in its metadata", "none"


def _keyless(result: Examined, finding: Finding) -> None:
    (result.findings if finding.repair == "fill" else result.conditional).append(finding)


def _probe_together(ground: Ground, result: Examined, records: list[Held]) -> None:
    """Records of one credential beside each other, or of none."""
    if result.credential is None:
        for held in records:
            named = held.record.credential_id
            why = "names no credential" if named is None else f"names {shown_id(named)}, which does not exist"
            result.about(held, "orphan-vault-record", why, "ask")
    used = [held for held in records if not _is_out_of_use(held, records, result)]
    if len(used) < 2:
        return
    keeper = next((held for held in used if held.known), None)
    alike = ground.levelled and keeper is not None and all(_is_superfluous(held, keeper) for held in used)
    for held in used:
        why = f"one of {len(used)} records; {'the key is in it' if held.known else held.read.form}"
        stays = None if keeper is None or not alike else keeper.record.id
        result.about(held, "duplicate-vault-records", why, "retire" if alike else "ask", automatic=alike, source=stays)


def _is_out_of_use(held: Held, records: list[Held], result: Examined) -> bool:
    """Whether a record was retired beside another one that holds something, or beside no credential."""
    if held.record.access_level != REVOKED:
        return False
    return result.credential is None or any(other is not held and other.holds_text for other in records)


def _is_superfluous(held: Held, keeper: Held) -> bool:
    """Whether nothing would be missed without a record: it is a placeholder, or holds the keeper's key."""
    if held is keeper or not held.holds_text or held.record.text == keeper.record.text:
        return True
    return held.proved and keeper.proved


def _probe_columns(ground: Ground, result: Examined, credential: FoundCredential, records: list[Held]) -> None:
    filled = any(held.holds_text for held in records)
    keyed = any(held.holds_text and held.explained for held in records)
    if credential.vault_stored is True and not filled:
        result.on_credential("stored-flag-wrong", "vault_stored is true, and no key is stored", "relabel")
    elif credential.vault_stored is False and keyed:
        result.on_credential("stored-flag-wrong", "vault_stored is false, and a key is stored", "relabel")
    if credential.live or credential.status == REPLACED or not ground.levelled:
        return
    for held in records:
        if held.record.access_level != REVOKED:
            level = quoted(held.record.access_level)
            result.about(held, "live-after-revoke", f"revoked, and access_level is still {level}", "retire")


def _state(result: Examined, records: list[Held]) -> State:
    if any(held.fits for held in records):
        return State.SAFE
    mended = (f for f in result.findings if f.automatic and f.repair in _MENDING and f.code not in _ABOUT_COLUMNS)
    if next(mended, None) is not None:
        return State.RECOVERABLE
    if any(held.holds_text and held.explained for held in records) or any(each.counts for each in result.members):
        return State.UNDECIDED
    if any(not held.explained for held in records) or any(each.unexplained for each in result.members):
        return State.UNEXPLAINED
    return State.LOST if all(finding.repair == "none" for finding in result.conditional) else State.UNDECIDED


# --- what is compared with other wallets ------------------------------------------------------------------------


def _own_marks(
    ground: Ground, result: Examined, credential: FoundCredential, records: list[Held], members: list[Member]
) -> Iterator[Mark]:
    prints = ground.fingerprints
    if credential.key_vault_id is not None:
        yield prints.vault_id(credential.key_vault_id, credential.id)
    if credential.live and result.target is not None:
        network, proved = result.target.network.name, any(held.known for held in records)
        yield prints.live(credential.project_id or "", network, credential.label, credential.id, proved=proved)
    for mark in _key_marks(prints, credential, records, members):
        yield mark
        yield prints.under(mark, credential.project_id)
    yield from _phrase_marks(prints, credential, records, members)


def _key_marks(
    prints: Fingerprints, credential: FoundCredential, records: list[Held], members: list[Member]
) -> Iterator[Mark]:
    for text, content in (
        *((held.read, held.content) for held in records),
        *((member.read, member.content) for member in members),
    ):
        if content is not None and content.key is not None:
            yield prints.key(content.key, credential.id)
        elif content is None and text.document is not None:
            yield prints.text(text.document, credential.id)
    for held in records:
        if held.opened is not None and held.opened.material is not None:
            yield prints.key(held.opened.material.private_key, credential.id)


def _phrase_marks(
    prints: Fingerprints, credential: FoundCredential, records: list[Held], members: list[Member]
) -> Iterator[Mark]:
    """The phrases of a wallet, be they of its address or not; a sealed one belongs to the project of its header."""
    for text, content in (
        *((held.read, held.content) for held in records),
        *((member.read, member.content) for member in members),
    ):
        found = (None if content is None else content.phrase, *(other.phrase for other in text.others))
        for phrase in found:
            if phrase is not None:
                mark = prints.phrase(phrase.mnemonic, credential.id)
                yield from (mark, prints.under(mark, credential.project_id))
    for held in records:
        material = None if held.opened is None else held.opened.material
        if held.claim is not None and material is not None and material.mnemonic is not None:
            mark = prints.phrase(material.mnemonic, credential.id)
            yield from (mark, prints.under(mark, held.claim.project_id))


def _offers(ground: Ground, result: Examined, records: list[Held]) -> Iterator[Mark]:
    """The addresses and credentials whose key stands in a vault record here, each with the project it belongs to.

    A sealed text belongs where its header says; a text that is not ours to the project of its row, and an orphan's to
    none.
    """
    prints, derivation = ground.fingerprints, ground.derivation
    project = None if result.credential is None else result.credential.project_id
    for held in records:
        if held.claim is not None:
            address = held.claim.address
            if result.target is not None and held.belongs:
                address = result.target.address  # in its canonical form
            elif (named := derivation.target(held.claim.network, address)) is not None:
                address = named.address
            yield from prints.offers(held.claim.project_id, address, held.record.id)
            if not held.fits:
                yield from prints.offers(held.claim.project_id, held.claim.credential_id, held.record.id)
            continue
        own = held.content is not None and held.content.derives and result.target is not None
        addresses = (result.target.address,) if own and result.target is not None else _possible(derivation, held)
        for address in addresses:
            yield from prints.offers(project, address, held.record.id)


def _possible(derivation: Derivation, held: Held) -> Iterator[str]:
    """The addresses of a key that is not the row's, or of what may be one: an address that is missed proves it."""
    if held.content is None:
        for each in (held.read, *held.read.others):
            if each.key is not None:
                yield from derivation.addresses(each.key)
    elif held.content.key is not None:
        yield from derivation.addresses(held.content.key)
    elif held.read.phrase is not None:
        yield from derivation.first_addresses(held.read.phrase)
