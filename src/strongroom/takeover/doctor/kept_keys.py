"""Keys that the history alone keeps: of wallets whose rows are gone, and of other addresses than their wallet's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from strongroom.errors import StrongroomError
from strongroom.store.inspection.inspection import Inspection, KeptText
from strongroom.takeover.doctor import commands, sealed_texts
from strongroom.takeover.doctor.findings import CREDENTIALS, HISTORY, Finding
from strongroom.takeover.doctor.notes import ExaminationContext
from strongroom.takeover.doctor.sealed_texts import OpenedText, SealedHeader
from strongroom.usecases.context import VaultContext
from strongroom.usecases.register import recorded
from strongroom.usecases.rescue import stored_whatever


class KeptKeys:
    """Looks at what the history keeps of wallets that are not, or not any more, what it says."""

    def __init__(
        self, inspection: Inspection, examination_context: ExaminationContext, vault_context: VaultContext | None
    ) -> None:
        self._inspection = inspection
        self._examination_context = examination_context
        self._vault_context = vault_context

    def findings(self) -> Iterator[Finding]:
        """One for each key: the newest of its texts that opens, or, without a root key, that says that it is one."""
        for wallet_id, address, gone in self._inspection.unplaced():
            target = self._examination_context.derivation.target("", address)
            seen = set() if target is None else {target.address}
            for kept in self._inspection.kept(wallet_id):
                header = sealed_texts.sealed_header(kept.text, aside=True) if kept.form == "sealed" else None
                if header is None or header.credential_id != wallet_id or self._canonical(header) in seen:
                    continue
                opened = self._opened(kept, header)
                if opened is not None and not opened.derives:
                    continue
                seen.add(self._canonical(header))
                yield self._gone(kept, header, opened) if gone else self._moved(kept, header)

    def refused(self, finding: Finding) -> Finding:
        """A finding with a command that prints its text, where its own refuses: the register has no such wallet."""
        if self._vault_context is None or finding.automatic or not commands.takes_wallet(finding.command):
            return finding
        try:
            stored_whatever(self._vault_context, finding.credential_id or "")
        except StrongroomError:
            place = finding.row or ""
            if finding.table == CREDENTIALS:
                member = finding.evidence.partition(":")[0]  # the first of those that it is about
                place = f"{commands.in_metadata(place)}/{member}"
            return replace(finding, named_command=commands.reveal_text(place))
        return finding

    def _canonical(self, header: SealedHeader) -> str:
        target = self._examination_context.derivation.target(header.network, header.address)
        return header.address if target is None else target.address

    def _opened(self, kept: KeptText, header: SealedHeader) -> OpenedText | None:
        if self._examination_context.keyring is None:
            return None
        return sealed_texts.open_with_header(
            kept.text, header, self._examination_context.keyring, self._examination_context.networks
        )

    def _gone(self, kept: KeptText, header: SealedHeader, opened: OpenedText | None) -> Finding:
        shown = self._examination_context.derivation.shown(header.network, header.address)
        how = "its header says" if opened is None else "it was opened and proved"
        what = f"the rows of this wallet are gone; a sealed text of {shown} is kept ({how})"
        command = commands.reveal(kept.id)
        if not self._is_recorded(header):
            what = f"{what}; the register has no record of such a wallet: its key can be revealed"
        elif self._inspection.lacks_project(header.project_id):
            what = (
                f"{what}; its project's row is gone, too: with that, `{commands.restore(header.credential_id)}` works"
            )
        else:
            command = commands.restore(header.credential_id)
        place = (HISTORY, kept.id, kept.credential_id)
        return Finding("wallet-rows-gone", *place, what, "ask", named_command=command)

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
