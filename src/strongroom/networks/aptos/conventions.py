"""Where wallets of Aptos keep the keys of a phrase: tried when nobody says which path it was. Data, with sources.

An entry is a scheme, a path, who derives there, and where that can be read up. ``{account}`` and ``{index}`` stand for
numbers from 0 (see ``strongroom.records.conventions``). What is more usual comes first.
"""

from __future__ import annotations

from strongroom.records.conventions import Convention, Conventions

_SDK = (
    "aptos-labs/aptos-ts-sdk, src/core/crypto/hdKey.ts: hardened elements for Ed25519, the last two plain for secp256k1"
)

APTOS: Conventions = (
    Convention(
        "slip10",
        "m/44'/637'/{account}'/0'/{index}'",
        "Petra, Martian, Pontem, OKX, Ledger Live at another account; Trust Wallet at account 0",
        f"SLIP-0044; Petra, 'Ledger' and 'Mnemonic'; Trust wallet-core registry.json; {_SDK}",
    ),
    Convention(
        "secp256k1",
        "m/44'/637'/{account}'/0/{index}",
        "single-key accounts of the SDKs (Secp256k1PrivateKey.fromDerivationPath)",
        _SDK,
    ),
    Convention("slip10", "m/44'/637'/{account}'", "scripts that stop at the account", "ed25519-hd-key", rare=True),
    Convention("slip10", "m/44'/637'/0'/{index}'", "scripts without a change", "ed25519-hd-key", rare=True),
)
"""Aptos and its testnets."""
