"""Deriving and comparing: does the stored address come out of a key or phrase, in any scheme of its network?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from strongroom.crypto import phrase_search
from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidPrivateKeyError, InvalidRequestError
from strongroom.networks.codecs import base58
from strongroom.networks.curves import secp256k1
from strongroom.networks.curves.extended_key import ExtendedKey
from strongroom.ports.network import Network, Networks
from strongroom.records.conventions import DerivationPath
from strongroom.records.key_material import KeyMaterial
from strongroom.secret import Secret
from strongroom.takeover.doctor import extended_keys
from strongroom.takeover.doctor.key_kinds import KeyText
from strongroom.usecases.addresses import AddressMatch, address_table

_SEED_BYTES = 32
_HEX_SEED = re.compile("(?:0[xX])?[0-9a-fA-F]{64}")
_COMPRESSED_BYTES = 33
NO_ADDRESS = "(wallet_address holds no address of a network)"
"""Printed in the place of whatever else stands there."""


Target = AddressMatch
"""A stored address that is valid on a network, in its canonical form."""


@dataclass(frozen=True, slots=True)
class Content:
    """A key that a text holds, and how the target's address comes out of it."""

    key: Secret | None
    """None where it is a phrase that derives no stored address: it has many keys."""
    material: KeyMaterial | None = None
    """What would be sealed; None where the stored address does not come out."""
    phrase: Phrase | None = None
    """The phrase that the text holds, be the stored address one of its own or not."""
    more_inside: bool = False
    """Whether another key or secret was in the same envelope: taking the key alone would lose it."""
    inside: KeyText | None = None
    """What was in the envelope, where it can be read in several ways."""
    child: str = ""
    """Of an extended key, where below it the key of the address is."""

    @property
    def derives(self) -> bool:
        """Whether the stored address comes out."""
        return self.material is not None


