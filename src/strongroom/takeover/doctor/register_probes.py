"""What the register says of wallets: tags that do not fit, rows that contradict, states that differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from uuid import UUID

from strongroom.crypto import tags
from strongroom.errors import IdentityMismatchError
from strongroom.records.register import MOST_SLOTS, TaggedRow
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.wallets import REPLACED, REVOKED, STATUS
from strongroom.store.statements import rows
from strongroom.takeover.doctor.findings import CREDENTIALS, Finding
from strongroom.takeover.doctor.phrase_probes import PhraseProbes
from strongroom.usecases.context import VaultContext
from strongroom.usecases.ownership import is_proved, owners_by_slot
from strongroom.usecases.register import checked

_TABLES = {
    "slot": "strongroom_slot",
    "idempotency": "strongroom_idempotency",
    "nonce": "strongroom_nonce",
    "phrase": "strongroom_phrase",
    "account": "strongroom_phrase_account",
    "branch": "strongroom_phrase_branch",
}
_PAGE = 100


class RegisterProbes:
    """Looks at every record of a vault whose keyring is open."""

    def __init__(self, vault_context: VaultContext, project_id: UUID | None, phrases: PhraseProbes) -> None:
        self._vault_context = vault_context
        self._project = project_id
        self._phrases = phrases

    def findings(self) -> Iterator[Finding]:
        """What does not fit: wallets, phrases, and then other rows that carry tags. Raises StoreError."""
        foreign = self._vault_context.store.foreign  # where slots say it, a wallet's row may say another project
        wallets = self._vault_context.store.wallets.stream(None if foreign else self._project)
        while stored := list(islice(wallets, _PAGE)):
            for each in stored:
                if self._project in (None, each.wallet.project_id):
                    yield from self._of_wallet(each)
            if foreign:
                yield from self._of_slots(stored)
        yield from self._phrases.findings()
        for page in self._vault_context.store.tags.stream_tagged_otherwise(""):  # no key is named so: every row
            for row in page:
                yield from self._of_row(row)

    def _of_wallet(self, stored: StoredWallet) -> Iterator[Finding]:
        wallet_id = str(stored.wallet.id)
        told = stored.wallet.status
        try:
            found = checked(self._vault_context, stored, unproved=self._vault_context.store.foreign)
        except IdentityMismatchError as error:
            evidence = f"not what the register says: {', '.join(_with_unreadable(stored, error.columns))}"
            yield Finding("register-mismatch", CREDENTIALS, wallet_id, wallet_id, evidence, "ask")
            return
        recorded = None if found.registered is None else found.registered.record.status
        if recorded is not None and recorded != told and not (recorded == REVOKED and told not in (STATUS, REPLACED)):
            strict = "the row" if found.wallet.status == told else "the register"
            evidence = f"the row and the register differ in status; {strict}, which allows less, counts"
            yield Finding("status-differs", CREDENTIALS, wallet_id, wallet_id, evidence, "ask")

    def _of_slots(self, wallets: Sequence[StoredWallet]) -> Iterator[Finding]:
        """Wallets that nothing proves, and that are another project's than their rows say, by the slots that name them.

        Each is told of in both projects, and in every one where its own cannot be told.
        """
        unproved = {
            each.wallet.id: each.wallet.project_id for each in wallets if not is_proved(self._vault_context, each)
        }
        for wallet_id, (projects, is_untold) in owners_by_slot(self._vault_context, unproved).items():
            others = projects - {unproved[wallet_id]}
            told = [f"its row says another project than {each}, whose slot names it" for each in sorted(others)]
            if is_untold:
                told.append(f"more than {MOST_SLOTS} slots name it: whose it is cannot be told")
            if is_untold or self._project in (None, unproved[wallet_id], *others):
                for evidence in told:
                    yield Finding("register-mismatch", CREDENTIALS, str(wallet_id), str(wallet_id), evidence, "ask")

    def _of_row(self, row: TaggedRow) -> Iterator[Finding]:
        if row.kind == "wallet" or self._project not in (None, row.record.project_id):
            return
        if row.tag is None and self._vault_context.keyring.accepts_untagged:
            return
        if row.tag is None or not tags.fits(row.kind, row.record.fields(), row.tag, self._vault_context.keyring):
            place = row.record.project_id, row.record.credential_id
            if row.kind in ("phrase", "account") and self._phrases.has_told(row.kind, *place):
                return
            wallet_id = str(row.record.credential_id)
            evidence = f"a {row.kind} record that strongroom did not write, or that was changed"
            yield Finding("register-mismatch", _TABLES[row.kind], None, wallet_id, evidence, "ask")


def _with_unreadable(stored: StoredWallet, columns: Sequence[str]) -> Iterator[str]:
    """Names of columns; those that hold no text, which SQLite takes, are told apart: no tool may show what is there."""
    wallet = stored.wallet
    values = {
        "wallet_address": wallet.address,
        "public_key": wallet.public_key,
        "network": wallet.network,
        "key_vault_id": wallet.vault_id,
        "encrypted_private_key": stored.sealed_text,
        "status": None if stored.said is None else stored.said.status,
        "credential_type": None if stored.said is None else stored.said.credential_type,
    }
    for column in columns:
        value = values.get(column)
        yield column if value is None or rows.is_text(value) else f"{column} (bytes that are no text)"
