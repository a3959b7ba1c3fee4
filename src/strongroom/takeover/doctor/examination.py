"""What one wallet shows: its findings, what may be compared with other wallets, and how its key stands."""

from __future__ import annotations

from dataclasses import replace

from strongroom.records.vault_texts import ALL_MEMBERS
from strongroom.records.wallets import REPLACED, REVOKED
from strongroom.store.inspection.inspection import MAX_TEXT_CHARACTERS, FoundCredential, FoundWallet
from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.cross_row_index import LIVE, SHARED_VAULT_ID
from strongroom.takeover.doctor.findings import CREDENTIALS, VAULT, Finding, Repair, shown_id
from strongroom.takeover.doctor.key_kinds import TOO_LONG, is_too_long
from strongroom.takeover.doctor.key_offers import add_offers
from strongroom.takeover.doctor.key_texts import IN_PLAINTEXT, KeyTextKind
from strongroom.takeover.doctor.match_keys import own_match_keys
from strongroom.takeover.doctor.metadata_probes import examine_members, probe_metadata, probe_unread
from strongroom.takeover.doctor.notes import Examination, ExaminationContext, ExaminedRecord, MetadataKey
from strongroom.takeover.doctor.other_ids import is_project
from strongroom.takeover.doctor.readings import Readings
from strongroom.takeover.doctor.spool import as_known
from strongroom.takeover.doctor.state import State, decide_state
from strongroom.takeover.doctor.text_probes import probe_foreign, probe_sealed, quoted, shown

_MOST_NAMED = 3


def examine(examination_context: ExaminationContext, found: FoundWallet, readings: Readings) -> Examination:
    """Examine one wallet. Touches no database; may take a second where a key derivation function runs."""
    credential = found.credential
    targets = (
        () if credential is None else examination_context.derivation.targets(credential.network, credential.address)
    )
    target = readings.settled(examination_context.derivation, targets, found)
    result = Examination(credential, target, found.id)
    if target is None:
        result.candidates = tuple(each.network.name for each in targets)
    texts = (examination_context.derivation.reading(text, target) for text in readings.records)
    records = [ExaminedRecord(record, text) for record, text in zip(found.records, texts, strict=True)]
    members = examine_members(examination_context, result, readings)
    for held in records:
        if held.read.kind is KeyTextKind.SEALED:
            probe_sealed(examination_context, result, held)
        elif held.holds_text:
            probe_foreign(examination_context, result, held)
    result.records, result.members = tuple(records), tuple(members)
    if members or len(records) != 1 or not records[0].fits:  # else it is as it should be, and most of them are
        probe_metadata(examination_context, result, records, members)
        _probe_missing(examination_context, result, records, members)
        _probe_together(examination_context, result, records)
    if credential is not None:
        probe_unread(result)
        _probe_columns(examination_context, result, credential, records)
        result.state = decide_state(result, records)
        result.match_keys.extend(own_match_keys(examination_context, result, credential, records, members))
    result.exposed = any(held.read.kind in IN_PLAINTEXT and held.explained for held in records) or any(
        member.read.kind in IN_PLAINTEXT and member.counts for member in members
    )
    result.exposed = result.exposed or any(
        each.has_key_beside for each in (*(held.read for held in records), *(member.read for member in members))
    )
    if result.exposed:
        result.match_keys.append(examination_context.fingerprints.exposed(found.id or found.records[0].id))
        result.state = State.RECOVERABLE if result.state is State.SAFE else result.state
    add_offers(examination_context, result, records, members)
    if found.crowded:
        _decide_nothing(result, "more vault records name it than are read, or several projects have its id")
    if credential is not None and not examination_context.ours and not is_project(credential.project_id):
        _decide_nothing(
            result, "its project id is no UUID in lower case, and strongroom knows projects by nothing else"
        )
        if credential.project_id is not None:
            result.match_keys[:] = [each for each in result.match_keys if each.kind not in (LIVE, SHARED_VAULT_ID)]
        _only_show(result)
    return result


def _decide_nothing(result: Examination, why: str) -> None:
    """Leave everything about a wallet to people."""
    for findings in (result.findings, result.conditional):
        findings[:] = [
            replace(each, evidence=f"{each.evidence}; {why}", repair="ask", automatic=False) for each in findings
        ]
    result.findings += result.conditional
    result.conditional.clear()
    if result.state is not None:
        result.state = State.UNDECIDED


def _only_show(result: Examination) -> None:
    """Name no command that needs the wallet: texts are printed by their own ids."""
    wallet = shown_id(result.credential_id)
    for number, each in enumerate(result.findings):
        command, row = each.named_command, shown_id(each.row)
        if each.code in commands.ABOUT_A_KEY and "--text" not in command:
            metadata = each.code == "key-in-metadata" and wallet == result.credential_id
            place = f"{commands.in_metadata(wallet)}/{each.members[0]}" if metadata else row
            is_text = each.code in commands.OF_TEXTS and (metadata or (each.table == VAULT and row == each.row))
            command = commands.reveal_text(place) if is_text else ""
        elif each.code not in commands.ABOUT_A_KEY:
            command = ""
        result.findings[number] = replace(each, named_command=command, by_hand=True)


