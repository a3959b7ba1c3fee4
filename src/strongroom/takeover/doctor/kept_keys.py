"""Keys that the history alone keeps: of wallets whose rows are gone, and of other addresses than their wallet's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from strongroom.errors import IdentityMismatchError, KeyConflictError, StrongroomError
from strongroom.records.key_material import KeyMaterial
from strongroom.store.inspection.inspection import Inspection, KeptText
from strongroom.store.statements.register_rows import uuid_or_none
from strongroom.takeover.doctor import commands, sealed_texts
from strongroom.takeover.doctor.derivation import Content, Target
from strongroom.takeover.doctor.finding_texts import contents, locked, place_of, project_of_row
from strongroom.takeover.doctor.findings import HISTORY, Finding, shown_id
from strongroom.takeover.doctor.in_history import CUT, OF_ANOTHER, UNTOLD, Elsewhere, Entry, InHistory
from strongroom.takeover.doctor.key_offers import of_sealed
from strongroom.takeover.doctor.metadata_probes import by_member
from strongroom.takeover.doctor.notes import Examination, ExaminationContext
from strongroom.takeover.doctor.others_keys import is_of_others
from strongroom.takeover.doctor.refusals import is_asked, refusal
from strongroom.takeover.doctor.remembered_ids import FirstIds
from strongroom.takeover.doctor.sealed_texts import OpenedText, SealedHeader
from strongroom.takeover.doctor.spool import Offer, as_derived
from strongroom.takeover.doctor.text_places import place_of_entry
from strongroom.takeover.doctor.ways_out import WaysOut
from strongroom.usecases.context import VaultContext
from strongroom.usecases.elsewhere import recorded_elsewhere
from strongroom.usecases.ownership import project_of
from strongroom.usecases.register import recorded
from strongroom.usecases.rescue import stored_whatever

_OF_SEALED = frozenset({"sealed-elsewhere", "orphan-vault-record"})
_PASSWORD = "-password-stdin"  # noqa: S105 - how options end
_LOCKED_CODES = frozenset({"legacy-envelope", "keystore", "key-in-metadata", "wrong-label"})


class KeptKeys:
    """Looks at what the history keeps of wallets that are not, or not any more, what it says."""

    def __init__(
        self,
        inspection: Inspection,
        examination_context: ExaminationContext,
        vault_context: VaultContext | None,
        ways_out: WaysOut | None,
    ) -> None:
        self._inspection = inspection
        self._examination_context = examination_context
        self._vault_context = vault_context
        self._ways_out = ways_out
        self._asked: tuple[str, StrongroomError | None] = "", None
        """The last command that its verb was asked about, which several findings may name, and what it said."""

    def findings(self) -> Iterator[Entry]:
        """One for each key: the newest of its texts that opens, or, without a root key, that says that it is one."""
        told = FirstIds()
        for wallet_id, address, gone in self._inspection.unplaced():
            seen = set[str]()
            for kept in self._inspection.kept(wallet_id):
                header = sealed_texts.sealed_header(kept.text, aside=True) if kept.form == "sealed" else None
                if header is None or header.credential_id != wallet_id:
                    continue
                canonical = self._canonical(header.network, header.address)
                if canonical in seen or canonical == self._canonical(header.network, address):
                    continue
                opened = self._opened(kept, header)
                if opened is not None and not opened.derives:
                    continue
                seen.add(canonical)
                if gone:
                    told.add(wallet_id)
                finding = self._gone(kept, header, opened) if gone else self._moved(kept, header)
                yield Entry(finding, tuple(of_sealed(self._examination_context, place_of_entry(kept), kept.text)))

        for entry_id, wallet_id in () if self._ways_out is None else self._ways_out.of_nobody():
            if wallet_id not in told:
                why = (
                    "the rows of this wallet are gone; a sealed text of it is kept under another wallet; the register "
                    "has no record of it: its key can be revealed"
                )
                row, command = (HISTORY, entry_id, wallet_id), commands.reveal_of(entry_id, wallet_id)
                yield Entry(Finding("wallet-rows-gone", *row, why, "ask", named_command=command))

    def put_back(self, finding: Finding, offer: Offer) -> Offer | None:
        """What puts a sealed text back that a finding misses, or opens an envelope; None where nothing does."""
        if not offer.unlocked:
            return None if self._ways_out is None else self._ways_out.put_back(finding, offer)
        wallet_id = finding.credential_id or ""
        project = self._inspection.places({wallet_id}).get(wallet_id, (None,))[0]
        if project is None and self._ways_out is not None:
            project = self._ways_out.project_of_gone(wallet_id)
        return offer._replace(command=offer.unlocked) if project == offer.project_id else None

    def way_back(self, examined: Examination, kept: InHistory) -> tuple[str, str]:
        """The command that puts the wallet's own key back, or makes its verb read more; and why that is refused."""
        if examined.credential is None or not (kept.known or kept.command):
            return "", ""
        wallet = shown_id(examined.credential.id)
        over = any(held.holds_text for held in examined.records)
        command = commands.archive(wallet) if over else commands.restore(wallet)
        error = None if kept.ask == CUT else self.refusal(command)
        return (command, "") if error is None else ("", error.message)

    def refusal(self, command: str) -> StrongroomError | None:
        """Why the verb of a command would refuse it; None where it would not, and where nobody can tell."""
        if self._vault_context is None or not is_asked(command):
            return None
        if command != self._asked[0]:
            keys = self._examination_context.keys_of_others
            self._asked = command, refusal(replace(self._vault_context, keys_of_others=keys), command)
        return self._asked[1]

    def working(self, finding: Finding, examined: Examination) -> list[Finding]:
        """A finding with another command where its own refuses: one for each member of metadata that it is about."""
        found = self._working(finding, examined)
        if len(finding.members) < 2 or found.command == finding.command:
            return [found]
        return [self._working(each, examined) for each in by_member(finding, examined)]

    def _working(self, finding: Finding, examined: Examination) -> Finding:
        if finding.automatic and finding.code in _LOCKED_CODES:
            return self._of_another(finding, examined)
        if _PASSWORD in finding.command and not finding.by_hand:
            return self._of_moved(self._of_another(finding, examined), examined)
        if self._vault_context is None or self._ways_out is None or finding.automatic or finding.by_hand:
            return finding
        if finding.code in commands.KEYLESS and finding.repair == "none" and finding.credential_id is not None:
            way = self._ways_out.of_phrase(finding.credential_id)
            return finding if way is None else as_derived(finding, way.told, way.command)
        if finding.code in _OF_SEALED and "--archive-current" not in finding.command:
            return self._of_sealed(self._ways_out, finding, examined)
        if "move-key" not in finding.command or self.refusal(finding.command) is None:
            return self._of_moved(finding, examined)
        owner = self._elsewhere(finding, examined)
        evidence = finding.evidence if owner is None else f"{finding.evidence}; {owner.told}"
        command = _prints(owner, finding)
        return self._of_moved(replace(finding, evidence=evidence, named_command=command), examined)

    def _of_moved(self, finding: Finding, examined: Examination) -> Finding:
        """A finding about a text of a wallet whose row says another project than its slot: its command names it."""
        credential = examined.credential
        wallet_id = None if credential is None else uuid_or_none(credential.id)
        if credential is None or wallet_id is None:
            return finding
        if self._examination_context.owner(credential) == credential.project_id:
            return finding
        named = commands.naming_wallet(finding.command, str(wallet_id))
        return finding if named == finding.command else replace(finding, named_command=named)

    def _of_another(self, finding: Finding, examined: Examination) -> Finding:
        """About what a password protects: who copied it into the row need not have been able to read it."""
        try:
            wallet_id, project_id = UUID(finding.credential_id or ""), UUID(project_of_row(examined))
        except ValueError:
            return finding
        for content in locked(finding, examined):
            owner = self.owner_elsewhere(content, examined.target, project_id, wallet_id)
            if owner is not None:
                return replace(
                    finding,
                    evidence=f"{finding.evidence}; {owner.told}",
                    repair="ask",
                    automatic=False,
                    named_command=_prints(owner, finding),
                )
        return finding

    def _of_sealed(self, ways_out: WaysOut, finding: Finding, examined: Examination) -> Finding:
        """About a text that is stored where it is not its wallet's: its wallet's own verb, where that works."""
        held = next((each for each in examined.records if each.record.id == finding.row), None)
        header = None if held is None else held.header
        if held is None or header is None or held.opened is None or finding.row != shown_id(finding.row):
            return finding
        own = header.credential_id == held.record.credential_id
        command, why = ways_out.of_text(header.credential_id, finding.row, own=own)
        return replace(
            finding, evidence=f"{finding.evidence}; {why}" if why else finding.evidence, named_command=command
        )

    def _elsewhere(self, finding: Finding, examined: Examination) -> Elsewhere | None:
        """That the key of a text is another project's, or may be; None where it is not."""
        context = self._vault_context
        try:
            stored = None if context is None else stored_whatever(context, finding.credential_id or "")
        except StrongroomError:
            return None
        if stored is None:
            return None
        for content in contents(finding, examined):
            owner = self.owner_elsewhere(content, examined.target, stored.wallet.project_id)
            if owner is not None:
                return owner
        return None

    def of_its_wallet(self, finding: Finding, kept: KeptText) -> Finding:
        """A finding about an entry whose command names the wallet, where the entry says another project than its."""
        wallet_id = uuid_or_none(kept.credential_id)
        if self._vault_context is None or finding.automatic or finding.by_hand or wallet_id is None:
            return finding
        try:
            project_of(self._vault_context, wallet_id, uuid_or_none(kept.project_id))
        except IdentityMismatchError:
            return replace(finding, named_command=commands.naming_wallet(finding.command, str(wallet_id)))
        except StrongroomError:
            pass
        return finding

    def owner_of_entry(self, kept: KeptText, content: Content, target: Target | None) -> Elsewhere | None:
        """The same of an entry of the history."""
        if self._vault_context is None:
            return None
        try:
            wallet_id = UUID(kept.credential_id or "")
            known = recorded(self._vault_context, wallet_id)
            project = UUID(kept.project_id or "") if known is None else known.record.project_id
        except (ValueError, StrongroomError):
            return None
        return self.owner_elsewhere(content, target, project, wallet_id)

    def owner_elsewhere(
        self, content: Content, target: Target | None, project_id: UUID, wallet_id: UUID | None = None
    ) -> Elsewhere | None:
        """The same of one key, or of any key of a phrase."""
        if self._vault_context is None:
            return None
        network = self._examination_context.networks.get("ethereum") if target is None else target.network
        material = content.material
        if material is None and content.key is not None:
            material = KeyMaterial(content.key, network.scheme(None))
        elif material is None and content.phrase is not None:
            material = network.derive(content.phrase, network.scheme(None))
        if material is None:
            return None
        try:
            if not is_of_others(self._vault_context, self._examination_context, wallet_id, project_id, material):
                return None
            found = recorded_elsewhere(self._vault_context, material, project_id)
        except KeyConflictError:
            return Elsewhere("", UNTOLD)
        except StrongroomError:
            return None
        owner = "" if found is None else str(found[0].id)
        return Elsewhere(owner if self._ways_out is not None and self._ways_out.exports(owner) else "", OF_ANOTHER)

    def _canonical(self, network: str, address: str) -> str:
        target = self._examination_context.derivation.target(network, address)
        return address if target is None else target.address

    def _opened(self, kept: KeptText, header: SealedHeader) -> OpenedText | None:
        if self._examination_context.keyring is None:
            return None
        return sealed_texts.open_with_header(
            kept.text, header, self._examination_context.keyring, self._examination_context.networks
        )

    def _gone(self, kept: KeptText, header: SealedHeader, opened: OpenedText | None) -> Finding:
        shown = self._examination_context.derivation.shown(header.network, header.address)
        how = "its header says" if opened is None else "it was opened and proved"
        command, why = self._way_back(kept, header)
        what = f"the rows of this wallet are gone; a sealed text of {shown} is kept ({how})"
        place = (HISTORY, kept.id, kept.credential_id)
        return Finding("wallet-rows-gone", *place, f"{what}; {why}" if why else what, "ask", named_command=command)

    def _way_back(self, kept: KeptText, header: SealedHeader) -> tuple[str, str]:
        """The command, and why it is not ``restore`` alone."""
        if not self._is_recorded(header):
            return commands.reveal(kept.id), "the register has no record of such a wallet: its key can be revealed"
        if self._ways_out is not None:
            return self._ways_out.of_gone(header.credential_id, kept.id)
        restore = commands.restore(header.credential_id)
        if self._inspection.lacks_project(header.project_id):
            return commands.reveal(kept.id), f"its project's row is gone, too: with that, `{restore}` works"
        return restore, ""

    def _moved(self, kept: KeptText, header: SealedHeader) -> Finding:
        shown = self._examination_context.derivation.shown(header.network, header.address)
        what = f"a key of {shown} is kept, which is another address than its wallet's"
        place = (HISTORY, kept.id, kept.credential_id)
        return Finding("kept-key", *place, what, "ask", named_command=commands.reveal(kept.id))

    def _is_recorded(self, header: SealedHeader) -> bool:
        if self._vault_context is None:
            return self._inspection.has_record(header.credential_id)
        found = recorded(self._vault_context, UUID(header.credential_id))
        if found is None:
            return False
        record = found.record
        there = (str(record.project_id), record.network, record.address)
        return there == (header.project_id, header.network, header.address)


def _prints(owner: Elsewhere | None, finding: Finding) -> str:
    """The command that prints the key of the wallet that has it, or the text of a finding."""
    return (
        commands.export(owner.wallet) if owner is not None and owner.wallet else commands.reveal_text(place_of(finding))
    )
