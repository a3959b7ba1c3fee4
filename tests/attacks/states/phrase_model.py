"""The model of a database with phrases of projects, whose indices wallets take one after another."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from tests.attacks.states.model import Modelled, RefusedCall, Request, WalletModel, Wanted


@dataclass(eq=False)
class ModelledAccount:
    """How far the indices of a phrase are taken, for one network and variant."""

    row: int | None = None
    """What its row says comes next; None: there is no row."""
    taken: set[int] = field(default_factory=set)

    def next(self) -> int:
        """The index that the next wallet takes."""
        if self.row is not None and self.row not in self.taken:
            return self.row
        return max([self.row or 0, *(index + 1 for index in self.taken)])

    def take(self, index: int) -> None:
        """A wallet took an index. Nobody is given one twice."""
        if index in self.taken:
            raise AssertionError(f"the index {index} was given twice")
        self.taken.add(index)
        self.row = index + 1

    @property
    def is_right(self) -> bool:
        """Whether its row leads to an index behind all that are taken."""
        return not self.taken or (self.row is not None and self.row > max(self.taken))


@dataclass(eq=False)
class ModelledPhrase:
    """A phrase of a project."""

    id: UUID
    project: UUID
    label: str
    imported: int | None
    """Which of the phrases that are brought it is; None: it was made."""
    is_active: bool = True
    accounts: dict[tuple[str, str], ModelledAccount] = field(default_factory=dict)
    """By network and variant."""

    def account(self, network: str, variant: str) -> ModelledAccount:
        """Its account, which is made with the first index."""
        return self.accounts.setdefault((network, variant), ModelledAccount())


class Model(WalletModel):
    """One database. Indices are without gaps, but for those that were skipped, and without repetition."""

    def __init__(self, *, keeps_all: bool, guarded: bool) -> None:
        super().__init__(keeps_all=keeps_all, guarded=guarded)
        self.phrases: dict[UUID, ModelledPhrase] = {}

    def phrases_of(self, project: UUID) -> list[ModelledPhrase]:
        """A project's phrases, replaced ones too."""
        return [phrase for phrase in self.phrases.values() if phrase.project == project]

    def phrase(self, project: UUID, label: str) -> ModelledPhrase | None:
        """The phrase that wallets are derived from under a label."""
        return next((each for each in self.phrases_of(project) if each.is_active and each.label == label), None)

    def answer_phrase(
        self, project: UUID, label: str, imported: int | None, key: str | None, request: Request
    ) -> ModelledPhrase | RefusedCall | None:
        """The phrase that answers a request, or the error, or None: one is made."""
        if key is not None and (project, key) in self.requests:
            before, phrase_id = self.requests[project, key]
            return self.phrases[phrase_id] if before == request else RefusedCall("idempotency-conflict")
        there = self.phrase(project, label)
        if there is None:
            again = imported is not None and any(each.imported == imported for each in self.phrases_of(project))
            return RefusedCall("phrase-conflict") if again else None
        if imported not in (None, there.imported):
            return RefusedCall("phrase-conflict")
        self.remember(project, key, request, there.id)
        return there

    def made_phrase(self, phrase: ModelledPhrase, key: str | None, request: Request) -> None:
        """A phrase was made, or brought."""
        self.phrases[phrase.id] = phrase
        self.remember(phrase.project, key, request, phrase.id)

    def answer_derived(self, wanted: Wanted, phrase: ModelledPhrase) -> Modelled | RefusedCall | None:
        """The wallet of a slot, if it is one of a phrase; the key of what is refused is not remembered."""
        found = self.look(wanted)
        of = None if not isinstance(found, Modelled) or found.phrase is None else self.phrases[found.phrase]
        if isinstance(found, Modelled) and (of is None or of.label != phrase.label):
            return RefusedCall("phrase-conflict")
        return self.answer(wanted)

    def derived(self, wallet: Modelled, phrase: ModelledPhrase) -> None:
        """A wallet took the next index of a phrase."""
        account = phrase.account(wallet.network, wallet.variant)
        wallet.phrase, wallet.index = phrase.id, account.next()
        account.take(wallet.index)

    def succession(self, old: Modelled) -> ModelledPhrase | None:
        """The phrase that a derived wallet's successor comes from: that which has the label of the old one's now."""
        if old.phrase is None:
            return None
        before = self.phrases[old.phrase]
        return before if before.is_active else self.phrase(before.project, before.label)
