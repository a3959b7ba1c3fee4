"""The places at which a phrase may have a key that is missing: those of the register, and those of conventions.

A wallet of which the register has a path is tried there alone, under every phrase that there is. Of any other nobody
knows the path: each convention of its network is tried, as many keys as a run may.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from strongroom.crypto import phrase_search
from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidRequestError
from strongroom.networks.curves.extended_key import ExtendedKey
from strongroom.ports.network import Network, Networks
from strongroom.records.conventions import DerivationPath
from strongroom.records.register import Registration
from strongroom.takeover.doctor.derivation import Derivation, Target
from strongroom.takeover.doctor.key_kinds import KeyText
from strongroom.takeover.doctor.remembered_ids import FirstIds
from strongroom.takeover.doctor.unopened import MORE_INDICES, MORE_TEXTS, Unopened

MOST_PHRASES = 5_000
"""Phrases of wallets and of texts that are tried in one run."""
MOST_KEYS = 200_000
"""Derived in one run at paths of conventions, which takes about half a minute."""
_MOST_PLACES = 1_000
"""Paths of the register that are tried under each phrase."""


ANY_PROJECT = "*"


class MetPhrase(NamedTuple):
    """A phrase in a project that misses the key of a wallet without a path."""

    project_id: str
    told: str
    command: str


class WantedKeys:
    """What is missing, and where a phrase may have it."""

    def __init__(self, networks: Networks, derivation: Derivation, unopened: Unopened) -> None:
        self._networks, self._derivation, self._unopened = networks, derivation, unopened
        self.spaces = set[str]()
        """The spaces of the addresses whose key is missing."""
        self.addresses = FirstIds()
        """Those addresses."""
        self._places = dict[tuple[str, DerivationPath], None]()
        """Networks and places of wallets whose path is recorded."""
        self._examples = dict[tuple[str, tuple[str, ...]], Target]()
        """Of each network and the schemes of an address one whose path is not."""
        self._pathless = FirstIds()
        """The projects of these."""
        self.met: list[MetPhrase] = []
        """A phrase for each of these projects that has one."""
        self._told = FirstIds()
        self._phrases, self._keys = MOST_PHRASES, MOST_KEYS

    def add(self, target: Target, record: Registration | None, owner: str) -> bool:
        """Note that the key of an address is missing, and what the register says of its wallet; whether its path."""
        self.spaces.add(target.network.address_space.name)
        self.addresses.add(target.address)
        has_path = record is not None and record.path is not None and record.scheme is not None
        if record is not None and record.scheme is not None and has_path and len(self._places) < _MOST_PLACES:
            self._places[record.network, DerivationPath(record.scheme, record.path)] = None
            return True
        kind = target.network.name, tuple(target.network.schemes_of(target.address))
        self._examples.setdefault(kind, target)
        self._pathless.add(owner)
        return False

    def takes(self, phrases: int) -> bool:
        """Take some of the phrases that a run may open and try; False, and noted, where they are too many."""
        if phrases > self._phrases:
            self._unopened.note(MORE_TEXTS)
            self._phrases = 0
            return False
        self._phrases -= phrases
        return True

    def meet(self, project_id: str | None, told: str, command: str, *, of_all: bool = False) -> None:
        """Note that a phrase, or an extended key, is there in a project; ``of_all``: one that the vault derives from,
        which counts for wallets of every project."""
        if of_all and self._examples and self._told.add(ANY_PROJECT):
            self.met.append(MetPhrase(ANY_PROJECT, told, command))
        if project_id is not None and self._pathless.may_have(project_id) and self._told.add(project_id):
            self.met.append(MetPhrase(project_id, told, command))

    def of_way(self, way: KeyText) -> Iterator[tuple[str, str]]:
        """Missing addresses of a phrase or an extended key that was read, and where it has them."""
        if way.phrase is not None:
            yield from self.of_phrase(way.phrase)
        elif way.tree is not None:
            yield from self._of_tree(way.tree)

    def of_phrase(self, phrase: Phrase) -> Iterator[tuple[str, str]]:
        """Missing addresses that a phrase derives, and where: at recorded paths, and at those of conventions."""
        for network_name, place in self._places:
            yield from self._wanted(self._networks.get(network_name), phrase, (place,))
        for target in self._examples.values():
            places = list(self._derivation.candidates(target))
            if len(places) > self._keys:
                self._unopened.note(MORE_INDICES)
                places = places[: self._keys]
            self._keys -= len(places)
            yield from self._wanted(target.network, phrase, places)

    def _of_tree(self, tree: ExtendedKey) -> Iterator[tuple[str, str]]:
        """The same of an extended key, below which the last steps of a path count."""
        paths = tuple(place.path for _, place in self._places if place.path is not None)
        networks = {network: self._networks.get(network) for network, _ in self._places}
        for network in networks.values():
            for scheme in network.schemes:
                yield from self._below(tree, network, scheme, paths)
        for target in self._examples.values():
            if self._keys <= 0:
                self._unopened.note(MORE_INDICES)
                return
            for address, path in self._derivation.children(tree, target):
                self._keys -= 1
                if self.addresses.may_have(address):
                    yield address, path

    def _below(
        self, tree: ExtendedKey, network: Network, scheme: str, paths: tuple[str, ...]
    ) -> Iterator[tuple[str, str]]:
        for address, path in self._derivation.at_paths(tree, network, scheme, paths):
            if self.addresses.may_have(address):
                yield address, path

    def _wanted(self, network: Network, phrase: Phrase, places: Iterable[DerivationPath]) -> Iterator[tuple[str, str]]:
        try:
            for address, place in phrase_search.addresses_at(network, phrase, places):
                if self.addresses.may_have(address):
                    yield address, place.path or place.scheme
        except InvalidRequestError:  # no phrase of this network, or no such scheme
            return
