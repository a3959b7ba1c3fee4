"""The chains of the Cosmos SDK that are in the table, as the chain registry has them."""

from __future__ import annotations

from strongroom.networks.cosmos.chain import ETHSECP256K1, CosmosChain


def _mintscan(chain: str) -> str:
    return f"https://www.mintscan.io/{chain}/address/{{address}}"


CHAINS = (
    CosmosChain("cosmos", "cosmoshub-4", "cosmos", explorer=_mintscan("cosmos")),
    CosmosChain("osmosis", "osmosis-1", "osmo", explorer=_mintscan("osmosis")),
    CosmosChain("celestia", "celestia", "celestia", explorer=_mintscan("celestia")),
    CosmosChain("dydx", "dydx-mainnet-1", "dydx", explorer=_mintscan("dydx")),
    CosmosChain("noble", "noble-1", "noble", explorer=_mintscan("noble")),
    CosmosChain("neutron", "neutron-1", "neutron", explorer=_mintscan("neutron")),
    CosmosChain("axelar", "axelar-dojo-1", "axelar", explorer=_mintscan("axelar")),
    CosmosChain("sei", "pacific-1", "sei", explorer=_mintscan("sei")),
    CosmosChain("stride", "stride-1", "stride", explorer=_mintscan("stride")),
    CosmosChain("akash", "akashnet-2", "akash", explorer=_mintscan("akash")),
    CosmosChain("kava", "kava_2222-10", "kava", 459, explorer=_mintscan("kava")),
    CosmosChain("terra", "phoenix-1", "terra", 330, explorer=_mintscan("terra")),
    CosmosChain("secret", "secret-4", "secret", 529, explorer=_mintscan("secret")),
    CosmosChain(
        *("thorchain", "thorchain-1", "thor", 931),
        operator_hrp="thorv",
        explorer="https://runescan.io/address/{address}",
    ),
    CosmosChain("injective", "injective-1", "inj", 60, ETHSECP256K1, explorer=_mintscan("injective")),
)
"""In the order of the table. Source: cosmos/chain-registry, chain.json of each, read in November 2026."""
