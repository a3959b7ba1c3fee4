"""Wallets of a phrase that are there already: those that answer for labels that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from strongroom.errors import PhraseConflictError
from strongroom.records.register import TaggedSlot
from strongroom.records.stored_wallets import Adoption, StoredWallet
from strongroom.records.wallets import Wallet
from strongroom.usecases.answers import bind_key, find_answer, find_remembered
from strongroom.usecases.context import VaultContext
from strongroom.usecases.create import adoption_of
from strongroom.usecases.phrase_reading import checked
from strongroom.usecases.phrase_source import PhraseSource
from strongroom.usecases.requests import ValidatedRequest


class DerivedAnswers:
    """What answers for labels of one phrase and account."""

    def __init__(self, context: VaultContext, source: PhraseSource, *, by_label: bool) -> None:
        """``by_label``: a wallet that is there may be of a phrase that had this one's label before it was replaced."""
        self._context, self._source, self._by_label = context, source, by_label
        self._accepted = {source.account.phrase_id: True}
        """Phrases that a wallet may be of which is there already, and which it may not."""

    def there(self, labels: Sequence[str]) -> frozenset[str]:
        """The labels that have a slot: one SELECT."""
        account = self._source.account
        return self._context.store.phrases.labels_there(account.project_id, account.network, labels)

    def find(self, validated: ValidatedRequest) -> Wallet | None:
        """The wallet of a label, if it is one of this phrase's. Raises PhraseConflictError where it is another.

        An idempotency key is bound to it only then: with another label the key may be used.
        """
        found = find_remembered(self._context, validated)
        if found is None:
            found = find_answer(self._context, replace(validated, idempotency_key=None))
            if found is None:
                return None
            self._require(found)
            if validated.idempotency_key is not None:
                bind_key(self._context, validated, found.id)
                found = find_remembered(self._context, validated)  # another request may have taken the key
        return None if found is None else self._require(found)

    def adopts(self, validated: ValidatedRequest, stored: StoredWallet, slots: Sequence[TaggedSlot]) -> Adoption:
        """``adoption_of`` a wallet that no slot names, if one of a phrase. Raises PhraseConflictError, ProofError.

        Whether it is of this phrase is asked when it is found by its slot; here, in a transaction, nothing is read.
        """
        adoption = adoption_of(self._context, validated, stored, slots)
        registered = adoption.registered or stored.registered
        phrase_id = None if registered is None else registered.record.phrase_id
        if phrase_id is None or (phrase_id != self._source.account.phrase_id and not self._by_label):
            raise _not_of_phrase(stored.wallet)
        return adoption

    def _require(self, found: Wallet) -> Wallet:
        if not self._is_accepted(found.phrase_id):
            raise _not_of_phrase(found)
        elsewhere = found.phrase_index is not None and found.path != self._source.path(found.phrase_index)
        if elsewhere and self._source.is_named:
            raise PhraseConflictError(
                f"The wallet {found.id} of the label {found.label} is in another account of the phrase: {found.path}.",
                hint="Ask for that account or path, or take another label; the wallet that is there was not touched.",
            )
        return found

    def all_there(self, wanted: Sequence[ValidatedRequest], page: int) -> dict[str, Wallet]:
        """The wallets that are there, by their labels; asked for ``page`` labels at a time."""
        found: dict[str, Wallet] = {}
        for start in range(0, len(wanted), page):
            asked = wanted[start : start + page]
            there = self.there([each.label for each in asked])
            answers = ((each.label, self.find(each)) for each in asked if each.label in there)
            found |= {label: wallet for label, wallet in answers if wallet is not None}
        return found

    def _is_accepted(self, phrase_id: UUID | None) -> bool:
        """Whether a wallet of a label that is asked for may be of a phrase: this one, or one that had its label."""
        if phrase_id is None or not self._by_label:
            return phrase_id == self._source.account.phrase_id
        if phrase_id not in self._accepted:
            before = self._context.store.phrases.get(self._source.account.project_id, phrase_id)
            label = None if before is None else checked(self._context, before, self._source.account.project_id)
            self._accepted[phrase_id] = label is not None and label.record.label == self._source.stored.record.label
        return self._accepted[phrase_id]


def _not_of_phrase(wallet: Wallet) -> PhraseConflictError:
    return PhraseConflictError(
        f"The wallet {wallet.id} of the label {wallet.label} was not derived from this phrase.",
        hint="Take another label for a wallet of the phrase; the wallet that is there was not touched.",
    )
