"""Where wallets of Cosmos keep the keys of a phrase: tried when nobody says which path it was. Data, with sources.

An entry is a scheme, a path, who derives there, and where that can be read up. ``{account}`` and ``{index}`` stand for
numbers from 0 (see ``strongroom.records.conventions``). What is more usual comes first.
"""

from __future__ import annotations

from functools import cache

from strongroom.records.conventions import Convention, Conventions

_REGISTRY = "cosmos/chain-registry, slip44 and alternative_slip44s of the chain's chain.json"
_KEPLR = "Keplr Help, 'How to set a custom derivation path': other coin types, so that Ledger's Cosmos application does"
_COSMOS, _ETHER = 118, 60
_MOVED = {
    330: "Terra Station's and Keplr's older wallets, Ledger's Cosmos application",
    459: "Kava's own wallets of before 2020; Cosmostation shows both",
    529: "Keplr and Math Wallet with Ledger's Cosmos application, before Ledger had one of Secret Network",
    931: "wallets that give every chain of the Cosmos SDK the coin type of ATOM",
    60: "wallets that give every chain of the Cosmos SDK the coin type of ATOM",
}
"""By the chain's coin type: whose wallets were at 118 all the same."""
_SOURCES = {
    459: "Cosmostation, 'How to Derive(Add) & Manage Wallets': m/44'/118'/0'/0/n is the path of before",
}


@cache
def cosmos(coin_type: int) -> Conventions:
    """A chain of the Cosmos SDK, by the coin type that its wallets have today."""
    usual = (
        Convention(
            "bip44",
            f"m/44'/{coin_type}'/{{account}}'/0/{{index}}",
            "Keplr, Leap, Cosmostation, Trust, the chain's own command line; with another account Ledger",
            f"BIP-44; SLIP-0044; {_REGISTRY}",
        ),
    )
    return (*usual, *_moved(coin_type), *_rare(coin_type))


def _moved(coin_type: int) -> Conventions:
    if coin_type == _COSMOS:
        return ()
    return (
        Convention(
            "bip44",
            f"m/44'/{_COSMOS}'/{{account}}'/0/{{index}}",
            _MOVED.get(coin_type, "wallets that give every chain of the Cosmos SDK the coin type of ATOM"),
            _SOURCES.get(coin_type, f"{_REGISTRY}; {_KEPLR}"),
            rare=coin_type not in _MOVED or coin_type in (_ETHER, 931),
        ),
    )


def _rare(coin_type: int) -> Conventions:
    ether = Convention(
        "bip44",
        f"m/44'/{_ETHER}'/{{account}}'/0/{{index}}",
        "keys of MetaMask that were imported as a phrase; Keplr with a coin type of one's own",
        _KEPLR,
        rare=True,
    )
    return (
        *(() if coin_type == _ETHER else (ether,)),
        Convention(
            "bip44", f"m/44'/{coin_type}'/{{account}}'", "scripts that stop at the account", _REGISTRY, rare=True
        ),
        Convention("bip44", f"m/44'/{coin_type}'/0'/{{index}}", "scripts without a change", "BIP-44", rare=True),
        Convention("bip44", "m", "scripts that take the root of the tree", "BIP-32", rare=True),
    )
