"""Where wallets of Bitcoin keep the keys of a phrase: tried when nobody says which path it was. Data, with sources.

An entry is a scheme, a path, who derives there, and where that can be read up. ``{account}`` and ``{index}`` stand for
numbers from 0 (see ``strongroom.records.conventions``). What is more usual comes first.
"""

from __future__ import annotations

from functools import cache

from strongroom.records.conventions import Convention, Conventions


@cache
def bitcoin(coin_type: int) -> Conventions:
    """A chain of the Bitcoin family, by its coin type of SLIP-0044."""
    others = () if coin_type == 0 else (0,)
    return (
        *_standard(coin_type, "BIP-44, 49, 84, 86: Ledger, Trezor, Trust, Exodus, Coinomi, Electrum with BIP-39"),
        *(each for coin in others for each in _standard(coin, "applications that use mainnet's paths on a testnet")),
        *_ELSEWHERE,
        *(
            Convention(
                scheme, f"m/{purpose}'/{coin_type}'/{number}'/{{account}}/{{index}}", wallet, _SAMOURAI, rare=True
            )
            for scheme, purpose in (("bip84", 84), ("bip44", 44), ("bip49", 49))
            for number, wallet in _SAMOURAI_ACCOUNTS.items()
        ),
    )


def _standard(coin: int, wallets: str) -> Conventions:
    """Each kind of address where its standard has it, then where scripts have it: at another kind's purpose."""
    kinds = (("bip84", 84), ("bip44", 44), ("bip49", 49), ("bip86", 86))
    standards = "BIP-44, BIP-49, BIP-84, BIP-86; walletsrecovery.org"
    return (
        *(Convention(scheme, f"m/{n}'/{coin}'/{{account}}'/0/{{index}}", wallets, standards) for scheme, n in kinds),
        *(
            Convention(scheme, f"m/{n}'/{coin}'/{{account}}'/1/{{index}}", f"change: {wallets}", standards)
            for scheme, n in kinds
        ),
        *(
            Convention(
                scheme, f"m/{other}'/{coin}'/{{account}}'/0/{{index}}", "another kind's path", standards, rare=True
            )
            for scheme, n in kinds
            for _, other in kinds
            if other != n
        ),
        *(
            Convention(scheme, f"m/{n}'/{coin}'/{{account}}'/{{index}}", "a level early", standards, rare=True)
            for scheme, n in kinds
        ),
    )


_SAMOURAI = "Samourai Wallet, 'Wallet recovery': accounts of its own; walletsrecovery.org"
_SAMOURAI_ACCOUNTS = {
    2147483644: "Samourai, bad bank",
    2147483645: "Samourai, premix",
    2147483646: "Samourai, postmix",
    2147483647: "Samourai, ricochet",
}
_RECOVERY = "walletsrecovery.org, by wallet"
_ELSEWHERE: Conventions = (
    *(
        Convention(scheme, path, wallets, source, rare=True)
        for path, wallets, source in (
            ("m/0'/0'/{index}'", "Bitcoin Core", "Bitcoin Core, descriptor wallets of before 23.0; " + _RECOVERY),
            ("m/0'/1'/{index}'", "Bitcoin Core, change", _RECOVERY),
            ("m/0'/{account}/{index}", "BRD, MultiBit HD, Hive, Bread, Airbitz; BIP-32", _RECOVERY),
            ("m/{account}/{index}", "Electrum's tree (m/0, m/1), BIP-32 wallets without hardening", _RECOVERY),
            ("m/0'/{index}'", "scripts that harden both", _RECOVERY),
            ("m/{index}", "scripts that take children of the root", "bitcoinjs-lib, examples of bip32"),
            ("m", "scripts that take the root of the tree", "bitcoinjs-lib, examples of bip32"),
            ("m/44'/0'/{index}", "Coinomi and Mycelium scripts without an account", _RECOVERY),
        )
        for scheme in ("bip84", "bip44", "bip49", "bip86")
    ),
)
