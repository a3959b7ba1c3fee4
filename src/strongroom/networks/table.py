"""The table of networks: every registered chain, one entry each. Nothing registers itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from strongroom.errors import UnknownNetworkError
from strongroom.networks.bitcoin import Bitcoin
from strongroom.networks.evm import Evm
from strongroom.networks.solana import Solana
from strongroom.ports import Network


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
            raise UnknownNetworkError(
                "There is no network of that name.", hint=f"The networks are: {', '.join(self._entries)}."
            )
        return entry

    def __iter__(self) -> Iterator[Network]:
        """Every network, in the order of the table."""
        return iter(self._entries.values())


TABLE = NetworkTable(
    (
        Evm("ethereum", chain_id=1),
        Evm("polygon", chain_id=137),
        Evm("avalanche", chain_id=43114),
        Evm("optimism", chain_id=10),
        Evm("arbitrum", chain_id=42161),
        Evm("base", chain_id=8453),
        Evm("zksync", chain_id=324),
        Evm("mantle", chain_id=5000),
        Evm("bnb", chain_id=56),
        Evm("ethereum-sepolia", chain_id=11155111),
        Bitcoin(
            "bitcoin",
            genesis="000000000019d6689c085ae165831e93",
            coin_type=0,
            hrp="bc",
            p2pkh_version=0x00,
            p2sh_version=0x05,
            wif_version=0x80,
        ),
        Bitcoin(
            "bitcoin-testnet",
            genesis="000000000933ea01ad0ee984209779ba",
            coin_type=1,
            hrp="tb",
            p2pkh_version=0x6F,
            p2sh_version=0xC4,
            wif_version=0xEF,
        ),
        Solana("solana", genesis="5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"),
    )
)
