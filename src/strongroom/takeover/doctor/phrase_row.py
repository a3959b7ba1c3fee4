"""The row of a phrase of a project, and its sealed text wherever that stands: what is wrong with them, what ends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from itertools import islice
from uuid import UUID

from strongroom.crypto import tags
from strongroom.crypto.phrase import Phrase
from strongroom.crypto.sealed_headers import is_one, pieces_of
from strongroom.errors import StoreError, StrongroomError
from strongroom.records.erasure import erased_label
from strongroom.records.phrases import ACTIVE, REPLACED, PhraseRecord, StoredPhrase
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.findings import PHRASES, Finding, Repair
from strongroom.takeover.doctor.phrase_problems import (
    LARGEST_VERSION,
    MoveFix,
    PhraseProblem,
    RetireFix,
    TextFix,
    planned,
)
from strongroom.usecases.context import VaultContext
from strongroom.usecases.phrase_healing import gives_way
from strongroom.usecases.phrase_reading import prove_phrase_row
from strongroom.usecases.phrases_of_projects import NamedPhrase, open_by_header
from strongroom.usecases.stray_phrases import StrayPhrases

_MOST_KEPT = 10_000
"""Texts of one phrase in the history that are looked at."""


class PhraseRow:
    """One phrase's row, read already; ``stored`` is None where it is gone."""

    def __init__(
        self,
        context: VaultContext,
        project_id: UUID,
        phrase_id: UUID,
        stored: StoredPhrase | None,
        strays: StrayPhrases,
    ) -> None:
        """``strays``: where texts of phrases stand that are not in their place."""
        self._context = context
        self._project, self._id, self.stored = project_id, phrase_id, stored
        self._strays = strays
        self._is_unread = False
        """Whether more than texts of phrases stands in its row, or in an entry of the history about it."""
        self.wallet: str | None = None
        """A wallet that was derived from the phrase, for its findings."""

    @property
    def place(self) -> tuple[UUID, UUID]:
        """Its project and its id."""
        return self._project, self._id

    @cached_property
    def is_ours(self) -> bool:
        """Whether it is as strongroom wrote it."""
        return self.stored is not None and self._is_ours(self.stored)

    def _is_ours(self, stored: StoredPhrase) -> bool:
        return tags.fits_record("phrase", stored.record, stored.tag, self._context.keyring)

    @property
    def is_usable(self) -> bool:
        """Whether it says that wallets are derived from it."""
        return self.is_ours and self.stored is not None and self.stored.record.status == ACTIVE

    @property
    def phrase(self) -> Phrase | None:
        """The phrase, where the row gives it. Raises StoreError."""
        return self._opened[0]

    def problems(self) -> Iterator[PhraseProblem]:
        """What is wrong with it. Raises StoreError."""
        yield from self._of_row()
        if self.is_usable and self.stored is not None:
            yield from self._of_label(self.stored)

    def not_given(self) -> tuple[Phrase, str] | None:
        """The phrase where a text of it opens and its row does not give it, and the command that brings it back.

        The command is empty where people have to; None where its row gives it, and where nothing does. Raises
        StoreError.
        """
        problem, phrase = next(self._of_row(), None), self.phrase
        if problem is None:
            return None
        if phrase is None:
            kept = self._kept(self.stored.record.identifier if self.stored is not None and self.is_ours else None)
            phrase = None if kept is None else kept.phrase
        return None if phrase is None else (phrase, problem.finding.command)

    @cached_property
    def _opened(self) -> tuple[Phrase | None, str]:
        """The phrase, or the code of what stands against it. Where its row was changed, its text says what it is."""
        if self.stored is None:
            return None, ""
        if not self.is_ours:
            return (None if self._named is None or self._is_moved else self._named.phrase), ""
        try:
            return prove_phrase_row(self._context, self.stored), ""
        except StoreError:
            raise
        except StrongroomError as error:
            return None, error.code

    def _of_row(self) -> Iterator[PhraseProblem]:
        phrase, why = self._opened
        if self.stored is None:
            yield self._of_lost(f"the row of the phrase {self._id} is gone")
        elif not self.is_ours and self._is_moved:
            yield self._of_moved(self.stored)
        elif not self.is_ours:
            yield self._of_changed(self.stored, phrase)
        elif phrase is None:
            yield self._of_lost(f"the sealed text of the phrase {self._id} cannot be used: {why}")

    def _of_lost(self, what: str) -> PhraseProblem:
        """A phrase whose text is not where it should be; the history may keep it."""
        stored = self.stored
        kept = self._kept(None if stored is None else stored.record.identifier)
        if kept is None and stored is not None and not gives_way(stored.sealed_text):
            told = (
                "another text than a sealed one stands in its place: look at it, since it may be the words, or what is "
                "left of something else; keep what is of use, and empty the column before the words are imported again"
            )
            return self._broken(f"{what}; {told}", "ask", "")
        if kept is None and self._is_unread:
            told = (
                "something stands around what is kept of it, or in its place, that was not read: look at it; words on "
            )
            told = f"{told}paper bring the phrase back, and what they replace is kept"
            label = f"restored-{self._id.hex[-12:]}" if stored is None else stored.record.label
            return self._broken(f"{what}; {told}", "ask", commands.import_phrase(label, str(self._project)))
        if kept is None and stored is None and self.wallet is None:
            told = (
                "nothing but an entry of the history names it: no wallet that the register has, and no text that opens"
            )
            return self._broken(f"{what}; {told}", "ask", "")
        if kept is None:
            told = "no sealed text of it is there; its wallets keep their own keys; words on paper bring it back"
            label = f"restored-{self._id.hex[-12:]}" if stored is None else stored.record.label
            return self._broken(f"{what}; {told}", "none", commands.import_phrase(label, str(self._project)))
        _, _, identifier, phrase = kept
        if stored is not None and not gives_way(stored.sealed_text):
            told = (
                "its text is kept, and another text than a sealed one stands in its place: look at it, since it may be "
            )
            told = f"{told}the words or a key, keep what is of use, and empty the column"
            return self._broken(f"{what}; {told}", "ask", "")
        told = "its text is kept"
        row = self._strays.row_of(*self.place)
        if stored is None and row is not None and not self._is_ours(row):
            where = f"its text stands in the row of the phrase {row.record.phrase_id}"
            return self._broken(f"{what}; {where}: the finding about that brings it back", "ask", commands.PLAN)
        if stored is None:
            told = f"{told}; it comes back as replaced: it opens, and nothing is derived from it any more"
        record = self._proved(erased_label(self._id), phrase, identifier, 1) if stored is None else stored.record
        finding = planned("phrase-broken", PHRASES, self.place, self.wallet, f"{what}; {told}", "fill")
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

    @cached_property
    def _named(self) -> NamedPhrase | None:
        """The phrase in its row, as the text itself says; None where there is no row, or where it does not open."""
        return None if self.stored is None else open_by_header(self._context, self.stored.sealed_text)

    @property
    def _is_moved(self) -> bool:
        """Whether its row has the text of another phrase, of this project or another one."""
        return self._named is not None and self._named[:2] != self.place

    def _of_moved(self, stored: StoredPhrase) -> PhraseProblem:
        """A row that stands under other ids than its text: what the text says is proved."""
        project_id, phrase_id, identifier, phrase = self._named or ()  # type: ignore[misc]
        what = f"the row of the phrase {self._id} has the text of the phrase {phrase_id} of the project {project_id}"
        if self._context.store.phrases.get(project_id, phrase_id) is not None:
            return self._broken(f"{what}, which has a row of its own: put this row back from a backup", "ask", "")
        whole = stored.record._replace(project_id=project_id, phrase_id=phrase_id)
        if tags.fits_record("phrase", whole, stored.tag, self._context.keyring):
            told = f"{what}, and else it is as it was written"
            others = self._context.store.phrases.labelled(project_id, whole.label) if whole.status == ACTIVE else ()
            others = [each for each in others if each.record.phrase_id != self._id]
            if any(each.record.phrase_id > phrase_id and self._is_ours(each) for each in others):
                whole = whole._replace(status=REPLACED, version=whole.version + 1)
                told = f"{told}; its label is another phrase's by now, so that nothing is derived from it any more"
            elif others:
                told = f"{told}; its label is in the row of the phrase {others[0].record.phrase_id}, which"
                told = f"{told} did not take it from this one: put that one back from a backup, or remove it, first"
                return self._broken(told, "ask", "")
            if whole.status == ACTIVE:
                told = f"{told}: choose it in a plan, unless the phrase was replaced meanwhile"
            finding = planned("phrase-broken", PHRASES, self.place, self.wallet, told, "relabel")
            finding = replace(finding, automatic=whole.status != ACTIVE)
            return PhraseProblem(finding, MoveFix(stored, whole))
        version = stored.record.version + 1 if 0 < stored.record.version <= LARGEST_VERSION else 1
        record = self._proved(erased_label(phrase_id), phrase, identifier, version)
        record = record._replace(project_id=project_id, phrase_id=phrase_id)
        told = f"{what}: put it back from a backup, or choose in a plan that nothing is derived from it any more"
        problem = self._broken(f"{told}: it opens then", "retire", commands.PLAN)
        return problem._replace(fix=MoveFix(stored, record))

    def _broken(self, evidence: str, repair: Repair, command: str) -> PhraseProblem:
        place = PHRASES, str(self._id), self.wallet
        return PhraseProblem(
            Finding("phrase-broken", *place, evidence, repair, source=str(self._project), named_command=command)
        )

    def _proved(self, label: str, phrase: Phrase, identifier: str, version: int) -> PhraseRecord:
        """The record of a phrase as its text proves it, from which nothing is derived."""
        words = len(phrase.mnemonic.reveal_text().split())
        has_passphrase = phrase.passphrase is not None
        return PhraseRecord(self._project, self._id, label, words, has_passphrase, identifier, REPLACED, version)

    def _kept(self, identifier: str | None) -> NamedPhrase | None:
        """The newest text that the history keeps of it and that opens; else one that stands anywhere else."""
        for text in self._texts():
            found = open_by_header(self._context, text)
            if found is not None and found[:2] == self.place and identifier in (None, found.identifier):
                return found
        return None

    def _texts(self) -> Iterator[str]:
        if self.stored is not None:
            yield from self._phrases_in(self.stored.sealed_text)
        kept = self._context.store.phrases.kept(self._project, self._id)
        for each in islice(kept, _MOST_KEPT):
            yield from self._phrases_in(each.text)
        yield from self._strays.of(self._project, self._id)
        if next(kept, None) is not None:
            self._strays.more_is_kept()

    def _phrases_in(self, text: str) -> Iterator[str]:
        """Every text of a phrase that stands in a text, with whatever around it."""
        if is_one(text) or text.strip() in PLACEHOLDERS:
            yield text
            return
        pieces = pieces_of(text)
        self._is_unread = self._is_unread or pieces.is_odd or bool(pieces.others) or not pieces.sealed
        yield from pieces.sealed

    def _of_label(self, stored: StoredPhrase) -> Iterator[PhraseProblem]:
        """Where somebody dropped the unique index, and put a phrase back that had been replaced."""
        for other in self._context.store.phrases.labelled(self._project, stored.record.label):
            newer = other.record.phrase_id > self._id
            if newer and tags.fits_record("phrase", other.record, other.tag, self._context.keyring):
                evidence = f"the label of the phrase {self._id} is that of a newer one: {other.record.phrase_id}"
                finding = planned("phrase-label-twice", PHRASES, self.place, self.wallet, evidence, "retire")
                record = stored.record._replace(status=REPLACED, version=stored.record.version + 1)
                yield PhraseProblem(finding, RetireFix(stored, record))
                return
