"""The keys that the phrases of a vault derive, for those who miss one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from uuid import UUID

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidRequestError, StoreError, StrongroomError
from strongroom.ports.network import Network
from strongroom.records.phrases import AccountRecord
from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.derivation import Derivation
from strongroom.takeover.doctor.phrase_probes import PhraseProbes, phrases_of
from strongroom.takeover.doctor.phrase_row import PhraseRow
from strongroom.takeover.doctor.phrase_state import PhraseState
from strongroom.takeover.doctor.remembered_ids import FirstIds
from strongroom.takeover.doctor.spool import Offer
from strongroom.takeover.doctor.unopened import MORE_INDICES, MORE_PHRASES, Unopened
from strongroom.usecases.context import VaultContext
from strongroom.usecases.phrase_accounts import key_of, path_at, template_of
from strongroom.usecases.phrase_reading import checked, prove_phrase_row
from strongroom.usecases.stray_phrases import StrayPhrases

GAP = 20
"""Indices that are derived behind the last one that is taken: the gap limit of BIP-44."""
MOST_KEYS = 50_000
"""Derived in one run for indices."""
_MOST_REMEMBERED = 64
"""Phrases whose rows do not give them."""


class PhraseOffers:
    """Derives the most usual keys of each phrase, and in projects that miss a key every index that is taken."""

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
        spaces: Collection[str],
        addresses: FirstIds,
        projects: FirstIds,
        unopened: Unopened,
    ) -> Iterator[Offer]:
        """The keys of every phrase that opens, in the spaces of the addresses that miss one.

        ``addresses`` and ``projects``: those that do. Raises StoreError.
        """
        for state in phrases_of(self._vault_context, self._strays, everywhere=True):
            found = self._given(state)
            if found is None:
                continue
            phrase, told, command = found
            owner = str(state.row.place[0])
            yield Offer(tuple(derivation.first_addresses(phrase, spaces)), None, told, command, owner=owner)
            if not projects.may_have(owner):
                continue
            if self._probes is not None and self._probes.has_told("account", *state.row.place):
                unopened.note(MORE_INDICES, commands.PLAN)
            for address, path in self._indexed(state, phrase, spaces, unopened):
                if addresses.may_have(address):
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
        for network, scheme, account in self._accounts(state):
            if network.address_space.name not in spaces:
                continue
            for index in range(account.next_index + GAP):
                if not self._left:
                    unopened.note(MORE_INDICES)
                    return
                self._left -= 1
                try:
                    key = key_of(network, phrase, scheme, account, index).private_key
                    yield network.public_half(key, scheme).address, path_at(account, index)
                except InvalidRequestError:
                    break  # behind the last index that there is

    def _accounts(self, state: PhraseState) -> Iterator[tuple[Network, str, AccountRecord]]:
        """Those that have a row which fits, and one for each other scheme of a network that has indices."""
        networks, seen = self._vault_context.networks, set[tuple[str, str, str]]()
        for record, _ in state.accounts.rows.genuine:
            try:
                network = networks.get(record.network)
                scheme = network.scheme(record.variant or None)
            except InvalidRequestError:
                continue
            seen.add((network.address_space.name, scheme, record.template))
            yield network, scheme, record
        for network in networks:
            for scheme in network.schemes:
                try:
                    template = template_of(network, scheme, None, None)
                except InvalidRequestError:
                    continue
                if (network.address_space.name, scheme, template) not in seen:
                    seen.add((network.address_space.name, scheme, template))
                    yield network, scheme, AccountRecord(*state.row.place, network.name, "", template, 0, 1)
