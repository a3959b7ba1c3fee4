"""The chains of the EVM family that have a name; ``evm:<chain id>`` stands for every other one.

Names, ids and explorers are those of published lists of chains: ethereum-lists/chains, and viem's. What is stored with
a wallet never changes: see docs/adr/0047.
"""

from __future__ import annotations

import re
from dataclasses import replace

from strongroom.networks.evm.chain import EvmChain

KIND = "evm"
"""What stands before the colon in the name of a chain that has none of its own."""
FORM = f"{KIND}:<chain id>, in decimal digits without leading zeros, 1 to {2**63 - 1}"
_CHAIN_ID = re.compile("[1-9][0-9]{0,18}")
_LARGEST = 2**63 - 1

_COIN = 10**18
"""Of every chain of the family, in its smallest unit."""
_CHEAP = 100 * _COIN
"""The limit of a fee where the coin is worth a small part of an ether."""


def _at(explorer: str) -> str:
    """The page of an address. EIP-3091."""
    return f"https://{explorer}/address/{{address}}"


# Limits of fees: one ether, as geth's own for what it is sent; where the coin is worth a small part of an ether, a
# hundred, as Avalanche's nodes have it, and where it is worth many, a hundredth of one. docs/signing.md says why. A
# testnet has the limit of its chain.
STORED_BY_NAME = (
    EvmChain("ethereum", 1, explorer=_at("etherscan.io")),
    EvmChain("polygon", 137, _CHEAP, _at("polygonscan.com")),
    EvmChain("avalanche", 43114, _CHEAP, _at("snowtrace.io")),
    EvmChain("optimism", 10, explorer=_at("optimistic.etherscan.io")),
    EvmChain("arbitrum", 42161, explorer=_at("arbiscan.io")),
    EvmChain("base", 8453, explorer=_at("basescan.org")),
    EvmChain("zksync", 324, explorer=_at("explorer.zksync.io")),
    EvmChain("mantle", 5000, _CHEAP, _at("mantlescan.xyz")),
    EvmChain("bnb", 56, explorer=_at("bscscan.com")),
    EvmChain("ethereum-sepolia", 11155111, explorer=_at("sepolia.etherscan.io")),
    EvmChain("linea", 59144, explorer=_at("lineascan.build")),
    EvmChain("scroll", 534352, explorer=_at("scrollscan.com")),
    EvmChain("blast", 81457, explorer=_at("blastscan.io")),
    EvmChain("celo", 42220, _CHEAP, _at("celoscan.io")),
    EvmChain("gnosis", 100, _CHEAP, _at("gnosisscan.io")),
    EvmChain("sonic", 146, _CHEAP, _at("sonicscan.org")),
    EvmChain("berachain", 80094, _CHEAP, _at("berascan.com")),
    EvmChain("unichain", 130, explorer=_at("uniscan.xyz")),
    EvmChain("ink", 57073, explorer=_at("explorer.inkonchain.com")),
    EvmChain("sei-evm", 1329, _CHEAP, _at("seiscan.io")),
    EvmChain("hyperevm", 999, _CHEAP, _at("hyperevmscan.io")),
    EvmChain("ronin", 2020, _CHEAP, _at("app.roninchain.com")),
    EvmChain("moonbeam", 1284, _CHEAP, _at("moonscan.io")),
    EvmChain("cronos", 25, _CHEAP, _at("explorer.cronos.org")),
    EvmChain("kava-evm", 2222, _CHEAP, _at("kavascan.com")),
    EvmChain("monad", 143, _CHEAP, _at("monadscan.com")),
    EvmChain("plasma", 9745, _CHEAP, _at("plasmascan.to")),
    EvmChain("abstract", 2741, explorer=_at("abscan.org")),
    EvmChain("world-chain", 480, explorer=_at("worldscan.org")),
    EvmChain("zora", 7777777, explorer=_at("explorer.zora.energy")),
    EvmChain("opbnb", 204, explorer=_at("opbnb.bscscan.com")),
    EvmChain("metis", 1088, _CHEAP, _at("explorer.metis.io")),
    EvmChain("flare", 14, _CHEAP, _at("flare-explorer.flare.network")),
    EvmChain("rootstock", 30, _COIN // 100, _at("explorer.rootstock.io"), own_checksum=True),
    EvmChain("soneium", 1868, explorer=_at("soneium.blockscout.com")),
    EvmChain("apechain", 33139, _CHEAP, _at("apescan.io")),
    EvmChain("arbitrum-nova", 42170, explorer=_at("nova.arbiscan.io")),
    EvmChain("katana", 747474, explorer=_at("katanascan.com")),
    EvmChain("ethereum-holesky", 17000, explorer=_at("holesky.etherscan.io")),
    EvmChain("ethereum-hoodi", 560048, explorer=_at("hoodi.etherscan.io")),
    EvmChain("base-sepolia", 84532, explorer=_at("sepolia.basescan.org")),
    EvmChain("arbitrum-sepolia", 421614, explorer=_at("sepolia.arbiscan.io")),
    EvmChain("optimism-sepolia", 11155420, explorer=_at("optimism-sepolia.blockscout.com")),
    EvmChain("polygon-amoy", 80002, _CHEAP, _at("amoy.polygonscan.com")),
    EvmChain("avalanche-fuji", 43113, _CHEAP, _at("testnet.snowtrace.io")),
    EvmChain("bnb-testnet", 97, explorer=_at("testnet.bscscan.com")),
    EvmChain("linea-sepolia", 59141, explorer=_at("sepolia.lineascan.build")),
    EvmChain("scroll-sepolia", 534351, explorer=_at("sepolia.scrollscan.com")),
    EvmChain("zksync-sepolia", 300, explorer=_at("sepolia.explorer.zksync.io")),
    EvmChain("mantle-sepolia", 5003, _CHEAP, _at("explorer.sepolia.mantle.xyz")),
    EvmChain("celo-sepolia", 11142220, _CHEAP, _at("celo-sepolia.blockscout.com")),
    EvmChain("gnosis-chiado", 10200, _CHEAP, _at("blockscout.chiadochain.net")),
    EvmChain("berachain-bepolia", 80069, _CHEAP, _at("testnet.berascan.com")),
    EvmChain("unichain-sepolia", 1301, explorer=_at("sepolia.uniscan.xyz")),
    EvmChain("ink-sepolia", 763373, explorer=_at("explorer-sepolia.inkonchain.com")),
    EvmChain("sei-evm-testnet", 1328, _CHEAP, _at("testnet.seiscan.io")),
    EvmChain("hyperevm-testnet", 998, _CHEAP),
    EvmChain("monad-testnet", 10143, _CHEAP, _at("testnet.monadexplorer.com")),
    EvmChain("abstract-testnet", 11124, explorer=_at("sepolia.abscan.org")),
    EvmChain("world-chain-sepolia", 4801, explorer=_at("sepolia.worldscan.org")),
    EvmChain("rootstock-testnet", 31, _COIN // 100, _at("explorer.testnet.rootstock.io"), own_checksum=True),
    EvmChain("flare-coston2", 114, _CHEAP, _at("coston2-explorer.flare.network")),
)
"""The chains whose wallets are stored under their name. Complete: those of any other chain may be stored already."""

LATER: tuple[EvmChain, ...] = ()
"""Chains whose names came with later releases, each an alias of ``evm:<chain id>``."""

CHAINS = (*STORED_BY_NAME, *LATER)

_STORED_BY_NAME = frozenset(chain.chain_id for chain in STORED_BY_NAME)


def as_stored(chain: EvmChain) -> EvmChain:
    """A chain under the name that its wallets are stored with; the one that it came with is its alias then."""
    name = f"{KIND}:{chain.chain_id}"
    if chain.chain_id in _STORED_BY_NAME or chain.name == name:
        return chain
    return replace(chain, name=name, alias=chain.name)


def unnamed(reference: str) -> EvmChain | None:
    """The chain of an id in its only spelling, 1 to 2^63-1 in decimal digits; None for any other text."""
    if _CHAIN_ID.fullmatch(reference) is None or int(reference) > _LARGEST:
        return None
    return EvmChain(f"{KIND}:{reference}", int(reference))
