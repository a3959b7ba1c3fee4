"""Where wallets of Stellar keep the keys of a phrase. Data, with sources; what is more usual comes first."""

from __future__ import annotations

from strongroom.records.conventions import Convention, Conventions

STELLAR: Conventions = (
    Convention(
        "sep5",
        "m/44'/148'/{account}'",
        "Lobstr, Freighter, Ledger Live, Trezor, Trust, Solar, xBull, Albedo",
        "SEP-0005; trezor-firmware, docs/misc/coins-bip44-paths.md; Trust wallet-core registry.json",
    ),
    Convention(
        "sep5",
        "m/44'/148'/{account}'/0'",
        "libraries that derive every Ed25519 coin alike",
        "Solana's path with another coin type",
        rare=True,
    ),
    Convention(
        "sep5",
        "m/44'/148'/{account}'/0'/{index}'",
        "libraries that harden all of BIP-44",
        "BIP-44 with every element hardened",
        rare=True,
    ),
)
"""Where wallets keep the keys of Stellar in the tree of a phrase."""
