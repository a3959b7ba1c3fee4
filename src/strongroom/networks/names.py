"""What a name may mean that is no network's."""

from __future__ import annotations

import difflib
from collections.abc import Collection

_OFTEN = {
    "amoy": "polygon-amoy",
    "apt": "aptos",
    "arb": "arbitrum",
    "atom": "cosmos",
    "avax": "avalanche",
    "bch": "bitcoin-cash",
    "bepolia": "berachain-bepolia",
    "bera": "berachain",
    "binance": "bnb",
    "bnb-chain": "bnb",
    "bsc": "bnb",
    "bsc-testnet": "bnb-testnet",
    "btc": "bitcoin",
    "chiado": "gnosis-chiado",
    "cosmoshub": "cosmos",
    "coston2": "flare-coston2",
    "doge": "dogecoin",
    "eth": "ethereum",
    "fuji": "avalanche-fuji",
    "holesky": "ethereum-holesky",
    "hoodi": "ethereum-hoodi",
    "hyperliquid": "hyperevm",
    "ltc": "litecoin",
    "mainnet": "ethereum",
    "matic": "polygon",
    "mnt": "mantle",
    "op": "optimism",
    "op-mainnet": "optimism",
    "regtest": "bitcoin-regtest",
    "rune": "thorchain",
    "scrt": "secret",
    "sepolia": "ethereum-sepolia",
    "signet": "bitcoin-signet",
    "sol": "solana",
    "testnet": "bitcoin-testnet",
    "testnet4": "bitcoin-testnet4",
    "tia": "celestia",
    "trx": "tron",
    "worldchain": "world-chain",
    "xdai": "gnosis",
    "zec": "zcash",
}
"""What networks are often called."""
_LONGEST = 40
"""Characters of a name that is compared."""


def close_to(name: str, known: Collection[str]) -> str | None:
    """The known name that another one may mean, or None. Never what was given: a key may be in the wrong place."""
    asked = name.lower()
    often = _OFTEN.get(asked)
    if often in known:
        return often
    if len(asked) > _LONGEST:
        return None
    meant = {**{name: name for name in known}, **{often: name for often, name in _OFTEN.items() if name in known}}
    found = difflib.get_close_matches(asked, meant, 1)
    return meant[found[0]] if found else None
