"""Wallets that the register has, and whose rows are gone, with nothing kept that another finding names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from strongroom.crypto import tags
from strongroom.crypto.sealing import is_sealed
from strongroom.errors import StrongroomError
from strongroom.records.register import Registered, Registration
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.store.inspection.inspection import Inspection
from strongroom.takeover.doctor import commands, sealed_texts
from strongroom.takeover.doctor.findings import REGISTER, Finding, Repair
from strongroom.takeover.doctor.spool import KEPT, NOWHERE, as_placed
from strongroom.takeover.doctor.ways_out import WaysOut
from strongroom.usecases.context import VaultContext
from strongroom.usecases.remake import possible


class GoneWallet(NamedTuple):
    """A wallet whose rows are gone."""

    finding: Finding
    record: Registration
    missing: bool
    """Whether nothing that was found of it so far gives its key."""


class RowsGone:
    """Looks at every record of the register whose wallet has no credential."""

    def __init__(
        self, inspection: Inspection, vault_context: VaultContext, project_id: UUID | None, ways_out: WaysOut
    ) -> None:
        self._ways_out = ways_out
        self._inspection = inspection
        self._vault_context = vault_context
        self._project = project_id

    def wallets(self, *, whole: bool) -> Iterator[GoneWallet]:
        """One for each authenticated record of which neither a vault record nor a sealed text of its is there.

        Those are findings of their own: ``orphan-vault-record``, and ``wallet-rows-gone`` about the history.
        ``whole``: whether every row was looked at, so that other rows are compared with what is missing here.
        """
        for page in self._vault_context.store.register.stream_without_rows():
            for found in page:
                if self._project not in (None, found.record.project_id):
                    continue
                if tags.fits("wallet", found.record.fields(), found.tag, self._vault_context.keyring):
                    yield from self._of_record(found, whole=whole)

    def _of_record(self, found: Registered, *, whole: bool) -> Iterator[GoneWallet]:
        record = found.record
        wallet_id = str(record.credential_id)
        orphaned = self._vault_context.store.rescue.orphaned_texts(record.credential_id)
        if any(self._may_be_its(text or "", wallet_id) for text in orphaned):
            return
        kept = list(self._inspection.kept(wallet_id))
        if any(self._opens(each.text, wallet_id) for each in kept if each.form == "sealed"):
            return
        what, command = (KEPT, f"strongroom history {wallet_id}") if kept else (NOWHERE, self._store_key(found))
        phrase = self._ways_out.of_phrase(wallet_id)
        if phrase is not None:
            what, command = phrase.told, phrase.command
        evidence = f"its credential is gone; {what}; the register has it as {record.status}"
        evidence = f"{evidence}: {record.network} {record.address}"
        repair: Repair = "ask" if kept or phrase else "none"
        finding = Finding("wallet-rows-gone", REGISTER, wallet_id, wallet_id, evidence, repair, named_command=command)
        stray = None if whole else self._ways_out.stray(found)
        yield GoneWallet(finding if stray is None else as_placed(finding, stray), record, stray is None and not phrase)

    def _store_key(self, found: Registered) -> str:
        """What takes its key from elsewhere; empty where making its rows anew would be refused."""
        return commands.store(str(found.record.credential_id)) if self._takes(found) else ""

    def _takes(self, found: Registered) -> bool:
        """Whether the rows of a wallet can be made anew once there is a key."""
        try:
            possible(self._vault_context, found, "")
        except StrongroomError:
            return False
        return True

    def _may_be_its(self, text: str, wallet_id: str) -> bool:
        """Whether the text of a vault record that names the wallet may hold its key: another finding is about that."""
        return text not in PLACEHOLDERS and (not is_sealed(text) or self._opens(text, wallet_id))

    def _opens(self, text: str, wallet_id: str) -> bool:
        """Whether a sealed text of the history is what its own finding is about."""
        header = sealed_texts.sealed_header(text, aside=True)
        if header is None or header.credential_id != wallet_id:
            return False
        networks, keys = self._vault_context.networks, self._vault_context.keyring
        return sealed_texts.open_with_header(text, header, keys, networks).derives
