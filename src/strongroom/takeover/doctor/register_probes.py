"""What the register says of wallets: tags that do not fit, rows that contradict, states that differ."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from strongroom.crypto import tags
from strongroom.errors import IdentityMismatchError
from strongroom.records.register import TaggedRow
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.wallets import REPLACED, REVOKED, STATUS
from strongroom.takeover.doctor.findings import CREDENTIALS, Finding
from strongroom.usecases.context import VaultContext
from strongroom.usecases.ownership import is_tagged_slot
from strongroom.usecases.register import checked

_TABLES = {
    "slot": "strongroom_slot",
    "idempotency": "strongroom_idempotency",
    "nonce": "strongroom_nonce",
}


_MOST_SLOTS = 100_000


def owners_by_slot(vault_context: VaultContext) -> dict[str, str]:
    """The project of each wallet without a record that a tagged slot says, where its row says another one."""
    if not vault_context.store.foreign:
        return {}
    found = vault_context.store.register.slots_elsewhere(_MOST_SLOTS)
    return {
        str(record.credential_id): str(record.project_id)
        for record, tag in found
        if is_tagged_slot(vault_context, record, tag)
    }


class RegisterProbes:
    """Looks at every record of a vault whose keyring is open."""

    def __init__(self, vault_context: VaultContext, project_id: UUID | None) -> None:
        self._vault_context = vault_context
        self._project = project_id

    def findings(self) -> Iterator[Finding]:
        """What does not fit, wallets first. Raises StoreError."""
        for stored in self._vault_context.store.wallets.stream(self._project):
            yield from self._of_wallet(stored)
        if self._vault_context.store.foreign:
            yield from self._of_slots_elsewhere()
        for page in self._vault_context.store.tags.stream_tagged_otherwise(""):  # no key is named so: every row
            for row in page:
                yield from self._of_row(row)

    def _of_wallet(self, stored: StoredWallet) -> Iterator[Finding]:
        wallet_id = str(stored.wallet.id)
        told = stored.wallet.status
        try:
            found = checked(self._vault_context, stored, unproved=self._vault_context.store.foreign)
        except IdentityMismatchError as error:
            evidence = f"not what the register says: {', '.join(error.columns)}"
            yield Finding("register-mismatch", CREDENTIALS, wallet_id, wallet_id, evidence, "ask")
            return
        recorded = None if found.registered is None else found.registered.record.status
        if recorded is not None and recorded != told and not (recorded == REVOKED and told not in (STATUS, REPLACED)):
            strict = "the row" if found.wallet.status == told else "the register"
            evidence = f"the row and the register differ in status; {strict}, which allows less, counts"
            yield Finding("status-differs", CREDENTIALS, wallet_id, wallet_id, evidence, "ask")

    def _of_slots_elsewhere(self) -> Iterator[Finding]:
        """Wallets without a record whose rows say another project than the slot that names them."""
        for record, tag in self._vault_context.store.register.slots_elsewhere(_MOST_SLOTS):
            if is_tagged_slot(self._vault_context, record, tag) and self._project in (None, record.project_id):
                wallet_id = str(record.credential_id)
                evidence = f"its row says another project than {record.project_id}, whose slot names it"
                yield Finding("register-mismatch", CREDENTIALS, wallet_id, wallet_id, evidence, "ask")

    def _of_row(self, row: TaggedRow) -> Iterator[Finding]:
        if row.kind == "wallet" or self._project not in (None, row.record.project_id):
            return
        if row.tag is None and self._vault_context.keyring.accepts_untagged:
            return
        if row.tag is None or not tags.fits(row.kind, row.record.fields(), row.tag, self._vault_context.keyring):
            wallet_id = str(row.record.credential_id)
            evidence = f"a {row.kind} record that strongroom did not write, or that was changed"
            yield Finding("register-mismatch", _TABLES[row.kind], None, wallet_id, evidence, "ask")
