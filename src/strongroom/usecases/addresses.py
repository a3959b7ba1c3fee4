"""Whose address a text is: one function over the whole table of networks, for whatever others may have written."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, lru_cache
from typing import NamedTuple

from strongroom.errors import InvalidAddressError
from strongroom.ports.network import Chain, Network, Networks
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.wallets import Wallet
from strongroom.usecases.context import VaultContext
from strongroom.usecases.shapes import Shapes


class AddressMatch(NamedTuple):
    """A network that a text is an address of. It stands for all networks of its address space."""

    network: Network
    address: str
    """In its canonical form."""


class Recognition(NamedTuple):
    """What a text is: no address, one network's, or ambiguous."""

    matches: tuple[AddressMatch, ...]
    """One for each address space, in the order of the table."""

    @property
    def match(self) -> AddressMatch | None:
        """The only reading of the text; None where it is no address, or ambiguous."""
        return self.matches[0] if len(self.matches) == 1 else None

    @property
    def is_ambiguous(self) -> bool:
        """Whether the text is an address in several address spaces, and nothing says which is meant."""
        return len(self.matches) > 1

    @property
    def candidates(self) -> tuple[str, ...]:
        """The names of the networks that it may be an address of."""
        return tuple(match.network.name for match in self.matches)


class AddressTable:
    """The address spaces of some networks. Every network knows its own addresses; this knows all of them."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        spaces: dict[str, Chain] = {}
        for chain in networks.chains:
            spaces.setdefault(chain.address_space.name, chain)
        self._distinct = tuple(chain.name for chain in spaces.values())
        self._checksummed = frozenset(chain.name for chain in spaces.values() if chain.address_space.checksummed)
        self._only_named = frozenset(chain.name for chain in spaces.values() if chain.address_space.only_named)
        self._shapes = Shapes({chain.name: chain.address_space.shape for chain in spaces.values()})

    @cached_property
    def distinct(self) -> tuple[Network, ...]:
        """The first network of each address space."""
        return tuple(map(self._networks.get, self._distinct))

    def recognise(self, text: str, named: str | None = None) -> Recognition:
        """Whose address a text is. ``named`` is the network that its row names: where it parses there, that decides.

        Any other name says nothing, and None that the text is of no row.
        """
        return Recognition(self.matches(text, named))

    def matches(self, text: str, named: str | None = None) -> tuple[AddressMatch, ...]:
        """The readings of a text, as ``recognise`` has them: none, one, or one for each candidate.

        A right checksum is no accident: where a space of addresses has them, spaces without do not count. Nor does one
        whose addresses look like keys, where the text is of a row that names no network of it.
        """
        said = self._networks.get(named) if named is not None and named in self._networks else None
        if said is not None and (address := canonical(said, text)) is not None:
            return (AddressMatch(said, address),)
        found = self.readings(text, of_row=named is not None)
        if len(found) < 2:
            return found
        spaces = {match.network.address_space.name for match in found}
        return tuple(match for match in found if match.network.address_space.within not in spaces)

    def readings(self, text: str, *, of_row: bool = False) -> tuple[AddressMatch, ...]:
        """The readings of a text, also those in a spelling that another address space lends."""
        fitting = self._shapes.fitting(text)
        if of_row:
            fitting = [name for name in fitting if name not in self._only_named]
        fit = map(self._networks.get, fitting)
        read = [(network, canonical(network, text)) for network in fit]  # lists: doctor asks for every row
        found = tuple([AddressMatch(network, address) for network, address in read if address is not None])
        if len(found) < 2 or self._checksummed.isdisjoint(match.network.name for match in found):
            return found
        return tuple(match for match in found if match.network.name in self._checksummed)


@lru_cache(8)
def address_table(networks: Networks) -> AddressTable:
    """The address spaces of a table of networks."""
    return AddressTable(networks)


def canonical(network: Network, text: str) -> str | None:
    """The canonical form of an address of a network; None for any other text."""
    try:
        return network.parse_address(text)
    except InvalidAddressError:
        return None


def recognise(context: VaultContext, wallet: Wallet) -> Recognition:
    """Whose address the row of a wallet has, which the legacy application may have written."""
    return address_table(context.networks).recognise(wallet.address, wallet.network)


def with_actual_network(context: VaultContext, stored: StoredWallet) -> StoredWallet:
    """A stored wallet, its network put right where the legacy application may have left a column's default in its row.

    What the row says stays where its address is of no network that is known, or ambiguous.
    """
    match = recognise(context, stored.wallet).match if context.store.foreign else None
    if match is None or match.network.name == stored.wallet.network:
        return stored
    return replace(stored, wallet=replace(stored.wallet, network=match.network.name))


def account_of(context: VaultContext, network: str, address: str) -> str:
    """The canonical form of a wallet's address: what else its row says, as legacy applications write it, is as good."""
    if not context.store.foreign:
        return address  # it is what was written
    match = address_table(context.networks).recognise(address, network).match
    return address if match is None else match.address


def spellings_of(address: str) -> tuple[str, ...]:
    """The forms in which rows may have an address whose case carries a checksum, or nothing."""
    return tuple(dict.fromkeys((address, address.lower(), address[:2] + address[2:].upper())))


def same_address(context: VaultContext, wallet: Wallet, address: str) -> bool:
    """Whether a stored address is this canonical one; the legacy application may have written it in another form."""
    if wallet.address == address or not context.store.foreign:
        return wallet.address == address
    return canonical(context.networks.get(wallet.network), wallet.address) == address
