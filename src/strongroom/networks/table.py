"""The table of networks: every registered chain, one entry each. Nothing registers itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from strongroom.crypto.phrase import Phrase
from strongroom.errors import UnknownNetworkError
from strongroom.networks.bitcoin.family import Bitcoin
from strongroom.networks.curves import bip32
from strongroom.networks.evm.family import Evm
from strongroom.networks.names import close_to
from strongroom.networks.solana.family import Solana
from strongroom.ports.network import Network


class NetworkTable:
    """Networks by name, in order. Raises ValueError where two have one name."""

    def __init__(self, entries: Iterable[Network]) -> None:
        self._entries: dict[str, Network] = {}
        for entry in entries:
            if entry.name in self._entries:
                raise ValueError(f"the network {entry.name} is in the table twice")
            self._entries[entry.name] = entry

    def get(self, name: str) -> Network:
        """Return the network of that name. Raises UnknownNetworkError; its hint lists the names."""
        entry = self._entries.get(name)
        if entry is None:
            close = close_to(name, self._entries)
            meant = f"Did you mean {close}? " if close else ""
            raise UnknownNetworkError(
                "There is no network of that name.", hint=f"{meant}The networks are: {', '.join(self._entries)}."
            )
        return entry

    def with_fee_limits(self, evm_gwei: int | None, solana_lamports: int | None) -> NetworkTable:
        """The same networks with other limits of what a transaction may cost; None leaves a network its own."""
        return NetworkTable(_limited(entry, evm_gwei, solana_lamports) for entry in self)

    def __iter__(self) -> Iterator[Network]:
        """Every network, in the order of the table."""
        return iter(self._entries.values())

    def identifier(self, phrase: Phrase) -> str:
        """HASH160 of a phrase's master public key, 40 hexadecimal digits. BIP-32, "Key identifiers"."""
        return bip32.identifier(phrase.seed())


def _limited(entry: Network, evm_gwei: int | None, solana_lamports: int | None) -> Network:
    if isinstance(entry, Evm) and evm_gwei is not None:
        return replace(entry, fee_limit_wei=evm_gwei * _GWEI)
    if isinstance(entry, Solana) and solana_lamports is not None:
        return replace(entry, fee_limit_lamports=solana_lamports)
    return entry


_GWEI = 10**9
_COIN = 10**18
"""Of every chain of the EVM family, in its smallest unit."""

# Limits of fees: one ether, as geth's own for what it is sent; where the coin is worth a small part of an ether, a
# hundred, as Avalanche's nodes have it. docs/signing.md says why.
TABLE = NetworkTable(
    (
        Evm("ethereum", chain_id=1),
        Evm("polygon", chain_id=137, fee_limit_wei=100 * _COIN),
        Evm("avalanche", chain_id=43114, fee_limit_wei=100 * _COIN),
        Evm("optimism", chain_id=10),
        Evm("arbitrum", chain_id=42161),
        Evm("base", chain_id=8453),
        Evm("zksync", chain_id=324),
        Evm("mantle", chain_id=5000, fee_limit_wei=100 * _COIN),
        Evm("bnb", chain_id=56),
        Evm("ethereum-sepolia", chain_id=11155111),
        Bitcoin(
            "bitcoin",
            genesis="000000000019d6689c085ae165831e93",
            coin_type=0,
            space="bitcoin-main",
            hrp="bc",
            p2pkh_version=0x00,
            p2sh_version=0x05,
            wif_version=0x80,
        ),
        Bitcoin(
            "bitcoin-testnet",
            genesis="000000000933ea01ad0ee984209779ba",
            coin_type=1,
            space="bitcoin-test",
            hrp="tb",
            p2pkh_version=0x6F,
            p2sh_version=0xC4,
            wif_version=0xEF,
        ),
        Solana("solana", genesis="5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"),
    )
)
