"""Wallets that other code wrote: which network their address belongs to."""

from __future__ import annotations

from dataclasses import replace

from strongroom.errors import InvalidAddressError
from strongroom.model import StoredWallet, Wallet
from strongroom.ports import Network
from strongroom.usecases.parts import Parts


def network_of(parts: Parts, wallet: Wallet) -> str | None:
    """The network that a wallet's address belongs to.

    The one that its row names, if the address parses there; else the first that it parses as; else None.
    """
    networks = sorted(parts.networks, key=lambda network: network.name != wallet.network)  # stable: its own first
    return next((network.name for network in networks if _parses(network, wallet.address)), None)


def resolved(parts: Parts, stored: StoredWallet) -> StoredWallet:
    """A stored wallet, its network put right where other code may have left a column's default in its row."""
    if not parts.store.foreign:
        return stored
    network = network_of(parts, stored.wallet) or stored.wallet.network
    return replace(stored, wallet=replace(stored.wallet, network=network))


def same_address(parts: Parts, wallet: Wallet, address: str) -> bool:
    """Whether a stored address is this canonical one; other code may have written it in another form."""
    if wallet.address == address or not parts.store.foreign:
        return wallet.address == address
    try:
        return parts.networks.get(wallet.network).parse_address(wallet.address) == address
    except InvalidAddressError:
        return False


def _parses(network: Network, address: str) -> bool:
    try:
        network.parse_address(address)
    except InvalidAddressError:
        return False
    return True
