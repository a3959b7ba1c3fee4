"""Where wallets of forks of Bitcoin keep the keys of a phrase: tried when nobody says which path it was.

Data, with sources; see ``strongroom.records.conventions``. What is more usual comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from strongroom.records.conventions import Convention, Conventions

_STANDARDS = (
    "BIP-44, BIP-49, BIP-84; SLIP-44; trustwallet/wallet-core, registry.json; trezor-firmware, common/defs/bitcoin"
)
_AS_BITCOIN = "as of Bitcoin (walletsrecovery.org); Electrum ABC, DerivationPathScanner"
_PURPOSES = {"bip84": 84, "bip44": 44, "bip49": 49}


class _OtherCoin(NamedTuple):
    """A coin type that wallets of a network have used, too."""

    coin_type: int
    wallets: str
    source: str
    rare: bool = True


_OTHER_COINS: Mapping[str, tuple[_OtherCoin, ...]] = {
    "bitcoin-cash": (
        _OtherCoin(
            0,
            "keys of before the fork; Bitcoin.com and Electron Cash on them; Ledger, before it split",
            "Electron Cash and Electrum ABC, keystore.py: bip44_derivation_btc; support.ledger.com, 'Bitcoin Cash'",
            rare=False,
        ),
        _OtherCoin(245, "Electron Cash, for tokens (SLP)", "SLIP-44; Electrum ABC, keystore.py"),
    ),
    "litecoin-testnet": (_OtherCoin(2, "applications that use mainnet's paths on a testnet", _STANDARDS),),
    "dogecoin-testnet": (_OtherCoin(3, "applications that use mainnet's paths on a testnet", _STANDARDS),),
    "dash-testnet": (_OtherCoin(5, "applications that use mainnet's paths on a testnet", _STANDARDS),),
}
_WALLETS: Mapping[str, str] = {
    "litecoin": "Ledger, Trezor, Trust, Exodus, Coinomi, Electrum-LTC with BIP-39",
    "dogecoin": "Ledger, Trezor, Trust, Exodus, Coinomi, MyDoge",
    "bitcoin-cash": "Electron Cash with BIP-39, Ledger, Trezor, Trust, Exodus, Bitcoin.com",
    "dash": "Ledger, Trezor, Trust, Exodus, Coinomi, Dash Core, Dash Wallet",
    "zcash": "Ledger, Trezor, Trust, Exodus, Coinomi, Zashi and YWallet (transparent)",
}
_ELSEWHERE = (
    ("m/0'/{account}/{index}", "BRD, and what was made of it: Loafwallet, Litewallet, Dash Wallet", _AS_BITCOIN),
    ("m/{account}/{index}", "Electrum's tree (m/0, m/1), BIP-32 wallets without hardening", _AS_BITCOIN),
    ("m/0'/0'/{index}'", "Litecoin Core, Dogecoin Core, Bitcoin Cash Node, zcashd: as Bitcoin Core", _AS_BITCOIN),
    ("m/0'/{index}'", "scripts that harden both", _AS_BITCOIN),
    ("m/{index}", "scripts that take children of the root", _AS_BITCOIN),
    ("m", "scripts that take the root of the tree", _AS_BITCOIN),
)


@cache
def of(name: str, coin_type: int, schemes: Sequence[str]) -> Conventions:
    """A chain's, by its name and its coin type of SLIP-44, in those of its schemes that derive keys of phrases."""
    kinds = {scheme: _PURPOSES[scheme] for scheme in schemes if scheme in _PURPOSES}
    wallets = _WALLETS.get(name, "wallets of mainnet, where they have a testnet")
    return (
        *_at(kinds, coin_type, 0, wallets, _STANDARDS),
        *_at(kinds, coin_type, 1, f"change: {wallets}", _STANDARDS),
        *(
            each
            for other in _OTHER_COINS.get(name, ())
            for chain in (0, 1)
            for each in _at(kinds, other.coin_type, chain, other.wallets, other.source, rare=other.rare)
        ),
        *(
            Convention(
                scheme,
                f"m/{other}'/{coin_type}'/{{account}}'/0/{{index}}",
                "another kind's path",
                _STANDARDS,
                rare=True,
            )
            for scheme, purpose in kinds.items()
            for other in _PURPOSES.values()
            if other != purpose
        ),
        *(
            Convention(scheme, f"m/{n}'/{coin_type}'/{{account}}'/{{index}}", "a level early", _STANDARDS, rare=True)
            for scheme, n in kinds.items()
        ),
        *(Convention(scheme, path, who, source, rare=True) for path, who, source in _ELSEWHERE for scheme in kinds),
    )


def _at(
    kinds: Mapping[str, int], coin_type: int, chain: int, wallets: str, source: str, *, rare: bool = False
) -> Conventions:
    """Each kind of address where its standard has it."""
    return tuple(
        Convention(scheme, f"m/{purpose}'/{coin_type}'/{{account}}'/{chain}/{{index}}", wallets, source, rare=rare)
        for scheme, purpose in kinds.items()
    )