class Derivation:
    """Knows the networks, and the paths that somebody named."""

    def __init__(self, networks: Networks, paths: Sequence[str] = ()) -> None:
        self._addresses = address_table(networks)
        self._paths = tuple(paths)
        self._schemes = {network.name: tuple(network.schemes) for network in self._addresses.distinct}

    def targets(self, named: str, address: str) -> tuple[Target, ...]:
        """What an address may be, in its canonical form: on the named network where it is valid there, else on any."""
        return self._addresses.matches(address, named)

    def target(self, named: str, address: str) -> Target | None:
        """The network that an address is valid on, the named one first; None where there is none, or several."""
        found = self._addresses.matches(address, named)
        return found[0] if len(found) == 1 else None

    def settled(self, targets: Sequence[Target], texts: Sequence[KeyText], claimed: Collection[str]) -> Target | None:
        """The one of several targets that the texts next to an address speak for; None where they do not, or for two.

        A key or phrase speaks for the address that comes out of it, a sealed text for the network that it names. Where
        an address comes out of a key on several networks, those count whose form of keys it is written in.
        """
        if len(targets) < 2:
            return targets[0] if targets else None
        ways = [way for text in texts for way in (replace(text, others=()), *text.others)]
        own = {target: [way for way in ways if self._derives(way, target)] for target in targets}
        spoken = [target for target in targets if own[target] or target.network.name in claimed]
        if len(spoken) > 1:
            spoken = [
                target
                for target in spoken
                if target.network.name in claimed or any(_is_form_of(target.network, way) for way in own[target])
            ]
        return spoken[0] if len(spoken) == 1 else None

    def shown(self, named: str, address: str) -> str:
        """A stored address as it is printed, in its canonical form: what is none may be a key that stands there."""
        found = self.targets(named, address)
        if not found or (found[0].network.name != named and _HEX_SEED.fullmatch(address)):
            return NO_ADDRESS
        return found[0].address

    def reading(self, read: KeyText, target: Target | None) -> KeyText:
        """What a text is that can be read in several ways: that of which the stored address comes out."""
        if not read.others or target is None:
            return read
        ways = (replace(read, others=()), *read.others)
        for each in sorted(ways, key=lambda way: not way.derives_many):  # a phrase says more than its key
            content = self.explain(each, target)
            if content is not None and content.derives:
                others = tuple(other for other in ways if other is not each)
                return replace(
                    each, others=others, holds_unread=read.holds_unread or each.holds_unread, remainders=read.remainders
                )
        return read

    def explain(self, read: KeyText, target: Target | None, paths: Sequence[str] = ()) -> Content | None:
        """What a key or phrase in plaintext is to a stored address; None where there is neither, or only what looks
        so. ``paths`` are tried next to those of the text and those that somebody named."""
        if read.phrase is not None:
            material = None if target is None else self._of_phrase(target, read.phrase, (*read.paths, *paths))
            return Content(None if material is None else material.private_key, material, read.phrase)
        if read.tree is not None and target is not None:
            return self._of_tree(target, read.tree, (*read.paths, *paths))
        if read.key is None:
            return None
        material = None if target is None else self._of_key(target, read.key)
        if material is None and read.looks_public:
            return None
        return Content(read.key, material)

    def addresses(self, key: Secret, spaces: Collection[str] | None = None) -> Iterator[str]:
        """Every address that a key has on any network, or in some spaces of addresses, in any scheme."""
        found = (
            _address(network, scheme, key)
            for network in self._addresses.distinct  # the others of a space show it under the same address
            if spaces is None or network.address_space.name in spaces
            for scheme in self._schemes[network.name]
        )
        yield from dict.fromkeys(address for address in found if address is not None)

    def is_address(self, text: str) -> bool:
        """Whether a text is an address of a network, and cannot be a key: some are as long as a seed."""
        target = self.target("", text)
        if target is None:
            return False
        return target.network.address_space.checksummed or not _may_be_seed(text)

    def public_keys(self, key: Secret) -> frozenset[bytes]:
        """The public keys of a private key on any network, in every form that wallets write."""
        return frozenset(form for network in self._addresses.distinct for form in _public_forms(network, key))

    def first_addresses(self, phrase: Phrase, spaces: Collection[str] | None = None, indices: int = 1) -> Iterator[str]:
        """The address at the most usual place of each scheme of each network, or of those in some spaces.

        ``indices``: how many of a scheme's, where it has indices.
        """
        seen: set[tuple[str, DerivationPath]] = set()
        for network in self._addresses.distinct:
            within = spaces is None or network.address_space.name in spaces
            for first in phrase_search.first_places(network) if within else ():
                for place in _places(network, first, indices):
                    if (network.address_space.name, place) not in seen:
                        seen.add((network.address_space.name, place))
                        address = _address_at(network, phrase, place)
                        yield from () if address is None else (address,)

    def tree_addresses(self, tree: ExtendedKey, spaces: Collection[str] | None = None) -> Iterator[str]:
        """The address of an extended key on every network, and that at the most usual place of each scheme below it."""
        for network in self._addresses.distinct:
            if spaces is None or network.address_space.name in spaces:
                for child in extended_keys.first_children(tree, network):
                    address = _address(network, child.scheme, child.key)
                    yield from () if address is None else (address,)

    def candidates(self, target: Target) -> Iterator[DerivationPath]:
        """Where a phrase may have the key of an address: paths that somebody named, and those of conventions."""
        yield from phrase_search.candidates(target.network, target.address, self._paths)

    def children(self, tree: ExtendedKey, target: Target) -> Iterator[tuple[str, str]]:
        """The same of an extended key, with the address at each place."""
        for child in extended_keys.children(tree, target.network, target.address, self._paths):
            address = _address(target.network, child.scheme, child.key)
            yield from () if address is None else ((address, child.path),)

    def at_paths(
        self, tree: ExtendedKey, network: Network, scheme: str, paths: Sequence[str]
    ) -> Iterator[tuple[str, str]]:
        """The addresses of an extended key at some paths, as far as they are below it."""
        for child in extended_keys.at_paths(tree, scheme, paths):
            address = _address(network, scheme, child.key)
            yield from () if address is None else ((address, child.path),)

    def tried(self, target: Target) -> int:
        """How many keys of a phrase are compared with an address before it is said that none derives it."""
        return phrase_search.count(target.network, target.address, self._paths)

    def _derives(self, read: KeyText, target: Target) -> bool:
        content = self.explain(read, target)
        return content is not None and content.derives

    def _of_key(self, target: Target, key: Secret) -> KeyMaterial | None:
        for scheme in target.network.schemes_of(target.address):
            if _address(target.network, scheme, key) == target.address:
                return KeyMaterial(key, scheme)
        return None

    def _of_tree(self, target: Target, tree: ExtendedKey, paths: Sequence[str]) -> Content | None:
        for child in extended_keys.children(tree, target.network, target.address, (*self._paths, *paths)):
            if _address(target.network, child.scheme, child.key) == target.address:
                return Content(child.key, KeyMaterial(child.key, child.scheme), child=child.path)
        return None

    def _of_phrase(self, target: Target, phrase: Phrase, paths: Sequence[str]) -> KeyMaterial | None:
        """Few applications store the path with a phrase: those that wallets use are tried."""
        named = (*self._paths, *paths)
        return phrase_search.find(target.network, phrase, target.address, named, checked=True).material


def _may_be_seed(text: str) -> bool:
    """Whether a text is 32 bytes in base58 or in hexadecimal digits."""
    return len(base58.decode(text) or b"") == _SEED_BYTES or _HEX_SEED.fullmatch(text) is not None


def _is_form_of(network: Network, read: KeyText) -> bool:
    """Whether a network reads a key in the form that it is written in; one that says nothing is every network's."""
    if read.key is None or read.written is None:
        return True
    try:
        network.parse_private_key(read.written)
    except InvalidPrivateKeyError:
        return False
    return True


def _places(network: Network, first: DerivationPath, indices: int) -> Iterator[DerivationPath]:
    """A place, and those of the next indices, where it is the one of index 0."""
    yield first
    if indices > 1 and first.path is not None and network.path(first.scheme, 0) == first.path:
        yield from (DerivationPath(first.scheme, network.path(first.scheme, index)) for index in range(1, indices))


def _address_at(network: Network, phrase: Phrase, place: DerivationPath) -> str | None:
    try:
        return _address(network, place.scheme, network.derive(phrase, place.scheme, place.path).private_key)
    except InvalidRequestError:  # an entropy that is not known, an extra that is not installed
        return None


def _address(network: Network, scheme: str, key: Secret) -> str | None:
    try:
        return network.public_half(key, scheme).address
    except InvalidRequestError:  # out of the curve's range
        return None


def _public_forms(network: Network, key: Secret) -> Iterator[bytes]:
    for scheme in network.schemes:
        try:
            public = bytes.fromhex(network.public_half(key, scheme).public_key)
        except InvalidRequestError:  # out of the curve's range
            continue
        yield public
        if len(public) == _COMPRESSED_BYTES:
            whole = secp256k1.decompress(public)
            yield from (public[1:], whole, whole[1:])
