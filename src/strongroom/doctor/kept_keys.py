"""Keys that the history alone keeps: of wallets whose rows are gone, and of other addresses than their wallet's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from strongroom.doctor import commands, sealed_texts
from strongroom.doctor.findings import CREDENTIALS, HISTORY, Finding
from strongroom.doctor.notes import Ground
from strongroom.doctor.sealed_texts import Claim, Opened
from strongroom.errors import StrongroomError
from strongroom.store.inspection.inspection import Inspection, KeptText
from strongroom.usecases.parts import Parts
from strongroom.usecases.register import recorded
from strongroom.usecases.rescue import stored_whatever


class KeptKeys:
    """Looks at what the history keeps of wallets that are not, or not any more, what it says."""

    def __init__(self, inspection: Inspection, ground: Ground, parts: Parts | None) -> None:
        self._inspection = inspection
        self._ground = ground
        self._parts = parts

    def findings(self) -> Iterator[Finding]:
        """One for each key: the newest of its texts that opens, or, without a root key, that says that it is one."""
        for wallet_id, address, gone in self._inspection.unplaced():
            target = self._ground.derivation.target("", address)
            seen = set() if target is None else {target.address}
            for kept in self._inspection.kept(wallet_id):
                claim = sealed_texts.claim(kept.text, aside=True) if kept.form == "sealed" else None
                if claim is None or claim.credential_id != wallet_id or self._canonical(claim) in seen:
                    continue
                opened = self._opened(kept, claim)
                if opened is not None and not opened.derives:
                    continue
                seen.add(self._canonical(claim))
                yield self._gone(kept, claim, opened) if gone else self._moved(kept, claim)

    def refused(self, finding: Finding) -> Finding:
        """A finding with a command that prints its text, where its own refuses: the register has no such wallet."""
        if self._parts is None or finding.automatic or not commands.takes_wallet(finding.command):
            return finding
        try:
            stored_whatever(self._parts, finding.credential_id or "")
        except StrongroomError:
            place = finding.row or ""
            if finding.table == CREDENTIALS:
                place = commands.in_metadata(place)
            return replace(finding, named_command=commands.reveal_text(place))
        return finding

    def _canonical(self, claim: Claim) -> str:
        target = self._ground.derivation.target(claim.network, claim.address)
        return claim.address if target is None else target.address

    def _opened(self, kept: KeptText, claim: Claim) -> Opened | None:
        if self._ground.keyring is None:
            return None
        return sealed_texts.open_claimed(kept.text, claim, self._ground.keyring, self._ground.networks)

    def _gone(self, kept: KeptText, claim: Claim, opened: Opened | None) -> Finding:
        shown = self._ground.derivation.shown(claim.network, claim.address)
        how = "its header says" if opened is None else "it was opened and proved"
        what = f"the rows of this wallet are gone; a sealed text of {shown} is kept ({how})"
        command = commands.reveal(kept.id)
        if not self._is_recorded(claim):
            what = f"{what}; the register has no record of such a wallet: its key can be revealed"
        elif self._inspection.lacks_project(claim.project_id):
            what = f"{what}; its project's row is gone, too: with that, `{commands.restore(claim.credential_id)}` works"
        else:
            command = commands.restore(claim.credential_id)
        place = (HISTORY, kept.id, kept.credential_id)
        return Finding("wallet-rows-gone", *place, what, "ask", named_command=command)

    def _moved(self, kept: KeptText, claim: Claim) -> Finding:
        shown = self._ground.derivation.shown(claim.network, claim.address)
        what = f"a key of {shown} is kept, which is another address than its wallet's"
        place = (HISTORY, kept.id, kept.credential_id)
        return Finding("kept-key", *place, what, "ask", named_command=commands.reveal(kept.id))

    def _is_recorded(self, claim: Claim) -> bool:
        if self._parts is None:
            return self._inspection.has_record(claim.credential_id)
        found = recorded(self._parts, UUID(claim.credential_id))
        if found is None:
            return False
        record = found.record
        there = (str(record.project_id), record.network, record.address)
        return there == (claim.project_id, claim.network, claim.address)
