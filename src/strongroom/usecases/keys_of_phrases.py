"""The keys that phrases of projects derive at indices: those that are taken, and as many behind them as wallets try.

Who misses a key looks for it there, and a key that somebody gives is compared with those of other projects' phrases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from strongroom.crypto import tags
from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidRequestError, KeyConflictError
from strongroom.ports.network import Network, Networks
from strongroom.records.phrases import AccountRecord
from strongroom.secret import Secret
from strongroom.usecases.context import VaultContext
from strongroom.usecases.phrase_accounts import key_of, path_at, template_of

GAP = 20
"""Indices that are derived behind the last one that is taken: the gap limit of BIP-44."""
MOST_COMPARED = 400_000
"""Keys that a key from a person is compared with, which takes about a quarter of a minute."""


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
    """The keys of phrases that a key alone is compared with: at the first indices of each scheme, and at those that
    accounts count; so many in all."""

    def __init__(self, context: VaultContext) -> None:
        self._context, self._left = context, MOST_COMPARED

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
            for number in range(account.next_index + GAP):
                if not self._left:
                    raise _too_many()
                self._left -= 1
                try:
                    yield IndexedKey(network, scheme, account, number).of(phrase)
                except InvalidRequestError:
                    break  # behind the last index that there is

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


def _too_many() -> KeyConflictError:
    return KeyConflictError(
        f"Phrases of other projects have more keys than the {MOST_COMPARED:,} that a key is compared with: whether "
        "this one is theirs is not known; nothing was changed.",
        hint="Who holds the key takes it in as a wallet of its own: `strongroom wallet import`.",
    )
