"""Where wallets of the XRP Ledger keep the keys of a phrase. Data, with sources; what is more usual comes first."""

from __future__ import annotations

from strongroom.records.conventions import Convention, Conventions

_TREZOR = "trezor-firmware, docs/misc/coins-bip44-paths.md (44'/144'/a'/0/0)"

XRP: Conventions = (
    Convention(
        "bip44",
        "m/44'/144'/{account}'/0/{index}",
        "Xaman, Trust, Exodus, xrpl.js (m/44'/144'/0'/0/0; further keys by the last element); with another account "
        "Trezor and Ledger Live",
        "SLIP-0044; Trust wallet-core registry.json; xrpl.js, Wallet.fromMnemonic; " + _TREZOR,
    ),
    Convention(
        "bip44",
        "m/44'/144'/{account}'/{index}",
        "scripts without a change level",
        "BIP-44 with a level left out",
        rare=True,
    ),
    Convention("bip44", "m/44'/144'/{account}'", "scripts that stop at the account", "SEP-0005's form", rare=True),
    Convention("bip44", "m/44'/1'/{account}'/0/{index}", "testnets by SLIP-44's coin type", "SLIP-0044", rare=True),
)
"""Where wallets keep the keys of the XRP Ledger in the tree of a phrase."""
