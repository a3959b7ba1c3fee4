"""Deriving and comparing: does the stored address come out of a key or phrase, in any scheme of its network?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from strongroom.doctor.key_texts import KeyText
from strongroom.errors import InvalidAddressError, InvalidRequestError
from strongroom.model import KeyMaterial
from strongroom.networks import paths
from strongroom.phrase import Phrase
from strongroom.ports import Network, Networks
from strongroom.secret import Secret

_TRIED = range(20)
_ACCOUNT = 2
"""Where in a path the account stands: m / purpose' / coin' / account'."""


@dataclass(frozen=True, slots=True)
class Target:
    """A stored address that is valid on a network, in its canonical form."""

    network: Network
    address: str


@dataclass(frozen=True, slots=True)
class Content:
    """A key that a text holds, and how the target's address comes out of it."""

    key: Secret | None
    """None where it is a phrase that derives no stored address: it has many keys."""
    material: KeyMaterial | None = None
    """What would be sealed; None where the stored address does not come out."""

    @property
    def derives(self) -> bool:
        """Whether the stored address comes out."""
        return self.material is not None


class Derivation:
    """Knows the networks."""

    def __init__(self, networks: Networks) -> None:
        self._networks = tuple(networks)
        self._by_name = {network.name: network for network in self._networks}
        self._schemes = {network.name: _schemes(network) for network in self._networks}
        self._places = {network.name: _places(network) for network in self._networks}

    def target(self, named: str, address: str) -> Target | None:
        """The network that an address is valid on, the named one first; None where there is none."""
        first = self._by_name.get(named)
        if first is not None and (canonical := _canonical(first, address)) is not None:
            return Target(first, canonical)
        for network in self._networks:
            if (canonical := _canonical(network, address)) is not None:
                return Target(network, canonical)
        return None

    def reading(self, read: KeyText, target: Target | None) -> KeyText:
        """What a text is that can be read in two ways: that of which the stored address comes out."""
        other = read.otherwise
        if other is None or target is None:
            return read
        return other if self.explain(read, target) is None and self.explain(other, target) is not None else read

    def explain(self, read: KeyText, target: Target | None) -> Content | None:
        """What a key or phrase in clear is to a stored address; None where there is neither, or only what looks so."""
        if read.phrase is not None:
            material = None if target is None else self._of_phrase(target, read.phrase)
            return Content(None if material is None else material.private_key, material)
        if read.key is None:
            return None
        material = None if target is None else self._of_key(target, read.key)
        if material is None and read.looks_public:
            return None
        return Content(read.key, material)

    def addresses(self, key: Secret) -> Iterator[str]:
        """Every address that a key has on any network, in any scheme."""
        found = (_address(network, scheme, key) for network in self._networks for scheme in self._schemes[network.name])
        yield from dict.fromkeys(address for address in found if address is not None)

    def first_addresses(self, phrase: Phrase) -> Iterator[str]:
        """The address at the default path of each scheme of each network."""
        seen: set[tuple[str, str]] = set()
        for network in self._networks:
            for scheme in self._schemes[network.name]:
                place = (scheme, network.default_path(scheme))
                if place not in seen:
                    seen.add(place)
                    address = _address(network, scheme, network.derive(phrase, scheme).private_key)
                    yield from () if address is None else (address,)

    def _of_key(self, target: Target, key: Secret) -> KeyMaterial | None:
        for scheme in self._schemes[target.network.name]:
            if _address(target.network, scheme, key) == target.address:
                return KeyMaterial(key, scheme)
        return None

    def _of_phrase(self, target: Target, phrase: Phrase) -> KeyMaterial | None:
        """The path is not stored beside a phrase of the field: those that wallets use are tried."""
        network = target.network
        for _, path, scheme in self._places[network.name]:
            material = network.derive(phrase, scheme, path)
            if _address(network, scheme, material.private_key) == target.address:
                return material
        return None


def _canonical(network: Network, address: str) -> str | None:
    try:
        return network.parse_address(address)
    except InvalidAddressError:
        return None


def _address(network: Network, scheme: str, key: Secret) -> str | None:
    try:
        return network.public_half(key, scheme).address
    except InvalidRequestError:  # out of the curve's range
        return None


def _schemes(network: Network) -> tuple[str, ...]:
    return tuple(network.scheme(variant) for variant in network.variants)


def _places(network: Network) -> tuple[tuple[int, str, str], ...]:
    """The paths to try, each with its scheme, nearest first."""
    return tuple(
        sorted((*place, scheme) for scheme in _schemes(network) for place in _paths(network.default_path(scheme)))
    )


@cache
def _paths(default: str) -> tuple[tuple[int, str], ...]:
    """The default path, and those with another last number or account, nearest first."""
    steps = paths.parse(default)
    found: dict[str, int] = {}
    for number in _TRIED:
        for place in (len(steps) - 1, _ACCOUNT):
            changed = list(steps)
            changed[place] += number
            found.setdefault(paths.render(tuple(changed)), number)
    return tuple((number, path) for path, number in found.items())
