"""Wallets that the register has, and whose rows are gone, with nothing kept that another finding names."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from strongroom.crypto import tags
from strongroom.records.register import Registered
from strongroom.store.inspection.inspection import Inspection
from strongroom.takeover.doctor import sealed_texts
from strongroom.takeover.doctor.findings import REGISTER, Finding, Repair
from strongroom.takeover.doctor.ways_out import WaysOut
from strongroom.usecases.context import VaultContext

_LOST = "its credential is gone, and its key is in no table of this database: restore the rows from a backup of before"
_ELSEWHERE = "its credential is gone, and a sealed text of it is stored under another wallet"
_KEPT = "its credential is gone; the history keeps texts of it, none of which is known to be its key"


class RowsGone:
    """Looks at every record of the register whose wallet has no credential."""

    def __init__(
        self, inspection: Inspection, vault_context: VaultContext, project_id: UUID | None, ways_out: WaysOut
    ) -> None:
        self.whole = project_id is None
        """Whether every vault record was looked at."""
        self._ways_out = ways_out
        self._inspection = inspection
        self._vault_context = vault_context
        self._project = project_id

    def findings(self) -> Iterator[Finding]:
        """One for each authenticated record of which neither a vault record nor a sealed text of its is there.

        Those are findings of their own: ``orphan-vault-record``, and ``wallet-rows-gone`` about the history.
        """
        for page in self._vault_context.store.register.stream_without_rows():
            for found in page:
                if self._project not in (None, found.record.project_id):
                    continue
                if tags.fits("wallet", found.record.fields(), found.tag, self._vault_context.keyring):
                    yield from self._of_record(found)

    def _of_record(self, found: Registered) -> Iterator[Finding]:
        record = found.record
        wallet_id = str(record.credential_id)
        if self._vault_context.store.rescue.orphaned_texts(record.credential_id):
            return
        kept = list(self._inspection.kept(wallet_id))
        if any(self._opens(each.text, wallet_id) for each in kept if each.form == "sealed"):
            return
        what, command = (_KEPT, f"strongroom history {wallet_id}") if kept else (_LOST, "")
        if self._ways_out.is_elsewhere(wallet_id, whole=self.whole):
            command, why = self._ways_out.of_text(wallet_id, "", own=True)
            what = f"{_ELSEWHERE}; {why}" if why else _ELSEWHERE
        elif in_metadata := self._ways_out.in_metadata(wallet_id):
            what, command = f"{_ELSEWHERE}, in its metadata", in_metadata
        evidence = f"{what}; the register has it as {record.status}: {record.network} {record.address}"
        repair: Repair = "ask" if command else "none"
        yield Finding("wallet-rows-gone", REGISTER, wallet_id, wallet_id, evidence, repair, named_command=command)

    def _opens(self, text: str, wallet_id: str) -> bool:
        """Whether a sealed text of the history is what its own finding is about."""
        header = sealed_texts.sealed_header(text, aside=True)
        if header is None or header.credential_id != wallet_id:
            return False
        networks, keys = self._vault_context.networks, self._vault_context.keyring
        return sealed_texts.open_with_header(text, header, keys, networks).derives
