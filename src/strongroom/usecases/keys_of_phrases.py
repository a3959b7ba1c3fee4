"""The keys that phrases of projects derive at indices: those that are taken, and as many behind them as wallets try.

Who misses a key looks for it there, and a key that somebody gives is compared with those of other projects' phrases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from strongroom.crypto import tags
from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidRequestError, KeyConflictError, StrongroomError
from strongroom.ports.network import Network, Networks
from strongroom.records.conventions import DerivationPath, derivation_paths
from strongroom.records.phrases import AccountRecord
from strongroom.secret import Secret
from strongroom.usecases.addresses import address_table
from strongroom.usecases.context import VaultContext
from strongroom.usecases.phrase_accounts import key_of, path_at, template_of

GAP = 20
"""Indices that are derived behind the last one that is taken: the gap limit of BIP-44."""
MOST_COMPARED = 10_000_000
"""Keys of phrases that a key is compared with, which takes a few minutes: those of some ten thousand phrases."""
NEAR = 1_000
"""The last indices of an account that is counted: all of them are compared, whatever there is otherwise."""
FAR_OF_AN_ACCOUNT = 100_000
"""Of the indices before those, as many are compared as well: the last ones."""
MOST_FAR = 1_000_000
"""Of all accounts together. Who counts an account far takes no time from others, and keeps no key from being taken."""
MOST_AT_CONVENTIONS = 1_000_000
"""Keys at the conventions of networks, those of hundreds of phrases: of others the indices alone are compared."""


class IndexedKey(NamedTuple):
    """Where a phrase may have a key."""

    network: Network
    scheme: str
    account: AccountRecord
    number: int

    @property
    def path(self) -> str:
        """Where the key is in the tree of its phrase, such as ``m/44'/60'/0'/0/3``."""
        return path_at(self.account, self.number)

    def of(self, phrase: Phrase) -> Secret:
        """The private key there. Raises InvalidRequestError behind the last index that there is."""
        return key_of(self.network, phrase, self.scheme, self.account, self.number).private_key


def accounts_of(
    networks: Networks, place: tuple[UUID, UUID], counted: Iterable[AccountRecord]
) -> Iterator[tuple[Network, str, AccountRecord]]:
    """The accounts of a phrase that have a row, and one for each other scheme of a network that has indices.

    ``place``: the project and the id of the phrase. ``counted``: what rows that fit say.
    """
    seen = set[tuple[str, str, str]]()
    for record in counted:
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
                yield network, scheme, AccountRecord(*place, network.name, "", template, 0, 1)


class PhraseKeys:
    """The keys of phrases that a key alone is compared with: at the first indices of each scheme, at those that
    accounts count, and at the conventions of every network; so many in all."""

    def __init__(self, context: VaultContext) -> None:
        self._context = context
        self._left, self._far, self._usual = MOST_COMPARED, MOST_FAR, MOST_AT_CONVENTIONS

    def of(self, place: tuple[UUID, UUID], phrase: Phrase) -> Iterator[Secret]:
        """Those of the phrase of a project and id.

        Raises KeyConflictError where there are more keys than are compared, or the row of an account was changed.
        """
        counted = self._counted(place)
        seen = set[tuple[str, str, str]]()
        for network, scheme, account in accounts_of(self._context.networks, place, counted):
            branch = (network.curve(scheme), scheme, account.template)
            if branch in seen and account not in counted:
                continue  # networks that differ in their addresses alone have one key there
            seen.add(branch)
            for number in self._numbers(account.next_index):
                if not self._left:
                    raise _too_many()
                self._left -= 1
                try:
                    yield network.derive(phrase, scheme, path_at(account, number)).private_key
                except InvalidRequestError:
                    break  # behind the last index that there is
        yield from self._at_conventions(phrase)

    def _numbers(self, next_index: int) -> Iterable[int]:
        """The indices of an account that are compared; of one that goes far the first ones, and those that came last.

        A wallet at any index in between is known by its record, as every other.
        """
        near = next_index - NEAR
        if near <= 0:
            return range(next_index + GAP)
        begins = max(near - min(FAR_OF_AN_ACCOUNT, self._far), 0)
        self._far -= near - begins
        return chain(range(min(GAP, begins)), range(begins, next_index + GAP))

    def _at_conventions(self, phrase: Phrase) -> Iterator[Secret]:
        """Where wallets usually have keys; of no more phrases than ``MOST_AT_CONVENTIONS`` has room for."""
        places = _conventions(self._context.networks)
        if self._usual < len(places):
            return
        self._usual -= len(places)
        for network, place in places:
            try:
                yield network.derive(phrase, place.scheme, place.path).private_key
            except StrongroomError:  # a scheme that phrases do not have, or no path of it
                continue

    def _counted(self, place: tuple[UUID, UUID]) -> list[AccountRecord]:
        found = []
        for each in self._context.store.phrases.accounts(*place):
            if not tags.fits_record("account", each.record, each.tag, self._context.keyring):
                raise KeyConflictError(
                    f"A row that counts the indices of the phrase {place[1]}, of another project, was changed: whether "
                    "this key is one of its keys is not known; nothing was changed.",
                    hint="`strongroom doctor` names it, and `strongroom repair --plan plan.json` counts it anew.",
                )
            found.append(each.record)
        return found


@lru_cache(4)
def _conventions(networks: Networks) -> tuple[tuple[Network, DerivationPath], ...]:
    """Every place where wallets of a network usually have keys, each once for all networks that derive alike."""
    found = dict[tuple[str, DerivationPath], tuple[Network, DerivationPath]]()
    for network in address_table(networks).distinct:
        for place in derivation_paths(network.conventions):
            found.setdefault((network.curve(place.scheme), place), (network, place))
    return tuple(found.values())


def _too_many() -> KeyConflictError:
    return KeyConflictError(
        f"Phrases of other projects have more keys than the {MOST_COMPARED:,} that a key is compared with: whether "
        "this one is theirs is not known; nothing was changed.",
        hint="Who holds the key takes it in as a wallet of its own: `strongroom wallet import`.",
    )
