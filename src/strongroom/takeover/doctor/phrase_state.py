"""What one phrase of a project shows: its row and text, how far its indices are taken, the keys of its wallets.

Doctor tells of it, and a repair, which looks again, does what nothing has to be decided about. Reads, and writes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from strongroom.crypto import tags
from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidRequestError, StoreError, StrongroomError
from strongroom.records.erasure import erased_label
from strongroom.records.phrases import (
    ACTIVE,
    REPLACED,
    PhraseRecord,
    StoredPhrase,
)
from strongroom.records.register import Registration
from strongroom.records.vault_texts import PLACEHOLDERS, SEALED_PREFIX
from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.account_problems import LARGEST_VERSION, AccountProblems
from strongroom.takeover.doctor.findings import PHRASES, REGISTER, Finding, Repair
from strongroom.takeover.doctor.phrase_problems import PhraseProblem, Place, RetireFix, TextFix
from strongroom.usecases.context import VaultContext
from strongroom.usecases.phrase_accounts import template_holding
from strongroom.usecases.phrase_healing import derives
from strongroom.usecases.phrase_reading import open_kept_phrase, prove_phrase_row


class PhraseState:
    """One phrase, its row read already. ``problems`` may be asked for once."""

    def __init__(self, context: VaultContext, project_id: UUID, phrase_id: UUID, stored: StoredPhrase | None) -> None:
        self._context = context
        self._project, self._id, self.stored = project_id, phrase_id, stored
        self._wallet: str | None = None
        """A wallet that was derived from it."""
        self.accounts = AccountProblems(context, project_id, phrase_id)
        self._last: dict[Place, int] = {}
        """The highest index that a wallet has, by account."""

    @classmethod
    def read(cls, context: VaultContext, project_id: UUID, phrase_id: UUID) -> PhraseState:
        """The phrase of an id as it is now. Raises StoreError."""
        return cls(context, project_id, phrase_id, context.store.phrases.get(project_id, phrase_id))

    @property
    def place(self) -> tuple[UUID, UUID]:
        """Its project and its id."""
        return self._project, self._id

    def problems(self) -> list[PhraseProblem]:
        """What is wrong with it. Raises StoreError."""
        is_ours = self._is_ours()
        phrase, why = self._opened(is_ours=is_ours)
        found = list(self._of_wallets(phrase))
        found += self._of_row(phrase, why, is_ours=is_ours)
        is_usable = is_ours and self.stored is not None and self.stored.record.status == ACTIVE
        if is_usable and self.stored is not None:
            found += self._of_label(self.stored)
        found += self.accounts.problems(self._last, self._wallet, is_usable=is_usable)
        return found

    def not_given(self) -> tuple[Phrase, str] | None:
        """The phrase where a text of it opens and its row does not give it, and the command that brings it back.

        The command is empty where people have to; None where its row gives it, and where nothing does. Raises
        StoreError.
        """
        is_ours = self._is_ours()
        phrase, why = self._opened(is_ours=is_ours)
        problem = next(self._of_row(phrase, why, is_ours=is_ours), None)
        if problem is None:
            return None
        if phrase is None:
            kept = self._kept(self.stored.record.identifier if self.stored is not None and is_ours else None)
            phrase = None if kept is None else kept[1]
        return None if phrase is None else (phrase, problem.finding.command)

    def _is_ours(self) -> bool:
        return self.stored is not None and tags.fits_record(
            "phrase", self.stored.record, self.stored.tag, self._context.keyring
        )

    def _opened(self, *, is_ours: bool) -> tuple[Phrase | None, str]:
        """The phrase, or the code of what stands against it. Where its row was changed, its text says what it is."""
        if self.stored is None:
            return None, ""
        if not is_ours:
            found = open_kept_phrase(self._context, self.stored.sealed_text, self._project, self._id)
            return (None, "") if found is None else (found[1], "")
        try:
            return prove_phrase_row(self._context, self.stored), ""
        except StoreError:
            raise
        except StrongroomError as error:
            return None, error.code

    # --- its row and text ----------------------------------------------------------------------------------------

    def _of_row(self, phrase: Phrase | None, why: str, *, is_ours: bool) -> Iterator[PhraseProblem]:
        if self.stored is None:
            yield self._of_lost(f"the row of the phrase {self._id}, which wallets were derived from, is gone")
        elif not is_ours:
            yield self._of_changed(self.stored, phrase)
        elif phrase is None:
            yield self._of_lost(f"the sealed text of the phrase {self._id} cannot be used: {why}")

    def _of_lost(self, what: str) -> PhraseProblem:
        """A phrase whose text is not where it should be; the history may keep it."""
        stored = self.stored
        kept = self._kept(None if stored is None else stored.record.identifier)
        if kept is None:
            told = "no sealed text of it is kept; its wallets keep their own keys; words on paper bring it back"
            label = f"restored-{self._id.hex[-12:]}" if stored is None else stored.record.label
            return self._broken(f"{what}; {told}", "none", commands.import_phrase(label, str(self._project)))
        identifier, phrase = kept
        if stored is not None and not _gives_way(stored.sealed_text):
            told = (
                "the history keeps its text, and another text than a sealed one stands in its place: take it out first"
            )
            return self._broken(f"{what}; {told}", "ask", "")
        told = "the history keeps its text"
        if stored is None:
            told = f"{told}; it comes back as replaced: it opens, and nothing is derived from it any more"
        record = self._proved(erased_label(self._id), phrase, identifier, 1) if stored is None else stored.record
        finding = self._planned("phrase-broken", PHRASES, f"{what}; {told}", "fill")
        return PhraseProblem(finding, TextFix(stored, record, phrase))

    def _of_changed(self, stored: StoredPhrase, phrase: Phrase | None) -> PhraseProblem:
        """A row that is not what strongroom wrote: what it said before, nobody can tell but a backup."""
        what = f"the row of the phrase {self._id} was changed: put it back from a backup"
        if phrase is None:
            return self._broken(f"{what}; its sealed text does not open either", "ask", "")
        told = f"{what}, or choose in a plan that nothing is derived from it any more: it opens then"
        version = stored.record.version + 1 if 0 < stored.record.version <= LARGEST_VERSION else 1
        record = self._proved(erased_label(self._id), phrase, self._context.networks.identifier(phrase), version)
        problem = self._broken(told, "retire", commands.PLAN)
        return problem._replace(fix=RetireFix(stored, record))

    def _broken(self, evidence: str, repair: Repair, command: str) -> PhraseProblem:
        place = PHRASES, str(self._id), self._wallet
        return PhraseProblem(
            Finding("phrase-broken", *place, evidence, repair, source=str(self._project), named_command=command)
        )

    def _planned(self, code: str, table: str, evidence: str, repair: Repair) -> Finding:
        """A finding that a plan ends, about which nothing has to be decided."""
        place, project = (table, str(self._id), self._wallet), str(self._project)
        return Finding(code, *place, evidence, repair, automatic=True, source=project, named_command=commands.PLAN)

    def _proved(self, label: str, phrase: Phrase, identifier: str, version: int) -> PhraseRecord:
        """The record of a phrase as its text proves it, from which nothing is derived."""
        words = len(phrase.mnemonic.reveal_text().split())
        has_passphrase = phrase.passphrase is not None
        return PhraseRecord(self._project, self._id, label, words, has_passphrase, identifier, REPLACED, version)

    def _kept(self, identifier: str | None) -> tuple[str, Phrase] | None:
        """The newest text that the history keeps of it and that opens, with its identifier."""
        for kept in self._context.store.phrases.kept(self._project, self._id):
            found = open_kept_phrase(self._context, kept.text, self._project, self._id)
            if found is not None and identifier in (None, found[0]):
                return found
        return None

    def _of_label(self, stored: StoredPhrase) -> Iterator[PhraseProblem]:
        """Where somebody dropped the unique index, and put a phrase back that had been replaced."""
        for other in self._context.store.phrases.labelled(self._project, stored.record.label):
            newer = other.record.phrase_id > self._id
            if newer and tags.fits_record("phrase", other.record, other.tag, self._context.keyring):
                evidence = f"the label of the phrase {self._id} is that of a newer one: {other.record.phrase_id}"
                finding = self._planned("phrase-label-twice", PHRASES, evidence, "retire")
                record = stored.record._replace(status=REPLACED, version=stored.record.version + 1)
                yield PhraseProblem(finding, RetireFix(stored, record))
                return

    # --- its wallets, and how far their indices are taken ---------------------------------------------------------

    def _of_wallets(self, phrase: Phrase | None) -> Iterator[PhraseProblem]:
        """Wallets whose keys it does not derive. Notes the last index of each account."""
        for page in self._context.store.phrases.stream_records(self._project, self._id):
            for each in page:
                if not tags.fits_record("wallet", each.record, each.tag, self._context.keyring):
                    yield from self._of_forged(each.record)
                    continue
                self._wallet = self._wallet or str(each.record.credential_id)
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


def _gives_way(text: str) -> bool:
    """Whether a text that does not open may be written over: it holds nothing, or is kept, since it is a sealed one."""
    return text.strip() in PLACEHOLDERS or text.startswith(SEALED_PREFIX)
