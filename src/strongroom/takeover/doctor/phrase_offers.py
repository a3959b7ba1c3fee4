"""The keys that the phrases of a vault derive, for those who miss one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain
from uuid import UUID

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidRequestError, StoreError, StrongroomError
from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.derivation import Derivation
from strongroom.takeover.doctor.phrase_probes import PhraseProbes, phrases_of
from strongroom.takeover.doctor.phrase_row import PhraseRow
from strongroom.takeover.doctor.phrase_state import PhraseState
from strongroom.takeover.doctor.remembered_ids import FirstIds
from strongroom.takeover.doctor.spool import Offer
from strongroom.takeover.doctor.unopened import MORE_INDICES, MORE_PHRASES, Unopened
from strongroom.takeover.doctor.wanted_keys import WantedKeys
from strongroom.usecases.context import VaultContext
from strongroom.usecases.keys_of_phrases import GAP, IndexedKey, accounts_of
from strongroom.usecases.phrase_reading import checked, prove_phrase_row
from strongroom.usecases.stray_phrases import StrayPhrases

MOST_KEYS = 50_000
"""Derived in one run for indices."""
_MOST_REMEMBERED = 64
"""Phrases whose rows do not give them."""


class PhraseOffers:
    """Derives the most usual keys of each phrase, and those of every index that is taken, as many as a run may."""

    def __init__(self, vault_context: VaultContext, strays: StrayPhrases, probes: PhraseProbes | None = None) -> None:
        """``probes``: what was found about the rows that count indices, by the end of a run."""
        self._vault_context, self._strays, self._probes = vault_context, strays, probes
        self._not_given: dict[tuple[UUID, UUID], tuple[Phrase, str] | None] = {}
        self._left = MOST_KEYS

    def not_given(self, row: PhraseRow) -> tuple[Phrase, str] | None:
        """A phrase that a text gives, and its row does not, with the command for it. Raises StrongroomError."""
        if row.place not in self._not_given:
            if len(self._not_given) == _MOST_REMEMBERED:
                self._not_given.clear()
            self._not_given[row.place] = row.not_given()
        return self._not_given[row.place]

    def offers(
        self,
        derivation: Derivation,
        wanted: WantedKeys,
        projects: tuple[FirstIds, FirstIds],
        unopened: Unopened,
    ) -> Iterator[Offer]:
        """The keys of every phrase that opens, in the spaces of the addresses that miss one.

        ``projects``: those that do, and those that miss it for a wallet without a record. Raises StoreError.
        """
        for missing_one in (True, False):  # what is derived is bounded: the projects first that miss a key
            for state in phrases_of(self._vault_context, self._strays, everywhere=True):
                owner = str(state.row.place[0])
                if projects[0].may_have(owner) is not missing_one or (found := self._given(state)) is None:
                    continue
                phrase, told, command = found
                first = tuple(derivation.first_addresses(phrase, wanted.spaces))
                yield Offer(first, None, told, command, owner=owner)
                wanted.meet(owner, told, command, of_all=True)
                if projects[1].may_have(owner):
                    unopened.note(MORE_INDICES)
                if self._probes is not None and self._probes.has_told("account", *state.row.place):
                    unopened.note(MORE_INDICES, commands.PLAN)
                indexed = self._indexed(state, phrase, wanted.spaces, unopened)
                for address, path in chain(indexed, wanted.of_phrase(phrase)):
                    if wanted.addresses.may_have(address):
                        yield Offer((address,), None, f"{told}, at {path}", command, owner=owner)
        if not self._strays.is_complete():
            unopened.note(MORE_PHRASES)

    def _given(self, state: PhraseState) -> tuple[Phrase, str, str] | None:
        """A phrase that opens, what is told of it, and the command that gives it out. Raises StoreError."""
        project_id, phrase_id = state.row.place
        told = f"the phrase {phrase_id} of the project {project_id}"
        try:
            phrase = self._of_row(state.row)
            if phrase is not None:
                return phrase, told, commands.export_phrase(phrase_id, project_id)
            found = self.not_given(state.row)
        except StoreError:
            raise
        except StrongroomError:
            return None  # a finding of its own is about it
        return None if found is None else (found[0], f"{told}, which the finding phrase-broken brings back", found[1])

    def _of_row(self, row: PhraseRow) -> Phrase | None:
        """A phrase as its row gives it. Raises StoreError."""
        if row.stored is None:
            return None
        try:
            return prove_phrase_row(self._vault_context, checked(self._vault_context, row.stored, row.place[0]))
        except StoreError:
            raise
        except StrongroomError:
            return None

    def _indexed(
        self, state: PhraseState, phrase: Phrase, spaces: Collection[str], unopened: Unopened
    ) -> Iterator[tuple[str, str]]:
        """Addresses and paths of every index that is taken, and of some behind it. Raises StoreError."""
        counted = [record for record, _ in state.accounts.rows.genuine]
        for network, scheme, account in accounts_of(self._vault_context.networks, state.row.place, counted):
            if network.address_space.name not in spaces:
                continue
            for index in range(account.next_index + GAP):
                if not self._left:
                    unopened.note(MORE_INDICES)
                    return
                self._left -= 1
                place = IndexedKey(network, scheme, account, index)
                try:
                    yield network.public_half(place.of(phrase), scheme).address, place.path
                except InvalidRequestError:
                    break  # behind the last index that there is