def _probe_missing(
    examination_context: ExaminationContext,
    result: Examination,
    records: list[ExaminedRecord],
    members: list[MetadataKey],
) -> None:
    """Missing records and placeholders, and what is left of their key."""
    if result.credential is None:
        return
    where, repair = _remains(members, unread=result.credential.unread > 0)
    command = _look_first(result, members) if repair == "ask" else ""
    elsewhere = any(held.holds_text for held in records)
    for held in (held for held in records if not held.holds_text and not _is_out_of_use(held, records, result)):
        what = "NULL" if held.record.text is None else held.record.text or "an empty text"
        if elsewhere:
            result.about(
                held,
                "placeholder",
                f"{what}; holds no key",
                "retire" if examination_context.has_access_level else "ask",
            )
        else:
            place = (VAULT, held.record.id, held.record.credential_id)
            why = f"{what}; {where}"
            _keyless(result, Finding("placeholder", *place, why, repair, repair == "fill", named_command=command))
    if not records:
        place = (CREDENTIALS, result.credential.id, result.credential.id)
        why = f"no vault record; {where}"
        _keyless(result, Finding("missing-vault-record", *place, why, repair, repair == "fill", named_command=command))
    if any(held.known for held in records) or any(member.derives for member in members):
        result.findings.extend(as_known(finding, "the wallet's key is not lost") for finding in result.conditional)
        result.conditional.clear()


def _remains(members: list[MetadataKey], *, unread: bool) -> tuple[str, Repair]:
    if any(member.derives for member in members):
        return "its key is in the metadata", "fill"
    if any(member.counts for member in members):
        return "what is in the metadata may be its key", "ask"
    unexplained = [member.name for member in members if member.unexplained]
    if unexplained:
        return f"a text in the metadata is unexplained ({', '.join(unexplained[:_MOST_NAMED])})", "ask"
    if unread:
        return "the metadata were not read to their end", "ask"
    return "no key in its metadata", "none"


def _look_first(result: Examination, members: list[MetadataKey]) -> str:
    """The command that prints the texts of which nothing is known: no other finding has one about them."""
    wallet, names = shown_id(result.credential_id), [member.name for member in members if member.unexplained]
    if result.credential is None or not names or wallet != result.credential_id:
        return ""
    whole = 2 * sum(len(text) for _, text in result.credential.key_texts)  # as JSON writes them
    member = names[0] if len(names) == 1 or whole > MAX_TEXT_CHARACTERS else ALL_MEMBERS
    return commands.reveal_text(f"{commands.in_metadata(wallet)}/{member}")


def _keyless(result: Examination, finding: Finding) -> None:
    (result.findings if finding.repair == "fill" else result.conditional).append(finding)


def _probe_together(
    examination_context: ExaminationContext, result: Examination, records: list[ExaminedRecord]
) -> None:
    """Records of one credential side by side, or of none."""
    if result.credential is None:
        for held in records:
            named = held.record.credential_id
            why = "names no credential" if named is None else f"names {shown_id(named)}, which does not exist"
            why = why if held.holds_text else f"{why}; holds no key"
            why = f"{why}; {TOO_LONG}" if is_too_long(held.record.text) else why
            result.about(held, "orphan-vault-record", why, "ask", command=shown(examination_context, result, held))
    used = [held for held in records if not _is_out_of_use(held, records, result)]
    if len(used) < 2:
        return
    keeper = next((held for held in used if held.known), None)
    alike = (
        examination_context.has_access_level
        and keeper is not None
        and all(_is_superfluous(held, keeper) for held in used)
    )
    for held in used:
        why = f"one of {len(used)} records; {'the key is in it' if held.known else held.read.form}"
        stays = None if keeper is None or not alike else keeper.record.id
        result.about(held, "duplicate-vault-records", why, "retire" if alike else "ask", automatic=alike, source=stays)


def _is_out_of_use(held: ExaminedRecord, records: list[ExaminedRecord], result: Examination) -> bool:
    """Whether a record was retired while another one of its credential holds something, or has no credential."""
    if held.record.access_level != REVOKED:
        return False
    return result.credential is None or any(other is not held and other.holds_text for other in records)


def _is_superfluous(held: ExaminedRecord, keeper: ExaminedRecord) -> bool:
    """Whether nothing would be missed without a record: it is a placeholder, or holds the keeper's key."""
    if held is keeper or not held.holds_text or held.record.text == keeper.record.text:
        return True
    return held.proved and keeper.proved


def _probe_columns(
    examination_context: ExaminationContext,
    result: Examination,
    credential: FoundCredential,
    records: list[ExaminedRecord],
) -> None:
    filled = any(held.holds_text for held in records)
    keyed = any(held.holds_text and held.explained for held in records)
    if credential.vault_stored is True and not filled:
        result.on_credential("stored-flag-wrong", "vault_stored is true, and no key is stored", "relabel")
    elif credential.vault_stored is False and keyed:
        result.on_credential("stored-flag-wrong", "vault_stored is false, and a key is stored", "relabel")
    if credential.live or credential.status == REPLACED or not examination_context.has_access_level:
        return
    for held in records:
        if held.record.access_level != REVOKED:
            level = quoted(held.record.access_level)
            result.about(held, "live-after-revoke", f"revoked, and access_level is still {level}", "retire")
