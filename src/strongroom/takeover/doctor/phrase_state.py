"""What one phrase of a project shows: its row and text, how far its indices are taken, the keys of its wallets.

Doctor tells of it, and a repair, which looks again, does what nothing has to be decided about. Reads, and writes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from strongroom.crypto import tags
from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidRequestError
from strongroom.records.phrases import StoredPhrase
from strongroom.records.register import Registration
from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.account_problems import AccountProblems
from strongroom.takeover.doctor.findings import REGISTER, Finding
from strongroom.takeover.doctor.phrase_problems import PhraseProblem, Place
from strongroom.takeover.doctor.phrase_row import PhraseRow
from strongroom.usecases.context import VaultContext
from strongroom.usecases.phrase_accounts import template_holding
from strongroom.usecases.phrase_healing import derives
from strongroom.usecases.stray_phrases import StrayPhrases


class PhraseState:
    """One phrase, its row read already. ``problems`` may be asked for once."""

    def __init__(
        self,
        context: VaultContext,
        project_id: UUID,
        phrase_id: UUID,
        stored: StoredPhrase | None,
        strays: StrayPhrases | None = None,
    ) -> None:
        """``strays``: where texts of phrases stand that are not in their place, for all that are looked at."""
        self._context = context
        self._project, self._id = project_id, phrase_id
        self.row = PhraseRow(context, project_id, phrase_id, stored, strays or StrayPhrases(context))
        self.accounts = AccountProblems(context, project_id, phrase_id)
        self._last: dict[Place, int] = {}
        """The highest index that a wallet has, by account."""

    @classmethod
    def read(
        cls, context: VaultContext, project_id: UUID, phrase_id: UUID, strays: StrayPhrases | None = None
    ) -> PhraseState:
        """The phrase of an id as it is now. Raises StoreError."""
        return cls(context, project_id, phrase_id, context.store.phrases.get(project_id, phrase_id), strays)

    def problems(self) -> list[PhraseProblem]:
        """What is wrong with it. Raises StoreError."""
        found = list(self._of_wallets(self.row.phrase))
        found += self.row.problems()
        found += self.accounts.problems(self._last, self.row.wallet, is_usable=self.row.is_usable)
        return found

    # --- its wallets, and how far their indices are taken ---------------------------------------------------------

    def _of_wallets(self, phrase: Phrase | None) -> Iterator[PhraseProblem]:
        """Wallets whose keys it does not derive. Notes the last index of each account."""
        for page in self._context.store.phrases.stream_records(self._project, self._id):
            for each in page:
                if not tags.fits_record("wallet", each.record, each.tag, self._context.keyring):
                    yield from self._of_forged(each.record)
                    continue
                self.row.wallet = self.row.wallet or str(each.record.credential_id)
                self._note(each.record)
                if phrase is not None and not derives(self._context, phrase, each.record):
                    yield self._of_wallet(each.record)

    def _of_forged(self, record: Registration) -> Iterator[PhraseProblem]:
        """A record whose tag does not fit; where a wallet has its id, another finding is about it."""
        if self._context.store.wallets.get(record.credential_id, self._project) is not None:
            return
        wallet_id = str(record.credential_id)
        evidence = (
            f"a wallet record of the phrase {self._id} that strongroom did not write, or that was changed, and no "
            "wallet has its id: put it back from a backup, or delete it; no wallet takes an index whose path it has"
        )
        yield PhraseProblem(Finding("register-mismatch", REGISTER, wallet_id, wallet_id, evidence, "ask"))

    def _note(self, record: Registration) -> None:
        network, path, index = record.network, record.path, record.phrase_index
        if path is None or index is None:
            return
        variant = record.variant or ""
        known = self.accounts.templates.get((network, variant), set())
        try:
            template = template_holding(self._context.networks.get(network), record.scheme, path, index, known)
        except InvalidRequestError:
            return
        place = network, variant, template
        self._last[place] = max(index, self._last.get(place, 0))

    def _of_wallet(self, record: Registration) -> PhraseProblem:
        wallet_id = str(record.credential_id)
        evidence = (
            f"the phrase {self._id} has another key at {record.path}: no backup of its words restores this wallet"
        )
        place = REGISTER, wallet_id, wallet_id
        command = commands.export(wallet_id)
        return PhraseProblem(Finding("phrase-index-wrong", *place, evidence, "ask", named_command=command))
